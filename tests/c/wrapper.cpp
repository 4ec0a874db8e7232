/* The C++ wrapper: owners, ranges, exceptions in both directions. */
#include <string>

#include <winvmi.hpp>

#include "check.h"

static void ranges_yield_what_was_forged(const winvmi::Session &session)
{
    std::size_t index = 0;
    auto processes = session.processes();
    for (const auto &process : processes) {
        CHECK(process.object == forged_processes[index].object);
        CHECK(session.info(wvmi_process{process.object}).pid == forged_processes[index].pid);
        index++;
    }
    CHECK(index == COUNT(forged_processes) && processes.gaps().empty());

    index = 0;
    for (const auto &module : session.modules()) {
        CHECK(std::string(module.name, module.name_length) == forged_modules[index].name);
        index++;
    }
    CHECK(index == COUNT(forged_modules));

    auto notepad = session.process("notepad.exe");
    CHECK(session.process(forged_process_named("notepad.exe")->pid).object == notepad.object);
    for (const auto &thread : session.threads(notepad)) {
        CHECK(session.info(wvmi_thread{thread.object}).tid == thread.tid);
    }
    index = 0;
    for (const auto &handle : session.handles(notepad)) {
        CHECK(handle.object != 0);
        index++;
    }
    CHECK(index == forged_process_named("notepad.exe")->handles);
    CHECK(session.path(wvmi_object{forged_objects[0].object}) == forged_objects[0].path);
}

static void memory_is_read_as_values(const winvmi::Session &session)
{
    wvmi_space kernel{};
    CHECK(session.read<uint16_t>(kernel, FORGED_KERNEL_BASE) == 0x5a4d);
    CHECK(session.read_bytes(kernel, FORGED_KERNEL_BASE, 2)[1] == 'Z');
    CHECK(session.read_string(kernel, FORGED_KERNEL_BASE, 2) == "MZ");
    CHECK(session.symbol("nt!NtCreateFile") == FORGED_NT_CREATE_FILE);
    CHECK(session.info().build == FORGED_BUILD);
    CHECK((*session.ranges(kernel, FORGED_KERNEL_BASE).begin()).address == FORGED_KERNEL_BASE);
}

static void errors_are_thrown(const winvmi::Session &session)
{
    bool thrown = false;
    try {
        session.read<uint64_t>(wvmi_space{}, 0x10);
    } catch (const winvmi::Error &error) {
        thrown = error.status() == WVMI_ERROR_FAULT && error.address() == 0x10 &&
                 error.fault() == WVMI_FAULT_NOT_MAPPED && error.what()[0] != '\0';
    }
    CHECK(thrown);
    auto gone = session.threads(wvmi_process{0x10});
    CHECK(gone.begin() == gone.end() && gone.gaps().size() == 1);
    CHECK(gone.gaps()[0].status() == WVMI_GAP);
}

static void exceptions_do_not_cross_c()
{
    winvmi::Config config;
    config.name("thrower").add_symbol_path(forged_symbols);
    config.file_mode(WVMI_FILE_MODE_READ);
    config.progress([](const char *, const char *, uint64_t, uint64_t) -> bool { throw 1; });
    winvmi::set_log(WVMI_LOG_TRACE, [](auto, auto, auto) { throw 2; });
    try {
        winvmi::Session session(forged_dump, config);
    } catch (const winvmi::Error &error) {
        CHECK(error.status() == WVMI_ERROR_CANCELLED);
    }
    winvmi::set_log(WVMI_LOG_OFF, nullptr);
}

static void owners_are_moved_and_ranges_outlive_sessions()
{
    winvmi::Config config;
    config.add_symbol_path(forged_symbols);
    winvmi::Session first(forged_dump, config);
    winvmi::Session second(std::move(first));
    CHECK(first.get() == nullptr);
    second.load_symbols(forged_symbols);
    auto processes = second.processes();
    {
        winvmi::Session gone(std::move(second));
    }
    bool closed = false;
    try {
        processes.begin();
    } catch (const winvmi::Error &error) {
        closed = error.status() == WVMI_ERROR_CLOSED;
    }
    CHECK(closed);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    winvmi::Config config;
    config.add_symbol_path(forged_symbols);
    {
        winvmi::Session session(forged_dump, config);
        ranges_yield_what_was_forged(session);
        memory_is_read_as_values(session);
        errors_are_thrown(session);
    }
    exceptions_do_not_cross_c();
    owners_are_moved_and_ranges_outlive_sessions();
    return 0;
}
