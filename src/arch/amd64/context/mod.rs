//! Registers as Windows stores them: `CONTEXT` and `KSPECIAL_REGISTERS`, of
//! 64-bit and of 32-bit code.
//!
//! Each structure is one table of places ([`Form`]), which both conversions
//! walk: to and from [`Registers`](crate::core::Registers).

mod floating_point;
mod form;
mod special;
mod x64;
mod x86;

pub use self::{
    floating_point::{FloatingSaveArea, M128A, SIZE_OF_80387_REGISTERS, XsaveFormat},
    form::{ContextParts, Form},
    special::{SPECIAL_AMD64, SPECIAL_X86},
    x64::CONTEXT_AMD64,
    x86::{CONTEXT_X86, MAXIMUM_SUPPORTED_EXTENSION},
};

#[cfg(test)]
mod tests;
