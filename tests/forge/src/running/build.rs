//! Puts a running guest together.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, PageSize, PteFlags};
use crate::running::actors::{self, Actor};
use crate::running::code::boot::{Boot, TRAMPOLINE};
use crate::running::code::gates;
use crate::running::code::integrity;
use crate::running::code::kernel::{self, Addresses, ImageSymbols};
use crate::running::code::{Emit, symbols};
use crate::running::moving::Moving;
use crate::running::plan::{DRIVER, DRIVER_FUNCTION, Plan, WATCHED, WINDOW_SIZE};
use crate::running::words::{SIGNATURE, Word};
use crate::running::{Running, RunningOptions, late, plugin, tables};

/// Processors that a running guest may have.
const PROCESSORS: u32 = 4;
/// Size of the driver's image.
const DRIVER_SIZE: u32 = 0x2000;
/// Memory that the boot code maps at its physical addresses.
const IDENTITY: u64 = 0x4000_0000;
/// Frames below are the firmware's until the guest's code runs.
const LOW_MEMORY: u64 = 0x10_0000;

/// Turns the standard guest into one that runs.
pub(super) fn build(mut guest: Guest, options: &RunningOptions) -> Emit<Running> {
    assert!(
        guest.options.processors <= PROCESSORS,
        "too many processors"
    );
    load_driver(&mut guest);
    let late = late::load(&mut guest);
    let plan = Plan::new(&mut guest);
    let mut actors = actors::add_users(&mut guest, &plan)?;
    plugin::build(&mut guest, &plan, actors[0].process)?;
    let spares = actors::add_spares(&mut guest, &plan);
    let image = image_symbols(&mut guest, &plan, &actors);
    let (code, addresses) = kernel::assemble(&plan, &image)?;
    guest.write(plan.code, &code);
    actors.extend(actors::add_kernel_actors(&mut guest, &plan, &addresses));
    let mut ranges = place_functions(&mut guest, &plan, &addresses)?;
    late::hide(&mut guest, &plan, (&late, &addresses))?;
    ranges.push((plan.code, code.len()));
    ranges.push(place_gates(&mut guest, &plan, &addresses)?);
    write_lists(&mut guest, &plan, &addresses);
    let watched = watch(&mut guest, &plan, &ranges);
    write_words(&mut guest, &plan, options);
    let boot = write_boot(&mut guest, &addresses)?;
    assert!(guest.memory.end() <= WINDOW_SIZE, "too much memory");
    Ok(Running {
        words: plan.words,
        driver_function: DRIVER + DRIVER_FUNCTION,
        entry: boot,
        parent: image.parent,
        guest,
        actors,
        spares,
        watched,
    })
}

/// Loads the driver alone under a top-level entry, which every root then has.
fn load_driver(guest: &mut Guest) {
    let path = "\\SystemRoot\\System32\\win32k.sys";
    guest.load_module("win32k.sys", path, DRIVER, DRIVER_SIZE);
    guest.map_kernel(DRIVER + PAGE_SIZE, PAGE_SIZE);
}

fn image_symbols(guest: &mut Guest, plan: &Plan, actors: &[Actor]) -> ImageSymbols {
    let moved_page = guest.symbol("NtWriteFile");
    let users = || actors.iter().filter_map(|actor| actor.user.as_ref());
    ImageSymbols {
        process_head: guest.symbol("PsActiveProcessHead"),
        module_head: guest.symbol("PsLoadedModuleList"),
        list_module: guest.symbol("MiProcessLoaderEntry"),
        image_mapped: guest.symbol("DbgkMapViewOfSection"),
        insert_process: guest.symbol("PspInsertProcess"),
        clean_address_space: guest.symbol("MmCleanProcessAddressSpace"),
        open_object: guest.symbol("ObOpenObjectByName"),
        exit_thread: guest.symbol("PspExitThread"),
        debug_break: guest.symbol("DbgBreakPoint"),
        copy_end: guest.symbol("KiSystemServiceCopyEnd"),
        system_call: guest.expected.kernel.lstar,
        moved_page,
        moving: Moving::new(guest, plan, moved_page),
        user_breaks: users().map(|user| user.breakpoint).collect(),
        parent: actors::parent(guest).0,
        transition: users().map(|user| user.transition).next().unwrap_or(0),
        started: format!(
            "winvmi guest {}, {} processors",
            guest.layout(),
            plan.processor_count
        ),
    }
}

