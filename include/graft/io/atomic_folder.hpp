/// @file
/// @brief A folder of files (an adapter, a training checkpoint) that appears or is replaced as a whole.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/temporary.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace graft {

/// Collects files in a staging folder and swaps it with the target in one step. Entries of an existing target that were
/// not written anew (a README, another subfolder) are kept, but for those that `replace` names. Where the two cannot be
/// swapped (the target is a mount point or holds the current directory, or the file system lacks RENAME_EXCHANGE) the
/// finished files are renamed into the target one by one.
///
///     AtomicFolder folder("prefix");
///     write_file_atomic(folder.staging() / "adapter_config.json", config);
///     folder.commit();
class AtomicFolder {
 public:
  /// Creates the staging folder (and the target's missing parents), and removes what killed
  /// writers left; throws FileError if it cannot be created.
  explicit AtomicFolder(std::filesystem::path const& target) : given_(target), target_(absolute(target)) {
    std::error_code error;
    std::filesystem::create_directories(target_.parent_path(), error);
    if (error) refuse("cannot be written", error.message());
    bool const present = std::filesystem::exists(target_, error);
    if (error) refuse("cannot be written", error.message());
    if (present && !detail::is_output_folder(target_))
      fail<FileError>("[", shown(), "] is not a folder; expected a folder or a new name; it is unchanged");
    recover();
    swap_ = !present || can_swap();
    auto const folder = swap_ ? target_.parent_path() : target_;
    detail::remove_abandoned_once(folder);
    staging_ = folder / detail::temporary_name();
    std::lock_guard const guard(detail::temporaries_mutex());
    if (::mkdir(staging_.c_str(), 0777) != 0) {
      std::string const why = std::strerror(errno);
      staging_.clear();
      refuse("cannot be written", why);
    }
    lock_ = ::open(staging_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // shows that its writer lives; some file systems have no locks
    if (lock_ >= 0) static_cast<void>(::flock(lock_, LOCK_EX | LOCK_NB) == 0);
    detail::StagingNames::add(staging_, given_);
  }
  AtomicFolder(AtomicFolder const&) = delete;
  AtomicFolder& operator=(AtomicFolder const&) = delete;
  ~AtomicFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(staging_, ignored);
    if (lock_ >= 0) ::close(lock_);
    detail::StagingNames::remove(staging_);
  }

  /// Where to write the files.
  [[nodiscard]] std::filesystem::path const& staging() const noexcept { return staging_; }

  /// Says which entries of an existing target go with what they belong to, where they are not written anew: the files
  /// of an earlier adapter, say. Folders stay whatever it says.
  void replace(std::function<bool(std::string const& name)> stale) { stale_ = std::move(stale); }

  /// Says what would keep files of an existing target from being replaced. @throws FileError
  void check_replaceable(std::function<bool(std::string const& name)> const& replaced) const {
    std::error_code missing;
    for (auto const& path : detail::folder_entries(target_, missing))
      if (replaced(path.filename().string()) && !detail::is_own_folder(path))
        detail::require_replaceable(path, (given_ / path.filename()).string());
  }

  /// Makes everything durable and puts it in place; throws FileError and leaves the old folder as it was if it cannot.
  void commit() try {
    synchronize(staging_);
    if (!std::filesystem::exists(target_)) {
      if (::rename(staging_.c_str(), target_.c_str()) != 0) refuse("cannot be put in place", std::strerror(errno));
    } else if (std::vector<std::string> const files = names(staging_); !swap_ || !swap_folders(files)) {
      rename_each(files);
    }
    detail::synchronize_folder(target_.parent_path());
  } catch (std::filesystem::filesystem_error const& error) {
    refuse("cannot be put in place", error.code().message());
  }

 private:
  [[nodiscard]] std::string shown() const { return detail::shown(given_); }
  [[noreturn]] void refuse(char const* what, std::string const& why) const {
    fail<FileError>("[", shown(), "] ", what, "; got: ", why, "; expected room and permission in ",
                    detail::shown(detail::folder_of(given_)), "; what was there before is unchanged");
  }

  static std::filesystem::path absolute(std::filesystem::path const& path) {
    std::error_code error;
    auto const bare = path.has_filename() ? path : path.parent_path();  // "a/" is a
    std::filesystem::path resolved = std::filesystem::absolute(detail::follow_links(bare), error);
    if (!error) resolved = std::filesystem::weakly_canonical(resolved, error);
    if (error)
      fail<FileError>("[", path.string(), "] cannot be written; got: ", error.message(),
                      "; expected a folder or a new name");
    if (!resolved.has_filename()) resolved = resolved.parent_path();
    if (!resolved.has_filename())
      fail<FileError>("[", path.string(), "] cannot be used as a folder to write; expected a name below it");
    return resolved;
  }

