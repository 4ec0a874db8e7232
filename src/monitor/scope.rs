//! Whom a hook concerns; evaluated before any callback.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::guest::{Guest, Identity, ProcessIdentity, ThreadIdentity};
use crate::core::Va;

/// Most descendants that are remembered: the guest says who they are.
pub const MAX_MEMBERS: usize = 1 << 16;

/// Longest chain of parents that is followed.
const MAX_GENERATIONS: usize = 64;
/// Processes that are remembered as outside of a tree.
const MAX_STRANGERS: usize = 4096;

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

/// Who belongs to a process's descendants, as far as it was found out.
#[derive(Default)]
struct Family {
    members: HashSet<ProcessIdentity>,
    strangers: HashSet<ProcessIdentity>,
    /// Objects of children that were created and have not been seen since.
    newborn: HashSet<Va>,
}

/// A scope with what was found out about processes.
pub struct ScopeFilter {
    scope: Scope,
    family: Mutex<Family>,
}

impl ScopeFilter {
    /// A filter for `scope`.
    pub fn new(scope: Scope) -> Self {
        let mut family = Family::default();
        if let Scope::ProcessTree(head) = &scope {
            family.members.insert(*head);
        }
        Self {
            scope,
            family: Mutex::new(family),
        }
    }

    /// Does the scope take in everybody, so that nobody need be identified?
    pub const fn is_all(&self) -> bool {
        matches!(self.scope, Scope::All)
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
            Scope::ProcessTree(_) => self.family().admits(guest, identity.process),
        }
    }

    fn family(&self) -> MutexGuard<'_, Family> {
        self.family.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May the scope take in threads of the process whose object is at `process`?
    ///
    /// A process that was just created need not have an id yet.
    pub fn takes_in(&self, guest: &dyn Guest, process: Va) -> bool {
        match &self.scope {
            Scope::All | Scope::Thread(_) => true,
            Scope::Process(only) => only.object == process,
            Scope::ImageName(name) => guest
                .image_name(process)
                .is_ok_and(|image| same_image(&image, name)),
            Scope::ProcessTree(_) => {
                let mut family = self.family();
                family.newborn.contains(&process)
                    || guest
                        .process(process)
                        .is_ok_and(|identity| family.admits(guest, identity))
            }
        }
    }

    /// Learns of a new process at `child`, whose parent may be gone when it is
    /// first seen.
    pub fn process_created(&self, parent: Option<&ProcessIdentity>, child: Va) {
        if let Scope::ProcessTree(_) = self.scope {
            let mut family = self.family();
            let related = parent.is_some_and(|parent| family.members.contains(parent));
            match related && family.newborn.len() < MAX_MEMBERS {
                true => family.newborn.insert(child),
                false => family.newborn.remove(&child),
            };
        }
    }
}

impl Family {
    fn admits(&mut self, guest: &dyn Guest, process: ProcessIdentity) -> bool {
        if self.members.contains(&process) {
            return true;
        }
        if self.newborn.contains(&process.object) {
            if self.remember([process]) {
                self.newborn.remove(&process.object);
            }
            return true;
        }
        if self.strangers.contains(&process) {
            return false;
        }
        let (line, related) = self.ancestry(guest, process);
        if related {
            self.remember(line);
            return true;
        }
        if self.strangers.len() >= MAX_STRANGERS {
            self.strangers.clear();
        }
        self.strangers.insert(process);
        false
    }

    /// False beyond the limit: those are looked up again each time.
    fn remember(&mut self, processes: impl IntoIterator<Item = ProcessIdentity>) -> bool {
        let has_room = self.members.len() < MAX_MEMBERS;
        if has_room {
            self.members.extend(processes);
        }
        has_room
    }

    /// The living ancestors up to a member, and whether there is one.
    fn ancestry(
        &self,
        guest: &dyn Guest,
        process: ProcessIdentity,
    ) -> (Vec<ProcessIdentity>, bool) {
        let mut line = vec![process];
        let mut youngest = process;
        while line.len() < MAX_GENERATIONS {
            let Ok(Some(parent)) = guest.parent(&youngest) else {
                break;
            };
            if self.members.contains(&parent) {
                return (line, true);
            }
            line.push(parent);
            youngest = parent;
        }
        (line, false)
    }
}

/// Windows cuts the names that it keeps at 14 or 15 bytes.
pub fn same_image(kept: &str, asked: &str) -> bool {
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
