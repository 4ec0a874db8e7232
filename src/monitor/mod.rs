//! The active part: breakpoints that the guest cannot see, and the loop that serves them.

pub mod breakpoint;
mod calls;
mod dispatch;
mod ground;
mod guest;
mod hurried;
mod limit;
mod live;
mod machine;
mod memory_hooks;
mod occurrence;
mod own_views;
pub mod page_tables;
mod patches;
mod plain;
mod registration;
mod resident;
mod rights;
mod scope;
mod search;
mod shadow;
mod slots;
mod turns;
pub mod windows;

#[cfg(test)]
mod tests;

pub use self::{
    calls::{CallEnd, CallHandler, CallTracker, EndedCall, Frame},
    ground::Ground,
    guest::{Guest, Identity, ProcessIdentity, ThreadIdentity},
    limit::RateLimit,
    live::{Ended, HookState, Landmarks, LiveGuest, NewHook, Pending, Place, Target},
    machine::{Machine, Pause},
    memory_hooks::MemoryRange,
    occurrence::{Action, Missing, Occurrence, Outcome, Stopped},
    patches::{Location, Medium, Patches, StepOver, ViewPage},
    plain::PlainPatches,
    registration::{Callback, Handler, HookOptions},
    rights::{Claim, PageRights},
    scope::Scope,
    search::{Lack, Realm, Search, SearchState, Sighting},
    shadow::ShadowPages,
    slots::HookId,
};
