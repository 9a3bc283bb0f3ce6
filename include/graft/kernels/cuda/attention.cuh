/// @file
/// @brief Attention over segments on a GPU. Nothing waits, and every sum has a fixed order.
#pragma once

#include <cstddef>
#include <optional>

#include <graft/kernels/attention.hpp>
#include <graft/kernels/cuda/attention_backward.cuh>
#include <graft/kernels/cuda/attention_forward.cuh>
#include <graft/kernels/cuda/attention_keys.cuh>

namespace graft::kernels {

namespace cuda::attention {

/// So many numbers on the device for the time of a few launches.
template <class Sum>
class Room {
 public:
  explicit Room(Index size) : memory_(static_cast<std::size_t>(size) * sizeof(Sum)) {}
  [[nodiscard]] Sum* data() const { return static_cast<Sum*>(memory_.data()); }

 private:
  Scratch memory_;
};

/// δ of every query and head. A query's gradients are differences from it, its share of all keys: the output that was
/// rounded to a narrow type would move that sum alone, and with it every difference, so such an output is formed again.
template <class Scalar>
void find_deltas(Call<Scalar> const& x, Scalar const* output, Scalar const* output_gradient, SumOf<Scalar>* deltas) {
  Index const size = x.lists.queries * x.shape.heads;
  if constexpr (is_narrow<Scalar>) {
    Room<SumOf<Scalar>> const wide(size * x.shape.head_dim);
    forward<Scalar, SumOf<Scalar>>(x, wide.data(), nullptr);
    find_deltas(wide.data(), output_gradient, size, x.shape.head_dim, deltas);
  } else {
    find_deltas(output, output_gradient, size, x.shape.head_dim, deltas);
  }
}

template <class Scalar, class Sum = SumOf<Scalar>>
void add_query_gradients(Call<Scalar> const& x, Reverse<Scalar> const& reverse,
                         AttentionGradients<Scalar, Cuda> const& gradients) {
  Index const tiles = x.lists.query_tiles, buckets = gradients.bias_table ? x.bias.buckets : 0,
              width = buckets * x.shape.heads;
  if (!gradients.queries.data && !gradients.bias_table) return;
  Room<Sum> const bias(BiasPart<Sum>::rows(buckets > 0 ? tiles : 0) * width);
  Index const parts =
      gradients.queries.data ? Part::count<Sum>(tiles, x.shape.heads, x.shape.head_dim) : tiles * x.shape.heads;
  launch_parts("attention_backward", &query_gradients_kernel<Scalar>, parts, x, reverse, gradients.queries,
               buckets > 0 ? bias.data() : nullptr, parts);
  if (buckets > 0) add_bias_parts(bias.data(), tiles, width, gradients.bias_table.raw());
}

template <class Scalar, class Sum = SumOf<Scalar>>
void add_key_gradients(Call<Scalar> const& x, Reverse<Scalar> const& reverse, Index sources,
                       AttentionGradients<Scalar, Cuda> const& gradients) {
  auto const wanted = [&](Index i) { return gradients.keys[i].data || gradients.values[i].data; };
  bool any = false;
  for (Index i = 0; i < sources; ++i) any = any || wanted(i);
  if (!any) return;
  KeyLists const& lists = *gradients.key_lists;
  Index const width = x.shape.kv_width(), size = lists.partial_rows * width;
  std::optional<Scratch> memory;
  Room<Sum> const partial(2 * size);
  auto const at = [&](Index i) { return KeysValues<Sum>{gradients.keys[i], gradients.values[i]}; };
  KeyTargets<Sum> const targets{
      {sources, at, memory},
      {{DevicePointer<Sum>(partial.data()), width}, {DevicePointer<Sum>(partial.data() + size), width}},
      lists};
  Index const parts = Part::count<Sum>(lists.key_tiles, x.shape.kv_heads, x.shape.head_dim);
  launch_parts("attention_backward", &key_gradients_kernel<Scalar>, parts, x, reverse, targets, parts);
  each_in_rows("attention_backward", lists.shared_rows, width, AddShared<Sum>{x.lists, targets});
}

}  // namespace cuda::attention

template <class Scalar>
void Attention<Cuda, Scalar>::attention(AttentionOperands<Scalar, Cuda> const& x, Out output, SumOut log_sum) {
  std::optional<cuda::Scratch> memory;
  cuda::attention::Call<Scalar> const call(x, memory);
  cuda::attention::forward(call, output.raw(), log_sum.raw());
}

template <class Scalar>
void Attention<Cuda, Scalar>::attention_backward(AttentionOperands<Scalar, Cuda> const& x, In output, SumIn log_sum,
                                                 In output_gradient,
                                                 AttentionGradients<Scalar, Cuda> const& gradients) {
  using Sum = SumOf<Scalar>;
  std::optional<cuda::Scratch> memory;
  cuda::attention::Call<Scalar> const call(x, memory);
  bool of_scores = gradients.queries.data || gradients.bias_table;  // values alone need no δ
  for (Index i = 0; i < x.sources; ++i) of_scores = of_scores || gradients.keys[i].data;
  cuda::attention::Room<Sum> const deltas(of_scores ? x.table->queries * x.shape.heads : 0);
  if (of_scores) cuda::attention::find_deltas(call, output.raw(), output_gradient.raw(), deltas.data());
  cuda::attention::Reverse<Scalar> const reverse{{output_gradient, x.shape.width()}, log_sum.raw(), deltas.data()};
  cuda::attention::add_query_gradients(call, reverse, gradients);
  cuda::attention::add_key_gradients(call, reverse, x.sources, gradients);
}

}  // namespace graft::kernels
