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
 * only ever added. It is the number in the library's SONAME.
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

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WINVMI_H */
