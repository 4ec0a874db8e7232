//! Sanity of a profile: what its readers rely on, checked once.
//!
//! `isr` adds offsets without overflow checks, follows members by recursion and
//! searches every nested member for a name. A profile passes only when none of
//! that can overflow, recurse deeply or take long.

use isr::schema::{ArchivedArray, ArchivedBitfield, ArchivedProfile, ArchivedStruct, ArchivedType};

use crate::error::{Error, Result};

/// Largest structure, member and member offset, in bytes. Some structures lay
/// out address space: `_MI_HYPER_SPACE` takes 264 MiB.
const MAX_SIZE: u64 = 1 << 40;

/// Largest scalar, in bytes.
const MAX_SCALAR: u64 = 16;

/// Largest number of types, and of enumerations.
const MAX_TYPES: usize = 1 << 18;

/// Largest number of symbols.
const MAX_SYMBOLS: usize = 1 << 22;

/// Structures nested by value: deepest chain.
const MAX_NESTING: usize = 32;

/// Members of one structure, those of nested structures included. The richest
/// kernel structure, `_MI_PARTITION`, has 3,530.
const MAX_MEMBERS: u64 = 1 << 16;

/// What is wrong with a type, to be read after its name.
type Reason = &'static str;

/// Checks a structurally valid archive.
///
/// # Errors
/// [`Error::Format`] naming the first offender.
pub(super) fn profile(profile: &ArchivedProfile) -> Result<()> {
    counts(profile)?;
    for (name, definition) in profile.enums.iter() {
        if !matches!(definition.subtype, ArchivedType::Base(_)) {
            return Err(refused(name, "is an enumeration of no integer type"));
        }
    }
    for (name, definition) in profile.structs.iter() {
        members(profile, definition).map_err(|reason| refused(name, reason))?;
    }
    for (name, rva) in profile.symbols.iter() {
        if rva.to_native() > u64::from(u32::MAX) {
            return Err(refused(name, "lies outside of any image"));
        }
    }
    Nesting::new(profile).check()
}

fn counts(profile: &ArchivedProfile) -> Result<()> {
    let excessive = profile.structs.len() > MAX_TYPES
        || profile.enums.len() > MAX_TYPES
        || profile.symbols.len() > MAX_SYMBOLS;
    if excessive {
        return Err(Error::format("profile", "more names than any module has"));
    }
    Ok(())
}

/// Checks the size of a structure and the place of each of its members.
fn members(profile: &ArchivedProfile, definition: &ArchivedStruct) -> Result<(), Reason> {
    if definition.size.to_native() > MAX_SIZE {
        return Err("is too large");
    }
    for field in definition.fields.values() {
        if field.offset.to_native() > MAX_SIZE {
            return Err("has a member too far away");
        }
        size_limit(profile, &field.ty)?;
    }
    Ok(())
}

/// A number of bytes that a type does not exceed: what `isr` computes as its
/// size stays in range, too.
///
/// The recursion is as deep as the archive's objects, which is bounded.
fn size_limit(profile: &ArchivedProfile, ty: &ArchivedType) -> Result<u64, Reason> {
    match ty {
        ArchivedType::Struct(_) => Ok(MAX_SIZE),
        ArchivedType::Array(array) => array_size_limit(profile, array),
        ArchivedType::Bitfield(bitfield) => bitfield_size_limit(profile, bitfield),
        ArchivedType::Pointer(pointer) if pointer.size.to_native() > MAX_SCALAR => {
            Err("has a pointer of impossible size")
        }
        _ => Ok(MAX_SCALAR),
    }
}

/// An array, with what its elements really take.
fn array_size_limit(profile: &ArchivedProfile, array: &ArchivedArray) -> Result<u64, Reason> {
    let element = match &*array.subtype {
        ArchivedType::Struct(target) => struct_size(profile, &target.name).unwrap_or(0),
        other => size_limit(profile, other)?,
    };
    let mut dims = array.dims.iter().map(|dim| dim.to_native());
    dims.try_fold(1u64, u64::checked_mul)
        .and_then(|count| count.checked_mul(element))
        .filter(|&size| size <= MAX_SIZE)
        .ok_or("has an array that is too large")
}

