//! `wvmi_user_module_iter`: iterations over the modules of a process.

use super::{
    architecture::{wanted, wvmi_architecture},
    error::About,
    ffi::{Call, into_handle},
    gate::Inside,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    user_module::{
        WVMI_LOADER_LIST_INITIALIZATION, WVMI_LOADER_LIST_LOAD, WVMI_LOADER_LIST_MEMORY,
        describe_with_texts, wvmi_user_module, wvmi_user_module_details,
    },
    walk::{Texts, Walk},
};
use crate::{
    error::{Error, Result},
    os::windows::{Architecture, ListedModules, LoaderOrder, UserModule, UserModules},
};

/// An iteration over the modules of a process; made by
/// `wvmi_user_module_iter_new()` or `wvmi_user_module_iter_new_in_order()`.
pub struct wvmi_user_module_iter {
    walk: Walk<Items>,
    texts: Texts,
}

/// Where the modules come from.
enum Items {
    All(Box<UserModules<'static>>),
    Listed(Box<ListedModules<'static>>),
}

impl Iterator for Items {
    type Item = Result<UserModule<'static>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::All(modules) => modules.next(),
            Self::Listed(modules) => modules.next(),
        }
    }
}

/// Begins an iteration over the modules of a process: those that its loaders
/// list (the 32-bit loader first under WoW64), then mapped images that are on no
/// list.
///
/// `iter` receives the handle; free it with `wvmi_user_module_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_user_module_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_user_module_iter {
            walk: modules(&session, process)?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn modules(session: &Inside, process: wvmi_process) -> Result<Walk<Items>> {
    // SAFETY: the reference is kept by the iterator alone, and the modules that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            let modules = process.get(engine.windows()?).user_modules();
            Ok(Items::All(Box::new(modules)))
        })
    }
}

/// Begins an iteration over one list of a loader of a process, in the order of
/// the list and with nothing that is not on it.
///
/// `list` is `WVMI_LOADER_LIST_LOAD`, `WVMI_LOADER_LIST_MEMORY` or
/// `WVMI_LOADER_LIST_INITIALIZATION`; `architecture` says which loader's: one of
/// `WVMI_ARCHITECTURE_*`. A module's `lists` are this list alone. `iter` receives
/// the handle; free it with `wvmi_user_module_iter_free()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no such loader;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_new_in_order(
    session: *mut wvmi_session,
    process: wvmi_process,
    list: u32,
    architecture: wvmi_architecture,
    iter: *mut *mut wvmi_user_module_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_new_in_order") };
    call.run(|| {
        let session = call.session(session)?;
        let (order, architecture) = (order(list)?, wanted(architecture)?);
        let output = call.output(iter, "iter")?;
        let walk = listed(&session, process, order, architecture);
        output.write(into_handle(wvmi_user_module_iter {
            walk: walk.about("process", process.object)?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn order(list: u32) -> Result<LoaderOrder> {
    match list {
        WVMI_LOADER_LIST_LOAD => Ok(LoaderOrder::Load),
        WVMI_LOADER_LIST_MEMORY => Ok(LoaderOrder::Memory),
        WVMI_LOADER_LIST_INITIALIZATION => Ok(LoaderOrder::Initialization),
        _ => Err(Error::invalid_argument(
            "list",
            "no single WVMI_LOADER_LIST_ bit of an order",
        )),
    }
}

fn listed(
    session: &Inside,
    process: wvmi_process,
    order: LoaderOrder,
    architecture: Option<Architecture>,
) -> Result<Walk<Items>> {
    // SAFETY: the reference is kept by the iterator alone, and the modules that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            let process = process.get(engine.windows()?);
            let modules = process.listed_modules(order, architecture)?;
            Ok(Items::Listed(Box::new(modules)))
        })
    }
}

/// Gets the next module.
///
/// `module` receives it.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the lists or of the
/// regions is damaged or absent (the iteration goes on with what can be reached
/// otherwise); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_next(
    iter: *mut wvmi_user_module_iter,
    module: *mut wvmi_user_module,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(module, "module")?;
        iter.texts.clear();
        iter.walk.next(&call, |_, module| {
            output.write(wvmi_user_module::of(&module))
        })
    })
}

/// Gets the details of many modules at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return. Their texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one module; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_next_many(
    iter: *mut wvmi_user_module_iter,
    details: *mut wvmi_user_module_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        let wvmi_user_module_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, module| {
            describe_with_texts(module, texts)
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_iter_free(iter: *mut wvmi_user_module_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_iter_free") };
    call.free(iter);
}
