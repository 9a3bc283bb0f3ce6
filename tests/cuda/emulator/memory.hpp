// Device memory that the host cannot touch: pages of its own for every block, closed except while an `Access` lives. A
// block ends where an inaccessible page begins, and starts out as NaN.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>

namespace emulator {

inline constexpr std::size_t capacity = std::size_t{1} << 30;

class DeviceMemory {
 public:
  static DeviceMemory& instance() {
    static auto* memory = new DeviceMemory;
    return *memory;
  }

  /// Null where it does not fit.
  void* allocate(std::size_t bytes) {
    if (bytes > capacity - used_) return nullptr;
    std::size_t const aligned = (bytes + 15) / 16 * 16, open = (aligned + page_ - 1) / page_ * page_;
    void* const pages = mmap(nullptr, open + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return nullptr;
    char* const first = static_cast<char*>(pages);
    std::memset(first, 0xff, open);
    mprotect(first + open, page_, PROT_NONE);
    char* const block = first + (open - aligned);
    blocks_.emplace(block, Block{first, open, aligned, bytes});
    used_ += bytes;
    protect(first, open);
    return block;
  }
  /// Whether it was a block.
  bool release(void* block) {
    auto const found = blocks_.find(static_cast<char*>(block));
    if (found == blocks_.end()) return false;
    used_ -= found->second.bytes;
    munmap(found->second.first, found->second.open + page_);
    blocks_.erase(found);
    return true;
  }
  /// Whether these bytes lie within one block.
  [[nodiscard]] bool owns(void const* data, std::size_t bytes) const {
    auto const address = reinterpret_cast<std::uintptr_t>(data);
    for (auto const& [block, kept] : blocks_) {
      auto const begin = reinterpret_cast<std::uintptr_t>(block);
      if (address >= begin && address + bytes <= begin + kept.bytes) return true;
    }
    return false;
  }
  [[nodiscard]] std::size_t blocks() const { return blocks_.size(); }
  void open(int change) {
    bool const before = open_ > 0;
    open_ += change;
    if (before != (open_ > 0))
      for (auto const& entry : blocks_) protect(entry.second.first, entry.second.open);
  }

 private:
  struct Block {
    char* first;
    std::size_t open, aligned, bytes;
  };
  void protect(char* first, std::size_t bytes) const {
    mprotect(first, bytes, open_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
  }

  std::size_t const page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::map<char*, Block> blocks_;
  std::size_t used_ = 0;
  int open_ = 0;
};

/// While one lives, this is the device: its memory can be read and written.
struct Access {
  Access() { DeviceMemory::instance().open(1); }
  ~Access() { DeviceMemory::instance().open(-1); }
  Access(Access const&) = delete;
  Access& operator=(Access const&) = delete;
};

}  // namespace emulator
