/// @file
/// @brief The one attention operation: y = softmax(scale · Q·Kᵀ + bias) · V, where each row's keys and values are a
/// list of segments.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/kernels/attention.hpp>
#include <graft/ops/checked_segments.hpp>
#include <graft/ops/columns.hpp>
#include <graft/tensor/mirrored_array.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft {

/// Storage of keys and values that segments refer to: rows of `kv_heads · head_dim` columns.
template <class Scalar, class Device = Cpu>
struct AttentionSource {
  Columns<Scalar, Device> keys, values;
};

/// Adds table[bucket(key position − query position), head] to every score (T5; Raffel et al. 2020).
template <class Scalar, class Device = Cpu>
struct RelativeBias {
  Variable<SumOf<Scalar>, Device> table;  ///< [buckets, heads]
  /// Entry i is the bucket of distance first_distance + i. Covers every pair of a query and a key of its row, seen or
  /// not.
  MirroredArray<int, Device> bucket_of_distance;
  Index first_distance = 0;
};

namespace detail {

/// The operands and the table of one attention, kept for its backward pass (handles, no copies).
template <class Scalar, class Device>
struct Attention {
  Columns<Scalar, Device> queries;
  std::vector<AttentionSource<Scalar, Device>> sources;
  std::shared_ptr<CheckedSegments const> segments;
  AttentionShape shape;
  RelativeBias<Scalar, Device> bias;

  void check() const {
    if (!segments) fail<ShapeError>("[attention] got no segment table; expected one");
    if (shape.kv_heads < 1 || shape.head_dim < 1 || shape.heads < 1 || shape.heads % shape.kv_heads != 0)
      fail<ShapeError>("[attention] got ", shape.heads, " heads, ", shape.kv_heads, " key/value heads of ",
                       shape.head_dim, "; expected positive numbers, heads a multiple of key/value heads");
    queries.check("attention", "queries", shape.width());
    PoolVector<Index> rows;
    for (auto const& source : sources) {
      source.keys.check("attention", "keys", shape.kv_width());
      source.values.check("attention", "values", shape.kv_width());
      rows.push_back(source.keys.x.rows());
      if (source.values.x.rows() != rows.back())
        fail<ShapeError>("[attention] got ", rows.back(), " rows of keys and ", source.values.x.rows(),
                         " of values; expected as many");
    }
    segments->check_operands(queries.x.rows(), rows.data(), static_cast<int>(rows.size()));
    check_gradients();
    if (!bias.table.empty()) check_bias();
  }

  template <class F>
  auto with_operands(F const& f) const {
    PoolVector<kernels::Strided<Scalar const, Device>> keys, values;
    PoolVector<Index> rows;
    for (auto const& source : sources) {
      keys.push_back(source.keys.read());
      values.push_back(source.values.read());
      rows.push_back(source.keys.x.rows());
    }
    kernels::AttentionOperands<Scalar, Device> x{
        &segments->template on<Device>(),   shape, queries.read(), keys.data(), values.data(), rows.data(),
        static_cast<Index>(sources.size()), {}};
    if (!bias.table.empty())
      x.bias = {bias.table.value().data(), bias.table.rows(), bias.bucket_of_distance.data(), bias.first_distance};
    return f(x);
  }

  void backward(Tensor<Scalar, Device> const& output, Tensor<SumOf<Scalar>, Device> const& log_sum,
                Tensor<Scalar, Device> const& output_gradient) const {
    GradientBuffers<Scalar, Device> buffers;
    GradientBuffers<SumOf<Scalar>, Device> of_bias;
    PoolVector<kernels::Strided<SumOf<Scalar>, Device>> keys, values;
    for (auto const& source : sources) {
      keys.push_back(buffers.at(source.keys));
      values.push_back(buffers.at(source.values));
    }
    kernels::AttentionGradients<Scalar, Device> gradients{buffers.at(queries), keys.data(), values.data(),
                                                          of_bias.at({bias.table, 0}).data};
    if constexpr (!std::is_same_v<Device, Cpu>) gradients.key_lists = &segments->template keys_on<Device>();
    with_operands([&](auto const& x) {
      kernels::On<Device, kernels::Attention, Scalar>::attention_backward(x, output.data(), log_sum.data(),
                                                                          output_gradient.data(), gradients);
    });
    buffers.finish();
    of_bias.finish();
  }

