/* Scattered reads, reads over holes, translation, present ranges and mappings. */
#include "check.h"

static void each_request_tells_its_outcome(wvmi_session *session)
{
    uint8_t first[2] = {0, 0}, second[8];
    wvmi_scatter_request requests[4];
    memset(requests, 0, sizeof requests);
    requests[0].address = FORGED_KERNEL_BASE;
    requests[0].buffer = first;
    requests[0].size = sizeof first;
    requests[1].address = 0x10;
    requests[1].buffer = second;
    requests[1].size = sizeof second;
    requests[2].space = space_of(77, 0);
    requests[3].size = 1;
    CHECK_OK(wvmi_read_scatter(session, requests, sizeof requests[0], COUNT(requests)));
    CHECK(requests[0].status == WVMI_OK && requests[0].done == 2 && first[0] == 'M');
    CHECK(requests[1].status == WVMI_ERROR_FAULT && requests[1].done == 0);
    CHECK(requests[1].fault == WVMI_FAULT_NOT_MAPPED);
    CHECK(requests[2].status == WVMI_ERROR_INVALID_ARGUMENT);
    CHECK(requests[3].status == WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_read_scatter(session, NULL, sizeof requests[0], 0));
    CHECK_STATUS(wvmi_read_scatter(session, NULL, sizeof requests[0], 1),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_read_scatter(session, requests, 0, 1), WVMI_ERROR_INVALID_ARGUMENT);
}

static const struct forged_page *hole(void)
{
    for (size_t i = 0; i < COUNT(forged_pages); i++) {
        if (forged_pages[i].kind == FORGED_PAGEFILE) {
            return &forged_pages[i];
        }
    }
    CHECK(!"the forge made no page that is in a page file");
    return NULL;
}

