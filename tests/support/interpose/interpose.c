/*
 * Stands between a process and the kernel, by LD_PRELOAD: shifts its time of day, and counts,
 * refuses or cuts off its writes to one directory.
 *
 * It is told what to do by a file that it and the test have in memory (ZC_INTERPOSE): eight
 * numbers of 64 bits, which may be changed at any time. ZC_INTERPOSE_DIR is the directory.
 *
 * What counts as a write: everything that changes a file or its durability. A process that is to
 * die at the n-th of them dies in its middle: half of what it writes is written. When the power
 * goes with it, each file is again what it was when it was last synced, or first opened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct orders {
  int64_t shift_s;  /* added to the time of day, in seconds */
  int64_t writes;   /* counted since the test set it to 0 */
  int64_t refuse;   /* writes above this fail; negative: none */
  int64_t refusal;  /* with this errno */
  int64_t die;      /* at the write above this; negative: never */
  int64_t asked;    /* how often the time of day was asked for */
  int64_t power;    /* not 0: what was not synced goes with the process */
  int64_t spare;
};

static struct orders *orders;
static const char *dir;
static size_t dir_length;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("ZC_INTERPOSE");
  dir = getenv("ZC_INTERPOSE_DIR");
  if (dir) dir_length = strlen(dir);
  if (!file) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR, 0);
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (at != MAP_FAILED) orders = at;
}

/* --- time of day ------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && orders && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    __atomic_add_fetch(&orders->asked, 1, __ATOMIC_RELAXED);
    now->tv_sec += __atomic_load_n(&orders->shift_s, __ATOMIC_RELAXED);
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec fine;
  if (clock_gettime(CLOCK_REALTIME, &fine) != 0) return -1;
  now->tv_sec = fine.tv_sec;
  now->tv_usec = fine.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}

/* --- writes ------------------------------------------------------------------------------ */

static int is_ours(const char *path) {
  return dir && strncmp(path, dir, dir_length) == 0 && path[dir_length] == '/';
}

static int is_ours_fd(int fd) {
  if (!orders || !dir) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

enum { GO, FAIL, DIE };

/* Counts a write, and says what is to become of it. */
static int judge(void) {
  int64_t number = __atomic_add_fetch(&orders->writes, 1, __ATOMIC_SEQ_CST);
  int64_t die = __atomic_load_n(&orders->die, __ATOMIC_SEQ_CST);
  if (die >= 0 && number > die) return DIE;
  int64_t refuse = __atomic_load_n(&orders->refuse, __ATOMIC_SEQ_CST);
  if (refuse >= 0 && number > refuse) {
    errno = (int)__atomic_load_n(&orders->refusal, __ATOMIC_SEQ_CST);
    return FAIL;
  }
  return GO;
}

/* --- what is on the disk ----------------------------------------------------------------- */

enum { MAX_FILES = 32 };

static struct shadow {
  char path[PATH_MAX];
  char *octets;
  ssize_t length; /* negative: there was no such file */
} shadows[MAX_FILES];
static int shadow_count;
static int shadow_lock;

static void lock_shadows(void) {
  while (__atomic_exchange_n(&shadow_lock, 1, __ATOMIC_ACQUIRE)) usleep(10);
}

static void unlock_shadows(void) { __atomic_store_n(&shadow_lock, 0, __ATOMIC_RELEASE); }

/* Keeps a file as it is now; one that is known already only when it was synced. */
static void keep(const char *path, int was_synced) {
  lock_shadows();
  int at = 0;
  while (at < shadow_count && strcmp(shadows[at].path, path) != 0) at++;
  int is_new = at == shadow_count;
  if ((is_new || was_synced) && at < MAX_FILES) {
    struct shadow *file = &shadows[at];
    if (is_new) {
      snprintf(file->path, sizeof file->path, "%s", path);
      shadow_count++;
    }
    free(file->octets);
    file->octets = NULL;
    file->length = -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
    struct stat found;
    if (fd >= 0 && fstat(fd, &found) == 0) {
      file->octets = malloc((size_t)found.st_size + 1);
      file->length = syscall(SYS_pread64, fd, file->octets, found.st_size, 0);
    }
    if (fd >= 0) syscall(SYS_close, fd);
  }
  unlock_shadows();
}

static void keep_fd(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  keep(path, 1);
}

/* Names are on the disk at once, as far as the tests go: a file that was moved takes its octets along. */
static void keep_name(const char *from, const char *to) {
  lock_shadows();
  for (int at = 0; at < shadow_count; at++) {
    if (to && strcmp(shadows[at].path, to) == 0) shadows[at].path[0] = 0;
  }
  for (int at = 0; at < shadow_count; at++) {
    if (strcmp(shadows[at].path, from) != 0) continue;
    snprintf(shadows[at].path, sizeof shadows[at].path, "%s", to ? to : "");
  }
  unlock_shadows();
}

static void lose_power(void) {
  lock_shadows();
  for (int at = 0; at < shadow_count; at++) {
    struct shadow *file = &shadows[at];
    if (!file->path[0]) continue;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file->path, O_WRONLY | O_TRUNC, 0);
    if (fd < 0) continue;
    for (ssize_t done = 0; done < file->length;) {
      long more = syscall(SYS_write, fd, file->octets + done, file->length - done);
      if (more <= 0) break;
      done += more;
    }
    syscall(SYS_close, fd);
  }
}

