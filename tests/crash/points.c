/*
 * Stands between the program and the system (LD_PRELOAD), and counts every call that changes something below one folder: a
 * point. At the point of a given number it kills the process, sends it a signal, or lets the call fail.
 *
 * strace can inject too, but counts each thread by itself, so that most points of a program with threads are never met, and
 * knows no folders, so that sockets and wake-ups fail with the files. Here numbers are those of the whole process. What does
 * not go through the C library is not seen: a test holds the list of points against what strace sees.
 *
 * The environment, all of it needed:
 *   POINTS_ROOT   the folder, absolute, without links in it
 *   POINTS_LOG    a file that gets a line a point: number, kind, path, and for a move the path it goes to, with tabs between
 *   POINTS_KINDS  the kinds that count, with commas around each: ,create,write,sync,
 *   POINTS_AT     the number, from 1; 0 is none
 *   POINTS_DO     kill: SIGKILL before the call. tear: SIGKILL when half of a write is done. stop, interrupt, terminate: that
 *                 signal before the call, which is then made. hang: the call never comes back. once:ERRNO: the call fails.
 *                 on:ERRNO: so do all points behind it, and the first one, if it is a write, is done by half before
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum deed { NOTHING, KILL, TEAR, STOP, INTERRUPT, TERMINATE, HANG, ONCE, ON };
/* What a call is to do: go on, go on with half of its bytes, go on so and die, fail. */
enum verdict { GO, HALF, HALF_AND_DIE, FAIL };

static char root[PATH_MAX];
static size_t root_length;
static char kinds[256];
static int log_file = -1;
static long at;
static enum deed deed = NOTHING;
static int failure;
static long points;
static char is_counting;

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("POINTS_ROOT"), *log = getenv("POINTS_LOG"), *wanted = getenv("POINTS_KINDS");
  const char *number = getenv("POINTS_AT"), *what = getenv("POINTS_DO");
  if (!folder || !log || !wanted || !number || !what) return;
  snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
  snprintf(kinds, sizeof kinds, "%s", wanted);
  log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  at = atol(number);
  if (!strcmp(what, "kill")) deed = KILL;
  if (!strcmp(what, "tear")) deed = TEAR;
  if (!strcmp(what, "stop")) deed = STOP;
  if (!strcmp(what, "interrupt")) deed = INTERRUPT;
  if (!strcmp(what, "terminate")) deed = TERMINATE;
  if (!strcmp(what, "hang")) deed = HANG;
  if (!strncmp(what, "once:", 5)) { deed = ONCE; failure = atoi(what + 5); }
  if (!strncmp(what, "on:", 3)) { deed = ON; failure = atoi(what + 3); }
}

/* The absolute path of what a call names, without looking at links. */
static void absolute(char *out, int folder, const char *path) {
  char base[PATH_MAX] = "";
  if (path[0] != '/') {
    if (folder == AT_FDCWD) {
      if (!getcwd(base, sizeof base)) base[0] = 0;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
      ssize_t length = readlink(link, base, sizeof base - 1);
      base[length > 0 ? length : 0] = 0;
    }
  }
  while (path[0] == '.' && path[1] == '/') path += 2;
  if (snprintf(out, PATH_MAX, "%s%s%s", base, base[0] ? "/" : "", path) >= PATH_MAX) out[0] = 0;
}

static void of_file(char *out, int file) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, out, PATH_MAX - 1);
  out[length > 0 ? length : 0] = 0;
}

