/// @file
/// @brief A lock on a path that is being written, so that two trainings do not write the same checkpoints, log or
/// adapter.
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
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace graft {

namespace detail {

/// The lock files that this process holds, by device and inode: `flock` does not tell them from another process's.
class OwnLocks {
 public:
  static void add(struct stat const& file) {
    std::lock_guard const guard(mutex());
    all().insert({file.st_dev, file.st_ino});
  }
  static void remove(struct stat const& file) {
    std::lock_guard const guard(mutex());
    all().erase({file.st_dev, file.st_ino});
  }
  [[nodiscard]] static bool hold(struct stat const& file) {
    std::lock_guard const guard(mutex());
    return all().contains({file.st_dev, file.st_ino});
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::set<std::pair<dev_t, ino_t>>& all() {
    static std::set<std::pair<dev_t, ino_t>> locks;
    return locks;
  }
};

/// " (123)" for the process that a lock file names; empty where it names none.
[[nodiscard]] inline std::string lock_owner(int file) {
  char owner[24] = {};
  if (::pread(file, owner, sizeof owner - 1, 0) <= 0) return {};
  return cat(" (", std::string(owner, std::strspn(owner, "0123456789")), ")");
}

/// The other process that holds the lock file `at`, as `lock_owner` has it; nothing where there is none.
[[nodiscard]] inline std::optional<std::string> other_holder(std::filesystem::path const& at) {
  for (int tries = 0; tries < 6; ++tries) {
    FileDescriptor const file(::open(at.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status = {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || OwnLocks::hold(status))
      return std::nullopt;
    if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR)) return std::nullopt;
    if (tries == 5) return lock_owner(file.get());
    ::usleep(20000);  // somebody may be looking whether it is free
  }
  return std::nullopt;
}

}  // namespace detail

/// Holds `path`, a folder or a file that need not exist yet, for one writer: also against a writer of a folder that it
/// lies in, and of what lies in it. The lock is a file `.graft-lock-<name>` beside it (in the folder itself where that
/// cannot be), is removed at the end, and falls when its process is killed. Where a file system has no locks a warning
/// is all.
class PathLock {
 public:
  /// @throws FileError if another writer holds it
  explicit PathLock(std::filesystem::path const& path) : shown_(path.string()) {
    std::error_code error;
    auto target =
        std::filesystem::weakly_canonical(std::filesystem::absolute(detail::follow_links(path), error), error);
    if (!target.has_filename()) target = target.parent_path();
    std::filesystem::create_directories(target.parent_path(), error);
    if (!take(beside(target)) && !take(target / own_name))
      warn("[", shown_, "] cannot be locked against a second writer; got: ", std::strerror(errno),
           "; hint: let no other process write there");
    try {
      check_around(target);
    } catch (...) {
      release();
      throw;
    }
  }
  PathLock(PathLock const&) = delete;
  PathLock& operator=(PathLock const&) = delete;
  ~PathLock() { release(); }

 private:
  static constexpr char const* own_name = ".graft-lock";

  [[nodiscard]] static std::filesystem::path beside(std::filesystem::path const& target) {
    return target.parent_path() / (detail::lock_prefix + target.filename().string());
  }

  void release() {
    if (file_ < 0) return;
    ::unlink(path_.c_str());  // while it is held: whoever opened it before sees that it is gone and makes a new one
    struct stat own = {};
    if (::fstat(file_, &own) == 0) detail::OwnLocks::remove(own);
    ::close(file_);
    file_ = -1;
  }

  /// The own lock is held by now: of two processes that look at each other's at least one is refused.
  void check_around(std::filesystem::path const& target) const {
    auto const refuse = [&](std::string const& what, std::string const& owner) {
      fail<FileError>("[", shown_, "] ", what, " another process", owner,
                      " is writing; expected to be its only writer; hint: wait for its end, or choose another name; "
                      "nothing was changed");
    };
    for (auto folder = target.parent_path(); folder.has_filename(); folder = folder.parent_path())
      for (auto const& lock : {beside(folder), folder / own_name})
        if (auto const owner = detail::other_holder(lock))
          refuse(cat("lies in the folder ", folder.string(), ", which"), *owner);
    std::error_code none;
    if (!std::filesystem::is_directory(target, none)) return;
    for (auto const& lock : detail::folder_entries(target, none)) {
      std::string const name = lock.filename().string();
      if (!name.starts_with(detail::lock_prefix)) continue;
      if (auto const owner = detail::other_holder(lock))
        refuse(cat("holds ", name.substr(std::strlen(detail::lock_prefix)), ", which"), *owner);
    }
  }

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
        fail<FileError>(
            "[", shown_, "] is being written by another process", detail::lock_owner(file.get()),
            "; expected to be its only writer; hint: wait for its end, or choose another name; nothing was changed");
      }
      struct stat own = {}, there = {};
      if (::fstat(file.get(), &own) != 0 || ::stat(at.c_str(), &there) != 0 || own.st_ino != there.st_ino ||
          own.st_dev != there.st_dev)
        continue;
      std::string const number = std::to_string(::getpid());
      // for messages alone
      bool const said = ::ftruncate(file.get(), 0) == 0 && detail::write_all(file.get(), number.data(), number.size());
      static_cast<void>(said);
      detail::OwnLocks::add(own);
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
