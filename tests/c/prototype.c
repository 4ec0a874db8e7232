/* Pages that are found by their prototype entries, and addresses that may be touched. */
#include "damage.h"

enum { PAGE = 4096 };

/* The page of the sample that is nowhere but in its file. */
#define MISSING UINT64_C(0x1000)

static wvmi_process owner;
static uint64_t base, vad, prototypes;

static void find_the_sample(wvmi_session *session)
{
    const struct forged_sample *sample = &forged_samples[0];
    wvmi_region_details details;
    wvmi_field first;
    owner = process_of(forged_process_named(sample->process));
    base = sample->base;
    CHECK_OK(wvmi_region_at(session, owner, base, &details, sizeof details));
    vad = details.vad;
    CHECK_OK(wvmi_field_offset(session, "_MMVAD", "FirstPrototypePte", &first, sizeof first));
    CHECK_OK(wvmi_read_u64(session, kernel_space(), vad + first.offset, &prototypes));
}

static wvmi_validity validity_at(wvmi_session *session, wvmi_process process, uint64_t address)
{
    wvmi_validity validity = 99;
    CHECK_OK(wvmi_address_validity(session, process, address, &validity));
    return validity;
}

static void pages_of_every_kind_may_be_touched(wvmi_session *session)
{
    size_t absent = 0;
    for (size_t i = 0; i < COUNT(forged_pages); i++) {
        const struct forged_page *page = &forged_pages[i];
        wvmi_process process = {0};
        process.object = page->process;
        /* The prototype entry of that one is empty. */
        CHECK(validity_at(session, process, page->va) ==
              (page->kind == FORGED_PROTOTYPE ? WVMI_ADDRESS_INVALID : WVMI_ADDRESS_VALID));
        absent += page->kind != FORGED_PRESENT;
    }
    CHECK(absent > 4);
}

/* A value with some bits of an entry that is not present. */
static uint64_t with(wvmi_session *session, uint64_t entry, const char *name, uint64_t value)
{
    wvmi_field bits;
    CHECK_OK(wvmi_field_offset(session, "_MMPTE_SOFTWARE", name, &bits, sizeof bits));
    return entry | value << bits.bit_position;
}

static wvmi_status read_missing(wvmi_session *session, uint32_t flags, uint8_t *bytes)
{
    return wvmi_process_read(session, owner, base + MISSING, flags, bytes, PAGE, NULL);
}

static wvmi_fault_kind fault_of_missing(wvmi_session *session)
{
    uint8_t bytes[PAGE];
    wvmi_error error;
    CHECK_STATUS(read_missing(session, 0, bytes), WVMI_ERROR_FAULT);
    wvmi_last_error(&error, sizeof error);
    CHECK(error.address == base + MISSING);
    return error.fault;
}

/* Opens the guest with another prototype entry for the missing page. */
static void open_with_entry(struct guest *guest, wvmi_session *source, uint64_t entry)
{
    open_damaged(guest, source);
    damage(guest, prototypes + 8, &entry);
    CHECK(validity_at(guest->session, owner, base + MISSING) == WVMI_ADDRESS_VALID);
}

static void prototypes_lead_to_the_page_in_memory(wvmi_session *source)
{
    uint8_t wanted[PAGE], bytes[PAGE];
    struct guest guest;
    uint64_t neighbour = 0;
    CHECK_OK(wvmi_read_u64(source, kernel_space(), prototypes + 16, &neighbour));
    CHECK_OK(wvmi_process_read(source, owner, base + 0x2000, 0, wanted, PAGE, NULL));
    open_with_entry(&guest, source, neighbour);
    CHECK_OK(read_missing(guest.session, 0, bytes));
    CHECK(memcmp(bytes, wanted, PAGE) == 0);
    CHECK_OK(wvmi_session_close(guest.session));
}

static void faults_name_where_the_page_is(wvmi_session *source)
{
    uint64_t zero = with(source, 0, "Protection", 4);
    uint64_t paged_out = with(source, with(source, zero, "SwizzleBit", 1), "PageFileHigh", 0x99);
    struct guest guest;
    wvmi_error error;
    uint8_t bytes[PAGE];
    CHECK(fault_of_missing(source) == WVMI_FAULT_PROTOTYPE);
    CHECK(validity_at(source, owner, base + MISSING) == WVMI_ADDRESS_VALID);

    open_with_entry(&guest, source, with(source, paged_out, "PageFileLow", 1));
    CHECK(fault_of_missing(guest.session) == WVMI_FAULT_PAGEFILE);
    wvmi_last_error(&error, sizeof error);
    CHECK(error.pagefile_number == 1 && error.pagefile_offset == 0x99 * PAGE);
    CHECK_OK(wvmi_session_close(guest.session));

    open_with_entry(&guest, source, with(source, paged_out, "PageFileLow", 3));
    CHECK(fault_of_missing(guest.session) == WVMI_FAULT_COMPRESSED);
    CHECK_OK(wvmi_session_close(guest.session));

    open_with_entry(&guest, source, zero);
    CHECK(fault_of_missing(guest.session) == WVMI_FAULT_DEMAND_ZERO);
    memset(bytes, 0xff, sizeof bytes);
    CHECK_OK(read_missing(guest.session, WVMI_PROCESS_READ_ZEROS, bytes));
    CHECK(bytes[0] == 0 && bytes[PAGE - 1] == 0);
    CHECK_OK(wvmi_session_close(guest.session));
}

/* What would decide is damaged: images are mapped as a whole, others may be anything. */
static void wild_prototypes_are_survived(wvmi_session *source)
{
    static const uint64_t wild[] = {WILD, UNMAPPED, 8, UINT64_MAX - 7};
    for (size_t i = 0; i < COUNT(wild); i++) {
        uint8_t bytes[PAGE];
        struct guest guest;
        open_damaged(&guest, source);
        poke(&guest, vad, "_MMVAD", "FirstPrototypePte", wild[i]);
        poke(&guest, vad, "_MMVAD", "LastContiguousPte", UINT64_MAX);
        CHECK_STATUS(read_missing(guest.session, 0, bytes), WVMI_ERROR_FAULT);
        CHECK(validity_at(guest.session, owner, base + MISSING) != WVMI_ADDRESS_INVALID);
        CHECK_OK(wvmi_process_read(guest.session, owner, base, 0, bytes, PAGE, NULL));
        CHECK(bytes[0] == 'M' && bytes[1] == 'Z');
        poke(&guest, owner.object, "_EPROCESS", "VadRoot.Root", wild[i]);
        CHECK_OK(wvmi_session_refresh(guest.session));
        CHECK(validity_at(guest.session, owner, base + MISSING) == WVMI_ADDRESS_UNKNOWN);
        CHECK(validity_at(guest.session, owner, base) == WVMI_ADDRESS_VALID);
        CHECK_OK(wvmi_session_close(guest.session));
    }
}

int main(int argc, char **argv)
{
    wvmi_session *source;
    begin(argc, argv);
    source = open_forged();
    find_the_sample(source);
    pages_of_every_kind_may_be_touched(source);
    prototypes_lead_to_the_page_in_memory(source);
    faults_name_where_the_page_is(source);
    wild_prototypes_are_survived(source);
    CHECK_OK(wvmi_session_close(source));
    return 0;
}
