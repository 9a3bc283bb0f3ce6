/// @file
/// @brief What a strategy adds to the rows: how many virtual tokens and keys, and where. Facts of its settings; nothing
/// is computed.
#pragma once

#include <optional>
#include <vector>

#include <graft/nn/model_info.hpp>

namespace graft {

/// Where virtual tokens or virtual keys and values stand in a row.
enum class Place {
  front,  ///< before the first token (prefix)
  infix,  ///< before the token at `Rows::insertion`, the last source token (infix)
};

/// Whether what stands behind virtual activations counts them in its positions.
enum class PositionPolicy {
  shift,      ///< as PEFT and the papers' decoders have it: later tokens' positions run on
  keep,       ///< real tokens keep the positions they have without the adaptation
  automatic,  ///< keep in an encoder–decoder with a table of positions (as the prefix-tuning paper's BART), else shift
};

/// What `automatic` means for a model.
[[nodiscard]] inline PositionPolicy resolve(PositionPolicy policy, ModelInfo const& model) {
  if (policy != PositionPolicy::automatic) return policy;
  return model.main().crosses && model.learned_positions ? PositionPolicy::keep : PositionPolicy::shift;
}

/// Whether it matters to a model at which positions virtual tokens and keys stand: relative positions count from the
/// row's own tokens.
[[nodiscard]] inline bool counts_positions(ModelInfo const& model) {
  for (auto const& site : model.sites)
    if (site.address.site == Site::relative_bias) return false;
  return true;
}

/// What a strategy adds to rows, announced before any layer runs: its virtual tokens join the row, its keys shift
/// positions.
struct Additions {
  static constexpr Index every_row = -1;

  /// Virtual tokens that join rows of a stack, or virtual keys that queries of its self-attention see.
  struct Group {
    Index count = 0;
    Stack stack = Stack::decoder;
    Place place = Place::front;
    PositionPolicy positions = PositionPolicy::shift;
    bool pooled = false;  ///< of tokens: whether a classifier reads the first of them in place of the first real token
    Index adapter = every_row;  ///< whose rows have them; see `Rows::adapter`

    [[nodiscard]] bool joins(Stack row_stack, Index row_adapter) const {
      return stack == row_stack && (adapter == every_row || adapter == row_adapter);
    }
  };
  std::vector<Group> tokens, keys;

  /// Virtual tokens of a stack's row with this adapter.
  [[nodiscard]] Index token_count(Stack stack, Index adapter) const { return count_of(tokens, stack, adapter); }
  /// Those of them that stand at this place.
  [[nodiscard]] Index token_count(Stack stack, Index adapter, Place place) const {
    return count_of(tokens, stack, adapter, place);
  }
  /// Virtual keys of self-attention that such a row sees.
  [[nodiscard]] Index key_count(Stack stack, Index adapter) const { return count_of(keys, stack, adapter); }

 private:
  /// @param place none for both
  static Index count_of(std::vector<Group> const& groups, Stack stack, Index adapter,
                        std::optional<Place> place = std::nullopt) {
    Index count = 0;
    for (auto const& group : groups)
      if (group.joins(stack, adapter) && group.place == place.value_or(group.place)) count += group.count;
    return count;
  }
};

}  // namespace graft
