/*
 * winvmi: virtual machine introspection of Windows guests.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * This file is generated from src/capi; do not edit it.
 *
 * THE RULES
 *
 * Names. Everything is called wvmi_ or WVMI_. Enumerations are integer types
 * with WVMI_ constants; a newer library may return numbers that this header
 * does not name.
 *
 * Errors. Functions return a wvmi_status: WVMI_OK, a positive outcome
 * (WVMI_END, WVMI_GAP, ...) or a negative error. wvmi_last_error() gives the
 * thread's last error with its message and, for a memory fault, the address
 * and the reason. A required pointer that is NULL is WVMI_ERROR_NULL_ARGUMENT;
 * text that is not UTF-8 is WVMI_ERROR_INVALID_ARGUMENT. Any function that
 * returns a status may also return WVMI_ERROR_INTERNAL when the library itself
 * failed, and any that takes a session or a part of one WVMI_ERROR_CLOSED or
 * WVMI_ERROR_INVALID_ARGUMENT when that is closed or never was one.
 *
 * Outputs. Output arguments come last and are written only on success, but for
 * counts, needed lengths and partial reads, which are written whenever they are
 * known.
 *
 * Ownership. Handles (pointers to incomplete types) are freed by their _free or
 * _close function, in any order; NULL is ignored there. Guest objects
 * (wvmi_process, wvmi_thread, ...) are values: there is nothing to free. The
 * library never returns memory that the caller has to free. Text goes into the
 * caller's buffer: (char *buffer, size_t capacity, size_t *length) receives
 * UTF-8, NUL-terminated even when it is cut, and its whole length without the
 * terminator; text that is cut is WVMI_ERROR_BUFFER_TOO_SMALL. A NULL buffer of
 * capacity 0 asks for the length only; length may be NULL. No text is longer
 * than WVMI_STRING_MAX bytes.
 *
 * Growth. Structures that may grow are passed with their sizeof, arrays of them
 * with their stride; programs compiled with an older or newer header work.
 * Zero every input structure first ({0} in C, {} in C++): zero is the default.
 *
 * Threads. A session may be used by any number of threads at once; reads run in
 * parallel. Every other handle belongs to one thread at a time, but may be
 * handed over. After fork() only the parent may use sessions. A callback may
 * call any function unless the function says otherwise.
 *
 * Units. Sizes, lengths and offsets are in bytes unless they say otherwise;
 * times are FILETIMEs (100 ns since 1601-01-01 UTC); guest addresses are
 * uint64_t.
 */


#ifndef WINVMI_H
#define WINVMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Version of this header, for `#if`: major, minor and patch number. */
#define WVMI_VERSION_MAJOR 0
/** Grows with every release that adds something. */
#define WVMI_VERSION_MINOR 1
/** Grows with every release that mends something. */
#define WVMI_VERSION_PATCH 0
/** Version of this header, for comparison with `wvmi_version()`. */
#define WVMI_VERSION "0.1.0"

/**
 * `kernel_base`, `kernel_root`, `kernel_size`, `kernel_time_date_stamp`,
 * `version_major` and `version_minor` are filled.
 */
#define WVMI_SESSION_VALID_KERNEL 1

/**
 * `pdb_name`, `pdb_guid` and `pdb_age` are filled.
 */
#define WVMI_SESSION_VALID_PDB 2

/**
 * `build` is filled.
 */
#define WVMI_SESSION_VALID_BUILD 4

/**
 * `kva_shadow` is filled.
 */
#define WVMI_SESSION_VALID_KVA_SHADOW 8

/**
 * `vcpus` is filled.
 */
#define WVMI_SESSION_VALID_VCPUS 16

/**
 * `system_time` is filled.
 */
#define WVMI_SESSION_VALID_SYSTEM_TIME 32

/**
 * `bug_check_code` and `bug_check_parameters` are filled.
 */
#define WVMI_SESSION_VALID_BUG_CHECK 64

/**
 * Physical memory can be read.
 */
#define WVMI_CAPABILITY_PHYSICAL_READ 1

/**
 * Memory is stored by virtual address (triage dumps); there are no page tables.
 */
#define WVMI_CAPABILITY_VIRTUAL_READ 2

/**
 * Memory can be written.
 */
#define WVMI_CAPABILITY_WRITE 4

/**
 * Registers can be read.
 */
#define WVMI_CAPABILITY_REGISTERS 8

/**
 * Registers can be set.
 */
#define WVMI_CAPABILITY_SET_REGISTERS 16

/**
 * Memory can be mapped into this process with `wvmi_map_range()`.
 */
#define WVMI_CAPABILITY_PIN 32

/**
 * The guest is running: what is read may change.
 */
#define WVMI_CAPABILITY_LIVE 64

/**
 * The guest can be paused and resumed.
 */
#define WVMI_CAPABILITY_CONTROL 128

/**
 * Alternative views of memory can be made.
 */
#define WVMI_CAPABILITY_VIEWS 256

/**
 * Events of the guest can be delivered.
 */
#define WVMI_CAPABILITY_EVENTS 512

/**
 * No text that the library returns is longer, in bytes, without the terminator.
 */
#define WVMI_STRING_MAX 98304

/**
 * The page can be read.
 */
#define WVMI_PROTECTION_READ 1

/**
 * The page can be written.
 */
#define WVMI_PROTECTION_WRITE 2

/**
 * The page can be executed.
 */
#define WVMI_PROTECTION_EXECUTE 4

/**
 * The page can be accessed from user mode.
 */
#define WVMI_PROTECTION_USER 8

/**
 * `pid` was read.
 */
#define WVMI_PROCESS_VALID_PID 1

/**
 * `parent_pid` was read.
 */
#define WVMI_PROCESS_VALID_PARENT_PID 2

/**
 * `name` was read.
 */
#define WVMI_PROCESS_VALID_NAME 4

/**
 * `create_time` was read.
 */
#define WVMI_PROCESS_VALID_CREATE_TIME 8

/**
 * `exit_time` was read.
 */
#define WVMI_PROCESS_VALID_EXIT_TIME 16

/**
 * `exit_status` was read.
 */
#define WVMI_PROCESS_VALID_EXIT_STATUS 32

/**
 * `root` was read.
 */
#define WVMI_PROCESS_VALID_ROOT 64

/**
 * `user_root` was read.
 */
#define WVMI_PROCESS_VALID_USER_ROOT 128

/**
 * `image_base` was read.
 */
#define WVMI_PROCESS_VALID_IMAGE_BASE 256

/**
 * `peb` was read.
 */
#define WVMI_PROCESS_VALID_PEB 512

/**
 * `native_peb` was read.
 */
#define WVMI_PROCESS_VALID_NATIVE_PEB 1024

/**
 * `session` was read.
 */
#define WVMI_PROCESS_VALID_SESSION 2048

/**
 * `token` was read.
 */
#define WVMI_PROCESS_VALID_TOKEN 4096

/**
 * `handle_table` was read.
 */
#define WVMI_PROCESS_VALID_HANDLE_TABLE 8192

/**
 * `active_threads` was read.
 */
#define WVMI_PROCESS_VALID_ACTIVE_THREADS 16384

/**
 * `wow64` was read.
 */
#define WVMI_PROCESS_VALID_WOW64 32768

/**
 * `session_id` was read.
 */
#define WVMI_PROCESS_VALID_SESSION_ID 65536

/**
 * `protection` was read.
 */
#define WVMI_PROCESS_VALID_PROTECTION 131072

/**
 * `wvmi_process_details.session_id`: the process belongs to no session.
 */
#define WVMI_TERMINAL_SESSION_NONE 4294967295

/**
 * `wvmi_process_details.protection`: the bits of the type.
 */
#define WVMI_PROTECTION_TYPE_MASK 7

/**
 * Type of protection: none.
 */
#define WVMI_PROTECTION_NONE 0

/**
 * Type of protection: against processes that are not protected (PPL).
 */
#define WVMI_PROTECTION_LIGHT 1

/**
 * Type of protection: against all but protected processes of an equal or higher
 * signer.
 */
#define WVMI_PROTECTION_FULL 2

/**
 * `wvmi_process_details.protection`: what is denied is written down only.
 */
#define WVMI_PROTECTION_AUDIT 8

/**
 * `wvmi_process_details.protection >> WVMI_PROTECTION_SIGNER_SHIFT` is the
 * number of the signer.
 */
#define WVMI_PROTECTION_SIGNER_SHIFT 4

/**
 * The list of active processes (`PsActiveProcessHead`).
 */
#define WVMI_PROCESS_SOURCE_ACTIVE_LIST 1

/**
 * The table of process and thread ids (`PspCidTable`).
 */
#define WVMI_PROCESS_SOURCE_CID_TABLE 2

/**
 * `image_base` was read.
 */
#define WVMI_PEB_VALID_IMAGE_BASE 1

/**
 * `loader_data` was read.
 */
#define WVMI_PEB_VALID_LOADER_DATA 2

/**
 * `parameters` was read.
 */
#define WVMI_PEB_VALID_PARAMETERS 4

/**
 * `being_debugged` was read.
 */
#define WVMI_PEB_VALID_BEING_DEBUGGED 8

/**
 * `session_id` was read.
 */
#define WVMI_PEB_VALID_SESSION_ID 16

/**
 * `parameter_flags` was read.
 */
#define WVMI_PEB_VALID_PARAMETER_FLAGS 32

/**
 * `wvmi_process_read`: pages that were never touched read as zeros, as they
 * would for the process.
 */
#define WVMI_PROCESS_READ_ZEROS 1

/**
 * `tid` was read.
 */
#define WVMI_THREAD_VALID_TID 1

/**
 * `pid` was read.
 */
#define WVMI_THREAD_VALID_PID 2

/**
 * `process` was read.
 */
#define WVMI_THREAD_VALID_PROCESS 4

/**
 * `current_process` was read.
 */
#define WVMI_THREAD_VALID_CURRENT_PROCESS 8

/**
 * `saved_process` was read.
 */
#define WVMI_THREAD_VALID_SAVED_PROCESS 16

/**
 * `create_time` was read.
 */
#define WVMI_THREAD_VALID_CREATE_TIME 32

/**
 * `exit_time` was read.
 */
#define WVMI_THREAD_VALID_EXIT_TIME 64

/**
 * `exit_status` was read.
 */
#define WVMI_THREAD_VALID_EXIT_STATUS 128

/**
 * `start_address` was read.
 */
#define WVMI_THREAD_VALID_START_ADDRESS 256

/**
 * `win32_start_address` was read.
 */
#define WVMI_THREAD_VALID_WIN32_START_ADDRESS 512

/**
 * `teb` was read.
 */
#define WVMI_THREAD_VALID_TEB 1024

/**
 * `native_teb` was read.
 */
#define WVMI_THREAD_VALID_NATIVE_TEB 2048

/**
 * `trap_frame` was read.
 */
#define WVMI_THREAD_VALID_TRAP_FRAME 4096

/**
 * `kernel_stack` was read.
 */
#define WVMI_THREAD_VALID_KERNEL_STACK 8192

/**
 * `stack_base` was read.
 */
#define WVMI_THREAD_VALID_STACK_BASE 16384

/**
 * `stack_limit` was read.
 */
#define WVMI_THREAD_VALID_STACK_LIMIT 32768

/**
 * `impersonation_token` was read.
 */
#define WVMI_THREAD_VALID_IMPERSONATION_TOKEN 65536

/**
 * `scheduling_group` was read.
 */
#define WVMI_THREAD_VALID_SCHEDULING_GROUP 131072

/**
 * `next_processor` was read.
 */
#define WVMI_THREAD_VALID_NEXT_PROCESSOR 262144

/**
 * `syscall_number` was read.
 */
#define WVMI_THREAD_VALID_SYSCALL_NUMBER 524288

/**
 * `state` was read.
 */
#define WVMI_THREAD_VALID_STATE 1048576

/**
 * `wait_reason` was read.
 */
#define WVMI_THREAD_VALID_WAIT_REASON 2097152

/**
 * `wait_mode` was read.
 */
#define WVMI_THREAD_VALID_WAIT_MODE 4194304

/**
 * `previous_mode` was read.
 */
#define WVMI_THREAD_VALID_PREVIOUS_MODE 8388608

/**
 * `priority` was read.
 */
#define WVMI_THREAD_VALID_PRIORITY 16777216

/**
 * `base_priority` was read.
 */
#define WVMI_THREAD_VALID_BASE_PRIORITY 33554432

/**
 * `apc_state_index` was read.
 */
#define WVMI_THREAD_VALID_APC_STATE_INDEX 67108864

/**
 * `alertable` was read.
 */
#define WVMI_THREAD_VALID_ALERTABLE 134217728

/**
 * `peb` was read.
 */
#define WVMI_TEB_VALID_PEB 1

/**
 * `self_pointer` was read.
 */
#define WVMI_TEB_VALID_SELF_POINTER 2

/**
 * `exception_list` was read.
 */
#define WVMI_TEB_VALID_EXCEPTION_LIST 4

/**
 * `stack_base` was read.
 */
#define WVMI_TEB_VALID_STACK_BASE 8

/**
 * `stack_limit` was read.
 */
#define WVMI_TEB_VALID_STACK_LIMIT 16

/**
 * `process_id` was read.
 */
#define WVMI_TEB_VALID_PROCESS_ID 32

/**
 * `thread_id` was read.
 */
#define WVMI_TEB_VALID_THREAD_ID 64

/**
 * `last_error` was read.
 */
#define WVMI_TEB_VALID_LAST_ERROR 128

/**
 * `last_status` was read.
 */
#define WVMI_TEB_VALID_LAST_STATUS 256

/**
 * `base` was read.
 */
#define WVMI_MODULE_VALID_BASE 1

/**
 * `entry_point` was read.
 */
#define WVMI_MODULE_VALID_ENTRY_POINT 2

/**
 * `size` was read.
 */
#define WVMI_MODULE_VALID_SIZE 4

/**
 * `time_date_stamp` was read; the entries of some Windows lack it.
 */
#define WVMI_MODULE_VALID_TIME_DATE_STAMP 8

/**
 * `name` was read.
 */
#define WVMI_MODULE_VALID_NAME 16

/**
 * `path` was read.
 */
#define WVMI_MODULE_VALID_PATH 32

/**
 * `start` was read.
 */
#define WVMI_UNLOADED_MODULE_VALID_START 1

/**
 * `end` was read.
 */
#define WVMI_UNLOADED_MODULE_VALID_END 2

/**
 * `time` was read.
 */
#define WVMI_UNLOADED_MODULE_VALID_TIME 4

/**
 * `name` was read.
 */
#define WVMI_UNLOADED_MODULE_VALID_NAME 8

/**
 * `start` was read.
 */
#define WVMI_REGION_VALID_START 1

/**
 * `end` was read.
 */
#define WVMI_REGION_VALID_END 2

/**
 * `commit_charge` was read.
 */
#define WVMI_REGION_VALID_COMMIT_CHARGE 4

/**
 * `control_area` was read.
 */
#define WVMI_REGION_VALID_CONTROL_AREA 8

/**
 * `file` was read.
 */
#define WVMI_REGION_VALID_FILE 16

/**
 * `kind` was read.
 */
#define WVMI_REGION_VALID_KIND 32

/**
 * `protection` was read.
 */
#define WVMI_REGION_VALID_PROTECTION 64

/**
 * `committed` was read.
 */
#define WVMI_REGION_VALID_COMMITTED 128

/**
 * `path` was read.
 */
#define WVMI_REGION_VALID_PATH 256

/**
 * `size` was read.
 */
#define WVMI_USER_MODULE_VALID_SIZE 1

/**
 * `entry_point` was read.
 */
#define WVMI_USER_MODULE_VALID_ENTRY_POINT 2

/**
 * `time_date_stamp` was read.
 */
#define WVMI_USER_MODULE_VALID_TIME_DATE_STAMP 4

/**
 * `wow64` was read.
 */
#define WVMI_USER_MODULE_VALID_WOW64 8

/**
 * `name` was read.
 */
#define WVMI_USER_MODULE_VALID_NAME 16

/**
 * `path` was read.
 */
#define WVMI_USER_MODULE_VALID_PATH 32

/**
 * The list in order of loading (`InLoadOrderModuleList`).
 */
#define WVMI_LOADER_LIST_LOAD 1

/**
 * The list in order of addresses (`InMemoryOrderModuleList`).
 */
#define WVMI_LOADER_LIST_MEMORY 2

/**
 * The list in order of initialization (`InInitializationOrderModuleList`).
 */
#define WVMI_LOADER_LIST_INITIALIZATION 4

/**
 * Beside the others: the lists are those of the 32-bit loader of a WoW64
 * process.
 */
#define WVMI_LOADER_LIST_WOW64 16

/**
 * Number of data directories of an image.
 */
#define WVMI_PE_DIRECTORIES 16

/**
 * Largest image that is taken out of memory, in bytes.
 */
#define WVMI_PE_IMAGE_MAX (1 << 30)

/**
 * `kind` was read.
 */
#define WVMI_HANDLE_VALID_KIND 1

/**
 * `type_name` was read.
 */
#define WVMI_HANDLE_VALID_TYPE_NAME 2

/**
 * Closing the handle fails (`OBJ_PROTECT_CLOSE`).
 */
#define WVMI_HANDLE_PROTECT_FROM_CLOSE 1

/**
 * New processes inherit the handle (`OBJ_INHERIT`).
 */
#define WVMI_HANDLE_INHERIT 2

/**
 * Closing the handle is audited (`OBJ_AUDIT_OBJECT_CLOSE`).
 */
#define WVMI_HANDLE_AUDIT_ON_CLOSE 4

/**
 * `pointer_count` was read.
 */
#define WVMI_OBJECT_VALID_POINTER_COUNT 1

/**
 * `handle_count` was read.
 */
#define WVMI_OBJECT_VALID_HANDLE_COUNT 2

/**
 * `security_descriptor` was read.
 */
#define WVMI_OBJECT_VALID_SECURITY_DESCRIPTOR 4

/**
 * `kind` was read.
 */
#define WVMI_OBJECT_VALID_KIND 8

/**
 * `type_index` was read.
 */
#define WVMI_OBJECT_VALID_TYPE_INDEX 16

/**
 * `flags` was read.
 */
#define WVMI_OBJECT_VALID_FLAGS 32

/**
 * `info_mask` was read.
 */
#define WVMI_OBJECT_VALID_INFO_MASK 64

/**
 * `index` was read.
 */
#define WVMI_OBJECT_TYPE_VALID_INDEX 1

/**
 * `name` and `kind` were read.
 */
#define WVMI_OBJECT_TYPE_VALID_NAME 2

/**
 * `objects` was read.
 */
#define WVMI_OBJECT_TYPE_VALID_OBJECTS 4

/**
 * `handles` was read.
 */
#define WVMI_OBJECT_TYPE_VALID_HANDLES 8

/**
 * `peak_objects` was read.
 */
#define WVMI_OBJECT_TYPE_VALID_PEAK_OBJECTS 16

/**
 * `peak_handles` was read.
 */
#define WVMI_OBJECT_TYPE_VALID_PEAK_HANDLES 32

/**
 * `dos_devices` was read.
 */
#define WVMI_DEVICE_MAP_VALID_DOS_DEVICES 1

/**
 * `global_dos_devices` was read.
 */
#define WVMI_DEVICE_MAP_VALID_GLOBAL_DOS_DEVICES 2

/**
 * `drives` was read.
 */
#define WVMI_DEVICE_MAP_VALID_DRIVES 4

/**
 * `name` was read.
 */
#define WVMI_DIRECTORY_VALID_NAME 1

/**
 * `kind` was read.
 */
#define WVMI_DIRECTORY_VALID_KIND 2

/**
 * `type_name` was read.
 */
#define WVMI_DIRECTORY_VALID_TYPE_NAME 4

/**
 * `root_directory` was read.
 */
#define WVMI_OBJECT_ATTRIBUTES_VALID_ROOT_DIRECTORY 1

/**
 * `attributes` was read.
 */
#define WVMI_OBJECT_ATTRIBUTES_VALID_ATTRIBUTES 2

/**
 * `device` was read.
 */
#define WVMI_FILE_VALID_DEVICE 1

/**
 * `related_file` was read.
 */
#define WVMI_FILE_VALID_RELATED_FILE 2

/**
 * `current_byte_offset` was read.
 */
#define WVMI_FILE_VALID_CURRENT_BYTE_OFFSET 4

/**
 * `section_object_pointers` was read.
 */
#define WVMI_FILE_VALID_SECTION_OBJECT_POINTERS 8

/**
 * `flags` was read.
 */
#define WVMI_FILE_VALID_FLAGS 16

/**
 * `access` was read.
 */
#define WVMI_FILE_VALID_ACCESS 32

/**
 * `delete_pending` was read.
 */
#define WVMI_FILE_VALID_DELETE_PENDING 64

/**
 * `data_section` was read.
 */
#define WVMI_FILE_VALID_DATA_SECTION 128

/**
 * `data_section_size` was read; only where there is such a section.
 */
#define WVMI_FILE_VALID_DATA_SECTION_SIZE 256

/**
 * `image_section` was read.
 */
#define WVMI_FILE_VALID_IMAGE_SECTION 512

/**
 * `image_section_size` was read; only where there is such a section.
 */
#define WVMI_FILE_VALID_IMAGE_SECTION_SIZE 1024

/**
 * Opened for reading.
 */
#define WVMI_FILE_ACCESS_READ 1

/**
 * Opened for writing.
 */
#define WVMI_FILE_ACCESS_WRITE 2

/**
 * Opened for deletion.
 */
#define WVMI_FILE_ACCESS_DELETE 4

/**
 * Others may read.
 */
#define WVMI_FILE_ACCESS_SHARED_READ 8

/**
 * Others may write.
 */
#define WVMI_FILE_ACCESS_SHARED_WRITE 16

/**
 * Others may delete.
 */
#define WVMI_FILE_ACCESS_SHARED_DELETE 32

/**
 * `start` was read.
 */
#define WVMI_SECTION_VALID_START 1

/**
 * `end` was read.
 */
#define WVMI_SECTION_VALID_END 2

/**
 * `size` was read.
 */
#define WVMI_SECTION_VALID_SIZE 4

/**
 * `control_area` was read.
 */
#define WVMI_SECTION_VALID_CONTROL_AREA 8

/**
 * `segment` was read.
 */
#define WVMI_SECTION_VALID_SEGMENT 16

/**
 * `file` was read.
 */
#define WVMI_SECTION_VALID_FILE 32

/**
 * `mapped_views` was read.
 */
#define WVMI_SECTION_VALID_MAPPED_VIEWS 64

/**
 * `flags` was read.
 */
#define WVMI_SECTION_VALID_FLAGS 128

/**
 * An executable image.
 */
#define WVMI_SECTION_IMAGE 1

/**
 * At the same address in every process.
 */
#define WVMI_SECTION_BASED 2

/**
 * Backed by a file.
 */
#define WVMI_SECTION_FILE 4

/**
 * Device memory.
 */
#define WVMI_SECTION_PHYSICAL 8

/**
 * Pages are reserved and committed later.
 */
#define WVMI_SECTION_RESERVE 16

/**
 * Pages are committed at once.
 */
#define WVMI_SECTION_COMMIT 32

/**
 * `control_block` was read.
 */
#define WVMI_KEY_VALID_CONTROL_BLOCK 1

/**
 * `parent` was read.
 */
#define WVMI_KEY_VALID_PARENT 2

/**
 * `hive` was read.
 */
#define WVMI_KEY_VALID_HIVE 4

/**
 * `cell` was read.
 */
#define WVMI_KEY_VALID_CELL 8

/**
 * `pid` was read.
 */
#define WVMI_KEY_VALID_PID 16

/**
 * `reset_mode` was read.
 */
#define WVMI_EVENT_OBJECT_VALID_RESET_MODE 1

/**
 * `signalled` was read.
 */
#define WVMI_EVENT_OBJECT_VALID_SIGNALLED 2

/**
 * `owner_thread` was read.
 */
#define WVMI_MUTANT_VALID_OWNER_THREAD 1

/**
 * `count` was read.
 */
#define WVMI_MUTANT_VALID_COUNT 2

/**
 * `abandoned` was read.
 */
#define WVMI_MUTANT_VALID_ABANDONED 4

/**
 * `count` was read.
 */
#define WVMI_SEMAPHORE_VALID_COUNT 1

/**
 * `limit` was read.
 */
#define WVMI_SEMAPHORE_VALID_LIMIT 2

/**
 * `due_time` was read.
 */
#define WVMI_TIMER_VALID_DUE_TIME 1

/**
 * `period` was read.
 */
#define WVMI_TIMER_VALID_PERIOD 2

/**
 * `reset_mode` was read.
 */
#define WVMI_TIMER_VALID_RESET_MODE 4

/**
 * `signalled` was read.
 */
#define WVMI_TIMER_VALID_SIGNALLED 8

/**
 * `running` was read.
 */
#define WVMI_TIMER_VALID_RUNNING 16

/**
 * `owner_process` was read.
 */
#define WVMI_ALPC_PORT_VALID_OWNER_PROCESS 1

/**
 * `connection_port` was read.
 */
#define WVMI_ALPC_PORT_VALID_CONNECTION_PORT 2

/**
 * `server_port` was read.
 */
#define WVMI_ALPC_PORT_VALID_SERVER_PORT 4

/**
 * `client_port` was read.
 */
#define WVMI_ALPC_PORT_VALID_CLIENT_PORT 8

/**
 * `creation_time` was read.
 */
#define WVMI_SYMBOLIC_LINK_VALID_CREATION_TIME 1

/**
 * `flags` was read.
 */
#define WVMI_SYMBOLIC_LINK_VALID_FLAGS 2

/**
 * `callback` was read.
 */
#define WVMI_SYMBOLIC_LINK_VALID_CALLBACK 4

/**
 * `drive_letter` was read.
 */
#define WVMI_SYMBOLIC_LINK_VALID_DRIVE_LETTER 8

/**
 * Number of functions in `wvmi_driver_object_details.major_functions`.
 */
#define WVMI_MAJOR_FUNCTIONS 28

/**
 * `start` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_START 1

/**
 * `module_entry` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_MODULE_ENTRY 2

/**
 * `init` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_INIT 4

/**
 * `start_io` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_START_IO 8

/**
 * `unload` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_UNLOAD 16

/**
 * `major_functions` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_MAJOR_FUNCTIONS 32

/**
 * `size` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_SIZE 64

/**
 * `flags` was read.
 */
#define WVMI_DRIVER_OBJECT_VALID_FLAGS 128

/**
 * `driver` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_DRIVER 1

/**
 * `upper_device` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_UPPER_DEVICE 2

/**
 * `lower_device` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_LOWER_DEVICE 4

/**
 * `extension` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_EXTENSION 8

/**
 * `device_type` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_DEVICE_TYPE 16

/**
 * `flags` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_FLAGS 32

/**
 * `characteristics` was read.
 */
#define WVMI_DEVICE_OBJECT_VALID_CHARACTERISTICS 64

/**
 * `parent` was read.
 */
#define WVMI_JOB_VALID_PARENT 1

/**
 * `user_time` was read.
 */
#define WVMI_JOB_VALID_USER_TIME 2

/**
 * `kernel_time` was read.
 */
#define WVMI_JOB_VALID_KERNEL_TIME 4

/**
 * `process_memory_limit` was read.
 */
#define WVMI_JOB_VALID_PROCESS_MEMORY_LIMIT 8

/**
 * `job_memory_limit` was read.
 */
#define WVMI_JOB_VALID_JOB_MEMORY_LIMIT 16

/**
 * `minimum_working_set` was read.
 */
#define WVMI_JOB_VALID_MINIMUM_WORKING_SET 32

/**
 * `maximum_working_set` was read.
 */
#define WVMI_JOB_VALID_MAXIMUM_WORKING_SET 64

/**
 * `limits` was read.
 */
#define WVMI_JOB_VALID_LIMITS 128

/**
 * `ui_restrictions` was read.
 */
#define WVMI_JOB_VALID_UI_RESTRICTIONS 256

/**
 * `active_process_limit` was read.
 */
#define WVMI_JOB_VALID_ACTIVE_PROCESS_LIMIT 512

/**
 * `active_processes` was read.
 */
#define WVMI_JOB_VALID_ACTIVE_PROCESSES 1024

/**
 * `total_processes` was read.
 */
#define WVMI_JOB_VALID_TOTAL_PROCESSES 2048

/**
 * `terminated_processes` was read.
 */
#define WVMI_JOB_VALID_TERMINATED_PROCESSES 4096

/**
 * `session_id` was read.
 */
#define WVMI_JOB_VALID_SESSION_ID 8192

/**
 * `id` was read.
 */
#define WVMI_JOB_VALID_ID 16384

/**
 * `minimum_working_set` and `maximum_working_set` count.
 */
#define WVMI_JOB_LIMIT_WORKING_SET 1

/**
 * `active_process_limit` counts.
 */
#define WVMI_JOB_LIMIT_ACTIVE_PROCESS 8

/**
 * `process_memory_limit` counts.
 */
#define WVMI_JOB_LIMIT_PROCESS_MEMORY 256

/**
 * `job_memory_limit` counts.
 */
#define WVMI_JOB_LIMIT_JOB_MEMORY 512

/**
 * Child processes may leave the job when they ask to.
 */
#define WVMI_JOB_LIMIT_BREAKAWAY_OK 2048

/**
 * Child processes are not a part of the job.
 */
#define WVMI_JOB_LIMIT_SILENT_BREAKAWAY_OK 4096

/**
 * Closing the last handle ends all processes.
 */
#define WVMI_JOB_LIMIT_KILL_ON_JOB_CLOSE 8192

/**
 * `id` was read.
 */
#define WVMI_TERMINAL_SESSION_VALID_ID 1

/**
 * Room for the text of any SID with its terminator, in bytes.
 */
#define WVMI_SID_SIZE 192

/**
 * Room for the name of any well-known SID with its terminator, in bytes.
 */
#define WVMI_SID_NAME_SIZE 64

/**
 * `wvmi_token_details.integrity_level` of a token without a level.
 */
#define WVMI_INTEGRITY_NONE 4294967295

/**
 * `wvmi_token_details.type`: the token of a process.
 */
#define WVMI_TOKEN_PRIMARY 1

/**
 * `wvmi_token_details.type`: the token of a thread that acts for a client.
 */
#define WVMI_TOKEN_IMPERSONATION 2

/**
 * `wvmi_token_details.elevation_type`: the user has one token only.
 */
#define WVMI_ELEVATION_DEFAULT 1

/**
 * `wvmi_token_details.elevation_type`: an administrator with all rights.
 */
#define WVMI_ELEVATION_FULL 2

/**
 * `wvmi_token_details.elevation_type`: an administrator's everyday token.
 */
#define WVMI_ELEVATION_LIMITED 3

/**
 * `token_id` was read.
 */
#define WVMI_TOKEN_VALID_TOKEN_ID 1

/**
 * `authentication_id` was read.
 */
#define WVMI_TOKEN_VALID_AUTHENTICATION_ID 2

/**
 * `parent_id` was read.
 */
#define WVMI_TOKEN_VALID_PARENT_ID 4

/**
 * `modified_id` was read.
 */
#define WVMI_TOKEN_VALID_MODIFIED_ID 8

/**
 * `originating_logon_id` was read.
 */
#define WVMI_TOKEN_VALID_ORIGINATING_LOGON_ID 16

/**
 * `privileges_present`, `privileges_enabled` and `privileges_default` were read.
 */
#define WVMI_TOKEN_VALID_PRIVILEGES 32

/**
 * `type` was read.
 */
#define WVMI_TOKEN_VALID_TYPE 64

/**
 * `impersonation_level` was read.
 */
#define WVMI_TOKEN_VALID_IMPERSONATION_LEVEL 128

/**
 * `session_id` was read.
 */
#define WVMI_TOKEN_VALID_SESSION_ID 256

/**
 * `flags` was read.
 */
#define WVMI_TOKEN_VALID_FLAGS 512

/**
 * `in_use` was read.
 */
#define WVMI_TOKEN_VALID_IN_USE 1024

/**
 * `elevation_type` was read.
 */
#define WVMI_TOKEN_VALID_ELEVATION_TYPE 2048

