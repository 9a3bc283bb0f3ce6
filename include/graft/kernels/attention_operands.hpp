/// @file
/// @brief What the attention kernels read and write.
#pragma once

#include <type_traits>

#include <graft/core/precision.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/segment_lists.hpp>
#include <graft/kernels/segment_table.hpp>
#include <graft/kernels/strided.hpp>

namespace graft::kernels {

/// Adds table[bucket_of_distance[distance − first_distance], head] to a score, where distance = key position − query
/// position (Raffel et al. 2020).
template <class Scalar, class Device = Cpu>
struct AttentionBias {
  Pointer<Device, Scalar const> table = nullptr;  ///< [buckets, heads], null: no bias
  Index buckets = 0;
  Pointer<Device, int const> bucket_of_distance = nullptr;
  Index first_distance = 0;
};

/// A segment table as a device's kernels read it: the host's is the table itself.
template <class Device>
using SegmentsOn = std::conditional_t<std::is_same_v<Device, Cpu>, SegmentTable, SegmentLists>;

/// What the forward and backward pass read. What there is per source is listed in the host's memory. The table has been
/// checked against the sources.
template <class Scalar, class Device = Cpu>
struct AttentionOperands {
  SegmentsOn<Device> const* table;
  AttentionShape shape;
  Strided<Scalar const, Device> queries;        ///< [queries, heads · head_dim]
  Strided<Scalar const, Device> const* keys;    ///< per source, [rows, kv_heads · head_dim]
  Strided<Scalar const, Device> const* values;  ///< per source, [rows, kv_heads · head_dim]
  Index const* source_rows;                     ///< per source
  Index sources;
  AttentionBias<SumOf<Scalar>, Device> bias;
};

/// What the backward pass adds into; null where no gradient is wanted. Different rows and heads must not overlap in
/// memory.
template <class Scalar, class Device = Cpu>
struct AttentionGradients {
  Strided<SumOf<Scalar>, Device> queries;
  Strided<SumOf<Scalar>, Device> const* keys;    ///< per source
  Strided<SumOf<Scalar>, Device> const* values;  ///< per source
  Pointer<Device, SumOf<Scalar>> bias_table;
  KeyLists const* key_lists = nullptr;  ///< of the table, on a GPU
};

}  // namespace graft::kernels
