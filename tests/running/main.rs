//! The forge's running guest under QEMU: what it counts agrees with what it is to do, what it
//! leaves in memory is a Windows guest, and its integrity checker sees a changed byte.
//!
//! Skipped where `qemu-system-x86_64` is not installed.

mod machine;

use std::path::Path;

use machine::Machine;
use winvmi::core::Va;
use winvmi::session::{Config, ProfileCache, Session};
use winvmi_forge::running::{ActorKind, ActorWord, Running, RunningOptions, Word};
use winvmi_forge::{Layout, Options};

/// Iterations of each actor: two rounds of the pager and more.
const ITERATIONS: u64 = 50;
/// Times that a guest is stopped at an arbitrary moment.
const STOPS: u32 = 6;

/// Starts a guest whose actors rest after a number of iterations, or says why not.
fn start(layout: Layout, options: &Options, limit: u64) -> Option<(Running, Machine)> {
    let load = RunningOptions {
        limit,
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

fn open(dump: &Path) -> Session {
    let config = Config {
        symbol_paths: vec![Layout::symbol_directory()],
        symbol_environment: false,
        profile_cache: ProfileCache::Off,
        ..Config::default()
    };
    Session::open(&dump.display().to_string(), &config).unwrap()
}

/// The engine lists the processes of a quiet guest.
fn check_processes(running: &Running, session: &Session) {
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
    let Some((running, mut machine)) = start(layout, options, ITERATIONS) else {
        return;
    };
    check_counters(&running, &machine, ITERATIONS);
    machine.set_word(&running, Word::Limit, 2 * ITERATIONS);
    check_counters(&running, &machine, 2 * ITERATIONS);
    check_processes(&running, &open(&machine.dump()));
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
    let Some((running, machine)) = start(Layout::Win11_21H2, &Options::default(), ITERATIONS)
    else {
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

/// What is loaded while the guest runs is where the guest says: a driver, a DLL.
#[test]
fn what_is_loaded_late_is_found() {
    for layout in [Layout::Win7Sp1, Layout::Win11_21H2] {
        let Some((running, mut machine)) = start(layout, &Options::default(), 1) else {
            return;
        };
        // The loader's first iteration loads the driver.
        machine.wait_until_quiet(&running);
        machine.set_word(&running, Word::Actors, ActorKind::User.bit());
        machine.set_word(&running, Word::PluginTurn, 1);
        machine.set_word(&running, Word::Limit, 3);
        machine.wait_until_quiet(&running);
        let session = open(&machine.dump());
        let driver = session.kernel_symbol("late!LateFunction").unwrap();
        assert_eq!(driver.0, Running::late_functions()[0]);
        let actor = &running.actors()[0];
        let process = session.windows().unwrap().process(Va(actor.process));
        let plugin = session.user_symbol(&process, "plugin!PluginFunction", None);
        assert_eq!(plugin.unwrap().0, Running::plugin_functions()[0]);
        // The driver was there in the last two of three iterations.
        let late = |actor| machine.read(running.actor_word(actor, ActorWord::LateCalls).1);
        assert!(
            running
                .actors()
                .iter()
                .take(2)
                .all(|actor| late(actor) >= 2)
        );
        // In turn, both go.
        machine.resume();
        machine.set_word(&running, Word::PluginTurn, 3);
        let both = ActorKind::User.bit() | ActorKind::Loader.bit();
        machine.set_word(&running, Word::Limit, 4);
        machine.set_word(&running, Word::Actors, both);
        machine.wait_until_quiet(&running);
        assert_eq!(machine.word(&running, Word::DriverUnloads), 2);
        let session = open(&machine.dump());
        let windows = session.windows().unwrap();
        assert!(windows.module_by_name("late").is_err());
        let process = windows.process(Va(actor.process));
        assert!(process.user_module("plugin", None).is_err());
    }
}

/// Thread and process of every processor are known wherever a guest is stopped: in user mode
/// (64-bit and 32-bit), in system calls, in handlers, while it switches.
#[test]
fn what_runs_is_known_at_any_moment() {
    let options = Options::default();
    let Some((running, mut machine)) = start(Layout::Win10_1809, &options, 0) else {
        return;
    };
    machine.wait_for(&running, Word::IntegrityRounds, 10);
    let idle = |thread| {
        let processors = &running.guest().expected().processors;
        let is_idle = processors.iter().any(|it| it.idle_thread == thread);
        is_idle.then_some(running.guest().expected().idle_process)
    };
    let acting = |thread| {
        let actor = running.actors().iter().find(|it| it.thread == thread);
        actor.map(|actor| actor.process)
    };
    for _ in 0..STOPS {
        let session = open(&machine.dump());
        let windows = session.windows().unwrap();
        for vcpu in 0..options.processors as u16 {
            let registers = session.registers(vcpu).unwrap();
            let thread = windows.current_thread(&registers).unwrap().object().0;
            let process = windows.current_process(&registers).unwrap().object().0;
            assert_eq!(acting(thread).or_else(|| idle(thread)), Some(process));
        }
        machine.resume();
    }
}