fn struct_size(profile: &ArchivedProfile, name: &str) -> Option<u64> {
    Some(profile.structs.get(name)?.size.to_native())
}

/// A bit-field lies inside an integer of at most 8 bytes.
fn bitfield_size_limit(
    profile: &ArchivedProfile,
    bitfield: &ArchivedBitfield,
) -> Result<u64, Reason> {
    let size = match &*bitfield.subtype {
        ArchivedType::Base(base) => base.size(),
        ArchivedType::Enum(target) => enum_size(profile, &target.name).unwrap_or(8),
        _ => return Err("has a bit-field of no integer type"),
    };
    let position = bitfield.bit_position.to_native();
    let end = position.checked_add(bitfield.bit_length.to_native());
    match end {
        Some(end) if position < end && end <= size.min(8).saturating_mul(8) => Ok(size),
        _ => Err("has a bit-field outside of its integer"),
    }
}

fn enum_size(profile: &ArchivedProfile, name: &str) -> Option<u64> {
    match &profile.enums.get(name)?.subtype {
        ArchivedType::Base(base) => Some(base.size()),
        _ => None,
    }
}

/// How far a structure reaches down through members that are structures.
#[derive(Clone, Copy, Default)]
struct Extent {
    /// Members, those of nested structures included.
    members: u64,
    /// Levels of structures, this one included.
    depth: usize,
}

#[derive(Clone, Copy)]
enum Progress {
    Unseen,
    /// Being measured: meeting it again means that it contains itself.
    Open,
    Measured(Extent),
}

/// Measures nesting by value, each structure once.
struct Nesting<'a> {
    profile: &'a ArchivedProfile,
    progress: Vec<Progress>,
}

impl<'a> Nesting<'a> {
    fn new(profile: &'a ArchivedProfile) -> Self {
        Self {
            profile,
            progress: vec![Progress::Unseen; profile.structs.len()],
        }
    }

    fn check(mut self) -> Result<()> {
        for name in self.profile.structs.keys() {
            self.measure(name, MAX_NESTING)
                .map_err(|reason| refused(name, reason))?;
        }
        Ok(())
    }

    /// Measures a structure that may be `budget` levels deep.
    fn measure(&mut self, name: &str, budget: usize) -> Result<Extent, Reason> {
        let Some((index, _, definition)) = self.profile.structs.get_full(name) else {
            return Ok(Extent::default());
        };
        match self.progress.get(index) {
            Some(Progress::Open) => return Err("contains itself"),
            Some(Progress::Measured(extent)) if extent.depth <= budget => return Ok(*extent),
            _ => {}
        }
        let budget = budget.checked_sub(1).ok_or("is nested too deeply")?;
        self.set(index, Progress::Open);
        let extent = self.measure_members(definition, budget)?;
        self.set(index, Progress::Measured(extent));
        Ok(extent)
    }

    fn measure_members(
        &mut self,
        definition: &ArchivedStruct,
        budget: usize,
    ) -> Result<Extent, Reason> {
        let mut extent = Extent {
            members: definition.fields.len() as u64,
            depth: 1,
        };
        for field in definition.fields.values() {
            if let ArchivedType::Struct(target) = &field.ty {
                let inner = self.measure(&target.name, budget)?;
                extent.members = extent.members.saturating_add(inner.members);
                extent.depth = extent.depth.max(inner.depth.saturating_add(1));
            }
        }
        match extent.members {
            0..=MAX_MEMBERS => Ok(extent),
            _ => Err("has too many members"),
        }
    }

    fn set(&mut self, index: usize, progress: Progress) {
        if let Some(slot) = self.progress.get_mut(index) {
            *slot = progress;
        }
    }
}

fn refused(name: &str, reason: &str) -> Error {
    Error::format("profile", format!("{name} {reason}"))
}
