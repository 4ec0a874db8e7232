//! Processor control regions.

use crate::expected::{ExpectedProcessor, ExpectedRegisters};
use crate::guest::Guest;
use crate::kernel::{address_space, shared_data};
use crate::process::scheduling;

/// Code segment of 64-bit user mode.
const USER_CS: u16 = 0x33;
/// Code segment of kernel mode.
const KERNEL_CS: u16 = 0x10;

/// Bit of CR4: five levels of page tables.
const LA57: u32 = 12;

/// Makes the control region of every processor, each running its idle thread.
pub(crate) fn build(guest: &mut Guest) {
    let mut regions = vec![guest.expected.kernel.lstar, shared_data::KERNEL_ADDRESS];
    for number in 0..guest.options.processors {
        let processor = build_one(guest, number);
        regions.push(processor.kpcr);
        guest.expected.processors.push(processor);
    }
    address_space::build_shadow(guest, &regions);
}

fn build_one(guest: &mut Guest, number: u32) -> ExpectedProcessor {
    let kpcr = match (number, guest.find_symbol("KiInitialPCR")) {
        (0, Some(region)) => region,
        _ => guest.allocate_pages(guest.profile.size_of("_KPCR")),
    };
    let kprcb = kpcr + guest.profile.offset("_KPCR", "Prcb");
    let idle_thread = crate::process::system::add_idle_thread(guest, number);
    write_region(guest, kpcr, number, idle_thread);
    let slot = guest.symbol("KiProcessorBlock") + u64::from(number) * 8;
    guest.write_u64(slot, kprcb);
    let registers = idle_registers(guest, kpcr, idle_thread);
    write_registers(guest, kprcb, &registers);
    ExpectedProcessor {
        number,
        kpcr,
        kprcb,
        current_thread: idle_thread,
        next_thread: 0,
        idle_thread,
        registers,
    }
}

fn write_region(guest: &mut Guest, kpcr: u64, number: u32, idle_thread: u64) {
    let kprcb = kpcr + guest.profile.offset("_KPCR", "Prcb");
    let context = kprcb
        + guest
            .profile
            .offset("_KPRCB", "ProcessorState.ContextFrame");
    let block = scheduling::block_offset(guest, number).unwrap_or_default();
    let tables = guest.allocate_pages(0x2000);
    let mut region = guest.record("_KPCR");
    region
        .set("Self", kpcr)
        .set("Used_Self", kpcr)
        .set("CurrentPrcb", kprcb)
        .set("GdtBase", tables)
        .set("IdtBase", tables + 0x1000)
        .set("MajorVersion", 1)
        .set("MinorVersion", 1)
        .set("KdVersionBlock", guest.symbol("KdVersionBlock"))
        .set("Prcb.Number", number.into())
        .set("Prcb.LegacyNumber", number.into())
        .set("Prcb.CurrentThread", idle_thread)
        .set("Prcb.IdleThread", idle_thread)
        .set("Prcb.MHz", 2400)
        .set("Prcb.CpuType", 6)
        .set("Prcb.MxCsr", 0x1f80)
        .set("Prcb.Context", context)
        .set_if("Prcb.ScbOffset", block)
        .put("Prcb.VendorString", b"GenuineIntel\0");
    guest.write_record(kpcr, &region);
}

/// Registers of a processor that waits in the idle loop.
fn idle_registers(guest: &Guest, kpcr: u64, idle_thread: u64) -> ExpectedRegisters {
    ExpectedRegisters {
        rip: guest.symbol("KiSystemCall64") + 0x40,
        rsp: guest.peek_field(idle_thread, "_ETHREAD", "Tcb.KernelStack"),
        rax: 1,
        rflags: 0x246,
        cs: KERNEL_CS,
        cr0: 0x8005_0033,
        cr3: guest.kernel_root(),
        cr4: 0x37_06f8 | u64::from(guest.options.five_levels) << LA57,
        gs_base: kpcr,
        kernel_gs_base: 0,
        lstar: guest.expected.kernel.lstar,
    }
}

fn write_registers(guest: &mut Guest, kprcb: u64, registers: &ExpectedRegisters) {
    let special = [
        ("Cr0", registers.cr0),
        ("Cr3", registers.cr3),
        ("Cr4", registers.cr4),
        ("MsrGsBase", registers.gs_base),
        ("MsrGsSwap", registers.kernel_gs_base),
        ("MsrStar", 0x0023_0010_0000_0000),
        ("MsrLStar", registers.lstar),
        ("MsrSyscallMask", 0x4700),
    ];
    for (name, value) in special {
        let path = format!("ProcessorState.SpecialRegisters.{name}");
        guest.poke_field(kprcb, "_KPRCB", &path, value);
    }
    let context = [
        ("ContextFlags", 0x10_001f),
        ("Rip", registers.rip),
        ("Rsp", registers.rsp),
        ("Rax", registers.rax),
        ("EFlags", registers.rflags),
        ("SegCs", registers.cs.into()),
        ("SegSs", if registers.cs == USER_CS { 0x2b } else { 0x18 }),
        ("MxCsr", 0x1f80),
    ];
    for (name, value) in context {
        guest.poke_field(
            kprcb,
            "_KPRCB",
            &format!("ProcessorState.ContextFrame.{name}"),
            value,
        );
    }
}

impl Guest {
    /// Makes a thread the running one of a processor. A thread with a user-mode instruction
    /// pointer in its trap frame is taken to run in user mode if `in_user_mode` is set.
    pub fn run_thread(&mut self, number: u32, thread: u64, in_user_mode: bool) {
        let index = number as usize;
        let kprcb = self.expected.processors[index].kprcb;
        let kpcr = self.expected.processors[index].kpcr;
        let found = self
            .expected
            .threads
            .iter()
            .find(|known| known.object == thread);
        let thread_facts = found
            .unwrap_or_else(|| panic!("no thread at {thread:#x}"))
            .clone();
        let process = self.processes[&thread_facts.current_process].clone();
        let mut registers = self.expected.processors[index].registers.clone();
        registers.cr3 = process.directory_table_base;
        registers.kernel_gs_base = thread_facts.native_teb;
        if in_user_mode {
            registers.cr3 = process.user_directory_table_base;
            registers.cs = USER_CS;
            registers.rip = thread_facts.trap_rip;
            registers.rsp = thread_facts.trap_rsp;
            (registers.gs_base, registers.kernel_gs_base) = (thread_facts.native_teb, kpcr);
        }
        self.poke_field(kprcb, "_KPRCB", "CurrentThread", thread);
        self.poke_field(
            thread,
            "_ETHREAD",
            "Tcb.State",
            crate::process::thread::RUNNING.into(),
        );
        write_registers(self, kprcb, &registers);
        let processor = &mut self.expected.processors[index];
        processor.current_thread = thread;
        processor.registers = registers;
        if let Some(known) = self
            .expected
            .threads
            .iter_mut()
            .find(|known| known.object == thread)
        {
            known.state = crate::process::thread::RUNNING;
        }
    }

    /// Makes a thread the next one of a processor.
    pub fn schedule_next(&mut self, number: u32, thread: u64) {
        let index = number as usize;
        self.poke_field(
            self.expected.processors[index].kprcb,
            "_KPRCB",
            "NextThread",
            thread,
        );
        self.expected.processors[index].next_thread = thread;
    }
}
