//! The page that the kernel shares with every process (`_KUSER_SHARED_DATA`).

use crate::clock;
use crate::guest::{Guest, utf16};
use crate::paging::{PageSize, PteFlags};

/// Where the kernel sees the page.
pub(crate) const KERNEL_ADDRESS: u64 = 0xffff_f780_0000_0000;
/// Where user mode sees the page.
pub(crate) const USER_ADDRESS: u64 = 0x7ffe_0000;

/// Builds and maps the page.
pub(crate) fn build(guest: &mut Guest) {
    guest.map_kernel(KERNEL_ADDRESS, 1);
    let kernel = &guest.expected.kernel;
    let (low, high) = clock::system_time(kernel.system_time);
    let mut data = guest.record("_KUSER_SHARED_DATA");
    data.set("SystemTime.LowPart", low)
        .set("SystemTime.High1Time", high)
        .set("SystemTime.High2Time", high)
        .set("NtMajorVersion", kernel.major_version.into())
        .set("NtMinorVersion", kernel.minor_version.into())
        .set_if("NtBuildNumber", kernel.build.into())
        .set("NtProductType", 1)
        .set("ImageNumberLow", 0x8664)
        .set("ImageNumberHigh", 0x8664)
        .set("ActiveProcessorCount", kernel.processors.into())
        .put("NtSystemRoot", &utf16("C:\\Windows"));
    guest.write_record(KERNEL_ADDRESS, &data);
}

/// Maps the page read-only in the user half of a root.
pub(crate) fn map_for_user(guest: &mut Guest, root: u64) {
    let pa = guest.translate(KERNEL_ADDRESS).unwrap_or_default();
    let flags = PteFlags::USER_READ | PteFlags::NO_EXECUTE;
    let (memory, frames) = (&mut guest.memory, &mut guest.frames);
    crate::paging::map(
        memory,
        frames,
        root,
        (USER_ADDRESS, pa),
        PageSize::Small,
        flags,
    );
}
