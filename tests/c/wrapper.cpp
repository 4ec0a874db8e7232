/* The C++ wrapper: owners, ranges, exceptions in both directions. */
#include <string>

#include <winvmi.hpp>

#include "check.h"

static void regions_and_modules_are_ranges(const winvmi::Session &session, wvmi_process process)
{
    std::size_t index = 0;
    for (const auto &region : session.regions(process)) {
        CHECK(session.region_at(process, region.end - 1).vad == region.vad);
        index++;
    }
    for (const auto &region : forged_regions) {
        index -= region.process == process.object;
    }
    CHECK(index == 0);
    for (const auto &module : session.user_modules(process)) {
        CHECK(module.base != 0 && module.name_length != 0);
        index++;
    }
    for (const auto &module : forged_user_modules) {
        index -= module.process == process.object;
    }
    CHECK(index == 0);
    auto sample = session.pe(session.user_module(process, "sample_x64.dll"));
    for (const auto &section : session.sections(sample)) {
        CHECK(section.rva != 0);
        index++;
    }
    CHECK(index > 2);
    bool found = false;
    for (const auto &it : session.exports(sample)) {
        found = found || (it.name != nullptr && std::string(it.name) == "add");
    }
    CHECK(found);
    index = 0;
    for (const auto &it : session.imports(sample)) {
        CHECK(it.module != nullptr);
        index++;
    }
    CHECK(index == 2);
}

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
    for (const auto &module : session.unloaded_modules()) {
        CHECK(module.start < module.end && module.name_length != 0);
    }

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
    regions_and_modules_are_ranges(session, notepad);
    CHECK(session.path(wvmi_object{forged_objects[0].object}) == forged_objects[0].path);
}

static void objects_are_found_listed_and_told(const winvmi::Session &session)
{
    wvmi_object root = session.object("\\");
    bool seen = false;
    for (const auto &entry : session.directory(root)) {
        seen = seen || std::string(entry.name, entry.name_length) == "Device";
    }
    CHECK(seen);
    wvmi_object link = session.object("\\GLOBAL??\\C:");
    CHECK(session.symbolic_link(link).drive_letter == 'C');
    CHECK(session.text(link, WVMI_OBJECT_TEXT_LINK_TARGET) == "\\Device\\HarddiskVolume2");
    CHECK(session.text_utf16(link, WVMI_OBJECT_TEXT_NAME) == u"C:");
    auto [volume, rest] = session.resolve("\\??\\C:\\boot.ini");
    CHECK(session.path(volume) == "\\Device\\HarddiskVolume2" && rest == "\\boot.ini");
    auto device = session.device_object(volume);
    for (const auto &found : session.devices(wvmi_object{device.driver})) {
        CHECK(found.driver == device.driver);
    }
    CHECK(session.driver_object(wvmi_object{device.driver}).size != 0);
    wvmi_object timer = session.object("\\BaseNamedObjects\\Daily");
    CHECK(session.timer(timer).running == 1 && session.info(timer).kind == WVMI_OBJECT_TIMER);
    bool refused = false;
    try {
        session.section(timer);
    } catch (const winvmi::Error &error) {
        refused = error.status() == WVMI_ERROR_INVALID_ARGUMENT;
    }
    CHECK(refused);
    std::size_t types = 0;
    for (const auto &type : session.object_types()) {
        types += type.objects != 0;
    }
    CHECK(types > 10);
}

static void processes_belong_to_jobs_sessions_and_users(const winvmi::Session &session)
{
    wvmi_object job{forged_jobs[0].object};
    std::size_t members = 0;
    for (const auto &process : session.processes(job)) {
        CHECK(process.object == forged_jobs[0].processes[members]);
        members++;
    }
    CHECK(members == session.job(job).active_processes);
    std::size_t nested = 0;
    for (const auto &forged : forged_jobs) {
        for (const auto &inner : session.jobs({forged.object})) {
            CHECK(inner.parent == forged.object);
            nested++;
        }
    }
    CHECK(nested == 1);
    for (const auto &terminal : session.terminal_sessions()) {
        wvmi_terminal_session value{terminal.address};
        CHECK(session.info(value).id == terminal.id);
        for (const auto &process : session.processes(value)) {
            CHECK(process.session_id == terminal.id);
        }
    }
    auto token = session.token(session.process("System"));
    CHECK(std::string(session.info(token).user) == "S-1-5-18");
    std::size_t sids = 0;
    for (const auto &sid : session.sids(token)) {
        sids += sid.attributes != 0;
    }
    CHECK(sids == 4);
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
        objects_are_found_listed_and_told(session);
        processes_belong_to_jobs_sessions_and_users(session);
        memory_is_read_as_values(session);
        errors_are_thrown(session);
    }
    exceptions_do_not_cross_c();
    owners_are_moved_and_ranges_outlive_sessions();
    return 0;
}
