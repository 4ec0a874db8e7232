/*
 * Counts what the library asks the host's kernel for. The functions below take
 * the place of the C library's, for the Xen libraries, too.
 */
#include "proof.h"

#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* IOCTL_PRIVCMD_HYPERCALL, IOCTL_PRIVCMD_DM_OP: their numbers within the type 'P'. */
#define PRIVCMD 'P'
#define HYPERCALL 0
#define DM_OP 5

static uint64_t hypercalls, system_calls;

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

struct costs costs_now(void)
{
    struct costs costs = {__atomic_load_n(&hypercalls, __ATOMIC_RELAXED),
                          __atomic_load_n(&system_calls, __ATOMIC_RELAXED)};

    return costs;
}

int ioctl(int fd, unsigned long request, ...)
{
    unsigned number = request & 0xff;
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    count(&system_calls);
    if ((request >> 8 & 0xff) == PRIVCMD && (number == HYPERCALL || number == DM_OP))
        count(&hypercalls);
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

int poll(struct pollfd *fds, nfds_t amount, int timeout)
{
    count(&system_calls);
    return (int)syscall(SYS_poll, fds, amount, timeout);
}

ssize_t read(int fd, void *buffer, size_t size)
{
    count(&system_calls);
    return syscall(SYS_read, fd, buffer, size);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    count(&system_calls);
    return syscall(SYS_write, fd, buffer, size);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    count(&system_calls);
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length)
{
    count(&system_calls);
    return (int)syscall(SYS_munmap, address, length);
}
