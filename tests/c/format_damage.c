/* Files of every format: each is found without being named; with any byte of its headers
 * flipped, or cut within them, it is refused or read as far as it goes. */
#include "hostile.h"

#define FILE_MAX (1 << 20)

/* The file of a test, and the copy that is damaged. */
static uint8_t bytes[FILE_MAX];
static size_t length;
static char copy_path[4096];

static void load(const struct forged_file *file)
{
    FILE *in = fopen(file->path, "rb");
    CHECK(in != NULL);
    length = fread(bytes, 1, sizeof bytes, in);
    CHECK(length > 0 && length < sizeof bytes && fclose(in) == 0);
}

static void write_copy(size_t size)
{
    FILE *copy = fopen(copy_path, "wb");
    CHECK(copy != NULL && fwrite(bytes, 1, size, copy) == size && fclose(copy) == 0);
}

static void put_byte(FILE *copy, size_t at, uint8_t byte)
{
    CHECK(fseek(copy, (long)at, SEEK_SET) == 0);
    CHECK(fputc(byte, copy) == byte && fflush(copy) == 0);
}

static size_t next_byte(const struct forged_file *file, size_t at, size_t step)
{
    return strcmp(file->back_end, "kdmp") == 0 ? next_dump_byte(at, step) : at + step;
}

static void open_both_ways(const struct forged_file *file)
{
    char named[4200];
    CHECK(snprintf(named, sizeof named, "%s:%s", file->back_end, copy_path) < (int)sizeof named);
    open_and_read(copy_path);
    open_and_read(named);
}

static void is_found(const struct forged_file *file)
{
    wvmi_session *session = NULL;
    wvmi_session_details details;
    wvmi_config *config = forged_config();
    CHECK_OK(wvmi_session_open(file->path, config, &session));
    CHECK_OK(wvmi_session_info(session, &details, sizeof details));
    CHECK(strcmp(details.back_end, file->back_end) == 0);
    CHECK_OK(wvmi_session_close(session));
    wvmi_config_free(config);
}

static void flipped_bytes_are_survived(const struct forged_file *file)
{
    static const uint8_t masks[] = {0xff, 0x01, 0x80};
    FILE *copy;
    size_t step = stride(97);
    write_copy(length);
    copy = fopen(copy_path, "r+b");
    CHECK(copy != NULL);
    for (size_t at = 0; at < file->headers; at = next_byte(file, at, step)) {
        put_byte(copy, at, (uint8_t)(bytes[at] ^ masks[at / step % COUNT(masks)]));
        open_both_ways(file);
        put_byte(copy, at, bytes[at]);
    }
    CHECK(fclose(copy) == 0);
}

static void cut_files_are_survived(const struct forged_file *file)
{
    for (size_t size = 0; size < file->headers; size = next_byte(file, size, stride(97))) {
        write_copy(size);
        open_both_ways(file);
    }
    write_copy(length - 1);
    open_both_ways(file);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    CHECK(snprintf(copy_path, sizeof copy_path, "%s.copy", argv[0]) < (int)sizeof copy_path);
    for (size_t i = 0; i < COUNT(forged_files); i++) {
        load(&forged_files[i]);
        is_found(&forged_files[i]);
        flipped_bytes_are_survived(&forged_files[i]);
        cut_files_are_survived(&forged_files[i]);
    }
    CHECK(remove(copy_path) == 0);
    return 0;
}
