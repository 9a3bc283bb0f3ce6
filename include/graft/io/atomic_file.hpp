/// @file
/// @brief Files that are either the old ones or the whole new ones, whatever happens while they are written.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/mapped_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace graft {

namespace detail {

/// A name no other writer uses at this time, in the same folder (rename is atomic only within one file system).
[[nodiscard]] inline std::string temporary_name() {
  static std::atomic<unsigned> counter{0};
  return cat(".graft-tmp-", ::getpid(), "-", counter.fetch_add(1));
}

/// Makes a folder's entries durable. File systems that cannot synchronize folders say EINVAL or ENOTSUP; there is nothing more to do then.
inline void synchronize_folder(std::filesystem::path const& folder) {
  FileDescriptor const file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP)) {
    fail<FileError>("[", folder.string(), "] cannot be synchronized to disk; got: ", std::strerror(errno));
  }
}

/// The folder a path lies in; "." for a bare name.
[[nodiscard]] inline std::filesystem::path folder_of(std::filesystem::path const& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Follows a symbolic link, so that what it points to is replaced and not the link.
[[nodiscard]] inline std::filesystem::path resolve_link(std::filesystem::path const& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  std::filesystem::path resolved = std::filesystem::weakly_canonical(path, error);
  return error ? path : resolved;
}

}  // namespace detail

/// Writes a file beside its target and renames it into place: temporary → write → fsync → rename → fsync of the folder.
/// Until `commit()` returns the old file stays as it was; without it (an exception) the temporary is removed.
class AtomicFile {
 public:
  /// Creates the temporary in the target's folder; throws FileError if that cannot be written.
  explicit AtomicFile(std::filesystem::path const& target)
      : target_(detail::resolve_link(target)), temporary_(detail::folder_of(target_) / detail::temporary_name()), file_(create()) {}
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  /// Appends bytes; throws FileError (disk full, size limit).
  void write(void const* data, std::size_t count) {
    auto const* next = static_cast<char const*>(data);
    while (count > 0) {
      ssize_t const put = ::write(file_.get(), next, std::min<std::size_t>(count, std::size_t{1} << 30));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) refuse("cannot be written");
      next += put;
      count -= static_cast<std::size_t>(put);
    }
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Puts the new file in the old one's place.
  void commit() {
    if (::fsync(file_.get()) != 0) refuse("cannot be synchronized to disk");
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse("cannot be put in place");
    committed_ = true;
    detail::synchronize_folder(detail::folder_of(target_));
  }

 private:
  [[nodiscard]] int create() {
    detail::FileDescriptor file(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.get() < 0) {
      committed_ = true;  // nothing of ours to remove
      refuse("cannot be written");
    }
    struct stat old = {};
    if (::stat(target_.c_str(), &old) == 0) {
      int const ignored = ::fchmod(file.get(), old.st_mode & 07777);  // a file system without modes loses nothing
      static_cast<void>(ignored);
    }
    return file.release();
  }
  [[noreturn]] void refuse(char const* what) const {
    fail<FileError>("[", target_.string(), "] ", what, "; got: ", std::strerror(errno), "; expected room and permission in ",
                    detail::folder_of(target_).string(), "; what was there before is unchanged");
  }

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
  detail::FileDescriptor file_;
};

/// Writes `contents` as the whole of `path`, or leaves `path` as it was and throws FileError.
inline void write_file_atomic(std::filesystem::path const& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

}  // namespace graft
