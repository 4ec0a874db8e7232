//! Threads.

use crate::expected::ExpectedThread;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::process::{ThreadSpec, teb};
use crate::record::Record;

/// Thread state: running on a processor.
pub(crate) const RUNNING: u8 = 2;
/// Thread state: waiting.
pub(crate) const WAITING: u8 = 5;
/// Wait reason: a request of user mode.
pub(crate) const USER_REQUEST: u8 = 6;

/// Wait reason: a keyed event.
pub(crate) const WR_KEYED_EVENT: u8 = 21;

/// Type code of a thread in its dispatcher header.
const THREAD_OBJECT: u64 = 6;
/// Size of a kernel stack.
const STACK_SIZE: u64 = 0x6000;
/// Distance between kernel stacks: a guard page on each side.
const STACK_STEP: u64 = 0x8000;
/// The top bit of `NextProcessor`, which is not part of the number.
const NEXT_PROCESSOR_FLAG: u32 = 0x8000_0000;

/// Where a thread's kernel stack is.
struct Stack {
    limit: u64,
    base: u64,
    pointer: u64,
    trap_frame: u64,
}

impl Guest {
    /// Makes a thread of a process: the address of its `_ETHREAD`.
    ///
    /// # Panics
    /// When the process does not exist.
    pub fn add_thread(&mut self, process: u64, spec: &ThreadSpec) -> u64 {
        let object = self.create_unnamed("Thread", self.profile.size_of("_ETHREAD"));
        let tid = self.take_id(spec.tid, object);
        let expected = self.place_thread(object, process, spec, tid);
        self.expected.threads.push(expected);
        let index = self.processes[&process].index;
        if let Some(index) = index {
            let expected = &mut self.expected.processes[index];
            expected.thread_count += 1;
            let count = u64::from(expected.thread_count);
            self.poke_field(process, "_EPROCESS", "ActiveThreads", count);
        }
        object
    }

    /// Writes a thread and links it into its process.
    pub(crate) fn place_thread(
        &mut self,
        object: u64,
        process: u64,
        spec: &ThreadSpec,
        tid: u32,
    ) -> ExpectedThread {
        let owner = self.processes[&process].clone();
        let tebs = teb::place(self, process, tid);
        let native_teb = tebs.first().map_or(0, |teb| teb.address);
        let stack = self.make_stack(spec.has_stack, native_teb != 0);
        let attached = spec.attached_to.is_some();
        let expected = ExpectedThread {
            object,
            tid,
            pid: owner.pid,
            process,
            current_process: spec.attached_to.unwrap_or(process),
            saved_process: if attached { process } else { 0 },
            apc_state_index: attached.into(),
            state: spec.state,
            wait_reason: spec.wait_reason,
            wait_mode: spec.wait_mode,
            alertable: spec.alertable,
            previous_mode: spec.previous_mode,
            syscall_number: spec.syscall_number,
            next_processor: spec.next_processor,
            create_time: spec.create_time,
            exit_time: spec.exit_time,
            exit_status: spec.exit_status,
            start_address: spec.start_address,
            win32_start_address: spec.win32_start_address,
            teb: tebs.last().map_or(0, |teb| teb.address),
            native_teb,
            tebs,
            kernel_stack: stack.pointer,
            trap_frame: stack.trap_frame,
            trap_registers: trap_registers(&stack, spec, native_teb),
            trap_rip: if stack.trap_frame != 0 {
                spec.start_address
            } else {
                0
            },
            trap_rsp: if stack.trap_frame != 0 {
                teb::stack_pointer(native_teb)
            } else {
                0
            },
            impersonation_token: spec.impersonation_token,
            scheduling_group: spec.scheduling_group,
            held_back_on: self.held_back_on(spec.scheduling_group),
        };
        let record = self.thread_record(&expected, &stack);
        self.write_record(object, &record);
        self.write_trap_frame(&expected);
        self.join_process(object, process);
        expected
    }

