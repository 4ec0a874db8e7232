//! A live guest over the mock driver, with processors that stop where they are told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::AtomicU32},
    time::Duration,
};

use super::{
    mock::{DEFAULT_VIEW, Mock, code},
    world::{PRESENT, ROOT, map_page},
};
use crate::{
    core::{
        Gfn, Pa, Registers, Segment, Va,
        driver::{
            Event, EventReason, EventResponse, Interrupt, InterruptKind, MemoryAccess,
            ResponseAction, ViewId,
        },
    },
    error::Result,
    monitor::{
        Action, Ended, Guest, Handler, HookId, HookOptions, Identity, Landmarks, LiveGuest,
        NewHook, Occurrence, Place, ProcessIdentity, Scope, Target, ThreadIdentity,
    },
};

pub const KERNEL_CODE: Va = Va(0xffff_f800_0012_3450);
pub const KERNEL_FRAME: Gfn = Gfn(0x777);
pub const CALLER: Va = Va(0xffff_f800_0012_4100);
pub const CALLER_FRAME: Gfn = Gfn(0x778);
pub const STACK: Va = Va(0xffff_8000_0000_1f00);
pub const STACK_FRAME: Gfn = Gfn(0x779);
pub const THREAD_EXIT: Va = Va(0xffff_f800_0012_5200);
pub const PROCESS_CREATED: Va = Va(0xffff_f800_0012_5300);
pub const IMAGE_MAPPED: Va = Va(0xffff_f800_0012_5400);
pub const PROCESS_ENDED: Va = Va(0xffff_f800_0012_5500);
pub const MODULE_LISTED: Va = Va(0xffff_f800_0012_5600);
pub const THREAD_EXIT_FRAME: Gfn = Gfn(0x77a);

/// The process id is in R14, the thread id in R15.
#[derive(Default)]
pub struct FakeGuest {
    pub parents: Mutex<HashMap<u32, u32>>,
    pub resident_allowed: Mutex<bool>,
    /// Processes of the kernel's list beside 4 to 7.
    pub invented: Mutex<Vec<Va>>,
}

pub fn process(id: u32) -> ProcessIdentity {
    ProcessIdentity {
        object: Va(0xffff_9000_0000_0000 + u64::from(id) * 0x1000),
        id,
        created: u64::from(id),
    }
}

pub fn thread(id: u32) -> ThreadIdentity {
    ThreadIdentity {
        object: Va(0xffff_a000_0000_0000 + u64::from(id) * 0x1000),
        id,
        created: u64::from(id),
    }
}

impl Guest for FakeGuest {
    fn stopped(&self) {}

    fn identify(&self, event: &Event) -> Result<Identity> {
        let process = process(event.registers.r14 as u32);
        Ok(Identity {
            process,
            attached: process.object,
            thread: thread(event.registers.r15 as u32),
        })
    }

    fn processes(&self) -> Result<Vec<Va>> {
        let usual = (4..8).map(|id| process(id).object);
        Ok(usual
            .chain(self.invented.lock().unwrap().iter().copied())
            .collect())
    }

    fn process(&self, object: Va) -> Result<ProcessIdentity> {
        Ok(process(((object.0 >> 12) & 0xffff) as u32))
    }

    fn image_name(&self, object: Va) -> Result<String> {
        Ok(format!("p{}.exe", (object.0 >> 12) & 0xff))
    }

    fn parent(&self, child: &ProcessIdentity) -> Result<Option<ProcessIdentity>> {
        let parents = self.parents.lock().unwrap();
        Ok(parents.get(&child.id).copied().map(process))
    }

    fn may_fault(&self, _: &Identity, _: Pa, _: Va, _: MemoryAccess) -> Result<bool> {
        Ok(*self.resident_allowed.lock().unwrap())
    }
}

pub struct Scene {
    pub mock: Arc<Mock>,
    pub guest: Arc<FakeGuest>,
    pub live: Arc<LiveGuest>,
}

impl Scene {
    pub fn new() -> Self {
        Self::over(Mock::new())
    }

