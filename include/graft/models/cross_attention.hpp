/// @file
/// @brief A decoder layer's attention over the encoder's states.
#pragma once

#include <utility>
#include <vector>

#include <graft/models/self_attention.hpp>

namespace graft {

template <Architecture A, class State, class Scalar, class Device>
class CrossAttention {
 public:
  using Parts = ModelParts<A, State, Scalar, Device>;
  using Pass = StackPass<Scalar, Device>;
  using Value = Variable<Scalar, Device>;
  using Source = AttentionSource<Scalar, Device>;

  CrossAttention(Parts const& parts, LayerAddress at) : parts_(parts), at_(at) {}

  /// `[queries, width]` of the sublayer's input `[queries, width]`, before the addition to the residual.
  [[nodiscard]] Value operator()(Value const& x, Pass const& pass, bool last) const {
    Value const q = parts_.project({Site::cross_query, at_}, x, pass.out);  // [queries, heads · head_dim]
    std::vector<Source> sources;
    if (pass.cache) {
      auto const& layer = pass.cache->source->layers[static_cast<std::size_t>(at_.layer)];
      sources.push_back({{Value(layer.keys), 0}, {Value(layer.values), 0}});  // [source tokens, kv_heads · head_dim]
    } else {
      sources.push_back(keys_values(*pass.source));  // [source tokens, kv_heads · head_dim]
      if (pass.observer && pass.observer->keys_values)
        pass.observer->keys_values(at_, AttentionKind::cross, sources[0].keys, sources[0].values);
    }
    auto const seen =
        add_sources(parts_.banks(at_, AttentionKind::cross), sources);  // adds the banks' [keys, kv_heads · head_dim]
    auto const segments = pass.tables->at(last ? Attending::cross_last : Attending::cross, seen,
                                          [&] { return cross_attention_table(pass.out, source_extents(pass), seen); });
    AttentionShape const shape = attention_shape<A>(parts_.config(), at_);
    if (pass.observer && pass.observer->attention)
      pass.observer->attention({at_,
                                AttentionKind::cross,
                                {q, 0},
                                sources,
                                *segments,
                                shape,
                                nullptr,
                                pass.layout,
                                last ? pass.last.range : pass.all.range,
                                pass.cache != nullptr});
    // [queries, heads · head_dim]
    Value const attended = attention<Scalar, Device>({q, 0}, std::move(sources), segments, shape);
    return parts_.project({Site::cross_attention_output, at_}, attended, pass.out);  // [queries, width]
  }
  /// Keys and values, `[source tokens, kv_heads · head_dim]` each, of the encoder's states `[source tokens, width]`.
  [[nodiscard]] Source keys_values(EncoderStates<Scalar, Device> const& source) const {
    return {{parts_.project({Site::cross_key, at_}, source.states, source.rows), 0},
            {parts_.project({Site::cross_value, at_}, source.states, source.rows), 0}};
  }

 private:
  /// Which of the sources' rows are those of each row.
  [[nodiscard]] static std::vector<CacheExtent> source_extents(Pass const& pass) {
    std::vector<CacheExtent> extents;
    if (!pass.cache) {
      auto const& [states, rows, of] = *pass.source;
      if (of.empty()) return extents_of(rows);
      for (Index const r : of) extents.push_back({rows.begin(r), rows.length(r)});
      return extents;
    }
    for (auto const& row : pass.cache->rows) extents.push_back(row.source);
    return extents;
  }

  Parts const& parts_;
  LayerAddress at_;
};

}  // namespace graft
