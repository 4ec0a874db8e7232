//! Proves the Xen driver on a real Xen, with the lab's guest as the truth.
//!
//! `driver_check HOT VARS LAZY_TABLE AFTER_INT3` (guest physical, hexadecimal) prints
//! one line per check, PASS or FAIL with the numbers seen. `die` as a fifth argument
//! kills itself in the middle of an event instead.

mod breakpoints;
mod guest;
mod hooks;
mod monitors;
mod state;

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use winvmi::{
    core::{
        Driver, Pa,
        driver::{Event, EventResponse, ResponseAction},
    },
    driver::{OpenOptions, Target},
    error::Result,
};

use self::guest::{Guest, Places};

/// The guest, among names that do not exist.
const TARGET: &str = "xen:nobody,tiny";

/// Longest wait for an event.
const PATIENCE: Duration = Duration::from_secs(5);

/// Events per check.
const ROUNDS: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let Some(places) = places(&arguments) else {
        eprintln!("usage: driver_check HOT VARS LAZY_TABLE AFTER_INT3 [die]");
        return ExitCode::FAILURE;
    };
    if arguments.get(5).is_some_and(|word| word == "die") {
        state::die(places);
    }
    state::targets();
    with_guest(places, |guest| {
        state::facts(guest);
        state::memory(guest);
        state::registers(guest);
        monitors::all(guest);
        breakpoints::all(guest);
    });
    hooks::all(places);
    state::restored_after_close(places);
    state::restored_after_kill(places, &arguments);
    ExitCode::SUCCESS
}

fn places(arguments: &[String]) -> Option<Places> {
    let place = |index: usize| {
        let text = arguments.get(index)?;
        u64::from_str_radix(text, 16).ok().map(Pa)
    };
    Some(Places {
        hot: place(1)?,
        vars: place(2)?,
        lazy_table: place(3)?,
    })
}

fn open(target: &str) -> Result<Arc<dyn Driver>> {
    winvmi::driver::open(&Target::parse(target)?, OpenOptions::default())
}

fn with_guest(places: Places, check: impl FnOnce(Guest<'_>)) {
    let driver = open(TARGET).expect("the guest opens");
    check(Guest {
        driver: driver.as_ref(),
        places,
    });
}

fn verdict(good: bool, name: &str, facts: &str) {
    let word = if good { "PASS" } else { "FAIL" };
    println!("{word} driver-{name}: {facts}");
}

fn respond(action: ResponseAction) -> EventResponse {
    EventResponse {
        action,
        view: None,
        registers: None,
    }
}

/// Serves events until `done` or until none comes any more; returns how many came.
fn serve(
    guest: Guest<'_>,
    mut done: impl FnMut() -> bool,
    mut handler: impl FnMut(&Event) -> EventResponse,
) -> u64 {
    let events = guest.driver.events().expect("events");
    let mut served = 0;
    while !done() {
        match events.wait(PATIENCE, &mut handler) {
            Ok(0) => break,
            Ok(count) => served += count as u64,
            Err(error) => {
                println!("     {error}");
                break;
            }
        }
    }
    served
}

/// Answers what is still queued.
fn settle(guest: Guest<'_>) {
    let events = guest.driver.events().expect("events");
    let wait = Duration::from_millis(50);
    while events
        .wait(wait, &mut |_| respond(ResponseAction::Continue))
        .is_ok_and(|count| count > 0)
    {}
    if !guest.runs() {
        println!("     the guest stands still");
    }
}