  /// A program whose current directory lies in the target would be left in a removed folder, and a mount point cannot
  /// be renamed.
  [[nodiscard]] bool can_swap() const {
    if (detail::why_not_replaceable(target_) != 0) return false;
    struct stat self = {};
    struct stat parent = {};
    if (::stat(target_.c_str(), &self) != 0 || ::stat(target_.parent_path().c_str(), &parent) != 0 ||
        self.st_dev != parent.st_dev)
      return false;
#ifdef STATX_ATTR_MOUNT_ROOT
    struct statx more = {};  // a bind mount is of its parent's device
    if (::statx(AT_FDCWD, target_.c_str(), 0, STATX_BASIC_STATS, &more) == 0 &&
        (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
      return false;
#endif
    std::error_code error;
    for (auto at = std::filesystem::current_path(error); !error && at != at.root_path(); at = at.parent_path()) {
      if (at == target_) return false;
    }
    return ::access(target_.parent_path().c_str(), W_OK) == 0;
  }

  static std::vector<std::string> names(std::filesystem::path const& folder) {
    std::vector<std::string> found;
    std::error_code error;
    for (auto const& path : detail::folder_entries(folder, error)) found.push_back(path.filename().string());
    if (error) throw std::filesystem::filesystem_error("names", folder, error);
    return found;
  }

  static void synchronize(std::filesystem::path const& folder) {
    for (auto const& name : names(folder)) {
      auto const path = folder / name;
      if (detail::is_own_folder(path)) {
        synchronize(path);
        continue;
      }
      detail::FileDescriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
      if (file.get() < 0 || ::fsync(file.get()) != 0)
        fail<FileError>("[", detail::shown(path), "] cannot be synchronized to disk; got: ", std::strerror(errno));
    }
    detail::synchronize_folder(folder);
  }

  /// What a staging folder is called while it may hold subfolders of the target: nobody but a writer of the same target
  /// touches it.
  [[nodiscard]] std::string swap_prefix() const {
    return cat(".graft-swap-", std::hash<std::string>{}(target_.filename().string()), "-");
  }

  /// Brings back the subfolders that a writer, killed between swapping the folders and moving them over, left in the
  /// old one.
  void recover() const {
    std::lock_guard const guard(detail::temporaries_mutex());
    std::error_code error;
    for (auto const& left : detail::folder_entries(target_.parent_path(), error)) {
      if (!detail::is_abandoned(left, swap_prefix())) continue;
      std::error_code failed;
      for (auto const& path : detail::folder_entries(left, failed))
        if (std::error_code missing;
            detail::is_own_folder(path) && !std::filesystem::exists(target_ / path.filename(), missing))
          std::filesystem::rename(path, target_ / path.filename(), failed);
      if (!failed) std::filesystem::remove_all(left, failed);
    }
  }

  /// False if this file system cannot do it; nothing has changed then.
  [[nodiscard]] bool swap_folders(std::vector<std::string> const& files) {
#ifdef RENAME_EXCHANGE
    std::vector<std::string> folders;
    for (auto const& name : names(target_)) {
      if (std::filesystem::exists(std::filesystem::symlink_status(staging_ / name))) continue;
      if (detail::is_own_folder(target_ / name)) {
        folders.push_back(name);
      } else if (is_stale(name)) {
        continue;
      } else if (::linkat(AT_FDCWD, (target_ / name).c_str(), AT_FDCWD, (staging_ / name).c_str(), 0) != 0) {
        drop_links(files);
        return false;
      }
    }
    struct stat old = {};
    if (::stat(target_.c_str(), &old) == 0) {
      int const ignored = ::chmod(staging_.c_str(), old.st_mode & 07777);
      static_cast<void>(ignored);
    }
    if (!folders.empty() && !set_apart(files)) {
      drop_links(files);
      return false;
    }
    if (::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0) {
      drop_links(files);
      return false;
    }
    for (auto const& name : folders) std::filesystem::rename(staging_ / name, target_ / name);
    return true;
#else
    static_cast<void>(files);
    return false;
#endif
  }

  /// Renames the staging folder so that `recover` finds it; it may hold no subfolders of its own.
  [[nodiscard]] bool set_apart(std::vector<std::string> const& files) {
    if (std::any_of(files.begin(), files.end(),
                    [&](std::string const& name) { return detail::is_own_folder(staging_ / name); }))
      return false;
    auto const apart = target_.parent_path() / detail::temporary_name(swap_prefix());
    if (::rename(staging_.c_str(), apart.c_str()) != 0) return false;
    detail::StagingNames::remove(staging_);
    staging_ = apart;
    detail::StagingNames::add(staging_, given_);
    return true;
  }

  /// Leaves only what was written in the staging folder.
  void drop_links(std::vector<std::string> const& written) const {
    for (auto const& name : names(staging_)) {
      if (std::find(written.begin(), written.end(), name) == written.end()) std::filesystem::remove(staging_ / name);
    }
  }

  [[nodiscard]] bool is_stale(std::string const& name) const { return stale_ && stale_(name); }

  /// Stale entries go first: what is new never stands beside them.
  void rename_each(std::vector<std::string> const& files) const {
    check_replaceable([&](std::string const& name) {
      return is_stale(name) || std::find(files.begin(), files.end(), name) != files.end();
    });
    for (auto const& name : names(target_))
      if (is_stale(name) && std::find(files.begin(), files.end(), name) == files.end() &&
          !detail::is_own_folder(target_ / name))
        std::filesystem::remove(target_ / name);
    for (auto const& name : files) {
      auto const to = target_ / name;
      if (detail::is_own_folder(to)) std::filesystem::rename(to, staging_ / cat(".replaced-", name));
      if (::rename((staging_ / name).c_str(), to.c_str()) != 0) refuse("cannot be put in place", std::strerror(errno));
    }
    detail::synchronize_folder(target_);
  }

  std::filesystem::path given_, target_;
  std::filesystem::path staging_;
  std::function<bool(std::string const&)> stale_;
  int lock_ = -1;
  bool swap_ = false;
};

/// Says what would keep a folder from being written, before the work that it is for. Nothing is changed but for missing
/// parents, which are created.
/// @param replaced which of the files that an existing folder has would be replaced
/// @throws FileError
inline void check_output_folder(std::filesystem::path const& path,
                                std::function<bool(std::string const& name)> const& replaced) {
  AtomicFolder const writable(path);
  writable.check_replaceable(replaced);
}

}  // namespace graft
