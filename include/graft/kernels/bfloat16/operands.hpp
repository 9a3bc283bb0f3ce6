/// @file
/// @brief Operands of a float32 kernel that are kept in bfloat16: widened before the call, results rounded after it.
/// The host's kernels in this folder are the float32 ones between the two, so they are right and slow.
#pragma once

#include <algorithm>
#include <memory>

#include <graft/core/dtype.hpp>
#include <graft/core/host_pool.hpp>
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

/// So many numbers of an operand, in float, from the pool. Null where it is absent.
class Room {
 public:
  Room(bool present, Index size)
      : numbers_(present ? PoolAllocator<float>().allocate(static_cast<std::size_t>(size)) : nullptr) {}
  [[nodiscard]] float* data() const { return numbers_.get(); }

 private:
  struct Release {
    void operator()(float* numbers) const { HostPool::global().release(numbers); }
  };
  std::unique_ptr<float, Release> numbers_;
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

/// `rows` rows of `width` numbers of a wider matrix to read, without gaps.
class WidenedColumns {
 public:
  WidenedColumns(Strided<bfloat16 const> x, Index rows, Index width)
      : width_(width), room_(x.data != nullptr, rows * width) {
    if (x.data == nullptr) return;
    parallel_chunks(rows, std::max<Index>(1, chunk / std::max<Index>(1, width)), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) room_.data()[i * width + j] = static_cast<float>(x.row(i)[j]);
    });
  }
  [[nodiscard]] Strided<float const> columns() const { return {room_.data(), room_.data() ? width_ : 0}; }

 private:
  Index width_;
  Room room_;
};

}  // namespace graft::kernels::bfloat16_operands
