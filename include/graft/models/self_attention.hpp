/// @file
/// @brief A layer's attention over its own stack: projections, rotary positions, the cache, virtual keys and values.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include <graft/models/model_parts.hpp>
#include <graft/models/pass.hpp>
#include <graft/ops/gather.hpp>

namespace graft {

/// Heads of one layer, and the factor of its scores.
template <Architecture A>
[[nodiscard]] AttentionShape attention_shape(ModelConfig const& config, LayerAddress at) {
  StackConfig const& stack = stack_config<A>(config, at.stack);
  bool const scaled = A::scaled_attention && config.scaled_attention;
  double const scale = scaled ? 1.0 / std::sqrt(static_cast<double>(stack.head_dim)) : 1.0;
  return {stack.heads, stack.kv_heads, stack.head_dim, config.layer_scaled_attention ? scale / (at.layer + 1) : scale};
}

template <Architecture A, class State, class Scalar, class Device>
class SelfAttention {
 public:
  using Parts = ModelParts<A, State, Scalar, Device>;
  using Pass = StackPass<Scalar, Device>;
  using Value = Variable<Scalar, Device>;
  using Source = AttentionSource<Scalar, Device>;

  SelfAttention(Parts const& parts, LayerAddress at) : parts_(parts), at_(at), stack_(parts.stack(at.stack)) {}

  /// `[queries, width]` of the layer's input `[tokens, width]`, before the addition to
  /// the residual; `query_rows` are the rows of the queries.
  [[nodiscard]] Value operator()(Value const& x, Pass const& pass, Queries<Device> const& queries,
                                 Rows const& query_rows) const {
    auto const [query, own] =
        project(x, pass, queries, query_rows);  // [queries, heads · head_dim], [tokens, kv_heads · head_dim]
    if (pass.observer && pass.observer->keys_values)
      pass.observer->keys_values(at_, AttentionKind::self, own.keys, own.values);
    auto const banks = parts_.banks(at_, AttentionKind::self);  // [keys, kv_heads · head_dim] each
    std::vector<Source> sources;
    sources.reserve(2 + banks.size());
    sources.push_back(own);  // [tokens, kv_heads · head_dim]
    if (pass.cache) {
      auto const& layer = pass.cache->cache->layers[static_cast<std::size_t>(at_.layer)];
      sources.push_back({{Value(layer.keys), 0}, {Value(layer.values), 0}});  // [capacity, kv_heads · head_dim]
    } else if (pass.beginnings) {
      sources.push_back(pass.beginnings->layer(at_.layer, stack_.kv_width()));  // [earlier tokens, kv_heads · head_dim]
    }
    auto const seen = add_sources(banks, sources);  // adds the banks' [keys, kv_heads · head_dim]
    auto const segments = pass.tables->at(queries.range.all ? Attending::self : Attending::self_last, seen, [&] {
      return self_attention_table(pass.layout, queries.range, seen, pass.continued(), pass.causal());
    });
    auto const* const bias = pass.bias.table.empty() ? nullptr : &pass.bias;  // its table: [buckets, heads]
    AttentionShape const shape = attention_shape<A>(parts_.config(), at_);
    if (pass.observer && pass.observer->attention)
      pass.observer->attention({at_, AttentionKind::self, query, sources, *segments, shape, bias, pass.layout,
                                queries.range, pass.cache != nullptr});
    Value const attended = attention(query, std::move(sources), segments, shape, bias);  // [queries, heads · head_dim]
    if (pass.cache) remember(own, pass);
    return parts_.project({Site::attention_output, at_}, attended, query_rows);  // [queries, width]
  }

 private:
  struct Projections {
    Columns<Scalar, Device> query;  ///< `[queries, heads · head_dim]`
    Source own;                     ///< `[tokens, kv_heads · head_dim]` each
  };

  /// q, k and v, after rotary positions; q only for the queries.
  [[nodiscard]] Projections project(Value const& x, Pass const& pass, Queries<Device> const& queries,
                                    Rows const& query_rows) const {
    Rows const& rows = pass.layout.rows;
    if constexpr (A::fused_attention) {
      Value const fused =
          parts_.project({Site::query_key_value, at_}, x, rows);  // [tokens, (heads + 2 · kv_heads) · head_dim]
      Index const width = stack_.query_width(), kv = stack_.kv_width();
      Value const q = queries.range.all
                          ? fused
                          : gather_rows(fused, queries.places);  // [queries, (heads + 2 · kv_heads) · head_dim]
      return {{q, 0},
              {{fused, width},
               {fused, width + kv}}};  // columns: [queries, heads · head_dim], [tokens, kv_heads · head_dim]
    } else {
      Value const query_input = queries.range.all ? x : gather_rows(x, queries.places);  // [queries, width]
      Value q = parts_.project({Site::query, at_}, query_input, query_rows);             // [queries, heads · head_dim]
      Value k = parts_.project({Site::key, at_}, x, rows);          // [tokens, kv_heads · head_dim]
      Value const v = parts_.project({Site::value, at_}, x, rows);  // [tokens, kv_heads · head_dim]
      if constexpr (A::positions == PositionKind::rotary) {
        q = rotary(q, queries.positions, parts_.rotary);   // [queries, heads · head_dim]
        k = rotary(k, pass.all.positions, parts_.rotary);  // [tokens, kv_heads · head_dim]
      }
      return {{q, 0}, {{k, 0}, {v, 0}}};
    }
  }

  /// Writes the batch's keys and values into the cache.
  void remember(Source const& own, Pass const& pass) const {
    auto& layer = pass.cache->cache->layers[static_cast<std::size_t>(at_.layer)];
    Index const width = stack_.kv_width();
    auto const copy = [&](Columns<Scalar, Device> const& from, Tensor<Scalar, Device>& to) {
      kernels::On<Device, kernels::Gather, Scalar>::copy_columns(from.read(), nullptr, {to.data(), width},
                                                                 pass.cache_rows.data(), pass.cache_rows.size(), width);
    };
    copy(own.keys, layer.keys);      // [tokens, kv_heads · head_dim] → rows of [capacity, kv_heads · head_dim]
    copy(own.values, layer.values);  // [tokens, kv_heads · head_dim] → rows of [capacity, kv_heads · head_dim]
  }

  Parts const& parts_;
  LayerAddress at_;
  StackConfig const& stack_;
};

}  // namespace graft
