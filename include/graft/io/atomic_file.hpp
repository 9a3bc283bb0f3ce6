/// @file
/// @brief Files that are either the old ones or the whole new ones, whatever happens while they are written.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/output_path.hpp>
#include <graft/io/quiet_write.hpp>
#include <graft/io/temporary.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace graft {

/// Writes a file beside its target and renames it into place: temporary → write → fsync → rename → fsync of the folder.
/// Until `commit()` returns the old file stays as it was; without it (an exception) the temporary is removed.
///
/// Links are followed, to what does not exist yet too. A FIFO, a character device (a terminal, /dev/null) and a
/// descriptor of this process
/// (/dev/stdout) are written through and stay what they are; a folder, a socket, a block device and a loop of links are
/// refused.
class AtomicFile {
 public:
  /// Creates the temporary in the target's folder, or opens the stream; throws FileError if that cannot be written, or
  /// the target not be replaced.
  explicit AtomicFile(std::filesystem::path const& target) : AtomicFile(target, detail::output_path(target)) {}
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  /// Appends bytes; throws FileError (disk full, size limit, a pipe that nobody reads).
  void write(void const* data, std::size_t count) {
    if (!detail::write_all(file_.get(), data, count)) refuse("cannot be written");
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Takes back all but the first `count` bytes: what a write that failed has left of itself. A stream keeps what it
  /// took.
  void shorten(std::uint64_t count) {
    if (!stream_ && ::ftruncate(file_.get(), static_cast<off_t>(count)) != 0) refuse("cannot be shortened");
  }

  /// Puts the new file into another place of the same folder; what stands in the target's place stays.
  void commit_as(std::filesystem::path const& place) {
    if (!stream_) given_ = target_ = place;
    commit();
  }

  /// Puts the new file in the old one's place.
  void commit() {
    if (stream_) return;
    if (::fsync(file_.get()) != 0) refuse("cannot be synchronized to disk");
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse("cannot be put in place");
    committed_ = true;
    detail::synchronize_folder(detail::folder_of(target_));
  }

 private:
  AtomicFile(std::filesystem::path const& given, detail::OutputPath const& output)
      : given_(given),
        target_(output.path),
        stream_(output.kind != detail::OutputKind::file),
        committed_(stream_),
        temporary_(detail::folder_of(target_) / detail::temporary_name()),
        file_(stream_ ? open_stream(output) : create()) {}

  [[nodiscard]] int open_stream(detail::OutputPath const& output) const {
    int const file = output.kind == detail::OutputKind::descriptor
                         ? ::fcntl(output.descriptor, F_DUPFD_CLOEXEC, 3)
                         : ::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0) refuse("cannot be written");
    return file;
  }
  [[nodiscard]] int create() {
    detail::require_replaceable(target_, detail::shown(given_));  // at the end it would be too late
    detail::remove_abandoned_once(detail::folder_of(target_));
    std::lock_guard const guard(detail::temporaries_mutex());
    detail::FileDescriptor file(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.get() < 0) {
      committed_ = true;  // nothing of ours to remove
      refuse("cannot be written");
    }
    int const locked =
        ::flock(file.get(), LOCK_EX | LOCK_NB);  // shows that its writer lives; some file systems have no locks
    struct stat old = {};
    // a file system without modes loses nothing
    int const ignored = ::stat(target_.c_str(), &old) == 0 ? ::fchmod(file.get(), old.st_mode & 07777) : locked;
    static_cast<void>(ignored);
    return file.release();
  }
  [[noreturn]] void refuse(char const* what) const {
    std::string const why = std::strerror(errno);
    if (stream_)
      fail<FileError>("[", detail::shown(given_), "] ", what, "; got: ", why,
                      "; expected a stream that takes all of it");
    fail<FileError>("[", detail::shown(given_), "] ", what, "; got: ", why, "; expected room and permission in ",
                    detail::shown(detail::folder_of(target_)), "; what was there before is unchanged");
  }

  std::filesystem::path given_, target_;
  bool stream_ = false, committed_ = false;
  std::filesystem::path temporary_;
  detail::FileDescriptor file_;
};

/// Writes `contents` as the whole of `path`, or leaves `path` as it was and throws FileError.
inline void write_file_atomic(std::filesystem::path const& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

/// Says what would keep a file from being written, before the work that it is for. Nothing is changed, and no FIFO is
/// opened.
/// @throws FileError
inline void check_output_file(std::filesystem::path const& path) {
  auto const output = detail::output_path(path);
  if (output.kind == detail::OutputKind::file)
    AtomicFile const writable(path);
  else if (output.kind == detail::OutputKind::stream ? ::access(output.path.c_str(), W_OK) != 0
                                                     : !detail::is_open_for_writing(output.descriptor))
    fail<FileError>("[", path.string(), "] cannot be written; got: ", std::strerror(errno));
}

}  // namespace graft
