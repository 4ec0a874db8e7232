//! Registers: Xen's save records and event records, to and from ours.

use xen::sys;

use super::domain::Domain;
use crate::{
    core::{DescriptorTable, Registers, Segment},
    error::Result,
};

/// `HVM_SAVE_CODE(END)`, `(CPU)`, `(LAPIC_REGS)` of Xen's `save.h`.
const END: u16 = 0;
const CPU: u16 = 2;
const LAPIC_REGISTERS: u16 = 6;

/// Bytes of a record's descriptor: its kind, its processor, its length.
const DESCRIPTOR: usize = size_of::<sys::hvm_save_descriptor>();

/// Offset of the task priority register in the local APIC's page.
const TASK_PRIORITY: usize = 0x80;

/// Access rights are packed in 12 bits by Xen: AVL, L, D/B and G follow P at once.
const fn unpacked(access: u32) -> u32 {
    access & 0xff | (access & 0xf00) << 4
}

const fn packed(access: u32) -> u32 {
    access & 0xff | access >> 4 & 0xf00
}

/// Reads all registers of a processor.
pub(super) fn load(domain: &Domain, vcpu: u16) -> Result<Registers> {
    let cpu = saved_cpu(domain, vcpu)?;
    let mut apic = sys::hvm_hw_lapic_regs {
        data: [0; size_of::<sys::hvm_hw_lapic_regs>()],
    };
    let mut registers = from_saved(&cpu);
    // A processor without a local APIC has no CR8 either.
    if domain.save_record(LAPIC_REGISTERS, vcpu, &mut apic).is_ok() {
        let priority = apic.data.get(TASK_PRIORITY).copied().unwrap_or(0);
        registers.cr8 = u64::from(priority >> 4);
    }
    Ok(registers)
}

/// Sets the registers of a processor, XCR0 and CR8 excepted.
///
/// Xen stops every processor whose record is not loaded, so those of the others are
/// loaded as they are; devices are left alone. Nothing may run meanwhile.
pub(super) fn store(domain: &Domain, vcpu: u16, registers: &Registers) -> Result<()> {
    let mut cpu = saved_cpu(domain, vcpu)?;
    into_saved(registers, &mut cpu);
    let saved = domain.save_all()?;
    let mut image = Vec::new();
    for (index, record) in Records(&saved).enumerate() {
        if record.kind == CPU && record.instance == vcpu {
            append(&mut image, CPU, vcpu, bytes_of(&cpu));
        } else if record.kind == CPU || index == 0 {
            append(&mut image, record.kind, record.instance, record.bytes);
        }
    }
    append(&mut image, END, 0, &[]);
    domain.load_records(&mut image)
}

/// One record of a domain's saved state; the first is the header.
struct Record<'a> {
    kind: u16,
    instance: u16,
    bytes: &'a [u8],
}

/// The records of a domain's saved state.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (descriptor, rest) = self.0.split_first_chunk::<DESCRIPTOR>()?;
        let [k0, k1, i0, i1, l0, l1, l2, l3] = *descriptor;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Record {
            kind: u16::from_ne_bytes([k0, k1]),
            instance: u16::from_ne_bytes([i0, i1]),
            bytes,
        })
    }
}

fn saved_cpu(domain: &Domain, vcpu: u16) -> Result<sys::hvm_hw_cpu> {
    let mut cpu = sys::hvm_hw_cpu::default();
    domain.save_record(CPU, vcpu, &mut cpu)?;
    Ok(cpu)
}

/// Appends a record and the descriptor in front of it.
fn append(image: &mut Vec<u8>, kind: u16, instance: u16, record: &[u8]) {
    image.extend(kind.to_ne_bytes());
    image.extend(instance.to_ne_bytes());
    image.extend((record.len() as u32).to_ne_bytes());
    image.extend(record);
}

fn bytes_of(cpu: &sys::hvm_hw_cpu) -> &[u8] {
    let first: *const sys::hvm_hw_cpu = cpu;
    // SAFETY: the record is integers without padding, and the slice borrows it.
    unsafe { std::slice::from_raw_parts(first.cast(), size_of::<sys::hvm_hw_cpu>()) }
}

