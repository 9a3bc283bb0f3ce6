/// @file
/// @brief A folder of files (an adapter, a training checkpoint) that appears or is replaced as a whole.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/atomic_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace graft {

/// Collects files in a staging folder and swaps it with the target in one step. Entries of an existing target that were not written
/// anew (a README, another subfolder) are kept. Where the two cannot be swapped (the target is a mount point or holds the current
/// directory, or the file system lacks RENAME_EXCHANGE) the finished files are renamed into the target one by one.
///
///     AtomicFolder folder("prefix");
///     write_file_atomic(folder.staging() / "adapter_config.json", config);
///     folder.commit();
class AtomicFolder {
 public:
  /// Creates the staging folder (and the target's missing parents); throws FileError if it cannot be created.
  explicit AtomicFolder(std::filesystem::path const& target) : target_(absolute(target)) {
    std::error_code error;
    std::filesystem::create_directories(target_.parent_path(), error);
    bool const present = std::filesystem::exists(target_, error);
    if (present && !std::filesystem::is_directory(target_, error)) {
      fail<FileError>("[", target_.string(), "] is not a folder; expected a folder or a new name; it is unchanged");
    }
    swap_ = !present || can_swap();
    staging_ = (swap_ ? target_.parent_path() : target_) / detail::temporary_name();
    if (::mkdir(staging_.c_str(), 0777) != 0) {
      fail<FileError>("[", target_.string(), "] cannot be written; got: ", std::strerror(errno), "; expected room and permission in ",
                      staging_.parent_path().string());
    }
  }
  AtomicFolder(AtomicFolder const&) = delete;
  AtomicFolder& operator=(AtomicFolder const&) = delete;
  ~AtomicFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(staging_, ignored);
  }

  /// Where to write the files.
  [[nodiscard]] std::filesystem::path const& staging() const noexcept { return staging_; }

  /// Makes everything durable and puts it in place; throws FileError and leaves the old folder as it was if it cannot.
  void commit() try {
    synchronize(staging_);
    if (!std::filesystem::exists(target_)) {
      if (::rename(staging_.c_str(), target_.c_str()) != 0) refuse();
    } else if (std::vector<std::string> const files = names(staging_); !swap_ || !swap_folders(files)) {
      rename_each(files);
    }
    detail::synchronize_folder(target_.parent_path());
  } catch (std::filesystem::filesystem_error const& error) {
    fail<FileError>("[", target_.string(), "] cannot be put in place; got: ", error.what());
  }

 private:
  static std::filesystem::path absolute(std::filesystem::path const& path) {
    std::error_code error;
    std::filesystem::path resolved = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
    if (error || !resolved.has_filename()) resolved = resolved.parent_path();
    if (error || !resolved.has_filename()) fail<FileError>("[", path.string(), "] cannot be used as a folder to write");
    return resolved;
  }

  /// A program whose current directory lies in the target would be left in a removed folder, and a mount point cannot be renamed.
  [[nodiscard]] bool can_swap() const {
    struct stat self = {};
    struct stat parent = {};
    if (::stat(target_.c_str(), &self) != 0 || ::stat(target_.parent_path().c_str(), &parent) != 0 || self.st_dev != parent.st_dev)
      return false;
    std::error_code error;
    for (auto at = std::filesystem::current_path(error); !error && at != at.root_path(); at = at.parent_path()) {
      if (at == target_) return false;
    }
    return ::access(target_.parent_path().c_str(), W_OK) == 0;
  }

  static std::vector<std::string> names(std::filesystem::path const& folder) {
    std::vector<std::string> found;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) found.push_back(entry.path().filename().string());
    return found;
  }

  static void synchronize(std::filesystem::path const& folder) {
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_directory()) {
        detail::synchronize_folder(entry.path());
        continue;
      }
      detail::FileDescriptor const file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
      if (file.get() < 0 || ::fsync(file.get()) != 0) {
        fail<FileError>("[", entry.path().string(), "] cannot be synchronized to disk; got: ", std::strerror(errno));
      }
    }
    detail::synchronize_folder(folder);
  }

  /// False if this file system cannot do it; nothing has changed then.
  [[nodiscard]] bool swap_folders(std::vector<std::string> const& files) const {
#ifdef RENAME_EXCHANGE
    std::vector<std::string> folders;
    for (auto const& name : names(target_)) {
      if (std::filesystem::exists(std::filesystem::symlink_status(staging_ / name))) continue;
      if (std::filesystem::is_directory(std::filesystem::symlink_status(target_ / name))) {
        folders.push_back(name);
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

  /// Leaves only what was written in the staging folder.
  void drop_links(std::vector<std::string> const& written) const {
    for (auto const& name : names(staging_)) {
      if (std::find(written.begin(), written.end(), name) == written.end()) std::filesystem::remove(staging_ / name);
    }
  }

  void rename_each(std::vector<std::string> const& files) const {
    for (auto const& name : files) {
      auto const to = target_ / name;
      if (std::filesystem::is_directory(to)) std::filesystem::rename(to, staging_ / cat(".replaced-", name));
      if (::rename((staging_ / name).c_str(), to.c_str()) != 0) refuse();
    }
    detail::synchronize_folder(target_);
  }

  [[noreturn]] void refuse() const { fail<FileError>("[", target_.string(), "] cannot be put in place; got: ", std::strerror(errno)); }

  std::filesystem::path target_;
  std::filesystem::path staging_;
  bool swap_ = false;
};

}  // namespace graft
