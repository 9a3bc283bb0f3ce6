/// @file
/// @brief What attention's kernels on a GPU are told, and which part of the work a block has.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include <graft/kernels/attention_operands.hpp>
#include <graft/kernels/cuda/attention_tensor_tiles.cuh>
#include <graft/kernels/cuda/reduce.cuh>

namespace graft::kernels::cuda::attention {

/// What there is for every source. It travels with a kernel's arguments, or, where there are many sources, through
/// memory that lasts until the launches have been asked for.
template <class T>
class PerSource {
 public:
  /// Source i has `make(i)`.
  template <class Make>
  PerSource(Index sources, Make const& make, std::optional<Scratch>& memory) {
    if (sources <= most) {
      for (Index i = 0; i < sources; ++i) here_[i] = make(i);
      return;
    }
    std::vector<T> all;
    for (Index i = 0; i < sources; ++i) all.push_back(make(i));
    memory.emplace(all.size() * sizeof(T));
    Runtime<Cuda>::upload(memory->data(), all.data(), all.size() * sizeof(T));
    there_ = static_cast<T const*>(memory->data());
  }
  [[nodiscard]] __device__ T const& operator[](Index i) const { return there_ ? there_[i] : here_[i]; }

 private:
  static constexpr Index most = 16;
  T here_[most]{};  // what is not there is empty: calls with the same sources are the same bytes
  T const* there_ = nullptr;
};

/// Keys and values of a source, or their gradients.
template <class Scalar>
struct KeysValues {
  Strided<Scalar, Cuda> keys, values;
};

/// The operands of a forward or backward pass.
template <class Scalar>
struct Call {
  using Sum = SumOf<Scalar>;

  Call(AttentionOperands<Scalar, Cuda> const& x, std::optional<Scratch>& memory)
      : lists(*x.table),
        shape(x.shape),
        head_dim(static_cast<int>(x.shape.head_dim)),
        scale(static_cast<Sum>(x.shape.scale)),
        queries(x.queries),
        sources(
            x.sources, [&](Index i) { return KeysValues<Scalar const>{x.keys[i], x.values[i]}; }, memory),
        bias(x.bias) {}

  SegmentLists lists;
  AttentionShape shape;
  int head_dim;
  Sum scale;
  Strided<Scalar const, Cuda> queries;
  PerSource<KeysValues<Scalar const>> sources;
  AttentionBias<Sum, Cuda> bias;

  /// Which row of the relative bias's table is for a key and a query at these positions.
  [[nodiscard]] __device__ Index bucket(Index key, Index query) const {
    return bias.bucket_of_distance.raw()[key - query - bias.first_distance];
  }
  /// The score of a query and a key at these positions, whose dot product is `dot`.
  [[nodiscard]] __device__ Sum score(Sum dot, Index head, Index key, Index query) const {
    Sum const scaled = scale * dot;
    return bias.table ? scaled + bias.table.raw()[bucket(key, query) * shape.heads + head] : scaled;
  }
};

/// One part of a kernel's work: of one tile and head, a range of the head's columns.
struct Part {
  Index tile, head;
  int first_column, columns;

  /// The i-th of `count(…)`. Tiles follow each other, so that blocks that run together read the same keys.
  template <class Sum>
  __device__ static Part at(Index i, Index tiles, Index heads, int head_dim) {
    int const first = static_cast<int>(i / (tiles * heads)) * block_columns<Sum>;
    int const left = head_dim - first;
    return {i % tiles, i / tiles % heads, first, left < block_columns<Sum> ? left : block_columns<Sum>};
  }
  template <class Sum>
  static Index count(Index tiles, Index heads, Index head_dim) {
    return tiles * heads * ((head_dim + block_columns<Sum> - 1) / block_columns<Sum>);
  }
};

/// Queries, or keys, of a tile or of what comes by.
__device__ inline int count_from(Index first, Index end, int most) {
  return end - first < most ? static_cast<int>(end - first) : most;
}

/// Starts a kernel whose blocks take `parts` parts in turn.
template <class... Parameters, class... Arguments>
void launch_parts(char const* name, void (*kernel)(Parameters...), Index parts, Arguments const&... arguments) {
  if (parts > 0) launch(name, kernel, blocks_for(parts, 1), dim3(block), arguments...);
}

}  // namespace graft::kernels::cuda::attention
