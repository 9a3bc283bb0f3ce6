/// @file
/// @brief Where an output's path leads: a file that is replaced as a whole, or a stream (FIFO, terminal, /dev/stdout)
/// that is written to.
#pragma once

#include <graft/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

namespace graft::detail {

enum class OutputKind {
  file,        ///< a regular file, or none yet
  stream,      ///< a FIFO or a character device: written through, never replaced
  descriptor,  ///< /dev/stdout and the like: one of this process's own descriptors
};

struct OutputPath {
  std::filesystem::path path;  ///< links followed
  OutputKind kind = OutputKind::file;
  int descriptor = -1;
};

/// The folder a path lies in; "." for a bare name.
[[nodiscard]] inline std::filesystem::path folder_of(std::filesystem::path const& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// N of /dev/fd/N and /proc/self/fd/N, else −1. What such a link leads to must be written
/// through the descriptor, which knows its place in a file.
[[nodiscard]] inline int own_descriptor(std::filesystem::path const& path) {
  std::string const folder = path.parent_path().string(), name = path.filename().string();
  bool const own = folder == "/dev/fd" || folder == "/proc/self/fd" || folder == "/proc/thread-self/fd" ||
                   folder == cat("/proc/", ::getpid(), "/fd");
  if (!own || name.empty() || name.size() > 6 || name.find_first_not_of("0123456789") != std::string::npos) return -1;
  return std::atoi(name.c_str());
}

/// False, with errno, for a descriptor that is closed or open for reading alone.
[[nodiscard]] inline bool is_open_for_writing(int descriptor) {
  int const flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) errno = EBADF;
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/// Follows symbolic links to their end, also to one that does not exist yet: what a link points to is written, and the
/// link stays.
/// @throws FileError for a loop
[[nodiscard]] inline std::filesystem::path follow_links(std::filesystem::path const& given) {
  std::filesystem::path path = given;
  for (int links = 0; links < 40; ++links) {
    if (own_descriptor(path) >= 0) return path;
    std::error_code error;
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) return path;
    auto const next = std::filesystem::read_symlink(path, error);
    if (error) fail<FileError>("[", given.string(), "] is a link that cannot be followed; got: ", error.message());
    path = next.is_absolute() ? next : folder_of(path) / next;
  }
  fail<FileError>("[", given.string(),
                  "] is a loop of symbolic links; expected a name that can be written; nothing was changed");
}

/// Why an existing file or folder, itself no link, cannot be replaced although its folder can be written: EPERM for
/// another user's in a folder with the sticky bit, an immutable and an append-only one, EBUSY for a mount point; 0
/// where it can, where nothing stands there, and on systems that do not say. Nothing is changed: Linux looks at
/// permissions before it refuses to remove a file as a folder, or a folder as a file.
[[nodiscard]] inline int why_not_replaceable([[maybe_unused]] std::filesystem::path const& path) {
#ifdef __linux__
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return 0;
  int const removed = S_ISDIR(status.st_mode) ? ::unlink(path.c_str()) : ::rmdir(path.c_str());
  if (removed != 0 && errno == EPERM) return EPERM;
#ifdef STATX_ATTR_MOUNT_ROOT
  struct statx more = {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &more) == 0 &&
      (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
    return EBUSY;
#endif
#endif
  return 0;
}

/// @throws FileError for a file that `why_not_replaceable`
inline void require_replaceable(std::filesystem::path const& path, std::string const& shown) {
  if (int const why = why_not_replaceable(path); why != 0)
    fail<FileError>("[", shown, "] cannot be replaced; got: ", std::strerror(why),
                    "; expected a file that is neither immutable, a mount point, nor another ",
                    "user's in a folder with the sticky bit; hint: choose another name; it is unchanged");
}

/// @throws FileError for what is neither a file nor a stream
[[nodiscard]] inline OutputPath output_path(std::filesystem::path const& given) {
  OutputPath output;
  output.path = follow_links(given);
  output.descriptor = own_descriptor(output.path);
  if (output.descriptor >= 0) {
    output.kind = OutputKind::descriptor;
    return output;
  }
  struct stat status = {};
  if (::stat(output.path.c_str(), &status) != 0) {
    if (errno == ENOENT) return output;
    fail<FileError>("[", given.string(), "] cannot be written; got: ", std::strerror(errno), "; nothing was changed");
  }
  if (S_ISREG(status.st_mode)) return output;
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
    fail<FileError>("[", given.string(), "] is a ",
                    S_ISDIR(status.st_mode)    ? "folder"
                    : S_ISSOCK(status.st_mode) ? "socket"
                                               : "device",
                    "; expected a file, a FIFO or a new name; it is unchanged");
  output.kind = OutputKind::stream;
  return output;
}

}  // namespace graft::detail
