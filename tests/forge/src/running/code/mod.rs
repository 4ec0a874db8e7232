//! The code of a running guest, assembled for its layout.
//!
//! The kernel's side has three homes: functions at the addresses that the layout's symbols give,
//! their bodies and everything without a symbol in pages of pool ([`kernel`]), and what must be
//! mapped in user-mode roots too ([`gates`]). User mode has its own ([`user`], [`wow64`]).

pub(super) mod boot;
mod faults;
pub(super) mod gates;
pub(super) mod integrity;
pub(super) mod kernel;
mod lifecycle;
pub(super) mod loader;
mod pager;
pub(super) mod plugin;
mod privileged;
mod scheduler;
mod services;
mod start;
pub(super) mod symbols;
pub(super) mod user;
pub(super) mod wow64;

use iced_x86::code_asm::{
    AsmMemoryOperand, AsmRegister64, CodeAssembler, CodeLabel, qword_ptr, rax,
};
use iced_x86::{BlockEncoderOptions, Code, IcedError, Instruction};

use crate::running::plan::Plan;
use crate::running::words::{ActorWord, ProcessorWord, Word};

/// The result of assembling something.
pub(super) type Emit<T = ()> = Result<T, IcedError>;

/// Assembled code and where its labels are.
pub(super) struct Assembled {
    pub bytes: Vec<u8>,
    result: iced_x86::code_asm::CodeAssemblerResult,
}

impl Assembled {
    /// Encodes what was assembled for an address.
    pub fn new(a: &mut CodeAssembler, address: u64) -> Emit<Self> {
        let options = BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS;
        let result = a.assemble_options(address, options)?;
        let bytes = result.inner.code_buffer.clone();
        Ok(Self { bytes, result })
    }

    /// Address of a label.
    pub fn address(&self, label: &CodeLabel) -> Emit<u64> {
        self.result.label_ip(label)
    }
}

/// A word of the guest; `base` holds the address of the words.
fn word(base: AsmRegister64, word: Word) -> AsmMemoryOperand {
    qword_ptr(base + word.offset() as i32)
}

/// A word of an actor; `base` holds the actor's address.
fn actor_word(base: AsmRegister64, word: ActorWord) -> AsmMemoryOperand {
    qword_ptr(base + word.offset() as i32)
}

/// A word of a processor; `base` holds the address of the processor's words.
fn processor_word(base: AsmRegister64, word: ProcessorWord) -> AsmMemoryOperand {
    qword_ptr(base + word.offset() as i32)
}

/// A member of the processor's `_KPCR`.
fn region(offset: u64) -> AsmMemoryOperand {
    qword_ptr(offset).gs()
}

/// A member of what a register points to.
fn at(base: AsmRegister64, offset: u64) -> AsmMemoryOperand {
    qword_ptr(base + offset as i32)
}

/// Loads the actor whose thread runs. Uses no other register.
fn load_actor(a: &mut CodeAssembler, plan: &Plan, register: AsmRegister64) -> Emit {
    a.mov(register, region(plan.fields.current_thread))?;
    a.mov(register, at(register, plan.fields.thread_owner))
}

/// Loads the words of the processor. Uses no other register.
fn load_processor(a: &mut CodeAssembler, plan: &Plan, register: AsmRegister64) -> Emit {
    a.mov(register, region(plan.fields.idle_thread))?;
    a.mov(register, at(register, plan.fields.thread_owner))
}

/// Adds one to a word of the guest, for all processors. Uses RAX.
fn count(a: &mut CodeAssembler, plan: &Plan, counted: Word) -> Emit {
    a.mov(rax, plan.words)?;
    a.lock().inc(word(rax, counted))
}

/// A far return to the segment and address on the stack (64-bit operands).
fn far_return(a: &mut CodeAssembler) -> Emit {
    a.add_instruction(Instruction::with(Code::Retfq))
}
