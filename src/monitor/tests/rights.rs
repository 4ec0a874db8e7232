//! Access rights that several hooks share.

use std::sync::Arc;

use super::mock::{FULL, Mock};
use crate::{
    core::{
        Gfn,
        driver::{MemoryAccess, Views},
    },
    monitor::{Claim, Machine, PageRights, ViewPage},
};

struct Lab {
    mock: Arc<Mock>,
    machine: Machine,
    rights: PageRights,
    page: ViewPage,
}

impl Lab {
    fn new() -> Self {
        let mock = Arc::new(Mock::new());
        let view = mock.create(FULL).unwrap();
        let gfn = Gfn(9);
        Self {
            machine: mock.machine(),
            rights: PageRights::new(),
            page: ViewPage { view, gfn },
            mock,
        }
    }

    fn claim(&mut self, claim: Claim) -> crate::Result<()> {
        self.rights.claim(&self.machine, self.page, claim)
    }

    fn release(&mut self, claim: Claim) -> crate::Result<()> {
        self.rights.release(&self.machine, self.page, claim)
    }

    fn access(&self) -> MemoryAccess {
        self.mock.shown(self.page.view, self.page.gfn).access
    }
}

#[test]
fn claims_add_up_and_the_former_rights_return() {
    let mut lab = Lab::new();
    let before = MemoryAccess::READ | MemoryAccess::EXECUTE;
    lab.mock
        .set_access(lab.page.view, lab.page.gfn, before)
        .unwrap();
    lab.claim(Claim::Table).unwrap();
    assert_eq!(
        lab.access(),
        MemoryAccess::READ | MemoryAccess::IGNORE_PAGE_WALK
    );
    lab.claim(Claim::Code).unwrap();
    assert_eq!(lab.access(), MemoryAccess::empty());
    lab.claim(Claim::Table).unwrap();
    lab.release(Claim::Table).unwrap();
    lab.release(Claim::Table).unwrap();
    assert_eq!(lab.access(), MemoryAccess::EXECUTE);
    lab.release(Claim::Code).unwrap();
    assert_eq!(lab.access(), before);
    assert!(!lab.rights.is_known(lab.page));
}

#[test]
fn a_page_that_cannot_be_read_cannot_be_written() {
    let mut lab = Lab::new();
    lab.claim(Claim::Report(MemoryAccess::READ)).unwrap();
    assert_eq!(lab.access(), MemoryAccess::EXECUTE);
    lab.claim(Claim::Report(MemoryAccess::EXECUTE)).unwrap();
    assert_eq!(lab.access(), MemoryAccess::empty());
    lab.release(Claim::Report(MemoryAccess::READ)).unwrap();
    assert_eq!(lab.access(), MemoryAccess::READ | MemoryAccess::WRITE);
}

#[test]
fn a_failed_claim_leaves_nothing_behind() {
    for calls in 0..2 {
        let mut lab = Lab::new();
        lab.mock.fail_after(calls);
        lab.claim(Claim::Code).unwrap_err();
        assert!(!lab.rights.is_known(lab.page));
        assert_eq!(lab.access(), FULL);
        lab.claim(Claim::Code).unwrap();
        assert_eq!(lab.access(), MemoryAccess::EXECUTE);
    }
}

#[test]
fn a_failed_release_is_made_good_later() {
    let mut lab = Lab::new();
    lab.claim(Claim::Code).unwrap();
    lab.mock.fail_after(0);
    lab.release(Claim::Code).unwrap_err();
    assert_eq!(lab.access(), MemoryAccess::EXECUTE);
    lab.rights.settle(&lab.machine).unwrap();
    assert_eq!(lab.access(), FULL);
    assert!(!lab.rights.is_known(lab.page));
}

#[test]
fn a_vanished_view_needs_no_restoring() {
    let mut lab = Lab::new();
    lab.claim(Claim::Code).unwrap();
    lab.mock.destroy(lab.page.view).unwrap();
    lab.release(Claim::Code).unwrap();
    assert!(!lab.rights.is_known(lab.page));
}
