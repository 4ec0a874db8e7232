/*
 * winvmi for C++17: winvmi.h with exceptions, owners and ranges.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Header-only and thin: everything here is made of the functions of winvmi.h,
 * whose documentation holds. Handles are owned and moved, never copied; errors
 * are thrown as winvmi::Error; iterations are ranges for `for`; exceptions that
 * leave a callback are caught before they reach C.
 */

#ifndef WINVMI_HPP
#define WINVMI_HPP

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "winvmi.h"

namespace winvmi {

/** A failed call, with the thread's record of it. */
class Error : public std::runtime_error {
public:
    /** Takes the calling thread's last error; `status` is what the call returned. */
    explicit Error(wvmi_status status) : Error(status, last()) {}

    /** What the call returned. */
    wvmi_status status() const noexcept { return status_; }

    /** Kind of the memory fault, WVMI_FAULT_NONE when it was none. */
    wvmi_fault_kind fault() const noexcept { return fault_; }

    /** Address that could not be accessed. */
    uint64_t address() const noexcept { return address_; }

private:
    static wvmi_error last()
    {
        wvmi_error record{};
        wvmi_last_error(&record, sizeof record);
        return record;
    }

    Error(wvmi_status status, const wvmi_error &record)
        : std::runtime_error(record.message != nullptr ? record.message : wvmi_status_name(status)),
          status_(status), fault_(record.fault), address_(record.address)
    {
    }

    wvmi_status status_;
    wvmi_fault_kind fault_;
    uint64_t address_;
};

/** Throws when `status` is an error; passes outcomes such as WVMI_END on. */
inline wvmi_status check(wvmi_status status)
{
    if (status < 0) {
        throw Error(status);
    }
    return status;
}

namespace detail {

/** Frees a handle with its own function. */
template <auto free>
struct Free {
    template <typename Handle>
    void operator()(Handle *handle) const noexcept
    {
        free(handle);
    }
};

template <typename Handle, auto free>
using Owner = std::unique_ptr<Handle, Free<free>>;

/** Text of any length from a function that fills (buffer, capacity, length). */
template <typename Fill>
std::string text(Fill fill)
{
    std::string buffer(128, '\0');
    std::size_t length = 0;
    wvmi_status status = fill(&buffer[0], buffer.size(), &length);
    if (status == WVMI_ERROR_BUFFER_TOO_SMALL) {
        buffer.resize(length + 1);
        status = fill(&buffer[0], buffer.size(), &length);
    }
    check(status);
    buffer.resize(length);
    return buffer;
}

/** UTF-16 units of any number from a function that fills (units, capacity, count). */
template <typename Fill>
std::u16string utf16(Fill fill)
{
    std::vector<uint16_t> buffer(128);
    std::size_t count = 0;
    wvmi_status status = fill(buffer.data(), buffer.size(), &count);
    if (status == WVMI_ERROR_BUFFER_TOO_SMALL) {
        buffer.resize(count);
        status = fill(buffer.data(), buffer.size(), &count);
    }
    check(status);
    return std::u16string(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
}

/** Calls a function object that C knows as user data; nothing is thrown into C. */
template <typename Function, typename... Arguments>
void call_quietly(void *user_data, Arguments... arguments) noexcept
{
    try {
        (*static_cast<Function *>(user_data))(arguments...);
    } catch (...) {
    }
}

template <typename Function>
void release(void *user_data) noexcept
{
    delete static_cast<Function *>(user_data);
}

} // namespace detail

/** Receives log records: level, session and message. Exceptions are dropped. */
using Log = std::function<void(wvmi_log_level, const char *, const char *)>;

/** Sends log records to `log`; an empty one ends the logging. */
inline void set_log(wvmi_log_level level, Log log)
{
    if (!log) {
        check(wvmi_set_log(WVMI_LOG_OFF, nullptr, nullptr, nullptr));
        return;
    }
    auto callback = [](wvmi_log_level level, const char *session, const char *message,
                       void *user_data) {
        detail::call_quietly<Log>(user_data, level, session, message);
    };
    check(wvmi_set_log(level, callback, new Log(std::move(log)), detail::release<Log>));
}

/** Watches long calls: session, stage, units done and in all; false ends the call,
 *  and so does an exception. */
using Progress = std::function<bool(const char *, const char *, uint64_t, uint64_t)>;

/** How sessions are opened. */
class Config {
public:
    Config()
    {
        wvmi_config *config = nullptr;
        check(wvmi_config_new(&config));
        handle_.reset(config);
    }