/**
 * `integrity_level` was read.
 */
#define WVMI_TOKEN_VALID_INTEGRITY_LEVEL 4096

/**
 * `user`, `user_name` and `user_attributes` were read.
 */
#define WVMI_TOKEN_VALID_USER 8192

/**
 * `source` was read.
 */
#define WVMI_TOKEN_VALID_SOURCE 16384

/**
 * `primary_group` was read.
 */
#define WVMI_TOKEN_VALID_PRIMARY_GROUP 32768

/**
 * `default_owner` was read.
 */
#define WVMI_TOKEN_VALID_DEFAULT_OWNER 65536

/**
 * `wvmi_context_*`: instruction and stack pointer, flags, their segments.
 */
#define WVMI_CONTEXT_CONTROL 1

/**
 * `wvmi_context_*`: general registers.
 */
#define WVMI_CONTEXT_INTEGER 2

/**
 * `wvmi_context_*`: data segments.
 */
#define WVMI_CONTEXT_SEGMENTS 4

/**
 * `wvmi_context_*`: x87 and, of 64-bit code, SSE registers, which
 * `wvmi_registers` does not hold.
 */
#define WVMI_CONTEXT_FLOATING_POINT 8

/**
 * `wvmi_context_*`: debug registers.
 */
#define WVMI_CONTEXT_DEBUG_REGISTERS 16

/**
 * `wvmi_context_*`: SSE registers of 32-bit code, which `wvmi_registers` does
 * not hold.
 */
#define WVMI_CONTEXT_EXTENDED_REGISTERS 32

/**
 * `wvmi_context_*`: state behind the structure, which `wvmi_registers` does not
 * hold.
 */
#define WVMI_CONTEXT_XSTATE 64

/**
 * Size of the `CONTEXT` of 32-bit code, in bytes.
 */
#define WVMI_CONTEXT_SIZE_32 716

/**
 * Size of the `CONTEXT` of 64-bit code, in bytes.
 */
#define WVMI_CONTEXT_SIZE_64 1232

/**
 * `rip` was read.
 */
#define WVMI_TRAP_FRAME_VALID_RIP 1

/**
 * `rsp` was read.
 */
#define WVMI_TRAP_FRAME_VALID_RSP 2

/**
 * `error_code` was read.
 */
#define WVMI_TRAP_FRAME_VALID_ERROR_CODE 4

/**
 * `fault_address` was read.
 */
#define WVMI_TRAP_FRAME_VALID_FAULT_ADDRESS 8

/**
 * `previous_frame` was read.
 */
#define WVMI_TRAP_FRAME_VALID_PREVIOUS_FRAME 16

/**
 * `homes` was read.
 */
#define WVMI_TRAP_FRAME_VALID_HOMES 32

/**
 * `xmm` was read.
 */
#define WVMI_TRAP_FRAME_VALID_XMM 64

/**
 * `mx_csr` was read.
 */
#define WVMI_TRAP_FRAME_VALID_MX_CSR 128

/**
 * `from_user_mode` was read.
 */
#define WVMI_TRAP_FRAME_VALID_FROM_USER_MODE 256

/**
 * `previous_mode` was read.
 */
#define WVMI_TRAP_FRAME_VALID_PREVIOUS_MODE 512

/**
 * `previous_irql` was read.
 */
#define WVMI_TRAP_FRAME_VALID_PREVIOUS_IRQL 1024

/**
 * `exception_active` was read.
 */
#define WVMI_TRAP_FRAME_VALID_EXCEPTION_ACTIVE 2048

/**
 * `process`, `attached`, `thread`, `process_id` and `thread_id` are filled.
 */
#define WVMI_EVENT_VALID_IDENTITY 1

/**
 * `parent_process_id` and `image_name` are filled.
 */
#define WVMI_EVENT_VALID_PROCESS 2

/**
 * `previous_mode` is filled.
 */
#define WVMI_EVENT_VALID_PREVIOUS_MODE 4

/**
 * `memory_virtual` is filled.
 */
#define WVMI_EVENT_VALID_MEMORY_VIRTUAL 8

/**
 * `session` is filled.
 */
#define WVMI_EVENT_VALID_SESSION 16

/**
 * `irql` is filled: the processor was in user mode, or the back end tells the level
 * with each event. Else `wvmi_event_irql()` asks for it.
 */
#define WVMI_EVENT_VALID_IRQL 32

/**
 * The page asked for with `WVMI_ACTION_RETRY` cannot be brought in.
 */
#define WVMI_EVENT_NOT_RESIDENT 1

/**
 * The hook exceeds its rate limit: it is suspended after this call.
 */
#define WVMI_EVENT_SUSPENDED 2

/**
 * The memory was accessed by the processor's own page walk.
 */
#define WVMI_EVENT_PAGE_WALK 4

/**
 * The port was read (`IN`), not written.
 */
#define WVMI_EVENT_INPUT 8

/**
 * The port was accessed by a string instruction.
 */
#define WVMI_EVENT_STRING 16

/**
 * `view` is filled.
 */
#define WVMI_DRIVER_EVENT_VIEW 1

/**
 * `memory_virtual` is filled.
 */
#define WVMI_DRIVER_EVENT_VIRTUAL 2

/**
 * The memory was accessed by the processor's page walk.
 */
#define WVMI_DRIVER_EVENT_PAGE_WALK 4

/**
 * The port was read (`IN`).
 */
#define WVMI_DRIVER_EVENT_INPUT 8

/**
 * The port was accessed by a string instruction.
 */
#define WVMI_DRIVER_EVENT_STRING 16

/**
 * `view` is the view to run in from now on; else it is the event's.
 */
#define WVMI_DRIVER_RESPONSE_VIEW 1

/**
 * How a session is opened; made by `wvmi_config_new()`.
 *
 * One configuration can open any number of sessions, which copy what they
 * need: it may be changed and freed at any time. It belongs to one thread at
 * a time.
 */
typedef struct wvmi_config wvmi_config;

/**
 * An iteration over the devices of a driver; made by `wvmi_device_iter_new()`.
 */
typedef struct wvmi_device_iter wvmi_device_iter;

/**
 * An iteration over the objects of a directory; made by
 * `wvmi_directory_iter_new()`.
 */
typedef struct wvmi_directory_iter wvmi_directory_iter;

/**
 * An iteration over the environment of a process; made by
 * `wvmi_environment_iter_new()`.
 */
typedef struct wvmi_environment_iter wvmi_environment_iter;

/**
 * One event; valid until the callback that gets it returns, in the thread of
 * that callback only: everywhere else, and later, functions answer
 * `WVMI_ERROR_CLOSED`.
 */
typedef struct wvmi_event wvmi_event;

/**
 * An iteration over the handles of a process; made by `wvmi_handle_iter_new()`.
 */
typedef struct wvmi_handle_iter wvmi_handle_iter;

/**
 * An iteration over the jobs that are nested in a job; made by
 * `wvmi_job_iter_new_in_job()`.
 */
typedef struct wvmi_job_iter wvmi_job_iter;

/**
 * Guest memory that is mapped into this process; made by `wvmi_map_range()`.
 */
typedef struct wvmi_mapping wvmi_mapping;

/**
 * An iteration over the modules of the kernel; made by `wvmi_module_iter_new()`.
 */
typedef struct wvmi_module_iter wvmi_module_iter;

/**
 * An iteration over the types of objects; made by
 * `wvmi_object_type_iter_new()`.
 */
typedef struct wvmi_object_type_iter wvmi_object_type_iter;

/**
 * An iteration over the exports of an image; made by
 * `wvmi_pe_export_iter_new()`.
 */
typedef struct wvmi_pe_export_iter wvmi_pe_export_iter;

/**
 * An iteration over the imports of an image; made by
 * `wvmi_pe_import_iter_new()`.
 */
typedef struct wvmi_pe_import_iter wvmi_pe_import_iter;

/**
 * An iteration over what an extracted image misses; made by
 * `wvmi_pe_missing_iter_new()`.
 */
typedef struct wvmi_pe_missing_iter wvmi_pe_missing_iter;

/**
 * An iteration over the sections of an image; made by
 * `wvmi_pe_section_iter_new()`.
 */
typedef struct wvmi_pe_section_iter wvmi_pe_section_iter;

/**
 * An iteration over processes; made by `wvmi_process_iter_new()`,
 * `wvmi_process_iter_new_in_job()` or
 * `wvmi_process_iter_new_in_terminal_session()`.
 */
typedef struct wvmi_process_iter wvmi_process_iter;

/**
 * An iteration over present ranges; made by `wvmi_range_iter_new()`.
 */
typedef struct wvmi_range_iter wvmi_range_iter;

/**
 * An iteration over the regions of a process; made by `wvmi_region_iter_new()`.
 */
typedef struct wvmi_region_iter wvmi_region_iter;

/**
 * One opened guest; made by `wvmi_session_open()`.
 *
 * A handle that was closed is recognised: calls with it answer
 * `WVMI_ERROR_CLOSED`, from any thread, at any later time. At most 1024
 * sessions can be open at once.
 */
typedef struct wvmi_session wvmi_session;

/**
 * An iteration over terminal sessions; made by
 * `wvmi_terminal_session_iter_new()`.
 */
typedef struct wvmi_terminal_session_iter wvmi_terminal_session_iter;

/**
 * An iteration over the threads of a process; made by `wvmi_thread_iter_new()`.
 */
typedef struct wvmi_thread_iter wvmi_thread_iter;

/**
 * An iteration over the SIDs of a token; made by `wvmi_token_sid_iter_new()`.
 */
typedef struct wvmi_token_sid_iter wvmi_token_sid_iter;

/**
 * An iteration over drivers that were unloaded; made by
 * `wvmi_unloaded_module_iter_new()`.
 */
typedef struct wvmi_unloaded_module_iter wvmi_unloaded_module_iter;

/**
 * An iteration over the modules of a process; made by
 * `wvmi_user_module_iter_new()` or `wvmi_user_module_iter_new_in_order()`.
 */
typedef struct wvmi_user_module_iter wvmi_user_module_iter;

/**
 * An alternative mapping of the guest's physical memory, with frames and access
 * rights of its own; made by `wvmi_view_new()`.
 *
 * The library hooks code in a view of its own, which the guest runs in from the
 * first hook on. While processors run in a view of the caller's, breakpoints and
 * memory monitors do not act; what else processors do is reported as ever.
 *
 * Accesses that a view's rights deny stop the processor until the event loop has
 * run: the monitors of the view (`WVMI_MONITOR_VIEW`) are called, then the
 * instruction is executed on the guest's own memory.
 */
typedef struct wvmi_view wvmi_view;

/**
 * Outcome of a call; one of the `WVMI_OK`, `WVMI_END`, ... numbers.
 *
 * Zero is success, positive numbers are expected outcomes, negative numbers
 * are errors. Numbers are never reused or changed; a newer library may return
 * numbers that this header does not name, so test for `< 0` to catch errors.
 * `wvmi_last_error()` tells the details, `wvmi_status_name()` the name.
 */
typedef int32_t wvmi_status;

/**
 * Why an address could not be accessed; one of the `WVMI_FAULT_*` numbers.
 */
typedef uint32_t wvmi_fault_kind;

/**
 * The record of a thread's last error, filled by `wvmi_last_error()`.
 *
 * All fields are zero (and the texts empty) while the thread has had no error.
 */
typedef struct {
    /**
     * What the failed call returned: an error, or `WVMI_GAP`.
     */
    wvmi_status status;
    /**
     * Kind of the memory fault, `WVMI_FAULT_NONE` when it was none.
     */
    wvmi_fault_kind fault;
    /**
     * What was asked, of what, why it failed and what can be done about it:
     * English, UTF-8, NUL-terminated, never NULL. Valid until this thread's
     * next `wvmi_last_error()` and never to be freed.
     */
    const char *message;
    /**
     * Length of `message` in bytes, without the terminator.
     */
    size_t message_length;
    /**
     * Name of the function that failed: a static string, never NULL.
     */
    const char *function;
    /**
     * Address that could not be accessed; physical when `root` is 0 and the
     * guest's memory is stored by physical address.
     */
    uint64_t address;
    /**
     * Physical address of the page-table root that was used, 0 without one.
     */
    uint64_t root;
    /**
     * Level at which the translation stopped: 1 page table, 2 page directory,
     * 3 page-directory pointers, 4 PML4, 5 PML5; 0 without a translation.
     */
    uint32_t level;
    /**
     * Number of the page file, for `WVMI_FAULT_PAGEFILE`.
     */
    uint32_t pagefile_number;
    /**
     * Offset in the page file in bytes, for `WVMI_FAULT_PAGEFILE`.
     */
    uint64_t pagefile_offset;
} wvmi_error;

/**
 * Importance of log records; one of the `WVMI_LOG_*` numbers.
 */
typedef uint32_t wvmi_log_level;

/**
 * Receives one log record.
 *
 * `session` is the name of the session that the record is about, `""` for the
 * library as a whole; `message` is one line without a line end. Both are
 * UTF-8, never NULL and valid until the callback returns. `user_data` is what
 * `wvmi_set_log()` was given.
 *
 * Called in the thread that made the record, possibly in several threads at
 * once. It may call any function of the library; records that this causes are
 * dropped. It must return: no `longjmp`, no C++ exception.
 */
typedef void (*wvmi_log_callback)(wvmi_log_level level,
                                  const char *session,
                                  const char *message,
                                  void *user_data);

/**
 * Releases the `user_data` of a callback.
 *
 * Called exactly once: after the last call of the callback has returned, or
 * at once when the registration fails. No lock of the library is held. It may
 * be called in any thread that uses the library.
 */
typedef void (*wvmi_release_callback)(void *user_data);

/**
 * How image files are accessed; one of the `WVMI_FILE_MODE_*` numbers.
 */
typedef uint32_t wvmi_file_mode;

/**
 * Watches a long call.
 *
 * `session` is the session's name, `stage` what is being done (`"find the
 * kernel"`), both UTF-8 and valid until the callback returns; `done` of
 * `total` units of the stage are done, `total` is 0 when it is not known.
 * `user_data` is what `wvmi_config_set_progress()` was given.
 *
 * Returns true to go on, false to end the call with `WVMI_ERROR_CANCELLED`.
 *
 * Called a few times per second at most, in the thread that made the long
 * call, possibly in several threads at once. It may call any function but
 * `wvmi_session_close()` of the same session. It must return: no `longjmp`,
 * no C++ exception.
 */
typedef bool (*wvmi_progress_callback)(const char *session,
                                       const char *stage,
                                       uint64_t done,
                                       uint64_t total,
                                       void *user_data);

/**
 * Facts about a session, filled by `wvmi_session_info()`.
 */
typedef struct {
    /**
     * Which of the other fields are filled: `WVMI_SESSION_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * What the back end can do: `WVMI_CAPABILITY_*` bits.
     */
    uint64_t capabilities;
    /**
     * Bytes of guest memory that can be read.
     */
    uint64_t memory_size;
    /**
     * Address of the kernel image.
     */
    uint64_t kernel_base;
    /**
     * Physical address of the kernel's page-table root.
     */
    uint64_t kernel_root;
    /**
     * Time at which the image was taken, as its header says; a FILETIME.
     */
    uint64_t system_time;
    /**
     * Parameters of the bug check.
     */
    uint64_t bug_check_parameters[4];
    /**
     * Code of the bug check that the image records.
     */
    uint32_t bug_check_code;
    /**
     * Size of the kernel image in bytes.
     */
    uint32_t kernel_size;
    /**
     * Link time stamp of the kernel image.
     */
    uint32_t kernel_time_date_stamp;
    /**
     * Number of virtual processors.
     */
    uint32_t vcpus;
    /**
     * Major version of Windows, as the kernel image says.
     */
    uint32_t version_major;
    /**
     * Minor version of Windows.
     */
    uint32_t version_minor;
    /**
     * Build number of Windows.
     */
    uint32_t build;
    /**
     * Age of the kernel's PDB.
     */
    uint32_t pdb_age;
    /**
     * 1 when the kernel's symbols are loaded, so that calls about Windows work.
     */
    uint32_t symbols_loaded;
    /**
     * 1 when user mode runs on page tables of its own (KVA shadow).
     */
    uint32_t kva_shadow;
    /**
     * Name of the back end: `"kdmp"`, `"raw"`.
     */
    char back_end[32];
    /**
     * What the back end says about the format; empty where it has one only.
     */
    char format[64];
    /**
     * Name of the kernel's PDB: `"ntkrnlmp.pdb"`.
     */
    char pdb_name[128];
    /**
     * GUID of the kernel's PDB: 32 upper-case hexadecimal digits.
     */
    char pdb_guid[40];
} wvmi_session_details;

/**
 * Kind of an address space; one of the `WVMI_SPACE_*` numbers.
 */
typedef uint32_t wvmi_space_kind;

/**
 * An address space, passed by value: `{0}` is the kernel's.
 *
 * A process space looks its root up in the process object with every call;
 * `wvmi_process_root()` and `WVMI_SPACE_ROOT` save that in hot loops.
 */
typedef struct {
    /**
     * One of the `WVMI_SPACE_*` numbers.
     */
    wvmi_space_kind kind;
    /**
     * What the kind needs: a process object or a physical address, else 0.
     */
    uint64_t value;
} wvmi_space;

/**
 * Form of a `UNICODE_STRING`; one of the `WVMI_STRING_*` numbers.
 */
typedef uint32_t wvmi_string_kind;

/**
 * One read of `wvmi_read_scatter()`.
 */
typedef struct {
    /**
     * In: where `address` lives.
     */
    wvmi_space space;
    /**
     * In: first byte.
     */
    uint64_t address;
    /**
     * In: receives the bytes.
     */
    uint8_t *buffer;
    /**
     * In: number of bytes.
     */
    size_t size;
    /**
     * Out: number of bytes read, from the first on.
     */
    size_t done;
    /**
     * Out: `WVMI_OK`, or why not all bytes were read.
     */
    wvmi_status status;
    /**
     * Out: for `WVMI_ERROR_FAULT` one of the `WVMI_FAULT_*` numbers, else 0.
     */
    uint32_t fault;
} wvmi_scatter_request;

/**
 * What became of one page; `WVMI_PAGE_PRESENT` or one of `WVMI_FAULT_*`.
 */
typedef uint8_t wvmi_page_state;

/**
 * How a page was found; one of the `WVMI_SOURCE_*` numbers.
 */
typedef uint32_t wvmi_page_source;

/**
 * How an address is mapped, filled by `wvmi_translate()`.
 */
typedef struct {
    /**
     * Physical address of the byte.
     */
    uint64_t physical_address;
    /**
     * Size of the page: 4 KiB, 2 MiB or 1 GiB, in bytes.
     */
    uint64_t page_size;
    /**
     * What all paging levels together allow: `WVMI_PROTECTION_*` bits.
     */
    uint32_t protection;
    /**
     * Level of the entry that maps the page: 1, 2 or 3.
     */
    uint32_t level;
    /**
     * How the page was found.
     */
    wvmi_page_source source;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_translation;

/**
 * Consecutive addresses that are present, with one protection.
 */
typedef struct {
    /**
     * First address.
     */
    uint64_t address;
    /**
     * Length in bytes, never 0.
     */
    uint64_t length;
    /**
     * Physical address of the first byte; the range is contiguous there, too.
     * 0 where memory is stored by virtual address.
     */
    uint64_t physical_address;
    /**
     * What all paging levels together allow: `WVMI_PROTECTION_*` bits.
     */
    uint32_t protection;
    /**
     * How the pages were found.
     */
    wvmi_page_source source;
} wvmi_range;

/**
 * Bytes of a mapping that lie side by side.
 */
typedef struct {
    /**
     * Guest address of the first byte.
     */
    uint64_t address;
    /**
     * The bytes: read-only, valid until the mapping is freed.
     */
    const uint8_t *data;
    /**
     * Number of bytes.
     */
    size_t length;
} wvmi_mapping_segment;

/**
 * A process: the address of its `_EPROCESS`. A value, nothing to free.
 *
 * Windows uses addresses again: the id and the creation time in
 * `wvmi_process_details` tell a new process from an old one.
 */
typedef struct {
    /**
     * Address of the process object.
     */
    uint64_t object;
} wvmi_process;

/**
 * What is known about a process, filled by `wvmi_process_info()` and
 * `wvmi_process_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_PROCESS_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the process object (`_EPROCESS`); always filled.
     */
    uint64_t object;
    /**
     * Time of creation, a FILETIME (`_EPROCESS.CreateTime`).
     */
    uint64_t create_time;
    /**
     * Time of exit, a FILETIME; 0 while the process lives (`_EPROCESS.ExitTime`).
     */
    uint64_t exit_time;
    /**
     * Physical address of the page-table root (`_KPROCESS.DirectoryTableBase`).
     */
    uint64_t root;
    /**
     * Physical address of the root that user mode runs on; equals `root`
     * without KVA shadow (`_KPROCESS.UserDirectoryTableBase`).
     */
    uint64_t user_root;
    /**
     * Base of the executable (`_EPROCESS.SectionBaseAddress`).
     */
    uint64_t image_base;
    /**
     * Address of the PEB that the process's own code uses, the 32-bit one under
     * WoW64; 0 without one.
     */
    uint64_t peb;
    /**
     * Address of the 64-bit PEB; 0 without one (`_EPROCESS.Peb`).
     */
    uint64_t native_peb;
    /**
     * Address of the session structure; 0 without one (`_EPROCESS.Session`).
     */
    uint64_t session;
    /**
     * Address of the primary token; 0 without one (`_EPROCESS.Token`).
     */
    uint64_t token;
    /**
     * Address of the handle table; 0 once the process has exited
     * (`_EPROCESS.ObjectTable`).
     */
    uint64_t handle_table;
    /**
     * Process id (`_EPROCESS.UniqueProcessId`).
     */
    uint32_t pid;
    /**
     * Id of the process that created it (`_EPROCESS.InheritedFromUniqueProcessId`);
     * that process may have exited, and its id may belong to another.
     */
    uint32_t parent_pid;
    /**
     * NTSTATUS of the exit; 0x103 while the process lives (`_EPROCESS.ExitStatus`).
     */
    int32_t exit_status;
    /**
     * Number of threads that have not exited (`_EPROCESS.ActiveThreads`).
     */
    uint32_t active_threads;
    /**
     * 1 when the process runs 32-bit code under WoW64 (`_EPROCESS.WoW64Process`).
     */
    uint32_t wow64;
    /**
     * Sources that name the process, `WVMI_PROCESS_SOURCE_*` bits: among those
     * that the iteration asks. 0 from `wvmi_process_info()`.
     */
    uint32_t sources;
    /**
     * Name of the image, which Windows cuts at 14 or 15 bytes
     * (`_EPROCESS.ImageFileName`).
     */
    char name[48];
    /**
     * Number of the terminal session: 0 for services, 1 and up for users;
     * `WVMI_TERMINAL_SESSION_NONE` for processes of the kernel
     * (`_MM_SESSION_SPACE.SessionId`).
     */
    uint32_t session_id;
    /**
     * Protection: the type in bits 0 to 2 (`WVMI_PROTECTION_*`), audit in bit 3,
     * the signer in bits 4 to 7: 1 Authenticode, 2 code generation, 3
     * antimalware, 4 LSA, 5 Windows, 6 WinTcb, 7 WinSystem, 8 app; unknown on
     * Windows 7 (`_EPROCESS.Protection`).
     */
    uint32_t protection;
} wvmi_process_details;

/**
 * A text of a process; one of the `WVMI_PROCESS_TEXT_*` numbers.
 */
typedef uint32_t wvmi_process_text_kind;

/**
 * A variable of a process's environment, filled by
 * `wvmi_environment_iter_next()` and `wvmi_environment_iter_next_many()`.
 */
typedef struct {
    /**
     * Name, UTF-8, NUL-terminated, valid until the iterator's next call. Names
     * that begin with `=` hold the current directories of drives.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
    /**
     * Value, as `name`.
     */
    const char *value;
    /**
     * Length of `value` in bytes.
     */
    size_t value_length;
    /**
     * Name without loss, as UTF-16 units without a terminator; valid as long.
     */
    const uint16_t *name_utf16;
    /**
     * Number of units of `name_utf16`.
     */
    size_t name_utf16_length;
    /**
     * Value, as `name_utf16`.
     */
    const uint16_t *value_utf16;
    /**
     * Number of units of `value_utf16`.
     */
    size_t value_utf16_length;
} wvmi_variable;

/**
 * Whose code something belongs to; one of the `WVMI_ARCHITECTURE_*` numbers.
 */
typedef uint32_t wvmi_architecture;

/**
 * What a process environment block says, filled by `wvmi_peb_info()`.
 *
 * The process writes it itself and may have written anything.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_PEB_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the `_PEB` in the process's space; always filled.
     */
    uint64_t address;
    /**
     * Base of the executable (`ImageBaseAddress`).
     */
    uint64_t image_base;
    /**
     * Address of the `_PEB_LDR_DATA`; 0 before the loader has run (`Ldr`).
     */
    uint64_t loader_data;
    /**
     * Address of the `_RTL_USER_PROCESS_PARAMETERS`; 0 before they are set up
     * (`ProcessParameters`). `wvmi_process_text()` reads what is in them.
     */
    uint64_t parameters;
    /**
     * Whose code it belongs to: one of the `WVMI_ARCHITECTURE_*` numbers; always filled.
     */
    wvmi_architecture architecture;
    /**
     * 1 when the process believes that a debugger is attached (`BeingDebugged`).
     */
    uint32_t being_debugged;
    /**
     * Number of the session (`SessionId`).
     */
    uint32_t session_id;
    /**
     * Flags of the parameters, as Windows numbers them (`Flags`).
     */
    uint32_t parameter_flags;
} wvmi_peb_details;

/**
 * Whether a process may touch an address; one of the `WVMI_ADDRESS_*` numbers.
 */
typedef uint32_t wvmi_validity;

/**
 * A thread: the address of its `_ETHREAD`. A value, nothing to free.
 *
 * Windows uses addresses again: the id and the creation time in
 * `wvmi_thread_details` tell a new thread from an old one.
 */
typedef struct {
    /**
     * Address of the thread object.
     */
    uint64_t object;
} wvmi_thread;

/**
 * What is known about a thread, filled by `wvmi_thread_info()` and
 * `wvmi_thread_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_THREAD_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the thread object (`_ETHREAD`); always filled.
     */
    uint64_t object;
    /**
     * Object of the owning process (`_KTHREAD.Process`).
     */
    uint64_t process;
    /**
     * Object of the process whose address space the thread uses now
     * (`_KTHREAD.ApcState.Process`); 0 without one.
     */
    uint64_t current_process;
    /**
     * Object of the process that an attached thread returns to
     * (`_KTHREAD.SavedApcState.Process`); 0 without one.
     */
    uint64_t saved_process;
    /**
     * Time of creation, a FILETIME (`_ETHREAD.CreateTime`).
     */
    uint64_t create_time;
    /**
     * Time of exit, a FILETIME; 0 while the thread lives (`_ETHREAD.ExitTime`).
     */
    uint64_t exit_time;
    /**
     * Where the thread began in the kernel's eyes (`_ETHREAD.StartAddress`).
     */
    uint64_t start_address;
    /**
     * Function that its creator asked for (`_ETHREAD.Win32StartAddress`).
     */
    uint64_t win32_start_address;
    /**
     * Address of the TEB that the thread's own code uses, the 32-bit one under
     * WoW64; 0 without one.
     */
    uint64_t teb;
    /**
     * Address of the 64-bit TEB; 0 for system threads (`_KTHREAD.Teb`).
     */
    uint64_t native_teb;
    /**
     * Address of the trap frame; 0 without one (`_KTHREAD.TrapFrame`).
     */
    uint64_t trap_frame;
    /**
     * Saved kernel stack pointer (`_KTHREAD.KernelStack`).
     */
    uint64_t kernel_stack;
    /**
     * Highest address of the kernel stack (`_KTHREAD.StackBase`).
     */
    uint64_t stack_base;
    /**
     * Lowest address of the kernel stack (`_KTHREAD.StackLimit`).
     */
    uint64_t stack_limit;
    /**
     * Address of the token that the thread impersonates with; 0 when it does
     * not (`_ETHREAD.ClientSecurity.ImpersonationToken`).
     */
    uint64_t impersonation_token;
    /**
     * Address of the scheduling group; 0 without one (`_KTHREAD.SchedulingGroup`).
     */
    uint64_t scheduling_group;
    /**
     * Thread id (`_ETHREAD.Cid.UniqueThread`).
     */
    uint32_t tid;
    /**
     * Id of the owning process (`_ETHREAD.Cid.UniqueProcess`).
     */
    uint32_t pid;
    /**
     * NTSTATUS of the exit (`_ETHREAD.ExitStatus`).
     */
    int32_t exit_status;
    /**
     * Number of the processor that it runs on next (`_KTHREAD.NextProcessor`).
     */
    uint32_t next_processor;
    /**
     * Number of the current or last system call (`_KTHREAD.SystemCallNumber`).
     */
    uint32_t syscall_number;
    /**
     * Scheduling state as Windows numbers it (`_KTHREAD.State`): 0 initialized,
     * 1 ready, 2 running, 3 standby, 4 terminated, 5 waiting, 6 transition,
     * 7 deferred ready, 8 gate wait (obsolete), 9 waiting for process in-swap.
     */
    uint32_t state;
    /**
     * Reason of the current or last wait as Windows numbers it, a
     * `KWAIT_REASON` (`_KTHREAD.WaitReason`).
     */
    uint32_t wait_reason;
    /**
     * Mode of the wait: 0 kernel, 1 user (`_KTHREAD.WaitMode`).
     */
    uint32_t wait_mode;
    /**
     * Mode that the thread came from: 0 kernel, 1 user (`_KTHREAD.PreviousMode`).
     */
    uint32_t previous_mode;
    /**
     * Priority, 0 to 31 (`_KTHREAD.Priority`).
     */
    uint32_t priority;
    /**
     * Base priority, 0 to 31 (`_KTHREAD.BasePriority`).
     */
    uint32_t base_priority;
    /**
     * 0 in its own address space, else attached to another
     * (`_KTHREAD.ApcStateIndex`).
     */
    uint32_t apc_state_index;
    /**
     * 1 when a user APC can end the wait (`_KTHREAD.Alertable`).
     */
    uint32_t alertable;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_thread_details;

/**
 * What a thread environment block says, filled by `wvmi_teb_info()`.
 *
 * The thread writes it itself and may have written anything.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_TEB_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the `_TEB` in the process's space; always filled.
     */
    uint64_t address;
    /**
     * Address of the `_PEB` (`ProcessEnvironmentBlock`).
     */
    uint64_t peb;
    /**
     * Address of the block as the thread itself finds it (`NtTib.Self`).
     */
    uint64_t self_pointer;
    /**
     * First exception handler of 32-bit code (`NtTib.ExceptionList`).
     */
    uint64_t exception_list;
    /**
     * First address behind the user-mode stack (`NtTib.StackBase`).
     */
    uint64_t stack_base;
    /**
     * Lowest committed address of the user-mode stack (`NtTib.StackLimit`).
     */
    uint64_t stack_limit;
    /**
     * Whose code it belongs to: one of the `WVMI_ARCHITECTURE_*` numbers; always filled.
     */
    wvmi_architecture architecture;
    /**
     * Process id (`ClientId.UniqueProcess`).
     */
    uint32_t process_id;
    /**
     * Thread id (`ClientId.UniqueThread`).
     */
    uint32_t thread_id;
    /**
     * What `GetLastError` returns (`LastErrorValue`).
     */
    uint32_t last_error;
    /**
     * Last `NTSTATUS` that became an error (`LastStatusValue`).
     */
    int32_t last_status;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_teb_details;

/**
 * A module of the kernel: the address of its loader entry
 * (`_KLDR_DATA_TABLE_ENTRY`). A value, nothing to free.
 */
typedef struct {
    /**
     * Address of the loader entry.
     */
    uint64_t entry;
} wvmi_module;

