/* Images whose headers and tables lie: errors or gaps, bounded, and the rest. */
#include "damage.h"

enum { NT_HEADERS = 0x3c, OPTIONAL = 24, SIZE_OF_IMAGE = 56, COUNT_OF_SECTIONS = 4 };
enum { EXPORTS = 0, IMPORTS = 1, DIRECTORY = 8 };
enum { FUNCTIONS = 20, NAMES = 24, NAME_TABLE = 32 };

/* What one image of the undamaged guest is. */
struct image {
    wvmi_pe pe;
    wvmi_pe_details details;
    uint64_t nt, directories;
    size_t exports, imports;
};

/* What a table of an image told. */
struct told {
    size_t good, gaps;
    wvmi_status begun;
};

static struct told exports_of(wvmi_session *session, wvmi_pe pe)
{
    wvmi_pe_export_iter *iter = NULL;
    wvmi_pe_export it;
    struct told found = {0, 0, wvmi_pe_export_iter_new(session, pe, &iter)};
    CHECK((found.begun == WVMI_OK) == (iter != NULL));
    if (iter != NULL) {
        COUNT_ALL(wvmi_pe_export_iter_next(iter, &it, sizeof it), &found);
    }
    wvmi_pe_export_iter_free(iter);
    return found;
}

static struct told imports_of(wvmi_session *session, wvmi_pe pe)
{
    wvmi_pe_import_iter *iter = NULL;
    wvmi_pe_import it;
    struct told found = {0, 0, wvmi_pe_import_iter_new(session, pe, &iter)};
    CHECK((found.begun == WVMI_OK) == (iter != NULL));
    if (iter != NULL) {
        COUNT_ALL(wvmi_pe_import_iter_next(iter, &it, sizeof it), &found);
    }
    wvmi_pe_import_iter_free(iter);
    return found;
}

static uint32_t peek32(wvmi_session *session, wvmi_pe pe, uint64_t rva)
{
    uint32_t value = 0;
    CHECK_OK(wvmi_read_u32(session, pe.space, pe.base + rva, &value));
    return value;
}

/* Puts 4 bytes into an image, and leaves the word's other 4 as they are. */
static void poke32(struct guest *guest, wvmi_pe pe, uint64_t rva, uint32_t value)
{
    uint64_t address = pe.base + rva, word = 0;
    uint8_t bytes[8];
    CHECK_OK(wvmi_read_u64(guest->source, pe.space, address & ~UINT64_C(7), &word));
    memcpy(bytes, &word, sizeof bytes);
    memcpy(bytes + (address & 7), &value, sizeof value);
    damage_in(guest, pe.space, address & ~UINT64_C(7), bytes);
}

static struct image image_of(wvmi_session *source, const struct forged_sample *sample)
{
    struct image image;
    wvmi_user_module module;
    CHECK_OK(wvmi_user_module_by_name(source, process_of(forged_process_named(sample->process)),
                                      sample->name, WVMI_ARCHITECTURE_OWN, &module));
    CHECK_OK(wvmi_user_module_pe(source, module, &image.pe));
    CHECK_OK(wvmi_pe_info(source, image.pe, &image.details, sizeof image.details));
    image.nt = peek32(source, image.pe, NT_HEADERS);
    image.directories = image.nt + OPTIONAL + (sample->wow64 ? 96 : 112);
    image.exports = exports_of(source, image.pe).good;
    image.imports = imports_of(source, image.pe).good;
    CHECK(image.exports > 3 && image.imports == 2);
    return image;
}

