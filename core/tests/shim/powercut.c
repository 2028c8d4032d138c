/* Records what a process does to the files under one directory, for the power-cut test of the store. Test only.
 *
 * LD_PRELOAD it with KITH_POWERCUT_DIR (absolute, without symbolic links) and KITH_POWERCUT_LOG. The log is a sequence of
 * records, all numbers little endian: kind (1 byte), inode (8), offset (8), length (4), that many bytes.
 *   C create a file (bytes: path)         W write (bytes at offset)         T truncate (to offset)
 *   S fsync or fdatasync of a file        D fsync of a directory (path)     M mkdir (path)
 *   R rename (old path, zero byte, new)   U unlink or rmdir (path)
 *   A the process wrote bytes to its standard output: an acknowledgement
 * sync_file_range is passed on and not recorded: it promises neither the size of a file nor the place of new blocks.
 * One lock is held over each call and its record, so the order of records is the order of effects.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char dir[PATH_MAX];
static size_t dir_len;

__attribute__((constructor)) static void start(void) {
    const char *under = getenv("KITH_POWERCUT_DIR"), *log = getenv("KITH_POWERCUT_LOG");
    if (!under || !log) return;
    snprintf(dir, sizeof dir, "%s", under);
    dir_len = strlen(dir);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        long written = syscall(SYS_write, log_fd, at, length);
        if (written <= 0) abort();
        at += written;
        length -= (size_t)written;
    }
}

static void record(char kind, uint64_t inode, uint64_t offset, const void *bytes, size_t length) {
    char head[21];
    uint32_t count = (uint32_t)length;
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &count, 4);
    put(head, sizeof head);
    put(bytes, length);
}

static int within(const char *path) {
    return log_fd >= 0 && strncmp(path, dir, dir_len) == 0 && (path[dir_len] == '/' || path[dir_len] == 0);
}

/* The path of a descriptor, if it is within the directory. */
static int path_of(int fd, char *path) {
    char name[64];
    if (log_fd < 0) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return within(path);
}

static int resolve(int at, const char *path, char *full) {
    if (path[0] == '/' || at == AT_FDCWD) {
        snprintf(full, PATH_MAX, "%s", path);
        return within(full);
    }
    char base[PATH_MAX];
    if (!path_of(at, base)) return 0;
    if (snprintf(full, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) abort();
    return 1;
}

static uint64_t inode_of(int fd) {
    struct stat facts;
    return fstat(fd, &facts) == 0 ? (uint64_t)facts.st_ino : 0;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !resolve(at, path, full)) return (int)syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int existed = syscall(SYS_faccessat, AT_FDCWD, full, F_OK) == 0;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    int error = errno;
    if (fd >= 0 && !existed) record('C', inode_of(fd), 0, full, strlen(full));
    else if (fd >= 0 && (flags & O_TRUNC)) record('T', inode_of(fd), 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE(flags, last) ({ mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, last); \
    mode = va_arg(list, mode_t); va_end(list); } mode; })

int open(const char *path, int flags, ...) { return open_at(AT_FDCWD, path, flags, MODE(flags, flags)); }
int open64(const char *path, int flags, ...) { return open_at(AT_FDCWD, path, flags | O_LARGEFILE, MODE(flags, flags)); }
int openat(int at, const char *path, int flags, ...) { return open_at(at, path, flags, MODE(flags, flags)); }
int openat64(int at, const char *path, int flags, ...) { return open_at(at, path, flags | O_LARGEFILE, MODE(flags, flags)); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

static ssize_t write_at(int fd, const void *bytes, size_t count, int64_t offset) {
    char path[PATH_MAX];
    if (fd == 1 && log_fd >= 0) {
        pthread_mutex_lock(&lock);
        record('A', 0, 0, bytes, count);
        pthread_mutex_unlock(&lock);
    }
    if (fd == log_fd || !path_of(fd, path)) {
        return offset < 0 ? syscall(SYS_write, fd, bytes, count) : syscall(SYS_pwrite64, fd, bytes, count, offset);
    }
    pthread_mutex_lock(&lock);
    ssize_t written = offset < 0 ? syscall(SYS_write, fd, bytes, count) : syscall(SYS_pwrite64, fd, bytes, count, offset);
    int error = errno;
    /* Where a file is only added to, the place is known afterwards. */
    int64_t place = offset < 0 && written > 0 ? lseek(fd, 0, SEEK_CUR) - written : offset;
    if (written > 0) record('W', inode_of(fd), (uint64_t)place, bytes, (size_t)written);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t count) { return write_at(fd, bytes, count, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return write_at(fd, bytes, count, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return write_at(fd, bytes, count, offset); }
/* One part is a short write, which every caller has to expect. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len > 0) return write_at(fd, parts[i].iov_base, parts[i].iov_len, -1);
    }
    return 0;
}

static int truncate_to(int fd, int64_t size) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0) record('T', inode_of(fd), (uint64_t)size, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return truncate_to(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncate_to(fd, size); }

static int sync_fd(int fd, long call) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(call, fd);
    struct stat facts;
    if (result == 0 && fstat(fd, &facts) == 0) {
        if (S_ISDIR(facts.st_mode)) record('D', 0, 0, path, strlen(path));
        else record('S', (uint64_t)facts.st_ino, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return sync_fd(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_fd(fd, SYS_fdatasync); }

static int rename_at(int from_at, const char *from, int to_at, const char *to) {
    char both[2 * PATH_MAX], second[PATH_MAX];
    if (!resolve(from_at, from, both) || !resolve(to_at, to, second)) {
        return (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
    }
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
    int error = errno;
    if (result == 0) {
        size_t length = strlen(both) + 1;
        strcpy(both + length, second);
        record('R', 0, 0, both, length + strlen(second));
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return rename_at(from_at, from, to_at, to); }

static int unlink_at(int at, const char *path, int flags) {
    char full[PATH_MAX];
    if (!resolve(at, path, full)) return (int)syscall(SYS_unlinkat, at, path, flags);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_unlinkat, at, path, flags);
    int error = errno;
    if (result == 0) record('U', 0, 0, full, strlen(full));
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int unlink(const char *path) { return unlink_at(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlink_at(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int at, const char *path, int flags) { return unlink_at(at, path, flags); }

static int mkdir_at(int at, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (!resolve(at, path, full)) return (int)syscall(SYS_mkdirat, at, path, mode);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_mkdirat, at, path, mode);
    int error = errno;
    if (result == 0) record('M', 0, 0, full, strlen(full));
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdir_at(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return mkdir_at(at, path, mode); }
