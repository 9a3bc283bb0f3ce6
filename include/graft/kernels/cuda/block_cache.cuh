/// @file
/// @brief Blocks of a GPU's memory that were given back, kept for the next request of their size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <graft/kernels/cuda_runtime.hpp>

namespace graft::kernels::cuda {

/// Spares CUDA's allocator, which costs about as much time of the host as a launch: a step of training asks for the
/// same sizes as the one before. Of blocks of a size the one with the lowest address is lent, so that equal steps get
/// equal blocks. Blocks are used again in the order in which one queue's work was asked for, so nothing waits. Large
/// blocks go back to the device, where they can be cut and joined. What is in use and what is kept are together at
/// most 32 MiB and a quarter above the most that was in use: beyond that, an eighth of it goes back to the device,
/// those blocks first that were not wanted for the longest time. Nothing is kept where the environment has
/// GRAFT_CUDA_KEEP_BLOCKS=0, with which compute-sanitizer sees each request.
class BlockCache {
 public:
  explicit BlockCache(bool keeps = wanted()) : keeps_(keeps) {}

  /// What the device is asked for in place of so many bytes: sizes that are nearly equal become equal.
  [[nodiscard]] std::size_t rounded(std::size_t bytes) const {
    if (!keeps_ || bytes > largest_kept) return bytes;
    std::size_t unit = smallest;
    while (unit * 16 < bytes) unit *= 2;  // at most an eighth more
    return bytes == 0 ? smallest : (bytes + unit - 1) / unit * unit;
  }

  /// A kept block of the rounded size, or of up to a quarter more, which is in use from now on; null if there is none.
  [[nodiscard]] void* take(std::size_t bytes) {
    std::lock_guard<std::mutex> const lock(mutex_);
    auto const found = idle_.lower_bound({bytes, nullptr});
    if (found == idle_.end() || found->first.first > bytes + bytes / 4) return nullptr;
    auto const [size, block] = found->first;
    lend(block, size);  // first: it may throw
    forget(found);
    return block;
  }
  /// Counts a fresh block of the rounded size as in use.
  void add(void* block, std::size_t bytes) {
    std::lock_guard<std::mutex> const lock(mutex_);
    lend(block, bytes);
  }
  /// Takes a block back. True: it is kept; false: it is to be freed.
  [[nodiscard]] bool give_back(void* block) noexcept {
    std::lock_guard<std::mutex> const lock(mutex_);
    auto const found = lent_.find(block);
    if (found == lent_.end()) return false;
    std::size_t const bytes = found->second;
    lent_.erase(found);
    used_ -= bytes;
    if (!keeps_ || bytes > largest_kept) return false;
    try {
      auto const kept = idle_.emplace(Block{bytes, block}, ++clock_).first;
      try {
        by_age_.emplace(clock_, Block{bytes, block});
      } catch (...) {
        idle_.erase(kept);
        throw;
      }
    } catch (...) {  // no memory of the host's to remember it
      return false;
    }
    idle_bytes_ += bytes;
    too_many_ = too_many_ || used_ + idle_bytes_ > limit();
    return true;
  }
  /// A kept block that is one too many, to be freed; null where there is none. Once there is one, an eighth of the
  /// limit is made free.
  [[nodiscard]] void* too_many() noexcept {
    std::lock_guard<std::mutex> const lock(mutex_);
    too_many_ = too_many_ && !by_age_.empty() && used_ + idle_bytes_ > limit() - limit() / 8;
    if (!too_many_) return nullptr;
    Block const oldest = by_age_.begin()->second;
    forget(idle_.find(oldest));
    return oldest.second;
  }
  /// All kept blocks, to be freed: the device has no memory left.
  [[nodiscard]] std::vector<void*> give_up() {
    std::lock_guard<std::mutex> const lock(mutex_);
    std::vector<void*> blocks;
    blocks.reserve(idle_.size());
    for (auto const& [kept, age] : idle_) blocks.push_back(kept.second);
    idle_.clear();
    by_age_.clear();
    idle_bytes_ = 0;
    return blocks;
  }

  [[nodiscard]] MemoryUse use() const {
    std::lock_guard<std::mutex> const lock(mutex_);
    return {used_, peak_, 0};
  }
  void reset_peak() {
    std::lock_guard<std::mutex> const lock(mutex_);
    peak_ = used_;
  }

 private:
  using Block = std::pair<std::size_t, void*>;  ///< its size and address
  using Idle = std::map<Block, std::uint64_t>;  ///< and when it came back
  static constexpr std::size_t smallest = 512, largest_kept = std::size_t{32} << 20, always_kept = largest_kept;

  [[nodiscard]] std::size_t limit() const { return always_kept + peak_ + peak_ / 4; }
  void forget(Idle::iterator kept) {
    idle_bytes_ -= kept->first.first;
    by_age_.erase(kept->second);
    idle_.erase(kept);
  }
  void lend(void* block, std::size_t bytes) {
    lent_.emplace(block, bytes);
    used_ += bytes;
    if (used_ > peak_) peak_ = used_;
  }
  static bool wanted() {
    char const* const text = std::getenv("GRAFT_CUDA_KEEP_BLOCKS");
    return !text || std::strcmp(text, "0") != 0;
  }

  mutable std::mutex mutex_;
  std::unordered_map<void*, std::size_t> lent_;
  Idle idle_;
  std::map<std::uint64_t, Block> by_age_;
  std::uint64_t clock_ = 0;
  std::size_t used_ = 0, peak_ = 0, idle_bytes_ = 0;
  bool keeps_, too_many_ = false;
};

}  // namespace graft::kernels::cuda