    fn thread_record(&self, thread: &ExpectedThread, stack: &Stack) -> Record {
        let mut record = self.record("_ETHREAD");
        record
            .set("Tcb.Header.Type", THREAD_OBJECT)
            .set_empty_list("Tcb.Header.WaitListHead", thread.object)
            .set_empty_list("Tcb.MutantListHead", thread.object)
            .set("Tcb.Process", thread.process)
            .set("Tcb.ApcState.Process", thread.current_process)
            .set_empty_list("Tcb.ApcState.ApcListHead[0]", thread.object)
            .set_empty_list("Tcb.ApcState.ApcListHead[1]", thread.object)
            .set("Tcb.SavedApcState.Process", thread.saved_process)
            .set("Tcb.ApcStateIndex", thread.apc_state_index.into())
            .set("Tcb.State", thread.state.into())
            .set("Tcb.WaitReason", thread.wait_reason.into())
            .set("Tcb.WaitMode", thread.wait_mode.into())
            .set("Tcb.Alertable", thread.alertable.into())
            .set("Tcb.KernelStackResident", 1)
            .set("Tcb.Priority", 8)
            .set("Tcb.BasePriority", 8)
            .set(
                "Tcb.NextProcessor",
                (thread.next_processor | NEXT_PROCESSOR_FLAG).into(),
            )
            .set("Tcb.PreviousMode", thread.previous_mode.into())
            .set("Tcb.SystemCallNumber", thread.syscall_number.into())
            .set("Tcb.Teb", thread.native_teb)
            .set("Tcb.InitialStack", stack.base - 0x50)
            .set("Tcb.StackBase", stack.base)
            .set("Tcb.StackLimit", stack.limit)
            .set("Tcb.KernelStack", stack.pointer)
            .set("Tcb.TrapFrame", stack.trap_frame);
        record
            .set("Cid.UniqueProcess", thread.pid.into())
            .set("Cid.UniqueThread", thread.tid.into())
            .set("CreateTime.QuadPart", thread.create_time)
            .set("ExitTime.QuadPart", thread.exit_time)
            .set("ExitStatus", thread.exit_status as u32 as u64)
            .set("StartAddress", thread.start_address)
            .set("Win32StartAddress", thread.win32_start_address)
            .set_if("Tcb.SchedulingGroup", thread.scheduling_group)
            .set_empty_list("IrpList", thread.object);
        if thread.wait_reason == WR_KEYED_EVENT && thread.exit_time == 0 {
            // A living thread may use the place of its exit time as a list.
            record.set_empty_list("KeyedWaitChain", thread.object);
        }
        if thread.impersonation_token != 0 {
            // The low bits hold the impersonation level and flags.
            record.set("ActiveImpersonationInfo", 1).set(
                "ClientSecurity.ImpersonationToken",
                thread.impersonation_token | 2,
            );
        }
        record
    }

    /// Places a kernel stack, mapped only if asked for, with room for a trap frame at its top.
    fn make_stack(&mut self, is_mapped: bool, has_trap_frame: bool) -> Stack {
        let limit = self.next_stack + PAGE_SIZE;
        let base = limit + STACK_SIZE;
        self.next_stack += STACK_STEP;
        if is_mapped {
            self.map_kernel(base - PAGE_SIZE, PAGE_SIZE);
        }
        let trap_frame = base - 0x50 - self.profile.size_of("_KTRAP_FRAME");
        Stack {
            limit,
            base,
            pointer: (trap_frame - 0x200) & !0xf,
            trap_frame: if is_mapped && has_trap_frame {
                trap_frame
            } else {
                0
            },
        }
    }

    fn write_trap_frame(&mut self, thread: &ExpectedThread) {
        if thread.trap_frame == 0 {
            return;
        }
        let mut frame = self.record("_KTRAP_FRAME");
        for (name, value) in &thread.trap_registers {
            frame.set(name, *value);
        }
        self.write_record(thread.trap_frame, &frame);
    }

    fn join_process(&mut self, object: u64, process: u64) {
        let heads = [
            ("Pcb.ThreadListHead", "Tcb.ThreadListEntry"),
            ("ThreadListHead", "ThreadListEntry"),
        ];
        for (head, links) in heads {
            let head = process + self.profile.offset("_EPROCESS", head);
            let links = object + self.profile.offset("_ETHREAD", links);
            self.append_to_list(head, links);
        }
    }
}

/// Members of a trap frame and their values; nothing where there is no frame.
fn trap_registers(stack: &Stack, spec: &ThreadSpec, teb: u64) -> Vec<(String, u64)> {
    const GENERAL: [&str; 11] = [
        "Rax", "Rcx", "Rdx", "R8", "R9", "R10", "R11", "Rbx", "Rdi", "Rsi", "Rbp",
    ];
    if stack.trap_frame == 0 {
        return Vec::new();
    }
    let general = GENERAL
        .into_iter()
        .zip((1..).map(|n| n * 0x1111_1111_1111 + teb));
    let rest = [
        ("Rip", spec.start_address),
        ("Rsp", teb::stack_pointer(teb)),
        ("SegCs", 0x33),
        ("SegSs", 0x2b),
        ("SegDs", 0x2b),
        ("SegEs", 0x2b),
        ("SegFs", 0x53),
        ("SegGs", 0x2b),
        ("EFlags", 0x246),
        ("MxCsr", 0x1f80),
        ("GsBase", teb),
        ("Dr7", 0x400),
        ("ErrorCode", 4),
        ("FaultAddress", teb + 0x1234),
        ("Xmm3.Low", 0x0123_4567_89ab_cdef),
        ("Xmm3.High", 0x7edc_ba98_7654_3210),
        ("PreviousMode", spec.previous_mode.into()),
    ];
    let members = general.chain(rest);
    members
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
