//! The DLL that the first process loads and unloads while the guest runs: before, it is in no
//! tree and not mapped. Its loader does not know it: Windows maps an image before it lists it.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging;
use crate::running::code::Emit;
use crate::running::code::plugin::{self, FUNCTION, PAGES, REGION, SLOT};
use crate::running::plan::{PLUGIN_SIZE, PLUGINS, Plan};
use crate::user::image::{DllSpec, SystemDll};
use crate::user::wide::Width;

const NAME: &str = "plugin.dll";
const EXPORT: (&str, u32) = ("PluginFunction", 0x1000);

/// Where its function is at each place.
pub(super) fn functions() -> [u64; PLUGINS.len()] {
    PLUGINS.map(|base| base + u64::from(EXPORT.1))
}

/// Makes the DLL and its records, and hides it again.
pub(super) fn build(guest: &mut Guest, plan: &Plan, process: u64) -> Emit {
    let dll = SystemDll {
        name: NAME,
        width: Width::Amd64,
        base: PLUGINS[0],
        exports: &[EXPORT],
        forwarder: None,
    };
    let file = dll.file();
    for (index, (base, function)) in PLUGINS.into_iter().zip(functions()).enumerate() {
        let spec = DllSpec {
            name: NAME,
            path: "C:\\Work\\plugin.dll",
            base,
            file: &file,
            width: Width::Amd64,
            lists: [false; 3],
            missing: &[],
        };
        guest.load_dll(process, &spec);
        guest.expected.user_modules.pop();
        guest.write_user(process, function, &plugin::function(function)?);
        let record = plan.plugins + index as u64 * PLUGIN_SIZE;
        hide(guest, process, record, (base, function));
    }
    Ok(())
}

fn hide(guest: &mut Guest, process: u64, record: u64, (base, function): (u64, u64)) {
    let regions = guest.expected.regions.last();
    let region = regions.map_or(0, |region| region.vad);
    let slot = guest.hide_lowest_region(process, region);
    for (offset, value) in [(REGION, region), (SLOT, slot), (FUNCTION, function)] {
        guest.write_u64(record + offset, value);
    }
    let root = guest.processes[&process].root;
    for ((place, value), number) in PAGES.into_iter().zip(0..) {
        let page = base + number * PAGE_SIZE;
        let leaf = paging::leaf(&guest.memory, root, page);
        let leaf = leaf.unwrap_or_else(|| panic!("{page:#x} is not mapped"));
        guest.write_u64(record + place, leaf.address);
        guest.write_u64(record + value, leaf.value);
        guest.memory.write_u64(leaf.address, 0);
    }
}