/**
 * What is known about a module of the kernel, filled by `wvmi_module_info()`
 * and `wvmi_module_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_MODULE_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the loader entry; always filled.
     */
    uint64_t entry;
    /**
     * Base of the image (`DllBase`).
     */
    uint64_t base;
    /**
     * Entry point (`EntryPoint`).
     */
    uint64_t entry_point;
    /**
     * Size of the image in bytes (`SizeOfImage`).
     */
    uint32_t size;
    /**
     * Link time stamp of the image (`TimeDateStamp`).
     */
    uint32_t time_date_stamp;
    /**
     * File name (`BaseDllName`), UTF-8, NUL-terminated. Filled by the iterator
     * only, which keeps it until its next call; `wvmi_module_name()` copies it.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
    /**
     * Full path (`FullDllName`), as `name`; `wvmi_module_path()` copies it.
     */
    const char *path;
    /**
     * Length of `path` in bytes.
     */
    size_t path_length;
} wvmi_module_details;

/**
 * A driver that was unloaded, filled by `wvmi_unloaded_module_iter_next()` and
 * `wvmi_unloaded_module_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_UNLOADED_MODULE_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * First address that it had.
     */
    uint64_t start;
    /**
     * First address behind it.
     */
    uint64_t end;
    /**
     * Time of unloading, a FILETIME.
     */
    uint64_t time;
    /**
     * File name, UTF-8, NUL-terminated, valid until the iterator's next call.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
    /**
     * The same without loss, as UTF-16 units without a terminator; valid as long.
     */
    const uint16_t *name_utf16;
    /**
     * Number of units of `name_utf16`.
     */
    size_t name_utf16_length;
} wvmi_unloaded_module;

/**
 * What a region holds; one of the `WVMI_REGION_*` numbers.
 */
typedef uint32_t wvmi_region_kind;

/**
 * What is known about a region, filled by `wvmi_region_at()`,
 * `wvmi_region_info()` and `wvmi_region_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_REGION_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the `_MMVAD`; always filled.
     */
    uint64_t vad;
    /**
     * First address (`StartingVpn`).
     */
    uint64_t start;
    /**
     * First address behind the region (`EndingVpn`).
     */
    uint64_t end;
    /**
     * Pages charged to the process (`CommitCharge`); `UINT64_MAX` for the value
     * that means "not charged".
     */
    uint64_t commit_charge;
    /**
     * Address of the section's `_CONTROL_AREA`; 0 for private regions.
     */
    uint64_t control_area;
    /**
     * Address of the mapped `_FILE_OBJECT`; 0 when no file is mapped.
     */
    uint64_t file;
    /**
     * What the region holds.
     */
    wvmi_region_kind kind;
    /**
     * Protection that it was made with, as Windows numbers it (`MM_*`): bits 0
     * to 2 are 0 no access, 1 read, 2 execute, 3 execute and read, 4 read and
     * write, 5 copy on write, 6 execute, read and write, 7 execute and copy on
     * write; bits 3 and 4 are 1 no cache, 2 guard, 3 write combine.
     */
    uint32_t protection;
    /**
     * 1 when a private region is committed as a whole (`MemCommit`).
     */
    uint32_t committed;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * Path of the mapped file, UTF-8, NUL-terminated; NULL when there is none.
     * Filled by the iterator only, which keeps it until its next call;
     * `wvmi_region_path()` copies it.
     */
    const char *path;
    /**
     * Length of `path` in bytes.
     */
    size_t path_length;
} wvmi_region_details;

/**
 * A region of a process: the address of its descriptor (`_MMVAD`). A value,
 * nothing to free.
 */
typedef struct {
    /**
     * Address of the `_MMVAD`.
     */
    uint64_t vad;
} wvmi_region;

/**
 * A module of a process: an executable or a DLL. A value, nothing to free.
 */
typedef struct {
    /**
     * Object of the process that it is mapped in.
     */
    uint64_t process;
    /**
     * Address of its first byte.
     */
    uint64_t base;
    /**
     * Address of the loader's entry (`_LDR_DATA_TABLE_ENTRY`); 0 for an image
     * that is on no list.
     */
    uint64_t entry;
    /**
     * The loader's lists that it is on: `WVMI_LOADER_LIST_*` bits. 0 for an image
     * that was mapped behind the loader's back, or unlinked.
     */
    uint32_t lists;
    /**
     * 1 for 32-bit code, 0 for 64-bit code.
     */
    uint32_t wow64;
} wvmi_user_module;

/**
 * What is known about a module of a process, filled by
 * `wvmi_user_module_info()` and `wvmi_user_module_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_USER_MODULE_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the first byte; always filled.
     */
    uint64_t base;
    /**
     * Size in bytes: what the loader says, else the headers, else the region.
     */
    uint64_t size;
    /**
     * Entry point; 0 when there is none.
     */
    uint64_t entry_point;
    /**
     * Address of the loader's entry; 0 for an image that is on no list.
     */
    uint64_t entry;
    /**
     * Link time stamp of the image.
     */
    uint32_t time_date_stamp;
    /**
     * 1 for 32-bit code, 0 for 64-bit code.
     */
    uint32_t wow64;
    /**
     * The loader's lists that the module is on: `WVMI_LOADER_LIST_*` bits. 0 for
     * an image that was mapped behind the loader's back, or unlinked.
     */
    uint32_t lists;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * File name, UTF-8, NUL-terminated. Filled by the iterator only, which
     * keeps it until its next call; `wvmi_user_module_text()` copies it.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
    /**
     * Path: what the loader says, else what the kernel says; as `name`.
     */
    const char *path;
    /**
     * Length of `path` in bytes.
     */
    size_t path_length;
} wvmi_user_module_details;

/**
 * A text of a module of a process; one of the `WVMI_USER_MODULE_TEXT_*` numbers.
 */
typedef uint32_t wvmi_user_module_text_kind;

/**
 * An executable image in memory: where its first byte is. A value, nothing to
 * free; `wvmi_module_pe()` and `wvmi_user_module_pe()` give it for modules.
 */
typedef struct {
    /**
     * The address space that it is read from. In `WVMI_SPACE_PROCESS` its bytes
     * are found as by `wvmi_process_read()`, in the session's page files, too;
     * in others as by `wvmi_read()`.
     */
    wvmi_space space;
    /**
     * Address of its first byte.
     */
    uint64_t base;
} wvmi_pe;

/**
 * A data directory of an image (`IMAGE_DATA_DIRECTORY`).
 */
typedef struct {
    /**
     * Where it starts, relative to the base; 0 without one.
     */
    uint32_t rva;
    /**
     * Its size in bytes.
     */
    uint32_t size;
} wvmi_pe_directory;

/**
 * The headers of an image, filled by `wvmi_pe_info()`.
 */
typedef struct {
    /**
     * Preferred base address (`ImageBase`).
     */
    uint64_t image_base;
    /**
     * Width of its addresses: 32 or 64.
     */
    uint32_t bits;
    /**
     * Machine (`Machine`): 0x8664 for x64, 0x14c for x86.
     */
    uint32_t machine;
    /**
     * Link time, seconds since 1970 or a hash (`TimeDateStamp`).
     */
    uint32_t time_date_stamp;
    /**
     * Flags of the file (`FileHeader.Characteristics`).
     */
    uint32_t characteristics;
    /**
     * Flags of the image (`DllCharacteristics`).
     */
    uint32_t dll_characteristics;
    /**
     * Subsystem (`Subsystem`): 1 native, 2 windows, 3 console.
     */
    uint32_t subsystem;
    /**
     * Entry point relative to the base; 0 without one (`AddressOfEntryPoint`).
     */
    uint32_t entry_point;
    /**
     * Size of the loaded image in bytes (`SizeOfImage`).
     */
    uint32_t size_of_image;
    /**
     * Size of all headers in bytes (`SizeOfHeaders`).
     */
    uint32_t size_of_headers;
    /**
     * Checksum (`CheckSum`).
     */
    uint32_t checksum;
    /**
     * Major version of the operating system that it asks for.
     */
    uint32_t os_major;
    /**
     * Minor version of the operating system that it asks for.
     */
    uint32_t os_minor;
    /**
     * Number of sections (`NumberOfSections`).
     */
    uint32_t section_count;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * Data directories in their order: 0 exports, 1 imports, 2 resources,
     * 3 exceptions, 4 security (`rva` is a file offset), 5 relocations, 6 debug,
     * 9 thread-local storage, 10 load configuration, 12 import addresses,
     * 13 delayed imports.
     */
    wvmi_pe_directory directories[WVMI_PE_DIRECTORIES];
} wvmi_pe_details;

/**
 * The identity of the PDB that was made with an image, filled by
 * `wvmi_pe_codeview()`.
 */
typedef struct {
    /**
     * GUID, in the byte order of the record.
     */
    uint8_t guid[16];
    /**
     * Age.
     */
    uint32_t age;
    /**
     * Length of the whole name, which may be cut in `pdb`.
     */
    uint32_t pdb_length;
    /**
     * File name of the PDB without a path, UTF-8, NUL-terminated.
     */
    char pdb[256];
} wvmi_pe_codeview_record;

/**
 * A section of an image (`IMAGE_SECTION_HEADER`).
 */
typedef struct {
    /**
     * Name, at most eight bytes, NUL-terminated; not always UTF-8.
     */
    char name[12];
    /**
     * Where it is loaded, relative to the base (`VirtualAddress`).
     */
    uint32_t rva;
    /**
     * Size when loaded, in bytes; 0 means that `file_size` counts
     * (`VirtualSize`).
     */
    uint32_t virtual_size;
    /**
     * Offset of its data in the file (`PointerToRawData`).
     */
    uint32_t file_offset;
    /**
     * Size of its data in the file, in bytes (`SizeOfRawData`).
     */
    uint32_t file_size;
    /**
     * Flags (`IMAGE_SCN_*`, `Characteristics`).
     */
    uint32_t characteristics;
} wvmi_pe_section;

/**
 * An exported symbol.
 */
typedef struct {
    /**
     * Address; 0 for a forwarder.
     */
    uint64_t address;
    /**
     * Address relative to the base; 0 for a forwarder.
     */
    uint32_t rva;
    /**
     * Ordinal, with the directory's base added.
     */
    uint32_t ordinal;
    /**
     * Name, NUL-terminated; NULL for an export by ordinal only. Valid until the
     * iterator's next call.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
    /**
     * Of a forwarder, the export that it stands for (`"NTDLL.RtlAllocateHeap"`,
     * `"NTDLL.#7"`), else NULL; as `name`.
     */
    const char *forwarder;
    /**
     * Length of `forwarder` in bytes.
     */
    size_t forwarder_length;
} wvmi_pe_export;

/**
 * An imported symbol.
 */
typedef struct {
    /**
     * Address of the slot that the loader fills with the symbol's address.
     */
    uint64_t slot;
    /**
     * The same, relative to the base.
     */
    uint32_t slot_rva;
    /**
     * Ordinal, for an import without a name.
     */
    uint32_t ordinal;
    /**
     * Likely index in the exporter's name table, for an import by name.
     */
    uint32_t hint;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * File name of the module that is imported from, NUL-terminated. Valid until
     * the iterator's next call.
     */
    const char *module;
    /**
     * Length of `module` in bytes.
     */
    size_t module_length;
    /**
     * Name of the symbol; NULL for an import by ordinal; as `module`.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
} wvmi_pe_import;

/**
 * How the bytes of an extracted image are ordered; one of the
 * `WVMI_PE_LAYOUT_*` numbers.
 */
typedef uint32_t wvmi_pe_layout;

/**
 * Bytes of an extracted image that are zeros because they are not in memory.
 */
typedef struct {
    /**
     * Offset of the first one in the extracted image.
     */
    uint64_t offset;
    /**
     * How many.
     */
    uint64_t length;
    /**
     * Why: one of `WVMI_FAULT_*`.
     */
    wvmi_fault_kind fault;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_pe_missing;

/**
 * Kind of an object; one of the `WVMI_OBJECT_*` numbers.
 *
 * The numbers are the library's own and the same for every Windows;
 * `wvmi_object_kind_name()` gives the names.
 */
typedef uint32_t wvmi_object_kind;

/**
 * What is known about a handle, filled by `wvmi_handle_info()` and
 * `wvmi_handle_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_HANDLE_VALID_*` bits;
     * `handle`, `object`, `attributes` and `granted_access` always are.
     */
    uint64_t valid;
    /**
     * Handle value.
     */
    uint64_t handle;
    /**
     * Address of the object's body.
     */
    uint64_t object;
    /**
     * Attributes: `WVMI_HANDLE_*` bits.
     */
    uint32_t attributes;
    /**
     * Access rights that the handle was opened with, an `ACCESS_MASK`.
     */
    uint32_t granted_access;
    /**
     * What the object is: one of the `WVMI_OBJECT_*` numbers.
     */
    wvmi_object_kind kind;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * Name of the object's type (`"File"`), UTF-8, NUL-terminated. Filled by
     * the iterator only, which keeps it until its next call;
     * `wvmi_object_type_name()` copies it.
     */
    const char *type_name;
    /**
     * Length of `type_name` in bytes.
     */
    size_t type_name_length;
} wvmi_handle_details;

/**
 * An object: the address of its body. A value, nothing to free.
 */
typedef struct {
    /**
     * Address of the object's body, which follows its `_OBJECT_HEADER`.
     */
    uint64_t object;
} wvmi_object;

/**
 * What governs the handle table of a process, filled by
 * `wvmi_handle_table_info()`.
 */
typedef struct {
    /**
     * Address of the `_HANDLE_TABLE`.
     */
    uint64_t address;
    /**
     * Address of the top table, with the number of levels below it in its low
     * 2 bits (`_HANDLE_TABLE.TableCode`).
     */
    uint64_t table_code;
    /**
     * First handle value that the table has no room for
     * (`_HANDLE_TABLE.NextHandleNeedingPool`).
     */
    uint32_t next_handle_needing_pool;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_handle_table_details;

/**
 * What is known about an object, filled by `wvmi_object_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_OBJECT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * Address of the `_OBJECT_HEADER`; always filled.
     */
    uint64_t header;
    /**
     * Number of references, in the kernel's own reckoning: Windows 8 and later
     * count in advance for each handle (`_OBJECT_HEADER.PointerCount`).
     */
    int64_t pointer_count;
    /**
     * Number of open handles (`_OBJECT_HEADER.HandleCount`).
     */
    int64_t handle_count;
    /**
     * Address of the security descriptor; 0 without one of its own
     * (`_OBJECT_HEADER.SecurityDescriptor`).
     */
    uint64_t security_descriptor;
    /**
     * What the object is: one of the `WVMI_OBJECT_*` numbers.
     */
    wvmi_object_kind kind;
    /**
     * Index of its type in the guest's table of types, decoded
     * (`_OBJECT_HEADER.TypeIndex`).
     */
    uint32_t type_index;
    /**
     * Flags as Windows numbers them: 1 new, 2 kernel, 4 kernel only,
     * 8 exclusive, 0x10 permanent, 0x20 default security quota, 0x40 single
     * handle entry, 0x80 deleted inline (`_OBJECT_HEADER.Flags`).
     */
    uint32_t flags;
    /**
     * Which optional headers it has, a bit for each (`_OBJECT_HEADER.InfoMask`).
     */
    uint32_t info_mask;
} wvmi_object_details;

/**
 * A token: the address of its `_TOKEN`. A value, nothing to free.
 */
typedef struct {
    /**
     * Address of the token object.
     */
    uint64_t object;
} wvmi_token;

/**
 * A text of an object; one of the `WVMI_OBJECT_TEXT_*` numbers.
 */
typedef uint32_t wvmi_object_text_kind;

/**
 * What is known about a type of objects, filled by `wvmi_object_type_info()` and
 * `wvmi_object_type_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_OBJECT_TYPE_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the type's own object, its `_OBJECT_TYPE`; always filled.
     */
    uint64_t object;
    /**
     * Index in the guest's table of types (`_OBJECT_TYPE.Index`).
     */
    uint32_t index;
    /**
     * What objects of the type are: one of the `WVMI_OBJECT_*` numbers.
     */
    wvmi_object_kind kind;
    /**
     * Number of objects (`_OBJECT_TYPE.TotalNumberOfObjects`).
     */
    uint32_t objects;
    /**
     * Number of handles to them (`_OBJECT_TYPE.TotalNumberOfHandles`).
     */
    uint32_t handles;
    /**
     * Most objects at one time (`_OBJECT_TYPE.HighWaterNumberOfObjects`).
     */
    uint32_t peak_objects;
    /**
     * Most handles at one time (`_OBJECT_TYPE.HighWaterNumberOfHandles`).
     */
    uint32_t peak_handles;
    /**
     * Name, `"File"`; cut to the array, whose size no name of Windows needs
     * (`_OBJECT_TYPE.Name`).
     */
    char name[64];
} wvmi_object_type_details;

/**
 * What drive letters mean to a process, filled by `wvmi_device_map_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_DEVICE_MAP_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the `_DEVICE_MAP`; always filled.
     */
    uint64_t address;
    /**
     * The directory with the map's own links, as a `wvmi_object`; 0 without one
     * (`_DEVICE_MAP.DosDevicesDirectory`).
     */
    uint64_t dos_devices;
    /**
     * The directory with the links of the whole system, `"\\GLOBAL??"`; 0
     * without one (`_DEVICE_MAP.GlobalDosDevicesDirectory`).
     */
    uint64_t global_dos_devices;
    /**
     * The map's own drives, bit 0 for `A:` (`_DEVICE_MAP.DriveMap`).
     */
    uint32_t drives;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_device_map_details;

/**
 * An object in a directory, filled by `wvmi_directory_iter_next()` and
 * `wvmi_directory_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_DIRECTORY_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body, a `wvmi_object`; always filled.
     */
    uint64_t object;
    /**
     * Name in the directory, UTF-8, NUL-terminated, valid until the iterator's
     * next call. Unpaired surrogates and NULs have become U+FFFD;
     * `wvmi_object_text_utf16()` gives the units as they are.
     */
    const char *name;
    /**
     * Length of `name` in bytes.
     */
    size_t name_length;
    /**
     * Name of the object's type (`"Directory"`), as `name`.
     */
    const char *type_name;
    /**
     * Length of `type_name` in bytes.
     */
    size_t type_name_length;
    /**
     * What the object is: one of the `WVMI_OBJECT_*` numbers.
     */
    wvmi_object_kind kind;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_directory_entry;

/**
 * What a caller passed to name an object, filled by
 * `wvmi_object_attributes_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_OBJECT_ATTRIBUTES_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Handle of the object that the name is relative to; 0 for none
     * (`_OBJECT_ATTRIBUTES.RootDirectory`).
     */
    uint64_t root_directory;
    /**
     * Flags as Windows numbers them, `OBJ_*` (`_OBJECT_ATTRIBUTES.Attributes`).
     */
    uint32_t attributes;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_object_attributes_details;

/**
 * A file object: the address of its `_FILE_OBJECT`. A value, nothing to free.
 */
typedef struct {
    /**
     * Address of the file object.
     */
    uint64_t object;
} wvmi_file;

/**
 * What is known about a file object, filled by `wvmi_file_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_FILE_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the file object; always filled.
     */
    uint64_t object;
    /**
     * Address of the device object; 0 without one (`_FILE_OBJECT.DeviceObject`).
     */
    uint64_t device;
    /**
     * Address of the file object that the name is relative to; 0 without one
     * (`_FILE_OBJECT.RelatedFileObject`).
     */
    uint64_t related_file;
    /**
     * Position of the next synchronous access (`_FILE_OBJECT.CurrentByteOffset`).
     */
    uint64_t current_byte_offset;
    /**
     * Address of the section object pointers; 0 without them
     * (`_FILE_OBJECT.SectionObjectPointer`).
     */
    uint64_t section_object_pointers;
    /**
     * Flags as Windows numbers them, `FO_*` (`_FILE_OBJECT.Flags`).
     */
    uint32_t flags;
    /**
     * How the file was opened: `WVMI_FILE_ACCESS_*` bits.
     */
    uint32_t access;
    /**
     * 1 when it will be deleted on close (`_FILE_OBJECT.DeletePending`).
     */
    uint32_t delete_pending;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * Address of the `_CONTROL_AREA` of the file's pages as data; 0 while none
     * was cached or mapped (`_SECTION_OBJECT_POINTERS.DataSectionObject`).
     */
    uint64_t data_section;
    /**
     * Size of those pages in bytes (`_SEGMENT.SizeOfSegment`).
     */
    uint64_t data_section_size;
    /**
     * Address of the `_CONTROL_AREA` of the file as an executable image; 0 while
     * it is mapped as such nowhere (`_SECTION_OBJECT_POINTERS.ImageSectionObject`).
     */
    uint64_t image_section;
    /**
     * Size of the image in bytes (`_SEGMENT.SizeOfSegment`).
     */
    uint64_t image_section_size;
} wvmi_file_details;

/**
 * What is known about a section, filled by `wvmi_section_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_SECTION_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * First address of a section that is mapped at one place in all processes,
     * else 0 (`_SECTION.StartingVpn`, `_SECTION_OBJECT.StartingVa`).
     */
    uint64_t start;
    /**
     * First address behind such a section (`_SECTION.EndingVpn`,
     * `_SECTION_OBJECT.EndingVa`).
     */
    uint64_t end;
    /**
     * Size in bytes (`_SECTION.SizeOfSection`, `_SEGMENT.SizeOfSegment`).
     */
    uint64_t size;
    /**
     * Address of the `_CONTROL_AREA`; 0 for files of another machine.
     */
    uint64_t control_area;
    /**
     * Address of the `_SEGMENT` (`_CONTROL_AREA.Segment`).
     */
    uint64_t segment;
    /**
     * Address of the mapped `_FILE_OBJECT`, as a `wvmi_file` or a
     * `wvmi_object`; 0 for memory backed by the page file.
     */
    uint64_t file;
    /**
     * Number of views mapped (`_CONTROL_AREA.NumberOfMappedViews`).
     */
    uint64_t mapped_views;
    /**
     * Properties: `WVMI_SECTION_*` bits (`_CONTROL_AREA.u.Flags`).
     */
    uint32_t flags;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_section_details;

/**
 * What is known about an open registry key, filled by `wvmi_key_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_KEY_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * Address of the `_CM_KEY_CONTROL_BLOCK`, which all openers of the key share
     * (`_CM_KEY_BODY.KeyControlBlock`).
     */
    uint64_t control_block;
    /**
     * Address of the control block of the key above; 0 at the root
     * (`_CM_KEY_CONTROL_BLOCK.ParentKcb`).
     */
    uint64_t parent;
    /**
     * Address of the hive that holds the key (`_CM_KEY_CONTROL_BLOCK.KeyHive`).
     */
    uint64_t hive;
    /**
     * Index of the key's cell in its hive (`_CM_KEY_CONTROL_BLOCK.KeyCell`).
     */
    uint32_t cell;
    /**
     * Id of the process that opened the key (`_CM_KEY_BODY.ProcessID`).
     */
    uint32_t pid;
} wvmi_key_details;

/**
 * How waiting resets an event or a timer; one of the `WVMI_RESET_*` numbers.
 */
typedef uint32_t wvmi_reset_mode;

/**
 * What is known about an event object, filled by `wvmi_event_object_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_EVENT_OBJECT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * How waiting resets it (`_KEVENT.Header.Type`).
     */
    wvmi_reset_mode reset_mode;
    /**
     * 1 when it is set (`_KEVENT.Header.SignalState`).
     */
    uint32_t signalled;
} wvmi_event_object_details;

/**
 * What is known about a mutex, filled by `wvmi_mutant_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_MUTANT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * The thread that owns it, as a `wvmi_thread`; 0 while it is free
     * (`_KMUTANT.OwnerThread`).
     */
    uint64_t owner_thread;
    /**
     * 1 while it is free, less by one for each time that its owner acquired it
     * (`_KMUTANT.Header.SignalState`).
     */
    int32_t count;
    /**
     * 1 when an owner ended without releasing it (`_KMUTANT.Abandoned`).
     */
    uint32_t abandoned;
} wvmi_mutant_details;

/**
 * What is known about a semaphore, filled by `wvmi_semaphore_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_SEMAPHORE_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * How many more waits it lets pass (`_KSEMAPHORE.Header.SignalState`).
     */
    int32_t count;
    /**
     * The highest count (`_KSEMAPHORE.Limit`).
     */
    int32_t limit;
} wvmi_semaphore_details;

/**
 * What is known about a timer, filled by `wvmi_timer_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_TIMER_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * When it runs out, in units of 100 ns since the system started
     * (`_KTIMER.DueTime`).
     */
    uint64_t due_time;
    /**
     * Interval in milliseconds; 0 for a timer that runs once
     * (`_ETIMER.Period`).
     */
    uint32_t period;
    /**
     * How waiting resets it (`_KTIMER.Header.Type`).
     */
    wvmi_reset_mode reset_mode;
    /**
     * 1 when it has run out (`_KTIMER.Header.SignalState`).
     */
    uint32_t signalled;
    /**
     * 1 while it runs (`_KTIMER.Header.Inserted`).
     */
    uint32_t running;
} wvmi_timer_details;

/**
 * What is known about an ALPC port, filled by `wvmi_alpc_port_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_ALPC_PORT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * The process that owns the port, as a `wvmi_process`; 0 once it is gone
     * (`_ALPC_PORT.OwnerProcess`).
     */
    uint64_t owner_process;
    /**
     * The port that clients connect to, as a `wvmi_object`; 0 without one
     * (`_ALPC_COMMUNICATION_INFO.ConnectionPort`).
     */
    uint64_t connection_port;
    /**
     * The server's end of the connection; 0 without one
     * (`_ALPC_COMMUNICATION_INFO.ServerCommunicationPort`).
     */
    uint64_t server_port;
    /**
     * The client's end of the connection; 0 without one
     * (`_ALPC_COMMUNICATION_INFO.ClientCommunicationPort`).
     */
    uint64_t client_port;
} wvmi_alpc_port_details;

/**
 * What is known about a symbolic link, filled by `wvmi_symbolic_link_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_SYMBOLIC_LINK_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * Time of creation, a FILETIME (`_OBJECT_SYMBOLIC_LINK.CreationTime`).
     */
    uint64_t creation_time;
    /**
     * Flags as Windows numbers them (`_OBJECT_SYMBOLIC_LINK.Flags`).
     */
    uint32_t flags;
    /**
     * 1 when a driver's function computes the target each time; such a link has
     * no target text.
     */
    uint32_t callback;
    /**
     * The letter of a drive, `'C'`; 0 for other links
     * (`_OBJECT_SYMBOLIC_LINK.DosDeviceDriveIndex`).
     */
    uint32_t drive_letter;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_symbolic_link_details;

/**
 * What is known about a driver object of the guest, filled by `wvmi_driver_object_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_DRIVER_OBJECT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * Base of the image; 0 for drivers without one (`_DRIVER_OBJECT.DriverStart`).
     */
    uint64_t start;
    /**
     * Address of the driver's loader entry, `wvmi_module_details.entry`; 0 for
     * drivers without an image (`_DRIVER_OBJECT.DriverSection`).
     */
    uint64_t module_entry;
    /**
     * Entry function; 0 without one (`_DRIVER_OBJECT.DriverInit`).
     */
    uint64_t init;
    /**
     * Function that starts a request; 0 without one
     * (`_DRIVER_OBJECT.DriverStartIo`).
     */
    uint64_t start_io;
    /**
     * Function that unloads the driver; 0 for one that stays
     * (`_DRIVER_OBJECT.DriverUnload`).
     */
    uint64_t unload;
    /**
     * Functions for each kind of request, by `IRP_MJ_*` number
     * (`_DRIVER_OBJECT.MajorFunction`).
     */
    uint64_t major_functions[WVMI_MAJOR_FUNCTIONS];
    /**
     * Size of the image in bytes (`_DRIVER_OBJECT.DriverSize`).
     */
    uint32_t size;
    /**
     * Flags as Windows numbers them, `DRVO_*` (`_DRIVER_OBJECT.Flags`).
     */
    uint32_t flags;
} wvmi_driver_object_details;

/**
 * What is known about a device object, filled by `wvmi_device_object_info()` and
 * `wvmi_device_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_DEVICE_OBJECT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the object's body; always filled.
     */
    uint64_t object;
    /**
     * The driver that serves it, as a `wvmi_object`; 0 without one
     * (`_DEVICE_OBJECT.DriverObject`).
     */
    uint64_t driver;
    /**
     * The device on top of this one, which sees requests first; 0 without one
     * (`_DEVICE_OBJECT.AttachedDevice`).
     */
    uint64_t upper_device;
    /**
     * The device below this one, which this one was attached to; 0 without one
     * (`_DEVOBJ_EXTENSION.AttachedTo`).
     */
    uint64_t lower_device;
    /**
     * Address of the driver's own data; 0 without any
     * (`_DEVICE_OBJECT.DeviceExtension`).
     */
    uint64_t extension;
    /**
     * Type as Windows numbers it, `FILE_DEVICE_*` (`_DEVICE_OBJECT.DeviceType`).
     */
    uint32_t device_type;
    /**
     * Flags as Windows numbers them, `DO_*` (`_DEVICE_OBJECT.Flags`).
     */
    uint32_t flags;
    /**
     * Characteristics as Windows numbers them (`_DEVICE_OBJECT.Characteristics`).
     */
    uint32_t characteristics;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_device_object_details;

/**
 * What is known about a job, filled by `wvmi_job_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_JOB_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the job object (`_EJOB`); always filled.
     */
    uint64_t object;
    /**
     * The job that this one is nested in, as a `wvmi_object`; 0 without one
     * (`_EJOB.ParentJob`).
     */
    uint64_t parent;
    /**
     * User time of processes that ended, in units of 100 ns
     * (`_EJOB.TotalUserTime`).
     */
    uint64_t user_time;
    /**
     * Kernel time of processes that ended, in units of 100 ns
     * (`_EJOB.TotalKernelTime`).
     */
    uint64_t kernel_time;
    /**
     * Most committed bytes of each process (`_EJOB.ProcessMemoryLimit`).
     */
    uint64_t process_memory_limit;
    /**
     * Most committed bytes of all processes (`_EJOB.JobMemoryLimit`).
     */
    uint64_t job_memory_limit;
    /**
     * Lower bound of each working set in bytes (`_EJOB.MinimumWorkingSetSize`).
     */
    uint64_t minimum_working_set;
    /**
     * Upper bound of each working set in bytes (`_EJOB.MaximumWorkingSetSize`).
     */
    uint64_t maximum_working_set;
    /**
     * Which limits count: `WVMI_JOB_LIMIT_*` bits and others that Windows
     * numbers, `JOB_OBJECT_LIMIT_*` (`_EJOB.LimitFlags`).
     */
    uint32_t limits;
    /**
     * What the processes may not do to the desktop, `JOB_OBJECT_UILIMIT_*` bits
     * (`_EJOB.UIRestrictionsClass`).
     */
    uint32_t ui_restrictions;
    /**
     * Most processes at a time (`_EJOB.ActiveProcessLimit`).
     */
    uint32_t active_process_limit;
    /**
     * Number of processes in the job now (`_EJOB.ActiveProcesses`).
     */
    uint32_t active_processes;
    /**
     * Number of processes that ever were in the job (`_EJOB.TotalProcesses`).
     */
    uint32_t total_processes;
    /**
     * Number of processes that a limit ended (`_EJOB.TotalTerminatedProcesses`).
     */
    uint32_t terminated_processes;
    /**
     * Number of the terminal session that made the job (`_EJOB.SessionId`).
     */
    uint32_t session_id;
    /**
     * Number of the job; unknown before Windows 10 1607 (`_EJOB.JobId`).
     */
    uint32_t id;
} wvmi_job_details;

/**
 * A terminal session of the guest: the address of its `_MM_SESSION_SPACE`. A
 * value, nothing to free; not to be confused with a `wvmi_session`.
 */
typedef struct {
    /**
     * Address of the session's structure.
     */
    uint64_t address;
} wvmi_terminal_session;

/**
 * What is known about a terminal session, filled by
 * `wvmi_terminal_session_info()` and `wvmi_terminal_session_iter_next_many()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_TERMINAL_SESSION_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the session's structure; always filled.
     */
    uint64_t address;
    /**
     * Number: 0 for services, 1 and up for users
     * (`_MM_SESSION_SPACE.SessionId`).
     */
    uint32_t id;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_terminal_session_details;

