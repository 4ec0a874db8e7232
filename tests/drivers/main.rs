//! The back ends over files: formats, detection, damage.

mod bitmap;
mod damage;
mod full;
mod raw;
mod support;
mod triage;