    Config &name(const std::string &name)
    {
        check(wvmi_config_set_name(get(), name.c_str()));
        return *this;
    }

    Config &add_symbol_path(const std::string &path)
    {
        check(wvmi_config_add_symbol_path(get(), path.c_str()));
        return *this;
    }

    Config &file_mode(wvmi_file_mode mode)
    {
        check(wvmi_config_set_file_mode(get(), mode));
        return *this;
    }

    Config &progress(Progress progress)
    {
        auto callback = [](const char *session, const char *stage, uint64_t done, uint64_t total,
                           void *user_data) {
            try {
                return (*static_cast<Progress *>(user_data))(session, stage, done, total);
            } catch (...) {
                return false;
            }
        };
        check(wvmi_config_set_progress(get(), callback, new Progress(std::move(progress)),
                                       detail::release<Progress>));
        return *this;
    }

    /** The C handle, for functions that have no wrapper. */
    wvmi_config *get() const noexcept { return handle_.get(); }

private:
    detail::Owner<wvmi_config, wvmi_config_free> handle_;
};

/**
 * An iteration as a range: `for (const auto &process : session.processes())`.
 *
 * Values come in blocks. Elements that could not be read are left out and kept
 * in gaps(). Texts in a value are valid until the loop has moved on by a block:
 * copy them to keep them.
 */
template <typename Handle, typename Value, auto next_many, auto free>
class Iteration {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Value;
        using difference_type = std::ptrdiff_t;
        using pointer = const Value *;
        using reference = const Value &;

        explicit iterator(Iteration *range) : range_(range) {}

        reference operator*() const { return range_->block_[range_->at_]; }
        pointer operator->() const { return &**this; }

        iterator &operator++()
        {
            if (!range_->advance()) {
                range_ = nullptr;
            }
            return *this;
        }

        bool operator==(const iterator &other) const { return range_ == other.range_; }
        bool operator!=(const iterator &other) const { return !(*this == other); }

    private:
        Iteration *range_;
    };

    explicit Iteration(Handle *handle) : handle_(handle), block_(64) {}

    iterator begin() { return iterator(advance() ? this : nullptr); }
    iterator end() { return iterator(nullptr); }

    /** Why elements were left out so far. */
    const std::vector<Error> &gaps() const noexcept { return gaps_; }

private:
    /** Moves to the next value; false at the end. */
    bool advance()
    {
        at_++;
        while (at_ >= count_) {
            at_ = 0;
            wvmi_status status = check(
                next_many(handle_.get(), block_.data(), sizeof(Value), block_.size(), &count_));
            if (status == WVMI_END) {
                return false;
            }
            if (status == WVMI_GAP) {
                gaps_.emplace_back(status);
            }
        }
        return true;
    }

