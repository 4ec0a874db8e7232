/* A dump that is cut while it is open. Where files are read, not mapped, what is
 * gone is an error of the call: of that one, and of no other. */
#include <unistd.h>

#include "check.h"

static void copy_file(const char *from, const char *to)
{
    static char buffer[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t length;
    CHECK(in != NULL && out != NULL);
    while ((length = fread(buffer, 1, sizeof buffer, in)) > 0) {
        CHECK(fwrite(buffer, 1, length, out) == length);
    }
    CHECK(fclose(in) == 0 && fclose(out) == 0);
}

static wvmi_session *open_read(const char *path)
{
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    CHECK_OK(wvmi_config_set_file_mode(config, WVMI_FILE_MODE_READ));
    CHECK_OK(wvmi_session_open(path, config, &session));
    wvmi_config_free(config);
    return session;
}

/* Cuts the file: `truncate` is not declared in every language of the tests. */
static void cut(const char *path, const char *left, size_t length)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(left, 1, length, file) == length && fclose(file) == 0);
}

static void what_is_gone_is_an_error(const char *path, size_t kept)
{
    static char head[1 << 20];
    FILE *file = fopen(path, "rb");
    wvmi_session *session = open_read(path);
    wvmi_process_iter *iter = NULL;
    wvmi_process process;
    wvmi_session_details details;
    wvmi_status status;
    uint64_t value = 0;
    size_t steps = 0, gaps = 0, present = 77;
    uint8_t page[4096];
    wvmi_error error;
    CHECK(file != NULL && fread(head, 1, kept, file) == kept && fclose(file) == 0);
    CHECK_OK(wvmi_read_u64(session, kernel_space(), FORGED_KERNEL_BASE, &value));
    cut(path, head, kept);
    CHECK_STATUS(wvmi_read_u64(session, kernel_space(), FORGED_KERNEL_BASE, &value),
                 WVMI_ERROR_FAULT);
    wvmi_last_error(&error, sizeof error);
    CHECK(error.fault == WVMI_FAULT_BACK_END || error.fault == WVMI_FAULT_NOT_IN_IMAGE);
    CHECK_STATUS(wvmi_read_sparse(session, kernel_space(), FORGED_KERNEL_BASE, page, sizeof page,
                                  NULL, 0, &present),
                 WVMI_ERROR_FAULT);
    CHECK(present == 0);
    status = wvmi_process_iter_new(session, 0, &iter);
    while (status == WVMI_OK || status == WVMI_GAP) {
        status = wvmi_process_iter_next(iter, &process);
        gaps += status == WVMI_GAP;
        CHECK(++steps < 100);
    }
    CHECK(status < 0 || gaps > 0);
    wvmi_process_iter_free(iter);
    /* What was read before it went is still told. */
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK(details.kernel_base == FORGED_KERNEL_BASE);
    CHECK_OK(wvmi_session_close(session));
}

/* The same file as it was: the session goes on as if nothing had happened. */
static void what_comes_back_is_read_again(const char *path)
{
    wvmi_session *session;
    uint64_t value = 0;
    copy_file(forged_dump, path);
    session = open_read(path);
    cut(path, "", 0);
    CHECK_STATUS(wvmi_read_u64(session, kernel_space(), FORGED_KERNEL_BASE, &value),
                 WVMI_ERROR_FAULT);
    copy_file(forged_dump, path);
    CHECK_OK(wvmi_read_u64(session, kernel_space(), FORGED_KERNEL_BASE, &value));
    CHECK((value & 0xffff) == 0x5a4d);
    CHECK_OK(wvmi_session_close(session));
}

int main(int argc, char **argv)
{
    static const size_t kept[] = {0, 0x2800};
    char path[4096];
    begin(argc, argv);
    CHECK(snprintf(path, sizeof path, "%s.cut-%ld", forged_dump, (long)getpid()) <
          (int)sizeof path);
    for (size_t i = 0; i < COUNT(kept); i++) {
        copy_file(forged_dump, path);
        what_is_gone_is_an_error(path, kept[i]);
    }
    what_comes_back_is_read_again(path);
    CHECK(remove(path) == 0);
    return 0;
}
