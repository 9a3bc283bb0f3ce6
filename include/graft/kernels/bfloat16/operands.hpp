/// @file
/// @brief Operands of a float32 kernel that are kept in bfloat16: widened before the call, results rounded after it. The host's kernels for
/// bfloat16 are the float32 ones between the two, so they are right and slow.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>

#include <graft/core/dtype.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/strided.hpp>

namespace graft::kernels::bfloat16_operands {

inline constexpr Index chunk = 16384;  ///< numbers that are worth a thread

inline void widen(bfloat16 const* x, float* y, Index size) {
  parallel_chunks(size, chunk, [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) y[i] = static_cast<float>(x[i]);
  });
}
inline void round(float const* x, bfloat16* y, Index size) {
  parallel_chunks(size, chunk, [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) y[i] = bfloat16(x[i]);
  });
}

/// So many numbers of an operand, in float. Null where it is absent.
class Room {
 public:
  Room(bool present, Index size) : numbers_(present ? new float[static_cast<std::size_t>(size)] : nullptr) {}
  [[nodiscard]] float* data() const { return numbers_.get(); }

 private:
  std::unique_ptr<float[]> numbers_;
};

/// `size` numbers to read.
class Widened {
 public:
  Widened(bfloat16 const* x, Index size) : room_(x != nullptr, size) {
    if (x) widen(x, room_.data(), size);
  }
  operator float const*() const { return room_.data(); }  // NOLINT: it stands for the pointer

 private:
  Room room_;
};

/// `size` numbers to write: `store` rounds them to `y`.
class Rounded {
 public:
  Rounded(bfloat16* y, Index size) : y_(y), size_(size), room_(y != nullptr, size) {}
  operator float*() const { return room_.data(); }  // NOLINT: it stands for the pointer
  void store() const {
    if (y_) round(room_.data(), y_, size_);
  }

 private:
  bfloat16* y_;
  Index size_;
  Room room_;
};

/// `rows` rows of `width` numbers of a wider matrix, widened and without gaps; `store` rounds them back.
template <class T>
class WidenedColumns {
 public:
  WidenedColumns(Strided<T> x, Index rows, Index width) : x_(x), rows_(rows), width_(width), room_(x.data != nullptr, rows * width) {
    each_row([width](T* from, float* to) {
      for (Index j = 0; j < width; ++j) to[j] = static_cast<float>(from[j]);
    });
  }
  [[nodiscard]] T* stored_at() const { return x_.data; }
  /// For kernels to read, or to add to.
  [[nodiscard]] auto columns() const {
    return Strided<std::conditional_t<std::is_const_v<T>, float const, float>>{room_.data(), room_.data() ? width_ : 0};
  }
  void store() const {
    each_row([width = width_](T* to, float const* from) {
      for (Index j = 0; j < width; ++j) to[j] = bfloat16(from[j]);
    });
  }

 private:
  template <class F>
  void each_row(F const& f) const {
    if (x_.data == nullptr) return;
    parallel_chunks(rows_, std::max<Index>(1, chunk / std::max<Index>(1, width_)), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) f(x_.row(i), room_.data() + i * width_);
    });
  }

  Strided<T> x_;
  Index rows_, width_;
  Room room_;
};

}  // namespace graft::kernels::bfloat16_operands
