/// @file
/// @brief A file's bytes, read-only and shared: tensors alias them for as long as they hold the owner.
#pragma once

#include <graft/core/error.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace graft {

/// How a file's bytes are reached. `map`: shared with every process and paged in on use, but a file that another
/// program shortens while it is mapped kills this one (SIGBUS). `read`: copied into memory with `pread`, safe against
/// that.
enum class FileAccess { map, read };

namespace detail {

/// Closes a file descriptor when it goes out of scope.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(FileDescriptor const&) = delete;
  FileDescriptor& operator=(FileDescriptor const&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }
  /// Hands the number over to the caller.
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace detail

/// Read-only bytes of a regular file.
class MappedFile {
 public:
  /// Opens `path`; throws FileError if it is missing, unreadable or not a regular file.
  [[nodiscard]] static std::shared_ptr<MappedFile const> open(std::filesystem::path const& path,
                                                              FileAccess access = FileAccess::map) {
    return std::shared_ptr<MappedFile const>(new MappedFile(path, access));
  }

  MappedFile(MappedFile const&) = delete;
  MappedFile& operator=(MappedFile const&) = delete;
  ~MappedFile() {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
  }

  [[nodiscard]] std::byte const* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return size_ == 0 ? std::string_view() : std::string_view(reinterpret_cast<char const*>(data_), size_);
  }
  /// The path as given, for messages.
  [[nodiscard]] std::string const& path() const noexcept { return path_; }

  /// Gives the pages that lie wholly within a mapped range back to the system: after a conversion they would only count
  /// as resident memory. The bytes stay readable (they are paged in again). Bytes held in memory, and a range that is
  /// not the file's, are left alone.
  void discard(std::byte const* first, std::size_t count) const noexcept {
    if (mapping_ == nullptr || first < data_ || count > size_ || first > data_ + (size_ - count)) return;
    auto const page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    auto const start = reinterpret_cast<std::uintptr_t>(first);
    std::uintptr_t const from = (start + page - 1) / page * page;
    std::uintptr_t const to = (start + count) / page * page;
    if (from < to)
      ::madvise(static_cast<char*>(mapping_) + (from - reinterpret_cast<std::uintptr_t>(mapping_)), to - from,
                MADV_DONTNEED);
  }

 private:
  MappedFile(std::filesystem::path const& path, FileAccess access) : path_(path.string()) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer; regular files ignore it.
    detail::FileDescriptor const file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0)
      fail<FileError>("[", path_, "] cannot be opened; got: ", std::strerror(errno), "; expected a readable file");
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0)
      fail<FileError>("[", path_, "] cannot be examined; got: ", std::strerror(errno));
    if (!S_ISREG(status.st_mode)) {
      fail<FileError>("[", path_, "] is not a file; got a ", S_ISDIR(status.st_mode) ? "folder" : "device or pipe",
                      "; expected a regular file");
    }
    if (static_cast<std::uint64_t>(status.st_size) > std::numeric_limits<std::size_t>::max() / 2) {
      fail<FileError>("[", path_, "] is too large for this machine's address space; got ", status.st_size, " bytes");
    }
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    if (access == FileAccess::map) {
      map(file.get());
    } else {
      read_all(file.get());
    }
  }

  void map(int file) {
    void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) {
      fail<FileError>("[", path_, "] cannot be mapped into memory; got: ", std::strerror(errno),
                      "; hint: FileAccess::read copies it instead");
    }
    mapping_ = address;
    data_ = static_cast<std::byte const*>(address);
  }

  void read_all(int file) {
    copy_.reset(new (std::nothrow) std::byte[size_]);
    if (copy_ == nullptr)
      fail<FileError>("[", path_, "] does not fit into memory; got ", size_,
                      " bytes; hint: FileAccess::map needs none");
    std::size_t done = 0;
    while (done < size_) {
      ssize_t const got = ::pread(file, copy_.get() + done, size_ - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail<FileError>("[", path_, "] cannot be read; got: ", std::strerror(errno), " at byte ", done);
      if (got == 0)
        fail<FileError>("[", path_, "] became shorter while it was read; got ", done, " bytes; expected ", size_);
      done += static_cast<std::size_t>(got);
    }
    data_ = copy_.get();
  }

  std::string path_;
  std::size_t size_ = 0;
  std::byte const* data_ = nullptr;
  void* mapping_ = nullptr;
  std::unique_ptr<std::byte[]> copy_;
};

}  // namespace graft
