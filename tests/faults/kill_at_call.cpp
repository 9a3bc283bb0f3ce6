// A library to be preloaded (LD_PRELOAD) that ends a program at one of its calls to the file system, or lets its disk
// be full from one on.
//
//   GRAFT_CALLS_UNDER   the folder whose calls count: those with a path, or an opened descriptor, that begins so
//   GRAFT_KILL_AT=N     SIGKILL before the N-th of them (from 1 on)
//   GRAFT_FULL_AT=N     from the N-th on that needs room (a new file, folder or link, a write), ENOSPC
//   GRAFT_STAT_FAILS    paths that begin so cannot be looked at: GRAFT_STAT_ERROR, a number of errno
//   GRAFT_CALLS_COUNT   a file that gets "<calls> <calls that need room>" when the program ends by itself
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0}, room_calls{0};
std::array<std::atomic<bool>, 4096> tracked{};

long number_of(char const* name) {
  char const* const text = std::getenv(name);
  return text ? std::atol(text) : 0;
}
char const* folder() {
  static char const* const prefix = std::getenv("GRAFT_CALLS_UNDER");
  return prefix;
}
bool is_tracked(int file) {
  return file >= 0 && static_cast<std::size_t>(file) < tracked.size() && tracked[static_cast<std::size_t>(file)];
}
void track(int file, bool on) {
  if (file >= 0 && static_cast<std::size_t>(file) < tracked.size()) tracked[static_cast<std::size_t>(file)] = on;
}
bool is_under(int at, char const* path) {
  if (!folder() || !path) return false;
  return path[0] == '/' ? std::strncmp(path, folder(), std::strlen(folder())) == 0 : is_tracked(at);
}

/// Counts a call; true if it must fail for want of room.
bool count(bool needs_room) {
  static long const kill_at = number_of("GRAFT_KILL_AT"), full_at = number_of("GRAFT_FULL_AT");
  if (++calls == kill_at) ::kill(::getpid(), SIGKILL);
  if (!needs_room) return false;
  bool const full = full_at > 0 && ++room_calls >= full_at;
  if (full_at <= 0) ++room_calls;
  if (full) errno = ENOSPC;
  return full;
}

template <class F>
F* real(char const* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}
#define GRAFT_REAL(name) static auto* const next = real<decltype(name)>(#name)

/// Whether a path is to be one that cannot be looked at.
bool cannot_be_seen(char const* path) {
  static char const* const prefix = std::getenv("GRAFT_STAT_FAILS");
  static long const number = number_of("GRAFT_STAT_ERROR");
  if (!prefix || !path || std::strncmp(path, prefix, std::strlen(prefix)) != 0) return false;
  errno = static_cast<int>(number);
  return true;
}

int open_counted(int at, char const* path, int flags, mode_t mode) {
  bool const under = is_under(at, path);
  if (under) {
    bool const fresh = (flags & O_CREAT) != 0 && ::faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    errno = 0;
    if (count(fresh)) return -1;
  }
  int const file = static_cast<int>(::syscall(SYS_openat, at, path, flags, mode));
  track(file, under && file >= 0);
  return file;
}

struct AtEnd {
  ~AtEnd() {
    char const* const path = std::getenv("GRAFT_CALLS_COUNT");
    if (!path) return;
    char text[64];
    int const size = std::snprintf(text, sizeof text, "%ld %ld\n", calls.load(), room_calls.load());
    auto const file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    static_cast<void>(::syscall(SYS_write, file, text, static_cast<std::size_t>(size)));
  }
} at_end;

}  // namespace

extern "C" {

int open(char const* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  auto const mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_counted(AT_FDCWD, path, flags, mode);
}
int open64(char const* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  auto const mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_counted(AT_FDCWD, path, flags, mode);
}
int openat(int at, char const* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  auto const mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_counted(at, path, flags, mode);
}
int openat64(int at, char const* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  auto const mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open_counted(at, path, flags, mode);
}
int stat(char const* path, struct stat* status) {
  GRAFT_REAL(stat);
  return cannot_be_seen(path) ? -1 : next(path, status);
}
int lstat(char const* path, struct stat* status) {
  GRAFT_REAL(lstat);
  return cannot_be_seen(path) ? -1 : next(path, status);
}
ssize_t write(int file, void const* data, size_t size) {
  GRAFT_REAL(write);
  if (is_tracked(file) && count(true)) return -1;
  return next(file, data, size);
}
int fsync(int file) {
  GRAFT_REAL(fsync);
  if (is_tracked(file)) count(false);
  return next(file);
}
int fdatasync(int file) {
  GRAFT_REAL(fdatasync);
  if (is_tracked(file)) count(false);
  return next(file);
}
int ftruncate(int file, off_t size) {
  GRAFT_REAL(ftruncate);
  if (is_tracked(file)) count(false);
  return next(file, size);
}
int ftruncate64(int file, off64_t size) {
  GRAFT_REAL(ftruncate64);
  if (is_tracked(file)) count(false);
  return next(file, size);
}
int fchmod(int file, mode_t mode) {
  GRAFT_REAL(fchmod);
  if (is_tracked(file)) count(false);
  return next(file, mode);
}
int flock(int file, int operation) {
  GRAFT_REAL(flock);
  if (is_tracked(file)) count(false);
  return next(file, operation);
}
int close(int file) {
  GRAFT_REAL(close);
  if (is_tracked(file)) count(false);
  track(file, false);
  return next(file);
}
int chmod(char const* path, mode_t mode) {
  GRAFT_REAL(chmod);
  if (is_under(AT_FDCWD, path)) count(false);
  return next(path, mode);
}
int rename(char const* from, char const* to) {
  GRAFT_REAL(rename);
  if (is_under(AT_FDCWD, to)) count(false);
  return next(from, to);
}
int renameat2(int from_at, char const* from, int to_at, char const* to, unsigned flags) {
  GRAFT_REAL(renameat2);
  if (is_under(to_at, to)) count(false);
  return next(from_at, from, to_at, to, flags);
}
int mkdir(char const* path, mode_t mode) {
  GRAFT_REAL(mkdir);
  if (is_under(AT_FDCWD, path) && count(true)) return -1;
  return next(path, mode);
}
int unlink(char const* path) {
  GRAFT_REAL(unlink);
  if (is_under(AT_FDCWD, path)) count(false);
  return next(path);
}
int unlinkat(int at, char const* path, int flags) {
  GRAFT_REAL(unlinkat);
  if (is_under(at, path)) count(false);
  return next(at, path, flags);
}
int rmdir(char const* path) {
  GRAFT_REAL(rmdir);
  if (is_under(AT_FDCWD, path)) count(false);
  return next(path);
}
int remove(char const* path) {
  GRAFT_REAL(remove);
  if (is_under(AT_FDCWD, path)) count(false);
  return next(path);
}
int linkat(int from_at, char const* from, int to_at, char const* to, int flags) {
  GRAFT_REAL(linkat);
  if (is_under(to_at, to) && count(true)) return -1;
  return next(from_at, from, to_at, to, flags);
}

}  // extern "C"
