/* A disk that fails when it is told to: loaded before libc, it stands between a process and the files of one folder.

   FAILING_DISK_FOLDER   whose files fail; their paths begin with it
   FAILING_DISK_CONTROL  a file of 16 bytes: what is wrong now, and (from byte 8) how often that was met

   w  writes end in EIO                    s  syncs end in EIO, and nothing is synced
   t  half of a write is done, then EIO    b  both writes and syncs end in EIO
   r  a file system that is read-only      n  a full disk
   d  every sync takes a second */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct control { volatile char mode; char unused[7]; volatile int64_t met; };
static struct control *control;
static const char *folder;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAILING_DISK_CONTROL");
    folder = getenv("FAILING_DISK_FOLDER");
    if (!path || !folder) return;
    int fd = REAL(open)(path, O_RDWR);
    if (fd < 0) return;
    void *found = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (found != MAP_FAILED) control = found;
}

static char mode(void) { return control && control->mode ? control->mode : '0'; }

static int is_ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int met(int error) {
    __sync_fetch_and_add(&control->met, 1);
    errno = error;
    return -1;
}

/* What a write of so many bytes comes to: 0 as it should, else -1 with errno; a torn one does half of it itself. */
static int write_fault(int fd, const void *data, size_t size, off_t at) {
    char now = mode();
    if (!strchr("wtbrn", now) || !is_ours(fd)) return 0;
    if (now == 't' && at >= 0 && REAL(pwrite)(fd, data, size / 2, at) < 0) return -1;
    return met(now == 'r' ? EROFS : now == 'n' ? ENOSPC : EIO);
}

static int sync_fault(int fd) {
    char now = mode();
    if (!strchr("sbd", now) || !is_ours(fd)) return 0;
    if (now != 'd') return met(EIO);
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
    __sync_fetch_and_add(&control->met, 1);
    return 0;
}

static int open_fault(const char *path, int flags) {
    if (mode() != 'r' || !(flags & (O_WRONLY | O_RDWR | O_CREAT))) return 0;
    return strncmp(path, folder, strlen(folder)) ? 0 : met(EROFS);
}

ssize_t write(int fd, const void *data, size_t size) {
    return write_fault(fd, data, size, -1) ? -1 : REAL(write)(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return write_fault(fd, data, size, at) ? -1 : REAL(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return write_fault(fd, data, size, at) ? -1 : REAL(pwrite64)(fd, data, size, at);
}
int ftruncate(int fd, off_t size) {
    return write_fault(fd, "", 0, -1) ? -1 : REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    return write_fault(fd, "", 0, -1) ? -1 : REAL(ftruncate64)(fd, size);
}
int fsync(int fd) { return sync_fault(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return sync_fault(fd) ? -1 : REAL(fdatasync)(fd); }

#define OPENS(name)                                            \
    int name(const char *path, int flags, ...) {               \
        va_list rest;                                          \
        va_start(rest, flags);                                 \
        mode_t permissions = va_arg(rest, mode_t);             \
        va_end(rest);                                          \
        return open_fault(path, flags) ? -1 : REAL(name)(path, flags, permissions); \
    }
OPENS(open)
OPENS(open64)
