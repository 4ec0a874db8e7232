//! The expected answers about the kernel itself.

use crate::clock;
use crate::guest::Guest;
use crate::layout::KERNEL_PDB;

/// Records what the options and the layout say about the kernel.
pub(crate) fn record(guest: &mut Guest) {
    let layout = guest.layout();
    let facts = layout.facts();
    let has_shadow = guest
        .profile
        .has_field("_KPROCESS", "UserDirectoryTableBase");
    let kva_shadow = guest.options.kva_shadow && has_shadow;
    let entry = if kva_shadow {
        "KiSystemCall64Shadow"
    } else {
        "KiSystemCall64"
    };
    let kernel = &mut guest.expected.kernel;
    kernel.layout = layout.name().to_owned();
    kernel.base = facts.kernel_base;
    kernel.pdb = KERNEL_PDB.to_owned();
    kernel.guid = facts.guid.to_owned();
    kernel.age = facts.age;
    (kernel.major_version, kernel.minor_version, kernel.build) = facts.version;
    kernel.build_lab = facts.build_lab.to_owned();
    kernel.build_lab_ex = long_build_lab(facts.build_lab);
    kernel.system_root = facts.system_root;
    kernel.lstar = facts.kernel_base + guest.profile.symbol(entry);
    kernel.kva_shadow = kva_shadow;
    kernel.debugger_data = facts.kernel_base + guest.profile.symbol("KdDebuggerDataBlock");
    kernel.highest_user_address = highest_user_address(facts.version.0, facts.version.1);
    kernel.self_map_index = facts.self_map_index;
    kernel.system_time = clock::NOW;
    kernel.processors = guest.options.processors;
}

/// `NtBuildLabEx` has the processor family before the date:
/// `19041.1.amd64fre.vb_release.191206-1406`.
fn long_build_lab(short: &str) -> String {
    match short.split_once('.') {
        Some((build, rest)) => format!("{build}.1.amd64fre.{rest}"),
        None => short.to_owned(),
    }
}

/// User space grew from 8 TiB to 128 TiB in Windows 8.1.
fn highest_user_address(major: u32, minor: u32) -> u64 {
    match (major, minor) < (6, 3) {
        true => 0x7ff_fffe_ffff,
        false => 0x7fff_fffe_ffff,
    }
}