 private:
  /// Rows and heads add their gradients at the same time, so operands must not overlap in one variable's gradient.
  void check_gradients() const {
    for (std::size_t a = 0; a < sources.size(); ++a) {
      auto const& [keys, values] = sources[a];
      bool overlap = keys.shares_gradient(shape.kv_width(), queries, shape.width()) ||
                     values.shares_gradient(shape.kv_width(), queries, shape.width()) ||
                     (keys.first != values.first && keys.shares_gradient(shape.kv_width(), values, shape.kv_width()));
      for (std::size_t b = 0; b < a; ++b)
        for (auto const* mine : {&keys, &values})
          for (auto const* other : {&sources[b].keys, &sources[b].values})
            overlap = overlap || mine->shares_gradient(shape.kv_width(), *other, shape.kv_width());
      if (overlap)
        fail<ShapeError>(
            "[attention] source ", a,
            ": got columns that overlap another trained operand of the same variable; expected separate columns; hint: "
            "let segments of one source refer to them");
    }
  }
  void check_bias() const {
    if (bias.table.width() != shape.heads || bias.bucket_of_distance.size() == 0)
      fail<ShapeError>("[attention] relative bias: got a table of shape ", bias.table.shape(), "; expected [buckets, ",
                       shape.heads, "] and a bucket for each distance");
    Index const known = bias.bucket_of_distance.size();
    for (int bucket : bias.bucket_of_distance.host())
      if (bucket < 0 || bucket >= bias.table.rows())
        fail<ShapeError>("[attention] relative bias: got bucket ", bucket, "; expected 0 to ", bias.table.rows() - 1);
    auto const covered = [&](DistanceRange const& range) {
      return range.size() == 0 || (range.low >= bias.first_distance && range.high < bias.first_distance + known);
    };
    if (covered(segments->range())) return;
    for (Index row = 0; row < segments->table().rows(); ++row) {
      DistanceRange const range = distances(segments->table(), row);
      if (!covered(range))
        fail<ShapeError>("[attention] relative bias: row ", row, ": got distances ", range.low, " to ", range.high,
                         "; expected them within ", bias.first_distance, " to ", bias.first_distance + known - 1);
    }
  }
};

}  // namespace detail

/// Attention of packed queries [queries, heads · head_dim] over a table's segments → [queries, heads · head_dim].
///
/// A head's query attends to all keys it sees, in all segments of its row, with one softmax (Vaswani et al. 2017);
/// `segments` say which. Gradients of storage that several rows attend to are summed in the order of rows. For the
/// backward pass only the result and the log-sum-exp [queries, heads] are kept. Nothing is computed for the gradients
/// of constants. Throws `ShapeError` where widths, segments or distances do not fit, or where a query sees no key.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> attention(Columns<Scalar, Device> const& queries,
                                                 std::vector<AttentionSource<Scalar, Device>> sources,
                                                 std::shared_ptr<CheckedSegments const> const& segments,
                                                 AttentionShape const& shape,
                                                 RelativeBias<Scalar, Device> const* bias = nullptr) {
  detail::Attention<Scalar, Device> call{queries, std::move(sources), segments, shape,
                                         bias ? *bias : RelativeBias<Scalar, Device>{}};
  call.check();
  bool wanted = needs_gradient(queries, call.bias.table);
  for (auto const& source : call.sources) wanted = wanted || needs_gradient(source.keys, source.values);
  Tensor<Scalar, Device> output(Shape{queries.x.rows(), shape.width()});
  using Sums = Tensor<SumOf<Scalar>, Device>;
  Sums log_sum = wanted ? Sums(Shape{queries.x.rows(), shape.heads}) : Sums();
  call.with_operands([&](auto const& x) {
    kernels::On<Device, kernels::Attention, Scalar>::attention(x, output.data(), log_sum.data());
  });
  if (!wanted) return output;
  return record(output, [call = std::move(call), output, log_sum](Tensor<Scalar, Device> const& dy) {
    call.backward(output, log_sum, dy);
  });
}

#ifdef GRAFT_COMPILED
extern template Variable<float> attention(Columns<float> const&, std::vector<AttentionSource<float>>,
                                          std::shared_ptr<CheckedSegments const> const&, AttentionShape const&,
                                          RelativeBias<float> const*);
extern template Variable<double> attention(Columns<double> const&, std::vector<AttentionSource<double>>,
                                           std::shared_ptr<CheckedSegments const> const&, AttentionShape const&,
                                           RelativeBias<double> const*);
#endif

}  // namespace graft
