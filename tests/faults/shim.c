/* Loaded before libc: counts the calls that change files under one folder, and at a chosen one
   kills, stops or signals the process, or lets the call fail. It sees the calls of C libraries
   (SQLite in GDAL, Arrow) just as it sees Python's. Nothing happens until fault_arm(). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL, TEAR, FAIL_ONCE, FAIL_ON, SIGNAL };

static char prefix[PATH_MAX], kinds[16];
static size_t prefix_length;
static long at, seen;
static int action, number, trace = -1, is_armed;

void fault_arm(const char *folder, const char *which, long n, int what, int value, int log)
{
    strncpy(prefix, folder, sizeof prefix - 1);
    prefix_length = strlen(prefix);
    strncpy(kinds, which, sizeof kinds - 1);
    at = n, action = what, number = value, trace = log, seen = 0, is_armed = 1;
}

static int is_ours(int descriptor, const char *path, char *full)
{
    full[0] = 0;
    if (path != NULL && path[0] == '/') {
        strncpy(full, path, PATH_MAX - 1);
    } else if (descriptor >= 0) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, full, PATH_MAX - 1);
        if (length < 0)
            return 0;
        full[length] = 0;
        if (path != NULL && (size_t)length + strlen(path) + 2 < PATH_MAX) {
            strcat(full, "/");
            strcat(full, path);
        }
    }
    return strncmp(full, prefix, prefix_length) == 0;
}

/* Returns 1 if the call must fail (errno is set), 2 if a write must be torn, else 0. */
static int meet(char kind, int descriptor, const char *path)
{
    char full[PATH_MAX] = "";
    if (!is_armed || strchr(kinds, kind) == NULL || !is_ours(descriptor, path, full))
        return 0;
    long now = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (trace >= 0) {
        char line[PATH_MAX + 8];
        int length = snprintf(line, sizeof line, "%c %s\n", kind, full);
        syscall(SYS_write, trace, line, (size_t)length);
    }
    if (now < at || (now > at && action != FAIL_ON))
        return 0;
    switch (action) {
    case KILL:
        kill(getpid(), SIGKILL);
        return 0;
    case TEAR:
        return 2;
    case FAIL_ONCE:
    case FAIL_ON:
        errno = number;
        return 1;
    case SIGNAL:
        kill(getpid(), number);
        return 0;
    default:
        return 0;
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRITER(name, offset_type)                                                        \
    ssize_t name(int descriptor, const void *bytes, size_t size, offset_type offset)     \
    {                                                                                    \
        int verdict = meet('w', descriptor, NULL);                                       \
        if (verdict == 1)                                                                \
            return -1;                                                                   \
        if (verdict == 2) {                                                              \
            syscall(SYS_pwrite64, descriptor, bytes, size / 2, offset);                  \
            kill(getpid(), SIGKILL);                                                     \
        }                                                                                \
        return REAL(name)(descriptor, bytes, size, offset);                              \
    }
WRITER(pwrite, off_t)
WRITER(pwrite64, off64_t)

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    int verdict = meet('w', descriptor, NULL);
    if (verdict == 1)
        return -1;
    if (verdict == 2) {
        syscall(SYS_write, descriptor, bytes, size / 2);
        kill(getpid(), SIGKILL);
    }
    return syscall(SYS_write, descriptor, bytes, size);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    return meet('w', descriptor, NULL) == 1 ? -1 : REAL(writev)(descriptor, parts, count);
}

int fsync(int descriptor) { return meet('f', descriptor, NULL) == 1 ? -1 : REAL(fsync)(descriptor); }

int fdatasync(int descriptor)
{
    return meet('f', descriptor, NULL) == 1 ? -1 : REAL(fdatasync)(descriptor);
}

int rename(const char *from, const char *to)
{
    return meet('r', -1, to) == 1 ? -1 : REAL(rename)(from, to);
}

int renameat(int a, const char *from, int b, const char *to)
{
    return meet('r', b, to) == 1 ? -1 : REAL(renameat)(a, from, b, to);
}

int unlink(const char *path) { return meet('u', -1, path) == 1 ? -1 : REAL(unlink)(path); }

int unlinkat(int folder, const char *path, int flags)
{
    return meet('u', folder, path) == 1 ? -1 : REAL(unlinkat)(folder, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return meet('m', -1, path) == 1 ? -1 : REAL(mkdir)(path, mode);
}

static mode_t mode_of(int flags, va_list rest)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPENER(name, ...)                                                                \
    {                                                                                    \
        va_list rest;                                                                    \
        va_start(rest, flags);                                                           \
        mode_t mode = mode_of(flags, rest);                                              \
        va_end(rest);                                                                    \
        int is_write = flags & (O_WRONLY | O_RDWR | O_CREAT);                            \
        return is_write && meet('o', folder, path) == 1 ? -1 : REAL(name)(__VA_ARGS__);  \
    }
int open(const char *path, int flags, ...)
{
    int folder = -1;
    OPENER(open, path, flags, mode)
}
int open64(const char *path, int flags, ...)
{
    int folder = -1;
    OPENER(open64, path, flags, mode)
}
int openat(int folder, const char *path, int flags, ...) OPENER(openat, folder, path, flags, mode)
int openat64(int folder, const char *path, int flags, ...) OPENER(openat64, folder, path, flags, mode)