static void die(void) {
  if (__atomic_load_n(&orders->power, __ATOMIC_SEQ_CST)) lose_power();
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

ssize_t pwrite64(int fd, const void *octets, size_t count, off64_t at) {
  if (is_ours_fd(fd)) {
    int verdict = judge();
    if (verdict == FAIL) return -1;
    if (verdict == DIE) {
      syscall(SYS_pwrite64, fd, octets, count / 2, at);
      die();
    }
  }
  return syscall(SYS_pwrite64, fd, octets, count, at);
}

ssize_t pwrite(int fd, const void *octets, size_t count, off_t at) {
  return pwrite64(fd, octets, count, at);
}

ssize_t write(int fd, const void *octets, size_t count) {
  if (is_ours_fd(fd)) {
    int verdict = judge();
    if (verdict == FAIL) return -1;
    if (verdict == DIE) {
      syscall(SYS_write, fd, octets, count / 2);
      die();
    }
  }
  return syscall(SYS_write, fd, octets, count);
}

/* A change without octets: it is made, or not. */
static int may(void) {
  int verdict = judge();
  if (verdict == DIE) die();
  return verdict == GO;
}

/* The same for what takes no room: a full disk lets it be done. */
static int may_without_room(void) { return may() || errno == ENOSPC; }

int ftruncate64(int fd, off64_t length) {
  if (is_ours_fd(fd) && !may_without_room()) return -1;
  return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, long call) {
  int ours = is_ours_fd(fd);
  if (ours && !may_without_room()) return -1;
  int result = (int)syscall(call, fd);
  if (ours && result == 0) keep_fd(fd);
  return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int unlink(const char *path) {
  if (orders && is_ours(path)) {
    if (!may_without_room()) return -1;
    keep_name(path, NULL);
  }
  return (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to) {
  if (orders && is_ours(to)) {
    if (!may_without_room()) return -1;
    keep_name(from, to);
  }
  return (int)syscall(SYS_rename, from, to);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  int ours = orders && is_ours(path);
  if (ours && (flags & O_CREAT) && access(path, F_OK) != 0 && !may()) return -1;
  int fd = (int)syscall(SYS_openat, at, path, flags, mode);
  if (ours && fd >= 0 && (flags & O_ACCMODE) != O_RDONLY) keep(path, 0);
  return fd;
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(AT_FDCWD, path, flags, mode);
}
