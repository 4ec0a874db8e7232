//! The back ends over files: formats, detection, damage.

mod bitmap;
mod cores;
mod damage;
#[path = "../support/exercise.rs"]
mod exercise;
mod forged;
mod full;
#[path = "../support/images.rs"]
mod images;
mod raw;
mod support;
mod triage;
