/// @file
/// @brief How virtual tokens lengthen the rows, and where every token's position lies.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include <graft/adaptation/additions.hpp>
#include <graft/models/cache.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// The rows after virtual tokens have joined them.
struct RowLayout {
  Rows rows;  ///< lengthened, but for `insertion`, which counts real tokens
  /// `[tokens]`: (source, row): source 0 is the embedded real tokens, source 1 + g the g-th virtual group
  std::vector<std::pair<int, Index>> assembly;
  std::vector<Index> front_tokens;  ///< `[rows]`: virtual tokens at the front, those of ancestors and in the cache too
  std::vector<Index> earlier_tokens;  ///< `[rows]`: lengthened tokens that ancestors hold, or the cache already
};

/// How far virtual tokens and keys push the positions of a stack's rows: what a row needs of the model's positions,
/// without running it.
struct RowReach {
  Index front = 0;         ///< positions before the row's first token
  Index behind = 0;        ///< more of them before the token at the insertion and those after it
  Index front_end = 0;     ///< positions up to the last virtual token in front, wherever real tokens stand
  Index infix_tokens = 0;  ///< virtual tokens at the insertion
  Index infix_begin = 0;   ///< positions between the row's insertion and their first

  /// Positions that a row of `length` tokens takes, with virtual tokens before the one at `insertion` (`length` for its
  /// end).
  [[nodiscard]] Index positions(Index length, Index insertion) const {
    Index const last = length + front + (insertion < length ? behind : 0);
    Index const infix = infix_tokens > 0 ? insertion + infix_begin + infix_tokens : 0;
    return std::max({last, infix, front_end});
  }
};

namespace detail {

/// What rows of one adapter get in a stack.
struct RowAdditions {
  Index front_keys = 0, infix_keys = 0;    ///< positions that virtual keys take
  Index front_shift = 0, infix_shift = 0;  ///< positions that keys and tokens take
  Index front_count = 0, infix_count = 0;  ///< virtual tokens
  bool pooled = false;
  std::vector<std::size_t> front, infix;  ///< which of `Additions::tokens` stand there

  RowAdditions(Additions const& additions, Stack stack, Index adapter) {
    for (auto const& keys : additions.keys) {
      if (!keys.joins(stack, adapter) || keys.positions == PositionPolicy::keep) continue;
      (keys.place == Place::front ? front_keys : infix_keys) += keys.count;
    }
    front_shift = front_keys;
    infix_shift = infix_keys;
    for (std::size_t g = 0; g < additions.tokens.size(); ++g) {
      auto const& tokens = additions.tokens[g];
      if (!tokens.joins(stack, adapter)) continue;
      pooled = pooled || (tokens.pooled && tokens.place == Place::front);
      (tokens.place == Place::front ? front_count : infix_count) += tokens.count;
      (tokens.place == Place::front ? front : infix).push_back(g);
      if (tokens.positions != PositionPolicy::keep)
        (tokens.place == Place::front ? front_shift : infix_shift) += tokens.count;
    }
  }
};

}  // namespace detail