/**
 * What is known about a token, filled by `wvmi_token_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_TOKEN_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the token object (`_TOKEN`); always filled.
     */
    uint64_t object;
    /**
     * Identifier of this token, a LUID (`_TOKEN.TokenId`).
     */
    uint64_t token_id;
    /**
     * Identifier of the logon session, a LUID (`_TOKEN.AuthenticationId`).
     */
    uint64_t authentication_id;
    /**
     * Identifier of the token that it was filtered from (`_TOKEN.ParentTokenId`).
     */
    uint64_t parent_id;
    /**
     * Changes with each change of the token (`_TOKEN.ModifiedId`).
     */
    uint64_t modified_id;
    /**
     * Identifier of the logon session that asked for this one
     * (`_TOKEN.OriginatingLogonSession`).
     */
    uint64_t originating_logon_id;
    /**
     * Privileges that the token has, a bit for each number
     * (`_TOKEN.Privileges.Present`); `wvmi_privilege_name()` names them.
     */
    uint64_t privileges_present;
    /**
     * Privileges that may be used now (`_TOKEN.Privileges.Enabled`).
     */
    uint64_t privileges_enabled;
    /**
     * Privileges that were enabled at first (`_TOKEN.Privileges.EnabledByDefault`).
     */
    uint64_t privileges_default;
    /**
     * `WVMI_TOKEN_PRIMARY` or `WVMI_TOKEN_IMPERSONATION`; other numbers in
     * damaged tokens (`_TOKEN.TokenType`).
     */
    uint32_t type;
    /**
     * 0 anonymous, 1 identification, 2 impersonation, 3 delegation; means
     * nothing in primary tokens (`_TOKEN.ImpersonationLevel`).
     */
    uint32_t impersonation_level;
    /**
     * Number of the terminal session (`_TOKEN.SessionId`).
     */
    uint32_t session_id;
    /**
     * `TOKEN_*` bits, as the kernel has them (`_TOKEN.TokenFlags`).
     */
    uint32_t flags;
    /**
     * 1 when a process was made with it (`_TOKEN.TokenInUse`).
     */
    uint32_t in_use;
    /**
     * One of `WVMI_ELEVATION_*`.
     */
    uint32_t elevation_type;
    /**
     * Integrity level: 0x1000 low, 0x2000 medium, 0x3000 high, 0x4000 system;
     * `WVMI_INTEGRITY_NONE` without one (`_TOKEN.IntegrityLevelIndex`).
     */
    uint32_t integrity_level;
    /**
     * `SE_GROUP_*` bits of the user (`_TOKEN.UserAndGroups[0]`).
     */
    uint32_t user_attributes;
    /**
     * Name of who made the token, such as `"User32"` (`_TOKEN.TokenSource`).
     */
    char source[32];
    /**
     * SID of the user, `"S-1-5-18"` (`_TOKEN.UserAndGroups[0]`).
     */
    char user[WVMI_SID_SIZE];
    /**
     * Name of the user when it is a well-known one, else empty.
     */
    char user_name[WVMI_SID_NAME_SIZE];
    /**
     * SID of the group of new objects; empty for none (`_TOKEN.PrimaryGroup`).
     */
    char primary_group[WVMI_SID_SIZE];
    /**
     * SID of the owner of new objects (`_TOKEN.DefaultOwnerIndex`).
     */
    char default_owner[WVMI_SID_SIZE];
} wvmi_token_details;

/**
 * Which SIDs of a token are listed.
 */
typedef uint32_t wvmi_token_sids;

/**
 * A SID as a token has it (`_SID_AND_ATTRIBUTES`).
 */
typedef struct {
    /**
     * What it counts for: `SE_GROUP_*` bits, as Windows defines them.
     */
    uint32_t attributes;
    /**
     * Its last sub-authority, which tells accounts of one issuer apart; 0 for
     * a SID without any.
     */
    uint32_t relative_id;
    /**
     * The text, `"S-1-5-32-544"`.
     */
    char text[WVMI_SID_SIZE];
    /**
     * The name, `"BUILTIN\\Administrators"`, when it is a well-known one, else
     * empty.
     */
    char name[WVMI_SID_NAME_SIZE];
} wvmi_token_sid;

/**
 * The symbol at or before an address, filled by `wvmi_symbols_at()` and
 * `wvmi_process_symbols_at()`.
 */
typedef struct {
    /**
     * Address of the symbol.
     */
    uint64_t address;
    /**
     * Distance from the symbol to the address that was asked, in bytes.
     */
    uint64_t displacement;
    /**
     * Length of the whole name, which may be cut in `name`.
     */
    size_t name_length;
    /**
     * `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` for an address outside of all modules or
     * before a module's first symbol; `WVMI_ERROR_FAULT` or `WVMI_ERROR_CORRUPT`
     * when the module's exports cannot be read and it has no other symbols.
     */
    wvmi_status status;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * Name without the module's, NUL-terminated; of an export without a name its
     * ordinal, `"#7"`.
     */
    char name[256];
    /**
     * Base of the module.
     */
    uint64_t module_base;
    /**
     * File name of the module, `"nt"` for the kernel, NUL-terminated, cut when it
     * is longer.
     */
    char module_name[64];
} wvmi_symbol_match;

/**
 * Where a member of a structure is, filled by `wvmi_field_offset()`.
 */
typedef struct {
    /**
     * Offset from the start of the outermost structure, in bytes.
     */
    uint64_t offset;
    /**
     * Size in bytes; of a bit field, that of the integer that holds it; 0
     * where the symbols do not tell.
     */
    uint64_t size;
    /**
     * Lowest bit of a bit field.
     */
    uint32_t bit_position;
    /**
     * Number of bits of a bit field; 0 for other members.
     */
    uint32_t bit_length;
} wvmi_field;

/**
 * A segment register with its hidden part.
 */
