//! Where a hook acts, and why it does not.

use super::{LiveGuest, State};
use crate::{
    error::{Error, Result},
    monitor::{
        dispatch::Role,
        registration::{Registration, key_of},
        search::Lack,
        slots::HookId,
    },
};

/// Why a hook acts nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// The pages that it is in are not in memory.
    Page,
    /// What its symbol lacks in every process of the scope.
    Symbol(Lack),
    /// Its view was destroyed.
    View,
}

/// Where a hook acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookState {
    /// Places (of memory hooks: pages) in which it acts.
    pub active: usize,
    /// Places whose page is not in memory.
    pub waiting: usize,
    /// Processes in which its symbol was found.
    pub processes: usize,
    /// Processes in which its symbol was not looked for: they were too many.
    pub refused: u64,
    /// Why it acts nowhere.
    pub pending: Option<Pending>,
}

impl LiveGuest {
    /// Where a hook acts, and why it does not.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none of this id any more.
    pub fn hook_state(&self, id: HookId) -> Result<HookState> {
        let state = self.state();
        let hook = state.registration(id);
        let hook = hook.filter(|hook| !hook.is_removed());
        hook.map(|hook| state.describe(&hook))
            .ok_or_else(|| Error::not_found("the hook"))
    }
}

impl State {
    fn describe(&self, hook: &Registration) -> HookState {
        let key = key_of(hook.id);
        let code = self.breakpoints.count(key, Role::Entry.tag());
        let memory = self.memory.count(key);
        let mut processor = self.processor.values();
        let told =
            processor.any(|hooks| hooks.contains(&hook.id)) || self.own.is_listening(hook.id);
        let search = self.searches.state(hook.id);
        let active = code.0.saturating_add(memory.0);
        let active = active.saturating_add(told.into());
        let waiting = code.1.saturating_add(memory.1);
        HookState {
            active,
            waiting: waiting.saturating_add(search.waiting),
            processes: search.found,
            refused: search.refused,
            pending: match (active, waiting) {
                (1.., _) => None,
                (0, 1..) => Some(Pending::Page),
                (0, 0) if hook.search().is_some() => {
                    Some(Pending::Symbol(search.lack.unwrap_or(Lack::Module)))
                }
                (0, 0) => Some(Pending::View),
            },
        }
    }
}
