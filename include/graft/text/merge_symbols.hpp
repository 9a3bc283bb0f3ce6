/// @file
/// @brief The merging of byte-pair encoding: of all adjacent pairs the one of smallest rank, leftmost first, until none
/// is left.
///
/// Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units". Two procedures give the same
/// tokens: a scan for short words, which needs no allocation, and a heap with a linked list, O(n log n), for words of
/// any length.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/merge_table.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace graft::detail {

inline constexpr std::size_t short_word = 32;

/// Merges `symbols` (at most `short_word`) in place and appends what is left.
inline void merge_by_scanning(MergeTable const& merges, std::span<Token> symbols, std::vector<Token>& out) {
  constexpr std::uint32_t none = UINT32_MAX;
  std::array<Merge, short_word> pair;  // pair[i]: the merge of symbols i and i + 1
  std::size_t count = symbols.size();
  auto const look_up = [&](std::size_t i) {
    Merge const* const merge = merges.find(symbols[i], symbols[i + 1]);
    pair[i] = merge != nullptr ? *merge : Merge{none, 0};
  };
  for (std::size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i)
      if (pair[i].rank < pair[best].rank) best = i;
    if (pair[best].rank == none) break;
    symbols[best] = pair[best].merged;
    --count;
    for (std::size_t i = best + 1; i < count; ++i) symbols[i] = symbols[i + 1];
    for (std::size_t i = best + 1; i + 1 < count; ++i) pair[i] = pair[i + 1];
    if (best > 0) look_up(best - 1);
    if (best + 1 < count) look_up(best);
  }
  out.insert(out.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
}

/// Likewise for words of any length.
class HeapMerger {
 public:
  HeapMerger(MergeTable const& merges, std::span<Token const> symbols) : merges_(merges) {
    if (symbols.size() >= end)
      fail<ConfigError>("[tokenize] word is too long; got ", symbols.size(), " bytes; expected fewer than ", end);
    links_.reserve(symbols.size());
    auto const count = static_cast<std::uint32_t>(symbols.size());
    for (std::uint32_t i = 0; i < count; ++i)
      links_.push_back({symbols[i], i == 0 ? end : i - 1, i + 1 == count ? end : i + 1});
    for (std::uint32_t i = 0; i + 1 < count; ++i) {
      if (Merge const* const merge = merges_.find(symbols[i], symbols[i + 1]))
        heap_.push_back({merge->rank, i, merge->merged});
    }
    std::make_heap(heap_.begin(), heap_.end());
  }

  void run(std::vector<Token>& out) {
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end());
      Candidate const best = heap_.back();
      heap_.pop_back();
      if (is_current(best)) apply(best);
    }
    for (std::uint32_t i = 0; i < links_.size(); i = links_[i].next) out.push_back(links_[i].symbol);
  }

 private:
  static constexpr std::uint32_t end = UINT32_MAX;
  static constexpr Token gone = -1;
  struct Link {
    Token symbol;  ///< `gone` once merged into its left neighbour
    std::uint32_t previous, next;
  };
  struct Candidate {
    std::uint32_t rank, position;
    Token merged;
    /// std's heaps keep the largest on top: the smallest rank, then the leftmost, must compare largest.
    [[nodiscard]] bool operator<(Candidate const& other) const noexcept {
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };

  /// Whether the pair at the candidate's position is still the one it was made for.
  [[nodiscard]] bool is_current(Candidate const& candidate) const noexcept {
    Link const& left = links_[candidate.position];
    if (left.symbol == gone || left.next == end) return false;
    Merge const* const merge = merges_.find(left.symbol, links_[left.next].symbol);
    return merge != nullptr && merge->rank == candidate.rank;
  }

  void apply(Candidate const& candidate) {
    Link& left = links_[candidate.position];
    Link& right = links_[left.next];
    left.symbol = candidate.merged;
    right.symbol = gone;
    left.next = right.next;
    if (left.next != end) links_[left.next].previous = candidate.position;
    if (left.previous != end) consider(left.previous);
    if (left.next != end) consider(candidate.position);
  }

  void consider(std::uint32_t position) {
    Link const& left = links_[position];
    if (Merge const* const merge = merges_.find(left.symbol, links_[left.next].symbol)) {
      heap_.push_back({merge->rank, position, merge->merged});
      std::push_heap(heap_.begin(), heap_.end());
    }
  }

  MergeTable const& merges_;
  std::vector<Link> links_;
  std::vector<Candidate> heap_;
};

}  // namespace graft::detail
