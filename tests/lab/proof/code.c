/* The kernel's code, byte for byte. */
#include "proof.h"

#define PAGE 4096
#define PAGES 64

static struct page {
    uint64_t address;
    uint8_t bytes[PAGE];
} kept[PAGES];
static size_t pages;

static const char *const symbols[] = {"nt!NtCreateFile", "nt!NtWriteFile",
                                      "nt!ObOpenObjectByName", "nt!PspInsertProcess",
                                      "nt!MmCleanProcessAddressSpace", "nt!PspExitThread"};

/* Reads a page as a reader of raw frames sees it: physical memory holds no patch of ours. */
static bool read_page(uint64_t address, uint8_t *bytes)
{
    static const wvmi_space kernel = {WVMI_SPACE_KERNEL, 0};

    return wvmi_read(session, kernel, address, bytes, PAGE, NULL) == WVMI_OK;
}

static void keep(uint64_t address)
{
    if (pages < PAGES && read_page(address & ~(uint64_t)(PAGE - 1), kept[pages].bytes))
        kept[pages++].address = address & ~(uint64_t)(PAGE - 1);
}

void keep_code(void)
{
    uint64_t address;
    size_t i;

    pages = 0;
    for (i = 0; i < map_number("watched"); i++)
        keep(map_indexed("watched", (unsigned)i));
    for (i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        if (wvmi_symbol_address(session, symbols[i], &address) == WVMI_OK)
            keep(address);
    }
}

bool code_is_as_before(void)
{
    uint8_t bytes[PAGE];
    size_t i;

    for (i = 0; i < pages; i++) {
        if (!read_page(kept[i].address, bytes) || memcmp(bytes, kept[i].bytes, PAGE) != 0) {
            printf("     the page at 0x%" PRIx64 " differs\n", kept[i].address);
            return false;
        }
    }
    return pages > 0;
}
