/* Count the live blocks of a process by requested size: the suite's own truth, not memcurve's.
 *
 * Preloaded into CPython with PYTHONMALLOC=malloc every object passes through here. Each block
 * carries a header of 16 bytes: the requested size, and a magic number that holds the domain. The domain
 * is "object" while one of CPython's own object or memory allocators is on the stack of this
 * thread (counter_install wraps them), else "native". Sizes are kept in classes of 8 bytes up
 * to LARGEST; that is exact enough to tell the block which either allocator would have given.
 * What memalign hands out is passed through uncounted.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LARGEST (16u << 20)
#define CLASSES (LARGEST / 8 + 1)
#define HEADER 16
#define MAGIC 0x6d656d6375727600ull /* the lowest byte is the domain */

enum { NATIVE = 0, OBJECT = 1 };

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);

struct header {
    uint64_t size;
    uint64_t magic;
};

static int64_t live[2][CLASSES];
static int64_t too_large;
static __thread int inside __attribute__((tls_model("initial-exec")));

static void count(uint64_t size, int domain, int64_t sign)
{
    if (size > LARGEST)
        __atomic_fetch_add(&too_large, sign, __ATOMIC_RELAXED);
    else
        __atomic_fetch_add(&live[domain][(size + 7) / 8], sign, __ATOMIC_RELAXED);
}

static struct header *header_of(void *block)
{
    struct header *header = (struct header *)((char *)block - HEADER);
    return (header->magic & ~0xffull) == MAGIC ? header : NULL;
}

static void *born(struct header *header, size_t size)
{
    if (!header)
        return NULL;
    int domain = inside ? OBJECT : NATIVE;
    header->size = size;
    header->magic = MAGIC | (uint64_t)domain;
    count(size, domain, 1);
    return header + 1;
}

static void dies(struct header *header)
{
    count(header->size, (int)(header->magic & 0xff), -1);
    header->magic = 0;
}

void *malloc(size_t size)
{
    return size > SIZE_MAX - HEADER ? NULL : born(__libc_malloc(size + HEADER), size);
}

void *calloc(size_t number, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(number, each, &size) || size > SIZE_MAX - HEADER)
        return NULL;
    return born(__libc_calloc(1, size + HEADER), size);
}

void free(void *block)
{
    if (!block)
        return;
    struct header *header = header_of(block);
    if (!header) {
        __libc_free(block);
        return;
    }
    dies(header);
    __libc_free(header);
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    struct header *header = header_of(block);
    if (!header)
        return __libc_realloc(block, size);
    struct header before = *header;
    struct header *moved = __libc_realloc(header, size + HEADER);
    if (!moved)
        return NULL;
    count(before.size, (int)(before.magic & 0xff), -1);
    return born(moved, size);
}

void *memalign(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

void *aligned_alloc(size_t alignment, size_t size) { return __libc_memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : 12;
}

size_t malloc_usable_size(void *block)
{
    struct header *header = block ? header_of(block) : NULL;
    return header ? header->size : 0;
}

/* CPython's PyMemAllocatorEx, which has not changed since 3.5; declared here so that no Python
 * headers are needed. */
struct allocator {
    void *context;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
};

extern void PyMem_GetAllocator(int domain, struct allocator *) __attribute__((weak));
extern void PyMem_SetAllocator(int domain, struct allocator *) __attribute__((weak));

static struct allocator inner[3];

static void *object_malloc(void *context, size_t size)
{
    struct allocator *wrapped = context;
    inside++;
    void *block = wrapped->malloc(wrapped->context, size);
    inside--;
    return block;
}

static void *object_calloc(void *context, size_t number, size_t each)
{
    struct allocator *wrapped = context;
    inside++;
    void *block = wrapped->calloc(wrapped->context, number, each);
    inside--;
    return block;
}

static void *object_realloc(void *context, void *old, size_t size)
{
    struct allocator *wrapped = context;
    inside++;
    void *block = wrapped->realloc(wrapped->context, old, size);
    inside--;
    return block;
}

static void object_free(void *context, void *block)
{
    struct allocator *wrapped = context;
    wrapped->free(wrapped->context, block);
}

/* Wrap the domains PYMEM_DOMAIN_MEM (1) and PYMEM_DOMAIN_OBJ (2): what pymalloc would serve. */
int counter_install(void)
{
    if (!PyMem_GetAllocator || !PyMem_SetAllocator)
        return -1;
    for (int domain = 1; domain <= 2; domain++) {
        PyMem_GetAllocator(domain, &inner[domain]);
        struct allocator wrapper = {&inner[domain], object_malloc, object_calloc, object_realloc,
                                    object_free};
        PyMem_SetAllocator(domain, &wrapper);
    }
    return 0;
}

/* Write "mark LABEL", a line "domain size count" for each class alive, and "end TOO_LARGE". */
int counter_write(int descriptor, long label)
{
    char line[96];
    int length = snprintf(line, sizeof line, "mark %ld\n", label);
    if (write(descriptor, line, length) != length)
        return -1;
    for (int domain = 0; domain < 2; domain++)
        for (size_t class = 0; class < CLASSES; class++)
            if (live[domain][class]) {
                length = snprintf(line, sizeof line, "%d %zu %lld\n", domain, class * 8,
                                  (long long)live[domain][class]);
                if (write(descriptor, line, length) != length)
                    return -1;
            }
    length = snprintf(line, sizeof line, "end %lld\n", (long long)too_large);
    return write(descriptor, line, length) == length ? 0 : -1;
}
