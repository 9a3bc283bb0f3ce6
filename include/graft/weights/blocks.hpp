/// @file
/// @brief A frozen matrix kept as a file's quantized blocks, which products widen while they read them.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/blocks.hpp>
#include <graft/weights/matrix_storage.hpp>

namespace graft {

/// W `[out, in]` in rows of blocks, whatever the layout of `dense()`. The widened numbers are those of the format to
/// the last bit.
template <class Scalar>
class BlockStorage final : public MatrixStorage<Scalar, Cpu> {
  using Kernel = kernels::On<Cpu, kernels::Blocks, Scalar>;

 public:
  /// `owner` keeps the blocks alive.
  BlockStorage(kernels::BlockMatrix const& blocks, std::shared_ptr<void const> owner, Layout layout = Layout::out_in)
      : blocks_(blocks), owner_(std::move(owner)), layout_(layout) {
    Index const values = block_values(blocks.format);
    if (blocks.columns % values != 0)
      fail<ShapeError>("[BlockStorage] got rows of ", blocks.columns, "; expected a multiple of the ", values,
                       " of a block of ", name());
  }

  [[nodiscard]] Index out() const override { return blocks_.rows; }
  [[nodiscard]] Index in() const override { return blocks_.columns; }
  [[nodiscard]] Layout layout() const override { return layout_; }
  void times_transposed(Scalar const* x, Index rows, Scalar* y, Scalar beta) const override {
    Kernel::times_transposed(blocks_, x, rows, y, beta);
  }
  void times(Scalar const* g, Index rows, Scalar* y, Scalar beta) const override {
    Kernel::times(blocks_, g, rows, y, beta);
  }
  void rows(MirroredArray<Token> const& ids, Scalar* y) const override {
    parallel_chunks(ids.size(), rows_per_chunk(in()), [&, numbers = ids.data()](Index first, Index last) {
      for (Index k = first; k < last; ++k) widen(numbers[k], y + k * in());
    });
  }
  [[nodiscard]] std::shared_ptr<MatrixStorage<Scalar, Cpu> const> outputs(Index first, Index last) const override {
    if (first < 0 || last < first || last > out())
      fail<ShapeError>("[FrozenMatrix] got outputs ", first, " to ", last, "; expected a range within 0 to ", out());
    kernels::BlockMatrix part = blocks_;
    part.first += first;
    part.rows = last - first;
    return std::make_shared<BlockStorage const>(part, owner_, layout_);
  }
  [[nodiscard]] Tensor<Scalar> dense() const override {
    if (layout_ == Layout::in_out) return turned();
    Tensor<Scalar> result(Shape{out(), in()});
    Kernel::widen_rows(blocks_, 0, out(), result.data());
    return result;
  }
  [[nodiscard]] bool in_order() const override { return layout_ == Layout::out_in; }
  void read(Index first, Index count, float* y) const override {
    std::vector<float> line(static_cast<std::size_t>(in()));
    while (count > 0) {
      Index const start = first % in(), some = std::min(count, in() - start);
      kernels::On<Cpu, kernels::Blocks, float>::widen(blocks_.format, blocks_.row(first / in()), in(), line.data());
      y = std::copy_n(line.data() + start, some, y);
      first += some;
      count -= some;
    }
  }
  [[nodiscard]] std::size_t bytes() const override {
    return static_cast<std::size_t>(blocks_.rows * blocks_.row_bytes());
  }
  [[nodiscard]] void const* address() const override { return blocks_.data; }
  [[nodiscard]] std::string_view name() const override { return block_format_name(blocks_.format); }

 private:
  /// Row `i` of W.
  void widen(Index i, Scalar* y) const { Kernel::widen(blocks_.format, blocks_.row(i), blocks_.columns, y); }
  /// Wᵀ `[in, out]`, in groups of rows of W that fit the cache.
  [[nodiscard]] Tensor<Scalar> turned() const {
    Tensor<Scalar> result(Shape{in(), out()});
    parallel_chunks(out(), 16, [&](Index first, Index last) {
      std::vector<Scalar> rows(static_cast<std::size_t>((last - first) * in()));
      for (Index i = first; i < last; ++i) widen(i, rows.data() + (i - first) * in());
      for (Index k = 0; k < in(); ++k)
        for (Index i = first; i < last; ++i) result.row(k)[i] = rows[static_cast<std::size_t>((i - first) * in() + k)];
    });
    return result;
  }

  kernels::BlockMatrix blocks_;
  std::shared_ptr<void const> owner_;
  Layout layout_;
};

}  // namespace graft