    detail::Owner<Handle, free> handle_;
    std::vector<Value> block_;
    std::vector<Error> gaps_;
    std::size_t at_ = 0;
    std::size_t count_ = 0;
};

using Processes = Iteration<wvmi_process_iter, wvmi_process_details, wvmi_process_iter_next_many,
                            wvmi_process_iter_free>;
using Threads = Iteration<wvmi_thread_iter, wvmi_thread_details, wvmi_thread_iter_next_many,
                          wvmi_thread_iter_free>;
using Modules = Iteration<wvmi_module_iter, wvmi_module_details, wvmi_module_iter_next_many,
                          wvmi_module_iter_free>;
using UnloadedModules =
    Iteration<wvmi_unloaded_module_iter, wvmi_unloaded_module, wvmi_unloaded_module_iter_next_many,
              wvmi_unloaded_module_iter_free>;
using Handles = Iteration<wvmi_handle_iter, wvmi_handle_details, wvmi_handle_iter_next_many,
                          wvmi_handle_iter_free>;
using Regions = Iteration<wvmi_region_iter, wvmi_region_details, wvmi_region_iter_next_many,
                          wvmi_region_iter_free>;
using UserModules = Iteration<wvmi_user_module_iter, wvmi_user_module_details,
                              wvmi_user_module_iter_next_many, wvmi_user_module_iter_free>;
using Sections = Iteration<wvmi_pe_section_iter, wvmi_pe_section, wvmi_pe_section_iter_next_many,
                           wvmi_pe_section_iter_free>;
using Exports = Iteration<wvmi_pe_export_iter, wvmi_pe_export, wvmi_pe_export_iter_next_many,
                          wvmi_pe_export_iter_free>;
using Imports = Iteration<wvmi_pe_import_iter, wvmi_pe_import, wvmi_pe_import_iter_next_many,
                          wvmi_pe_import_iter_free>;
using Directory = Iteration<wvmi_directory_iter, wvmi_directory_entry,
                            wvmi_directory_iter_next_many, wvmi_directory_iter_free>;
using ObjectTypes = Iteration<wvmi_object_type_iter, wvmi_object_type_details,
                              wvmi_object_type_iter_next_many, wvmi_object_type_iter_free>;
using Devices = Iteration<wvmi_device_iter, wvmi_device_object_details, wvmi_device_iter_next_many,
                          wvmi_device_iter_free>;
using TerminalSessions =
    Iteration<wvmi_terminal_session_iter, wvmi_terminal_session_details,
              wvmi_terminal_session_iter_next_many, wvmi_terminal_session_iter_free>;
using Jobs = Iteration<wvmi_job_iter, wvmi_job_details, wvmi_job_iter_next_many, wvmi_job_iter_free>;
using TokenSids = Iteration<wvmi_token_sid_iter, wvmi_token_sid, wvmi_token_sid_iter_next_many,
                            wvmi_token_sid_iter_free>;
using Ranges =
    Iteration<wvmi_range_iter, wvmi_range, wvmi_range_iter_next_many, wvmi_range_iter_free>;

/** The space of a process. */
inline wvmi_space space_of(wvmi_process process) noexcept
{
    return {WVMI_SPACE_PROCESS, process.object};
}

/** One opened guest. Closed by the destructor; what it made may live longer. */
class Session {
public:
    explicit Session(const std::string &target) { open(target, nullptr); }
    Session(const std::string &target, const Config &config) { open(target, config.get()); }

    wvmi_session_details info() const { return filled<wvmi_session_details>(wvmi_session_info); }

    void load_symbols(const std::string &path)
    {
        check(wvmi_session_load_symbols(get(), path.c_str()));
    }

    /** Stops a running guest; counted. */
    void pause() { check(wvmi_session_pause(get())); }

    /** Undoes one pause(). */
    void resume() { check(wvmi_session_resume(get())); }

    /** Reads a value of plain data. */
    template <typename Value>
    Value read(wvmi_space space, uint64_t address) const
    {
        static_assert(std::is_trivially_copyable_v<Value>, "only plain data can be read");
        Value value{};
        auto *bytes = reinterpret_cast<uint8_t *>(&value);
        check(wvmi_read(get(), space, address, bytes, sizeof value, nullptr));
        return value;
    }

    std::vector<uint8_t> read_bytes(wvmi_space space, uint64_t address, std::size_t size) const
    {
        std::vector<uint8_t> bytes(size);
        check(wvmi_read(get(), space, address, bytes.data(), size, nullptr));
        return bytes;
    }

    std::string read_string(wvmi_space space, uint64_t address, std::size_t limit = 0) const
    {
        return detail::text([&](char *buffer, std::size_t capacity, std::size_t *length) {
            return wvmi_read_string(get(), space, address, limit, buffer, capacity, length);
        });
    }

    Processes processes(uint32_t sources = 0) const
    {
        return begun<Processes, wvmi_process_iter>(wvmi_process_iter_new, sources);
    }

    Threads threads(wvmi_process process) const
    {
        return begun<Threads, wvmi_thread_iter>(wvmi_thread_iter_new, process);
    }

    Handles handles(wvmi_process process) const
    {
        return begun<Handles, wvmi_handle_iter>(wvmi_handle_iter_new, process);
    }

    Modules modules() const { return begun<Modules, wvmi_module_iter>(wvmi_module_iter_new); }

    Regions regions(wvmi_process process) const
    {
        return begun<Regions, wvmi_region_iter>(wvmi_region_iter_new, process);
    }

    /** The region of an address; its path is NULL. */
    wvmi_region_details region_at(wvmi_process process, uint64_t address) const
    {
        wvmi_region_details details{};
        check(wvmi_region_at(get(), process, address, &details, sizeof details));
        return details;
    }

    UserModules user_modules(wvmi_process process) const
    {
        return begun<UserModules, wvmi_user_module_iter>(wvmi_user_module_iter_new, process);
    }

    wvmi_user_module user_module(wvmi_process process, const std::string &name,
                                 wvmi_architecture architecture = WVMI_ARCHITECTURE_OWN) const
    {
        wvmi_user_module module{};
        check(wvmi_user_module_by_name(get(), process, name.c_str(), architecture, &module));
        return module;
    }

