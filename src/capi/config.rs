//! `wvmi_config`: how a session is opened.

use std::{
    ffi::{CString, c_char, c_void},
    path::PathBuf,
    sync::Arc,
};

use super::{
    callback::{UserData, wvmi_release_callback},
    ffi::{Call, into_handle},
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::{Pagefiles, Progress},
    driver::FileMode,
    error::{Error, Result},
    session::{Config, PagefilePath, ProfileCache},
};

/// How a session is opened; made by `wvmi_config_new()`.
///
/// One configuration can open any number of sessions, which copy what they
/// need: it may be changed and freed at any time. It belongs to one thread at
/// a time.
pub struct wvmi_config(Config);

impl wvmi_config {
    pub(super) const fn get(&self) -> &Config {
        &self.0
    }
}

/// How image files are accessed; one of the `WVMI_FILE_MODE_*` numbers.
pub type wvmi_file_mode = u32;

/// Files on local disks are mapped, files on network and FUSE file systems read.
pub const WVMI_FILE_MODE_AUTO: wvmi_file_mode = 0;
/// Files are mapped: the fastest, and needed for `wvmi_map_range()`. When the
/// file is truncated, or its disk or server lost, while it is mapped, an access
/// raises SIGBUS, which ends the host unless it handles that.
pub const WVMI_FILE_MODE_MAP: wvmi_file_mode = 1;
/// Files are read with `pread()`: slower, but every loss is an error of a call.
pub const WVMI_FILE_MODE_READ: wvmi_file_mode = 2;

/// Watches a long call.
///
/// `session` is the session's name, `stage` what is being done (`"find the
/// kernel"`), both UTF-8 and valid until the callback returns; `done` of
/// `total` units of the stage are done, `total` is 0 when it is not known.
/// `user_data` is what `wvmi_config_set_progress()` was given.
///
/// Returns true to go on, false to end the call with `WVMI_ERROR_CANCELLED`.
///
/// Called a few times per second at most, in the thread that made the long
/// call, possibly in several threads at once. It may call any function but
/// `wvmi_session_close()` of the same session. It must return: no `longjmp`,
/// no C++ exception.
pub type wvmi_progress_callback = Option<
    unsafe extern "C" fn(
        session: *const c_char,
        stage: *const c_char,
        done: u64,
        total: u64,
        user_data: *mut c_void,
    ) -> bool,
>;

struct CallbackProgress {
    callback: unsafe extern "C" fn(*const c_char, *const c_char, u64, u64, *mut c_void) -> bool,
    session: CString,
    user_data: Arc<UserData>,
}

impl Progress for CallbackProgress {
    fn report(&self, stage: &'static str, done: u64, total: u64) -> bool {
        let stage = CString::new(stage).unwrap_or_default();
        // SAFETY: the host registered a function of this type for this user
        // data, and both texts live until it returns.
        unsafe {
            (self.callback)(
                self.session.as_ptr(),
                stage.as_ptr(),
                done,
                total,
                self.user_data.pointer(),
            )
        }
    }
}

/// Makes a configuration with all defaults.
///
/// `config` receives the handle; free it with `wvmi_config_free()`.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_new(config: *mut *mut wvmi_config) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_new") };
    call.run(|| {
        let output = call.output(config, "config")?;
        output.write(into_handle(wvmi_config(Config::default())));
        Ok(WVMI_OK)
    })
}

/// Frees a configuration. Sessions that it opened are not touched.
///
/// `config` may be NULL. The last error of the thread is left as it is.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_free(config: *mut wvmi_config) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_free") };
    call.free(config);
}

/// Names the sessions that this configuration opens, in log records and
/// progress reports. The default is `"winvmi"`.
///
/// `name` is UTF-8 and copied.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
/// `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_name(
    config: *mut wvmi_config,
    name: *const c_char,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_name") };
    call.run(|| {
        let config = call.exclusive(config, "config")?;
        config.0.name = call.text(name, "name")?.to_owned();
        Ok(WVMI_OK)
    })
}

/// Adds a place where symbols are looked for, after those added before.
///
/// `path` is a directory or a file, UTF-8, and is copied: a PDB (`.pdb`), a
/// Volatility table (`.json`, `.json.xz`), an ISR archive (`.isr`), a directory
/// of these, or a local symbol store. It need not exist yet.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
/// `WVMI_ERROR_INVALID_ARGUMENT` when the path is not UTF-8.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_add_symbol_path(
    config: *mut wvmi_config,
    path: *const c_char,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_add_symbol_path") };
    call.run(|| {
        let config = call.exclusive(config, "config")?;
        let path = call.text(path, "path")?;
        config.0.symbol_paths.push(PathBuf::from(path));
        Ok(WVMI_OK)
    })
}

