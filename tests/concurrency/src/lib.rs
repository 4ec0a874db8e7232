//! The lock-free structures of winvmi under a model checker.
//!
//! The tests compile the sources of `winvmi` once more, with loom's atomics, and
//! run every interleaving of a few threads, also those that the memory model of
//! C++11 allows and this machine never shows.