    /** The image of a module of a process. */
    wvmi_pe pe(wvmi_user_module module) const
    {
        wvmi_pe pe{};
        check(wvmi_user_module_pe(get(), module, &pe));
        return pe;
    }

    /** The image of a driver. */
    wvmi_pe pe(wvmi_module module) const
    {
        wvmi_pe pe{};
        check(wvmi_module_pe(get(), module, &pe));
        return pe;
    }

    Sections sections(wvmi_pe pe) const
    {
        return begun<Sections, wvmi_pe_section_iter>(wvmi_pe_section_iter_new, pe);
    }

    Exports exports(wvmi_pe pe) const
    {
        return begun<Exports, wvmi_pe_export_iter>(wvmi_pe_export_iter_new, pe);
    }

    Imports imports(wvmi_pe pe) const
    {
        return begun<Imports, wvmi_pe_import_iter>(wvmi_pe_import_iter_new, pe);
    }

    UnloadedModules unloaded_modules() const
    {
        return begun<UnloadedModules, wvmi_unloaded_module_iter>(wvmi_unloaded_module_iter_new);
    }

    Ranges ranges(wvmi_space space, uint64_t start = 0, uint64_t end = UINT64_MAX) const
    {
        return begun<Ranges, wvmi_range_iter>(wvmi_range_iter_new, space, start, end);
    }

    wvmi_process process(uint32_t pid) const
    {
        wvmi_process process{};
        check(wvmi_process_by_id(get(), pid, &process));
        return process;
    }

    wvmi_process process(const std::string &name) const
    {
        wvmi_process process{};
        check(wvmi_process_by_name(get(), name.c_str(), &process));
        return process;
    }

    wvmi_process_details info(wvmi_process process) const
    {
        return filled<wvmi_process_details>(wvmi_process_info, process);
    }

    wvmi_thread_details info(wvmi_thread thread) const
    {
        return filled<wvmi_thread_details>(wvmi_thread_info, thread);
    }

    std::string path(wvmi_object object) const
    {
        return detail::text([&](char *buffer, std::size_t capacity, std::size_t *length) {
            return wvmi_object_path(get(), object, buffer, capacity, length);
        });
    }

    /** A text of an object: one of WVMI_OBJECT_TEXT_*. */
    std::string text(wvmi_object object, wvmi_object_text_kind kind) const
    {
        return detail::text([&](char *buffer, std::size_t capacity, std::size_t *length) {
            return wvmi_object_text(get(), object, kind, buffer, capacity, length);
        });
    }

    /** As text(), without loss. */
    std::u16string text_utf16(wvmi_object object, wvmi_object_text_kind kind) const
    {
        return detail::utf16([&](uint16_t *units, std::size_t capacity, std::size_t *count) {
            return wvmi_object_text_utf16(get(), object, kind, units, capacity, count);
        });
    }

    /** The object at a path of the namespace; no link is followed. */
    wvmi_object object(const std::string &path) const
    {
        wvmi_object object{};
        check(wvmi_object_by_path(get(), path.c_str(), &object));
        return object;
    }

    /** What a path leads to when links are followed, and the rest of the path. */
    std::pair<wvmi_object, std::string> resolve(const std::string &path,
                                                wvmi_process process = {}) const
    {
        wvmi_object object{};
        std::string rest =
            detail::text([&](char *buffer, std::size_t capacity, std::size_t *length) {
                return wvmi_object_resolve(get(), path.c_str(), process, &object, buffer, capacity,
                                           length);
            });
        return {object, std::move(rest)};
    }

    /** What is in a directory of the namespace. */
    Directory directory(wvmi_object directory) const
    {
        return begun<Directory, wvmi_directory_iter>(wvmi_directory_iter_new, directory);
    }

    ObjectTypes object_types() const
    {
        return begun<ObjectTypes, wvmi_object_type_iter>(wvmi_object_type_iter_new);
    }

    Devices devices(wvmi_object driver) const
    {
        return begun<Devices, wvmi_device_iter>(wvmi_device_iter_new, driver);
    }

    TerminalSessions terminal_sessions() const
    {
        return begun<TerminalSessions, wvmi_terminal_session_iter>(wvmi_terminal_session_iter_new);
    }

    Processes processes(wvmi_terminal_session terminal) const
    {
        return begun<Processes, wvmi_process_iter>(wvmi_process_iter_new_in_terminal_session,
                                                   terminal);
    }

