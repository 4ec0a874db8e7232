/* Back ends of the host's own: honest, small, slow, failing and lying ones. */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "check.h"

/* Memory that another session serves, and what to do wrong. */
struct guest {
    wvmi_session *source;
    unsigned long calls;
    unsigned long fail_at;
    int released;
    uint64_t lie_start, lie_length;
};

static wvmi_status read_physical(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    struct guest *guest = (struct guest *)context;
    if (++guest->calls == guest->fail_at) {
        return WVMI_ERROR_IO;
    }
    CHECK(size > 0 && address / 4096 == (address + size - 1) / 4096);
    return wvmi_read(guest->source, space_of(WVMI_SPACE_PHYSICAL, 0), address, buffer, size, NULL);
}

static wvmi_status next_run(void *context, uint64_t from, uint64_t *start, uint64_t *length)
{
    struct guest *guest = (struct guest *)context;
    wvmi_range_iter *iter = NULL;
    wvmi_range range;
    wvmi_status status;
    CHECK_OK(wvmi_range_iter_new(guest->source, space_of(WVMI_SPACE_PHYSICAL, 0), from, UINT64_MAX,
                                 &iter));
    status = wvmi_range_iter_next(iter, &range, sizeof range);
    wvmi_range_iter_free(iter);
    if (status == WVMI_OK) {
        *start = range.address;
        *length = range.length;
    }
    return status;
}

static wvmi_status next_run_lies(void *context, uint64_t from, uint64_t *start, uint64_t *length)
{
    struct guest *guest = (struct guest *)context;
    (void)from;
    *start = guest->lie_start;
    *length = guest->lie_length;
    return WVMI_OK;
}

static wvmi_status get_registers(void *context, uint32_t vcpu, wvmi_registers *registers,
                                 size_t size)
{
    struct guest *guest = (struct guest *)context;
    return wvmi_registers_get(guest->source, (uint16_t)vcpu, registers, size);
}

static void release(void *context)
{
    ((struct guest *)context)->released++;
}

static wvmi_driver_ops honest_table(void)
{
    wvmi_driver_ops ops;
    memset(&ops, 0, sizeof ops);
    ops.vcpus = (uint32_t)FORGED_PROCESSORS;
    ops.read_physical = read_physical;
    ops.next_run = next_run;
    ops.get_registers = get_registers;
    ops.release = release;
    return ops;
}

static size_t count_processes(wvmi_session *session)
{
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    size_t count = 0;
    CHECK_OK(wvmi_process_iter_new(session, 0, &iter));
    while (wvmi_process_iter_next(iter, &process) == WVMI_OK) {
        count++;
    }
    wvmi_process_iter_free(iter);
    return count;
}

static void an_honest_back_end_serves_windows(wvmi_session *source)
{
    struct guest guest = {source, 0, 0, 0, 0, 0};
    wvmi_driver_ops ops = honest_table();
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    wvmi_session_details details;
    wvmi_registers registers;
    ops.root = FORGED_SYSTEM_ROOT;
    ops.kernel_base = FORGED_KERNEL_BASE;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, &guest, config, &session));
    wvmi_config_free(config);
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK(strcmp(details.back_end, "host") == 0 && details.kernel_base == FORGED_KERNEL_BASE);
    CHECK((details.capabilities & WVMI_CAPABILITY_WRITE) == 0);
    CHECK(count_processes(session) == COUNT(forged_processes));
    CHECK_OK(wvmi_registers_get(session, 0, &registers, sizeof registers));
    CHECK(registers.rip == FORGED_RIP);
    CHECK_STATUS(wvmi_registers_set(session, 0, &registers, sizeof registers),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK_OK(wvmi_session_close(session));
    CHECK(guest.released == 1);
}

static void failures_are_errors_and_nothing_else(wvmi_session *source)
{
    for (unsigned long at = 1; at < 60; at += 7) {
        struct guest guest = {source, 0, at, 0, 0, 0};
        wvmi_driver_ops ops = honest_table();
        wvmi_config *config = forged_config();
        wvmi_session *session = NULL;
        ops.root = FORGED_SYSTEM_ROOT;
        ops.kernel_base = FORGED_KERNEL_BASE;
        CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, &guest, config, &session));
        wvmi_config_free(config);
        CHECK_OK(wvmi_session_close(session));
        CHECK(guest.released == 1);
    }
}

static wvmi_status read_slowly(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    struct timespec while_reading = {0, 50000};
    (void)context;
    (void)address;
    nanosleep(&while_reading, NULL);
    memset(buffer, 0, size);
    return WVMI_OK;
}

struct patience {
    unsigned calls, left;
};

static bool on_progress(const char *session, const char *stage, uint64_t done, uint64_t total,
                        void *user_data)
{
    struct patience *patience = (struct patience *)user_data;
    CHECK(session != NULL && stage != NULL && (total == 0 || done <= total));
    return ++patience->calls < patience->left;
}

