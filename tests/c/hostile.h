/* Files with anything in them, for the C test programs. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "check.h"

/* Opens a file whatever is in it, and asks for everything that needs no symbols. */
static inline void open_and_read(const char *target)
{
    wvmi_session *session = NULL;
    wvmi_session_details details;
    wvmi_registers registers;
    wvmi_range_iter *ranges = NULL;
    wvmi_range range;
    uint64_t word;
    size_t steps = 0;
    wvmi_config *config = NULL;
    CHECK_OK(wvmi_config_new(&config));
    CHECK_OK(wvmi_config_set_symbol_environment(config, false));
    CHECK_OK(wvmi_config_set_cache_directory(config, ""));
    CHECK_OK(wvmi_config_set_file_mode(config, WVMI_FILE_MODE_READ));
    if (wvmi_session_open(target, config, &session) == WVMI_OK) {
        wvmi_space physical = space_of(WVMI_SPACE_PHYSICAL, 0);
        CHECK_OK(wvmi_session_info(session, &details, sizeof details));
        wvmi_registers_get(session, 0, &registers, sizeof registers);
        wvmi_read_u64(session, physical, 0x1000, &word);
        if (wvmi_range_iter_new(session, physical, 0, UINT64_MAX, &ranges) == WVMI_OK) {
            while (steps < 100 && wvmi_range_iter_next(ranges, &range, sizeof range) == WVMI_OK) {
                CHECK_STATUS(range.length == 0, 0);
                steps++;
            }
            wvmi_range_iter_free(ranges);
        }
        CHECK_OK(wvmi_session_close(session));
    }
    wvmi_config_free(config);
}

/* The next byte of the header of a crash dump after `at`, some way on; not of its long fillers. */
static inline size_t next_dump_byte(size_t at, size_t step)
{
    at += step;
    at = at >= 0x850 && at < 0xef0 ? 0xef0 : at;
    return at >= 0x1050 && at < 0x1ff0 ? 0x1ff0 : at;
}

#endif
