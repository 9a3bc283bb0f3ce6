/// @file
/// @brief Blocks of a GPU's memory that were given back, kept for the next request of their size.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <graft/kernels/cuda_runtime.hpp>

namespace graft::kernels::cuda {

/// Spares CUDA's allocator, which costs about as much time of the host as a launch: a step of training asks for the
/// same sizes as the one before. Of blocks of a size the one with the lowest address is lent, so that equal steps get
/// equal blocks. Blocks are used again in the order in which one queue's work was asked for, so nothing waits. Large
/// blocks go back to the device, where they can be cut and joined. A block that comes back is kept while what is in use
/// and what is kept are together at most 32 MiB and a quarter above the most that was in use. Nothing is kept where the
/// environment has GRAFT_CUDA_KEEP_BLOCKS=0, with which compute-sanitizer sees each request.
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
    if (found == idle_.end() || found->first > bytes + bytes / 4) return nullptr;
    auto const [size, block] = *found;
    lend(block, size);  // first: it may throw
    idle_.erase(found);
    idle_bytes_ -= size;
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
    if (!keeps_ || bytes > largest_kept || used_ + idle_bytes_ + bytes > always_kept + peak_ + peak_ / 4) return false;
    try {
      idle_.emplace(bytes, block);
    } catch (...) {  // no memory of the host's to remember it
      return false;
    }
    idle_bytes_ += bytes;
    return true;
  }
  /// All kept blocks, to be freed: the device has no memory left.
  [[nodiscard]] std::vector<void*> give_up() {
    std::lock_guard<std::mutex> const lock(mutex_);
    std::vector<void*> blocks;
    blocks.reserve(idle_.size());
    for (auto const& [bytes, block] : idle_) blocks.push_back(block);
    idle_.clear();
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
  static constexpr std::size_t smallest = 512, largest_kept = std::size_t{32} << 20, always_kept = largest_kept;

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
  std::set<std::pair<std::size_t, void*>> idle_;  ///< by size, and by address
  std::size_t used_ = 0, peak_ = 0, idle_bytes_ = 0;
  bool keeps_;
};

}  // namespace graft::kernels::cuda
