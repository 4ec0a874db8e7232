//! The monitor on top of the driver: hooks, foreign breakpoints, pages that come and go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use winvmi::{
    core::{
        Driver, Memory, Pa, Space, Va,
        driver::{Event, MemoryAccess},
    },
    error::{Error, Result},
    monitor::{
        Action, Ended, Guest as Os, Handler, HookOptions, Identity, Landmarks, LiveGuest,
        MemoryRange, NewHook, Place, ProcessIdentity, Target, ThreadIdentity,
    },
};

use crate::{
    ROUNDS,
    guest::{Guest, LAZY, Places, Var, mode},
    open, settle, verdict,
};

/// Longest time for one check.
const PATIENCE: Duration = Duration::from_secs(20);

/// A guest without an operating system: each processor is a thread.
struct Bare;

impl Os for Bare {
    fn stopped(&self) {}

    fn identify(&self, event: &Event) -> Result<Identity> {
        let number = u64::from(event.vcpu) + 1;
        Ok(Identity {
            thread: ThreadIdentity {
                object: Va(number),
                id: number as u32,
                created: 0,
            },
            ..Identity::default()
        })
    }

    fn process(&self, _: Va) -> Result<ProcessIdentity> {
        Err(Error::not_found("processes"))
    }

    fn image_name(&self, _: Va) -> Result<String> {
        Err(Error::not_found("processes"))
    }

    fn parent(&self, _: &ProcessIdentity) -> Result<Option<ProcessIdentity>> {
        Ok(None)
    }

    fn processes(&self) -> Result<Vec<Va>> {
        Ok(Vec::new())
    }

    fn may_fault(&self, _: &Identity, _: Pa, _: Va, _: MemoryAccess) -> Result<bool> {
        Ok(false)
    }
}

struct Hooked {
    live: LiveGuest,
    root: Pa,
}

impl Hooked {
    fn new(driver: &Arc<dyn Driver>) -> Self {
        let registers = driver.registers().expect("registers").get(0).expect("CR3");
        let root = Pa(registers.cr3 & !0xfff);
        let memory = Arc::new(Memory::new(Arc::clone(driver), 64));
        let landmarks = Landmarks {
            kernel_root: root,
            thread_exit: None,
            process_created: None,
            image_mapped: [None; 2],
            module_listed: None,
            process_ended: None,
        };
        let live = LiveGuest::new(memory, Arc::new(Bare), landmarks, 4).expect("a live guest");
        Self { live, root }
    }

    fn count(&self, target: Target) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let hook = NewHook {
            target,
            options: HookOptions::default(),
            handler: Handler::Event(Box::new(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Action::Continue
            })),
        };
        self.live.insert(hook).expect("a hook");
        count
    }

    /// Serves events until `done` or the time is up.
    fn serve(&self, done: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done() && Instant::now() < end {
            match self.live.poll(Duration::from_millis(500), &|| false) {
                Ok(Ended::Handled(_) | Ended::TimedOut | Ended::Woken) => {}
                other => {
                    println!("     {other:?}");
                    break;
                }
            }
        }
    }
}

pub fn all(places: Places) {
    hidden(places);
    lazy(places);
}

fn with(places: Places, check: impl FnOnce(&Arc<dyn Driver>, Guest<'_>)) {
    let driver = open(crate::TARGET).expect("the guest opens");
    let guest = Guest {
        driver: driver.as_ref(),
        places,
    };
    check(&driver, guest);
}

/// A hook in a hot function of two processors, checked by the guest itself,
/// beside breakpoints of the guest's own.
fn hidden(places: Places) {
    with(places, |driver, guest| {
        let original = guest.code_page();
        guest.set(Var::Bad, 0);
        let hooked = Hooked::new(driver);
        let before = guest.get(Var::Calls) + guest.get(Var::Calls1);
        let own = guest.get(Var::Breakpoints);
        let place = Place {
            root: hooked.root,
            va: places.hot_va(),
        };
        let hits = hooked.count(Target::Code(vec![place]));
        guest.set(Var::Mode, mode::INTEGRITY | mode::INT3);
        hooked.serve(|| hits.load(Ordering::Relaxed) >= 10 * ROUNDS);
        guest.set(Var::Mode, 0);
        let closed = hooked.live.close();
        settle(guest);
        let hits = hits.load(Ordering::Relaxed);
        let calls = guest.get(Var::Calls) + guest.get(Var::Calls1) - before;
        let (own, bad) = (guest.get(Var::Breakpoints) - own, guest.get(Var::Bad));
        let whole = guest.code_page() == original && guest.runs();
        let good = closed.is_ok() && bad == 0 && own > 0 && hits >= 10 * ROUNDS;
        let facts = format!(
            "{hits} hits, {calls} calls until the guest ran freely, {own} breakpoints of its own, \
             the guest saw the patch {bad} times, closed {closed:?}"
        );
        verdict(good && whole && calls + 2 >= hits, "hooks-hidden", &facts);
    });
}

/// A memory hook on a page that the guest unmaps and brings in again and again.
fn lazy(places: Places) {
    with(places, |driver, guest| {
        let hooked = Hooked::new(driver);
        let before = guest.get(Var::LazyReads);
        let range = MemoryRange {
            space: Space::Virtual { root: hooked.root },
            start: LAZY.0,
            length: 4096,
            access: MemoryAccess::READ,
        };
        let hits = hooked.count(Target::Memory(range));
        guest.set(Var::Mode, mode::LAZY);
        hooked.serve(|| hits.load(Ordering::Relaxed) >= ROUNDS);
        guest.set(Var::Mode, 0);
        let closed = hooked.live.close();
        settle(guest);
        let hits = hits.load(Ordering::Relaxed);
        let reads = guest.get(Var::LazyReads) - before;
        let good = closed.is_ok() && hits >= ROUNDS && reads + 1 >= hits && guest.runs();
        let facts = format!("{hits} reads reported, {reads} made, closed {closed:?}");
        verdict(good, "hooks-follow-pages", &facts);
    });
}
