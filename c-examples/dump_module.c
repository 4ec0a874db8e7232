/* dump_module: takes a module of a process, or of the kernel, out of memory as a file. */
#include "example.h"

#include <inttypes.h>

/* The image of a module: PROCESS may be "kernel". */
static wvmi_status find_image(wvmi_session *session, const char *process_name, const char *name,
                              wvmi_pe *pe)
{
    wvmi_process process;
    wvmi_user_module user_module;
    wvmi_module module;
    wvmi_status status;

    if (strcmp(process_name, "kernel") == 0) {
        status = wvmi_module_by_name(session, name, &module);
        return status == WVMI_OK ? wvmi_module_pe(session, module, pe) : status;
    }
    status = find_process(session, process_name, &process);
    if (status == WVMI_OK)
        status = wvmi_user_module_by_name(session, process, name, WVMI_ARCHITECTURE_OWN,
                                          &user_module);
    return status == WVMI_OK ? wvmi_user_module_pe(session, user_module, pe) : status;
}

/* Tells which bytes of the file are zeros because they are not in memory. */
static int print_missing(wvmi_session *session, wvmi_pe pe)
{
    wvmi_pe_missing_iter *iter = NULL;
    wvmi_pe_missing missing;

    if (wvmi_pe_missing_iter_new(session, pe, WVMI_PE_LAYOUT_FILE, &iter) != WVMI_OK)
        return fail("cannot tell what is missing");
    while (wvmi_pe_missing_iter_next(iter, &missing, sizeof missing) == WVMI_OK)
        printf("missing: %" PRIu64 " bytes at 0x%" PRIx64 "\n", missing.length, missing.offset);
    wvmi_pe_missing_iter_free(iter);
    return 0;
}

static int write_file(const char *path, const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    int failed;

    if (file == NULL) {
        perror(path);
        return 1;
    }
    failed = fwrite(bytes, 1, length, file) != length;
    failed |= fclose(file) != 0;
    if (failed)
        perror(path);
    else
        printf("%s: %zu bytes\n", path, length);
    return failed;
}

static int dump(wvmi_session *session, wvmi_pe pe, const char *path)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    int result;

    /* The first call asks for the length alone. */
    if (wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_FILE, NULL, 0, &length) !=
        WVMI_ERROR_BUFFER_TOO_SMALL)
        return fail("cannot extract the module");
    bytes = malloc(length);
    if (bytes == NULL) {
        perror("malloc");
        return 1;
    }
    if (wvmi_pe_extract(session, pe, WVMI_PE_LAYOUT_FILE, bytes, length, &length) != WVMI_OK)
        result = fail("cannot extract the module");
    else
        result = write_file(path, bytes, length) || print_missing(session, pe);
    free(bytes);
    return result;
}

int main(int argc, char **argv)
{
    wvmi_session *session =
        open_guest(argc, argv, "DUMP PROCESS|kernel MODULE FILE [SYMBOLS]", 4);
    wvmi_pe pe;
    int result;

    if (session == NULL)
        return 1;
    if (find_image(session, argv[2], argv[3], &pe) == WVMI_OK)
        result = dump(session, pe, argv[4]);
    else
        result = fail(argv[3]);
    wvmi_session_close(session);
    return result;
}
