//! `_SID_AND_ATTRIBUTES`: who a token stands for.

use bitflags::bitflags;
use isr::macros::Field;

use super::Token;
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Record, Sid},
};

/// More SIDs than Windows lets a token have; the count of a damaged one.
const GROUPS_MAX: u32 = 4096;

bitflags! {
    /// What a SID counts for in a token (`SE_GROUP_*`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct GroupAttributes: u32 {
        /// It cannot be disabled.
        const MANDATORY = 0x01;
        /// It is enabled at first.
        const ENABLED_BY_DEFAULT = 0x02;
        /// It counts in access checks.
        const ENABLED = 0x04;
        /// It may be the owner of objects.
        const OWNER = 0x08;
        /// It counts only where access is denied.
        const USE_FOR_DENY_ONLY = 0x10;
        /// It is an integrity level.
        const INTEGRITY = 0x20;
        /// The integrity level counts in access checks.
        const INTEGRITY_ENABLED = 0x40;
        /// It belongs to a resource domain.
        const RESOURCE = 0x2000_0000;
        /// It stands for the logon session.
        const LOGON_ID = 0xc000_0000;
    }
}

/// A user or a group, as a token has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Who it is.
    pub sid: Sid,
    /// What it counts for.
    pub attributes: GroupAttributes,
}

/// SIDs of a token; an `Err` is a gap.
pub struct Groups<'a> {
    token: Token<'a>,
    array: Va,
    next: u32,
    count: u32,
    gap: Option<Error>,
}

/// What an entry of the array holds.
struct Entry {
    sid: Va,
    attributes: u32,
}

impl<'a> Groups<'a> {
    /// The SIDs that `pointer` and `count` of the token tell of, from `first` on.
    fn new(token: Token<'a>, pointer: Field, count: Field, first: u32) -> Self {
        let mut groups = Self {
            next: first,
            ..Self::none(token)
        };
        match groups.bounds(pointer, count) {
            Ok((array, count)) => (groups.array, groups.count) = (array, count),
            Err(error) => groups.gap = Some(error),
        }
        groups
    }

    fn none(token: Token<'a>) -> Self {
        Self {
            token,
            array: Va(0),
            next: 0,
            count: 0,
            gap: None,
        }
    }

    fn bounds(&self, pointer: Field, count: Field) -> Result<(Va, u32)> {
        let record = &self.token.record;
        let count = record.uint32(count)?;
        if count > GROUPS_MAX {
            let reason = format!("{count} SIDs are more than a token can have");
            return Err(Error::corrupt("_TOKEN", self.token.object(), reason));
        }
        Ok((record.pointer(pointer)?, count))
    }

    fn entry(&self, index: u32) -> Result<Entry> {
        let layout = &self.token.windows.layouts.token.fields._SID_AND_ATTRIBUTES;
        let size = layout.len() as u64;
        let address = self.array.wrapping_add(size.wrapping_mul(index.into()));
        let mut bytes = [0; 16];
        let record = self.token.record.at(address).with_copy(&mut bytes);
        Ok(Entry {
            sid: record.pointer(layout.Sid)?,
            attributes: record.uint32(layout.Attributes)?,
        })
    }
}

fn group(record: &Record<'_>, entry: &Entry) -> Result<Group> {
    Ok(Group {
        sid: Sid::read(record, entry.sid)?,
        attributes: GroupAttributes::from_bits_retain(entry.attributes),
    })
}

impl Iterator for Groups<'_> {
    type Item = Result<Group>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(gap) = self.gap.take() {
            return Some(Err(gap));
        }
        if self.next >= self.count {
            return None;
        }
        let entry = self.entry(self.next);
        self.next = self.next.wrapping_add(1);
        match entry {
            Ok(entry) => Some(group(&self.token.record, &entry)),
            // Where one entry is unreadable, so are those behind it.
            Err(error) => {
                self.count = 0;
                Some(Err(error))
            }
        }
    }
}

impl<'a> Token<'a> {
    fn users_and_groups(&self, first: u32) -> Groups<'a> {
        let layout = self.layout();
        Groups::new(*self, layout.UserAndGroups, layout.UserAndGroupCount, first)
    }

    /// The entry of `_TOKEN.UserAndGroups` with this index.
    fn user_or_group(&self, index: u32) -> Result<Group> {
        let found = self.users_and_groups(index).next();
        found.unwrap_or_else(|| {
            let reason = format!("it has no SID {index}");
            Err(Error::corrupt("_TOKEN", self.object(), reason))
        })
    }

    /// The user. Corresponds to the first of `_TOKEN.UserAndGroups`.
    pub fn user(&self) -> Result<Group> {
        self.user_or_group(0)
    }

    /// The groups, without the user. Corresponds to `_TOKEN.UserAndGroups`.
    pub fn groups(&self) -> Groups<'a> {
        self.users_and_groups(1)
    }

    /// SIDs that access must be granted to, too; none in most tokens.
    /// Corresponds to `_TOKEN.RestrictedSids`.
    pub fn restricted_sids(&self) -> Groups<'a> {
        let layout = self.layout();
        Groups::new(*self, layout.RestrictedSids, layout.RestrictedSidCount, 0)
    }

    /// Capabilities of an app container; none in other tokens.
    /// Corresponds to `_TOKEN.Capabilities` (Windows 8 and later).
    pub fn capabilities(&self) -> Groups<'a> {
        let layout = self.layout();
        match (layout.Capabilities, layout.CapabilityCount) {
            (Some(pointer), Some(count)) => Groups::new(*self, pointer, count, 0),
            _ => Groups::none(*self),
        }
    }

    /// Index of the owner of new objects among user and groups.
    /// Corresponds to `_TOKEN.DefaultOwnerIndex`.
    pub fn default_owner_index(&self) -> Result<u32> {
        self.record.uint32(self.layout().DefaultOwnerIndex)
    }

    /// The owner of new objects: the user or a group.
    pub fn default_owner(&self) -> Result<Sid> {
        self.user_or_group(self.default_owner_index()?)
            .map(|group| group.sid)
    }

    /// The label among the groups, or the one that is kept apart.
    pub(super) fn integrity_sid(&self) -> Result<Option<Sid>> {
        const NONE: u32 = u32::MAX;
        match self.record.uint32(self.layout().IntegrityLevelIndex)? {
            NONE => self.optional_sid(self.layout().IntegrityLevelSidValue),
            index => self.user_or_group(index).map(|group| Some(group.sid)),
        }
    }
}
