/* Damaged regions and loader lists: told once, and the good neighbours. */
#include "damage.h"

static wvmi_process victim(void)
{
    return process_of(forged_process_named("notepad.exe"));
}

static struct found regions_of(wvmi_session *session, wvmi_process process)
{
    wvmi_region_iter *iter = NULL;
    wvmi_region region;
    struct found found = {0, 0};
    CHECK_OK(wvmi_region_iter_new(session, process, &iter));
    COUNT_ALL(wvmi_region_iter_next(iter, &region), &found);
    wvmi_region_iter_free(iter);
    return found;
}

static struct found modules_of(wvmi_session *session, wvmi_process process)
{
    wvmi_user_module_iter *iter = NULL;
    wvmi_user_module module;
    struct found found = {0, 0};
    CHECK_OK(wvmi_user_module_iter_new(session, process, &iter));
    COUNT_ALL(wvmi_user_module_iter_next(iter, &module), &found);
    wvmi_user_module_iter_free(iter);
    return found;
}

/* The first and the last region of the victim, and how many there are. */
static size_t ends(const struct forged_region **first, const struct forged_region **last)
{
    size_t count = 0;
    *first = *last = NULL;
    for (size_t i = 0; i < COUNT(forged_regions); i++) {
        if (forged_regions[i].process == victim().object) {
            *first = *first ? *first : &forged_regions[i];
            *last = &forged_regions[i];
            count++;
        }
    }
    CHECK(count > 3);
    return count;
}

