/* symbol: prints the address of a kernel symbol, or the symbol at an address. */
#include "example.h"

#include <inttypes.h>

static int print_address(wvmi_session *session, const char *name)
{
    uint64_t address = 0;

    if (wvmi_symbol_address(session, name, &address) != WVMI_OK)
        return fail(name);
    printf("0x%016" PRIx64 "  %s\n", address, name);
    return 0;
}

static int print_symbol(wvmi_session *session, uint64_t address)
{
    wvmi_symbol_match match = {0};

    if (wvmi_symbols_at(session, &address, 1, &match, sizeof match) != WVMI_OK)
        return fail("cannot look symbols up");
    if (match.status != WVMI_OK) {
        fprintf(stderr, "no symbol at or before 0x%" PRIx64 "\n", address);
        return 1;
    }
    printf("0x%016" PRIx64 "  %s+0x%" PRIx64 "\n", address, match.name, match.displacement);
    return 0;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP ADDRESS|SYMBOL [SYMBOLS]", 2);
    int result;

    if (session == NULL)
        return 1;
    if (strchr(argv[2], '!') != NULL)
        result = print_address(session, argv[2]);
    else
        result = print_symbol(session, strtoull(argv[2], NULL, 0));
    wvmi_session_close(session);
    return result;
}
