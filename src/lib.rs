//! Virtual machine introspection of Windows guests behind a C API.
