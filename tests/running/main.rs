//! The forge's running guest under QEMU: what it counts agrees with what it is to do, what it
//! leaves in memory is a Windows guest, and its integrity checker sees a changed byte.
//!
//! Skipped where `qemu-system-x86_64` is not installed.

mod machine;

use std::path::Path;

use machine::Machine;
use winvmi::session::{Config, ProfileCache, Session};
use winvmi_forge::running::{ActorKind, Running, RunningOptions, Word};
use winvmi_forge::{Layout, Options};

/// Iterations of each actor: two rounds of the pager and more.
const ITERATIONS: u64 = 50;

/// Starts a guest, or says why not.
fn start(layout: Layout, options: &Options) -> Option<(Running, Machine)> {
    let load = RunningOptions {
        limit: ITERATIONS,
        ..RunningOptions::default()
    };
    let running = Running::build(layout, options, &load).unwrap();
    let machine = Machine::start(&running, options.processors)?;
    Some((running, machine))
}

/// Waits for the end of the load and compares every counter.
fn check_counters(running: &Running, machine: &Machine, iterations: u64) {
    machine.wait_until_quiet(running);
    for (word, expected) in running.expected_words(iterations) {
        assert_eq!(machine.word(running, word), expected, "{}", word.name());
    }
    for actor in running.actors() {
        for (word, expected) in actor.expected_words(iterations) {
            let counted = machine.read(running.actor_word(actor, word).1);
            assert_eq!(counted, expected, "{:?} {}", actor.kind, word.name());
        }
    }
    check_page_ins(running, machine);
}

/// All that went out came in again, but what nobody has touched since.
fn check_page_ins(running: &Running, machine: &Machine) {
    let outs = [
        Word::PageTableOuts,
        Word::DirectoryOuts,
        Word::PointersOuts,
        Word::TopOuts,
        Word::ImageOuts,
    ];
    let outs: u64 = outs.iter().map(|word| machine.word(running, *word)).sum();
    let is_out = machine.word(running, Word::PendingLevel) != 0;
    let ins = machine.word(running, Word::PageIns);
    assert_eq!(ins + u64::from(is_out), outs);
}

/// The engine lists the processes of a dump, and what runs on its processors.
fn check_dump(running: &Running, dump: &Path) {
    let config = Config {
        symbol_paths: vec![Layout::symbol_directory()],
        symbol_environment: false,
        profile_cache: ProfileCache::Off,
        ..Config::default()
    };
    let session = Session::open(&dump.display().to_string(), &config).unwrap();
    let processes = session.windows().unwrap().processes();
    let mut found: Vec<_> = processes
        .map(|process| process.unwrap())
        .map(|process| (process.id().unwrap(), process.name().unwrap()))
        .collect();
    let expected = &running.guest().expected().processes;
    let mut expected: Vec<_> = expected
        .iter()
        .map(|process| (process.pid, process.name.clone()))
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

fn run(layout: Layout, options: &Options) {
    let Some((running, mut machine)) = start(layout, options) else {
        return;
    };
    check_counters(&running, &machine, ITERATIONS);
    machine.set_word(&running, Word::Limit, 2 * ITERATIONS);
    check_counters(&running, &machine, 2 * ITERATIONS);
    check_dump(&running, &machine.dump());
}

#[test]
fn windows_7_runs_on_two_processors() {
    run(Layout::Win7Sp1, &Options::default());
}

#[test]
fn windows_11_runs_on_two_processors() {
    run(Layout::Win11_21H2, &Options::default());
}

#[test]
fn runs_without_kva_shadow_on_one_processor() {
    let options = Options {
        kva_shadow: false,
        processors: 1,
        ..Options::default()
    };
    run(Layout::Win10_2004, &options);
}

/// A visible INT3 in a watched page is seen, and only as long as it is there.
#[test]
fn integrity_checker_sees_a_changed_byte() {
    let Some((running, machine)) = start(Layout::Win11_21H2, &Options::default()) else {
        return;
    };
    machine.wait_until_quiet(&running);
    machine.set_word(&running, Word::Actors, ActorKind::Integrity.bit());
    let function = running.guest().symbol("MmCleanProcessAddressSpace");
    let place = running.guest().translate(function).unwrap();
    let original = machine.replace_byte(place, 0xcc);
    machine.set_word(&running, Word::Limit, ITERATIONS + 1);
    machine.wait_until_quiet(&running);
    machine.replace_byte(place, original);
    machine.set_word(&running, Word::Limit, ITERATIONS + 2);
    machine.wait_until_quiet(&running);
    assert_eq!(machine.word(&running, Word::IntegrityDifferences), 1);
    assert_eq!(
        machine.word(&running, Word::DifferentPage),
        function & !0xfff
    );
}