/// Adds a copy of one of the guest's page files: pages that the guest took out
/// of memory are then read from it.
///
/// `number` is the page file's number, 0 to 15: 0 is `pagefile.sys` of the first
/// page file of the guest, the others follow in the order in which Windows
/// opened them. `path` is UTF-8 and copied; the file is opened with the session,
/// which fails when it cannot be. A later file takes the place of an earlier one
/// with the same number.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
/// `WVMI_ERROR_INVALID_ARGUMENT` for another number or a path that is not UTF-8.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_add_pagefile(
    config: *mut wvmi_config,
    number: u32,
    path: *const c_char,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_add_pagefile") };
    call.run(|| {
        let config = call.exclusive(config, "config")?;
        let path = PathBuf::from(call.text(path, "path")?);
        let number = u8::try_from(number)
            .ok()
            .filter(|&number| usize::from(number) < Pagefiles::COUNT)
            .ok_or_else(|| Error::invalid_argument("number", "page files have numbers 0 to 15"))?;
        config.0.pagefiles.push(PagefilePath { number, path });
        Ok(WVMI_OK)
    })
}

/// Chooses whether the local stores in the environment variable
/// `_NT_SYMBOL_PATH` are searched after the added paths. The default is true.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_symbol_environment(
    config: *mut wvmi_config,
    enabled: bool,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_symbol_environment") };
    call.run(|| {
        call.exclusive(config, "config")?.0.symbol_environment = enabled;
        Ok(WVMI_OK)
    })
}

/// Chooses where parsed symbols are kept between runs of programs.
///
/// `directory` is UTF-8 and copied; NULL is the default,
/// `$XDG_CACHE_HOME/winvmi` or `~/.cache/winvmi`; `""` keeps nothing. A
/// directory that cannot be made or written is no error: nothing is kept then.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT` for a NULL `config`, or
/// `WVMI_ERROR_INVALID_ARGUMENT` when the path is not UTF-8.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_cache_directory(
    config: *mut wvmi_config,
    directory: *const c_char,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_cache_directory") };
    call.run(|| {
        let config = call.exclusive(config, "config")?;
        config.0.profile_cache = match call.optional_text(directory, "directory")? {
            None => ProfileCache::Default,
            Some("") => ProfileCache::Off,
            Some(path) => ProfileCache::Directory(PathBuf::from(path)),
        };
        Ok(WVMI_OK)
    })
}

/// Forbids or allows the use of the network for symbols.
///
/// The default is true: nothing is downloaded. Only builds with
/// `wvmi_has_feature("symbol-server")` can download at all.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_offline(
    config: *mut wvmi_config,
    offline: bool,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_offline") };
    call.run(|| {
        call.exclusive(config, "config")?.0.offline = offline;
        Ok(WVMI_OK)
    })
}

/// Sets the size of a session's translation cache.
///
/// `slots` is the number of 4 KiB pages whose translation is remembered, 64 to
/// 1,048,576, rounded up to a power of two, at 33 bytes each; 0 is the default
/// of 65,536.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
/// `WVMI_ERROR_INVALID_ARGUMENT` for a number out of range.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_translation_cache(
    config: *mut wvmi_config,
    slots: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_translation_cache") };
    call.run(|| {
        let config = call.exclusive(config, "config")?;
        config.0.translation_slots = match slots {
            0 => Config::default().translation_slots,
            64..=0x10_0000 => slots,
            _ => return Err(Error::invalid_argument("slots", "not 64 to 1048576").into()),
        };
        Ok(WVMI_OK)
    })
}

/// Chooses how image files are accessed.
///
/// `mode` is `WVMI_FILE_MODE_AUTO` (the default), `WVMI_FILE_MODE_MAP` or
/// `WVMI_FILE_MODE_READ`; see there for what mapping risks.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
/// `WVMI_ERROR_INVALID_ARGUMENT` for an unknown mode.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_file_mode(
    config: *mut wvmi_config,
    mode: wvmi_file_mode,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_file_mode") };
    call.run(|| {
        let config = call.exclusive(config, "config")?;
        config.0.file_mode = file_mode(mode)?;
        Ok(WVMI_OK)
    })
}

fn file_mode(mode: wvmi_file_mode) -> Result<FileMode> {
    match mode {
        WVMI_FILE_MODE_AUTO => Ok(FileMode::Auto),
        WVMI_FILE_MODE_MAP => Ok(FileMode::Map),
        WVMI_FILE_MODE_READ => Ok(FileMode::Read),
        _ => Err(Error::invalid_argument("mode", "no WVMI_FILE_MODE_ number")),
    }
}

/// Sets the callback that watches long calls: opening, and loading symbols.
///
/// It replaces the one set before; sessions that are open keep theirs. Reports
/// carry the name that the configuration has at the time of this call.
///
/// `callback` may be NULL for none. `user_data` is passed to it and may be
/// NULL. `release` may be NULL; it is called once, when the configuration and
/// all sessions that it opened need the callback no more.
///
/// Returns `WVMI_OK`, or `WVMI_ERROR_NULL_ARGUMENT` for a NULL `config`; then
/// `release` has been called.
///
/// The thread that owns `config`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_config_set_progress(
    config: *mut wvmi_config,
    callback: wvmi_progress_callback,
    user_data: *mut c_void,
    release: wvmi_release_callback,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_config_set_progress") };
    call.run(|| {
        let user_data = Arc::new(UserData::new(user_data, release));
        let config = call.exclusive(config, "config")?;
        let session = CString::new(config.0.name.as_str()).unwrap_or_default();
        config.0.progress = callback.map(|callback| {
            Arc::new(CallbackProgress {
                callback,
                session,
                user_data,
            }) as Arc<dyn Progress + Send>
        });
        Ok(WVMI_OK)
    })
}