static int is_inside(const char *path) {
  return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts a call and says what becomes of it. */
static enum verdict meet(const char *kind, const char *path, const char *to) {
  char wanted[32];
  int before = errno;
  if (!is_inside(path) && !(to && is_inside(to))) return GO;
  snprintf(wanted, sizeof wanted, ",%s,", kind);
  if (!strstr(kinds, wanted)) return GO;
  char line[2 * PATH_MAX + 64];
  /* One at a time, so that whoever dies at a point has all points before it in the log. */
  while (__atomic_test_and_set(&is_counting, __ATOMIC_ACQUIRE)) sched_yield();
  long number = ++points;
  int length = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\n", number, kind, path, to ? to : "");
  if (log_file >= 0) syscall(SYS_write, log_file, line, (size_t)length);
  __atomic_clear(&is_counting, __ATOMIC_RELEASE);
  errno = before;
  if (!at || number < at) return GO;
  if (deed == ON) {
    errno = failure;
    return number == at && !strcmp(kind, "write") ? HALF : FAIL;
  }
  if (number > at) return GO;
  switch (deed) {
    case KILL: die(); break;
    case TEAR: return HALF_AND_DIE;
    case STOP: kill(getpid(), SIGSTOP); break;
    case INTERRUPT: kill(getpid(), SIGINT); break;
    case TERMINATE: kill(getpid(), SIGTERM); break;
    case HANG: for (;;) pause();
    case ONCE: errno = failure; return FAIL;
    default: break;
  }
  return GO;
}

static enum verdict meet_file(const char *kind, int file) {
  char path[PATH_MAX];
  of_file(path, file);
  return meet(kind, path, NULL);
}

static enum verdict meet_path(const char *kind, int folder, const char *name) {
  char path[PATH_MAX];
  absolute(path, folder, name);
  return meet(kind, path, NULL);
}

static enum verdict meet_paths(const char *kind, int folder, const char *name, int other, const char *to) {
  char from[PATH_MAX], target[PATH_MAX];
  absolute(from, folder, name);
  absolute(target, other, to);
  return meet(kind, from, target);
}

/* What cannot be done by half fails, or dies before. */
#define UNLESS_FAILED(met)              \
  do {                                  \
    enum verdict verdict = (met);       \
    if (verdict == FAIL) return -1;     \
    if (verdict == HALF_AND_DIE) die(); \
  } while (0)

static ssize_t write_as(enum verdict verdict, int file, const void *bytes, size_t length, off_t offset, int placed) {
  if (verdict == FAIL) return -1;
  size_t part = verdict == GO ? length : length / 2;
  if (verdict == HALF && part == 0) return -1;
  ssize_t done = placed ? syscall(SYS_pwrite64, file, bytes, part, offset) : syscall(SYS_write, file, bytes, part);
  if (verdict == HALF_AND_DIE) die();
  return done;
}

ssize_t write(int file, const void *bytes, size_t length) {
  return write_as(meet_file("write", file), file, bytes, length, 0, 0);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  return write_as(meet_file("write", file), file, bytes, length, offset, 1);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) { return pwrite(file, bytes, length, offset); }

ssize_t writev(int file, const struct iovec *parts, int count) {
  enum verdict verdict = meet_file("write", file);
  if (verdict == GO) return syscall(SYS_writev, file, parts, count);
  if (verdict == FAIL || count < 1) return -1;
  return write_as(verdict, file, parts[0].iov_base, parts[0].iov_len, 0, 0);
}

ssize_t copy_file_range(int from, off64_t *start, int to, off64_t *target, size_t length, unsigned flags) {
  UNLESS_FAILED(meet_file("write", to));
  return syscall(SYS_copy_file_range, from, start, to, target, length, flags);
}

ssize_t sendfile(int to, int from, off_t *start, size_t length) {
  UNLESS_FAILED(meet_file("write", to));
  return syscall(SYS_sendfile, to, from, start, length);
}

ssize_t sendfile64(int to, int from, off64_t *start, size_t length) { return sendfile(to, from, start, length); }

int fsync(int file) {
  UNLESS_FAILED(meet_file("sync", file));
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  UNLESS_FAILED(meet_file("sync", file));
  return (int)syscall(SYS_fdatasync, file);
}

int ftruncate(int file, off_t length) {
  UNLESS_FAILED(meet_file("truncate", file));
  return (int)syscall(SYS_ftruncate, file, length);
}

int ftruncate64(int file, off64_t length) { return ftruncate(file, length); }

int fchmod(int file, mode_t mode) {
  UNLESS_FAILED(meet_file("chmod", file));
  return (int)syscall(SYS_fchmod, file, mode);
}

int chmod(const char *path, mode_t mode) {
  UNLESS_FAILED(meet_path("chmod", AT_FDCWD, path));
  return (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

static int open_as(int folder, const char *path, int flags, mode_t mode) {
  if (flags & (O_CREAT | O_TRUNC)) UNLESS_FAILED(meet_path("create", folder, path));
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

/* The mode is there only where the flags ask for it. */
#define MODE(flags, last)                           \
  mode_t mode = 0;                                  \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {          \
    va_list rest;                                   \
    va_start(rest, last);                           \
    mode = va_arg(rest, mode_t);                    \
    va_end(rest);                                   \
  }

int open(const char *path, int flags, ...) {
  MODE(flags, flags)
  return open_as(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags, flags)
  return open_as(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
  MODE(flags, flags)
  return open_as(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags, flags)
  return open_as(folder, path, flags, mode);
}

int renameat2(int folder, const char *from, int other, const char *to, unsigned flags) {
  UNLESS_FAILED(meet_paths("rename", folder, from, other, to));
  return (int)syscall(SYS_renameat2, folder, from, other, to, flags);
}

int renameat(int folder, const char *from, int other, const char *to) { return renameat2(folder, from, other, to, 0); }

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int folder, const char *from, int other, const char *to, int flags) {
  UNLESS_FAILED(meet_paths("link", folder, from, other, to));
  return (int)syscall(SYS_linkat, folder, from, other, to, flags);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *path, int flags) {
  UNLESS_FAILED(meet_path("unlink", folder, path));
  return (int)syscall(SYS_unlinkat, folder, path, flags);
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

/* One that is there already changes nothing, however often it is asked for. */
int mkdirat(int folder, const char *path, mode_t mode) {
  if (syscall(SYS_faccessat, folder, path, F_OK) == 0) return (int)syscall(SYS_mkdirat, folder, path, mode);
  UNLESS_FAILED(meet_path("mkdir", folder, path));
  return (int)syscall(SYS_mkdirat, folder, path, mode);
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
