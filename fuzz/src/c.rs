//! The C API as C sees it, by the shape of its functions.
//!
//! Handles are opaque; structures are places of a size, which is what the API
//! makes of them, too.

use std::ffi::{c_char, c_void};

// The symbols below are its.
use winvmi as _;

/// Any handle: session, configuration, iterator, mapping.
pub type Handle = *mut c_void;

/// Any output or structure.
pub type Place = *mut c_void;

/// `wvmi_process`, `wvmi_thread`, `wvmi_object`, `wvmi_file`, `wvmi_module`,
/// `wvmi_token`, `wvmi_terminal_session`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Object(pub u64);

/// `wvmi_space`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Space {
    pub kind: u32,
    pub value: u64,
}

/// `wvmi_scatter_request`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Scatter {
    pub space: Space,
    pub address: u64,
    pub buffer: *mut u8,
    pub size: usize,
    pub done: usize,
    pub status: i32,
    pub fault: u32,
}

macro_rules! family {
    ($(#[$doc:meta])* $name:ident $arguments:tt = $($function:ident)+) => {
        unsafe extern "C" {
            $(fn $function $arguments -> i32;)+
        }
        $(#[$doc])*
        pub const $name: &[unsafe extern "C" fn $arguments -> i32] = &[$($function),+];
    };
}

family!(
    /// Makers of iterators over the whole guest.
    ITER_NEW(session: Handle, iter: *mut Handle) =
        wvmi_module_iter_new wvmi_object_type_iter_new wvmi_terminal_session_iter_new
);
family!(
    /// Makers of iterators over a part of an object.
    OBJECT_ITER_NEW(session: Handle, object: Object, iter: *mut Handle) =
        wvmi_thread_iter_new wvmi_handle_iter_new wvmi_directory_iter_new wvmi_device_iter_new
        wvmi_process_iter_new_in_job wvmi_process_iter_new_in_terminal_session
);
family!(
    /// Makers of iterators over processes.
    PROCESS_ITER_NEW(session: Handle, sources: u32, iter: *mut Handle) = wvmi_process_iter_new
);
family!(
    /// Makers of iterators over ranges.
    RANGE_ITER_NEW(session: Handle, space: Space, start: u64, end: u64, iter: *mut Handle) =
        wvmi_range_iter_new
);
family!(
    /// Steps that give an object.
    NEXT_OBJECT(iter: Handle, object: *mut Object) =
        wvmi_process_iter_next wvmi_thread_iter_next wvmi_module_iter_next
        wvmi_terminal_session_iter_next
);
family!(
    /// Steps that fill a structure.
    NEXT_DETAILS(iter: Handle, details: Place, size: usize) =
        wvmi_handle_iter_next wvmi_range_iter_next wvmi_directory_iter_next wvmi_device_iter_next
        wvmi_object_type_iter_next
);
family!(
    /// Steps that fill arrays, in the order of [`IterKind`].
    NEXT_MANY(iter: Handle, details: Place, stride: usize, capacity: usize, count: *mut usize) =
        wvmi_process_iter_next_many wvmi_thread_iter_next_many wvmi_module_iter_next_many
        wvmi_handle_iter_next_many wvmi_range_iter_next_many wvmi_directory_iter_next_many
        wvmi_device_iter_next_many wvmi_object_type_iter_next_many
        wvmi_terminal_session_iter_next_many
);
family!(
    /// Texts of objects.
    TEXT(session: Handle, object: Object, buffer: *mut c_char, capacity: usize, length: *mut usize) =
        wvmi_process_name wvmi_module_name wvmi_module_path wvmi_object_type_name
        wvmi_object_name wvmi_object_path wvmi_file_name wvmi_file_path
);
family!(
    /// Texts that a number chooses.
    TEXT_OF(session: Handle, object: Object, kind: u32, buffer: *mut c_char, capacity: usize, length: *mut usize) =
        wvmi_object_text wvmi_process_text
);
family!(
    /// The same texts as UTF-16 units.
    UNITS_OF(session: Handle, object: Object, kind: u32, units: *mut u16, capacity: usize, count: *mut usize) =
        wvmi_object_text_utf16 wvmi_process_text_utf16
);
family!(
    /// Structures about objects.
    INFO(session: Handle, object: Object, details: Place, size: usize) =
        wvmi_process_info wvmi_thread_info wvmi_module_info wvmi_object_info wvmi_file_info
        wvmi_handle_table_info wvmi_section_info wvmi_key_info wvmi_event_object_info
        wvmi_mutant_info wvmi_semaphore_info wvmi_timer_info wvmi_alpc_port_info
        wvmi_symbolic_link_info wvmi_driver_object_info wvmi_device_object_info
        wvmi_object_type_info wvmi_job_info wvmi_token_info wvmi_device_map_info
        wvmi_terminal_session_info
);
family!(
    /// Structures about handles.
    HANDLE_INFO(session: Handle, process: Object, handle: u64, details: Place, size: usize) =
        wvmi_handle_info
);
family!(
    /// Objects behind handles.
    HANDLE_OBJECT(session: Handle, process: Object, handle: u64, thread: Object, object: *mut Object) =
        wvmi_handle_object
);
family!(
    /// Numbers of 32 bits.
    GET_U32(session: Handle, object: Object, value: *mut u32) =
        wvmi_process_id wvmi_process_parent_id wvmi_thread_id
);
family!(
    /// Numbers of 64 bits.
    GET_U64(session: Handle, object: Object, value: *mut u64) =
        wvmi_process_root wvmi_process_user_root
);
family!(
    /// Objects from objects.
    GET_OBJECT(session: Handle, object: Object, result: *mut Object) =
        wvmi_thread_process wvmi_object_as_process wvmi_object_as_thread wvmi_object_as_file
        wvmi_object_as_token wvmi_process_token wvmi_process_job wvmi_process_terminal_session
);
family!(
    /// Objects by 32-bit ids.
    BY_ID(session: Handle, id: u32, object: *mut Object) = wvmi_process_by_id wvmi_thread_by_id
);
family!(
    /// Objects of processors.
    BY_VCPU(session: Handle, vcpu: u16, object: *mut Object) =
        wvmi_process_current wvmi_thread_current
);
family!(
    /// The two processes that every guest has.
    FIXED(session: Handle, object: *mut Object) = wvmi_process_system wvmi_process_idle
);
family!(
    /// Objects by address.
    AT(session: Handle, address: u64, object: *mut Object) = wvmi_module_at
);
family!(
    /// Reads of bytes.
    READ(session: Handle, space: Space, address: u64, buffer: *mut u8, size: usize, done: *mut usize) =
        wvmi_read
);
family!(
    /// Reads of text.
    READ_TEXT(session: Handle, space: Space, address: u64, kind: u32, buffer: *mut c_char, capacity: usize, length: *mut usize) =
        wvmi_read_unicode_string
);
family!(
    /// Reads of text that ends with a NUL.
    READ_STRING(session: Handle, space: Space, address: u64, limit: usize, buffer: *mut c_char, capacity: usize, length: *mut usize) =
        wvmi_read_string
);
family!(
    /// Reads with holes.
    READ_SPARSE(session: Handle, space: Space, address: u64, buffer: *mut u8, size: usize, states: *mut u8, pages: usize, present: *mut usize) =
        wvmi_read_sparse
);
family!(
    /// Many reads at once.
    READ_SCATTER(session: Handle, requests: *mut Scatter, stride: usize, count: usize) =
        wvmi_read_scatter
);
family!(
    /// Translations.
    TRANSLATE(session: Handle, space: Space, address: u64, translation: Place, size: usize) =
        wvmi_translate
);
family!(
    /// Mappings.
    MAP(session: Handle, space: Space, address: u64, length: u64, mapping: *mut Handle) =
        wvmi_map_range
);
family!(
    /// Segments of mappings.
    SEGMENTS(mapping: *const c_void, segments: Place, stride: usize, capacity: usize, count: *mut usize) =
        wvmi_mapping_segments
);
family!(
    /// Facts about sessions.
    SESSION_INFO(session: Handle, details: Place, size: usize) = wvmi_session_info
);
family!(
    /// Names of sessions.
    SESSION_NAME(session: Handle, buffer: *mut c_char, capacity: usize, length: *mut usize) =
        wvmi_session_name
);
family!(
    /// What is done to sessions.
    SESSION(session: Handle) =
        wvmi_session_refresh wvmi_session_cancel wvmi_session_close
);
family!(
    /// Names of things, asked for their places.
    NAMED(session: Handle, name: *const c_char, value: *mut u64) =
        wvmi_symbol_address wvmi_struct_size wvmi_process_by_name wvmi_object_by_path
);
family!(
    /// Paths that lead through links.
    RESOLVE(session: Handle, path: *const c_char, process: Object, object: *mut Object, rest: *mut c_char, capacity: usize, length: *mut usize) =
        wvmi_object_resolve
);
family!(
    /// Members of structures.
    FIELD(session: Handle, structure: *const c_char, path: *const c_char, field: Place, size: usize) =
        wvmi_field_offset
);
family!(
    /// Symbols at addresses.
    SYMBOLS_AT(session: Handle, addresses: *const u64, count: usize, matches: Place, stride: usize) =
        wvmi_symbols_at
);
family!(
    /// Registers.
    REGISTERS(session: Handle, vcpu: u16, registers: Place, size: usize) = wvmi_registers_get
);
family!(
    /// Opening.
    OPEN(target: *const c_char, config: *const c_void, session: *mut Handle) = wvmi_session_open
);
family!(
    /// Making a configuration.
    CONFIG_NEW(config: *mut Handle) = wvmi_config_new
);
family!(
    /// Texts of a configuration.
    CONFIG_TEXT(config: Handle, text: *const c_char) =
        wvmi_config_set_name wvmi_config_add_symbol_path wvmi_config_set_cache_directory
);
family!(
    /// Numbers of a configuration.
    CONFIG_NUMBER(config: Handle, number: usize) = wvmi_config_set_translation_cache
);
family!(
    /// Choices of a configuration.
    CONFIG_MODE(config: Handle, mode: u32) = wvmi_config_set_file_mode
);
family!(
    /// The record of the last error.
    LAST_ERROR(error: Place, size: usize) = wvmi_last_error
);

unsafe extern "C" {
    pub fn wvmi_process_iter_free(iter: Handle);
    pub fn wvmi_thread_iter_free(iter: Handle);
    pub fn wvmi_module_iter_free(iter: Handle);
    pub fn wvmi_handle_iter_free(iter: Handle);
    pub fn wvmi_range_iter_free(iter: Handle);
    pub fn wvmi_directory_iter_free(iter: Handle);
    pub fn wvmi_device_iter_free(iter: Handle);
    pub fn wvmi_object_type_iter_free(iter: Handle);
    pub fn wvmi_terminal_session_iter_free(iter: Handle);
    pub fn wvmi_mapping_free(mapping: Handle);
    pub fn wvmi_config_free(config: Handle);
}

/// Kinds of iterators, in the order of [`NEXT_MANY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterKind {
    Process,
    Thread,
    Module,
    Handle,
    Range,
    Directory,
    Device,
    ObjectType,
    TerminalSession,
}

impl IterKind {
    /// The function that frees an iterator of this kind.
    pub fn free(self) -> unsafe extern "C" fn(Handle) {
        match self {
            Self::Process => wvmi_process_iter_free,
            Self::Thread => wvmi_thread_iter_free,
            Self::Module => wvmi_module_iter_free,
            Self::Handle => wvmi_handle_iter_free,
            Self::Range => wvmi_range_iter_free,
            Self::Directory => wvmi_directory_iter_free,
            Self::Device => wvmi_device_iter_free,
            Self::ObjectType => wvmi_object_type_iter_free,
            Self::TerminalSession => wvmi_terminal_session_iter_free,
        }
    }
}