typedef struct {
    /**
     * Base address.
     */
    uint64_t base;
    /**
     * Limit in bytes.
     */
    uint32_t limit;
    /**
     * Access rights: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15.
     * 0 when the back end does not know them.
     */
    uint32_t access;
    /**
     * Selector.
     */
    uint32_t selector;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_segment_register;

/**
 * GDTR or IDTR.
 */
typedef struct {
    /**
     * Base address.
     */
    uint64_t base;
    /**
     * Limit in bytes.
     */
    uint32_t limit;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_descriptor_table;

/**
 * Registers of one x86-64 virtual processor. What the back end cannot know is 0.
 */
typedef struct {
    /**
     * General-purpose register RAX.
     */
    uint64_t rax;
    /**
     * General-purpose register RBX.
     */
    uint64_t rbx;
    /**
     * General-purpose register RCX.
     */
    uint64_t rcx;
    /**
     * General-purpose register RDX.
     */
    uint64_t rdx;
    /**
     * General-purpose register RSI.
     */
    uint64_t rsi;
    /**
     * General-purpose register RDI.
     */
    uint64_t rdi;
    /**
     * General-purpose register RBP.
     */
    uint64_t rbp;
    /**
     * General-purpose register RSP.
     */
    uint64_t rsp;
    /**
     * General-purpose register R8.
     */
    uint64_t r8;
    /**
     * General-purpose register R9.
     */
    uint64_t r9;
    /**
     * General-purpose register R10.
     */
    uint64_t r10;
    /**
     * General-purpose register R11.
     */
    uint64_t r11;
    /**
     * General-purpose register R12.
     */
    uint64_t r12;
    /**
     * General-purpose register R13.
     */
    uint64_t r13;
    /**
     * General-purpose register R14.
     */
    uint64_t r14;
    /**
     * General-purpose register R15.
     */
    uint64_t r15;
    /**
     * Instruction pointer.
     */
    uint64_t rip;
    /**
     * Flags.
     */
    uint64_t rflags;
    /**
     * Control register 0.
     */
    uint64_t cr0;
    /**
     * Control register 2: address of the last page fault.
     */
    uint64_t cr2;
    /**
     * Control register 3: page-table root and flags.
     */
    uint64_t cr3;
    /**
     * Control register 4.
     */
    uint64_t cr4;
    /**
     * Control register 8: task priority, the IRQL in Windows.
     */
    uint64_t cr8;
    /**
     * Extended control register 0.
     */
    uint64_t xcr0;
    /**
     * Debug address 0.
     */
    uint64_t dr0;
    /**
     * Debug address 1.
     */
    uint64_t dr1;
    /**
     * Debug address 2.
     */
    uint64_t dr2;
    /**
     * Debug address 3.
     */
    uint64_t dr3;
    /**
     * Debug status.
     */
    uint64_t dr6;
    /**
     * Debug control.
     */
    uint64_t dr7;
    /**
     * MSR `IA32_SYSENTER_CS`.
     */
    uint64_t sysenter_cs;
    /**
     * MSR `IA32_SYSENTER_ESP`.
     */
    uint64_t sysenter_esp;
    /**
     * MSR `IA32_SYSENTER_EIP`.
     */
    uint64_t sysenter_eip;
    /**
     * MSR `IA32_KERNEL_GS_BASE`.
     */
    uint64_t kernel_gs_base;
    /**
     * MSR `IA32_EFER`.
     */
    uint64_t efer;
    /**
     * MSR `IA32_STAR`.
     */
    uint64_t star;
    /**
     * MSR `IA32_LSTAR`: 64-bit system-call entry.
     */
    uint64_t lstar;
    /**
     * MSR `IA32_CSTAR`: 32-bit system-call entry.
     */
    uint64_t cstar;
    /**
     * MSR `IA32_FMASK`.
     */
    uint64_t fmask;
    /**
     * MSR `IA32_TSC_AUX`.
     */
    uint64_t tsc_aux;
    /**
     * Code segment.
     */
    wvmi_segment_register cs;
    /**
     * Data segment.
     */
    wvmi_segment_register ds;
    /**
     * Extra segment.
     */
    wvmi_segment_register es;
    /**
     * Segment FS.
     */
    wvmi_segment_register fs;
    /**
     * Segment GS.
     */
    wvmi_segment_register gs;
    /**
     * Stack segment.
     */
    wvmi_segment_register ss;
    /**
     * Task register.
     */
    wvmi_segment_register tr;
    /**
     * Local descriptor table register.
     */
    wvmi_segment_register ldtr;
    /**
     * Global descriptor table register.
     */
    wvmi_descriptor_table gdtr;
    /**
     * Interrupt descriptor table register.
     */
    wvmi_descriptor_table idtr;
} wvmi_registers;

/**
 * What a trap frame holds beside registers, filled by `wvmi_trap_frame_info()`.
 */
typedef struct {
    /**
     * Which of the other fields were read: `WVMI_TRAP_FRAME_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Address of the `_KTRAP_FRAME`; always filled.
     */
    uint64_t address;
    /**
     * Instruction that the processor returns to (`Rip`).
     */
    uint64_t rip;
    /**
     * Stack pointer that it returns to (`Rsp`).
     */
    uint64_t rsp;
    /**
     * Error code of the exception (`ErrorCode`).
     */
    uint64_t error_code;
    /**
     * Address that a page fault was about (`FaultAddress`).
     */
    uint64_t fault_address;
    /**
     * Address of the frame before this one; mostly 0 (`TrapFrame`).
     */
    uint64_t previous_frame;
    /**
     * Places of the first four arguments (`P1Home` to `P4Home`).
     */
    uint64_t homes[4];
    /**
     * `XMM0` to `XMM5`, low half first (`Xmm0` to `Xmm5`).
     */
    uint64_t xmm[6][2];
    /**
     * SSE control and status (`MxCsr`).
     */
    uint32_t mx_csr;
    /**
     * 1 when the processor came from user mode (`SegCs`).
     */
    uint32_t from_user_mode;
    /**
     * Previous mode of the thread: 0 kernel, 1 user (`PreviousMode`).
     */
    uint32_t previous_mode;
    /**
     * Interrupt level that the processor returns to (`PreviousIrql`).
     */
    uint32_t previous_irql;
    /**
     * 0 after an interrupt, 1 after an exception, 2 after a system call
     * (`ExceptionActive`).
     */
    uint32_t exception_active;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_trap_frame_details;

/**
 * An exception record, filled by `wvmi_exception_record_read()`.
 */
typedef struct {
    /**
     * Code, an `NTSTATUS` (`ExceptionCode`).
     */
    uint32_t code;
    /**
     * Flags; bit 0: execution cannot go on (`ExceptionFlags`).
     */
    uint32_t flags;
    /**
     * Address of the record of the exception that this one followed, or 0
     * (`ExceptionRecord`).
     */
    uint64_t next;
    /**
     * Instruction that failed (`ExceptionAddress`).
     */
    uint64_t address;
    /**
     * How many words of `information` count, at most 15 (`NumberParameters`).
     */
    uint32_t information_count;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * Facts that depend on the code; of an access violation what was tried (0
     * read, 1 write, 8 execute) and where (`ExceptionInformation`).
     */
    uint64_t information[15];
} wvmi_exception_record;

/**
 * Why an event came; one of the `WVMI_EVENT_*` numbers.
 */
typedef uint32_t wvmi_event_kind;

/**
 * An event, filled by `wvmi_event_info()`.
 */
typedef struct {
    /**
     * Which of the other fields are filled: `WVMI_EVENT_VALID_*` bits.
     */
    uint64_t valid;
    /**
     * Rises with each event of the session.
     */
    uint64_t sequence;
    /**
     * When the event was handled; a FILETIME.
     */
    uint64_t time;
    /**
     * The hook that is called.
     */
    uint64_t hook;
    /**
     * Address that the hook was inserted at; 0 for hooks without an address.
     */
    uint64_t address;
    /**
     * Hits that a suspension swallowed since the last call.
     */
    uint64_t missed;
    /**
     * Memory access: its physical address.
     */
    uint64_t memory_physical;
    /**
     * Memory access: its virtual address.
     */
    uint64_t memory_virtual;
    /**
     * Written register: its value before.
     */
    uint64_t old_value;
    /**
     * Written register: its value after.
     */
    uint64_t new_value;
    /**
     * The process that owns the thread.
     */
    wvmi_process process;
    /**
     * The process whose address space the thread uses.
     */
    wvmi_process attached;
    /**
     * The thread.
     */
    wvmi_thread thread;
    /**
     * Why the event came: one of the `WVMI_EVENT_*` numbers.
     */
    wvmi_event_kind kind;
    /**
     * What the kind says.
     */
    uint32_t number;
    /**
     * Memory access: read 1, write 2, execute 4.
     */
    uint32_t access;
    /**
     * `WVMI_EVENT_NOT_RESIDENT`, `_SUSPENDED`, `_PAGE_WALK`, `_INPUT` and
     * `_STRING` bits.
     */
    uint32_t flags;
    /**
     * 1, and one more each time after `WVMI_ACTION_RETRY`.
     */
    uint32_t attempt;
    /**
     * The stopped processor.
     */
    uint32_t vcpu;
    /**
     * Id of `process`.
     */
    uint32_t process_id;
    /**
     * Id of the process that created `process`.
     */
    uint32_t parent_process_id;
    /**
     * Id of `thread`.
     */
    uint32_t thread_id;
    /**
     * 0 when the thread's system call came from the kernel, 1 from user mode.
     */
    uint32_t previous_mode;
    /**
     * Interrupt request level of the processor.
     */
    uint32_t irql;
    /**
     * Port: bytes accessed. `CPUID` and interrupts: bytes of the instruction.
     */
    uint32_t length;
    /**
     * Address of the session structure of `process`, 0 for system processes.
     */
    uint64_t session;
    /**
     * Image file name of `process`, as the kernel keeps it: cut at 14 bytes.
     */
    uint8_t image_name[16];
    /**
     * The registers of the stopped processor.
     */
    wvmi_registers registers;
} wvmi_event_details;

/**
 * How an interrupt comes about; one of the `WVMI_INTERRUPT_*` numbers, which
 * are those of the processor's VMCS.
 */
typedef uint32_t wvmi_interrupt_kind;

/**
 * An interrupt or exception.
 */
typedef struct {
    /**
     * CR2 for a page fault, DR6 bits for a debug exception, else 0.
     */
    uint64_t extra;
    /**
     * Vector, 0 to 255.
     */
    uint32_t vector;
    /**
     * How it comes about: one of the `WVMI_INTERRUPT_*` numbers.
     */
    wvmi_interrupt_kind kind;
    /**
     * Error code, when `has_error_code` is 1.
     */
    uint32_t error_code;
    /**
     * 1 for a vector that pushes an error code, else 0.
     */
    uint32_t has_error_code;
    /**
     * Length of the instruction that raises it, in bytes.
     */
    uint32_t instruction_length;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_driver_interrupt;

/**
 * One stopped virtual processor, told by a back end. Zero it first.
 */
typedef struct {
    /**
     * Its registers, valid until it is answered; NULL for all zero. At least
     * RIP, RSP, RFLAGS, CR0, CR3, CR4, EFER and the segments are needed.
     */
    const wvmi_registers *registers;
    /**
     * `sizeof *registers`.
     */
    size_t registers_size;
    /**
     * Memory access: physical address.
     */
    uint64_t memory_physical;
    /**
     * Memory access: virtual address, with `WVMI_DRIVER_EVENT_VIRTUAL`.
     */
    uint64_t memory_virtual;
    /**
     * Written register: value before. `CPUID`: the subleaf.
     */
    uint64_t old_value;
    /**
     * Written register: value after.
     */
    uint64_t new_value;
    /**
     * What was about to be delivered (`WVMI_EVENT_INTERRUPT`).
     */
    wvmi_driver_interrupt interrupt;
    /**
     * Why it stopped: a `WVMI_EVENT_*` number. A breakpoint that was hit is
     * `WVMI_EVENT_INTERRUPT` with vector 3 and
     * `WVMI_INTERRUPT_SOFTWARE_EXCEPTION`, RIP at the `INT3`. What the library
     * does not know is answered with a plain continue.
     */
    wvmi_event_kind kind;
    /**
     * Register 0, 3, 4 or 8 (XCR0), MSR, `CPUID` leaf, or port.
     */
    uint32_t number;
    /**
     * Memory access: read 1, write 2, execute 4, or a sum.
     */
    uint32_t access;
    /**
     * `CPUID`: length of the instruction. Port: bytes accessed.
     */
    uint32_t length;
    /**
     * The stopped processor.
     */
    uint32_t vcpu;
    /**
     * View it ran in, with `WVMI_DRIVER_EVENT_VIEW`.
     */
    uint32_t view;
    /**
     * `WVMI_DRIVER_EVENT_*` bits.
     */
    uint32_t flags;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_driver_event;

/**
 * What a stopped processor does next; one of the `WVMI_DRIVER_*` action numbers.
 */
typedef uint32_t wvmi_driver_action;

/**
 * The answer to a `wvmi_driver_event`.
 */
typedef struct {
    /**
     * General-purpose registers, RIP and RFLAGS to load before the processor
     * goes on; NULL leaves them. Valid until the next answer is asked for or
     * `wait_events` returns.
     */
    const wvmi_registers *registers;
    /**
     * Bytes at `registers`: of a newer library it may be more, of an older one
     * less than `sizeof *registers`.
     */
    size_t registers_size;
    /**
     * What the processor does next.
     */
    wvmi_driver_action action;
    /**
     * View of `WVMI_DRIVER_FAST_SINGLE_STEP`.
     */
    uint32_t step_view;
    /**
     * With `WVMI_DRIVER_RESPONSE_VIEW`: view to run in.
     */
    uint32_t view;
    /**
     * `WVMI_DRIVER_RESPONSE_*` bits.
     */
    uint32_t flags;
} wvmi_driver_response;

/**
 * Answers an event; given to `wait_events` of a back end, which calls it in
 * its own thread, for one event after the other, before it returns.
 *
 * `answer_context` is what `wait_events` was given with it. `event` tells what
 * happened, `event_size` is `sizeof *event`; `response` receives the answer,
 * `response_size` is `sizeof *response`.
 *
 * Called in another thread, or while it runs, it answers with a plain continue.
 */
typedef void (*wvmi_driver_answer)(void *answer_context,
                                   const wvmi_driver_event *event,
                                   size_t event_size,
                                   wvmi_driver_response *response,
                                   size_t response_size);

/**
 * The functions of a back end that the host brings along.
 *
 * Zero the table first; what is left NULL or 0 the back end lacks. Only
 * `read_physical` is required. All functions get the `context` that
 * `wvmi_session_open_driver()` was given, must be callable from any number of
 * threads at once, and must return: no `longjmp`, no C++ exception. They must
 * not call functions with the session that they serve. The library never
 * believes them blindly: addresses and lengths that make no sense end a walk.
 *
 * From `pause` on the table is for a running guest. Functions that belong
 * together come together: control (`pause`, `resume`, `reset_events`); frames
 * (`allocate_frame`, `free_frame`); views (all seven; they need frames, events
 * and `write_physical`); events (`enable_events`, `disable_events`,
 * `wait_events`; they need control and `get_registers`). With views,
 * breakpoints are hidden; without them they are written into the guest's own
 * code. These functions return `WVMI_OK` or an error; an error leaves the guest
 * as it was. Frames are named by the physical address of their first byte.
 */
typedef struct {
    /**
     * Physical bytes that can be read, for `wvmi_session_info()`; 0 when unknown.
     */
    uint64_t memory_size;
    /**
     * Physical address of a page-table root that maps the kernel; 0 when
     * unknown. It is verified.
     */
    uint64_t root;
    /**
     * Address of the kernel image; 0 when unknown. It is verified.
     */
    uint64_t kernel_base;
    /**
     * Number of virtual processors; 0 when unknown.
     */
    uint32_t vcpus;
    /**
     * 1 when the guest is running while it is looked at, else 0: nothing about
     * a running guest is remembered.
     */
    uint32_t live;
    /**
     * Reads `size` bytes at a physical address; they lie within one 4 KiB page.
     *
     * Returns `WVMI_OK` when all bytes were read, `WVMI_ERROR_FAULT` when the
     * guest has no such memory, or any other error when reading failed.
     */
    wvmi_status (*read_physical)(void *context, uint64_t address, uint8_t *buffer, size_t size);
    /**
     * Overwrites `size` bytes at a physical address; they lie within one page.
     *
     * Returns as `read_physical`.
     */
    wvmi_status (*write_physical)(void *context,
                                  uint64_t address,
                                  const uint8_t *bytes,
                                  size_t size);
    /**
     * Tells the first run of physical memory that ends after `from`: its first
     * byte and its length, in whole pages.
     *
     * Returns `WVMI_OK`, or `WVMI_END` when there is none. Without it, memory
     * is taken to be one run from 0 to `memory_size`.
     */
    wvmi_status (*next_run)(void *context, uint64_t from, uint64_t *start, uint64_t *length);
    /**
     * Reads the registers of a virtual processor into a structure of `size` bytes.
     *
     * Returns `WVMI_OK` or an error.
     */
    wvmi_status (*get_registers)(void *context,
                                 uint32_t vcpu,
                                 wvmi_registers *registers,
                                 size_t size);
    /**
     * Sets the registers of a virtual processor from a structure of `size` bytes.
     *
     * Returns `WVMI_OK` or an error.
     */
    wvmi_status (*set_registers)(void *context,
                                 uint32_t vcpu,
                                 const wvmi_registers *registers,
                                 size_t size);
    /**
     * Releases `context`: called once, after the last call of the others, when
     * the session and all that belongs to it is gone, or when opening fails.
     */
    wvmi_release_callback release;
    /**
     * Stops all processors; counted.
     */
    wvmi_status (*pause)(void *context);
    /**
     * Undoes one `pause`.
     */
    wvmi_status (*resume)(void *context);
    /**
     * Ends every report and every single step that the back end was asked for.
     * Events that are on their way are still answered.
     */
    wvmi_status (*reset_events)(void *context);
    /**
     * Queues an interrupt, a structure of `size` bytes, for a processor, which
     * takes it before its next instruction. May be NULL: then pages that the
     * guest does not have in memory cannot be brought in.
     */
    wvmi_status (*inject)(void *context,
                          uint32_t vcpu,
                          const wvmi_driver_interrupt *interrupt,
                          size_t size);
    /**
     * Adds a page to the guest, outside of what it knows, and tells where.
     */
    wvmi_status (*allocate_frame)(void *context, uint64_t *frame);
    /**
     * Takes an allocated page back.
     */
    wvmi_status (*free_frame)(void *context, uint64_t frame);
    /**
     * Makes a view, in which each page may be accessed as `access` says: read 1,
     * write 2, execute 4. `view` receives its number, below 65536 and never
     * `default_view`.
     */
    wvmi_status (*create_view)(void *context, uint32_t access, uint32_t *view);
    /**
     * Destroys a view that no processor runs in. Returns `WVMI_ERROR_NOT_FOUND`
     * when there is none of this number.
     */
    wvmi_status (*destroy_view)(void *context, uint32_t view);
    /**
     * Moves all processors into a view.
     */
    wvmi_status (*switch_view)(void *context, uint32_t view);
    /**
     * Shows the page `shown` where the view showed `frame`, with all rights.
     * `read_physical` and `write_physical` go past views.
     */
    wvmi_status (*remap_page)(void *context, uint32_t view, uint64_t frame, uint64_t shown);
    /**
     * Shows `frame` itself again, with all rights.
     */
    wvmi_status (*reset_page)(void *context, uint32_t view, uint64_t frame);
    /**
     * Tells how a page may be accessed in a view.
     */
    wvmi_status (*get_page_access)(void *context,
                                   uint32_t view,
                                   uint64_t frame,
                                   uint32_t *access);
    /**
     * Sets how a page may be accessed in a view; other accesses are reported
     * with `WVMI_EVENT_MEMORY`. The bit 8 in `access` lets the processors' own
     * page walks read and write the page all the same.
     */
    wvmi_status (*set_page_access)(void *context, uint32_t view, uint64_t frame, uint32_t access);
    /**
     * Begins to report: `WVMI_EVENT_INTERRUPT` for vector `number` (3 and 1 at
     * least), `WVMI_EVENT_CONTROL_REGISTER` for register `number` (0, 3, 4, or 8
     * for XCR0), `WVMI_EVENT_MSR` for index `number`, `WVMI_EVENT_CPUID`,
     * `WVMI_EVENT_IO`, `WVMI_EVENT_HYPERCALL`, or `WVMI_EVENT_SINGLE_STEP`: the
     * steps that an answer asks for. What the back end does not know gets
     * `WVMI_ERROR_NOT_SUPPORTED`.
     */
    wvmi_status (*enable_events)(void *context, wvmi_event_kind kind, uint32_t number);
    /**
     * Ends what `enable_events` began.
     */
    wvmi_status (*disable_events)(void *context, wvmi_event_kind kind, uint32_t number);
    /**
     * Waits at most `timeout_ms` milliseconds for events and calls `answer` with
     * `answer_context` for each that is there, one after the other; each
     * processor goes on as its answer says before the next event is answered.
     * One thread at a time is in here. With 0 it takes what is pending and
     * returns; a signal may end the wait.
     *
     * Returns `WVMI_OK` or `WVMI_TIMEOUT`, or an error.
     */
    wvmi_status (*wait_events)(void *context,
                               uint32_t timeout_ms,
                               wvmi_driver_answer answer,
                               void *answer_context);
    /**
     * Tells a descriptor, of the back end's own, that is readable while events
     * are pending. May be NULL: then the event loop looks at intervals, and
     * `wvmi_session_fd()` is not supported.
     */
    wvmi_status (*events_fd)(void *context, int32_t *descriptor);
    /**
     * Number of the view that the guest runs in by itself; below 65536.
     */
    uint32_t default_view;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} wvmi_driver_ops;

/**
 * Whom a hook concerns; one of the `WVMI_SCOPE_*` numbers.
 */
typedef uint32_t wvmi_scope_kind;

/**
 * Where a breakpoint is and whom it concerns. All zero but `symbol` or
 * `address` is a breakpoint for everybody.
 */
typedef struct {
    /**
     * `"nt!NtCreateFile"`; `"tcpip!IppReceivePackets"` in a driver, or
     * `"ntdll!NtCreateFile"` in each process of the scope that loads the module, now
     * or later: the kernel's modules come first; UTF-8. NULL when `address` is set.
     */
    const char *symbol;
    /**
     * Virtual address of the instruction, where `symbol` is NULL.
     */
    uint64_t address;
    /**
     * The space that `address` is in.
     */
    wvmi_space space;
    /**
     * The process or thread object of the scope.
     */
    uint64_t scope_object;
    /**
     * The image file name of the scope; UTF-8.
     */
    const char *scope_image;
    /**
     * Whom the hook concerns: one of the `WVMI_SCOPE_*` numbers.
     */
    wvmi_scope_kind scope_kind;
    /**
     * Calls allowed within `limit_window_ms`; 0 for any number. A hook that
     * exceeds them is suspended, and its callback told so.
     */
    uint32_t limit_calls;
    /**
     * Time in which calls are counted, in milliseconds; 0 for 1000.
     */
    uint32_t limit_window_ms;
    /**
     * How long the hook stays suspended, in milliseconds; 0 for 1000.
     */
    uint32_t limit_suspension_ms;
    /**
     * Which modules of a process `symbol` means: one of the
     * `WVMI_ARCHITECTURE_*` numbers. All zero is those of the process's own code:
     * the 32-bit `ntdll` of a WoW64 process. Memory that processes share is hooked
     * in all of them that the scope takes in.
     */
    wvmi_architecture architecture;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} wvmi_breakpoint_spec;

/**
 * What a callback wants next; one of the `WVMI_ACTION_*` numbers.
 */
typedef uint32_t wvmi_action;

/**
 * Called when a hook is hit, in the thread that runs the event loop.
 *
 * Returns what is to happen next: one of the `WVMI_ACTION_*` numbers. The
 * processor that was stopped waits until all callbacks of the event are done.
 *
 * It must return: no `longjmp`, no C++ exception (catch all of them inside).
 */
typedef wvmi_action (*wvmi_event_callback)(wvmi_event *event, void *user_data);

/**
 * A hook of a running guest: a number, nothing to free. Never 0; the number of
 * a removed hook never names another one.
 */
typedef uint64_t wvmi_hook;

/**
 * Why a hook acts nowhere; one of the `WVMI_PENDING_*` numbers.
 */
typedef uint32_t wvmi_pending_reason;

/**
 * Where a hook acts, filled by `wvmi_hook_info()`.
 */
typedef struct {
    /**
     * Places in which it acts: instructions, pages of memory, or 1 for what
     * processors do.
     */
    uint64_t active;
    /**
     * Places that wait for a page to come in.
     */
    uint64_t waiting;
    /**
     * Processes in which its symbol (`module!symbol`) was found, or 1 for a driver.
     */
    uint64_t processes;
    /**
     * Processes in which its symbol was not looked for: a hook follows 4096.
     */
    uint64_t refused;
    /**
     * While `active` is 0, why: one of the `WVMI_PENDING_*` numbers. Of a symbol
     * that no process has it is the reason of the process that is nearest to it, in
     * the order of the numbers 1 to 4.
     */
    wvmi_pending_reason pending;
    /**
     * Always 0.
     */
    uint32_t reserved;
} wvmi_hook_details;

/**
 * What a monitor waits for; one of the `WVMI_MONITOR_*` numbers.
 */
typedef uint32_t wvmi_monitor_kind;

/**
 * What a monitor waits for and whom it concerns.
 */
typedef struct {
    /**
     * Memory: first address.
     */
    uint64_t address;
    /**
     * Memory: number of bytes, at most 1 GiB.
     */
    uint64_t length;
    /**
     * Memory: the space that `address` is in.
     */
    wvmi_space space;
    /**
     * The process or thread object of the scope.
     */
    uint64_t scope_object;
    /**
     * The image file name of the scope; UTF-8.
     */
    const char *scope_image;
    /**
     * What to wait for: one of the `WVMI_MONITOR_*` numbers.
     */
    wvmi_monitor_kind kind;
    /**
     * What the kind says.
     */
    uint32_t number;
    /**
     * Memory: the accesses to report: read 1, write 2, execute 4, or a sum.
     */
    uint32_t access;
    /**
     * Whom the hook concerns: one of the `WVMI_SCOPE_*` numbers.
     */
    wvmi_scope_kind scope_kind;
    /**
     * As in `wvmi_breakpoint_spec`.
     */
    uint32_t limit_calls;
    /**
     * As in `wvmi_breakpoint_spec`.
     */
    uint32_t limit_window_ms;
    /**
     * As in `wvmi_breakpoint_spec`.
     */
    uint32_t limit_suspension_ms;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * View: whose rights.
     */
    const wvmi_view *view;
} wvmi_monitor_spec;

/**
 * Called when a hooked function is entered.
 *
 * `*value` is NULL and may be set: it comes back at the end of this call.
 * After `WVMI_ACTION_RETRY` the function counts as not entered yet. It must
 * return, as a `wvmi_event_callback`.
 */
typedef wvmi_action (*wvmi_entry_callback)(wvmi_event *event, void **value, void *user_data);

/**
 * How a call ended; one of the `WVMI_CALL_*` numbers.
 */
typedef uint32_t wvmi_call_end;

/**
 * A call that ended.
 */
typedef struct {
    /**
     * Address of the function.
     */
    uint64_t function;
    /**
     * Where it was to return to.
     */
    uint64_t return_address;
    /**
     * Stack pointer at its entry.
     */
    uint64_t stack;
    /**
     * The thread that made the call.
     */
    wvmi_thread thread;
    /**
     * What the entry's callback stored for the call.
     */
    void *value;
    /**
     * Id of the thread.
     */
    uint32_t thread_id;
    /**
     * How the call ended: one of the `WVMI_CALL_*` numbers.
     */
    wvmi_call_end end;
} wvmi_call_details;

/**
 * Called exactly once for each call that was entered, when it ends.
 *
 * `event` is the event that told so: the return itself for
 * `WVMI_CALL_RETURNED`, something later for the others, NULL for
 * `WVMI_CALL_DETACHED`. `WVMI_ACTION_RETRY` is not possible here. `call` is
 * valid until the callback returns. It must return, as a `wvmi_event_callback`.
 */
typedef wvmi_action (*wvmi_return_callback)(wvmi_event *event,
                                            const wvmi_call_details *call,
                                            void *user_data);

/**
 * The call did what it was asked to do.
 */
#define WVMI_OK 0

/**
 * Outcome: the iteration is over. Repeated by every further call.
 */
#define WVMI_END 1

/**
 * Outcome: an element could not be read and was left out; the iteration goes
 * on with the next call. `wvmi_last_error()` tells what and why.
 */
#define WVMI_GAP 2

/**
 * Outcome: the time was up before anything happened.
 */
#define WVMI_TIMEOUT 3

/**
 * Outcome: a callback asked to stop.
 */
#define WVMI_STOPPED 4

/**
 * A pointer that the call requires is NULL; the message names the argument.
 */
#define WVMI_ERROR_NULL_ARGUMENT -1

/**
 * An argument has a value that the call does not accept; the message names it.
 */
#define WVMI_ERROR_INVALID_ARGUMENT -2

/**
 * The answer was cut to the buffer; the needed length was reported.
 */
#define WVMI_ERROR_BUFFER_TOO_SMALL -3

/**
 * This build, back end or guest cannot do what was asked.
 */
#define WVMI_ERROR_NOT_SUPPORTED -100

/**
 * What was asked for does not exist.
 */
#define WVMI_ERROR_NOT_FOUND -101

/**
 * The symbols of the module are not available; the message names the PDB, its
 * GUID and age, and where it was looked for.
 */
#define WVMI_ERROR_NO_SYMBOLS -102

/**
 * No Windows kernel was found in the guest.
 */
#define WVMI_ERROR_NO_KERNEL -103

/**
 * The symbols lack a type, field or symbol that the call needs.
 */
#define WVMI_ERROR_NO_LAYOUT -104

/**
 * A memory access failed; the last error holds address, root, level and kind.
 */
#define WVMI_ERROR_FAULT -200

/**
 * A guest structure contradicts itself.
 */
#define WVMI_ERROR_CORRUPT -201

/**
 * A file is not what it claims to be, or is damaged.
 */
#define WVMI_ERROR_FORMAT -300

/**
 * The operating system refused something.
 */
#define WVMI_ERROR_IO -301

/**
 * The back end failed.
 */
#define WVMI_ERROR_BACK_END -302

/**
 * The session was closed.
 */
#define WVMI_ERROR_CLOSED -400

/**
 * The call was ended by `wvmi_session_cancel()` or by a callback.
 */
#define WVMI_ERROR_CANCELLED -401

/**
 * The call is not possible from where it was made.
 */
#define WVMI_ERROR_BUSY -402

/**
 * Another callback of the same event decided otherwise; its decision stays.
 */
#define WVMI_ERROR_CONFLICT -403

/**
 * A page is not in memory, and the guest cannot be made to bring it in.
 */
#define WVMI_ERROR_NOT_RESIDENT -404

/**
 * The library itself failed. The call had no effect, the host is unharmed;
 * please report the message.
 */
#define WVMI_ERROR_INTERNAL -900

/**
 * The error was no memory fault.
 */
#define WVMI_FAULT_NONE 0

/**
 * No page-table entry maps the address.
 */
#define WVMI_FAULT_NOT_MAPPED 1

/**
 * The page is on the standby or modified list and its frame cannot be told
 * without symbols.
 */
#define WVMI_FAULT_TRANSITION 2

/**
 * The page was never touched: Windows would fill it with zeros.
 */
#define WVMI_FAULT_DEMAND_ZERO 3

/**
 * The page is described by a prototype page-table entry.
 */
#define WVMI_FAULT_PROTOTYPE 4

/**
 * The page is in a page file.
 */
#define WVMI_FAULT_PAGEFILE 5

/**
 * The page is in the compressed store of Windows 10 and later.
 */
#define WVMI_FAULT_COMPRESSED 6

/**
 * The bytes existed in the guest, but are not in the image.
 */
#define WVMI_FAULT_NOT_IN_IMAGE 7

/**
 * The back end failed to deliver the page.
 */
#define WVMI_FAULT_BACK_END 8

/**
 * The address is not canonical.
 */
#define WVMI_FAULT_NON_CANONICAL 9

/**
 * A page-table entry on the way has an impossible combination of bits.
 */
#define WVMI_FAULT_MALFORMED 10

/**
 * No records at all.
 */
#define WVMI_LOG_OFF 0

/**
 * Something failed that no status reports.
 */
#define WVMI_LOG_ERROR 1

/**
 * Something is wrong, and the library works around it.
 */
#define WVMI_LOG_WARNING 2

/**
 * What happens, in a few lines per session.
 */
#define WVMI_LOG_INFO 3

/**
 * Why it happens.
 */
#define WVMI_LOG_DEBUG 4

/**
 * Every step.
 */
#define WVMI_LOG_TRACE 5

/**
 * Files on local disks are mapped, files on network and FUSE file systems read.
 */
#define WVMI_FILE_MODE_AUTO 0

/**
 * Files are mapped: the fastest, and needed for `wvmi_map_range()`. When the
 * file is truncated, or its disk or server lost, while it is mapped, an access
 * raises SIGBUS, which ends the host unless it handles that.
 */
#define WVMI_FILE_MODE_MAP 1

/**
 * Files are read with `pread()`: slower, but every loss is an error of a call.
 */
#define WVMI_FILE_MODE_READ 2

/**
 * The kernel's space; `wvmi_space.value` is not used. The default.
 */
#define WVMI_SPACE_KERNEL 0

/**
 * The space of the process whose object is `wvmi_space.value`, as the kernel
 * sees it: user and kernel addresses.
 */
#define WVMI_SPACE_PROCESS 1

/**
 * The space of the process whose object is `wvmi_space.value`, as its own code
 * sees it: without most of the kernel where KVA shadow is on.
 */
#define WVMI_SPACE_PROCESS_USER 2

/**
 * The space of the page-table root at physical address `wvmi_space.value`.
 */
#define WVMI_SPACE_ROOT 3

/**
 * Guest physical memory; `wvmi_space.value` is not used.
 */
#define WVMI_SPACE_PHYSICAL 4

/**
 * That of the process's own code: 32-bit under WoW64, else 64-bit. The default.
 */
#define WVMI_ARCHITECTURE_OWN 0

/**
 * 64-bit code, also that of the 64-bit side of a WoW64 process.
 */
#define WVMI_ARCHITECTURE_X64 1

/**
 * 32-bit code.
 */
#define WVMI_ARCHITECTURE_X86 2

/**
 * `_UNICODE_STRING` of 64-bit code: 16 bytes, the buffer's address at offset 8.
 */
#define WVMI_STRING_UNICODE64 0

/**
 * `_UNICODE_STRING` of 32-bit code: 8 bytes, the buffer's address at offset 4.
 */
#define WVMI_STRING_UNICODE32 1

/**
 * UTF-16 units up to the first NUL, at the address itself.
 */
#define WVMI_STRING_UTF16 2

/**
 * All bytes of the page that were asked for are the guest's.
 */
#define WVMI_PAGE_PRESENT 0

/**
 * A present page-table entry names the frame.
 */
#define WVMI_SOURCE_HARDWARE 0

/**
 * The entry is not present, but in transition: Windows has taken the page out
 * of the working set, and its frame still holds it.
 */
#define WVMI_SOURCE_TRANSITION 1

/**
 * Path of the executable in the kernel's words
 * (`_EPROCESS.SeAuditProcessCreationInfo`), which the process cannot change.
 */
#define WVMI_PROCESS_TEXT_KERNEL_IMAGE_PATH 0

/**
 * Path of the executable in the process's words (`ImagePathName`).
 */
#define WVMI_PROCESS_TEXT_IMAGE_PATH 1

/**
 * Command line (`CommandLine`).
 */
#define WVMI_PROCESS_TEXT_COMMAND_LINE 2

/**
 * Current directory (`CurrentDirectory.DosPath`).
 */
#define WVMI_PROCESS_TEXT_CURRENT_DIRECTORY 3

/**
 * Directories that DLLs are looked for in (`DllPath`).
 */
#define WVMI_PROCESS_TEXT_DLL_PATH 4

/**
 * Title of the first window (`WindowTitle`).
 */
#define WVMI_PROCESS_TEXT_WINDOW_TITLE 5

/**
 * Window station and desktop (`DesktopInfo`).
 */
#define WVMI_PROCESS_TEXT_DESKTOP 6

/**
 * Added to one of the other numbers: the text of the native, 64-bit block of a
 * WoW64 process instead of that of its own code.
 */
#define WVMI_PROCESS_TEXT_NATIVE 256

/**
 * What decides is itself not in the image, or damaged.
 */
#define WVMI_ADDRESS_UNKNOWN 0

/**
 * The page is there, or Windows would bring it in.
 */
#define WVMI_ADDRESS_VALID 1

/**
 * The access would fail.
 */
#define WVMI_ADDRESS_INVALID 2

/**
 * Not known: see `WVMI_REGION_VALID_KIND`.
 */
#define WVMI_REGION_UNKNOWN 0

/**
 * Memory of the process alone.
 */
#define WVMI_REGION_PRIVATE 1

/**
 * A mapped executable image.
 */
#define WVMI_REGION_IMAGE 2

/**
 * A mapped file.
 */
#define WVMI_REGION_DATA_FILE 3

/**
 * Shared memory backed by the page file.
 */
#define WVMI_REGION_PAGEFILE_SECTION 4

/**
 * Device memory.
 */
#define WVMI_REGION_PHYSICAL 5

/**
 * Address windowing extensions.
 */
#define WVMI_REGION_AWE 6

/**
 * Large pages, private or shared.
 */
#define WVMI_REGION_LARGE_PAGES 7

/**
 * Memory that changes between the page file and a device.
 */
#define WVMI_REGION_ROTATE_PHYSICAL 8

/**
 * File name: what the loader says, else the end of the mapped file's path.
 */
#define WVMI_USER_MODULE_TEXT_NAME 0

/**
 * Path: what the loader says (`"C:\\..."`), else the mapped file's.
 */
#define WVMI_USER_MODULE_TEXT_PATH 1

/**
 * Path of the mapped file in the kernel's words (`"\\Device\\..."`), which the
 * process cannot change.
 */
#define WVMI_USER_MODULE_TEXT_MAPPED_PATH 2

/**
 * As they lie in memory: offsets are relative to the base. Headers that are
 * not in memory are no hindrance in a process: the region's size counts.
 */
#define WVMI_PE_LAYOUT_MEMORY 0

/**
 * As they lay in the file: sections are moved back to their file offsets.
 * Relocations and bound imports stay as the loader left them, and what lay
 * behind the last section (a signature) is lost.
 */
#define WVMI_PE_LAYOUT_FILE 1

/**
 * A type that the library does not know by its name.
 */
#define WVMI_OBJECT_UNKNOWN 0

/**
 * The type `ActivationObject`.
 */
#define WVMI_OBJECT_ACTIVATION_OBJECT 1

/**
 * The type `ActivityReference`.
 */
#define WVMI_OBJECT_ACTIVITY_REFERENCE 2

/**
 * The type `Adapter`.
 */
#define WVMI_OBJECT_ADAPTER 3

/**
 * The type `ALPC Port`.
 */
#define WVMI_OBJECT_ALPC_PORT 4

/**
 * The type `Callback`.
 */
#define WVMI_OBJECT_CALLBACK 5

/**
 * The type `Composition`.
 */
#define WVMI_OBJECT_COMPOSITION 6

/**
 * The type `Controller`.
 */
#define WVMI_OBJECT_CONTROLLER 7

/**
 * The type `CoreMessaging`.
 */
#define WVMI_OBJECT_CORE_MESSAGING 8

/**
 * The type `CoverageSampler`.
 */
#define WVMI_OBJECT_COVERAGE_SAMPLER 9

/**
 * The type `CpuPartition`.
 */
#define WVMI_OBJECT_CPU_PARTITION 10

/**
 * The type `CrossVmEvent`.
 */
#define WVMI_OBJECT_CROSS_VM_EVENT 11

/**
 * The type `CrossVmMutant`.
 */
#define WVMI_OBJECT_CROSS_VM_MUTANT 12

/**
 * The type `DebugObject`.
 */
#define WVMI_OBJECT_DEBUG_OBJECT 13

/**
 * The type `Desktop`.
 */
#define WVMI_OBJECT_DESKTOP 14

/**
 * The type `Device`.
 */
#define WVMI_OBJECT_DEVICE 15

/**
 * The type `Directory`.
 */
#define WVMI_OBJECT_DIRECTORY 16

/**
 * The type `DmaAdapter`.
 */
#define WVMI_OBJECT_DMA_ADAPTER 17

/**
 * The type `DmaDomain`.
 */
#define WVMI_OBJECT_DMA_DOMAIN 18

/**
 * The type `Driver`.
 */
#define WVMI_OBJECT_DRIVER 19

/**
 * The type `DxgkCompositionObject`.
 */
#define WVMI_OBJECT_DXGK_COMPOSITION_OBJECT 20

/**
 * The type `DxgkCurrentDxgProcessObject`.
 */
#define WVMI_OBJECT_DXGK_CURRENT_DXG_PROCESS_OBJECT 21

/**
 * The type `DxgkCurrentDxgThreadObject`.
 */
#define WVMI_OBJECT_DXGK_CURRENT_DXG_THREAD_OBJECT 22

/**
 * The type `DxgkDisplayManagerObject`.
 */
#define WVMI_OBJECT_DXGK_DISPLAY_MANAGER_OBJECT 23

/**
 * The type `DxgkSharedBundleObject`.
 */
#define WVMI_OBJECT_DXGK_SHARED_BUNDLE_OBJECT 24

/**
 * The type `DxgkSharedKeyedMutexObject`.
 */
#define WVMI_OBJECT_DXGK_SHARED_KEYED_MUTEX_OBJECT 25

/**
 * The type `DxgkSharedProtectedSessionObject`.
 */
#define WVMI_OBJECT_DXGK_SHARED_PROTECTED_SESSION_OBJECT 26

/**
 * The type `DxgkSharedResource`.
 */
#define WVMI_OBJECT_DXGK_SHARED_RESOURCE 27

/**
 * The type `DxgkSharedSwapChainObject`.
 */
#define WVMI_OBJECT_DXGK_SHARED_SWAP_CHAIN_OBJECT 28

/**
 * The type `DxgkSharedSyncObject`.
 */
#define WVMI_OBJECT_DXGK_SHARED_SYNC_OBJECT 29

/**
 * The type `EnergyTracker`.
 */
#define WVMI_OBJECT_ENERGY_TRACKER 30

/**
 * The type `EtwConsumer`.
 */
#define WVMI_OBJECT_ETW_CONSUMER 31

/**
 * The type `EtwRegistration`.
 */
#define WVMI_OBJECT_ETW_REGISTRATION 32

/**
 * The type `EtwSessionDemuxEntry`.
 */
#define WVMI_OBJECT_ETW_SESSION_DEMUX_ENTRY 33

/**
 * The type `Event`.
 */
#define WVMI_OBJECT_EVENT 34

/**
 * The type `EventPair`.
 */
#define WVMI_OBJECT_EVENT_PAIR 35

/**
 * The type `File`.
 */
#define WVMI_OBJECT_FILE 36

/**
 * The type `FilterCommunicationPort`.
 */
#define WVMI_OBJECT_FILTER_COMMUNICATION_PORT 37

/**
 * The type `FilterConnectionPort`.
 */
#define WVMI_OBJECT_FILTER_CONNECTION_PORT 38

/**
 * The type `IoCompletion`.
 */
#define WVMI_OBJECT_IO_COMPLETION 39

/**
 * The type `IoCompletionReserve`.
 */
#define WVMI_OBJECT_IO_COMPLETION_RESERVE 40

/**
 * The type `IoRing`.
 */
#define WVMI_OBJECT_IO_RING 41

/**
 * The type `IRTimer`.
 */
#define WVMI_OBJECT_IR_TIMER 42

/**
 * The type `Job`.
 */
#define WVMI_OBJECT_JOB 43

/**
 * The type `Key`.
 */
#define WVMI_OBJECT_KEY 44

/**
 * The type `KeyedEvent`.
 */
#define WVMI_OBJECT_KEYED_EVENT 45

/**
 * The type `Mutant`.
 */
#define WVMI_OBJECT_MUTANT 46

/**
 * The type `NdisCmState`.
 */
#define WVMI_OBJECT_NDIS_CM_STATE 47

/**
 * The type `NetworkNamespace`.
 */
#define WVMI_OBJECT_NETWORK_NAMESPACE 48

/**
 * The type `Partition`.
 */
#define WVMI_OBJECT_PARTITION 49

/**
 * The type `PcwObject`.
 */
#define WVMI_OBJECT_PCW_OBJECT 50

/**
 * The type `Port`.
 */
#define WVMI_OBJECT_PORT 51

/**
 * The type `PowerRequest`.
 */
#define WVMI_OBJECT_POWER_REQUEST 52

/**
 * The type `Process`.
 */
#define WVMI_OBJECT_PROCESS 53

/**
 * The type `ProcessStateChange`.
 */
#define WVMI_OBJECT_PROCESS_STATE_CHANGE 54

/**
 * The type `Profile`.
 */
#define WVMI_OBJECT_PROFILE 55

/**
 * The type `PsSiloContextNonPaged`.
 */
#define WVMI_OBJECT_PS_SILO_CONTEXT_NON_PAGED 56

/**
 * The type `PsSiloContextPaged`.
 */
#define WVMI_OBJECT_PS_SILO_CONTEXT_PAGED 57

/**
 * The type `RawInputManager`.
 */
#define WVMI_OBJECT_RAW_INPUT_MANAGER 58

/**
 * The type `RegistryTransaction`.
 */
#define WVMI_OBJECT_REGISTRY_TRANSACTION 59

/**
 * The type `Section`.
 */
#define WVMI_OBJECT_SECTION 60

/**
 * The type `Semaphore`.
 */
#define WVMI_OBJECT_SEMAPHORE 61

/**
 * The type `Session`.
 */
#define WVMI_OBJECT_SESSION 62

/**
 * The type `SymbolicLink`.
 */
#define WVMI_OBJECT_SYMBOLIC_LINK 63

/**
 * The type `TerminalEventQueue`.
 */
#define WVMI_OBJECT_TERMINAL_EVENT_QUEUE 64

/**
 * The type `Thread`.
 */
#define WVMI_OBJECT_THREAD 65

/**
 * The type `ThreadStateChange`.
 */
#define WVMI_OBJECT_THREAD_STATE_CHANGE 66

/**
 * The type `Timer`.
 */
#define WVMI_OBJECT_TIMER 67

/**
 * The type `TmEn`.
 */
#define WVMI_OBJECT_TM_EN 68

/**
 * The type `TmRm`.
 */
#define WVMI_OBJECT_TM_RM 69

/**
 * The type `TmTm`.
 */
#define WVMI_OBJECT_TM_TM 70

/**
 * The type `TmTx`.
 */
#define WVMI_OBJECT_TM_TX 71

/**
 * The type `Token`.
 */
#define WVMI_OBJECT_TOKEN 72

/**
 * The type `TpWorkerFactory`.
 */
#define WVMI_OBJECT_TP_WORKER_FACTORY 73

/**
 * The type `Type`.
 */
#define WVMI_OBJECT_TYPE 74

/**
 * The type `UserApcReserve`.
 */
#define WVMI_OBJECT_USER_APC_RESERVE 75

/**
 * The type `VirtualKey`.
 */
#define WVMI_OBJECT_VIRTUAL_KEY 76

/**
 * The type `VRegConfigurationContext`.
 */
#define WVMI_OBJECT_V_REG_CONFIGURATION_CONTEXT 77

/**
 * The type `WaitablePort`.
 */
#define WVMI_OBJECT_WAITABLE_PORT 78

/**
 * The type `WaitCompletionPacket`.
 */
#define WVMI_OBJECT_WAIT_COMPLETION_PACKET 79

/**
 * The type `WindowStation`.
 */
#define WVMI_OBJECT_WINDOW_STATION 80

/**
 * The type `WmiGuid`.
 */
#define WVMI_OBJECT_WMI_GUID 81

/**
 * The object's own name, the last part of its path: of desktops and window
 * stations, too (`_OBJECT_HEADER_NAME_INFO.Name`).
 */
#define WVMI_OBJECT_TEXT_NAME 0

/**
 * Full path: of a file with its device's, of a registry key in the registry
 * (`"\\REGISTRY\\MACHINE\\SOFTWARE"`), of others in the namespace.
 */
#define WVMI_OBJECT_TEXT_PATH 1

/**
 * Name of the object's type (`_OBJECT_TYPE.Name`).
 */
#define WVMI_OBJECT_TEXT_TYPE_NAME 2

/**
 * Of a symbolic link, the path that it stands for
 * (`_OBJECT_SYMBOLIC_LINK.LinkTarget`).
 */
#define WVMI_OBJECT_TEXT_LINK_TARGET 3

/**
 * Of a file, its name as it was opened (`_FILE_OBJECT.FileName`).
 */
#define WVMI_OBJECT_TEXT_FILE_NAME 4

/**
 * Of a driver, its name in its own words (`_DRIVER_OBJECT.DriverName`).
 */
#define WVMI_OBJECT_TEXT_DRIVER_NAME 5

/**
 * Of a driver, the name of its key among the services
 * (`_DRIVER_EXTENSION.ServiceKeyName`).
 */
#define WVMI_OBJECT_TEXT_SERVICE_KEY 6

/**
 * Not known, or damaged.
 */
#define WVMI_RESET_UNKNOWN 0

/**
 * It stays signalled until somebody resets it (a notification).
 */
#define WVMI_RESET_MANUAL 1

/**
 * It releases one waiter and resets itself (a synchronization).
 */
#define WVMI_RESET_AUTO 2

/**
 * The groups, without the user (`_TOKEN.UserAndGroups`).
 */
#define WVMI_TOKEN_SIDS_GROUPS 0

/**
 * SIDs that access must be granted to, too; none in most tokens
 * (`_TOKEN.RestrictedSids`).
 */
#define WVMI_TOKEN_SIDS_RESTRICTED 1

/**
 * Capabilities of an app container; none in other tokens
 * (`_TOKEN.Capabilities`).
 */
#define WVMI_TOKEN_SIDS_CAPABILITIES 2

/**
 * Nothing special. Numbers that are not named here mean the same.
 */
#define WVMI_ACTION_CONTINUE 0

/**
 * Remove this hook; its callback is not called again.
 */
#define WVMI_ACTION_REMOVE 1

/**
 * End the event loop after this event, with `WVMI_STOPPED`.
 */
#define WVMI_ACTION_STOP 2

/**
 * Have the guest bring in the page named by `wvmi_event_request_page()`, then
 * call again for the same event.
 */
#define WVMI_ACTION_RETRY 3

/**
 * Have the stopped processor execute one instruction, then call the monitors of
 * single steps (`WVMI_MONITOR_SINGLE_STEP`), whose callbacks may ask for the next
 * step in the same way. Breakpoints and monitors on the way are called as ever; a
 * step that an `INT3` of the guest's own or a denied write takes the place of is not
 * reported.
 */
#define WVMI_ACTION_STEP 4

/**
 * Everybody. The default.
 */
#define WVMI_SCOPE_ALL 0

/**
 * The process whose object is `scope_object`.
 */
#define WVMI_SCOPE_PROCESS 1

/**
 * That process and all its descendants, future ones included.
 */
#define WVMI_SCOPE_PROCESS_TREE 2

/**
 * Processes whose image file name is `scope_image`, case ignored.
 */
#define WVMI_SCOPE_IMAGE 3

/**
 * The thread whose object is `scope_object`.
 */
#define WVMI_SCOPE_THREAD 4

/**
 * A hooked instruction was reached.
 */
#define WVMI_EVENT_BREAKPOINT 1

/**
 * Hooked memory was accessed.
 */
#define WVMI_EVENT_MEMORY 2

/**
 * A control register was written: `number` is 0, 3, 4, or 8 for XCR0.
 */
#define WVMI_EVENT_CONTROL_REGISTER 3

/**
 * A model-specific register was written: `number` is its index.
 */
#define WVMI_EVENT_MSR 4

/**
 * `CPUID` was executed: `number` is the leaf, `old_value` the subleaf.
 */
#define WVMI_EVENT_CPUID 5

/**
 * A port was accessed: `number` is the port.
 */
#define WVMI_EVENT_IO 6

/**
 * Another interrupt or exception: `number` is its vector, `old_value` its error
 * code, `new_value` what comes with it: CR2 of a page fault, bits of DR6 of a debug
 * exception.
 */
#define WVMI_EVENT_INTERRUPT 7

/**
 * An instruction was stepped over.
 */
#define WVMI_EVENT_SINGLE_STEP 8

/**
 * The guest asked for attention.
 */
#define WVMI_EVENT_HYPERCALL 9

/**
 * External interrupt.
 */
#define WVMI_INTERRUPT_EXTERNAL 0

/**
 * Non-maskable interrupt.
 */
#define WVMI_INTERRUPT_NMI 2

/**
 * Exception raised by the processor.
 */
#define WVMI_INTERRUPT_HARDWARE_EXCEPTION 3

/**
 * `INT n`.
 */
#define WVMI_INTERRUPT_SOFTWARE 4

/**
 * `INT1`.
 */
#define WVMI_INTERRUPT_PRIVILEGED_SOFTWARE_EXCEPTION 5

/**
 * `INT3`, `INTO`.
 */
#define WVMI_INTERRUPT_SOFTWARE_EXCEPTION 6

/**
 * Goes on.
 */
#define WVMI_DRIVER_CONTINUE 0

/**
 * Goes on without the effect of the monitored write.
 */
#define WVMI_DRIVER_DENY 1

/**
 * Takes the interrupt after all.
 */
#define WVMI_DRIVER_REINJECT 2

/**
 * Executes one instruction, in `view` if that is set, and is reported with
 * `WVMI_EVENT_SINGLE_STEP`. Where there are no views, only this processor runs
 * meanwhile.
 */
#define WVMI_DRIVER_SINGLE_STEP 3

/**
 * Executes one instruction in `step_view`, then returns to the event's view,
 * without an event.
 */
#define WVMI_DRIVER_FAST_SINGLE_STEP 4

/**
 * Has the instruction that accessed memory emulated, rights and all; an `INT3`
 * that a view shows is stepped over in the default view.
 */
#define WVMI_DRIVER_EMULATE 5

/**
 * It acts somewhere.
 */
#define WVMI_PENDING_NOTHING 0

/**
 * Neither the kernel nor a process of the scope has loaded the module of its symbol.
 */
#define WVMI_PENDING_MODULE 1

/**
 * A page is not in memory: the one that is hooked, or one that has to be read to
 * find it.
 */
#define WVMI_PENDING_PAGE 2

/**
 * The module is loaded and has no such export; its symbols were not found in the
 * places of the configuration.
 */
#define WVMI_PENDING_SYMBOLS 3

/**
 * The module is loaded, its symbols are known, and this one is not among them: the
 * name is misspelled, or means another version of the module.
 */
#define WVMI_PENDING_SYMBOL 4

/**
 * The view of the monitor was freed.
 */
#define WVMI_PENDING_VIEW 5

/**
 * Accesses to `length` bytes at `address` in `space`.
 */
#define WVMI_MONITOR_MEMORY 1

/**
 * Writes to control register `number`: 0, 3, 4, or 8 for XCR0.
 */
#define WVMI_MONITOR_CONTROL_REGISTER 2

/**
 * Writes to the model-specific register `number`.
 */
#define WVMI_MONITOR_MSR 3

/**
 * `CPUID`.
 */
#define WVMI_MONITOR_CPUID 4

/**
 * Port I/O.
 */
#define WVMI_MONITOR_IO 5

/**
 * Interrupts and exceptions of vector `number`, as far as the back end reports
 * them: 1 and 3 on Xen. 3 are the `INT3` of the guest's own. The guest takes them
 * when the callbacks have returned.
 */
#define WVMI_MONITOR_INTERRUPT 6

/**
 * Requests of the guest for attention.
 */
#define WVMI_MONITOR_HYPERCALL 7

/**
 * Accesses that the rights of `view`, a view of the caller's, deny.
 */
#define WVMI_MONITOR_VIEW 8

/**
 * Instructions that processors executed because a callback answered
 * `WVMI_ACTION_STEP`.
 */
#define WVMI_MONITOR_SINGLE_STEP 9

/**
 * The function returned: `wvmi_event_return_value()` tells what.
 */
#define WVMI_CALL_RETURNED 0

/**
 * An exception or a jump left the function without a return.
 */
#define WVMI_CALL_UNWOUND 1

/**
 * The thread ended inside the function.
 */
#define WVMI_CALL_THREAD_EXITED 2

/**
 * The hook was removed, or the session closed, while the call was open.
 */
#define WVMI_CALL_DETACHED 3

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Name of a status, spelled as in this header.
 *
 * `status` may be any number.
 *
 * Returns a static string: `"WVMI_ERROR_FAULT"`, or `"unknown status"`. Never
 * NULL, never to be freed.
 *
 * Any thread, also from a callback.
 */
const char *wvmi_status_name(wvmi_status status);

/**
 * Fills the record of this thread's last error.
 *
 * Successful calls do not clear the record, and `_free` and `_close`
 * functions do not touch it, so it may be read after cleaning up. A call that
 * returned `WVMI_GAP` leaves the cause of the gap here. The text is made by
 * this call, not by the one that failed, so failing is cheap.
 *
 * `error` receives the record. `size` is `sizeof *error`.
 *
 * Returns `WVMI_OK`; `WVMI_END` when the thread has had no error (the record
 * is then filled with zeros and empty texts); `WVMI_ERROR_NULL_ARGUMENT` or
 * `WVMI_ERROR_INVALID_ARGUMENT` for a bad `error` or `size`, which leaves the
 * record that was there before.
 *
 * Any thread, also from a callback; each thread sees its own errors only.
 */
wvmi_status wvmi_last_error(wvmi_error *error, size_t size);

/**
 * Sends the library's log records to a callback.
 *
 * The library prints nothing, ever; without this call records are dropped.
 * There is one callback per host process, for all sessions; a new one
 * replaces it, and `WVMI_LOG_OFF` or a NULL `callback` ends the logging. Calls
 * of the old callback that other threads are inside of may still be running
 * when this function returns; `release` tells when the last has ended.
 *
 * `level` is the least important level that is wanted. `callback` receives
 * the records, `user_data` is passed to it and may be NULL, `release` releases
 * `user_data` and may be NULL.
 *
 * Returns `WVMI_OK`, or `WVMI_ERROR_INVALID_ARGUMENT` for an unknown level;
 * then nothing is changed and `release` has been called.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_set_log(wvmi_log_level level,
                         wvmi_log_callback callback,
                         void *user_data,
                         wvmi_release_callback release);

/**
 * Version of the library that is loaded, such as `"0.1.0"`.
 *
 * Compare with `WVMI_VERSION`, the version of the header that the program was
 * compiled with: the loaded library may be newer.
 *
 * Returns a static string, never NULL, never to be freed.
 *
 * Any thread, also from a callback.
 */
const char *wvmi_version(void);

/**
 * Number of the binary interface of the library that is loaded.
 *
 * Equal numbers are compatible: functions, constants and structure fields are
 * only ever added. It is the last number of the library's SONAME
 * (`libwinvmi.so.0.1`).
 *
 * Any thread, also from a callback.
 */
uint32_t wvmi_abi_version(void);

/**
 * Tells whether this build has an optional part.
 *
 * The header is the same in every build; what a build lacks answers
 * `WVMI_ERROR_NOT_SUPPORTED` when it is called.
 *
 * `name` is `"symbol-server"` (download of symbols from a symbol server) or
 * the prefix of a back end, such as `"xen"`, UTF-8.
 *
 * Returns true when the part is built in; false when it is not, and for NULL
 * and unknown names.
 *
 * Any thread, also from a callback.
 */
bool wvmi_has_feature(const char *name);

/**
 * Makes a configuration with all defaults.
 *
 * `config` receives the handle; free it with `wvmi_config_free()`.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_config_new(wvmi_config **config);

/**
 * Frees a configuration. Sessions that it opened are not touched.
 *
 * `config` may be NULL. The last error of the thread is left as it is.
 *
 * Any thread, also from a callback.
 */
void wvmi_config_free(wvmi_config *config);

/**
 * Names the sessions that this configuration opens, in log records and
 * progress reports. The default is `"winvmi"`.
 *
 * `name` is UTF-8 and copied.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
 * `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_name(wvmi_config *config, const char *name);

/**
 * Adds a place where symbols are looked for, after those added before.
 *
 * `path` is a directory or a file, UTF-8, and is copied: a PDB (`.pdb`), a
 * Volatility table (`.json`, `.json.xz`), an ISR archive (`.isr`), a directory
 * of these, or a local symbol store. It need not exist yet.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
 * `WVMI_ERROR_INVALID_ARGUMENT` when the path is not UTF-8.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_add_symbol_path(wvmi_config *config, const char *path);

/**
 * Adds a copy of one of the guest's page files: pages that the guest took out
 * of memory are then read from it.
 *
 * `number` is the page file's number, 0 to 15: 0 is `pagefile.sys` of the first
 * page file of the guest, the others follow in the order in which Windows
 * opened them. `path` is UTF-8 and copied; the file is opened with the session,
 * which fails when it cannot be. A later file takes the place of an earlier one
 * with the same number.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
 * `WVMI_ERROR_INVALID_ARGUMENT` for another number or a path that is not UTF-8.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_add_pagefile(wvmi_config *config, uint32_t number, const char *path);

/**
 * Chooses whether the local stores in the environment variable
 * `_NT_SYMBOL_PATH` are searched after the added paths. The default is true.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_symbol_environment(wvmi_config *config, bool enabled);

/**
 * Chooses where parsed symbols are kept between runs of programs.
 *
 * `directory` is UTF-8 and copied; NULL is the default,
 * `$XDG_CACHE_HOME/winvmi` or `~/.cache/winvmi`; `""` keeps nothing. A
 * directory that cannot be made or written is no error: nothing is kept then.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT` for a NULL `config`, or
 * `WVMI_ERROR_INVALID_ARGUMENT` when the path is not UTF-8.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_cache_directory(wvmi_config *config, const char *directory);

/**
 * Forbids or allows the use of the network for symbols.
 *
 * The default is true: nothing is downloaded. Only builds with
 * `wvmi_has_feature("symbol-server")` can download at all.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_offline(wvmi_config *config, bool offline);

/**
 * Sets the size of a session's translation cache.
 *
 * `slots` is the number of 4 KiB pages whose translation is remembered, 64 to
 * 1,048,576, rounded up to a power of two, at 33 bytes each; 0 is the default
 * of 65,536.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
 * `WVMI_ERROR_INVALID_ARGUMENT` for a number out of range.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_translation_cache(wvmi_config *config, size_t slots);

/**
 * Chooses how image files are accessed.
 *
 * `mode` is `WVMI_FILE_MODE_AUTO` (the default), `WVMI_FILE_MODE_MAP` or
 * `WVMI_FILE_MODE_READ`; see there for what mapping risks.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
 * `WVMI_ERROR_INVALID_ARGUMENT` for an unknown mode.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_file_mode(wvmi_config *config, wvmi_file_mode mode);

/**
 * Sets the callback that watches long calls: opening, and loading symbols.
 *
 * It replaces the one set before; sessions that are open keep theirs. Reports
 * carry the name that the configuration has at the time of this call.
 *
 * `callback` may be NULL for none. `user_data` is passed to it and may be
 * NULL. `release` may be NULL; it is called once, when the configuration and
 * all sessions that it opened need the callback no more.
 *
 * Returns `WVMI_OK`, or `WVMI_ERROR_NULL_ARGUMENT` for a NULL `config`; then
 * `release` has been called.
 *
 * The thread that owns `config`, also from a callback.
 */
wvmi_status wvmi_config_set_progress(wvmi_config *config,
                                     wvmi_progress_callback callback,
                                     void *user_data,
                                     wvmi_release_callback release);

/**
 * Opens a guest.
 *
 * Opening succeeds whenever the guest's memory can be read. Without symbols,
 * or without a Windows kernel, the session is a memory-only one: calls about
 * Windows answer `WVMI_ERROR_NO_SYMBOLS` or `WVMI_ERROR_NO_KERNEL`,
 * `wvmi_session_info()` names the PDB that is needed, and
 * `wvmi_session_load_symbols()` completes the session.
 *
 * `target` is UTF-8: the path of an image, whose format is found out by its
 * content, or a prefix and what it applies to: `kdmp:PATH` for Windows crash
 * dumps, `raw:PATH` for raw memory. `config` may be NULL for all defaults and
 * is not needed after the call. `session` receives the handle; close it with
 * `wvmi_session_close()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT` for an unknown prefix,
 * `WVMI_ERROR_NOT_SUPPORTED` for a format or back end that this build cannot
 * open, `WVMI_ERROR_FORMAT` for a damaged file, `WVMI_ERROR_IO`,
 * `WVMI_ERROR_CANCELLED` when the progress callback says so, or
 * `WVMI_ERROR_BUSY` when 1024 sessions are open.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_open(const char *target,
                              const wvmi_config *config,
                              wvmi_session **session);

/**
 * Closes a session.
 *
 * Long calls that other threads are inside of end with
 * `WVMI_ERROR_CANCELLED`; the function returns when all have left. Iterators
 * and other handles that belong to the session stay valid, answer
 * `WVMI_ERROR_CLOSED` and are still freed by their own functions, in any
 * order; memory mapped with `wvmi_map_range()` stays readable.
 *
 * A running guest is left as it was found: hooks are removed, open calls of
 * call hooks end, the event loop of another thread ends. From a callback of
 * the event loop the call returns at once, and the rest is done when the loop
 * returns.
 *
 * `session` may be NULL.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_CLOSED` when it was closed before,
 * `WVMI_ERROR_INVALID_ARGUMENT` for what never was a session,
 * `WVMI_ERROR_BUSY`, or `WVMI_ERROR_BACK_END` when the session was closed but
 * the guest could not be restored.
 *
 * Any thread; from other callbacks that the session itself is calling the
 * answer is `WVMI_ERROR_BUSY`.
 */
wvmi_status wvmi_session_close(wvmi_session *session);

/**
 * Tells what is known about a session.
 *
 * What is not known is left 0 and out of `details->valid`; the back end, its
 * capabilities and the memory size are always known.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`, or `WVMI_ERROR_NULL_ARGUMENT` or
 * `WVMI_ERROR_INVALID_ARGUMENT` for a bad argument.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_info(wvmi_session *session,
                              wvmi_session_details *details,
                              size_t size);

/**
 * Copies the name of the session: the one that its configuration gave it.
 *
 * The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, or
 * `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_name(wvmi_session *session,
                              char *buffer,
                              size_t capacity,
                              size_t *length);

/**
 * Loads the kernel's symbols into a memory-only session.
 *
 * `path` is a file or directory as in `wvmi_config_add_symbol_path()`, UTF-8,
 * searched before the paths of the configuration; NULL searches those only. A
 * session that has its symbols stays as it is.
 *
 * Returns `WVMI_OK` when the session has its symbols now,
 * `WVMI_ERROR_NO_SYMBOLS` when they were not found, `WVMI_ERROR_NO_KERNEL`,
 * `WVMI_ERROR_FORMAT` or `WVMI_ERROR_IO` for a bad file,
 * `WVMI_ERROR_NO_LAYOUT` when the file lacks what the library needs, or
 * `WVMI_ERROR_CANCELLED`.
 *
 * Any thread, also from a callback; a second thread waits for the first.
 */
wvmi_status wvmi_session_load_symbols(wvmi_session *session, const char *path);

/**
 * Forgets what the session has cached about the guest: translations of
 * addresses. Needed after a guest has run or its image was changed by others;
 * writes of the library itself need no refresh.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_refresh(wvmi_session *session);

/**
 * Ends the long calls that other threads are inside of (loading symbols,
 * filling large arrays, scanning) with `WVMI_ERROR_CANCELLED`. Calls that
 * begin later are not affected; the session stays usable.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_cancel(wvmi_session *session);

/**
 * Reads bytes.
 *
 * Reads across pages and stops at the first that is absent: the bytes before
 * it are in the buffer and counted in `done`.
 *
 * `space` says where `address` lives. `buffer` receives `size` bytes; it may be
 * NULL when `size` is 0. `done` (may be NULL) receives the number of bytes
 * read, also on `WVMI_ERROR_FAULT`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT` when a byte is absent, with its address
 * and the reason in the last error; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an unknown space; `WVMI_ERROR_NO_KERNEL` or
 * `WVMI_ERROR_NO_SYMBOLS` when the space cannot be resolved.
 *
 * Any thread, also from a callback; reads run in parallel.
 */
wvmi_status wvmi_read(wvmi_session *session,
                      wvmi_space space,
                      uint64_t address,
                      uint8_t *buffer,
                      size_t size,
                      size_t *done);

/**
 * Writes bytes.
 *
 * Writes across pages and stops at the first that cannot be written: the bytes
 * before it are written and counted in `done`.
 *
 * `space` says where `address` lives. `bytes` holds `size` bytes; it may be
 * NULL when `size` is 0. `done` (may be NULL) receives the number of bytes
 * written, also on errors of the write itself.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_SUPPORTED` when the back end cannot write
 * (images are never changed); `WVMI_ERROR_FAULT`; else as `wvmi_read()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_write(wvmi_session *session,
                       wvmi_space space,
                       uint64_t address,
                       const uint8_t *bytes,
                       size_t size,
                       size_t *done);

/**
 * Reads one byte.
 *
 * `space` says where `address` lives; `value` receives the number.
 *
 * Returns as `wvmi_read()`; nothing is written on a partial read.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_u8(wvmi_session *session,
                         wvmi_space space,
                         uint64_t address,
                         uint8_t *value);

/**
 * Reads a 16-bit number in the guest's byte order (little-endian).
 *
 * `space` says where `address` lives; `value` receives the number. The address
 * need not be aligned.
 *
 * Returns as `wvmi_read()`; nothing is written on a partial read.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_u16(wvmi_session *session,
                          wvmi_space space,
                          uint64_t address,
                          uint16_t *value);

/**
 * Reads a 32-bit number in the guest's byte order (little-endian).
 *
 * `space` says where `address` lives; `value` receives the number. The address
 * need not be aligned.
 *
 * Returns as `wvmi_read()`; nothing is written on a partial read.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_u32(wvmi_session *session,
                          wvmi_space space,
                          uint64_t address,
                          uint32_t *value);

/**
 * Reads a 64-bit number, such as a pointer of 64-bit code, in the guest's byte
 * order (little-endian).
 *
 * `space` says where `address` lives; `value` receives the number. The address
 * need not be aligned.
 *
 * Returns as `wvmi_read()`; nothing is written on a partial read.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_u64(wvmi_session *session,
                          wvmi_space space,
                          uint64_t address,
                          uint64_t *value);

/**
 * Reads a NUL-terminated string of bytes.
 *
 * Reads up to the first NUL or `limit` bytes, page by page, so that a string
 * that ends before an absent page is whole. Bytes that are not UTF-8 become
 * U+FFFD.
 *
 * `space` says where `address` lives. `limit` is the largest number of guest
 * bytes to read; 0 is `WVMI_STRING_MAX`, and more is cut to it. The text goes
 * into `buffer` of `capacity` bytes; `length` (may be NULL) receives its
 * length.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, else as `wvmi_read()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_string(wvmi_session *session,
                             wvmi_space space,
                             uint64_t address,
                             size_t limit,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Reads UTF-16 text as UTF-8.
 *
 * Unpaired surrogates become U+FFFD, and embedded NULs are kept and counted in
 * `length`; `wvmi_read_utf16()` gives the units as they are.
 *
 * `space` says where `address` lives, `kind` what is there: a
 * `_UNICODE_STRING` or the units themselves. The text goes into `buffer` of
 * `capacity` bytes; `length` (may be NULL) receives its length.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, else as `wvmi_read()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_unicode_string(wvmi_session *session,
                                     wvmi_space space,
                                     uint64_t address,
                                     wvmi_string_kind kind,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *length);

/**
 * Reads UTF-16 text without loss, as units.
 *
 * `space` says where `address` lives, `kind` what is there. `units` receives at
 * most `capacity` 16-bit units, without a terminator; `count` (may be NULL)
 * receives the number of units that the text has.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the text was cut, else
 * as `wvmi_read()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_read_utf16(wvmi_session *session,
                            wvmi_space space,
                            uint64_t address,
                            wvmi_string_kind kind,
                            uint16_t *units,
                            size_t capacity,
                            size_t *count);

/**
 * Makes many reads in one call.
 *
 * Each request tells its own outcome in `done`, `status` and `fault`; a failed
 * one does not stop the others and leaves no last error. Where each read is a
 * call of the back end, a page that several requests touch is read once.
 *
 * `requests` are `count` structures, `stride` bytes apart (`sizeof
 * *requests`); it may be NULL when `count` is 0.
 *
 * Returns `WVMI_OK` when all requests were tried, whatever became of them;
 * `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT` for a bad array;
 * `WVMI_ERROR_CANCELLED`.
 *
 * Any thread, also from a callback; reads run in parallel.
 */
wvmi_status wvmi_read_scatter(wvmi_session *session,
                              wvmi_scatter_request *requests,
                              size_t stride,
                              size_t count);

/**
 * Reads a span with holes: what is absent reads as zeros.
 *
 * `space` says where `address` lives. `buffer` receives `size` bytes. `states`
 * (may be NULL when `page_count` is 0) receives one state for each 4 KiB page
 * that the span touches, in order, at most `page_count`. `present` (may be
 * NULL) receives the number of bytes on pages that are present.
 *
 * Returns `WVMI_OK` when at least one page is present; `WVMI_ERROR_FAULT` when
 * none is (the buffer is filled with zeros, the states and `present` are
 * written); `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_CANCELLED`; or what resolving the space returns.
 *
 * Any thread, also from a callback; reads run in parallel.
 */
wvmi_status wvmi_read_sparse(wvmi_session *session,
                             wvmi_space space,
                             uint64_t address,
                             uint8_t *buffer,
                             size_t size,
                             wvmi_page_state *states,
                             size_t page_count,
                             size_t *present);

/**
 * Translates a virtual address.
 *
 * `space` is a virtual space, `address` an address in it. `translation`
 * receives the answer, `size` is `sizeof *translation`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT` with the level at which the walk
 * stopped and the reason in the last error; `WVMI_ERROR_NOT_SUPPORTED` where
 * memory is stored by virtual address; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT` for the physical or an unknown space.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_translate(wvmi_session *session,
                           wvmi_space space,
                           uint64_t address,
                           wvmi_translation *translation,
                           size_t size);

/**
 * Begins an iteration over what is present in a space, in order of addresses.
 *
 * In a virtual space the page tables are walked, at a cost of what is present;
 * in the physical space these are the runs of memory that the back end holds.
 *
 * `space` is any space. `start` and `end` are the first and the last address
 * of interest; `UINT64_MAX` as `end` is the end of the space. `iter` receives
 * the handle; free it with `wvmi_range_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`,
 * `WVMI_ERROR_NOT_SUPPORTED` for physical memory where it is stored by virtual
 * address, or what resolving the space returns.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_range_iter_new(wvmi_session *session,
                                wvmi_space space,
                                uint64_t start,
                                uint64_t end,
                                wvmi_range_iter **iter);

/**
 * Gets the next present range.
 *
 * `range` receives it, `size` is `sizeof *range`.
 *
 * Returns `WVMI_OK`, `WVMI_END`, `WVMI_ERROR_CLOSED`, `WVMI_ERROR_NULL_ARGUMENT`
 * or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_range_iter_next(wvmi_range_iter *iter, wvmi_range *range, size_t size);

/**
 * Gets many present ranges at once.
 *
 * `ranges` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *ranges`); `count` receives how many.
 *
 * Returns `WVMI_OK` with at least one range, `WVMI_END` when there are no more,
 * `WVMI_ERROR_CLOSED`, `WVMI_ERROR_CANCELLED`, `WVMI_ERROR_NULL_ARGUMENT` or
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_range_iter_next_many(wvmi_range_iter *iter,
                                      wvmi_range *ranges,
                                      size_t stride,
                                      size_t capacity,
                                      size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_range_iter_free(wvmi_range_iter *iter);

/**
 * Maps guest memory into this process without copying it.
 *
 * Neighbouring guest pages rarely are neighbours in the image, so a mapping is
 * a list of segments. The bytes must not be written; those of a running guest,
 * or of a file that others write, may change while they are looked at.
 *
 * `space` says where `address` lives, `length` is 1 byte to 4 GiB. `mapping`
 * receives the handle; free it with `wvmi_mapping_free()`. The mapping stays
 * valid when the session is closed.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT` when a page is absent;
 * `WVMI_ERROR_NOT_SUPPORTED` where pages cannot be mapped, as with files that
 * are read (`WVMI_FILE_MODE_READ`); `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; or what resolving the space returns.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_map_range(wvmi_session *session,
                           wvmi_space space,
                           uint64_t address,
                           uint64_t length,
                           wvmi_mapping **mapping);

/**
 * Gets the segments of a mapping, in order of guest addresses and without gaps.
 *
 * `segments` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *segments`); it may be NULL when `capacity` is 0. `count` receives how many
 * the mapping has.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when not all fitted,
 * `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
wvmi_status wvmi_mapping_segments(const wvmi_mapping *mapping,
                                  wvmi_mapping_segment *segments,
                                  size_t stride,
                                  size_t capacity,
                                  size_t *count);

/**
 * Frees a mapping; its bytes must not be touched any more. `mapping` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_mapping_free(wvmi_mapping *mapping);

/**
 * Finds a process by its id.
 *
 * Looks at the list of active processes, then at the table of ids, which also
 * names processes that the list hides.
 *
 * `process` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, `WVMI_ERROR_NO_SYMBOLS`, or the fault that kept the
 * library from looking.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_by_id(wvmi_session *session, uint32_t pid, wvmi_process *process);

/**
 * Finds the first active process with an image name.
 *
 * `name` is UTF-8 (`"lsass.exe"`), compared with the name as Windows keeps it,
 * cut at 14 or 15 bytes; ASCII case is ignored. `process` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_by_name(wvmi_session *session,
                                 const char *name,
                                 wvmi_process *process);

/**
 * Gets the System process (`PsInitialSystemProcess`).
 *
 * `process` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_system(wvmi_session *session, wvmi_process *process);

/**
 * Gets the idle process, which is on no list (`PsIdleProcess`).
 *
 * `process` receives it.
 *
 * Returns as `wvmi_process_system()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_idle(wvmi_session *session, wvmi_process *process);

/**
 * Gets the process whose address space a virtual processor uses now.
 *
 * `vcpu` counts from 0. `process` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a processor that the guest does
 * not have, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_current(wvmi_session *session, uint16_t vcpu, wvmi_process *process);

/**
 * Reads the id of a process (`_EPROCESS.UniqueProcessId`).
 *
 * `pid` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_id(wvmi_session *session, wvmi_process process, uint32_t *pid);

/**
 * Reads the id of the process that created a process
 * (`_EPROCESS.InheritedFromUniqueProcessId`).
 *
 * `pid` receives it. The creator may have exited, and its id may belong to
 * another process.
 *
 * Returns as `wvmi_process_id()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_parent_id(wvmi_session *session, wvmi_process process, uint32_t *pid);

/**
 * Reads the image name of a process (`_EPROCESS.ImageFileName`).
 *
 * Windows cuts the name at 14 or 15 bytes; bytes that are not UTF-8 become
 * U+FFFD. The name goes into `buffer` of `capacity` bytes; `length` (may be
 * NULL) receives its length, at most 47.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, else as `wvmi_process_id()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_name(wvmi_session *session,
                              wvmi_process process,
                              char *buffer,
                              size_t capacity,
                              size_t *length);

/**
 * Reads the page-table root of a process (`_KPROCESS.DirectoryTableBase`), for
 * `WVMI_SPACE_ROOT`.
 *
 * `root` receives its physical address.
 *
 * Returns as `wvmi_process_id()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_root(wvmi_session *session, wvmi_process process, uint64_t *root);

/**
 * Reads the page-table root that the user mode of a process runs on
 * (`_KPROCESS.UserDirectoryTableBase`), for `WVMI_SPACE_ROOT`. Without KVA
 * shadow it is the one of `wvmi_process_root()`.
 *
 * `root` receives its physical address.
 *
 * Returns as `wvmi_process_id()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_user_root(wvmi_session *session, wvmi_process process, uint64_t *root);

/**
 * Reads the address of the PEB that a process's own code uses: the 32-bit one
 * under WoW64, else the 64-bit one.
 *
 * `peb` receives the address in the process's space, 0 without a PEB. `wow64`
 * (may be NULL) receives 1 when it is the 32-bit one, else 0.
 *
 * Returns as `wvmi_process_id()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_peb(wvmi_session *session,
                             wvmi_process process,
                             uint64_t *peb,
                             uint32_t *wow64);

/**
 * Tells everything about a process in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_info(wvmi_session *session,
                              wvmi_process process,
                              wvmi_process_details *details,
                              size_t size);

/**
 * Begins an iteration over processes.
 *
 * `sources` are `WVMI_PROCESS_SOURCE_*` bits, 0 for the list of active
 * processes alone. With both, each process comes once, and its details tell
 * which of them name it: one that only the table of ids names was hidden from
 * the list or has ended. `iter` receives the handle; free it with
 * `wvmi_process_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`
 * for unknown sources, `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_iter_new(wvmi_session *session,
                                  uint32_t sources,
                                  wvmi_process_iter **iter);

/**
 * Gets the next process.
 *
 * `process` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged
 * or absent (the iteration goes on with what can be reached otherwise);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_process_iter_next(wvmi_process_iter *iter, wvmi_process *process);

/**
 * Gets the details of many processes at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one process; `WVMI_END` with none;
 * `WVMI_GAP` with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_process_iter_next_many(wvmi_process_iter *iter,
                                        wvmi_process_details *details,
                                        size_t stride,
                                        size_t capacity,
                                        size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_process_iter_free(wvmi_process_iter *iter);

/**
 * Reads a text of a process.
 *
 * Unpaired surrogates become U+FFFD, and embedded NULs are kept and counted in
 * `length`; `wvmi_process_text_utf16()` gives the units as they are.
 *
 * All but the kernel's image path are the process's own words: what it was
 * started with, and may have changed since.
 *
 * `kind` chooses the text. It goes into `buffer` of `capacity` bytes; `length`
 * (may be NULL) receives its length.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
 * the process has no such text, as system processes have none;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_text(wvmi_session *session,
                              wvmi_process process,
                              wvmi_process_text_kind kind,
                              char *buffer,
                              size_t capacity,
                              size_t *length);

/**
 * Reads a text of a process without loss, as UTF-16 units.
 *
 * `kind` chooses the text. `units` receives at most `capacity` 16-bit units,
 * without a terminator; `count` (may be NULL) receives the number of units that
 * the text has.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the text was cut, else
 * as `wvmi_process_text()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_text_utf16(wvmi_session *session,
                                    wvmi_process process,
                                    wvmi_process_text_kind kind,
                                    uint16_t *units,
                                    size_t capacity,
                                    size_t *count);

/**
 * Begins an iteration over the environment variables of a process.
 *
 * `iter` receives the handle; free it with `wvmi_environment_iter_free()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no
 * environment; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_environment_iter_new(wvmi_session *session,
                                      wvmi_process process,
                                      wvmi_environment_iter **iter);

/**
 * Begins an iteration over the environment variables in the native, 64-bit
 * block of a process; that of a WoW64 process is another one than its own code
 * uses.
 *
 * As `wvmi_environment_iter_new()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_environment_iter_new_native(wvmi_session *session,
                                             wvmi_process process,
                                             wvmi_environment_iter **iter);

/**
 * Gets the next variable, in the order of the environment.
 *
 * `variable` receives it, `size` is `sizeof *variable`; its texts are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a page is absent (the iteration
 * goes on with the next whole variable); `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_environment_iter_next(wvmi_environment_iter *iter,
                                       wvmi_variable *variable,
                                       size_t size);

/**
 * Gets many variables at once, in the order of the environment.
 *
 * `variables` receives at most `capacity` of them, `stride` bytes apart
 * (`sizeof *variables`); `count` receives how many, on every return. Their
 * texts are valid until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one variable; `WVMI_END` with none;
 * `WVMI_GAP` with those before a page that is absent, perhaps none;
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_environment_iter_next_many(wvmi_environment_iter *iter,
                                            wvmi_variable *variables,
                                            size_t stride,
                                            size_t capacity,
                                            size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_environment_iter_free(wvmi_environment_iter *iter);

/**
 * Tells what a process environment block says in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `architecture` chooses the block: `WVMI_ARCHITECTURE_OWN` that of the process's own
 * code, `WVMI_ARCHITECTURE_X64` the native one, which WoW64 processes have too.
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_NOT_FOUND`
 * when the process has no such block, as system processes and ended ones have
 * none; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_peb_info(wvmi_session *session,
                          wvmi_process process,
                          wvmi_architecture architecture,
                          wvmi_peb_details *details,
                          size_t size);

/**
 * Reads bytes of a process, also where its page tables lead nowhere.
 *
 * Beyond what `wvmi_read()` finds, pages of mapped files and of shared memory
 * are found by their prototype entries, and paged-out ones in the page files
 * that `wvmi_config_add_pagefile()` added. Stops at the first byte that is
 * nowhere to be found: the bytes before it are in the buffer and counted in
 * `done`.
 *
 * `flags` is 0 or `WVMI_PROCESS_READ_ZEROS`. `buffer` receives `size` bytes; it
 * may be NULL when `size` is 0. `done` (may be NULL) receives the number of
 * bytes read, also on `WVMI_ERROR_FAULT`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT`, with the address and the reason in the
 * last error: the page file and the offset of a page whose file is not at hand,
 * the compressed store, a prototype entry for what is still in its file,
 * demand zero without the flag; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT` for unknown flags; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback; reads run in parallel.
 */
wvmi_status wvmi_process_read(wvmi_session *session,
                              wvmi_process process,
                              uint64_t address,
                              uint32_t flags,
                              uint8_t *buffer,
                              size_t size,
                              size_t *done);

/**
 * Tells whether a process may touch an address, whether or not the page is in
 * memory now.
 *
 * The page-table entry decides where it says anything, else the region: private
 * memory is valid where it is committed; a mapped section where its prototype
 * entries name a page; an image as a whole. Nothing is valid whose protection
 * allows no access.
 *
 * `address` is any address. `validity` receives the answer.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_address_validity(wvmi_session *session,
                                  wvmi_process process,
                                  uint64_t address,
                                  wvmi_validity *validity);

/**
 * Finds a thread by its id, in the table of ids (`PspCidTable`).
 *
 * `thread` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_by_id(wvmi_session *session, uint32_t tid, wvmi_thread *thread);

/**
 * Gets the thread that a virtual processor runs (`_KPRCB.CurrentThread`).
 *
 * `vcpu` counts from 0. `thread` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a processor that the guest does
 * not have, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_current(wvmi_session *session, uint16_t vcpu, wvmi_thread *thread);

/**
 * Reads the id of a thread (`_ETHREAD.Cid.UniqueThread`).
 *
 * `tid` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_id(wvmi_session *session, wvmi_thread thread, uint32_t *tid);

/**
 * Tells whether a thread is kept from running on a processor because its
 * scheduling group, or one above it, has used up its quota there.
 *
 * `held_back` receives 1 or 0; it is 0 for a thread without a group and on
 * Windows 7, which has none (`_KSCB.OverQuota`, `_KSCB.MaxOverQuota`).
 *
 * Returns as `wvmi_thread_id()`; `WVMI_ERROR_NOT_FOUND` when the guest has no
 * processor `vcpu`; `WVMI_ERROR_CORRUPT` when the groups are nested without end.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_held_back(wvmi_session *session,
                                  wvmi_thread thread,
                                  uint16_t vcpu,
                                  uint32_t *held_back);

/**
 * Reads the process that owns a thread (`_KTHREAD.Process`).
 *
 * `process` receives it. The thread may be attached to another process's
 * address space; `wvmi_thread_details` tells.
 *
 * Returns as `wvmi_thread_id()`, and `WVMI_ERROR_CORRUPT` when it has none.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_process(wvmi_session *session,
                                wvmi_thread thread,
                                wvmi_process *process);

/**
 * Tells everything about a thread in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_info(wvmi_session *session,
                             wvmi_thread thread,
                             wvmi_thread_details *details,
                             size_t size);

/**
 * Begins an iteration over the threads of a process (`_EPROCESS.ThreadListHead`).
 *
 * `iter` receives the handle; free it with `wvmi_thread_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`. What is wrong with the process shows in the first
 * `_next` call.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_iter_new(wvmi_session *session,
                                 wvmi_process process,
                                 wvmi_thread_iter **iter);

/**
 * Gets the next thread.
 *
 * `thread` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged
 * or absent (the iteration goes on with what can be reached otherwise);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_thread_iter_next(wvmi_thread_iter *iter, wvmi_thread *thread);

/**
 * Gets the details of many threads at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one thread; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_thread_iter_next_many(wvmi_thread_iter *iter,
                                       wvmi_thread_details *details,
                                       size_t stride,
                                       size_t capacity,
                                       size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_thread_iter_free(wvmi_thread_iter *iter);

/**
 * Tells what a thread environment block says in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `architecture` chooses the block: `WVMI_ARCHITECTURE_OWN` that of the process's own
 * code, `WVMI_ARCHITECTURE_X64` the native one, which threads of WoW64 processes
 * have too. `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_NOT_FOUND`
 * when the thread has no such block, as system threads have none;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_teb_info(wvmi_session *session,
                          wvmi_thread thread,
                          wvmi_architecture architecture,
                          wvmi_teb_details *details,
                          size_t size);

/**
 * Reads the thread-local storage of a thread: the 64 slots in its block
 * (`TlsSlots`) and, once it needed them, the 1024 behind them
 * (`TlsExpansionSlots`).
 *
 * `architecture` chooses the block, as for `wvmi_teb_info()`. `slots` receives at
 * most `capacity` values, in order of their index; `count` (may be NULL)
 * receives how many there are: 64 or 1088.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL` with as many as fit;
 * `WVMI_ERROR_NOT_FOUND` when the thread has no such block;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_teb_tls_slots(wvmi_session *session,
                               wvmi_thread thread,
                               wvmi_architecture architecture,
                               uint64_t *slots,
                               size_t capacity,
                               size_t *count);

/**
 * Tells everything but the texts about a module of the kernel in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled. `name` and `path` are NULL: `wvmi_module_name()` and
 * `wvmi_module_path()` copy them.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_info(wvmi_session *session,
                             wvmi_module module,
                             wvmi_module_details *details,
                             size_t size);

/**
 * Finds the module of the kernel that an address lies in.
 *
 * `address` is a virtual address. `module` receives the module.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_at(wvmi_session *session, uint64_t address, wvmi_module *module);

/**
 * Finds a module of the kernel by its name.
 *
 * `name` is its file name, UTF-8; ASCII case does not count, the extension may
 * be left out, and `"nt"` is the kernel. `module` receives the module.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_by_name(wvmi_session *session, const char *name, wvmi_module *module);

/**
 * Begins an iteration over the modules of the kernel, in load order
 * (`PsLoadedModuleList`).
 *
 * `iter` receives the handle; free it with `wvmi_module_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_iter_new(wvmi_session *session, wvmi_module_iter **iter);

/**
 * Gets the next module.
 *
 * `module` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged
 * or absent (the iteration goes on with what can be reached otherwise);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_module_iter_next(wvmi_module_iter *iter, wvmi_module *module);

/**
 * Gets the details of many modules at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return. Their texts are
 * valid until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one module; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_module_iter_next_many(wvmi_module_iter *iter,
                                       wvmi_module_details *details,
                                       size_t stride,
                                       size_t capacity,
                                       size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_module_iter_free(wvmi_module_iter *iter);

/**
 * Reads the file name of a module of the kernel (`BaseDllName`).
 *
 * The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, `WVMI_ERROR_FAULT`,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_name(wvmi_session *session,
                             wvmi_module module,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Reads the full path of a module of the kernel (`FullDllName`), as
 * `wvmi_module_name()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_path(wvmi_session *session,
                             wvmi_module module,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Reads the file name of a module of the kernel without loss, as UTF-16 units.
 *
 * `units` receives at most `capacity` 16-bit units, without a terminator;
 * `count` (may be NULL) receives the number of units that the name has.
 *
 * Returns as `wvmi_module_name()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_name_utf16(wvmi_session *session,
                                   wvmi_module module,
                                   uint16_t *units,
                                   size_t capacity,
                                   size_t *count);

/**
 * Reads the full path of a module of the kernel without loss, as
 * `wvmi_module_name_utf16()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_path_utf16(wvmi_session *session,
                                   wvmi_module module,
                                   uint16_t *units,
                                   size_t capacity,
                                   size_t *count);

/**
 * Begins an iteration over the drivers that were unloaded, the latest first;
 * Windows keeps the last 50 (`MmUnloadedDrivers`).
 *
 * `iter` receives the handle; free it with `wvmi_unloaded_module_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_unloaded_module_iter_new(wvmi_session *session,
                                          wvmi_unloaded_module_iter **iter);

/**
 * Gets the next driver that was unloaded.
 *
 * `module` receives the facts, `size` is `sizeof *module`; its name is valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a record is absent (the
 * iteration goes on with the next), or the ring is absent or damaged (it ends);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_unloaded_module_iter_next(wvmi_unloaded_module_iter *iter,
                                           wvmi_unloaded_module *module,
                                           size_t size);

/**
 * Gets many drivers that were unloaded at once.
 *
 * `modules` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *modules`); `count` receives how many, on every return. Their names are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one driver; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_unloaded_module_iter_next_many(wvmi_unloaded_module_iter *iter,
                                                wvmi_unloaded_module *modules,
                                                size_t stride,
                                                size_t capacity,
                                                size_t *count);

/**
 * Frees the iterator and the names that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_unloaded_module_iter_free(wvmi_unloaded_module_iter *iter);

/**
 * Finds the region of a process that an address lies in.
 *
 * `address` is any address. `details` receives the facts, `size` is `sizeof
 * *details`; `path` is NULL. `details->vad` is the region's value for the other
 * calls about regions.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the address is free;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_region_at(wvmi_session *session,
                           wvmi_process process,
                           uint64_t address,
                           wvmi_region_details *details,
                           size_t size);

/**
 * Tells everything but the path about a region in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled. `path` is NULL: `wvmi_region_path()` copies it.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_region_info(wvmi_session *session,
                             wvmi_region region,
                             wvmi_region_details *details,
                             size_t size);

/**
 * Reads the path of the file that a region maps, in the kernel's words
 * (`"\\Device\\HarddiskVolume2\\Windows\\System32\\ntdll.dll"`).
 *
 * The path goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length. `wvmi_region_path_utf16()` gives its units as they are.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
 * no file is mapped; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_region_path(wvmi_session *session,
                             wvmi_region region,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Reads the path of the file that a region maps without loss, as UTF-16 units.
 *
 * `units` receives at most `capacity` 16-bit units, without a terminator;
 * `count` (may be NULL) receives the number of units that the path has.
 *
 * Returns as `wvmi_region_path()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_region_path_utf16(wvmi_session *session,
                                   wvmi_region region,
                                   uint16_t *units,
                                   size_t capacity,
                                   size_t *count);

/**
 * Begins an iteration over the regions of a process, in order of addresses
 * (`_EPROCESS.VadRoot`).
 *
 * `iter` receives the handle; free it with `wvmi_region_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_region_iter_new(wvmi_session *session,
                                 wvmi_process process,
                                 wvmi_region_iter **iter);

/**
 * Gets the next region.
 *
 * `region` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the tree is damaged
 * or absent (the iteration goes on with its other branches);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_region_iter_next(wvmi_region_iter *iter, wvmi_region *region);

/**
 * Gets the details of many regions at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return. Their paths are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one region; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none (the iteration goes on with the
 * other branches of the tree); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_region_iter_next_many(wvmi_region_iter *iter,
                                       wvmi_region_details *details,
                                       size_t stride,
                                       size_t capacity,
                                       size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_region_iter_free(wvmi_region_iter *iter);

/**
 * Tells everything but the texts about a module of a process in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled. `name` and `path` are NULL: `wvmi_user_module_text()` copies them.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_info(wvmi_session *session,
                                  wvmi_user_module module,
                                  wvmi_user_module_details *details,
                                  size_t size);

/**
 * Reads a text of a module of a process.
 *
 * `kind` chooses the text. It goes into `buffer` of `capacity` bytes; `length`
 * (may be NULL) receives its length. Unpaired surrogates become U+FFFD;
 * `wvmi_user_module_text_utf16()` gives the units as they are.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
 * no file is mapped there; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_text(wvmi_session *session,
                                  wvmi_user_module module,
                                  wvmi_user_module_text_kind kind,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *length);

/**
 * Reads a text of a module of a process without loss, as UTF-16 units.
 *
 * `kind` chooses the text. `units` receives at most `capacity` 16-bit units,
 * without a terminator; `count` (may be NULL) receives the number of units that
 * the text has.
 *
 * Returns as `wvmi_user_module_text()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_text_utf16(wvmi_session *session,
                                        wvmi_user_module module,
                                        wvmi_user_module_text_kind kind,
                                        uint16_t *units,
                                        size_t capacity,
                                        size_t *count);

/**
 * Finds the module of a process that an address lies in.
 *
 * `address` is any address. `module` receives the module.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_at(wvmi_session *session,
                                wvmi_process process,
                                uint64_t address,
                                wvmi_user_module *module);

/**
 * Finds a module of a process by its name.
 *
 * `name` is its file name, UTF-8; ASCII case does not count, the extension may
 * be left out. `architecture` tells native and WoW64 modules of one name apart:
 * one of `WVMI_ARCHITECTURE_*`. `module` receives the module.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_by_name(wvmi_session *session,
                                     wvmi_process process,
                                     const char *name,
                                     wvmi_architecture architecture,
                                     wvmi_user_module *module);

/**
 * Begins an iteration over the modules of a process: those that its loaders
 * list (the 32-bit loader first under WoW64), then mapped images that are on no
 * list.
 *
 * `iter` receives the handle; free it with `wvmi_user_module_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_iter_new(wvmi_session *session,
                                      wvmi_process process,
                                      wvmi_user_module_iter **iter);

/**
 * Begins an iteration over one list of a loader of a process, in the order of
 * the list and with nothing that is not on it.
 *
 * `list` is `WVMI_LOADER_LIST_LOAD`, `WVMI_LOADER_LIST_MEMORY` or
 * `WVMI_LOADER_LIST_INITIALIZATION`; `architecture` says which loader's: one of
 * `WVMI_ARCHITECTURE_*`. A module's `lists` are this list alone. `iter` receives
 * the handle; free it with `wvmi_user_module_iter_free()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no such loader;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_iter_new_in_order(wvmi_session *session,
                                               wvmi_process process,
                                               uint32_t list,
                                               wvmi_architecture architecture,
                                               wvmi_user_module_iter **iter);

/**
 * Gets the next module.
 *
 * `module` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the lists or of the
 * regions is damaged or absent (the iteration goes on with what can be reached
 * otherwise); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_user_module_iter_next(wvmi_user_module_iter *iter, wvmi_user_module *module);

/**
 * Gets the details of many modules at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return. Their texts are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one module; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_user_module_iter_next_many(wvmi_user_module_iter *iter,
                                            wvmi_user_module_details *details,
                                            size_t stride,
                                            size_t capacity,
                                            size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_user_module_iter_free(wvmi_user_module_iter *iter);

/**
 * Gives the image of a module of the kernel.
 *
 * `pe` receives it; nothing of the image is read.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_module_pe(wvmi_session *session, wvmi_module module, wvmi_pe *pe);

/**
 * Gives the image of a module of a process.
 *
 * `pe` receives it; nothing is read.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_user_module_pe(wvmi_session *session, wvmi_user_module module, wvmi_pe *pe);

/**
 * Reads the headers of an image.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT` when the header page is not in memory;
 * `WVMI_ERROR_CORRUPT` when there is no image or its headers contradict
 * themselves; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_info(wvmi_session *session,
                         wvmi_pe pe,
                         wvmi_pe_details *details,
                         size_t size);

/**
 * Reads the CodeView record of an image: which PDB belongs to it.
 *
 * `record` receives it, `size` is `sizeof *record`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the image has none; else as
 * `wvmi_pe_info()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_codeview(wvmi_session *session,
                             wvmi_pe pe,
                             wvmi_pe_codeview_record *record,
                             size_t size);

/**
 * Begins an iteration over the sections of an image, in the order of its table.
 *
 * `iter` receives the handle; free it with `wvmi_pe_section_iter_free()`.
 *
 * Returns `WVMI_OK`, or as `wvmi_pe_info()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_section_iter_new(wvmi_session *session,
                                     wvmi_pe pe,
                                     wvmi_pe_section_iter **iter);

/**
 * Gets the next section.
 *
 * `section` receives it, `size` is `sizeof *section`.
 *
 * Returns `WVMI_OK`, `WVMI_END`, `WVMI_ERROR_CLOSED`,
 * `WVMI_ERROR_NULL_ARGUMENT`, or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_section_iter_next(wvmi_pe_section_iter *iter,
                                      wvmi_pe_section *section,
                                      size_t size);

/**
 * Gets many sections at once.
 *
 * `sections` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *sections`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one section; `WVMI_END` with none;
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_section_iter_next_many(wvmi_pe_section_iter *iter,
                                           wvmi_pe_section *sections,
                                           size_t stride,
                                           size_t capacity,
                                           size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_pe_section_iter_free(wvmi_pe_section_iter *iter);

/**
 * Begins an iteration over the exports of an image: those with a name in the
 * order of the name table, then those without. An image without exports has
 * none.
 *
 * `iter` receives the handle; free it with `wvmi_pe_export_iter_free()`.
 *
 * Returns `WVMI_OK`, or as `wvmi_pe_info()`, also for the export directory.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_export_iter_new(wvmi_session *session,
                                    wvmi_pe pe,
                                    wvmi_pe_export_iter **iter);

/**
 * Gets the next export.
 *
 * `export` receives it, `size` is `sizeof *export`; its texts are valid until the
 * next call with this iterator.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` for an export that cannot be read (the
 * iteration goes on); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_export_iter_next(wvmi_pe_export_iter *iter,
                                     wvmi_pe_export *export_,
                                     size_t size);

/**
 * Gets many exports at once.
 *
 * `exports` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *exports`); `count` receives how many, on every return. Their texts are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one export; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_export_iter_next_many(wvmi_pe_export_iter *iter,
                                          wvmi_pe_export *exports,
                                          size_t stride,
                                          size_t capacity,
                                          size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_pe_export_iter_free(wvmi_pe_export_iter *iter);

/**
 * Begins an iteration over the imports of an image, module by module, at most
 * a million.
 *
 * An image whose linker made no lookup table has lost the names when it was
 * loaded: its symbols come out wrong or not at all. `iter` receives the handle;
 * free it with `wvmi_pe_import_iter_free()`.
 *
 * Returns `WVMI_OK`, or as `wvmi_pe_info()`, also for the import directory.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_import_iter_new(wvmi_session *session,
                                    wvmi_pe pe,
                                    wvmi_pe_import_iter **iter);

/**
 * Gets the next import.
 *
 * `import` receives it, `size` is `sizeof *import`; its texts are valid until the
 * next call with this iterator.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` for a module or symbol that cannot be read (the
 * iteration goes on); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_import_iter_next(wvmi_pe_import_iter *iter,
                                     wvmi_pe_import *import,
                                     size_t size);

/**
 * Gets many imports at once.
 *
 * `imports` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *imports`); `count` receives how many, on every return. Their texts are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one import; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_import_iter_next_many(wvmi_pe_import_iter *iter,
                                          wvmi_pe_import *imports,
                                          size_t stride,
                                          size_t capacity,
                                          size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_pe_import_iter_free(wvmi_pe_import_iter *iter);

/**
 * Takes an image out of memory.
 *
 * What is not in memory is zeros; `wvmi_pe_missing_iter_new()` tells where and
 * why.
 *
 * `layout` is one of `WVMI_PE_LAYOUT_*`. `buffer` of `capacity` bytes receives
 * the image, or its beginning when it is too small; it may be NULL when
 * `capacity` is 0. `length` (may be NULL) receives the length of the whole
 * image, at most `WVMI_PE_IMAGE_MAX`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_CANCELLED`;
 * `WVMI_ERROR_CORRUPT`, also for an image that claims to be larger than
 * `WVMI_PE_IMAGE_MAX`; else as `wvmi_pe_info()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_extract(wvmi_session *session,
                            wvmi_pe pe,
                            wvmi_pe_layout layout,
                            uint8_t *buffer,
                            size_t capacity,
                            size_t *length);

/**
 * Begins an iteration over what an extracted image misses, in order of offset;
 * neighbours with one cause are one range.
 *
 * `layout` is one of `WVMI_PE_LAYOUT_*`. `iter` receives the handle; free it
 * with `wvmi_pe_missing_iter_free()`.
 *
 * Returns `WVMI_OK`, or as `wvmi_pe_extract()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_pe_missing_iter_new(wvmi_session *session,
                                     wvmi_pe pe,
                                     wvmi_pe_layout layout,
                                     wvmi_pe_missing_iter **iter);

/**
 * Gets the next range that is missing.
 *
 * `missing` receives it, `size` is `sizeof *missing`.
 *
 * Returns `WVMI_OK`, `WVMI_END`, `WVMI_ERROR_CLOSED`,
 * `WVMI_ERROR_NULL_ARGUMENT`, or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_missing_iter_next(wvmi_pe_missing_iter *iter,
                                      wvmi_pe_missing *missing,
                                      size_t size);

/**
 * Gets many missing ranges at once.
 *
 * `missing` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *missing`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one range; `WVMI_END` with none;
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_pe_missing_iter_next_many(wvmi_pe_missing_iter *iter,
                                           wvmi_pe_missing *missing,
                                           size_t stride,
                                           size_t capacity,
                                           size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_pe_missing_iter_free(wvmi_pe_missing_iter *iter);

/**
 * Looks a handle up in a process.
 *
 * Kernel handles (high bits set) and all handles of the System process are
 * those of the kernel's own table. The low 2 bits of a handle are ignored.
 *
 * `handle` is the value as the process uses it. `details` receives the facts,
 * `size` is `sizeof *details`; `type_name` is NULL.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the handle is not open, and
 * for pseudo-handles, which have no entry; `WVMI_ERROR_FAULT`;
 * `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_handle_info(wvmi_session *session,
                             wvmi_process process,
                             uint64_t handle,
                             wvmi_handle_details *details,
                             size_t size);

/**
 * Gets the object of a handle.
 *
 * As `wvmi_handle_info()`, and the pseudo-handles: -1 is the process itself,
 * -2 the thread that uses the handle.
 *
 * `handle` is the value as the process uses it, 32-bit values of 32-bit code
 * included. `thread` is needed for -2 only; `{0}` is none. `object` receives
 * the object.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the handle is not open;
 * `WVMI_ERROR_INVALID_ARGUMENT` for -2 without a thread; else as
 * `wvmi_handle_info()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_handle_object(wvmi_session *session,
                               wvmi_process process,
                               uint64_t handle,
                               wvmi_thread thread,
                               wvmi_object *object);

/**
 * Reads what governs the handle table of a process.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no table, as
 * after its exit; else as `wvmi_handle_info()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_handle_table_info(wvmi_session *session,
                                   wvmi_process process,
                                   wvmi_handle_table_details *details,
                                   size_t size);

/**
 * Begins an iteration over the open handles of a process, in order of their
 * values.
 *
 * `iter` receives the handle of the iteration; free it with
 * `wvmi_handle_iter_free()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no table, as
 * after its exit; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_handle_iter_new(wvmi_session *session,
                                 wvmi_process process,
                                 wvmi_handle_iter **iter);

/**
 * Gets the next handle.
 *
 * `details` receives the facts, `size` is `sizeof *details`; `type_name` is
 * valid until the next call with this iterator.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a page of the table is absent
 * or damaged (the iteration goes on with the next page); `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_handle_iter_next(wvmi_handle_iter *iter,
                                  wvmi_handle_details *details,
                                  size_t size);

/**
 * Gets the details of many handles at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return. Their texts are
 * valid until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one handle; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_handle_iter_next_many(wvmi_handle_iter *iter,
                                       wvmi_handle_details *details,
                                       size_t stride,
                                       size_t capacity,
                                       size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_handle_iter_free(wvmi_handle_iter *iter);

/**
 * Name of an object kind, as Windows spells the type.
 *
 * `kind` may be any number.
 *
 * Returns a static string such as `"ALPC Port"`, or `"unknown"`. Never NULL,
 * never to be freed.
 *
 * Any thread, also from a callback.
 */
const char *wvmi_object_kind_name(wvmi_object_kind kind);

/**
 * Tells everything about an object's header in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_info(wvmi_session *session,
                             wvmi_object object,
                             wvmi_object_details *details,
                             size_t size);

/**
 * Reads the name of an object's type (`_OBJECT_TYPE.Name`), such as `"File"`.
 *
 * The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, `WVMI_ERROR_FAULT`,
 * `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_type_name(wvmi_session *session,
                                  wvmi_object object,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *length);

/**
 * Reads an object's own name, the last part of its path
 * (`_OBJECT_HEADER_NAME_INFO.Name`).
 *
 * The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns as `wvmi_object_type_name()`, and `WVMI_ERROR_NOT_FOUND` when the
 * object has no name.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_name(wvmi_session *session,
                             wvmi_object object,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Reads the full path of an object, as the kernel's own query gives it: of a
 * file its device's path and its own, of a registry key its path in the
 * registry, of other objects their place in the namespace
 * (`"\\BaseNamedObjects\\name"`).
 *
 * The path goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns as `wvmi_object_type_name()`, and `WVMI_ERROR_NOT_FOUND` when the
 * object has no path.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_path(wvmi_session *session,
                             wvmi_object object,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Takes an object as the process that it is.
 *
 * `process` receives it. The reverse needs no call: a process's `object` is
 * its object.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_INVALID_ARGUMENT` when the object is something
 * else, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_as_process(wvmi_session *session,
                                   wvmi_object object,
                                   wvmi_process *process);

/**
 * Takes an object as the thread that it is.
 *
 * `thread` receives it. The reverse needs no call: a thread's `object` is its
 * object.
 *
 * Returns as `wvmi_object_as_process()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_as_thread(wvmi_session *session,
                                  wvmi_object object,
                                  wvmi_thread *thread);

/**
 * Takes an object as the token that it is.
 *
 * `token` receives it. The reverse needs no call: a token's `object` is its
 * object.
 *
 * Returns as `wvmi_object_as_process()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_as_token(wvmi_session *session, wvmi_object object, wvmi_token *token);

/**
 * Reads a text of an object.
 *
 * Unpaired surrogates become U+FFFD, and embedded NULs are kept and counted in
 * `length`; `wvmi_object_text_utf16()` gives the units as they are.
 *
 * `kind` chooses the text. It goes into `buffer` of `capacity` bytes; `length`
 * (may be NULL) receives its length.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
 * the object has no such text, as a link whose target a driver computes;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT` for another number, and for an object of a
 * type that the text does not belong to; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_text(wvmi_session *session,
                             wvmi_object object,
                             wvmi_object_text_kind kind,
                             char *buffer,
                             size_t capacity,
                             size_t *length);

/**
 * Reads a text of an object without loss, as UTF-16 units: names that UTF-8
 * cannot carry hold unpaired surrogates or NULs.
 *
 * `kind` chooses the text. `units` receives at most `capacity` 16-bit units,
 * without a terminator; `count` (may be NULL) receives the number of units that
 * the text has.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the text was cut, else
 * as `wvmi_object_text()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_text_utf16(wvmi_session *session,
                                   wvmi_object object,
                                   wvmi_object_text_kind kind,
                                   uint16_t *units,
                                   size_t capacity,
                                   size_t *count);

/**
 * Tells everything about a type of objects in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `object` is the type's own object, as `"\\ObjectTypes"` lists them. `details`
 * receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_type_info(wvmi_session *session,
                                  wvmi_object object,
                                  wvmi_object_type_details *details,
                                  size_t size);

/**
 * Begins an iteration over the types of objects, in order of their indexes
 * (`ObTypeIndexTable`).
 *
 * `iter` receives the handle; free it with `wvmi_object_type_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_type_iter_new(wvmi_session *session, wvmi_object_type_iter **iter);

/**
 * Gets the next type.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a type is absent or damaged
 * (the iteration goes on with the next), or the table is (it ends);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_object_type_iter_next(wvmi_object_type_iter *iter,
                                       wvmi_object_type_details *details,
                                       size_t size);

/**
 * Gets the details of many types at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one type; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_object_type_iter_next_many(wvmi_object_type_iter *iter,
                                            wvmi_object_type_details *details,
                                            size_t stride,
                                            size_t capacity,
                                            size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_object_type_iter_free(wvmi_object_type_iter *iter);

/**
 * Finds the object at a path of the namespace; symbolic links are not followed.
 *
 * `path` is UTF-8 and begins with a backslash: `"\\Device\\Null"`, `"\\"` for
 * the root. ASCII case is ignored. `object` receives the object.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_INVALID_ARGUMENT` for
 * another path; `WVMI_ERROR_FAULT` or `WVMI_ERROR_CORRUPT` when a damaged
 * directory may hide the object; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_by_path(wvmi_session *session, const char *path, wvmi_object *object);

/**
 * Finds what a path leads to when symbolic links are followed, at most 32 of
 * them: the first object on the way that is neither directory nor link, or the
 * object at its end.
 *
 * So `"\\??\\C:\\Windows\\notepad.exe"` gives the device of the drive, and the
 * rest `"\\Windows\\notepad.exe"`, which only the device's driver understands.
 * A link without a path, such as one whose target a driver computes, is where
 * the way ends.
 *
 * `path` is UTF-8 and begins with a backslash; ASCII case is ignored.
 * `process` gives `"\\??"` its meaning: its own drives come before those of the
 * system, which alone count for `{0}`. `object` receives the object. The rest
 * of the path, often empty, goes into `rest` of `capacity` bytes; `length` (may
 * be NULL) receives its length. A `rest` of NULL with a capacity of 0 is not
 * filled and is no error.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL` (`object` is not written);
 * `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_INVALID_ARGUMENT` for another path;
 * `WVMI_ERROR_CORRUPT` when links lead to links without end; else as
 * `wvmi_object_by_path()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_resolve(wvmi_session *session,
                                const char *path,
                                wvmi_process process,
                                wvmi_object *object,
                                char *rest,
                                size_t capacity,
                                size_t *length);

/**
 * Tells what drive letters mean to a process (`_EPROCESS.DeviceMap`).
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled. The links of the drives are in the directories;
 * `wvmi_directory_iter_new()` lists them.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_NOT_FOUND`
 * when the process has no map, and sees the drives of the system alone;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_device_map_info(wvmi_session *session,
                                 wvmi_process process,
                                 wvmi_device_map_details *details,
                                 size_t size);

/**
 * Begins an iteration over the objects of a directory of the namespace, in the
 * order of its buckets.
 *
 * `directory` is the directory's object; `wvmi_object_by_path()` finds it.
 * `iter` receives the handle; free it with `wvmi_directory_iter_free()`.
 *
 * A damaged guest may have directories that contain each other: who walks down
 * a tree bounds the depth.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
 * type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_directory_iter_new(wvmi_session *session,
                                    wvmi_object directory,
                                    wvmi_directory_iter **iter);

/**
 * Gets the next object of a directory.
 *
 * `entry` receives the facts, `size` is `sizeof *entry`; its texts are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a chain of the directory is
 * damaged or absent from here on (the iteration goes on with the next chain);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_directory_iter_next(wvmi_directory_iter *iter,
                                     wvmi_directory_entry *entry,
                                     size_t size);

/**
 * Gets many objects of a directory at once.
 *
 * `entries` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *entries`); `count` receives how many, on every return. Their texts are valid
 * until the next call with this iterator.
 *
 * Returns `WVMI_OK` with at least one object; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_directory_iter_next_many(wvmi_directory_iter *iter,
                                          wvmi_directory_entry *entries,
                                          size_t stride,
                                          size_t capacity,
                                          size_t *count);

/**
 * Frees the iterator and the texts that it lent out. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_directory_iter_free(wvmi_directory_iter *iter);

/**
 * Tells what a caller passed to name an object, but for the name.
 *
 * `address` is that of a 64-bit `_OBJECT_ATTRIBUTES` in the space of
 * `process`, as the kernel's functions get it (`NtCreateFile`: argument 2), from
 * 32-bit callers, too. `details` receives the facts, `size` is `sizeof
 * *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT`, with
 * the missing address in `wvmi_last_error()`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_attributes_info(wvmi_session *session,
                                        wvmi_process process,
                                        uint64_t address,
                                        wvmi_object_attributes_details *details,
                                        size_t size);

/**
 * Reads the whole path of the object that a caller means: the path of the root
 * directory, whose handle is looked up, and the name.
 *
 * `address` as in `wvmi_object_attributes_info()`. `process` is whose space and
 * handles they are: `attached` of an event's details. `thread` is needed for
 * the pseudo-handle -2 only; `{0}` is none. The text goes into `buffer` of
 * `capacity` bytes; `length` (may be NULL) receives its length.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
 * nothing is named, or the root directory's handle is not open or its object
 * has no path; `WVMI_ERROR_FAULT`, with the missing address in
 * `wvmi_last_error()`, which `wvmi_event_request_page()` brings in;
 * `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_attributes_path(wvmi_session *session,
                                        wvmi_process process,
                                        wvmi_thread thread,
                                        uint64_t address,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *length);

/**
 * Reads the whole path of the object that a caller means, as UTF-16 units.
 *
 * `units` receives at most `capacity` 16-bit units, without a terminator;
 * `count` (may be NULL) receives the number of units that the path has.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the path was cut, else
 * as `wvmi_object_attributes_path()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_attributes_path_utf16(wvmi_session *session,
                                              wvmi_process process,
                                              wvmi_thread thread,
                                              uint64_t address,
                                              uint16_t *units,
                                              size_t capacity,
                                              size_t *count);

/**
 * Takes an object as the file object that it is.
 *
 * `file` receives it. The reverse needs no call: a file's `object` is its
 * object.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_INVALID_ARGUMENT` when the object is something
 * else, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_object_as_file(wvmi_session *session, wvmi_object object, wvmi_file *file);

/**
 * Tells everything but the texts about a file object in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_file_info(wvmi_session *session,
                           wvmi_file file,
                           wvmi_file_details *details,
                           size_t size);

/**
 * Reads the name of a file object as it was opened (`_FILE_OBJECT.FileName`):
 * relative to its device, or to its related file object.
 *
 * The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, `WVMI_ERROR_FAULT`,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_file_name(wvmi_session *session,
                           wvmi_file file,
                           char *buffer,
                           size_t capacity,
                           size_t *length);

/**
 * Reads the full path of a file object: the path of its device, the names of
 * its related file objects, and its own
 * (`"\\Device\\HarddiskVolume2\\Windows\\explorer.exe"`).
 *
 * The path goes into `buffer` of `capacity` bytes; `length` (may be NULL)
 * receives its length.
 *
 * Returns as `wvmi_file_name()`, and `WVMI_ERROR_CORRUPT` when the related file
 * objects form a circle.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_file_path(wvmi_session *session,
                           wvmi_file file,
                           char *buffer,
                           size_t capacity,
                           size_t *length);

/**
 * Tells everything about a section in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_section_info(wvmi_session *session,
                              wvmi_object object,
                              wvmi_section_details *details,
                              size_t size);

/**
 * Tells everything about an open registry key in one call;
 * `wvmi_object_path()` gives its path.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_key_info(wvmi_session *session,
                          wvmi_object object,
                          wvmi_key_details *details,
                          size_t size);

/**
 * Tells everything about an event object, which threads wait for, in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_event_object_info(wvmi_session *session,
                                   wvmi_object object,
                                   wvmi_event_object_details *details,
                                   size_t size);

/**
 * Tells everything about a mutex (`Mutant`) in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_mutant_info(wvmi_session *session,
                             wvmi_object object,
                             wvmi_mutant_details *details,
                             size_t size);

/**
 * Tells everything about a semaphore in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_semaphore_info(wvmi_session *session,
                                wvmi_object object,
                                wvmi_semaphore_details *details,
                                size_t size);

/**
 * Tells everything about a timer in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_timer_info(wvmi_session *session,
                            wvmi_object object,
                            wvmi_timer_details *details,
                            size_t size);

/**
 * Tells everything about an ALPC port in one call.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_alpc_port_info(wvmi_session *session,
                                wvmi_object object,
                                wvmi_alpc_port_details *details,
                                size_t size);

/**
 * Tells everything but the target about a symbolic link in one call;
 * `wvmi_object_text()` gives the target.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_symbolic_link_info(wvmi_session *session,
                                    wvmi_object object,
                                    wvmi_symbolic_link_details *details,
                                    size_t size);

/**
 * Tells everything but the texts and the devices about a driver object in one
 * call; `wvmi_object_text()` gives its name and its service key,
 * `wvmi_device_iter_new()` its devices.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_driver_object_info(wvmi_session *session,
                                    wvmi_object object,
                                    wvmi_driver_object_details *details,
                                    size_t size);

/**
 * Tells everything about a device object in one call; `wvmi_object_path()` gives
 * its path.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_device_object_info(wvmi_session *session,
                                    wvmi_object object,
                                    wvmi_device_object_details *details,
                                    size_t size);

/**
 * Begins an iteration over the devices of a driver, the latest first
 * (`_DRIVER_OBJECT.DeviceObject`).
 *
 * `driver` is the driver's object. `iter` receives the handle; free it with
 * `wvmi_device_iter_free()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
 * type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_device_iter_new(wvmi_session *session,
                                 wvmi_object driver,
                                 wvmi_device_iter **iter);

/**
 * Gets the next device.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when the chain is damaged or absent
 * from here on (the iteration ends); `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_device_iter_next(wvmi_device_iter *iter,
                                  wvmi_device_object_details *details,
                                  size_t size);

/**
 * Gets the details of many devices at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one device; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_device_iter_next_many(wvmi_device_iter *iter,
                                       wvmi_device_object_details *details,
                                       size_t stride,
                                       size_t capacity,
                                       size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_device_iter_free(wvmi_device_iter *iter);

/**
 * Tells everything but the processes about a job in one call;
 * `wvmi_process_iter_new_in_job()` lists those.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read;
 * `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
 * `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_job_info(wvmi_session *session,
                          wvmi_object object,
                          wvmi_job_details *details,
                          size_t size);

/**
 * Gets the innermost job that a process belongs to (`_EPROCESS.Job`).
 *
 * `job` receives the job's object.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a process in no job,
 * `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_job(wvmi_session *session, wvmi_process process, wvmi_object *job);

/**
 * Begins an iteration over the active processes of a job, those of jobs nested
 * in it left out (`_EJOB.ProcessListHead`).
 *
 * `job` is the job's object. `iter` receives the handle; free it with
 * `wvmi_process_iter_free()`. The `sources` of details are 0.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
 * type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_iter_new_in_job(wvmi_session *session,
                                         wvmi_object job,
                                         wvmi_process_iter **iter);

/**
 * Begins an iteration over the jobs that are nested in a job, without those in
 * them (`_EJOB.ChildJobListHead`); Windows 7 has no nested jobs.
 *
 * `job` is the job's object. `iter` receives the handle; free it with
 * `wvmi_job_iter_free()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
 * type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_job_iter_new_in_job(wvmi_session *session,
                                     wvmi_object job,
                                     wvmi_job_iter **iter);

/**
 * Gets the next job.
 *
 * `job` receives its object.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged or
 * absent (the iteration goes on with what can be reached otherwise);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_job_iter_next(wvmi_job_iter *iter, wvmi_object *job);

/**
 * Gets the details of many jobs at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one job; `WVMI_END` with none; `WVMI_GAP` with
 * those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_job_iter_next_many(wvmi_job_iter *iter,
                                    wvmi_job_details *details,
                                    size_t stride,
                                    size_t capacity,
                                    size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_job_iter_free(wvmi_job_iter *iter);

/**
 * Tells what is known about a terminal session.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NO_LAYOUT` where the
 * symbols do not describe sessions (Windows 11 24H2), for which
 * `wvmi_process_info()` still tells the numbers; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_terminal_session_info(wvmi_session *session,
                                       wvmi_terminal_session terminal,
                                       wvmi_terminal_session_details *details,
                                       size_t size);

/**
 * Gets the terminal session that a process belongs to (`_EPROCESS.Session`).
 *
 * `terminal` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` for processes of the kernel, which
 * belong to none; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NO_LAYOUT`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_terminal_session(wvmi_session *session,
                                          wvmi_process process,
                                          wvmi_terminal_session *terminal);

/**
 * Begins an iteration over the processes of a terminal session
 * (`_MM_SESSION_SPACE.ProcessList`).
 *
 * `iter` receives the handle; free it with `wvmi_process_iter_free()`. The
 * `sources` of details are 0.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NO_LAYOUT` where the symbols do not describe
 * sessions (Windows 11 24H2); `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_iter_new_in_terminal_session(wvmi_session *session,
                                                      wvmi_terminal_session terminal,
                                                      wvmi_process_iter **iter);

/**
 * Begins an iteration over the terminal sessions that active processes belong
 * to, in the order of their first processes.
 *
 * `iter` receives the handle; free it with `wvmi_terminal_session_iter_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_terminal_session_iter_new(wvmi_session *session,
                                           wvmi_terminal_session_iter **iter);

/**
 * Gets the next terminal session.
 *
 * `terminal` receives it.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a process, or a part of the
 * list of processes, is damaged or absent (the iteration goes on);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_terminal_session_iter_next(wvmi_terminal_session_iter *iter,
                                            wvmi_terminal_session *terminal);

/**
 * Gets the details of many terminal sessions at once.
 *
 * `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *details`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one session; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_terminal_session_iter_next_many(wvmi_terminal_session_iter *iter,
                                                 wvmi_terminal_session_details *details,
                                                 size_t stride,
                                                 size_t capacity,
                                                 size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_terminal_session_iter_free(wvmi_terminal_session_iter *iter);

/**
 * Gets the primary token of a process (`_EPROCESS.Token`).
 *
 * `token` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a process without one,
 * `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_token(wvmi_session *session, wvmi_process process, wvmi_token *token);

/**
 * Gets the token that a thread acts with: the one that it impersonates with,
 * else that of its process.
 *
 * `token` receives it.
 *
 * Returns as `wvmi_process_token()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_thread_token(wvmi_session *session, wvmi_thread thread, wvmi_token *token);

/**
 * Tells everything about a token but its groups in one call;
 * `wvmi_token_sid_iter_new()` lists those.
 *
 * What cannot be read is left 0 and out of `details->valid`; the rest is
 * filled.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_token_info(wvmi_session *session,
                            wvmi_token token,
                            wvmi_token_details *details,
                            size_t size);

/**
 * Name of a privilege.
 *
 * `number` is the number of its bit in `wvmi_token_details`, 0 to 63.
 *
 * Returns a static string such as `"SeDebugPrivilege"`, or `"unknown"`. Never
 * NULL, never to be freed.
 *
 * Any thread, also from a callback.
 */
const char *wvmi_privilege_name(uint32_t number);

/**
 * Begins an iteration over the SIDs of a token, in the order of its array.
 *
 * `which` is one of `WVMI_TOKEN_SIDS_*`. `iter` receives the handle of the
 * iteration; free it with `wvmi_token_sid_iter_free()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for another `which`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_token_sid_iter_new(wvmi_session *session,
                                    wvmi_token token,
                                    wvmi_token_sids which,
                                    wvmi_token_sid_iter **iter);

/**
 * Gets the next SID.
 *
 * `sid` receives it, `size` is `sizeof *sid`.
 *
 * Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a SID is absent or damaged
 * (the iteration goes on with the next), or the array is (it ends);
 * `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_token_sid_iter_next(wvmi_token_sid_iter *iter,
                                     wvmi_token_sid *sid,
                                     size_t size);

/**
 * Gets many SIDs at once.
 *
 * `sids` receives at most `capacity` of them, `stride` bytes apart (`sizeof
 * *sids`); `count` receives how many, on every return.
 *
 * Returns `WVMI_OK` with at least one SID; `WVMI_END` with none; `WVMI_GAP`
 * with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * The thread that owns `iter`, also from a callback.
 */
wvmi_status wvmi_token_sid_iter_next_many(wvmi_token_sid_iter *iter,
                                          wvmi_token_sid *sids,
                                          size_t stride,
                                          size_t capacity,
                                          size_t *count);

/**
 * Frees the iterator. `iter` may be NULL.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_token_sid_iter_free(wvmi_token_sid_iter *iter);

/**
 * Finds the address of a symbol of the kernel or of one of its modules.
 *
 * `name` is UTF-8: `"nt!NtCreateFile"`, `"tcpip!TcpSend"`, or without a module
 * for the kernel. A module is named by its file, whose extension may be left out
 * and whose case does not count; that of the symbol does. The module's PDB, ISF
 * or ISR tells where the configuration's places have it, else its export table,
 * of which `"hal!#7"` names an ordinal. `address` receives its virtual address.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_FAULT` when the
 * module's headers or exports are not in memory; `WVMI_ERROR_CORRUPT`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_symbol_address(wvmi_session *session, const char *name, uint64_t *address);

/**
 * Finds the address of a symbol of a module of a process.
 *
 * `name` is UTF-8: `"ntdll!NtCreateFile"`, as with `wvmi_symbol_address()`, but
 * the module is never left out. Forwarded exports lead to where they lead the
 * process. `architecture` tells native and WoW64 modules of one name apart: one
 * of `WVMI_ARCHITECTURE_*`. `address` receives the address in the process.
 *
 * Returns as `wvmi_symbol_address()`, and `WVMI_ERROR_INVALID_ARGUMENT` for a
 * name without a module and for another `architecture`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_symbol_address(wvmi_session *session,
                                        wvmi_process process,
                                        const char *name,
                                        wvmi_architecture architecture,
                                        uint64_t *address);

/**
 * Finds the symbols of the kernel and its modules at or before many addresses.
 *
 * `addresses` are `count` virtual addresses; it may be NULL when `count` is 0.
 * `matches` receives one answer for each, `stride` bytes apart (`sizeof
 * *matches`).
 *
 * Returns `WVMI_OK` when all addresses were looked up, whatever was found;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_symbols_at(wvmi_session *session,
                            const uint64_t *addresses,
                            size_t count,
                            wvmi_symbol_match *matches,
                            size_t stride);

/**
 * Finds the symbols at or before many addresses, of the modules of a process
 * and of the kernel.
 *
 * The arguments are those of `wvmi_symbols_at()`; user addresses are the
 * process's.
 *
 * Returns as `wvmi_symbols_at()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_process_symbols_at(wvmi_session *session,
                                    wvmi_process process,
                                    const uint64_t *addresses,
                                    size_t count,
                                    wvmi_symbol_match *matches,
                                    size_t stride);

/**
 * Tells the size of a structure or union of the kernel.
 *
 * `structure` is its name (`"_EPROCESS"`), UTF-8. `size` receives its size in
 * bytes.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_struct_size(wvmi_session *session, const char *structure, uint64_t *size);

/**
 * Tells where a member of a structure of the kernel is.
 *
 * `structure` is the structure's name (`"_EPROCESS"`), `path` the member's,
 * with dots for members of members (`"Pcb.DirectoryTableBase"`), both UTF-8;
 * members of unnamed structures are named directly. `field` receives the
 * place, `size` is `sizeof *field`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_field_offset(wvmi_session *session,
                              const char *structure,
                              const char *path,
                              wvmi_field *field,
                              size_t size);

/**
 * Tells the value of a constant of an enumeration of the kernel.
 *
 * `enumeration` is the enumeration's name (`"_POOL_TYPE"`), `constant` the
 * constant's (`"NonPagedPool"`), both UTF-8. `value` receives the value.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT` when a name is not UTF-8,
 * `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_enum_value(wvmi_session *session,
                            const char *enumeration,
                            const char *constant,
                            int64_t *value);

/**
 * Reads the registers of a virtual processor.
 *
 * Where the back end carries none, those come that the kernel saved when the
 * processor last stopped (`_KPRCB.ProcessorState`).
 *
 * `vcpu` counts from 0. `registers` receives them, `size` is `sizeof
 * *registers`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` for a processor that the guest does
 * not have; `WVMI_ERROR_NOT_SUPPORTED` where there are none;
 * `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_registers_get(wvmi_session *session,
                               uint16_t vcpu,
                               wvmi_registers *registers,
                               size_t size);

/**
 * Sets the registers of a virtual processor.
 *
 * `vcpu` counts from 0. `registers` holds all of them, as
 * `wvmi_registers_get()` gave them and the caller changed them; `size` is
 * `sizeof *registers`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NOT_SUPPORTED` where the back end cannot set
 * registers, as with all images; `WVMI_ERROR_NOT_FOUND`;
 * `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_registers_set(wvmi_session *session,
                               uint16_t vcpu,
                               const wvmi_registers *registers,
                               size_t size);

/**
 * Takes the registers out of the bytes of a `CONTEXT`.
 *
 * Registers of parts that the context does not hold stay as they are in
 * `registers`: fill it beforehand, or zero it.
 *
 * `context` has `context_size` bytes: at least `WVMI_CONTEXT_SIZE_64` or
 * `WVMI_CONTEXT_SIZE_32`, as `architecture` says (one of the two widths).
 * `registers` is read and written, `size` is `sizeof *registers`. `parts` (may
 * be NULL) receives what the context holds: `WVMI_CONTEXT_*` bits
 * (`ContextFlags`).
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_CORRUPT` when its flags say that it is no
 * context of this width; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_context_load(const uint8_t *context,
                              size_t context_size,
                              wvmi_architecture architecture,
                              wvmi_registers *registers,
                              size_t size,
                              uint32_t *parts);

/**
 * Stores registers in the bytes of a `CONTEXT`, and the flags that say so.
 *
 * All other bytes stay as they are: zero them for a new one.
 *
 * `registers` holds the values, `size` is `sizeof *registers`. `parts` says
 * which to store: `WVMI_CONTEXT_*` bits of control, integer, segments and
 * debug registers. `context` has `context_size` bytes, as for
 * `wvmi_context_load()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`,
 * also for parts that `wvmi_registers` does not hold.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_context_store(const wvmi_registers *registers,
                               size_t size,
                               uint32_t parts,
                               wvmi_architecture architecture,
                               uint8_t *context,
                               size_t context_size);

/**
 * Tells what a trap frame holds beside the registers in one call.
 *
 * What a system call does not save is left over from an earlier frame. What
 * cannot be read is left 0 and out of `details->valid`; the rest is filled.
 *
 * `frame` is the address of a `_KTRAP_FRAME`: `trap_frame` of
 * `wvmi_thread_info()`. `details` receives the facts, `size` is `sizeof
 * *details`.
 *
 * Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
 * none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
 * `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_trap_frame_info(wvmi_session *session,
                                 uint64_t frame,
                                 wvmi_trap_frame_details *details,
                                 size_t size);

/**
 * Reads the registers in a trap frame.
 *
 * It holds what calls may change: `r12` to `r15` are not in it and come out 0,
 * like all that is no general, segment or debug register.
 *
 * `frame` is the address of a `_KTRAP_FRAME`. `registers` receives them, `size`
 * is `sizeof *registers`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
 * `WVMI_ERROR_NO_SYMBOLS`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_trap_frame_registers(wvmi_session *session,
                                      uint64_t frame,
                                      wvmi_registers *registers,
                                      size_t size);

/**
 * Reads an `_EXCEPTION_RECORD` of the guest.
 *
 * `space` says where `address` lives. `architecture` is that of its pointers:
 * `WVMI_ARCHITECTURE_X86` or `WVMI_ARCHITECTURE_X64`. `record` receives it, `size` is
 * `sizeof *record`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
 * `WVMI_ERROR_INVALID_ARGUMENT`; or what resolving the space returns.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_exception_record_read(wvmi_session *session,
                                       wvmi_space space,
                                       uint64_t address,
                                       wvmi_architecture architecture,
                                       wvmi_exception_record *record,
                                       size_t size);

/**
 * Stops all processors of a running guest.
 *
 * Pauses are counted: the guest goes on when each has been undone with
 * `wvmi_session_resume()`. Those that the session still holds when it is closed
 * are undone then. Hooks and the event loop work as before, and nothing new
 * happens while the guest is paused.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_SUPPORTED` when the back end cannot pause
 * (images of memory do not run), or `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_pause(wvmi_session *session);

/**
 * Undoes one `wvmi_session_pause()` of this session.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` when the session holds no pause,
 * `WVMI_ERROR_NOT_SUPPORTED`, or `WVMI_ERROR_BACK_END`: the guest is still
 * paused, call again.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_resume(wvmi_session *session);

/**
 * Reads an argument of the function whose first instruction was reached.
 *
 * `index` counts from 0. 64-bit code: RCX, RDX, R8, R9, then the stack; 32-bit
 * code: the stack. `value` receives it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_FAULT` when the stack cannot be read, or
 * `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_argument(wvmi_event *event, uint32_t index, uint64_t *value);

/**
 * Reads the first `count` arguments of the function whose first instruction
 * was reached into `values`; as `wvmi_event_argument()`.
 */
wvmi_status wvmi_event_arguments(wvmi_event *event, uint64_t *values, size_t count);

/**
 * Reads an argument of a system call at its entry (`KiSystemCall64`), where R10
 * takes the place of RCX; as `wvmi_event_argument()`.
 */
wvmi_status wvmi_event_syscall_argument(wvmi_event *event, uint32_t index, uint64_t *value);

/**
 * Reads where the function whose first instruction was reached returns to.
 *
 * `address` receives it. Errors as `wvmi_event_argument()`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_return_address(wvmi_event *event, uint64_t *address);

/**
 * Tells the result of a function that has just returned: RAX.
 *
 * `value` receives it.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_return_value(wvmi_event *event, uint64_t *value);

/**
 * Has the stopped processor go on with other general-purpose registers, RIP
 * and RFLAGS.
 *
 * `size` is `sizeof *registers`. When RIP changes, the hooked instruction is
 * not executed.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_CONFLICT` when another callback of this event
 * has changed them differently (its change stays), or
 * `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_set_registers(wvmi_event *event,
                                     const wvmi_registers *registers,
                                     size_t size);

/**
 * Has the function whose first instruction was reached return at once.
 *
 * `result` is what it returns. In 32-bit `stdcall` code, `arguments` is the
 * number of arguments that the function removes from the stack; else it does
 * not matter.
 *
 * Errors as `wvmi_event_set_registers()`, and `WVMI_ERROR_FAULT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_skip_function(wvmi_event *event, uint64_t result, uint32_t arguments);

/**
 * Lets the monitored register write have no effect.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_deny(wvmi_event *event);

/**
 * Names the page that the callback needs and the guest does not have in
 * memory; return `WVMI_ACTION_RETRY` then.
 *
 * The guest takes a page fault at `address` as if the hooked instruction had
 * made the access (`access`: read 1, write 2, execute 4), brings the page in,
 * and the callback is called again with the next `attempt`. Where that would
 * do harm, and after three attempts, the callback is called at once with
 * `WVMI_EVENT_NOT_RESIDENT` instead.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT` for an unknown access, or
 * `WVMI_ERROR_NOT_RESIDENT` when this call of the callback is the one that
 * says so.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_request_page(wvmi_event *event, uint64_t address, uint32_t access);

/**
 * Tells everything about an event at once.
 *
 * `details` receives it, `size` is `sizeof *details`. What cannot be read in
 * the guest is left out of `details->valid`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT` or
 * `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_info(wvmi_event *event, wvmi_event_details *details, size_t size);

/**
 * Tells the interrupt request level of the stopped processor.
 *
 * `irql` receives it. Where the event does not tell it the back end is asked, which
 * is not cheap: Xen stops the guest for a moment.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or `WVMI_ERROR_BACK_END`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_irql(wvmi_event *event, uint32_t *irql);

/**
 * Tells the address space that the stopped processor uses: that of `attached`,
 * not always that of `process`.
 *
 * `space` receives it, for `wvmi_read()` and whatever else takes a space.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_space(wvmi_event *event, wvmi_space *space);

/**
 * Reads memory as the stopped processor sees it.
 *
 * `size` bytes at `address` go into `buffer`; `done` (may be NULL) receives how
 * many were read, also after a fault. Hooked code reads as the guest wrote it.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_FAULT`, with the missing address in
 * `wvmi_last_error()`, which `wvmi_event_request_page()` brings in; or
 * `WVMI_ERROR_NULL_ARGUMENT`.
 *
 * Only inside the callback that got the event.
 */
wvmi_status wvmi_event_read(wvmi_event *event,
                            uint64_t address,
                            uint8_t *buffer,
                            size_t size,
                            size_t *done);

/**
 * Opens a guest behind a back end of the host's own.
 *
 * Everything works as after `wvmi_session_open()`, as far as the back end can:
 * the kernel is found by its hints, its registers, or by scanning its memory.
 *
 * `ops` is the table of functions, copied; `size` is `sizeof *ops`. `context`
 * is passed to them and may be NULL. `config` may be NULL for all defaults.
 * `session` receives the handle; close it with `wvmi_session_close()`.
 *
 * Returns `WVMI_OK`; `WVMI_ERROR_NULL_ARGUMENT` for a NULL `ops`, `session`,
 * `ops->read_physical`, or a function that another one of the table needs (the
 * last error names it); `WVMI_ERROR_INVALID_ARGUMENT` for a bad `size` or a
 * live side without `ops->live`;
 * `WVMI_ERROR_CANCELLED` when the progress callback says so; or
 * `WVMI_ERROR_BUSY` when 1024 sessions are open. Whenever the table could be
 * read, `ops->release` has been called when the function fails.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_open_driver(const wvmi_driver_ops *ops,
                                     size_t size,
                                     void *context,
                                     const wvmi_config *config,
                                     wvmi_session **session);

/**
 * Has a processor of a running guest take an interrupt or exception, before its
 * next instruction.
 *
 * `vcpu` counts from 0. `interrupt` says which one: a page fault is vector 14,
 * `WVMI_INTERRUPT_HARDWARE_EXCEPTION`, with an error code and CR2 in `extra`; a
 * breakpoint is vector 3, `WVMI_INTERRUPT_SOFTWARE_EXCEPTION`, with an instruction
 * length of 1. `size` is `sizeof *interrupt`.
 *
 * The guest sees no difference to one of its own: inject only what its handler can
 * take where the processor is. A breakpoint or monitor that a callback is called
 * for is hit again when the handler returns. To have a page brought in, return
 * `WVMI_ACTION_RETRY`, which looks whether the guest can take the fault.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_SUPPORTED` when the back end cannot inject,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT` for an impossible
 * interrupt, or `WVMI_ERROR_BACK_END`, also while another one waits.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_inject(wvmi_session *session,
                        uint16_t vcpu,
                        const wvmi_driver_interrupt *interrupt,
                        size_t size);

/**
 * Inserts a breakpoint that the guest cannot see, where the back end has
 * memory views; see `wvmi_breakpoints_are_visible()`.
 *
 * The instruction is executed as the guest wrote it, by every thread that
 * reaches it; the guest reads its own bytes. A page that is not in memory is
 * hooked as soon as it comes in, a module that a process of the scope has not
 * loaded (or a process that does not exist yet) as soon as the module is mapped
 * there, a driver before its first instruction: while the event loop runs, for it
 * is the loop that sees it. Until then it is pending, and again when the module is
 * unloaded, until it is loaded anew, wherever that may be; `wvmi_hook_info()` tells
 * why. `spec` says where and for whom, `size` is
 * `sizeof *spec`; `callback` is called with `user_data` in the thread that
 * runs the event loop; `release` (may be NULL) releases `user_data` once.
 * `hook` receives the number to remove it with.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NOT_FOUND` for a symbol that the
 * kernel or a loaded driver lacks (others may come with the module),
 * `WVMI_ERROR_NOT_SUPPORTED` when the back end has no events,
 * `WVMI_ERROR_NO_SYMBOLS`, or `WVMI_ERROR_BACK_END`. After an error the guest
 * is as before.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_breakpoint_insert(wvmi_session *session,
                                   const wvmi_breakpoint_spec *spec,
                                   size_t size,
                                   wvmi_event_callback callback,
                                   void *user_data,
                                   wvmi_release_callback release,
                                   wvmi_hook *hook);

/**
 * Inserts many breakpoints in one pause of the guest: all of them, or none.
 *
 * `specs` are `count` structures, `stride` bytes apart (`sizeof *specs`).
 * `user_data` is one array element per breakpoint: callback `i` gets
 * `user_data[i]`; NULL gives every callback NULL. `release` (may be NULL)
 * releases each element once, after the last callback that gets it, or at once
 * when the call fails. `hooks` receives `count` numbers; `failed` (may be NULL) receives the index
 * of the breakpoint that could not be inserted.
 *
 * Errors as `wvmi_breakpoint_insert()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_breakpoint_insert_many(wvmi_session *session,
                                        const wvmi_breakpoint_spec *specs,
                                        size_t stride,
                                        size_t count,
                                        wvmi_event_callback callback,
                                        void *const *user_data,
                                        wvmi_release_callback release,
                                        wvmi_hook *hooks,
                                        size_t *failed);

/**
 * Removes a breakpoint, call hook or monitor.
 *
 * No callback of it starts after the call; one that is running is not waited
 * for. Its user data is released after the last callback. Open calls of a call
 * hook end with `WVMI_CALL_DETACHED`, in this thread.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` when there is no such hook any
 * more, or `WVMI_ERROR_BACK_END`: then call again.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_hook_remove(wvmi_session *session, wvmi_hook hook);

/**
 * Tells whether the guest can see breakpoints by reading its own code.
 *
 * `visible` receives 0 on back ends with memory views, else 1: there, the
 * `INT3` is in the guest's memory, and only this library's reads hide it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_NOT_SUPPORTED`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_breakpoints_are_visible(wvmi_session *session, uint32_t *visible);

/**
 * Tells where a breakpoint, call hook or monitor acts, or why it is pending.
 *
 * A hook on a symbol that its module turns out not to have stays pending, and
 * nothing but this call and a warning in the log says so: ask after the process
 * that was to be hooked has begun, or the driver was loaded. When a module is
 * unloaded, the reason is `WVMI_PENDING_MODULE` of a driver; of a process's module it
 * is `WVMI_PENDING_PAGE` until the next image is mapped there.
 *
 * Symbols that were not found are not looked for at each load of their module, but
 * anew once another hook on a symbol is inserted: put them in place, then do that.
 *
 * `details` receives the facts, `size` is `sizeof *details`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` when there is no such hook any more,
 * `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_hook_info(wvmi_session *session,
                           wvmi_hook hook,
                           wvmi_hook_details *details,
                           size_t size);

/**
 * Makes a view that shows the guest's own memory.
 *
 * `access` are the rights of every page: read 1, write 2, execute 4, or a sum;
 * and 8 has the processors' own page walks not count. No processor runs in the
 * view until `wvmi_view_switch()`. `view` receives the handle; free it with
 * `wvmi_view_free()`.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_SUPPORTED` when the back end has no views,
 * `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`, or
 * `WVMI_ERROR_BACK_END`, also when there are too many views (Xen has ten).
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_view_new(wvmi_session *session, uint32_t access, wvmi_view **view);

/**
 * Destroys a view. Processors that run in it go on in the library's own.
 *
 * `view` may be NULL. Closing the session destroys its views, too; their handles
 * answer `WVMI_ERROR_CLOSED` then, and are still to be freed.
 *
 * Any thread, also from a callback, also after the session was closed.
 */
void wvmi_view_free(wvmi_view *view);

/**
 * Moves all processors into a view.
 *
 * `view` NULL is the library's own, in which hooks act. A processor that is
 * stopped at an event goes on in the view that it was in, and is moved by the
 * next call.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`
 * for a view of another session, `WVMI_ERROR_NOT_SUPPORTED`,
 * `WVMI_ERROR_CLOSED`, or `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_view_switch(wvmi_session *session, const wvmi_view *view);

/**
 * Shows a frame of `wvmi_frame_new()` in a view, in place of a page of the guest's.
 *
 * `address` is the guest-physical address of the page, `frame` that of the frame.
 * The page's access rights stay as they are.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a frame that is not the
 * session's, `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NULL_ARGUMENT`,
 * `WVMI_ERROR_CLOSED`, or `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_view_show_frame(const wvmi_view *view, uint64_t address, uint64_t frame);

/**
 * Shows the guest's own page in a view again: undoes `wvmi_view_show_frame()`.
 *
 * `address` is the guest-physical address of the page, whose access rights stay.
 *
 * Errors as `wvmi_view_show_frame()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_view_reset_frame(const wvmi_view *view, uint64_t address);

/**
 * Tells the access rights of a page in a view.
 *
 * `address` is a guest-physical address in the page; `access` receives the sum of
 * read 1, write 2, execute 4, and 8 when page walks do not count.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_CLOSED`, or
 * `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_view_access(const wvmi_view *view, uint64_t address, uint32_t *access);

/**
 * Sets the access rights of a page in a view.
 *
 * `address` is a guest-physical address in the page; `access` is the sum of read
 * 1, write 2, execute 4, and 8 to have page walks not count (where the back end
 * can tell them apart: Xen with read 1 alone).
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`,
 * `WVMI_ERROR_CLOSED`, or `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_view_set_access(const wvmi_view *view, uint64_t address, uint32_t access);

/**
 * Adds a frame of zeros to the guest, which knows nothing of it: no view shows it
 * until `wvmi_view_show_frame()`.
 *
 * `frame` receives its guest-physical address; read and write it in the space
 * `WVMI_SPACE_PHYSICAL`. Closing the session takes it back.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NOT_SUPPORTED` when
 * the back end has no views, or `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_frame_new(wvmi_session *session, uint64_t *frame);

/**
 * Takes a frame of `wvmi_frame_new()` back.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_BUSY` while a view shows it,
 * `WVMI_ERROR_NOT_FOUND` for a frame that is not the session's,
 * `WVMI_ERROR_INVALID_ARGUMENT`, or `WVMI_ERROR_BACK_END`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_frame_free(wvmi_session *session, uint64_t frame);

/**
 * Adds a monitor of memory accesses or of what processors do.
 *
 * No code of the guest is changed. Accesses that an instruction makes while it
 * is stepped over at a breakpoint are not reported. Otherwise as
 * `wvmi_breakpoint_insert()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_monitor_add(wvmi_session *session,
                             const wvmi_monitor_spec *spec,
                             size_t size,
                             wvmi_event_callback callback,
                             void *user_data,
                             wvmi_release_callback release,
                             wvmi_hook *hook);

/**
 * Hooks a function: its entry, and the end of each call.
 *
 * Entries and ends are paired by thread and stack, through recursion. `spec`
 * names the function, `size` is `sizeof *spec`; the callbacks are called with
 * `user_data` in the thread that runs the event loop; `release` (may be NULL)
 * releases `user_data` once. `hook` receives the number to remove it with.
 * The kernel's symbols are needed to tell threads apart.
 *
 * Errors as `wvmi_breakpoint_insert()`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_call_hook_insert(wvmi_session *session,
                                  const wvmi_breakpoint_spec *spec,
                                  size_t size,
                                  wvmi_entry_callback on_entry,
                                  wvmi_return_callback on_return,
                                  void *user_data,
                                  wvmi_release_callback release,
                                  wvmi_hook *hook);

/**
 * Serves the events of a running guest: calls the callbacks of its hooks.
 *
 * Returns when a callback answers `WVMI_ACTION_STOP` or
 * `wvmi_session_stop()` is called (`WVMI_STOPPED`), or after
 * `wvmi_session_wakeup()` (`WVMI_OK`). The hooks stay; the guest's processors
 * wait at hooked places until the loop runs again or the session is closed.
 *
 * Returns `WVMI_STOPPED`, also when a callback closed the session; `WVMI_OK`;
 * `WVMI_ERROR_BUSY` when another thread runs the loop;
 * `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_CLOSED` when another thread closed the
 * session; `WVMI_ERROR_NOT_SUPPORTED` when the back end has no events; or
 * `WVMI_ERROR_BACK_END`.
 *
 * Any thread, one at a time; not from a callback.
 */
wvmi_status wvmi_session_run(wvmi_session *session);

/**
 * Serves the events that are pending, or the first ones that come within
 * `timeout_ms` milliseconds.
 *
 * Returns `WVMI_OK` when there were any, `WVMI_TIMEOUT` when there were none;
 * otherwise as `wvmi_session_run()`.
 *
 * Any thread, one at a time; not from a callback.
 */
wvmi_status wvmi_session_poll(wvmi_session *session, uint32_t timeout_ms);

/**
 * Tells a descriptor for `poll(2)`, for programs with a loop of their own: it is
 * readable while `wvmi_session_poll()` has something to do.
 *
 * `fd` receives it. It belongs to the session: neither read nor close it.
 *
 * Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
 * `WVMI_ERROR_NOT_SUPPORTED` when the back end has none.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_fd(wvmi_session *session, int32_t *fd);

/**
 * Ends `wvmi_session_run()` or `wvmi_session_poll()`, the current or the next
 * one, after the event it is at, with `WVMI_STOPPED`.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NOT_SUPPORTED`.
 *
 * Any thread, also from a callback.
 */
wvmi_status wvmi_session_stop(wvmi_session *session);

/**
 * Ends the wait of `wvmi_session_run()` or `wvmi_session_poll()`, the current
 * or the next one, with `WVMI_OK`.
 *
 * Async-signal-safe once the session has a hook or its loop has run, in
 * threads that have called the library before.
 *
 * Returns `WVMI_OK` or `WVMI_ERROR_NOT_SUPPORTED`.
 *
 * Any thread, also from a callback and from a signal handler.
 */
wvmi_status wvmi_session_wakeup(wvmi_session *session);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WINVMI_H */
