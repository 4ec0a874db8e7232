/* hex_dump: prints bytes of the kernel's address space; what is absent is said. */
#include "example.h"

#include <ctype.h>
#include <inttypes.h>

#define LINE 16

static void print_line(uint64_t address, const uint8_t *bytes, size_t count)
{
    size_t i;

    printf("%016" PRIx64 " ", address);
    for (i = 0; i < LINE; i++)
        i < count ? printf(" %02x", bytes[i]) : printf("   ");
    printf("  ");
    for (i = 0; i < count; i++)
        putchar(isprint(bytes[i]) ? bytes[i] : '.');
    putchar('\n');
}

/* A partial read tells how far it came; the last error tells why it stopped. */
static int dump(wvmi_session *session, uint64_t address, size_t length)
{
    wvmi_space kernel = {WVMI_SPACE_KERNEL, 0};
    uint8_t *bytes = malloc(length ? length : 1);
    size_t done = 0, at;
    int result = 0;

    if (bytes == NULL)
        return fail("no memory");
    if (wvmi_read(session, kernel, address, bytes, length, &done) != WVMI_OK)
        result = fail("the read stopped early");
    for (at = 0; at < done; at += LINE)
        print_line(address + at, bytes + at, done - at < LINE ? done - at : LINE);
    free(bytes);
    return result;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP ADDRESS|SYMBOL LENGTH [SYMBOLS]", 3);
    uint64_t address = 0;
    int result;

    if (session == NULL)
        return 1;
    /* nt!NtBuildLab as well as 0xfffff80000000000. */
    if (strchr(argv[2], '!') == NULL)
        address = strtoull(argv[2], NULL, 0);
    if (strchr(argv[2], '!') && wvmi_symbol_address(session, argv[2], &address) != WVMI_OK)
        result = fail(argv[2]);
    else
        result = dump(session, address, (size_t)strtoul(argv[3], NULL, 0));
    wvmi_session_close(session);
    return result;
}