static void holes_read_as_zeros(wvmi_session *session)
{
    const struct forged_page *page = hole();
    wvmi_space space = space_of(WVMI_SPACE_PROCESS, page->process);
    static uint8_t bytes[0x2000];
    wvmi_page_state states[2] = {0xaa, 0xaa};
    size_t present = 0;
    memset(bytes, 0xaa, sizeof bytes);
    CHECK_OK(wvmi_read_sparse(session, space, page->va - 0x1000, bytes, sizeof bytes, states,
                              COUNT(states), &present));
    CHECK(states[0] == WVMI_PAGE_PRESENT && states[1] == WVMI_FAULT_PAGEFILE);
    CHECK(present == 0x1000 && bytes[0x1000] == 0 && bytes[0x1fff] == 0);
    CHECK_STATUS(wvmi_read_sparse(session, space, page->va, bytes, 0x1000, NULL, 0, &present),
                 WVMI_ERROR_FAULT);
    CHECK(present == 0);
    CHECK_STATUS(wvmi_read_sparse(session, space, page->va, NULL, 1, NULL, 0, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_read_sparse(session, space, page->va, NULL, 0, NULL, 0, NULL));
}

static void addresses_translate(wvmi_session *session)
{
    wvmi_translation translation;
    for (size_t i = 0; i < COUNT(forged_pages); i++) {
        const struct forged_page *page = &forged_pages[i];
        wvmi_space space = space_of(WVMI_SPACE_PROCESS, page->process);
        wvmi_status status =
            wvmi_translate(session, space, page->va + 5, &translation, sizeof translation);
        if (page->kind != FORGED_PRESENT && page->kind != FORGED_TRANSITION) {
            CHECK(status == WVMI_ERROR_FAULT);
            continue;
        }
        CHECK_OK(status);
        CHECK(translation.physical_address == page->pa + 5);
        if (page->kind == FORGED_TRANSITION) {
            CHECK(translation.source == WVMI_SOURCE_TRANSITION);
            continue;
        }
        CHECK(translation.source == WVMI_SOURCE_HARDWARE && translation.page_size == page->size);
        CHECK(!(translation.protection & WVMI_PROTECTION_WRITE) == !page->writable);
        CHECK(!(translation.protection & WVMI_PROTECTION_EXECUTE) == !page->executable);
        CHECK(!(translation.protection & WVMI_PROTECTION_USER) == !page->user);
    }
    CHECK_STATUS(wvmi_translate(session, space_of(WVMI_SPACE_PHYSICAL, 0), 0, &translation,
                                sizeof translation),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(wvmi_translate(session, kernel_space(), FORGED_KERNEL_BASE, NULL,
                                sizeof translation),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void ranges_cover_what_is_present(wvmi_session *session)
{
    const struct forged_page *page = hole();
    wvmi_range_iter *iter = NULL;
    wvmi_range range, many[4];
    size_t count = 0;
    uint64_t last = 0, physical = 0;
    wvmi_status status;
    CHECK_OK(wvmi_range_iter_new(session, space_of(WVMI_SPACE_PROCESS, page->process),
                                 page->va - 0x10000, page->va + 0x10000, &iter));
    while ((status = wvmi_range_iter_next(iter, &range, sizeof range)) == WVMI_OK) {
        CHECK(range.length > 0 && range.address >= last);
        CHECK(page->va < range.address || page->va >= range.address + range.length);
        last = range.address + range.length;
    }
    CHECK(status == WVMI_END && last != 0);
    CHECK_STATUS(wvmi_range_iter_next(iter, &range, sizeof range), WVMI_END);
    wvmi_range_iter_free(iter);

    CHECK_OK(wvmi_range_iter_new(session, space_of(WVMI_SPACE_PHYSICAL, 0), 0, UINT64_MAX, &iter));
    while ((status = wvmi_range_iter_next_many(iter, many, sizeof many[0], COUNT(many), &count)) ==
           WVMI_OK) {
        for (size_t i = 0; i < count; i++) {
            physical += many[i].length;
        }
    }
    CHECK(status == WVMI_END && count == 0 && physical > FORGED_KERNEL_SIZE);
    CHECK_STATUS(wvmi_range_iter_next_many(iter, many, sizeof many[0], COUNT(many), NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
    wvmi_range_iter_free(iter);
    wvmi_range_iter_free(NULL);
    CHECK_STATUS(wvmi_range_iter_new(session, kernel_space(), 0, 0, NULL),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void mappings_outlive_their_session(void)
{
    wvmi_session *session = open_forged();
    wvmi_mapping *mapping = NULL;
    wvmi_mapping_segment segments[8];
    size_t count = 0;
    CHECK_OK(wvmi_map_range(session, kernel_space(), FORGED_KERNEL_BASE, 0x3000, &mapping));
    CHECK_STATUS(wvmi_mapping_segments(mapping, NULL, 0, 0, &count), WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(count >= 1 && count <= 3);
    CHECK_OK(wvmi_session_close(session));
    CHECK_OK(wvmi_mapping_segments(mapping, segments, sizeof segments[0], COUNT(segments), &count));
    CHECK(segments[0].address == FORGED_KERNEL_BASE);
    CHECK(segments[0].data[0] == 'M' && segments[0].data[1] == 'Z');
    wvmi_mapping_free(mapping);
    wvmi_mapping_free(NULL);
    CHECK_STATUS(wvmi_mapping_segments(NULL, segments, sizeof segments[0], 1, &count),
                 WVMI_ERROR_NULL_ARGUMENT);
}

static void mappings_refuse_holes_and_files_that_are_read(wvmi_session *session)
{
    const struct forged_page *page = hole();
    wvmi_space space = space_of(WVMI_SPACE_PROCESS, page->process);
    wvmi_config *config = forged_config();
    wvmi_session *reading = NULL;
    wvmi_mapping *mapping = NULL;
    CHECK_STATUS(wvmi_map_range(session, space, page->va, 0x1000, &mapping), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_map_range(session, space, page->va, 0, &mapping),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_config_set_file_mode(config, WVMI_FILE_MODE_READ));
    CHECK_OK(wvmi_session_open(forged_dump, config, &reading));
    CHECK_STATUS(wvmi_map_range(reading, kernel_space(), FORGED_KERNEL_BASE, 0x1000, &mapping),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK(mapping == NULL);
    CHECK_OK(wvmi_session_close(reading));
    wvmi_config_free(config);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    each_request_tells_its_outcome(session);
    holes_read_as_zeros(session);
    addresses_translate(session);
    ranges_cover_what_is_present(session);
    mappings_refuse_holes_and_files_that_are_read(session);
    CHECK_OK(wvmi_session_close(session));
    mappings_outlive_their_session();
    return 0;
}
