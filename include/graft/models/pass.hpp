/// @file
/// @brief What one step carries through the layers of a stack.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/models/config.hpp>
#include <graft/models/frozen_beginnings.hpp>
#include <graft/models/pass_observer.hpp>
#include <graft/models/segment_tables.hpp>
#include <graft/nn/row_groups.hpp>

namespace graft {

/// States of an encoder, and whose they are.
template <class Scalar, class Device>
struct EncoderStates {
  Variable<Scalar, Device> states;  ///< `[source tokens, width]`
  Rows rows;                        ///< of the source tokens, virtual ones included
  std::vector<Index> of;            ///< `[decoder's rows]`: the row of `rows` each attends to; empty: row r to row r
};

template <class Scalar, class Device>
struct StackPass {
  Stack stack = Stack::decoder;
  RowLayout layout;  ///< `[tokens]`, virtual ones included
  /// the rows of the activation at hand: all tokens, then those of the last layer's queries
  Rows out;
  Queries<Device> all;                   ///< `[tokens]`: every token of the rows
  Queries<Device> last;                  ///< `[queries]` of the main stack's last layer
  Rows last_rows;                        ///< the rows of `last`
  MirroredArray<Index, Device> targets;  ///< `[targets]` of the main stack: where they are in `last_rows`
  std::shared_ptr<SegmentTables> tables = std::make_shared<SegmentTables>();
  CacheView<Scalar, Device> const* cache = nullptr;
  MirroredArray<Index, Device> cache_rows;  ///< `[tokens]`: where the cache keeps each; none without one
  /// what rows go on from in place of a cache; null: nothing
  std::shared_ptr<FrozenBeginnings<Scalar, Device> const> beginnings = nullptr;
  EncoderStates<Scalar, Device> const* source = nullptr;  ///< null where the cache holds them, or there is no encoder
  RelativeBias<Scalar, Device> bias = {};  ///< of self-attention, table `[buckets, heads]`; empty for other positions
  PassObserver<Scalar, Device> const* observer = nullptr;

  [[nodiscard]] bool causal() const { return stack == Stack::decoder; }
  /// Where earlier tokens of the rows are, in the cache or among the beginnings; empty without either.
  [[nodiscard]] std::vector<ContinuedRow> const& continued() const {
    static auto const& none =
        *new std::vector<ContinuedRow>;  // never destroyed: a thread may compute while the process ends
    return cache ? cache->rows : beginnings ? beginnings->rows : none;
  }
};

/// Collects what the kernels of all layers are told of a pass whose rows are laid out, and uploads it at once.
/// @param main whether the last layer computes the targets' queries alone (unless an observer wants every query)
/// @param rotary whether keys and queries are rotated by their positions
template <class Scalar, class Device>
void upload_arrays(StackPass<Scalar, Device>& pass, bool main, bool rotary) {
  Rows const& rows = pass.out;
  StepArrays<Device> arrays;
  auto const positions = [&](Rows const& of) {
    return rotary ? arrays.add(of.positions) : MirroredArray<Index, Device>();
  };
  pass.all = {all_queries(rows), {}, positions(rows)};
  if (main) {
    QueryRange range = pass.observer && pass.observer->every_query ? all_queries(rows) : target_queries(rows);
    range.all = false;
    pass.last_rows = restrict_rows(rows, range);
    share_addresses(pass.last_rows);
    if (rows.groups) pass.last_rows.groups = groups_of(pass.last_rows);
    pass.last = {range, arrays.add(range.packed(rows)), positions(pass.last_rows)};
    pass.targets = arrays.add(pass.last_rows.targets.at);
  }
  if (pass.cache) {
    std::vector<Index> places;
    places.reserve(static_cast<std::size_t>(rows.tokens()));
    for (Index r = 0; r < rows.count(); ++r)
      for (Index i = 0; i < rows.length(r); ++i)
        places.push_back(pass.cache->rows[static_cast<std::size_t>(r)].append + i);
    pass.cache_rows = arrays.add(std::move(places));
  }
  arrays.upload();
}

/// The bucket of key position − query position (Raffel et al. 2020): half of the buckets are exact distances, the
/// others grow logarithmically up to the greatest; a bidirectional stack has half of the buckets for keys behind the
/// query, a causal one only looks back.
[[nodiscard]] inline int relative_bucket(Index distance, bool causal, RelativePositions const& relative) {
  Index const buckets = causal ? relative.buckets : relative.buckets / 2;
  Index const side = !causal && distance > 0 ? buckets : 0;
  Index const far = causal ? std::max<Index>(0, -distance) : std::abs(distance), exact = buckets / 2;
  if (far < exact) return static_cast<int>(side + far);
  // in float, as transformers computes it, so that distances at a bucket's edge fall on the same side
  float const share =
      std::log(static_cast<float>(far) / static_cast<float>(exact)) /
      static_cast<float>(std::log(static_cast<double>(relative.max_distance) / static_cast<double>(exact)));
  auto const logarithmic = exact + static_cast<Index>(share * static_cast<float>(buckets - exact));
  return static_cast<int>(side + std::min(buckets - 1, logarithmic));
}

/// The relative bias of a stack for rows laid out so, with room for `virtual_keys` keys that strategies add to each
/// row. `table` is
/// `[buckets, heads]`.
template <class Scalar, class Device>
[[nodiscard]] RelativeBias<Scalar, Device> relative_bias(Variable<SumOf<Scalar>, Device> table, RowLayout const& layout,
                                                         Index virtual_keys, bool causal,
                                                         RelativePositions const& relative) {
  Index reach = virtual_keys + 1;
  for (Index r = 0; r < layout.rows.count(); ++r)
    reach =
        std::max(reach, layout.earlier_tokens[static_cast<std::size_t>(r)] + layout.rows.length(r) + virtual_keys + 1);
  // a GPU's kernels are told the same of several steps of decoding, whose rows grow by a token each
  if constexpr (!std::is_same_v<Device, Cpu>) reach = (reach + 63) / 64 * 64;
  std::vector<int> buckets;
  for (Index distance = -reach; distance <= reach; ++distance)
    buckets.push_back(relative_bucket(distance, causal, relative));
  return {std::move(table), std::move(buckets), -reach};  // [buckets, heads], [2 · reach + 1]
}

}  // namespace graft