/// Lengthens the rows of a stack by the virtual tokens of `additions` that belong to them, which may shift the tokens'
/// positions. A position below 0 stays as it is: it stands before all others. A row that continues earlier tokens got
/// its virtual tokens with these; its new tokens only count them. A row with a parent likewise has the virtual tokens
/// in front of its first ancestor; those at the insertion stand in the row that holds it.
template <class = void>
[[nodiscard]] RowLayout lay_out_rows(Rows const& rows, Additions const& additions, Stack stack = Stack::decoder,
                                     std::vector<ContinuedRow> const& continued = {}) {
  RowLayout result;
  Rows& out = result.rows = with_other_tokens(rows);

  std::map<Index, detail::RowAdditions> by_adapter;
  auto const count = static_cast<std::size_t>(rows.count()), least = static_cast<std::size_t>(rows.tokens());
  std::vector<Index> first_of;  // [rows] real tokens before each
  std::vector<bool> goes_on(count, false);
  first_of.reserve(count);
  for (Index const parent : rows.parent)
    if (parent >= 0) goes_on[static_cast<std::size_t>(parent)] = true;
  out.offsets.reserve(count + 1);
  out.positions.reserve(least);
  result.assembly.reserve(least);
  result.front_tokens.reserve(count);
  result.earlier_tokens.reserve(count);
  std::vector<Index> new_index(static_cast<std::size_t>(rows.tokens()));
  for (Index r = 0; r < rows.count(); ++r) {
    auto const row = static_cast<std::size_t>(r);
    auto const& added = by_adapter.try_emplace(rows.adapter_of(r), additions, stack, rows.adapter_of(r)).first->second;
    Index const parent = rows.parent_of(r), insertion = rows.insertion[row],
                begin = static_cast<Index>(result.assembly.size());
    Index const first = parent >= 0         ? first_of[static_cast<std::size_t>(parent)] + rows.length(parent)
                        : continued.empty() ? 0
                                            : continued[row].earlier;
    first_of.push_back(first);
    auto const add_type = [&](Index type) {
      if (!rows.token_types.empty()) out.token_types.push_back(type);
    };
    auto const add_virtual = [&](std::vector<std::size_t> const& groups, Index position) {
      for (std::size_t g : groups)
        for (Index k = 0; k < additions.tokens[g].count; ++k) {
          out.positions.push_back(position++);
          add_type(0);
          result.assembly.emplace_back(static_cast<int>(g) + 1, k);
        }
    };
    if (first == 0 && parent < 0) add_virtual(added.front, added.front_keys);
    for (Index j = 0; j < rows.length(r); ++j) {
      Index const index = first + j, packed = rows.begin(r) + j, own = rows.positions[static_cast<std::size_t>(packed)];
      if (index == insertion) add_virtual(added.infix, own + added.front_shift + added.infix_keys);
      new_index[static_cast<std::size_t>(packed)] = added.pooled ? begin : static_cast<Index>(result.assembly.size());
      out.positions.push_back(own < 0 ? own : own + added.front_shift + (index >= insertion ? added.infix_shift : 0));
      if (!rows.token_types.empty()) out.token_types.push_back(rows.token_types[static_cast<std::size_t>(packed)]);
      result.assembly.emplace_back(0, packed);
    }
    if (continued.empty() && insertion == first + rows.length(r) && !goes_on[row])
      add_virtual(added.infix, insertion + added.front_shift + added.infix_keys);
    out.offsets.push_back(static_cast<Index>(result.assembly.size()));
    result.front_tokens.push_back(added.front_count);
    Index past = first;
    if (parent >= 0)
      past = result.earlier_tokens[static_cast<std::size_t>(parent)] + out.length(parent);
    else if (first > 0)
      past += added.front_count + (first > insertion ? added.infix_count : 0);
    result.earlier_tokens.push_back(past);
  }
  for (Index& at : out.targets.at) at = new_index[static_cast<std::size_t>(at)];
  return result;
}

/// The reach of the virtual tokens and keys of a stack's rows with this adapter; the numbers are those of
/// `lay_out_rows`.
[[nodiscard]] inline RowReach reach_of(Additions const& additions, Stack stack, Index adapter) {
  detail::RowAdditions const added(additions, stack, adapter);
  return {.front = added.front_shift,
          .behind = added.infix_shift,
          .front_end = added.front_count > 0 ? added.front_keys + added.front_count : 0,
          .infix_tokens = added.infix_count,
          .infix_begin = added.front_shift + added.infix_keys};
}

#ifdef GRAFT_COMPILED
extern template RowLayout lay_out_rows<>(Rows const&, Additions const&, Stack, std::vector<ContinuedRow> const&);
#endif

}  // namespace graft