/// Writes the functions that have symbols, and the driver's: where each is, and its length.
fn place_functions(
    guest: &mut Guest,
    plan: &Plan,
    addresses: &Addresses,
) -> Emit<Vec<(u64, usize)>> {
    let user = guest.symbol("KiSystemServiceUser");
    let exit = guest.symbol("KiSystemServiceExit");
    let entry = guest.symbol("KiSystemCall64");
    let shadow = guest.symbol("KiSystemCall64Shadow");
    let copy_end = guest.symbol("KiSystemServiceCopyEnd");
    let debug_break = guest.symbol("DbgBreakPoint");
    let mut placed = vec![
        (
            user,
            symbols::system_service_user(plan, user, addresses.dispatch)?,
        ),
        (exit, symbols::service_exit(plan, exit, addresses)?),
        (entry, symbols::system_call(plan, entry, user)?),
        (shadow, symbols::system_call_shadow(plan, shadow, user)?),
        (copy_end, symbols::copy_end(copy_end, exit)?),
        (debug_break, symbols::debug_break()),
        (guest.symbol("DbgkMapViewOfSection"), symbols::nothing()),
        (
            DRIVER + DRIVER_FUNCTION,
            symbols::function(DRIVER + DRIVER_FUNCTION, addresses.driver)?,
        ),
    ];
    for (name, body) in [
        ("NtCreateFile", addresses.create_file),
        ("NtWriteFile", addresses.write_file),
        ("ObOpenObjectByName", addresses.open_object),
        ("PspExitThread", addresses.exit_thread),
        ("PspInsertProcess", addresses.insert_process),
        ("MmCleanProcessAddressSpace", addresses.clean_address_space),
        ("MiProcessLoaderEntry", addresses.list_module),
    ] {
        let address = guest.symbol(name);
        placed.push((address, symbols::function(address, body)?));
    }
    for (address, bytes) in &placed {
        guest.write(*address, bytes);
    }
    guest.map_in_shadow(guest.expected.kernel.lstar + placed[3].1.len() as u64);
    Ok(placed
        .into_iter()
        .map(|(address, bytes)| (address, bytes.len()))
        .collect())
}

/// Writes the gates and the processors' tables: where the gates are, and their length. Page
/// faults and INT3 enter where the layout's symbols say.
fn place_gates(guest: &mut Guest, plan: &Plan, addresses: &Addresses) -> Emit<(u64, usize)> {
    let gates = gates::assemble(plan, addresses.handler)?;
    guest.write(plan.gates, &gates.bytes);
    guest.map_in_shadow(plan.gates);
    let suffix = if plan.kva_shadow { "Shadow" } else { "" };
    let mut entries = gates.entries;
    for (vector, name) in [(14, "KiPageFault"), (3, "KiBreakpointTrap")] {
        let address = guest.symbol(&format!("{name}{suffix}"));
        guest.write(address, &symbols::trap(address, vector, gates.common)?);
        guest.map_in_shadow(address);
        entries.push((vector, address));
    }
    tables::build(guest, plan, &entries);
    Ok((plan.gates, gates.bytes.len()))
}

