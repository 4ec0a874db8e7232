/* Guests with some words altered, and what their iterators find, for the C test programs. */
#ifndef DAMAGE_H
#define DAMAGE_H

#include "check.h"

#define WILD UINT64_C(0xdeadbeefdeadbeef)
#define UNMAPPED UINT64_C(0xffff880012345000)
#define WORDS_MAX 32

/* No walk takes more steps; a test whose guest has more says so before. */
#ifndef STEPS_MAX
#define STEPS_MAX 1000
#endif

/* Memory that another session serves, but for some words. */
struct guest {
    wvmi_session *source;
    wvmi_session *session;
    size_t count;
    uint64_t addresses[WORDS_MAX];
    uint8_t words[WORDS_MAX][8];
};

static inline wvmi_status read_physical(void *context, uint64_t address, uint8_t *buffer,
                                        size_t size)
{
    struct guest *guest = (struct guest *)context;
    wvmi_status status = wvmi_read(guest->source, space_of(WVMI_SPACE_PHYSICAL, 0), address,
                                   buffer, size, NULL);
    for (size_t i = 0; i < guest->count && status == WVMI_OK; i++) {
        for (size_t j = 0; j < 8; j++) {
            uint64_t at = guest->addresses[i] + j;
            if (at >= address && at - address < size) {
                buffer[at - address] = guest->words[i][j];
            }
        }
    }
    return status;
}

static inline void open_damaged(struct guest *guest, wvmi_session *source)
{
    wvmi_driver_ops ops;
    wvmi_config *config = forged_config();
    memset(guest, 0, sizeof *guest);
    memset(&ops, 0, sizeof ops);
    guest->source = source;
    ops.read_physical = read_physical;
    ops.root = FORGED_SYSTEM_ROOT;
    ops.kernel_base = FORGED_KERNEL_BASE;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, guest, config, &guest->session));
    wvmi_config_free(config);
}

/* Puts 8 bytes at an address of a space. */
static inline void damage_in(struct guest *guest, wvmi_space space, uint64_t address,
                             const void *bytes)
{
    wvmi_translation translation;
    CHECK(guest->count < WORDS_MAX && address % 0x1000 <= 0xff8);
    CHECK_OK(wvmi_translate(guest->source, space, address, &translation, sizeof translation));
    guest->addresses[guest->count] = translation.physical_address;
    memcpy(guest->words[guest->count], bytes, 8);
    guest->count++;
}

/* Puts 8 bytes at a kernel address. */
static inline void damage(struct guest *guest, uint64_t address, const void *bytes)
{
    damage_in(guest, kernel_space(), address, bytes);
}

/* Puts `size` bytes, at most 8, at an address of a space. */
static inline void damage_part(struct guest *guest, wvmi_space space, uint64_t address,
                               const void *bytes, size_t size)
{
    uint8_t word[8];
    CHECK_OK(wvmi_read(guest->source, space, address, word, sizeof word, NULL));
    memcpy(word, bytes, size);
    damage_in(guest, space, address, word);
}

/* Takes all damage back. */
static inline void repair(struct guest *guest)
{
    guest->count = 0;
    CHECK_OK(wvmi_session_refresh(guest->session));
}

static inline uint64_t field(struct guest *guest, uint64_t address, const char *structure,
                             const char *path)
{
    wvmi_field found;
    CHECK_OK(wvmi_field_offset(guest->source, structure, path, &found, sizeof found));
    return address + found.offset;
}

static inline uint64_t peek(struct guest *guest, uint64_t address)
{
    uint64_t value = 0;
    CHECK_OK(wvmi_read_u64(guest->source, kernel_space(), address, &value));
    return value;
}

static inline void poke(struct guest *guest, uint64_t address, const char *structure,
                        const char *path, uint64_t value)
{
    damage(guest, field(guest, address, structure, path), &value);
}

/* What an iterator told. */
struct found {
    size_t good, gaps;
};

/* Counts what `next`, a call of an iterator, tells until it ends. */
#define COUNT_ALL(next, found)                                                                    \
    do {                                                                                          \
        wvmi_status status;                                                                       \
        while ((status = (next)) != WVMI_END) {                                                   \
            CHECK(status == WVMI_OK || status == WVMI_GAP);                                       \
            (found)->good += status == WVMI_OK;                                                   \
            (found)->gaps += status == WVMI_GAP;                                                  \
            CHECK((found)->good + (found)->gaps < STEPS_MAX);                                     \
        }                                                                                         \
    } while (0)

#endif
