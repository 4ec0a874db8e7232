//! User mode of forged guests of all layouts: regions, PEBs, TEBs, modules.

mod blocks;
mod damage;
mod extract;
mod modules;
mod regions;
#[path = "../support/mod.rs"]
mod support;
mod symbols;

use winvmi::os::windows::{Architecture, Windows};
use winvmi_forge::{Expected, Layout, Width};

/// Runs a check on the standard guest of every layout.
fn on_all_layouts(check: impl Fn(&Windows, &Expected)) {
    for layout in Layout::ALL {
        let guest = support::guest(layout);
        let expected = guest.expected().clone();
        check(&support::windows(guest), &expected);
    }
}

const fn architecture(width: Width) -> Architecture {
    match width {
        Width::X86 => Architecture::X86,
        Width::Amd64 => Architecture::Amd64,
    }
}
