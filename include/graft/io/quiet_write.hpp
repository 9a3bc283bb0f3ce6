/// @file
/// @brief `write` whose failures are all errors, none a signal that ends the process.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <ctime>

namespace graft::detail {

/// While it lives, this thread gets no SIGPIPE (a pipe that nobody reads any more) and no SIGXFSZ (a limit on file
/// sizes).
class NoWriteSignals {
 public:
  NoWriteSignals() {
    sigset_t pending;
    ::sigemptyset(&signals_);
    ::sigpending(&pending);
    for (int const signal : {SIGPIPE, SIGXFSZ})
      if (::sigismember(&pending, signal) == 0) ::sigaddset(&signals_, signal);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  NoWriteSignals(NoWriteSignals const&) = delete;
  NoWriteSignals& operator=(NoWriteSignals const&) = delete;
  ~NoWriteSignals() {
    int const kept = errno;
#ifdef __linux__
    timespec const none = {};
    while (::sigtimedwait(&signals_, nullptr, &none) > 0 || errno == EINTR) {
    }
#endif
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = kept;
  }

 private:
  sigset_t signals_ = {}, before_ = {};
};

/// Writes all bytes. False, with errno, if not all could be written.
[[nodiscard]] inline bool write_all(int file, void const* data, std::size_t count) {
  NoWriteSignals const quiet;
  auto const* next = static_cast<char const*>(data);
  while (count > 0) {
    ssize_t const put = ::write(file, next, std::min<std::size_t>(count, std::size_t{1} << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put == 0) errno = ENOSPC;
    if (put <= 0) return false;
    next += put;
    count -= static_cast<std::size_t>(put);
  }
  return true;
}

}  // namespace graft::detail
