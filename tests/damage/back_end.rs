//! A back end that fails: at the n-th call, from the n-th call on, or always.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use winvmi::{
    Fault, FaultKind,
    arch::amd64::LongMode,
    core::{
        Capabilities, Driver, Gfn, Memory, Pa, Va,
        driver::{DriverInfo, PhysicalMemory, Run},
    },
    os::windows::Windows,
};
use winvmi_forge::{Guest, HandleAttributes, JobSpec, Layout, Options, ProcessSpec, ThreadSpec};

use crate::{support, tour::Tour};

/// Elements of one iterator: far more than the guest has.
const LIMIT: usize = 1000;

/// Which calls fail.
#[derive(Clone, Copy, Debug)]
enum Fails {
    /// Only call `n`.
    At(u64),
    /// Call `n` and all later ones.
    From(u64),
}

/// A guest's memory whose reads fail by plan.
struct Failing {
    guest: Arc<Guest>,
    calls: Arc<AtomicU64>,
    plan: Fails,
}

impl Driver for Failing {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "failing",
            format: "",
            vcpus: 0,
            memory_size: self.guest.memory().total_bytes(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}

impl PhysicalMemory for Failing {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let fails = match self.plan {
            Fails::At(nth) => call == nth,
            Fails::From(nth) => call >= nth,
        };
        if fails {
            return Err(Fault::physical(pa, FaultKind::BackEnd));
        }
        self.guest.memory().read(pa.0, buffer);
        Ok(())
    }

    fn next_run(&self, _from: Gfn) -> Option<Run> {
        None
    }
}

/// The smallest guest that has one of everything: System and one more process.
pub fn small_guest(layout: Layout) -> Guest {
    let mut guest = Guest::new(layout, &Options::default()).unwrap();
    let process = guest.add_process(&ProcessSpec::user("small.exe", 4));
    guest.add_thread(process, &ThreadSpec::default());
    let event = guest.create_named("Event", "\\Event", guest.body_size("Event"));
    guest.open_handle(process, event, 0x1f_0003, HandleAttributes::INHERIT);
    small_objects(&mut guest, process);
    guest
}

/// One object of each type whose body leads elsewhere.
fn small_objects(guest: &mut Guest, process: u64) {
    guest.create_job(&JobSpec::default(), &[process]);
    let owner = guest.expected().threads[0].object;
    let mutant = guest.create_named("Mutant", "\\Mutant", guest.body_size("Mutant"));
    guest.fill_mutant(mutant, owner, 1);
    let driver = guest.create_driver("\\Driver\\small");
    guest.fill_driver(driver, 0, "small");
    let lower = guest.create_device("\\Device\\Lower", driver, 7);
    let upper = guest.create_device("\\Device\\Upper", driver, 7);
    guest.attach_device(upper, lower);
    let port = guest.create_named("ALPC Port", "\\Port", guest.body_size("ALPC Port"));
    guest.fill_ports(port, process, process);
    guest.create_symbolic_link("\\GLOBAL??\\S:", "\\Device\\Upper", 19);
    let section = guest.create_section(Some("\\small.bin"), false, &[1; 16]);
    let object = guest.create_named("Section", "\\Section", guest.body_size("Section"));
    guest.fill_section(object, &section);
}

/// The Windows layer on a failing back end; `None` when it could not be had.
fn windows(guest: &Arc<Guest>, plan: Fails) -> (Option<Windows>, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let driver = Failing {
        guest: Arc::clone(guest),
        calls: Arc::clone(&calls),
        plan,
    };
    (on_driver(guest, driver), calls)
}

/// The Windows layer of a guest whose memory a driver delivers.
pub fn on_driver(guest: &Guest, driver: impl Driver + 'static) -> Option<Windows> {
    let memory = Memory::new(Arc::new(driver), 4096);
    memory.set_translate(Arc::new(LongMode::new(4)));
    let kernel = &guest.expected().kernel;
    let profile = support::profile(guest.layout());
    let root = Pa(kernel.system_root);
    Windows::new(Arc::new(memory), Va(kernel.base), root, profile).ok()
}

/// Everything that the guest has, and how many reads that takes.
fn whole(guest: &Arc<Guest>) -> (Tour, Tour, u64) {
    let (windows, calls) = windows(guest, Fails::At(u64::MAX));
    let windows = windows.unwrap();
    let tours = (Tour::of(&windows, LIMIT), Tour::objects(&windows, LIMIT));
    (tours.0, tours.1, calls.load(Ordering::Relaxed))
}

/// Not more than the whole guest has, and less only with a gap.
fn assert_part(part: &Tour, whole: &Tour, plan: Fails) {
    let counts = part.counts().into_iter().zip(whole.counts());
    for (part_count, whole_count) in counts {
        assert!(part_count <= whole_count, "{plan:?}: {part:?}");
        let told = part_count == whole_count || part.gaps > 0;
        assert!(told, "{plan:?} is not told: {part:?}");
    }
}

#[test]
fn every_read_failing_once_costs_its_neighbourhood_only() {
    let guest = Arc::new(small_guest(Layout::Win11_21H2));
    let (all, objects, reads) = whole(&guest);
    assert_eq!(all.gaps, 0, "{all:?}");
    for plan in (0..reads).map(Fails::At) {
        let Some(windows) = windows(&guest, plan).0 else {
            continue;
        };
        let tour = Tour::of(&windows, LIMIT);
        assert_part(&tour, &all, plan);
        assert!(tour.processes + 1 >= all.processes, "{plan:?}: {tour:?}");
        assert!(tour.modules + 1 >= all.modules, "{plan:?}: {tour:?}");
        assert_part(&Tour::objects(&windows, LIMIT), &objects, plan);
    }
}

#[test]
fn a_back_end_that_fails_for_good_ends_every_walk() {
    let guest = Arc::new(small_guest(Layout::Win7Sp1));
    let (all, objects, reads) = whole(&guest);
    for plan in (0..reads).map(Fails::From) {
        let (windows, calls) = windows(&guest, plan);
        let Some(windows) = windows else {
            continue;
        };
        assert_part(&Tour::of(&windows, LIMIT), &all, plan);
        assert_part(&Tour::objects(&windows, LIMIT), &objects, plan);
        let made = calls.load(Ordering::Relaxed);
        assert!(made <= reads.saturating_mul(4), "{plan:?}: {made} reads");
    }
}
