/// @file
/// @brief Who uses which rows of a key-value cache: texts that branch share what they have in common.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <graft/models/cache.hpp>

namespace graft::detail {

/// Blocks of a few cache rows, counted by the texts that use them (paged attention; Kwon et al. 2023). The block that a
/// text is writing is its own; full ones are shared.
class BlockPool {
 public:
  static constexpr Index rows = 16;  ///< of a block: a branch copies half a block on average

  /// A free block, used once.
  [[nodiscard]] Index take() {
    Index const block = free_.empty() ? static_cast<Index>(users_.size()) : free_.back();
    if (free_.empty())
      users_.push_back(0);
    else
      free_.pop_back();
    users_[static_cast<std::size_t>(block)] = 1;
    return block;
  }
  void share(std::vector<Index> const& blocks) {
    for (Index block : blocks) ++users_[static_cast<std::size_t>(block)];
  }
  void release(Index block) {
    if (--users_[static_cast<std::size_t>(block)] == 0) free_.push_back(block);
  }
  [[nodiscard]] bool shared(Index block) const { return users_[static_cast<std::size_t>(block)] > 1; }
  /// Blocks that have ever been taken.
  [[nodiscard]] Index size() const { return static_cast<Index>(users_.size()); }
  [[nodiscard]] Index unused() const { return static_cast<Index>(free_.size()); }

 private:
  std::vector<int> users_;   ///< of every block
  std::vector<Index> free_;  ///< blocks without a user; the last freed is taken first, for its memory is warm
};

/// Copying cache rows [from, from + count) to `to`, in every layer.
struct RowCopy {
  Index from, to, count;
};

/// A text's generated tokens in the cache: its blocks in order, all full but the last.
struct CachedText {
  Index prompt = 0;
  Index generated = 0;  ///< tokens in the blocks
  std::vector<Index> blocks = {};

  /// Makes room for one more token: takes a block where the last one is full, or a copy of the last one where another
  /// text uses it too.
  void grow(BlockPool& pool, Index first_row, std::vector<RowCopy>& copies) {
    Index const used = generated++ % BlockPool::rows;
    if (used == 0) {
      blocks.push_back(pool.take());
    } else if (pool.shared(blocks.back())) {
      Index const own = pool.take();
      copies.push_back({first_row + blocks.back() * BlockPool::rows, first_row + own * BlockPool::rows, used});
      pool.release(blocks.back());
      blocks.back() = own;
    }
  }
  /// The cache rows of the first `count` generated tokens, neighbouring blocks joined; `first_row` is the first
  /// block's.
  void append_extents(Index count, Index first_row, std::vector<CacheExtent>& extents) const {
    for (std::size_t b = 0; b < blocks.size() && count > 0; ++b) {
      Index const begin = first_row + blocks[b] * BlockPool::rows, length = std::min(count, BlockPool::rows);
      if (!extents.empty() && extents.back().begin + extents.back().length == begin)
        extents.back().length += length;
      else
        extents.push_back({begin, length});
      count -= length;
    }
  }
  /// The cache row of the last token.
  [[nodiscard]] Index last_row(Index first_row) const {
    return first_row + blocks.back() * BlockPool::rows + (generated - 1) % BlockPool::rows;
  }
};

}  // namespace graft::detail
