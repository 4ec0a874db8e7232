//! From the entry point, or from INIT and STARTUP, to long mode.

use iced_x86::code_asm::*;
use iced_x86::{Code, Instruction, MemoryOperand};

use super::{Assembled, Emit};

/// Physical address where other processors start: below 1 MiB, at a page.
pub(in crate::running) const TRAMPOLINE: u64 = 0x8000;
/// Offsets in the trampoline's page of the GDT and of its limit and address.
const TRAMPOLINE_GDT: u64 = 0x100;
const TRAMPOLINE_GDTR: u64 = 0x140;
/// Offset in the boot page of the 64-bit code.
const LONG_MODE_CODE: u64 = 0x800;

/// Selectors of the GDT below.
const FLAT_CODE: u16 = 0x08;
const LONG_CODE: u16 = 0x10;
const FLAT_DATA: i32 = 0x18;
/// Flat segments: 32-bit code, 64-bit code, data; the last two where Windows has them.
const GDT: [u64; 4] = [
    0,
    0x00cf_9b00_0000_ffff,
    0x00af_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
];
/// Control bits: PAE and global pages; protection, numeric errors, write protection, paging;
/// and of EFER long mode and no-execute.
const CR4: i32 = 0x20 | 0x80;
const CR0: i32 = 1 | 0x20 | 0x1_0000 | i32::MIN;
const EFER: u32 = 0xc000_0080;
const EFER_BITS: i32 = 0x900;

/// What the boot code does: all addresses are physical unless said otherwise.
#[derive(Clone, Debug)]
pub(in crate::running) struct Boot {
    /// Where the boot page lies.
    pub page: u64,
    /// Root that maps the first GiB at its physical addresses, and the kernel.
    pub root: u64,
    /// Pages to be copied below 1 MiB: from, to. A firmware would have overwritten them.
    pub low_pages: Vec<(u64, u64)>,
    /// Virtual address where the kernel goes on.
    pub start: u64,
}

impl Boot {
    /// The boot page: entered at its first byte with the state of the PVH protocol.
    pub fn assemble(&self) -> Emit<Vec<u8>> {
        let (code, _) = self.assemble_32()?;
        let mut page = code;
        page.resize(LONG_MODE_CODE as usize, 0);
        page.extend(self.assemble_64()?);
        Ok(page)
    }

    /// The 32-bit code, and where other processors enter it.
    fn assemble_32(&self) -> Emit<(Vec<u8>, u64)> {
        let mut a = CodeAssembler::new(32)?;
        let mut others = a.create_label();
        a.cli()?;
        a.cld()?;
        for (from, to) in &self.low_pages {
            a.mov(esi, *from as u32)?;
            a.mov(edi, *to as u32)?;
            a.mov(ecx, 1024)?;
            a.rep().movsd()?;
        }
        a.set_label(&mut others)?;
        a.lgdt(ptr((TRAMPOLINE + TRAMPOLINE_GDTR) as u32))?;
        a.mov(eax, FLAT_DATA)?;
        for segment in [ds, es, ss] {
            a.mov(segment, ax)?;
        }
        a.mov(eax, cr4)?;
        a.or(eax, CR4)?;
        a.mov(cr4, eax)?;
        a.mov(eax, self.root as u32)?;
        a.mov(cr3, eax)?;
        a.mov(ecx, EFER)?;
        a.rdmsr()?;
        a.or(eax, EFER_BITS)?;
        a.wrmsr()?;
        a.mov(eax, cr0)?;
        a.or(eax, CR0)?;
        a.mov(cr0, eax)?;
        far_jump(&mut a, LONG_CODE, self.page + LONG_MODE_CODE)?;
        let code = Assembled::new(&mut a, self.page)?;
        let others = code.address(&others)?;
        Ok((code.bytes, others))
    }

    fn assemble_64(&self) -> Emit<Vec<u8>> {
        let mut a = CodeAssembler::new(64)?;
        a.mov(rax, self.start)?;
        a.jmp(rax)?;
        Ok(Assembled::new(&mut a, self.page + LONG_MODE_CODE)?.bytes)
    }

    /// The trampoline's page: real-mode code and the GDT.
    pub fn trampoline(&self) -> Emit<Vec<u8>> {
        let (_, others) = self.assemble_32()?;
        let mut a = CodeAssembler::new(16)?;
        a.cli()?;
        a.xor(ax, ax)?;
        a.mov(ds, ax)?;
        let gdtr = MemoryOperand::with_displ(TRAMPOLINE + TRAMPOLINE_GDTR, 2);
        a.add_instruction(Instruction::with1(Code::Lgdt_m1632, gdtr)?)?;
        a.mov(eax, cr0)?;
        a.or(eax, 1)?;
        a.mov(cr0, eax)?;
        far_jump(&mut a, FLAT_CODE, others)?;
        let mut page = Assembled::new(&mut a, TRAMPOLINE)?.bytes;
        page.resize(TRAMPOLINE_GDT as usize, 0);
        page.extend(GDT.iter().flat_map(|descriptor| descriptor.to_le_bytes()));
        page.resize(TRAMPOLINE_GDTR as usize, 0);
        page.extend((GDT.len() as u16 * 8 - 1).to_le_bytes());
        page.extend(((TRAMPOLINE + TRAMPOLINE_GDT) as u32).to_le_bytes());
        Ok(page)
    }
}

fn far_jump(a: &mut CodeAssembler, selector: u16, target: u64) -> Emit {
    let jump = Instruction::with_far_branch(Code::Jmp_ptr1632, selector, target as u32)?;
    a.add_instruction(jump)
}