static void trees_in_a_circle_end(wvmi_session *source)
{
    const struct forged_region *first, *last;
    size_t count = ends(&first, &last);
    wvmi_region_details details;
    struct guest guest;
    struct found found;
    uint64_t root;
    open_damaged(&guest, source);
    root = peek(&guest, field(&guest, victim().object, "_EPROCESS", "VadRoot.Root"));
    poke(&guest, first->vad, "_MMVAD_SHORT", "VadNode.Left", root);
    poke(&guest, last->vad, "_MMVAD_SHORT", "VadNode.Right", UNMAPPED);
    found = regions_of(guest.session, victim());
    CHECK(found.good == count && found.gaps == 2);
    CHECK_OK(wvmi_region_at(guest.session, victim(), first->start, &details, sizeof details));
    CHECK(details.vad == first->vad);
    CHECK_OK(wvmi_region_at(guest.session, victim(), last->start, &details, sizeof details));
    CHECK(details.vad == last->vad);
    /* Where the look-up has to go through the damage. */
    CHECK_STATUS(wvmi_region_at(guest.session, victim(), last->end + 0x1000, &details,
                                sizeof details),
                 WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_region_at(guest.session, victim(), first->start - 1, &details,
                                sizeof details),
                 WVMI_ERROR_CORRUPT);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void wild_roots_and_hints(wvmi_session *source)
{
    static const uint64_t wild[] = {WILD, UNMAPPED, 0x10, UINT64_MAX};
    const struct forged_region *first, *last;
    size_t count = ends(&first, &last);
    for (size_t i = 0; i < COUNT(wild); i++) {
        wvmi_region_details details;
        struct guest guest;
        struct found found;
        open_damaged(&guest, source);
        poke(&guest, victim().object, "_EPROCESS", "VadHint", wild[i]);
        found = regions_of(guest.session, victim());
        CHECK(found.good == count && found.gaps == 0);
        CHECK_OK(wvmi_region_at(guest.session, victim(), last->start, &details, sizeof details));
        poke(&guest, victim().object, "_EPROCESS", "VadRoot.Root", wild[i]);
        CHECK_OK(wvmi_session_refresh(guest.session));
        found = regions_of(guest.session, victim());
        CHECK(found.good == 0 && found.gaps == 1);
        CHECK(wvmi_region_at(guest.session, victim(), last->start, &details, sizeof details) !=
              WVMI_OK);
        /* The loader's lists still tell the modules. */
        CHECK(modules_of(guest.session, victim()).good > 0);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

static void regions_are_told_as_far_as_they_reach(wvmi_session *source)
{
    struct guest guest;
    wvmi_region_details details;
    wvmi_region region = {0};
    char path[64];
    for (size_t i = 0; i < COUNT(forged_regions); i++) {
        if (forged_regions[i].process == victim().object && forged_regions[i].is_image) {
            region.vad = forged_regions[i].vad;
        }
    }
    open_damaged(&guest, source);
    poke(&guest, region.vad, "_MMVAD", "Subsection", WILD);
    CHECK_OK(wvmi_region_info(guest.session, region, &details, sizeof details));
    CHECK(details.start < details.end && details.control_area == 0 && details.path == NULL);
    CHECK_STATUS(wvmi_region_path(guest.session, region, path, sizeof path, NULL),
                 WVMI_ERROR_FAULT);
    region.vad = WILD;
    CHECK_STATUS(wvmi_region_info(guest.session, region, &details, sizeof details),
                 WVMI_ERROR_FAULT);
    region.vad = UINT64_MAX - 4;
    CHECK_STATUS(wvmi_region_info(guest.session, region, &details, sizeof details),
                 WVMI_ERROR_FAULT);
    CHECK_OK(wvmi_session_close(guest.session));
}

static wvmi_user_module module_named(wvmi_session *session, const char *name)
{
    wvmi_user_module module;
    CHECK_OK(wvmi_user_module_by_name(session, victim(), name, WVMI_ARCHITECTURE_OWN, &module));
    return module;
}

static void loader_lists_in_a_circle_end(wvmi_session *source)
{
    size_t count = modules_of(source, victim()).good;
    wvmi_user_module ntdll = module_named(source, "ntdll.dll");
    uint64_t next[] = {ntdll.entry, WILD, UNMAPPED, 0, UINT64_MAX & ~UINT64_C(7)};
    for (size_t i = 0; i < COUNT(next); i++) {
        struct guest guest;
        struct found found;
        wvmi_user_module module;
        open_damaged(&guest, source);
        damage_in(&guest, space_of(WVMI_SPACE_PROCESS, victim().object), ntdll.entry, &next[i]);
        found = modules_of(guest.session, victim());
        CHECK(found.gaps == 1 && found.good == count);
        CHECK(module_named(guest.session, "kernel32").base ==
              module_named(source, "kernel32").base);
        CHECK_OK(wvmi_user_module_at(guest.session, victim(), ntdll.base + 5, &module));
        CHECK(module.base == ntdll.base);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

/* A forwarder that leads to itself, to nowhere, or is no text at all. */
static void forwarders_end(wvmi_session *source)
{
    static const char *const texts[] = {"KERNEL32.HeapAlloc\0\0\0\0\0\0",
                                        "KERNEL32\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                                        "NO.DLL.HeapAlloc\0\0\0\0\0\0\0\0",
                                        "\xff\xff.\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"};
    wvmi_space space = space_of(WVMI_SPACE_PROCESS, victim().object);
    wvmi_user_module kernel32 = module_named(source, "kernel32");
    for (size_t i = 0; i < COUNT(texts); i++) {
        uint8_t page[0x1000], *text = NULL;
        wvmi_pe pe;
        wvmi_pe_details details;
        struct guest guest;
        uint64_t address, other = 0;
        CHECK_OK(wvmi_user_module_pe(source, kernel32, &pe));
        CHECK_OK(wvmi_pe_info(source, pe, &details, sizeof details));
        address = pe.base + (details.directories[0].rva & ~UINT32_C(0xfff));
        CHECK_OK(wvmi_read(source, space, address, page, sizeof page, NULL));
        for (size_t at = 0; at + 32 < sizeof page && !text; at++) {
            text = memcmp(page + at, "NTDLL.Rtl", 9) == 0 ? page + at : NULL;
        }
        CHECK(text != NULL);
        memcpy(text, texts[i], 22);
        open_damaged(&guest, source);
        for (size_t at = (size_t)(text - page) & ~(size_t)7; at < (size_t)(text - page) + 22;
             at += 8) {
            damage_in(&guest, space, address + at, page + at);
        }
        CHECK(wvmi_process_symbol_address(guest.session, victim(), "kernel32!HeapAlloc",
                                          WVMI_ARCHITECTURE_OWN, &other) != WVMI_OK);
        CHECK_OK(wvmi_process_symbol_address(guest.session, victim(), "kernel32!CreateFileW",
                                             WVMI_ARCHITECTURE_OWN, &other));
        CHECK(other == kernel32.base + 0x1040);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    trees_in_a_circle_end(source);
    wild_roots_and_hints(source);
    regions_are_told_as_far_as_they_reach(source);
    loader_lists_in_a_circle_end(source);
    forwarders_end(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
