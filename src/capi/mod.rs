//! The C ABI: what `include/winvmi.h` declares.
//!
//! Conversion only: every function turns its arguments into Rust values, calls
//! the engine, and turns the answer back. The plumbing apart from the API is
//! [`ffi`] (pointers), [`guard`] (panics) and [`gate`] (closing). The header is
//! generated from the documentation here and is the users' manual; the names
//! are C names.

#![allow(non_camel_case_types)]

mod action;
mod alpc_port;
mod architecture;
mod bulk;
mod call_hook;
mod callback;
mod caller;
mod config;
mod context;
mod current_event;
mod device_object;
mod directory_iter;
mod dispatcher;
mod driver;
mod driver_event;
mod driver_live;
mod driver_object;
mod environment;
mod error;
mod event;
mod event_details;
mod event_loop;
mod event_memory;
mod exception_record;
mod ffi;
mod file;
mod gate;
mod guard;
mod handle;
mod handle_iter;
mod hook;
mod hook_info;
mod inject;
mod job;
mod job_iter;
mod kernel_types;
mod key;
mod log;
mod mapping;
mod memory;
mod module;
mod module_text;
mod monitor;
mod namespace;
mod object;
mod object_attributes;
mod object_info;
mod object_kind;
mod object_text;
mod object_type;
mod pause;
mod pe;
mod pe_export_iter;
mod pe_extract;
mod pe_import_iter;
mod pe_section_iter;
mod peb;
mod process;
mod process_details;
mod process_iter;
mod process_memory;
mod process_text;
mod quick;
mod region;
mod region_iter;
mod registers;
mod section;
mod session;
mod shared;
mod space;
mod status;
mod symbolic_link;
mod symbols;
mod teb;
mod terminal_session;
mod text;
mod texts;
mod thread;
mod thread_details;
mod thread_iter;
mod token;
mod token_sid_iter;
mod translate;
mod trap_frame;
mod unloaded_module_iter;
mod user_module;
mod user_module_iter;
mod valid;
mod version;
mod view;
mod walk;
