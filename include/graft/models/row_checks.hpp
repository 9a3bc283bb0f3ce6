/// @file
/// @brief What a model asks of packed rows, held against them before anything is computed: a refusal is one sentence.
/// Nothing here allocates but for rows with parents, and no check takes longer than one look at every token.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <graft/models/architecture.hpp>
#include <graft/nn/rows.hpp>

namespace graft {
namespace detail {

/// Rows of a stack as they are checked.
struct CheckedRows {
  Rows const& rows;
  std::vector<Token> const& tokens;
  ModelConfig const& config;
  Stack stack;
  bool continued = false;  ///< whether they go on from a cache
  char const* kind = "";   ///< what errors call their things: "source " of an encoder beside a decoder

  template <class E = Error, class... Parts>
  [[noreturn]] void refuse(Parts const&... parts) const {
    fail<E>("[transformer] got ", parts...);
  }
};

inline void check_offsets(CheckedRows const& x) {
  auto const& offsets = x.rows.offsets;
  if (offsets.empty()) x.refuse<ShapeError>("no ", x.kind, "row offsets; expected 0, and the end of every row");
  if (offsets.front() != 0)
    x.refuse<ShapeError>(x.kind, "row offsets that begin with ", offsets.front(), "; expected 0");
  if (auto const at = std::is_sorted_until(offsets.begin(), offsets.end()); at != offsets.end())
    x.refuse<ShapeError>(x.kind, "row offset ", *at, " after ", *(at - 1), "; expected offsets that never fall");
}

/// As many entries of a list as there are things that each has one of; `optional` lists may be empty.
inline void check_entries(CheckedRows const& x, std::size_t entries, char const* name, Index things, char const* each,
                          bool optional) {
  if (static_cast<Index>(entries) == things || (optional && entries == 0)) return;
  x.refuse<ShapeError>(entries, " ", x.kind, name, " for ", things, " ", each, "; expected one for each",
                       optional ? ", or none" : "");
}

inline void check_tokens(CheckedRows const& x) {
  if (static_cast<Index>(x.tokens.size()) != x.rows.tokens())
    x.refuse<ShapeError>(x.tokens.size(), " ", x.kind, "tokens; expected ", x.rows.tokens(),
                         " as the rows' offsets say");
  for (std::size_t i = 0; i < x.tokens.size(); ++i)
    if (x.tokens[i] < 0 || x.tokens[i] >= x.config.vocabulary)
      x.refuse(x.kind, "token ", x.tokens[i], " at place ", i, " of the batch; expected 0 to ", x.config.vocabulary - 1,
               "; hint: does the tokenizer belong to the model?");
}

/// No position lies beyond the model's last.
inline void check_reach(std::vector<Index> const& positions, ModelConfig const& config, Stack stack) {
  for (Index position : positions)
    if (position >= config.positions)
      fail("[transformer] got a row that reaches position ", position, "; expected at most ", config.positions - 1,
           ", the model's last; hint: shorten the ", stack == Stack::encoder ? "source" : "prompt",
           ", or the virtual tokens");
}
inline void check_positions(CheckedRows const& x) {
  auto const& positions = x.rows.positions;
  check_entries(x, positions.size(), "positions", x.rows.tokens(), "tokens", false);
  for (std::size_t i = 0; i < positions.size(); ++i)
    if (positions[i] < -x.config.position_offset)
      x.refuse(x.kind, "position ", positions[i], " at place ", i, " of the batch; expected at least ",
               -x.config.position_offset);
  check_reach(positions, x.config, x.stack);
}

/// Parents stand before their children, in a stack whose tokens do not see those after them.
inline void check_parents(CheckedRows const& x) {
  auto const& parent = x.rows.parent;
  check_entries(x, parent.size(), "parents", x.rows.count(), "rows", true);
  for (std::size_t r = 0; r < parent.size(); ++r) {
    if (parent[r] < -1 || parent[r] >= static_cast<Index>(r))
      x.refuse(x.kind, "parent ", parent[r], " of row ", r, "; expected a row before it, or −1 for none");
    if (parent[r] < 0) continue;
    if (x.stack != Stack::decoder)
      x.refuse(x.kind, "parent ", parent[r], " of row ", r,
               " in an encoder; expected −1: what an encoder makes of a beginning depends on what follows it");
    if (x.rows.adapter_of(parent[r]) != x.rows.adapter_of(static_cast<Index>(r)))
      x.refuse(x.kind, "adapter ", x.rows.adapter_of(static_cast<Index>(r)), " in row ", r, "; expected ",
               x.rows.adapter_of(parent[r]), ", that of its parent");
  }
}

/// Rows of which some have parents. The insertion of a parent is among its own tokens or those before it, and is then
/// that of its children too; or it is behind, in each child. Positions rise from a parent to its children.
inline void check_families(CheckedRows const& x) {
  Rows const& rows = x.rows;
  std::vector<Index> end;   // of each row, counted from its first ancestor's first token
  std::vector<Index> last;  // position of each row, its ancestors' where it has no token
  std::vector<bool> continues(static_cast<std::size_t>(rows.count()), false);
  for (Index r = 0; r < rows.count(); ++r) {
    Index const parent = rows.parent_of(r), at = rows.insertion[static_cast<std::size_t>(r)],
                first = parent < 0 ? 0 : end[static_cast<std::size_t>(parent)];
    end.push_back(first + rows.length(r));
    auto const begin = static_cast<std::size_t>(rows.begin(r));
    Index const before_row = parent < 0 ? -1 : last[static_cast<std::size_t>(parent)];
    last.push_back(rows.length(r) == 0 ? before_row
                                       : rows.positions[begin + static_cast<std::size_t>(rows.length(r)) - 1]);
    if (parent < 0) continue;
    continues[static_cast<std::size_t>(parent)] = true;
    if (x.continued) continue;  // what stands before its first ancestor is the cache's
    Index const before = rows.insertion[static_cast<std::size_t>(parent)];
    if (before < first ? at != before : at < first)
      x.refuse(x.kind, "insertion point ", at, " in row ", r, "; expected ", before < first ? "" : "at least ",
               before < first ? before : first, before < first ? ", that of its parent" : ", the end of its parent");
    if (rows.length(r) == 0) continue;
    if (Index const next = rows.positions[begin]; next <= before_row && next >= 0)
      x.refuse(x.kind, "position ", next, " of the first token of row ", r, "; expected more than ", before_row,
               ", the last of its parent");
  }
  for (Index r = 0; r < rows.count() && !x.continued; ++r) {
    Index const at = rows.insertion[static_cast<std::size_t>(r)];
    if (!continues[static_cast<std::size_t>(r)] && at > end[static_cast<std::size_t>(r)])
      x.refuse(x.kind, "insertion point ", at, " in row ", r, "; expected 0 to ", end[static_cast<std::size_t>(r)],
               ", the row's length with its ancestors");
  }
}

/// A row that continues earlier tokens may have its insertion among these, or before it.
inline void check_insertion(CheckedRows const& x) {
  auto const& insertion = x.rows.insertion;
  check_entries(x, insertion.size(), "insertion points", x.rows.count(), "rows", false);
  bool const continued = x.continued || !x.rows.parent.empty();
  for (Index r = 0; r < x.rows.count(); ++r) {
    Index const at = insertion[static_cast<std::size_t>(r)], most = continued ? x.config.positions : x.rows.length(r);
    if (at < 0 || at > most)
      x.refuse(x.kind, "insertion point ", at, " in row ", r, "; expected 0 to ", most,
               continued ? ", the model's positions" : ", the row's length");
  }
  if (!x.rows.parent.empty()) check_families(x);
}

inline void check_token_types(CheckedRows const& x) {
  auto const check = [&](Index type) {
    if (type < 0 || type >= x.config.token_types)
      x.refuse(x.kind, "token type ", type, "; expected 0 to ", x.config.token_types - 1);
  };
  if (x.rows.token_types.empty()) check(0);  // of all
  for (Index type : x.rows.token_types) check(type);
}

inline void check_targets(CheckedRows const& x) {
  Targets const& targets = x.rows.targets;
  auto const outside = [&](Index at) { return at < 0 || at >= x.rows.tokens(); };
  Index before = 0;
  for (std::size_t i = 0; i < targets.at.size(); ++i) {
    Index const at = targets.at[i];
    if (outside(at))
      x.refuse(x.kind, "target ", i, " at token ", at, "; expected 0 to ", x.rows.tokens() - 1, ", the batch's last");
    if (at < before)
      x.refuse(x.kind, "target ", i, " at token ", at, " after one at token ", before, "; expected them to ascend");
    before = at;
  }
  check_entries(x, targets.labels.size(), "labels", targets.size(), "targets", true);
  check_entries(x, targets.weights.size(), "weights", targets.size(), "targets", true);
}

template <Architecture A>
void check_rows(CheckedRows const& x) {
  check_offsets(x);
  check_tokens(x);
  check_positions(x);
  check_entries(x, x.rows.adapter.size(), "adapters", x.rows.count(), "rows", true);
  check_parents(x);
  check_insertion(x);
  check_entries(x, x.rows.token_types.size(), "token types", x.rows.tokens(), "tokens", true);
  if constexpr (has_site<A>(Site::token_type_embedding)) check_token_types(x);
  check_entries(x, x.rows.examples.size(), "examples", x.rows.count(), "rows", true);
  check_targets(x);
}
/// The rows of the encoder beside a decoder.
template <Architecture A>
void check_source_rows(Batch const& batch, ModelConfig const& config) {
  check_rows<A>({batch.source, batch.source_tokens, config, Stack::encoder, false, "source "});
}

}  // namespace detail
}  // namespace graft
