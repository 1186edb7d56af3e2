/* Count the bytes that a process maps by hand: the suite's own truth, not memcurve's.
 *
 * Preloaded beside malloc_counter.c. What goes through mmap without a file and may be written, or
 * is shared, is counted in whole pages until it is unmapped, in parts or whole. What libc maps for
 * itself (large blocks, stacks of threads) never comes by here. What becomes writable later
 * (mprotect) or is moved (mremap) is not followed.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PLACES 65536
#define PAGE 4096u

struct range {
    uintptr_t start, end;
};

static struct range ranges[PLACES];
static int used;
static int overflowed;
static char lock;

static void take(void)
{
    while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
        ;
}

static void give_back(void) { __atomic_clear(&lock, __ATOMIC_RELEASE); }

static void add(uintptr_t start, uintptr_t end)
{
    if (start >= end)
        return;
    if (used == PLACES)
        overflowed = 1;
    else
        ranges[used++] = (struct range){start, end};
}

/* Take a range out; what is left of a mapping on either side stays. */
static void cut(uintptr_t start, uintptr_t end)
{
    for (int place = used - 1; place >= 0; place--) {
        struct range old = ranges[place];
        if (old.end <= start || end <= old.start)
            continue;
        ranges[place] = ranges[--used];
        add(old.start, start);
        add(end, old.end);
    }
}

static uintptr_t end_of(uintptr_t start, size_t length)
{
    return start + ((length + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
}

void *mmap(void *wanted, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    void *given = (void *)syscall(SYS_mmap, wanted, length, protection, flags, descriptor, offset);
    if (given == MAP_FAILED)
        return given;
    int counts = (flags & MAP_ANONYMOUS) && ((protection & PROT_WRITE) || (flags & MAP_SHARED));
    uintptr_t start = (uintptr_t)given;
    take();
    cut(start, end_of(start, length));
    if (counts)
        add(start, end_of(start, length));
    give_back();
    return given;
}

void *mmap64(void *wanted, size_t length, int protection, int flags, int descriptor, off_t offset)
{
    return mmap(wanted, length, protection, flags, descriptor, offset);
}

int munmap(void *place, size_t length)
{
    uintptr_t start = (uintptr_t)place;
    int failed = (int)syscall(SYS_munmap, place, length);
    if (!failed) {
        take();
        cut(start, end_of(start, length));
        give_back();
    }
    return failed;
}

/* Return the bytes that are mapped now, -1 where there were more mappings than places. */
long counter_mapped(void)
{
    long total = 0;
    take();
    for (int place = 0; place < used; place++)
        total += (long)(ranges[place].end - ranges[place].start);
    give_back();
    return overflowed ? -1 : total;
}