    pub fn over(mock: Mock) -> Self {
        let mock = Arc::new(mock);
        mock.put(ROOT.gfn(), [0; 4096]);
        let mut next_table = 0x100;
        for (va, gfn) in [
            (KERNEL_CODE, KERNEL_FRAME),
            (CALLER, CALLER_FRAME),
            (STACK, STACK_FRAME),
            (THREAD_EXIT, THREAD_EXIT_FRAME),
        ] {
            mock.put(gfn, code(gfn.0 as u8));
            map_page(&mock, &mut next_table, ROOT, va, gfn.pa().0 | PRESENT);
        }
        let memory = mock.memory();
        memory.set_translate(Arc::new(crate::arch::amd64::LongMode::new(4)));
        memory.set_caching(false);
        let guest = Arc::new(FakeGuest::default());
        let landmarks = Landmarks {
            kernel_root: ROOT,
            thread_exit: Some(THREAD_EXIT),
            process_created: Some(PROCESS_CREATED),
            image_mapped: [Some(IMAGE_MAPPED), None],
            module_listed: Some(MODULE_LISTED),
            process_ended: Some(PROCESS_ENDED),
        };
        let live = LiveGuest::new(memory, guest.clone(), landmarks, 4).unwrap();
        Self {
            mock,
            guest,
            live: Arc::new(live),
        }
    }

    pub fn view(&self) -> ViewId {
        self.mock.state().current.unwrap()
    }

    /// Registers of a thread of process 4 at `rip`, in the kernel.
    pub fn registers(rip: Va, thread: u32) -> Registers {
        Registers {
            rip: rip.0,
            rsp: STACK.0,
            cr3: ROOT.0,
            r14: 4,
            r15: thread.into(),
            rflags: 0x202,
            cs: Segment {
                selector: 0x10,
                access: 0xa09b,
                ..Segment::default()
            },
            ..Registers::default()
        }
    }

    pub fn int3(registers: Registers) -> (Registers, EventReason) {
        let interrupt = Interrupt {
            vector: 3,
            kind: InterruptKind::SoftwareException,
            error_code: None,
            instruction_length: 1,
            extra: 0,
        };
        (registers, EventReason::Interrupt(interrupt))
    }

    pub fn access(pa: Pa, access: MemoryAccess) -> (Registers, EventReason) {
        let reason = EventReason::MemoryAccess {
            pa,
            va: None,
            access,
            page_walk: false,
        };
        (Self::registers(CALLER, 1), reason)
    }

    /// Has an event of processor 0 wait for the loop.
    pub fn queue(&self, registers: Registers, reason: EventReason) {
        self.queue_in(self.view(), registers, reason);
    }

    pub fn queue_in(&self, view: ViewId, registers: Registers, reason: EventReason) {
        self.queue_of(0, view, (registers, reason));
    }

    fn queue_of(&self, vcpu: u16, view: ViewId, (registers, reason): (Registers, EventReason)) {
        let event = Event {
            vcpu,
            view: Some(view),
            registers,
            reason,
        };
        self.mock.state().events.push_back(event);
    }

    /// Stops processor 0 and returns the answer.
    pub fn stop_at(&self, (registers, reason): (Registers, EventReason)) -> EventResponse {
        self.stop_in(self.view(), registers, reason)
    }

    /// Stops any processor.
    pub fn stop_of(
        &self,
        vcpu: u16,
        view: ViewId,
        event: (Registers, EventReason),
    ) -> EventResponse {
        self.queue_of(vcpu, view, event);
        self.poll().unwrap();
        let (_, answer) = self.mock.state().answers.pop().unwrap();
        answer
    }

    pub fn stop_in(
        &self,
        view: ViewId,
        registers: Registers,
        reason: EventReason,
    ) -> EventResponse {
        self.queue_in(view, registers, reason);
        self.poll().unwrap();
        let (_, answer) = self.mock.state().answers.pop().unwrap();
        answer
    }

    pub fn hit(&self, va: Va) -> EventResponse {
        self.stop_at(Self::int3(Self::registers(va, 1)))
    }

    pub fn poll(&self) -> Result<Ended> {
        self.live.poll(Duration::ZERO, &|| false)
    }

    pub fn hook(
        &self,
        va: Va,
        scope: Scope,
        callback: impl Fn(&mut Occurrence<'_>) -> Action + Send + Sync + 'static,
    ) -> HookId {
        self.live.insert(new_hook(va, scope, callback)).unwrap()
    }
}

pub fn new_hook(
    va: Va,
    scope: Scope,
    callback: impl Fn(&mut Occurrence<'_>) -> Action + Send + Sync + 'static,
) -> NewHook {
    NewHook {
        target: Target::Code(vec![Place { root: ROOT, va }]),
        options: HookOptions {
            scope,
            ..HookOptions::default()
        },
        handler: Handler::Event(Box::new(callback)),
    }
}

pub const STEP: ResponseAction = ResponseAction::FastSingleStep(DEFAULT_VIEW);

pub fn counter() -> (Arc<AtomicU32>, Arc<AtomicU32>) {
    let counter = Arc::new(AtomicU32::new(0));
    (counter.clone(), counter)
}

pub fn byte_at_code(scene: &Scene) -> u8 {
    let pa = KERNEL_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    scene.mock.seen(scene.view(), pa)
}
