//! Structures of user mode, which exist in two widths.
//!
//! Their places are part of the contract between Windows and its own libraries:
//! the kernel's symbols name those of 64-bit code and some of 32-bit code, and
//! where they name one they decide. Where they do not, the documented place
//! counts, the same from Windows 7 to 11 (a test holds both against each other).
//!
//! What is found here was written by the guest's user mode: no pointer is
//! followed into the kernel's half.

mod layout;
mod record;

pub(super) use self::{
    layout::{EntryLayout, ParametersLayout, PebLayout, TebLayout, UserLayouts},
    record::UserRecord,
};
