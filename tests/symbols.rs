//! Symbol profiles of real kernels: what they answer, and how they are found.

#[path = "symbols/support.rs"]
mod support;

#[path = "symbols/damage.rs"]
mod damage;
#[path = "symbols/layouts.rs"]
mod layouts;
#[path = "symbols/pdb.rs"]
mod pdb;
#[cfg(feature = "symbol-server")]
#[path = "symbols/server.rs"]
mod server;
#[path = "symbols/store.rs"]
mod store;
