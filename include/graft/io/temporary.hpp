/// @file
/// @brief Names of files and folders that are being written, and the removal of those whose writers were killed.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/output_path.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace graft::detail {

inline constexpr char const* temporary_prefix = ".graft-tmp-";
inline constexpr char const* lock_prefix = ".graft-lock-";

/// A name no other writer uses at this time, in the same folder (rename is atomic only within one file system).
[[nodiscard]] inline std::string temporary_name(std::string const& prefix = temporary_prefix) {
  static std::atomic<unsigned> counter{0};
  return cat(prefix, ::getpid(), "-", counter.fetch_add(1));
}

/// Guards the moment between a temporary's creation and its lock.
[[nodiscard]] inline std::mutex& temporaries_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// The entries of a folder; empty where it cannot be read.
[[nodiscard]] inline std::vector<std::filesystem::path> folder_entries(std::filesystem::path const& folder,
                                                                       std::error_code& error) {
  std::vector<std::filesystem::path> found;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    found.push_back(entry->path());
  return found;
}
/// Whether an output leads to a folder; `graft::is_folder` is for inputs, and throws where that cannot be told.
[[nodiscard]] inline bool is_output_folder(std::filesystem::path const& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}
/// A folder itself, no link to one.
[[nodiscard]] inline bool is_own_folder(std::filesystem::path const& path) {
  std::error_code error;
  return std::filesystem::is_directory(std::filesystem::symlink_status(path, error));
}

/// Whether an entry `<prefix><process>-<number>` was left by a process that is gone. Living writers hold a lock on
/// theirs, which also shows those of another machine or container; where a file system has no locks, only what a day
/// old is counts as left.
[[nodiscard]] inline bool is_abandoned(std::filesystem::path const& path,
                                       std::string const& prefix = temporary_prefix) {
  std::string const name = path.filename().string();
  int writer = 0, end = 0;
  unsigned number = 0;
  if (!name.starts_with(prefix) || std::sscanf(name.c_str() + prefix.size(), "%d-%u%n", &writer, &number, &end) != 2)
    return false;
  if (name.size() != prefix.size() + static_cast<std::size_t>(end) || writer <= 0) return false;
  if (writer != ::getpid() && (::kill(writer, 0) == 0 || errno != ESRCH)) return false;
  FileDescriptor const file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
    return false;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  return errno != EWOULDBLOCK && status.st_mtime + 86400 < ::time(nullptr);
}

/// Removes the lock file of a killed process. Whoever has opened it in this moment sees that it is gone and makes a new
/// one.
inline void remove_free_lock(std::filesystem::path const& path) {
  FileDescriptor const file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  // it holds a process's number
  bool const ours =
      file.get() >= 0 && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size < 24;
  if (ours && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
}

/// Removes what killed writers left in a folder. That it cannot is no reason to end anything.
inline void remove_abandoned(std::filesystem::path const& folder) {
  std::lock_guard const guard(temporaries_mutex());
  std::error_code error;
  for (auto const& path : folder_entries(folder, error)) {
    if (is_abandoned(path)) std::filesystem::remove_all(path, error);
    if (path.filename().string().starts_with(lock_prefix)) remove_free_lock(path);
  }
}
/// The same, once a process for every folder.
inline void remove_abandoned_once(std::filesystem::path const& folder) {
  static std::mutex mutex;
  static std::set<std::string> done;
  if (folder.filename().string().starts_with(".graft-")) return;  // one that is being written
  {
    std::lock_guard const guard(mutex);
    if (!done.insert(folder.string()).second) return;
  }
  remove_abandoned(folder);
}

/// Folders that are being written, and what they will be called: messages show that name.
class StagingNames {
 public:
  static void add(std::filesystem::path const& staging, std::filesystem::path const& target) {
    std::string const name = shown(target);  // which may lie in another such folder
    std::lock_guard const guard(mutex());
    names()[staging.string()] = name;
  }
  static void remove(std::filesystem::path const& staging) {
    std::lock_guard const guard(mutex());
    names().erase(staging.string());
  }
  [[nodiscard]] static std::string shown(std::filesystem::path const& path) {
    std::lock_guard const guard(mutex());
    std::string const text = path.string();
    for (auto name = names().rbegin(); name != names().rend(); ++name) {  // a folder in another comes before that
      auto const& [staging, target] = *name;
      if (text.starts_with(staging) && (text.size() == staging.size() || text[staging.size()] == '/'))
        return target + text.substr(staging.size());
    }
    return text;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::map<std::string, std::string>& names() {
    static std::map<std::string, std::string> all;
    return all;
  }
};

/// A path as messages show it: in a folder that is still being written, the path that the user will find.
[[nodiscard]] inline std::string shown(std::filesystem::path const& path) { return StagingNames::shown(path); }

/// Makes a folder's entries durable. File systems that cannot synchronize folders say EINVAL or ENOTSUP; there is
/// nothing more to do then.
inline void synchronize_folder(std::filesystem::path const& folder) {
  FileDescriptor const file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP))
    fail<FileError>("[", shown(folder), "] cannot be synchronized to disk; got: ", std::strerror(errno));
}

}  // namespace graft::detail