    /** The processes of a job. */
    Processes processes(wvmi_object job) const
    {
        return begun<Processes, wvmi_process_iter>(wvmi_process_iter_new_in_job, job);
    }

    /** The jobs that are nested in a job. */
    Jobs jobs(wvmi_object job) const
    {
        return begun<Jobs, wvmi_job_iter>(wvmi_job_iter_new_in_job, job);
    }

    wvmi_token token(wvmi_process process) const
    {
        wvmi_token token{};
        check(wvmi_process_token(get(), process, &token));
        return token;
    }

    wvmi_token_details info(wvmi_token token) const
    {
        return filled<wvmi_token_details>(wvmi_token_info, token);
    }

    TokenSids sids(wvmi_token token, wvmi_token_sids which = WVMI_TOKEN_SIDS_GROUPS) const
    {
        return begun<TokenSids, wvmi_token_sid_iter>(wvmi_token_sid_iter_new, token, which);
    }

    wvmi_object_details info(wvmi_object object) const
    {
        return filled<wvmi_object_details>(wvmi_object_info, object);
    }

    wvmi_terminal_session_details info(wvmi_terminal_session terminal) const
    {
        return filled<wvmi_terminal_session_details>(wvmi_terminal_session_info, terminal);
    }

    /** What objects of one type say; an object of another type throws. */
    wvmi_section_details section(wvmi_object object) const
    {
        return filled<wvmi_section_details>(wvmi_section_info, object);
    }

    wvmi_key_details key(wvmi_object object) const
    {
        return filled<wvmi_key_details>(wvmi_key_info, object);
    }

    wvmi_event_object_details event_object(wvmi_object object) const
    {
        return filled<wvmi_event_object_details>(wvmi_event_object_info, object);
    }

    wvmi_mutant_details mutant(wvmi_object object) const
    {
        return filled<wvmi_mutant_details>(wvmi_mutant_info, object);
    }

    wvmi_semaphore_details semaphore(wvmi_object object) const
    {
        return filled<wvmi_semaphore_details>(wvmi_semaphore_info, object);
    }

    wvmi_timer_details timer(wvmi_object object) const
    {
        return filled<wvmi_timer_details>(wvmi_timer_info, object);
    }

    wvmi_alpc_port_details alpc_port(wvmi_object object) const
    {
        return filled<wvmi_alpc_port_details>(wvmi_alpc_port_info, object);
    }

    wvmi_symbolic_link_details symbolic_link(wvmi_object object) const
    {
        return filled<wvmi_symbolic_link_details>(wvmi_symbolic_link_info, object);
    }

    wvmi_driver_object_details driver_object(wvmi_object object) const
    {
        return filled<wvmi_driver_object_details>(wvmi_driver_object_info, object);
    }

    wvmi_device_object_details device_object(wvmi_object object) const
    {
        return filled<wvmi_device_object_details>(wvmi_device_object_info, object);
    }

    wvmi_object_type_details object_type(wvmi_object object) const
    {
        return filled<wvmi_object_type_details>(wvmi_object_type_info, object);
    }

    wvmi_job_details job(wvmi_object object) const
    {
        return filled<wvmi_job_details>(wvmi_job_info, object);
    }

    wvmi_device_map_details device_map(wvmi_process process) const
    {
        return filled<wvmi_device_map_details>(wvmi_device_map_info, process);
    }

    uint64_t symbol(const std::string &name) const
    {
        uint64_t address = 0;
        check(wvmi_symbol_address(get(), name.c_str(), &address));
        return address;
    }

    /** The C handle, for functions that have no wrapper. */
    wvmi_session *get() const noexcept { return handle_.get(); }

private:
    void open(const std::string &target, const wvmi_config *config)
    {
        wvmi_session *session = nullptr;
        check(wvmi_session_open(target.c_str(), config, &session));
        handle_.reset(session);
    }

    template <typename Details, typename Function, typename... Arguments>
    Details filled(Function function, Arguments... arguments) const
    {
        Details details{};
        check(function(get(), arguments..., &details, sizeof details));
        return details;
    }

    template <typename Range, typename Handle, typename Function, typename... Arguments>
    Range begun(Function function, Arguments... arguments) const
    {
        Handle *handle = nullptr;
        check(function(get(), arguments..., &handle));
        return Range(handle);
    }

    detail::Owner<wvmi_session, wvmi_session_close> handle_;
};

} // namespace winvmi

#endif
