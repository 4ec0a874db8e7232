//! The back ends over files: formats, detection, damage.

mod full;
mod raw;
mod support;