static void no_headers_no_image(wvmi_session *source, const struct image *image)
{
    static const uint32_t places[] = {UINT32_MAX, 0xfffffff8, 0x80000000, 0x00fff000, 0x40};
    for (size_t i = 0; i <= COUNT(places); i++) {
        struct guest guest;
        wvmi_pe_details details;
        wvmi_pe_section_iter *sections = NULL;
        wvmi_pe_codeview_record record;
        wvmi_status status;
        size_t length = 7;
        open_damaged(&guest, source);
        poke32(&guest, image->pe, i < COUNT(places) ? NT_HEADERS : 0,
               i < COUNT(places) ? places[i] : 0);
        status = wvmi_pe_info(guest.session, image->pe, &details, sizeof details);
        CHECK(status == WVMI_ERROR_CORRUPT || status == WVMI_ERROR_FAULT);
        CHECK_STATUS(wvmi_pe_section_iter_new(guest.session, image->pe, &sections), status);
        CHECK_STATUS(wvmi_pe_codeview(guest.session, image->pe, &record, sizeof record), status);
        CHECK(exports_of(guest.session, image->pe).begun == status);
        CHECK(imports_of(guest.session, image->pe).begun == status);
        CHECK_STATUS(wvmi_pe_extract(guest.session, image->pe, WVMI_PE_LAYOUT_FILE, NULL, 0,
                                     &length),
                     status);
        CHECK(sections == NULL && length == 7);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* What the headers of a module claim does not outgrow its region. */
static void regions_bound_their_images(wvmi_session *source, const struct image *image)
{
    struct guest guest;
    wvmi_pe_details details;
    size_t length = 0;
    open_damaged(&guest, source);
    poke32(&guest, image->pe, image->nt + OPTIONAL + SIZE_OF_IMAGE, UINT32_MAX);
    CHECK_OK(wvmi_pe_info(guest.session, image->pe, &details, sizeof details));
    CHECK(details.size_of_image == UINT32_MAX);
    CHECK_STATUS(wvmi_pe_extract(guest.session, image->pe, WVMI_PE_LAYOUT_MEMORY, NULL, 0,
                                 &length),
                 WVMI_ERROR_BUFFER_TOO_SMALL);
    CHECK(length == image->details.size_of_image);
    CHECK(exports_of(guest.session, image->pe).good == image->exports);
    CHECK_OK(wvmi_session_close(guest.session));
}

/* Nothing else tells how large an image of the kernel is. */
static void sizes_beyond_all_memory_are_refused(wvmi_session *source)
{
    struct guest guest;
    wvmi_module hal;
    wvmi_pe pe;
    wvmi_pe_missing_iter *missing = NULL;
    size_t length = 7;
    open_damaged(&guest, source);
    CHECK_OK(wvmi_module_by_name(source, "hal", &hal));
    CHECK_OK(wvmi_module_pe(source, hal, &pe));
    poke32(&guest, pe, peek32(source, pe, NT_HEADERS) + OPTIONAL + SIZE_OF_IMAGE, UINT32_MAX);
    CHECK_STATUS(wvmi_pe_extract(guest.session, pe, WVMI_PE_LAYOUT_MEMORY, NULL, 0, &length),
                 WVMI_ERROR_CORRUPT);
    CHECK_STATUS(wvmi_pe_missing_iter_new(guest.session, pe, WVMI_PE_LAYOUT_MEMORY, &missing),
                 WVMI_ERROR_CORRUPT);
    CHECK(length == 7 && missing == NULL);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void counts_without_tables_are_refused(wvmi_session *source, const struct image *image)
{
    uint64_t exports = image->details.directories[EXPORTS].rva;
    const struct {
        uint64_t rva;
        uint32_t value;
    } lies[] = {
        {exports + FUNCTIONS, UINT32_MAX},
        {exports + NAMES, UINT32_MAX},
        {exports + NAMES, 0x10001},
        {image->directories + EXPORTS * DIRECTORY, 0xfffffff0},
        {image->directories + EXPORTS * DIRECTORY + 4, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT(lies); i++) {
        struct guest guest;
        struct told found;
        open_damaged(&guest, source);
        poke32(&guest, image->pe, lies[i].rva, lies[i].value);
        found = exports_of(guest.session, image->pe);
        CHECK(found.begun == WVMI_ERROR_CORRUPT || found.begun == WVMI_ERROR_FAULT);
        CHECK(imports_of(guest.session, image->pe).good == image->imports);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

static void one_wild_name_costs_one_export(wvmi_session *source, const struct image *image)
{
    uint64_t table = peek32(source, image->pe, image->details.directories[EXPORTS].rva + NAME_TABLE);
    struct guest guest;
    struct told found;
    open_damaged(&guest, source);
    poke32(&guest, image->pe, table, 0xfffffff0);
    found = exports_of(guest.session, image->pe);
    CHECK(found.begun == WVMI_OK && found.gaps == 1 && found.good == image->exports - 1);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void one_wild_module_costs_its_imports(wvmi_session *source, const struct image *image)
{
    struct guest guest;
    struct told found;
    open_damaged(&guest, source);
    poke32(&guest, image->pe, image->details.directories[IMPORTS].rva + 12, 0xfffffff0);
    found = imports_of(guest.session, image->pe);
    CHECK(found.begun == WVMI_OK && found.gaps == 1 && found.good == image->imports - 1);
    CHECK(exports_of(guest.session, image->pe).good == image->exports);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void thousands_of_sections_end(wvmi_session *source, const struct image *image)
{
    struct guest guest;
    wvmi_pe_section_iter *iter = NULL;
    wvmi_pe_section section;
    size_t count = 0;
    uint32_t machine = peek32(source, image->pe, image->nt + COUNT_OF_SECTIONS) & 0xffff;
    open_damaged(&guest, source);
    poke32(&guest, image->pe, image->nt + COUNT_OF_SECTIONS, machine | 0x5fff0000);
    if (wvmi_pe_section_iter_new(guest.session, image->pe, &iter) == WVMI_OK) {
        while (wvmi_pe_section_iter_next(iter, &section, sizeof section) == WVMI_OK) {
            count++;
        }
        CHECK(count <= 0x5fff);
    }
    wvmi_pe_section_iter_free(iter);
    CHECK_OK(wvmi_session_close(guest.session));
}

/* Asks everything about an image: whatever it holds, each call ends and tells. */
static void ask_everything(wvmi_session *session, wvmi_pe pe, wvmi_process process)
{
    static uint8_t bytes[0x1000];
    wvmi_pe_details details;
    wvmi_pe_codeview_record record;
    wvmi_pe_section section;
    wvmi_pe_section_iter *sections = NULL;
    wvmi_symbol_match match;
    uint64_t address = pe.base + 0x1020, found = 0;
    wvmi_status status = wvmi_pe_info(session, pe, &details, sizeof details);
    CHECK(status == WVMI_OK || status == WVMI_ERROR_CORRUPT || status == WVMI_ERROR_FAULT);
    wvmi_pe_codeview(session, pe, &record, sizeof record);
    if (wvmi_pe_section_iter_new(session, pe, &sections) == WVMI_OK) {
        size_t count = 0;
        while (count < STEPS_MAX &&
               wvmi_pe_section_iter_next(sections, &section, sizeof section) == WVMI_OK) {
            count++;
        }
    }
    wvmi_pe_section_iter_free(sections);
    exports_of(session, pe);
    imports_of(session, pe);
    status = wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_FILE, bytes, sizeof bytes, NULL);
    CHECK(status == WVMI_OK || status == WVMI_ERROR_BUFFER_TOO_SMALL ||
          status == WVMI_ERROR_CORRUPT || status == WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_process_symbols_at(session, process, &address, 1, &match, sizeof match));
    status = wvmi_process_symbol_address(session, process, "sample_x64!add", 0, &found);
    CHECK(status == WVMI_OK || status == WVMI_ERROR_NOT_FOUND || status == WVMI_ERROR_CORRUPT ||
          status == WVMI_ERROR_FAULT);
}

/* Every word of the headers, and of the tables behind them, altered in turn. */
static void every_word_may_lie(wvmi_session *source, const struct image *image)
{
    static const uint64_t words[] = {UINT64_MAX, WILD};
    wvmi_process process = process_of(forged_process_named("notepad.exe"));
    struct guest guest;
    uint64_t begin = image->details.directories[EXPORTS].rva & ~UINT32_C(7);
    const uint64_t areas[][2] = {{0, 0x200}, {begin, begin + 0x100}};
    open_damaged(&guest, source);
    for (size_t area = 0; area < COUNT(areas); area++) {
        for (uint64_t rva = areas[area][0]; rva < areas[area][1]; rva += 8) {
            for (size_t i = 0; i < COUNT(words); i++) {
                guest.count = 0;
                damage_in(&guest, image->pe.space, image->pe.base + rva, &words[i]);
                CHECK_OK(wvmi_session_refresh(guest.session));
                ask_everything(guest.session, image->pe, process);
            }
        }
    }
    guest.count = 0;
    CHECK_OK(wvmi_session_refresh(guest.session));
    CHECK(exports_of(guest.session, image->pe).good == image->exports);
    CHECK_OK(wvmi_session_close(guest.session));
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    for (size_t i = 0; i < COUNT(forged_samples); i++) {
        struct image image = image_of(source, &forged_samples[i]);
        no_headers_no_image(source, &image);
        regions_bound_their_images(source, &image);
        counts_without_tables_are_refused(source, &image);
        one_wild_name_costs_one_export(source, &image);
        one_wild_module_costs_its_imports(source, &image);
        thousands_of_sections_end(source, &image);
        if (!forged_samples[i].wow64) {
            every_word_may_lie(source, &image);
        }
    }
    sizes_beyond_all_memory_are_refused(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
