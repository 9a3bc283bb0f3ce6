/// @file
/// @brief A stored tensor as raw bytes, and its conversion into a buffer of floats or doubles.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/core/error.hpp>
#include <graft/io/mapped_file.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace graft {

static_assert(std::endian::native == std::endian::little,
              "safetensors, GGUF and .npy are little-endian; so is every supported machine");

/// A tensor in a file: row-major values of `dtype`, which `data` aliases for as long as `owner` (or a copy of it) is
/// held.
struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  ///< rank 0 is a scalar
  std::byte const* data = nullptr;  ///< `bytes` bytes, at any alignment
  std::size_t bytes = 0;
  std::shared_ptr<MappedFile const> owner;  ///< keeps `data` alive; empty if the caller does

  /// Whether `data` may be read through a pointer to the element type; safetensors only promises alignment by
  /// convention.
  [[nodiscard]] bool aligned() const noexcept {
    return reinterpret_cast<std::uintptr_t>(data) % dtype_size(dtype) == 0;
  }
};

namespace detail {

template <class Stored, class Real>
void convert_from(std::byte const* source, std::size_t count, Real* out) {
  for (std::size_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, source + i * sizeof(Stored), sizeof(Stored));
    if constexpr (std::is_same_v<Stored, half> || std::is_same_v<Stored, bfloat16>) {
      out[i] = static_cast<Real>(static_cast<float>(value));
    } else {
      out[i] = static_cast<Real>(value);
    }
  }
}

}  // namespace detail

/// Converts `count` stored values at `source` (any alignment) to float or double; bool becomes 0 or 1.
template <class Real>
void convert_values(Dtype dtype, std::byte const* source, std::size_t count, Real* out) {
  static_assert(std::is_same_v<Real, float> || std::is_same_v<Real, double>);
  if (count == 0) return;
  if (dtype == dtype_of<Real>) {
    std::memcpy(out, source, count * sizeof(Real));
    return;
  }
  switch (dtype) {
    case Dtype::f64: return detail::convert_from<double>(source, count, out);
    case Dtype::f32: return detail::convert_from<float>(source, count, out);
    case Dtype::f16: return detail::convert_from<half>(source, count, out);
    case Dtype::bf16: return detail::convert_from<bfloat16>(source, count, out);
    case Dtype::i64: return detail::convert_from<std::int64_t>(source, count, out);
    case Dtype::i32: return detail::convert_from<std::int32_t>(source, count, out);
    case Dtype::i16: return detail::convert_from<std::int16_t>(source, count, out);
    case Dtype::i8: return detail::convert_from<std::int8_t>(source, count, out);
    case Dtype::u8: return detail::convert_from<std::uint8_t>(source, count, out);
    case Dtype::boolean:
      for (std::size_t i = 0; i < count; ++i) out[i] = source[i] == std::byte{0} ? Real(0) : Real(1);
      return;
  }
}

}  // namespace graft
