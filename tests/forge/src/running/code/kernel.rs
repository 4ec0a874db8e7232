//! The code in kernel pool: everything behind the functions that have symbols.

use iced_x86::code_asm::{CodeAssembler, CodeLabel};

use super::{
    Assembled, Emit, faults, integrity, lifecycle, loader, pager, plugin, privileged, scheduler,
    services, start,
};
use crate::running::moving::Moving;
use crate::running::plan::Plan;

/// Addresses in the kernel image that the code uses.
#[derive(Clone, Debug)]
pub(in crate::running) struct ImageSymbols {
    pub process_head: u64,
    pub module_head: u64,
    pub list_module: u64,
    pub image_mapped: u64,
    pub insert_process: u64,
    pub clean_address_space: u64,
    pub open_object: u64,
    pub exit_thread: u64,
    pub debug_break: u64,
    pub copy_end: u64,
    pub system_call: u64,
    /// A function in the page of the image that the pager moves.
    pub moved_page: u64,
    pub moving: Moving,
    /// Other INT3 that are the guest's own.
    pub user_breaks: Vec<u64>,
    /// First parent of the processes that come and go.
    pub parent: u64,
    /// Bits of a transition entry without its frame.
    pub transition: u64,
    /// Text for the console.
    pub started: String,
}

/// Labels of the routines.
pub(super) struct Routines {
    pub start: CodeLabel,
    pub idle: CodeLabel,
    pub sleep: CodeLabel,
    pub run_actor: CodeLabel,
    pub done: CodeLabel,
    pub print: CodeLabel,
    pub handler: CodeLabel,
    pub page_in: CodeLabel,
    pub answer_flush: CodeLabel,
    pub flush_all: CodeLabel,
    pub lock: CodeLabel,
    pub dispatch: CodeLabel,
    pub create_file: CodeLabel,
    pub write_file: CodeLabel,
    pub open_object: CodeLabel,
    pub exit_thread: CodeLabel,
    pub driver: CodeLabel,
    pub insert_process: CodeLabel,
    pub clean_address_space: CodeLabel,
    pub pager: CodeLabel,
    pub integrity: CodeLabel,
    pub lifecycle: CodeLabel,
    pub loader: CodeLabel,
    pub list_module: CodeLabel,
    pub late: CodeLabel,
    pub plugin: CodeLabel,
    pub privileged: CodeLabel,
}

/// Addresses that functions with symbols and the tables need.
#[derive(Clone, Debug)]
pub(in crate::running) struct Addresses {
    pub start: u64,
    pub leave: u64,
    pub handler: u64,
    pub dispatch: u64,
    pub done: u64,
    pub create_file: u64,
    pub write_file: u64,
    pub open_object: u64,
    pub exit_thread: u64,
    pub driver: u64,
    pub insert_process: u64,
    pub clean_address_space: u64,
    pub pager: u64,
    pub integrity: u64,
    pub lifecycle: u64,
    pub loader: u64,
    pub list_module: u64,
    pub late: u64,
    pub privileged: u64,
}

/// What a routine is assembled with.
pub(super) struct Context<'a> {
    pub plan: &'a Plan,
    pub image: &'a ImageSymbols,
}

/// Assembles all routines: their bytes, for [`Plan::code`], and their addresses.
pub(in crate::running) fn assemble(
    plan: &Plan,
    image: &ImageSymbols,
) -> Emit<(Vec<u8>, Addresses)> {
    let mut a = CodeAssembler::new(64)?;
    let mut r = routines(&mut a);
    let context = Context { plan, image };
    start::emit(&mut a, &context, &mut r)?;
    scheduler::emit(&mut a, &context, &mut r)?;
    services::emit(&mut a, &context, &mut r)?;
    faults::emit(&mut a, &context, &mut r)?;
    pager::emit(&mut a, &context, &mut r)?;
    integrity::emit(&mut a, &context, &mut r)?;
    lifecycle::emit(&mut a, &context, &mut r)?;
    loader::emit(&mut a, &context, &mut r)?;
    plugin::emit(&mut a, &context, &mut r)?;
    privileged::emit(&mut a, &context, &mut r)?;
    let code = Assembled::new(&mut a, plan.code)?;
    let addresses = addresses(plan, &code, &r)?;
    Ok((code.bytes, addresses))
}

fn routines(a: &mut CodeAssembler) -> Routines {
    let mut label = || a.create_label();
    Routines {
        start: label(),
        idle: label(),
        sleep: label(),
        run_actor: label(),
        done: label(),
        print: label(),
        handler: label(),
        page_in: label(),
        answer_flush: label(),
        flush_all: label(),
        lock: label(),
        dispatch: label(),
        create_file: label(),
        write_file: label(),
        open_object: label(),
        exit_thread: label(),
        driver: label(),
        insert_process: label(),
        clean_address_space: label(),
        pager: label(),
        integrity: label(),
        lifecycle: label(),
        loader: label(),
        list_module: label(),
        late: label(),
        plugin: label(),
        privileged: label(),
    }
}

fn addresses(plan: &Plan, code: &Assembled, r: &Routines) -> Emit<Addresses> {
    Ok(Addresses {
        start: code.address(&r.start)?,
        leave: plan.gates,
        handler: code.address(&r.handler)?,
        dispatch: code.address(&r.dispatch)?,
        done: code.address(&r.done)?,
        create_file: code.address(&r.create_file)?,
        write_file: code.address(&r.write_file)?,
        open_object: code.address(&r.open_object)?,
        exit_thread: code.address(&r.exit_thread)?,
        driver: code.address(&r.driver)?,
        insert_process: code.address(&r.insert_process)?,
        clean_address_space: code.address(&r.clean_address_space)?,
        pager: code.address(&r.pager)?,
        integrity: code.address(&r.integrity)?,
        lifecycle: code.address(&r.lifecycle)?,
        loader: code.address(&r.loader)?,
        list_module: code.address(&r.list_module)?,
        late: code.address(&r.late)?,
        privileged: code.address(&r.privileged)?,
    })
}
