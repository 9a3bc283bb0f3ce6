/// @file
/// @brief A lock on a path that is being written, so that two trainings do not write the same checkpoints, log or adapter.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/output_path.hpp>
#include <graft/io/quiet_write.hpp>
#include <graft/io/temporary.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace graft {

/// Holds `path`, a folder or a file that need not exist yet, for one writer. The lock is a file `.graft-lock-<name>` beside it (in the
/// folder itself where that cannot be), is removed at the end, and falls when its process is
/// killed. Where a file system has no locks a warning is all.
class PathLock {
 public:
  /// @throws FileError if another writer holds it
  explicit PathLock(std::filesystem::path const& path) : shown_(path.string()) {
    std::error_code error;
    auto target = std::filesystem::weakly_canonical(std::filesystem::absolute(detail::follow_links(path), error), error);
    if (!target.has_filename()) target = target.parent_path();
    std::filesystem::create_directories(target.parent_path(), error);
    if (take(target.parent_path() / (detail::lock_prefix + target.filename().string())) || take(target / ".graft-lock")) return;
    warn("[", shown_, "] cannot be locked against a second writer; got: ", std::strerror(errno),
         "; hint: let no other process write there");
  }
  PathLock(PathLock const&) = delete;
  PathLock& operator=(PathLock const&) = delete;
  ~PathLock() {
    if (file_ < 0) return;
    ::unlink(path_.c_str());  // while it is held: whoever opened it before sees that it is gone and makes a new one
    ::close(file_);
  }

 private:
  /// False, with errno, where there can be no lock.
  [[nodiscard]] bool take(std::filesystem::path const& at) {
    for (int tries = 0;; ++tries) {
      detail::FileDescriptor file(::open(at.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
      if (file.get() < 0) return false;
      if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return false;
        if (tries < 5) {  // somebody may be looking whether it is free
          ::usleep(20000);
          continue;
        }
        char owner[24] = {};
        bool const known = ::read(file.get(), owner, sizeof owner - 1) > 0;
        fail<FileError>("[", shown_, "] is being written by another process",
                        known ? cat(" (", std::string(owner, std::strspn(owner, "0123456789")), ")") : std::string(),
                        "; expected to be its only writer; hint: wait for its end, or choose another name; nothing was changed");
      }
      struct stat own = {}, there = {};
      if (::fstat(file.get(), &own) != 0 || ::stat(at.c_str(), &there) != 0 || own.st_ino != there.st_ino || own.st_dev != there.st_dev)
        continue;
      std::string const number = std::to_string(::getpid());
      // for messages alone
      bool const said = ::ftruncate(file.get(), 0) == 0 && detail::write_all(file.get(), number.data(), number.size());
      static_cast<void>(said);
      path_ = at;
      file_ = file.release();
      return true;
    }
  }

  std::string shown_;
  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace graft
