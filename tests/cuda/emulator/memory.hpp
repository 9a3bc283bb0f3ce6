// Device memory that the host cannot touch: pages of its own for every block, all of them closed. What touches a block
// while an `Access` lives opens it until the end of that; what else touches one, or the page behind one, ends the
// program. A block ends where an inaccessible page begins, and starts out as NaN.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <vector>

namespace emulator {

/// With GRAFT_EMULATOR_IDLE in the environment no kernel runs, and memory starts as 0: what a program then takes is the
/// host's own time, which is what a step of a small model takes on a fast GPU.
inline bool const idle = std::getenv("GRAFT_EMULATOR_IDLE") != nullptr;

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
    std::memset(first, idle ? 0 : 0xff, open);
    mprotect(first, open + page_, PROT_NONE);
    char* const data = first + (open - aligned);
    blocks_.emplace(first, Block{data, open, bytes});
    used_ += bytes;
    peak_ = std::max(peak_, used_);
    ++allocations_;
    return data;
  }
  /// Whether it was a block.
  bool release(void* data) {
    auto const found = at(data);
    if (found == blocks_.end() || found->second.data != data) return false;
    used_ -= found->second.bytes;
    munmap(found->first, found->second.open + page_);
    blocks_.erase(found);
    return true;
  }
  /// Whether these bytes lie within one block.
  [[nodiscard]] bool owns(void const* data, std::size_t bytes) {
    auto const found = at(data);
    if (found == blocks_.end()) return false;
    auto const address = reinterpret_cast<std::uintptr_t>(data),
               begin = reinterpret_cast<std::uintptr_t>(found->second.data);
    return address >= begin && address + bytes <= begin + found->second.bytes;
  }
  [[nodiscard]] std::size_t blocks() const { return blocks_.size(); }
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t peak() const { return peak_; }
  void reset_peak() { peak_ = used_; }
  /// How many blocks have ever been asked for.
  [[nodiscard]] std::size_t allocations() const { return allocations_; }
  void open(int change) {
    open_ += change;
    if (open_ > 0) return;
    for (auto const& block : opened_) mprotect(block->first, block->second.open, PROT_NONE);
    opened_.clear();
  }

 private:
  struct Block {
    char* data;
    std::size_t open, bytes;
  };
  using Blocks = std::map<char*, Block>;  ///< by the first page

  DeviceMemory() {
    struct sigaction action{};
    action.sa_sigaction = &DeviceMemory::on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, &otherwise_);
  }
  /// The block in whose pages an address is, the page behind it not counted.
  [[nodiscard]] Blocks::iterator at(void const* address) {
    char* const wanted = const_cast<char*>(static_cast<char const*>(address));
    auto const after = blocks_.upper_bound(wanted);
    if (after == blocks_.begin()) return blocks_.end();
    auto const before = std::prev(after);
    return wanted < before->first + before->second.open ? before : blocks_.end();
  }
  /// The instruction runs again: in a block that is open now, or to meet what the system does otherwise.
  static void on_fault(int signal, siginfo_t* info, void*) {
    DeviceMemory& memory = instance();
    auto const found = memory.open_ > 0 ? memory.at(info->si_addr) : memory.blocks_.end();
    if (found == memory.blocks_.end()) {
      sigaction(signal, &memory.otherwise_, nullptr);
      return;
    }
    mprotect(found->first, found->second.open, PROT_READ | PROT_WRITE);
    memory.opened_.push_back(found);
  }

  std::size_t const page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  Blocks blocks_;
  std::vector<Blocks::iterator> opened_;
  std::size_t used_ = 0, peak_ = 0, allocations_ = 0;
  int open_ = 0;
  struct sigaction otherwise_{};
};

/// While one lives, this is the device: its memory can be read and written.
struct Access {
  Access() { DeviceMemory::instance().open(1); }
  ~Access() { DeviceMemory::instance().open(-1); }
  Access(Access const&) = delete;
  Access& operator=(Access const&) = delete;
};

}  // namespace emulator
