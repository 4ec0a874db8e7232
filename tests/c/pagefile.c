/* Memory that is not in memory: page files, zeros, prototypes. */
#include "check.h"

enum { PAGE = 4096 };

/* Any file will do as a page file: the dump itself is at hand. */
static wvmi_session *open_with_page_file(void)
{
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    CHECK_OK(wvmi_config_add_pagefile(config, 0, forged_dump));
    CHECK_STATUS(wvmi_config_add_pagefile(config, 16, forged_dump), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_config_add_pagefile(config, 0, NULL), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_session_open(forged_dump, config, &session));
    wvmi_config_free(config);
    return session;
}

static void absent_page_files_fail_the_opening(void)
{
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    CHECK_OK(wvmi_config_add_pagefile(config, 1, "/nowhere/pagefile.sys"));
    CHECK(wvmi_session_open(forged_dump, config, &session) < 0);
    CHECK(session == NULL);
    wvmi_config_free(config);
}

static void read_from_the_dump(uint64_t page, uint8_t *bytes)
{
    FILE *file = fopen(forged_dump, "rb");
    CHECK(file != NULL && fseek(file, (long)(page * PAGE), SEEK_SET) == 0);
    CHECK(fread(bytes, 1, PAGE, file) == PAGE);
    fclose(file);
}

static wvmi_process owner_of(const struct forged_page *page)
{
    wvmi_process process = {0};
    process.object = page->process;
    return process;
}

static wvmi_status read_page(wvmi_session *session, const struct forged_page *page, uint32_t flags,
                             uint8_t *bytes, size_t *done)
{
    return wvmi_process_read(session, owner_of(page), page->va, flags, bytes, PAGE, done);
}

static void paged_out_pages_are_read(wvmi_session *session, const struct forged_page *page)
{
    uint8_t wanted[PAGE], bytes[PAGE];
    wvmi_error error;
    size_t done = 7;
    if (page->pagefile_number == 0) {
        read_from_the_dump(page->pagefile_page, wanted);
        CHECK_OK(read_page(session, page, 0, bytes, &done));
        CHECK(done == PAGE && memcmp(bytes, wanted, PAGE) == 0);
        return;
    }
    CHECK_STATUS(read_page(session, page, 0, bytes, &done), WVMI_ERROR_FAULT);
    wvmi_last_error(&error, sizeof error);
    CHECK(done == 0 && error.fault == WVMI_FAULT_PAGEFILE);
    CHECK(error.pagefile_number == page->pagefile_number);
    CHECK(error.pagefile_offset == page->pagefile_page * PAGE);
}

static void untouched_pages_are_zero_on_request(wvmi_session *session,
                                                const struct forged_page *page)
{
    uint8_t bytes[PAGE];
    memset(bytes, 0xff, sizeof bytes);
    CHECK_STATUS(read_page(session, page, 0, bytes, NULL), WVMI_ERROR_FAULT);
    CHECK_OK(read_page(session, page, WVMI_PROCESS_READ_ZEROS, bytes, NULL));
    for (size_t i = 0; i < PAGE; i++)
        CHECK(bytes[i] == 0);
    CHECK_STATUS(read_page(session, page, 2, bytes, NULL), WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_process_read(session, owner_of(page), page->va, 0, NULL, 1, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
}

int main(int argc, char **argv)
{
    size_t paged_out = 0, untouched = 0;
    wvmi_session *session;
    begin(argc, argv);
    absent_page_files_fail_the_opening();
    session = open_with_page_file();
    for (size_t i = 0; i < COUNT(forged_pages); i++) {
        const struct forged_page *page = &forged_pages[i];
        if (page->kind == FORGED_PAGEFILE) {
            paged_out_pages_are_read(session, page);
            paged_out++;
        }
        if (page->kind == FORGED_DEMAND_ZERO) {
            untouched_pages_are_zero_on_request(session, page);
            untouched++;
        }
    }
    CHECK(paged_out > 1 && untouched > 0);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