/// Writes the table of services and the list of roots.
fn write_lists(guest: &mut Guest, plan: &Plan, addresses: &Addresses) {
    let services = [
        guest.symbol("NtCreateFile"),
        guest.symbol("NtWriteFile"),
        addresses.done,
        DRIVER + DRIVER_FUNCTION,
    ];
    let mut roots: Vec<u64> = guest
        .processes
        .values()
        .map(|process| process.root)
        .collect();
    // The System process's root is the master copy: the first to have what comes in, the last
    // to lose what goes out.
    roots.sort_unstable_by_key(|root| (*root != plan.system_root, *root));
    roots.dedup();
    let reversed: Vec<u64> = roots.iter().rev().copied().collect();
    for (list, values) in [
        (plan.services, &services[..]),
        (plan.roots, &roots),
        (plan.roots_reversed(), &reversed),
    ] {
        for (index, value) in values.iter().enumerate() {
            guest.write_u64(list + index as u64 * 8, *value);
        }
    }
}

/// Writes the table of watched pages: those of all code of the kernel's side.
fn watch(guest: &mut Guest, plan: &Plan, ranges: &[(u64, usize)]) -> Vec<u64> {
    let pages = actors::pages(ranges);
    assert!((pages.len() as u64) < WATCHED, "too many pages to watch");
    for (index, page) in pages.iter().enumerate() {
        let mut bytes = [0; PAGE_SIZE as usize];
        guest.read(*page, &mut bytes);
        let record = plan.watched + index as u64 * 16;
        guest.write_u64(record, *page);
        guest.write_u64(record + 8, integrity::sum(&bytes));
    }
    pages
}

fn write_words(guest: &mut Guest, plan: &Plan, options: &RunningOptions) {
    let kinds = options
        .actors
        .iter()
        .fold(0, |bits, kind| bits | kind.bit());
    for (word, value) in [
        (Word::Signature, SIGNATURE),
        (Word::Actors, kinds),
        (Word::Limit, options.limit),
        (Word::Pace, options.pace),
    ] {
        guest.write_u64(plan.words + word.offset(), value);
    }
}

/// Writes the boot code, its page tables, and copies of what lies in low memory: the address of
/// the first instruction (physical).
fn write_boot(guest: &mut Guest, addresses: &Addresses) -> Emit<u64> {
    let mut boot = Boot {
        page: guest.frames.frame(),
        root: boot_root(guest),
        low_pages: copy_low_memory(guest),
        start: addresses.start,
    };
    let trampoline = guest.frames.frame();
    boot.low_pages.push((trampoline, TRAMPOLINE));
    let page = boot.assemble()?;
    guest.memory.write(boot.page, &page);
    guest.memory.write(trampoline, &boot.trampoline()?);
    Ok(boot.page)
}

/// A root with the kernel half of all roots and the first GiB at its physical addresses.
fn boot_root(guest: &mut Guest) -> u64 {
    let root = guest.frames.frame();
    let mut table = [0; PAGE_SIZE as usize];
    guest.memory.read(guest.kernel_root(), &mut table);
    table[..PAGE_SIZE as usize / 2].fill(0);
    guest.memory.write(root, &table);
    for pa in (0..IDENTITY).step_by(PageSize::Large.bytes() as usize) {
        let (memory, frames) = (&mut guest.memory, &mut guest.frames);
        paging::map(
            memory,
            frames,
            root,
            (pa, pa),
            PageSize::Large,
            PteFlags::KERNEL,
        );
    }
    root
}

/// Copies the pages below 1 MiB to where no firmware writes: from, to.
fn copy_low_memory(guest: &mut Guest) -> Vec<(u64, u64)> {
    let low: Vec<u64> = guest
        .memory
        .frames_in(0..LOW_MEMORY / PAGE_SIZE)
        .map(|it| it.0)
        .collect();
    low.into_iter()
        .map(|number| {
            let mut page = [0; PAGE_SIZE as usize];
            guest.memory.read(number * PAGE_SIZE, &mut page);
            let copy = guest.frames.frame();
            guest.memory.write(copy, &page);
            (copy, number * PAGE_SIZE)
        })
        .collect()
}
