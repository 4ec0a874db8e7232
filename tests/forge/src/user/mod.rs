//! What user mode keeps about itself, and what is mapped into it: process parameters, loader
//! lists, images, in both widths.

pub(crate) mod heap;
pub(crate) mod image;
pub(crate) mod loader;
pub(crate) mod parameters;
pub(crate) mod section;
pub(crate) mod wide;

pub use image::{DllSpec, SystemDll};
pub use parameters::ParametersSpec;
