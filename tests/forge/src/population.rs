//! The standard population: processes, threads, objects and handles of every kind.

mod bodies;
mod handles;
mod jobs;
mod objects;
mod pages;
mod processes;
mod scale;
mod user;

use crate::guest::Guest;

/// Populates a new guest.
pub(crate) fn populate(guest: &mut Guest) {
    let objects = objects::create(guest);
    let processes = processes::create(guest);
    handles::open(guest, &processes, &objects);
    jobs::place(guest, &processes);
    pages::place(guest, &processes);
    user::place(guest, &processes);
    bodies::fill(guest, &processes);
    scale::enlarge(guest);
}
