/// @file
/// @brief Seeing inside a model: `inspect(model, batch)` gives attention weights and states of every layer.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <graft/inspect/attention_weights.hpp>
#include <graft/inspect/inspection.hpp>
#include <graft/models/transformer.hpp>

namespace graft {
namespace detail {

/// Gathers what one pass shows.
template <class Scalar, class Device>
class Inspector {
 public:
  Inspector(Batch const& batch, bool has_encoder, InspectSettings const& settings)
      : batch_(batch), has_encoder_(has_encoder) {
    observer.every_query = true;
    if (settings.attention) observer.attention = [this](auto const& seen) { attention(seen); };
    if (settings.states) observer.states = [this](auto const& seen) { states(seen); };
  }
  Inspector(Inspector const&) = delete;
  Inspector& operator=(Inspector const&) = delete;

  PassObserver<Scalar, Device> observer;
  Inspection found;

 private:
  /// Whether a stack's rows are the batch's sources.
  [[nodiscard]] bool reads_sources(Stack stack) const { return has_encoder_ && stack == Stack::encoder; }
  [[nodiscard]] std::vector<SeenToken> tokens(RowLayout const& layout, Index row, Stack stack) const {
    return reads_sources(stack) ? seen_tokens(layout, batch_.source, batch_.source_tokens, row, stack, false)
                                : seen_tokens(layout, batch_.rows, batch_.tokens, row, stack, has_encoder_);
  }

  void attention(ObservedAttention<Scalar, Device> const& seen) {
    Stack const keys_of = seen.kind == AttentionKind::cross ? Stack::encoder : seen.at.stack;
    if (reads_sources(seen.at.stack)) encoder_ = seen.layout;  // cross-attention's keys are its tokens
    RowLayout const& layout = seen.kind == AttentionKind::cross ? encoder_ : seen.layout;
    for (Index row = 0; row < seen.layout.rows.count(); ++row) {
      AttentionMap map{seen.at, seen.kind, row, tokens(seen.layout, row, seen.at.stack), {}, {}};
      auto const stored = tokens(layout, row, keys_of);
      Index front = 0, infix = 0;
      bool behind = false;  // banks in front come before the segment of the tokens
      for (auto const& key : keys_of_row(seen.segments.table(), row)) {
        behind = behind || key.source == 0;
        if (key.source == 0)
          map.keys.push_back(stored[static_cast<std::size_t>(key.row - layout.rows.begin(row))]);
        else
          map.keys.push_back(behind ? SeenToken{SeenKind::infix, infix++} : SeenToken{SeenKind::prefix, front++});
      }
      map.weights = attention_weights(seen, row);
      found.attention.push_back(std::move(map));
    }
  }
  void states(ObservedStates<Scalar, Device> const& seen) {
    auto const all = detail::host_numbers(seen.states.value());  // [tokens, width]
    Rows const& rows = seen.layout.rows;
    for (Index row = 0; row < rows.count(); ++row)
      found.states.push_back({seen.at, row, tokens(seen.layout, row, seen.at.stack),
                              clone(all.slice(rows.begin(row), rows.begin(row) + rows.length(row)))});
  }

  Batch const& batch_;
  bool has_encoder_;
  RowLayout encoder_;
};

}  // namespace detail

/// Runs the batch through the model, without dropout and without a tape, and keeps what every layer computed of all its
/// tokens. Costs a pass and one more computation of the attention weights; a model that nobody looks into pays nothing.
/// The batch's targets do not matter.
/// @throws ShapeError for a batch that does not fit the model, Error for one whose rows share tokens or sources
template <class Model>
[[nodiscard]] Inspection inspect(Model const& model, Batch batch, InspectSettings const& settings = {}) {
  NoGrad no_grad;
  bool const parents = std::any_of(batch.rows.parent.begin(), batch.rows.parent.end(), [](Index p) { return p >= 0; });
  if (parents || !batch.source_of.empty())
    fail("[inspect] got rows that share ", parents ? "their first tokens" : "sources",
         "; expected each with its own; hint: the model's pack in place of pack_shared");
  batch.rows.training = batch.rows.recompute = false;
  batch.rows.targets = {};
  for (Index i = 0; i < batch.rows.tokens(); ++i) batch.rows.targets.at.push_back(i);
  detail::Inspector<typename Model::activation_type, typename Model::device_type> inspector(batch, Model::has_encoder,
                                                                                            settings);
  static_cast<void>(model.hidden_states(batch, nullptr, &inspector.observer));
  return std::move(inspector.found);
}

}  // namespace graft