macro_rules! same_names {
    ($macro:ident) => {
        $macro!(
            rax,
            rbx,
            rcx,
            rdx,
            rsi,
            rdi,
            rbp,
            rsp,
            r8,
            r9,
            r10,
            r11,
            r12,
            r13,
            r14,
            r15,
            rip,
            rflags,
            cr0,
            cr2,
            cr3,
            cr4,
            dr6,
            dr7,
            sysenter_cs,
            sysenter_esp,
            sysenter_eip
        )
    };
}

fn from_saved(cpu: &sys::hvm_hw_cpu) -> Registers {
    macro_rules! copied {
        ($($name:ident),*) => {
            Registers { $($name: cpu.$name,)* ..Registers::default() }
        };
    }
    macro_rules! segment {
        ($selector:ident, $base:ident, $limit:ident, $access:ident) => {
            Segment {
                selector: cpu.$selector as u16,
                base: cpu.$base,
                limit: cpu.$limit,
                access: unpacked(cpu.$access),
            }
        };
    }
    Registers {
        dr0: cpu.dr0,
        dr1: cpu.dr1,
        dr2: cpu.dr2,
        dr3: cpu.dr3,
        cs: segment!(cs_sel, cs_base, cs_limit, cs_arbytes),
        ds: segment!(ds_sel, ds_base, ds_limit, ds_arbytes),
        es: segment!(es_sel, es_base, es_limit, es_arbytes),
        fs: segment!(fs_sel, fs_base, fs_limit, fs_arbytes),
        gs: segment!(gs_sel, gs_base, gs_limit, gs_arbytes),
        ss: segment!(ss_sel, ss_base, ss_limit, ss_arbytes),
        tr: segment!(tr_sel, tr_base, tr_limit, tr_arbytes),
        ldtr: segment!(ldtr_sel, ldtr_base, ldtr_limit, ldtr_arbytes),
        gdtr: DescriptorTable {
            base: cpu.gdtr_base,
            limit: cpu.gdtr_limit as u16,
        },
        idtr: DescriptorTable {
            base: cpu.idtr_base,
            limit: cpu.idtr_limit as u16,
        },
        kernel_gs_base: cpu.shadow_gs,
        efer: cpu.msr_efer,
        star: cpu.msr_star,
        lstar: cpu.msr_lstar,
        cstar: cpu.msr_cstar,
        fmask: cpu.msr_syscall_mask,
        tsc_aux: cpu.msr_tsc_aux,
        ..same_names!(copied)
    }
}

fn into_saved(registers: &Registers, cpu: &mut sys::hvm_hw_cpu) {
    macro_rules! copied {
        ($($name:ident),*) => { $(cpu.$name = registers.$name;)* };
    }
    macro_rules! segment {
        ($name:ident, $selector:ident, $base:ident, $limit:ident, $access:ident) => {
            cpu.$selector = u32::from(registers.$name.selector);
            cpu.$base = registers.$name.base;
            cpu.$limit = registers.$name.limit;
            cpu.$access = packed(registers.$name.access);
        };
    }
    same_names!(copied);
    cpu.dr0 = registers.dr0;
    cpu.dr1 = registers.dr1;
    cpu.dr2 = registers.dr2;
    cpu.dr3 = registers.dr3;
    segment!(cs, cs_sel, cs_base, cs_limit, cs_arbytes);
    segment!(ds, ds_sel, ds_base, ds_limit, ds_arbytes);
    segment!(es, es_sel, es_base, es_limit, es_arbytes);
    segment!(fs, fs_sel, fs_base, fs_limit, fs_arbytes);
    segment!(gs, gs_sel, gs_base, gs_limit, gs_arbytes);
    segment!(ss, ss_sel, ss_base, ss_limit, ss_arbytes);
    segment!(tr, tr_sel, tr_base, tr_limit, tr_arbytes);
    segment!(ldtr, ldtr_sel, ldtr_base, ldtr_limit, ldtr_arbytes);
    cpu.gdtr_base = registers.gdtr.base;
    cpu.gdtr_limit = u32::from(registers.gdtr.limit);
    cpu.idtr_base = registers.idtr.base;
    cpu.idtr_limit = u32::from(registers.idtr.limit);
    cpu.shadow_gs = registers.kernel_gs_base;
    cpu.msr_efer = registers.efer;
    cpu.msr_star = registers.star;
    cpu.msr_lstar = registers.lstar;
    cpu.msr_cstar = registers.cstar;
    cpu.msr_syscall_mask = registers.fmask;
    cpu.msr_tsc_aux = registers.tsc_aux;
}