/* A slow one without clues is scanned until somebody has had enough, and released. */
static void slow_back_ends_are_cancelled(wvmi_session *source)
{
    struct guest guest = {source, 0, 0, 0, 0, 0};
    struct patience patience = {0, 2};
    wvmi_driver_ops ops = honest_table();
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    ops.read_physical = read_slowly;
    ops.next_run = NULL;
    ops.get_registers = NULL;
    ops.memory_size = 64 << 20;
    CHECK_OK(wvmi_config_set_progress(config, on_progress, &patience, NULL));
    CHECK_STATUS(wvmi_session_open_driver(&ops, sizeof ops, &guest, config, &session),
                 WVMI_ERROR_CANCELLED);
    CHECK(guest.released == 1 && session == NULL && patience.calls == 2);
    wvmi_config_free(config);
}

/* Sixteen pages of memory that can be written. */
static uint8_t small_memory[0x10000];

static wvmi_status read_small(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    (void)context;
    if (address >= sizeof small_memory) {
        return WVMI_ERROR_FAULT;
    }
    memcpy(buffer, small_memory + address, size);
    return WVMI_OK;
}

static wvmi_status write_small(void *context, uint64_t address, const uint8_t *bytes, size_t size)
{
    (void)context;
    if (address >= sizeof small_memory) {
        return WVMI_ERROR_FAULT;
    }
    memcpy(small_memory + address, bytes, size);
    return WVMI_OK;
}

static void small_memory_is_read_and_written(void)
{
    wvmi_driver_ops ops;
    wvmi_session *session = NULL;
    wvmi_process process;
    wvmi_space physical = space_of(WVMI_SPACE_PHYSICAL, 0);
    uint64_t value = 0x1122334455667788;
    uint8_t across[2] = {0xaa, 0xbb};
    size_t done = 0;
    memset(&ops, 0, sizeof ops);
    ops.memory_size = sizeof small_memory;
    ops.read_physical = read_small;
    ops.write_physical = write_small;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, NULL, NULL, &session));
    CHECK_STATUS(wvmi_process_system(session, &process), WVMI_ERROR_NO_KERNEL);
    CHECK_OK(wvmi_write(session, physical, 0x100, (uint8_t *)&value, sizeof value, &done));
    value = 0;
    CHECK_OK(wvmi_read_u64(session, physical, 0x100, &value));
    CHECK(done == 8 && value == 0x1122334455667788);
    CHECK_STATUS(wvmi_write(session, physical, sizeof small_memory - 1, across, 2, &done),
                 WVMI_ERROR_FAULT);
    CHECK(done == 1 && small_memory[sizeof small_memory - 1] == 0xaa);
    CHECK_OK(wvmi_session_close(session));
}

static void lies_end_walks(wvmi_session *source)
{
    static const uint64_t lies[][2] = {
        {0, 0}, {0, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}, {0x1001, 2}, {0, 0x1000}, {7, 7}};
    for (size_t i = 0; i < COUNT(lies); i++) {
        struct guest guest = {source, 0, 0, 0, lies[i][0], lies[i][1]};
        wvmi_driver_ops ops = honest_table();
        wvmi_session *session = NULL;
        wvmi_range_iter *iter = NULL;
        wvmi_range range;
        size_t count = 0;
        ops.next_run = next_run_lies;
        ops.root = FORGED_SYSTEM_ROOT;
        ops.kernel_base = FORGED_KERNEL_BASE;
        CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, &guest, NULL, &session));
        CHECK_OK(wvmi_range_iter_new(session, space_of(WVMI_SPACE_PHYSICAL, 0), 0, UINT64_MAX,
                                     &iter));
        while (count < 100 && wvmi_range_iter_next(iter, &range, sizeof range) == WVMI_OK) {
            count++;
        }
        CHECK(count < 100);
        wvmi_range_iter_free(iter);
        CHECK_OK(wvmi_session_close(session));
        CHECK(guest.released == 1);
    }
}

static void bad_tables_are_refused_and_released(wvmi_session *source)
{
    struct guest guest = {source, 0, 0, 0, 0, 0};
    wvmi_driver_ops ops = honest_table();
    wvmi_session *session = NULL;
    CHECK_STATUS(wvmi_session_open_driver(NULL, sizeof ops, &guest, NULL, &session),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_session_open_driver(&ops, 0, &guest, NULL, &session),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(guest.released == 0);
    CHECK_STATUS(wvmi_session_open_driver(&ops, sizeof ops, &guest, NULL, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK(guest.released == 1);
    ops.read_physical = NULL;
    CHECK_STATUS(wvmi_session_open_driver(&ops, sizeof ops, &guest, NULL, &session),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK(guest.released == 2 && session == NULL);
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_without_symbols();
    an_honest_back_end_serves_windows(source);
    failures_are_errors_and_nothing_else(source);
    slow_back_ends_are_cancelled(source);
    small_memory_is_read_and_written();
    lies_end_walks(source);
    bad_tables_are_refused_and_released(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
