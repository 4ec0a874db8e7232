/* Thousands of reads in one call from a back end of the program's own: each frame
 * is asked for once, what cannot be read fails by itself. */
#include "check.h"

#define FRAMES 16
#define BROKEN 5
#define PAGE 4096
#define REQUESTS 5000

struct toy {
    unsigned long calls, broken_calls;
};

static uint8_t byte_at(uint64_t address)
{
    return (uint8_t)(address * 7 + address / PAGE * 13);
}

static wvmi_status read_toy(void *context, uint64_t address, uint8_t *buffer, size_t size)
{
    struct toy *toy = (struct toy *)context;
    toy->calls++;
    CHECK(address % PAGE + size <= PAGE);
    if (address / PAGE == BROKEN || address / PAGE >= FRAMES) {
        toy->broken_calls++;
        return WVMI_ERROR_FAULT;
    }
    for (size_t i = 0; i < size; i++) {
        buffer[i] = byte_at(address + i);
    }
    return WVMI_OK;
}

static wvmi_session *open_toy(struct toy *toy)
{
    wvmi_driver_ops ops;
    wvmi_session *session = NULL;
    memset(&ops, 0, sizeof ops);
    ops.memory_size = FRAMES * PAGE;
    ops.read_physical = read_toy;
    CHECK_OK(wvmi_session_open_driver(&ops, sizeof ops, toy, NULL, &session));
    memset(toy, 0, sizeof *toy);
    return session;
}

static void ask(wvmi_scatter_request *request, uint64_t address, uint8_t *buffer, size_t size)
{
    memset(request, 0, sizeof *request);
    request->space = space_of(WVMI_SPACE_PHYSICAL, 0);
    request->address = address;
    request->buffer = buffer;
    request->size = size;
}

/* In no order, over all frames but the broken one. */
static void each_frame_is_read_once(void)
{
    static wvmi_scatter_request requests[REQUESTS];
    static uint8_t bytes[REQUESTS][8];
    struct toy toy;
    wvmi_session *session = open_toy(&toy);
    for (unsigned i = 0; i < REQUESTS; i++) {
        uint64_t frame = i * 7919U % FRAMES;
        frame = frame == BROKEN ? 0 : frame;
        ask(&requests[i], frame * PAGE + i * 31U % (PAGE - 8), bytes[i], 8);
    }
    CHECK_OK(wvmi_read_scatter(session, requests, sizeof requests[0], REQUESTS));
    CHECK(toy.calls == FRAMES - 1);
    for (unsigned i = 0; i < REQUESTS; i++) {
        CHECK(requests[i].status == WVMI_OK && requests[i].done == 8 && requests[i].fault == 0);
        for (unsigned at = 0; at < 8; at++) {
            CHECK(bytes[i][at] == byte_at(requests[i].address + at));
        }
    }
    CHECK_OK(wvmi_session_close(session));
}

/* A frame that one request wants is not read as a whole, and requests that cross
 * frames, fail or ask for nothing are answered as if they were alone. */
static void others_are_answered_by_themselves(void)
{
    wvmi_scatter_request requests[7];
    uint8_t bytes[7][16];
    struct toy toy;
    wvmi_session *session = open_toy(&toy);
    memset(bytes, 0, sizeof bytes);
    ask(&requests[0], 1 * PAGE + 8, bytes[0], 8);
    ask(&requests[1], 3 * PAGE - 8, bytes[1], 16);
    ask(&requests[2], BROKEN * PAGE - 4, bytes[2], 16);
    ask(&requests[3], BROKEN * PAGE, bytes[3], 8);
    ask(&requests[4], BROKEN * PAGE + 8, bytes[4], 8);
    ask(&requests[5], BROKEN * PAGE, NULL, 8);
    ask(&requests[6], 2 * PAGE, NULL, 0);
    CHECK_OK(wvmi_read_scatter(session, requests, sizeof requests[0], COUNT(requests)));
    CHECK(requests[0].status == WVMI_OK && bytes[0][0] == byte_at(requests[0].address));
    CHECK(requests[1].status == WVMI_OK && requests[1].done == 16);
    for (unsigned at = 0; at < 16; at++) {
        CHECK(bytes[1][at] == byte_at(requests[1].address + at));
    }
    CHECK(requests[2].status == WVMI_ERROR_FAULT && requests[2].done == 4);
    CHECK(requests[3].status == WVMI_ERROR_FAULT && requests[3].done == 0);
    CHECK(requests[3].fault != 0 && requests[4].status == WVMI_ERROR_FAULT);
    CHECK(requests[5].status == WVMI_ERROR_NULL_ARGUMENT);
    CHECK(requests[6].status == WVMI_OK);
    CHECK_OK(wvmi_session_close(session));
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    each_frame_is_read_once();
    others_are_answered_by_themselves();
    return 0;
}
