//! Whom a hook concerns; evaluated before any callback.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use super::guest::{Guest, Identity, ProcessIdentity, ThreadIdentity};

/// Longest chain of parents that is followed.
const MAX_GENERATIONS: usize = 64;

/// Whom a hook concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody.
    All,
    /// Threads of this process.
    Process(ProcessIdentity),
    /// Threads of this process and of all its descendants.
    ProcessTree(ProcessIdentity),
    /// Threads of processes with this image file name, ASCII case ignored.
    ImageName(String),
    /// This thread.
    Thread(ThreadIdentity),
}

/// A scope with what was found out about processes.
pub struct ScopeFilter {
    scope: Scope,
    /// Processes that are known to descend from the scope's process.
    family: Mutex<HashSet<ProcessIdentity>>,
}

impl ScopeFilter {
    /// A filter for `scope`.
    pub fn new(scope: Scope) -> Self {
        let family = match &scope {
            Scope::ProcessTree(head) => HashSet::from([*head]),
            _ => HashSet::new(),
        };
        Self {
            scope,
            family: Mutex::new(family),
        }
    }

    /// Does the scope take in everybody, so that nobody need be identified?
    pub const fn is_all(&self) -> bool {
        matches!(self.scope, Scope::All)
    }

    /// The scope.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Is the thread inside the scope?
    pub fn admits(&self, guest: &dyn Guest, identity: &Identity) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Process(process) => identity.process == *process,
            Scope::Thread(thread) => identity.thread == *thread,
            Scope::ImageName(name) => guest
                .image_name(identity.process.object)
                .is_ok_and(|image| same_image(&image, name)),
            Scope::ProcessTree(_) => self.descends(guest, identity.process),
        }
    }

    /// Learns of a new process, whose parent may be gone when it first hits.
    pub fn process_created(&self, parent: &ProcessIdentity, child: &ProcessIdentity) {
        let mut family = self.family.lock().unwrap_or_else(PoisonError::into_inner);
        if family.contains(parent) {
            family.insert(*child);
        }
    }

    fn descends(&self, guest: &dyn Guest, process: ProcessIdentity) -> bool {
        let mut family = self.family.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = vec![process];
        while let Some(youngest) = line.last() {
            if family.contains(youngest) {
                family.extend(line);
                return true;
            }
            match guest.parent(youngest) {
                Ok(Some(parent)) if line.len() < MAX_GENERATIONS => line.push(parent),
                _ => return false,
            }
        }
        false
    }
}

/// Windows cuts the names that it keeps at 14 or 15 bytes.
fn same_image(kept: &str, asked: &str) -> bool {
    const KEPT: usize = 14;
    let cut = kept.len() >= KEPT && asked.len() > kept.len();
    match asked.get(..kept.len()) {
        Some(start) if cut => kept.eq_ignore_ascii_case(start),
        _ => kept.eq_ignore_ascii_case(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::same_image;

    #[test]
    fn names_that_windows_cut_are_recognised() {
        assert!(same_image("NotePad.exe", "notepad.EXE"));
        assert!(same_image("SearchProtocol", "SearchProtocolHost.exe"));
        assert!(!same_image("Search", "SearchProtocolHost.exe"));
        assert!(!same_image("SearchProtocolX", "SearchProtocolHost.exe"));
    }
}