/// Registers as an event carries them: no DR0-3, CR8, XCR0, IDTR, TR, LDTR, CSTAR,
/// FMASK and TSC_AUX, which are 0.
pub(super) fn from_event(event: &sys::vm_event_regs_x86) -> Registers {
    macro_rules! copied {
        ($($name:ident),*) => {
            Registers { $($name: event.$name,)* ..Registers::default() }
        };
    }
    macro_rules! segment {
        ($selector:ident, $base:expr, $hidden:ident) => {
            Segment {
                selector: event.$selector,
                base: $base,
                limit: bytes(&event.$hidden),
                access: unpacked(event.$hidden.ar()),
            }
        };
    }
    Registers {
        cs: segment!(cs_sel, u64::from(event.cs_base), cs),
        ds: segment!(ds_sel, u64::from(event.ds_base), ds),
        es: segment!(es_sel, u64::from(event.es_base), es),
        fs: segment!(fs_sel, event.fs_base, fs),
        gs: segment!(gs_sel, event.gs_base, gs),
        ss: segment!(ss_sel, u64::from(event.ss_base), ss),
        gdtr: DescriptorTable {
            base: event.gdtr_base,
            limit: event.gdtr_limit,
        },
        kernel_gs_base: event.shadow_gs,
        efer: event.msr_efer,
        star: event.msr_star,
        lstar: event.msr_lstar,
        ..same_names!(copied)
    }
}

/// Limit in bytes: kept in pages where the granularity bit is set.
fn bytes(hidden: &sys::vm_event_x86_selector_reg) -> u32 {
    const GRANULARITY: u32 = 1 << 11;
    match hidden.ar() & GRANULARITY {
        0 => hidden.limit(),
        _ => hidden.limit() << 12 | 0xfff,
    }
}

/// Puts what Xen takes from an answer: general-purpose registers, RIP and RFLAGS.
pub(super) fn into_answer(registers: &Registers, answer: &mut sys::vm_event_regs_x86) {
    macro_rules! copied {
        ($($name:ident),*) => { $(answer.$name = registers.$name;)* };
    }
    copied!(
        rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_walked_and_a_cut_one_ends_it() {
        let mut image = Vec::new();
        append(&mut image, 1, 0, &[1; 24]);
        append(&mut image, CPU, 1, &[2; 8]);
        append(&mut image, END, 0, &[]);
        let kinds: Vec<_> = Records(&image)
            .map(|record| (record.kind, record.instance))
            .collect();
        assert_eq!(kinds, [(1, 0), (CPU, 1), (END, 0)]);
        assert_eq!(Records(&image[..30]).count(), 0);
    }

    #[test]
    fn access_rights_are_repacked() {
        assert_eq!(unpacked(0xa9b), 0xa09b);
        assert_eq!(packed(0xa09b), 0xa9b);
    }

    #[test]
    fn saved_registers_come_back() {
        let mut cpu = sys::hvm_hw_cpu {
            rax: 1,
            cs_sel: 8,
            cs_arbytes: 0xa9b,
            dr3: 7,
            msr_lstar: 0xffff_f800_0000_0000,
            ..Default::default()
        };
        let registers = from_saved(&cpu);
        assert_eq!(
            (registers.rax, registers.cs.access, registers.dr3),
            (1, 0xa09b, 7)
        );
        let before = cpu;
        into_saved(&registers, &mut cpu);
        assert_eq!(
            (cpu.rax, cpu.cs_arbytes, cpu.msr_lstar),
            (before.rax, 0xa9b, before.msr_lstar)
        );
    }
}
