/// @file
/// @brief GGUF block formats → float32.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/io/gguf_types.hpp>
#include <graft/io/tensor_entry.hpp>
#include <graft/kernels/blocks.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace graft {

/// Converts `count` values (a multiple of the block's 1, 32 or 256) stored from `source` on.
inline void dequantize_values(GgmlType type, std::byte const* source, std::size_t count, float* out) {
  switch (type) {
    case GgmlType::f32: convert_values(Dtype::f32, source, count, out); return;
    case GgmlType::f16: convert_values(Dtype::f16, source, count, out); return;
    case GgmlType::bf16: convert_values(Dtype::bf16, source, count, out); return;
    default:
      kernels::On<Cpu, kernels::Blocks, float>::widen_rows({*block_format(type), source, 1, static_cast<Index>(count)},
                                                           0, 1, out);
  }
}

}  // namespace graft
