//! Damage, systematically: whatever a guest or a back end holds or does, every
//! walk ends, tells what is wrong and delivers the good neighbours.

mod back_end;
mod page_tables;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tour.rs"]
mod tour;
mod words;
