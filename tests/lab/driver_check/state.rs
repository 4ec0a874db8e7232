//! Opening, memory, registers, and what is left behind.

use std::{
    env,
    process::{self, Command},
    time::{Duration, Instant},
};

use winvmi::{
    core::{
        Gfn, Pa,
        driver::{Capabilities, ResponseAction},
    },
    error::Error,
};

use crate::{
    PATIENCE,
    breakpoints::Hidden,
    guest::{Guest, Places, Var},
    open, respond, verdict, with_guest,
};

/// EFER.LMA: long mode is active.
const LONG_MODE: u64 = 1 << 10;

/// Reads for the time of one.
const READS: u32 = 100_000;

pub fn targets() {
    let absent = open("xen:nobody");
    let number = open("xen:1").map(|driver| driver.info().vcpus);
    let good = matches!(absent, Err(Error::NotFound { .. })) && number.is_ok();
    let told = absent
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    verdict(
        good,
        "targets",
        &format!("by number {number:?}; else {told:?}"),
    );
}

pub fn facts(guest: Guest<'_>) {
    let info = guest.driver.info();
    let able = guest.driver.capabilities();
    let needed = Capabilities::VIEWS | Capabilities::EVENTS | Capabilities::LIVE;
    let good = info.vcpus == 2 && able.contains(needed) && guest.runs();
    verdict(
        good,
        "facts",
        &format!("{} processors, {} bytes", info.vcpus, info.memory_size),
    );
}

pub fn memory(guest: Guest<'_>) {
    let memory = guest.driver.physical().expect("memory");
    let value = 0x1122_3344_5566_7788;
    guest.set(Var::Scratch, value);
    let written = guest.get(Var::Scratch) == value;
    let absent = memory.read(Pa(1 << 36), &mut [0; 8]).is_err();
    let crossing = memory.read(Pa(4092), &mut [0; 8]).is_err();
    let run = memory.next_run(Gfn(0)).map(|run| (run.start, run.length));
    let start = Instant::now();
    for _ in 0..READS {
        guest.get(Var::Scratch);
    }
    let each = start.elapsed() / READS;
    let good = written && absent && crossing && run.is_some_and(|(start, _)| start == 0);
    verdict(
        good,
        "memory",
        &format!("first run {run:x?}, {each:?} per read"),
    );
}

pub fn registers(guest: Guest<'_>) {
    let registers = guest.driver.registers().expect("registers");
    let control = guest.driver.control().expect("control");
    control.pause().expect("pause");
    control.pause().expect("pause");
    let mut before = registers.get(1).expect("registers");
    before.r15 = 0xdead_beef_0000_1111;
    let stored = registers.set(1, &before);
    let read = registers.get(1).expect("registers");
    control.resume().expect("resume");
    let rounds = guest.get(Var::Rounds1);
    std::thread::sleep(Duration::from_millis(50));
    let stood = guest.get(Var::Rounds1) == rounds;
    control.resume().expect("resume");
    let unpaused = control.resume().is_err();
    let ran = guest.runs();
    let kept = registers.get(1).is_ok_and(|now| now.r15 == before.r15);
    let absent = registers.get(7).is_err();
    let long = read.efer & LONG_MODE != 0 && read.cs.access & 0x2000 != 0;
    let facts = format!(
        "RIP {:x} CR3 {:x} CS.access {:x}; stored {stored:?}, read back {}, kept {kept}",
        read.rip,
        read.cr3,
        read.cs.access,
        read == before
    );
    let good = stored.is_ok() && read == before && kept && long && absent;
    verdict(good, "registers", &facts);
    let facts = format!("paused twice, resumed once: stood {stood}; resumed again: runs {ran}");
    verdict(stood && ran && unpaused, "pause-is-counted", &facts);
    if read != before {
        println!("{before:x?}\n{read:x?}");
    }
}

/// A closed driver has left everything as it was, hooks and all.
pub fn restored_after_close(places: Places) {
    let mut original = [0; 4096];
    with_guest(places, |guest| {
        original = guest.code_page();
        let _left_in_place = Hidden::new(guest);
        let events = guest.driver.events().expect("events");
        for _ in 0..5 {
            let step =
                ResponseAction::FastSingleStep(guest.driver.views().expect("views").default_view());
            let _ = events.wait(PATIENCE, &mut |_| respond(step));
        }
        guest
            .driver
            .control()
            .expect("control")
            .pause()
            .expect("pause");
    });
    with_guest(places, |guest| {
        let good = guest.runs() && guest.code_page() == original;
        verdict(
            good,
            "closed-in-the-middle",
            "the guest runs, its code is as before",
        );
    });
}

/// Hooks the guest and is killed while a processor waits for its answer.
pub fn die(places: Places) -> ! {
    with_guest(places, |guest| {
        let _hidden = Hidden::new(guest);
        let events = guest.driver.events().expect("events");
        let step =
            ResponseAction::FastSingleStep(guest.driver.views().expect("views").default_view());
        for _ in 0..5 {
            let _ = events.wait(PATIENCE, &mut |_| respond(step));
        }
        let _ = events.wait(PATIENCE, &mut |_| {
            // SAFETY: no memory is passed.
            unsafe { libc::raise(libc::SIGKILL) };
            respond(step)
        });
    });
    process::exit(2)
}

/// The next open after a kill restores the guest.
pub fn restored_after_kill(places: Places, arguments: &[String]) {
    let mut original = [0; 4096];
    with_guest(places, |guest| original = guest.code_page());
    let status = env::current_exe().and_then(|program| {
        Command::new(program)
            .args(&arguments[1..])
            .arg("die")
            .status()
    });
    let killed = status.is_ok_and(|status| status.code().is_none());
    with_guest(places, |guest| {
        let runs = guest.runs();
        let same = guest.code_page() == original;
        let facts = format!("killed {killed}, the guest runs {runs}, its code is as before {same}");
        verdict(killed && runs && same, "killed-in-the-middle", &facts);
        let control = guest.driver.control().expect("control");
        let usable = control.pause().and_then(|()| control.resume());
        verdict(usable.is_ok(), "usable-after-kill", &format!("{usable:?}"));
    });
}
