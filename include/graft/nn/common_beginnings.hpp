/// @file
/// @brief What sequences of tokens begin with in common, as a tree: each beginning stands in it once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {

/// A whole sequence of tokens, and how much of it may be shared with others.
struct ShareableSequence {
  std::span<Token const> tokens;
  Index limit = 0;    ///< only the first so many tokens may be shared
  Index adapter = 0;  ///< sequences of different adapters share nothing
};

/// Tokens that several sequences have at the same place, after the same tokens.
struct SharedTokens {
  Index parent = -1;         ///< what stands before them: an earlier entry of the tree; −1: nothing
  Index sequence = 0;        ///< the first of those that have them
  Index begin = 0, end = 0;  ///< their places in it

  [[nodiscard]] Index size() const { return end - begin; }
};

/// Common beginnings, each after what stands before it.
///
///     the pub is old      sequence 0     shared[0]: the pub (parent −1)     longest[0] = 1
///     the pub is big      sequence 1     shared[1]: is (parent 0)           longest[1] = 1
///     the pub near it     sequence 2                                        longest[2] = 0
struct CommonBeginnings {
  std::vector<SharedTokens> shared;  ///< parents before their children
  std::vector<Index> longest;        ///< `[sequences]`: the longest shared beginning of each; −1 for none

  /// How many of a sequence's tokens are shared.
  [[nodiscard]] Index shared_of(std::size_t sequence) const {
    return longest[sequence] < 0 ? 0 : shared[static_cast<std::size_t>(longest[sequence])].end;
  }
  /// Tokens that stand in the tree.
  [[nodiscard]] Index tokens() const {
    return std::accumulate(shared.begin(), shared.end(), Index{0},
                           [](Index sum, SharedTokens const& s) { return sum + s.size(); });
  }
};

namespace detail {

/// Builds the tree over the sequences in the order of their tokens, in which those with a common beginning are
/// neighbours.
class BeginningTree {
 public:
  BeginningTree(std::vector<ShareableSequence> const& sequences, Index least_saving)
      : sequences_(sequences), least_saving_(least_saving) {
    result_.longest.assign(sequences.size(), -1);
    std::vector<Index> order(sequences.size());
    std::iota(order.begin(), order.end(), Index{0});
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
      auto const &x = at(a), &y = at(b);
      if (x.adapter != y.adapter) return x.adapter < y.adapter;
      return std::lexicographical_compare(x.tokens.begin(), x.tokens.end(), y.tokens.begin(), y.tokens.end());
    });
    for (auto first = order.begin(); first != order.end();) {
      auto const last = std::find_if(first, order.end(), [&](Index i) { return at(i).adapter != at(*first).adapter; });
      open_.push_back({{first, last}, -1, 0, 0});
      first = last;
    }
    while (!open_.empty()) {  // no recursion: a tree may be as deep as its sequences are long
      Part part = std::move(open_.back());
      open_.pop_back();
      divide(std::move(part));
    }
  }

  [[nodiscard]] CommonBeginnings result() && { return std::move(result_); }

 private:
  /// Sequences that have the same first `equal` tokens, of which the first `covered` stand in the tree.
  struct Part {
    std::vector<Index> sequences;
    Index parent, covered, equal;
  };

  [[nodiscard]] ShareableSequence const& at(Index i) const { return sequences_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Index limit(Index i) const { return std::min(at(i).limit, static_cast<Index>(at(i).tokens.size())); }

  void divide(Part part) {
    auto& [members, parent, covered, equal] = part;
    std::erase_if(members, [&, from = equal](Index i) { return limit(i) < from; });
    if (members.size() < 2) return;
    Index least = limit(members[0]);
    for (Index i : members) least = std::min(least, limit(i));
    // sorted: what the first and the last have in common, all have
    auto const &first = at(members.front()).tokens, &last = at(members.back()).tokens;
    while (equal < least && first[static_cast<std::size_t>(equal)] == last[static_cast<std::size_t>(equal)]) ++equal;
    if ((equal - covered) * (static_cast<Index>(members.size()) - 1) >= std::max<Index>(1, least_saving_)) {
      auto const node = static_cast<Index>(result_.shared.size());
      result_.shared.push_back({parent, *std::min_element(members.begin(), members.end()), covered, equal});
      for (Index i : members) result_.longest[static_cast<std::size_t>(i)] = node;
      parent = node, covered = equal;
    }
    std::erase_if(members, [&, from = equal](Index i) { return limit(i) <= from; });
    auto const next = [&, from = equal](Index i) { return at(i).tokens[static_cast<std::size_t>(from)]; };
    for (auto begin = members.begin(); begin != members.end();) {
      auto const end = std::find_if(begin, members.end(), [&](Index i) { return next(i) != next(*begin); });
      if (end - begin > 1) open_.push_back({{begin, end}, parent, covered, equal + 1});
      begin = end;
    }
  }

  std::vector<ShareableSequence> const& sequences_;
  Index least_saving_;
  std::vector<Part> open_;
  CommonBeginnings result_;
};

}  // namespace detail

/// Finds what the sequences begin with in common. A beginning that k sequences have saves k − 1 times its tokens; it
/// stands in the tree where that is at least `least_saving`.
[[nodiscard]] inline CommonBeginnings common_beginnings(std::vector<ShareableSequence> const& sequences,
                                                        Index least_saving = 1) {
  return detail::BeginningTree(sequences, least_saving).result();
}

}  // namespace graft
