//! Symbol profiles of real kernels: what they answer, and how they are found.

mod support;

mod damage;
mod layouts;
mod pdb;
#[cfg(feature = "symbol-server")]
mod server;
mod store;
