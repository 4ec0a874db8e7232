//! Scopes of a guest that makes up processes.

use super::scene::{FakeGuest, process};
use crate::{
    core::Va,
    monitor::{
        Scope,
        scope::{MAX_MEMBERS, ScopeFilter},
    },
};

fn child(number: usize) -> Va {
    Va(0xffff_c000_0000_0000 + number as u64 * 0x1000)
}

#[test]
fn a_tree_remembers_no_more_than_its_limit() {
    let guest = FakeGuest::default();
    let filter = ScopeFilter::new(Scope::ProcessTree(process(4)));
    for number in 0..MAX_MEMBERS {
        filter.process_created(Some(&process(4)), child(number));
    }
    assert!(filter.takes_in(&guest, child(0)));
    assert!(filter.takes_in(&guest, child(MAX_MEMBERS - 1)));
    filter.process_created(Some(&process(4)), child(MAX_MEMBERS));
    assert!(!filter.takes_in(&guest, child(MAX_MEMBERS)), "one too many");
    // Who is found by living parents belongs to the tree all the same.
    guest.parents.lock().unwrap().insert(9, 4);
    assert!(filter.takes_in(&guest, process(9).object));
    // A place that is used again by a stranger is free.
    filter.process_created(Some(&process(5)), child(0));
    assert!(!filter.takes_in(&guest, child(0)));
    filter.process_created(Some(&process(4)), child(MAX_MEMBERS));
    assert!(filter.takes_in(&guest, child(MAX_MEMBERS)));
}
