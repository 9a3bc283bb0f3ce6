/// @file
/// @brief A frozen matrix kept as a file's quantized blocks, which products widen while they read them.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/kernels/blocks.hpp>
#include <graft/weights/matrix_storage.hpp>

namespace graft {

/// W `[out, in]` in rows of blocks, whatever the layout of `dense()`. The widened numbers are those of the format to
/// the last bit.
template <class Scalar, class Device = Cpu>
class BlockStorage final : public MatrixStorage<Scalar, Device> {
  using Kernel = kernels::On<Device, kernels::Blocks, Scalar>;
  using Blocks = kernels::BlockMatrixOn<Device>;
  static constexpr bool on_host = std::is_same_v<Device, Cpu>;

 public:
  /// `owner` keeps the blocks alive.
  BlockStorage(Blocks const& blocks, std::shared_ptr<void const> owner, Layout layout = Layout::out_in)
      : blocks_(blocks), owner_(std::move(owner)), layout_(layout) {
    Index const values = block_values(blocks.format);
    if (blocks.columns % values != 0)
      fail<ShapeError>("[BlockStorage] got rows of ", blocks.columns, "; expected a multiple of the ", values,
                       " of a block of ", name());
  }

  [[nodiscard]] Index out() const override { return blocks_.rows; }
  [[nodiscard]] Index in() const override { return blocks_.columns; }
  [[nodiscard]] Layout layout() const override { return layout_; }
  [[nodiscard]] Blocks const& blocks() const { return blocks_; }
  void times_transposed(Pointer<Device, Scalar const> x, Index rows, Pointer<Device, Scalar> y,
                        Scalar beta) const override {
    Kernel::times_transposed(blocks_, x, rows, y, beta);
  }
  void times(Pointer<Device, Scalar const> g, Index rows, Pointer<Device, Scalar> y, Scalar beta) const override {
    Kernel::times(blocks_, g, rows, y, beta);
  }
  void rows(MirroredArray<Token, Device> const& ids, Pointer<Device, Scalar> y) const override {
    Kernel::pick_rows(blocks_, ids.data(), ids.size(), y);
  }
  [[nodiscard]] std::shared_ptr<MatrixStorage<Scalar, Device> const> outputs(Index first, Index last) const override {
    if (first < 0 || last < first || last > out())
      fail<ShapeError>("[FrozenMatrix] got outputs ", first, " to ", last, "; expected a range within 0 to ", out());
    Blocks part = blocks_;
    part.first += first;
    part.rows = last - first;
    return std::make_shared<BlockStorage const>(part, owner_, layout_);
  }
  [[nodiscard]] Tensor<Scalar, Device> dense() const override { return widened<Scalar>(); }
  /// Where the device multiplies bfloat16: the numbers rounded to it, for the time of a product.
  [[nodiscard]] Tensor<bfloat16, Device> in_bfloat16() const override {
    if constexpr (!on_host && kernels::cuda::is_listed<kernels::Blocks<Device, bfloat16>>)
      return widened<bfloat16>();
    else
      return {};
  }
  [[nodiscard]] bool in_order() const override { return layout_ == Layout::out_in; }
  void read(Index first, Index count, float* y) const override {
    if constexpr (on_host) {
      std::vector<float> line(static_cast<std::size_t>(in()));
      while (count > 0) {
        Index const start = first % in(), some = std::min(count, in() - start), row = first / in();
        kernels::On<Cpu, kernels::Blocks, float>::widen_rows(blocks_, row, row + 1, line.data());
        y = std::copy_n(line.data() + start, some, y);
        first += some;
        count -= some;
      }
    } else {
      fail("[FrozenMatrix] got numbers that are not in the host's memory; expected a host matrix, from ", first, ", ",
           count, " to ", y);
    }
  }
  [[nodiscard]] std::size_t bytes() const override {
    return static_cast<std::size_t>(blocks_.rows * blocks_.row_bytes());
  }
  [[nodiscard]] void const* address() const override { return kernels::raw(blocks_.data); }
  [[nodiscard]] std::string_view name() const override { return block_format_name(blocks_.format); }

 private:
  template <class To>
  [[nodiscard]] Tensor<To, Device> widened() const {
    using Widen = kernels::On<Device, kernels::Blocks, To>;
    bool const turned = layout_ == Layout::in_out;
    Tensor<To, Device> result(turned ? Shape{in(), out()} : Shape{out(), in()});
    if (turned)
      Widen::widen_turned(blocks_, result.data());
    else
      Widen::widen_rows(blocks_, 0, out(), result.data());
    return result;
  }

  Blocks blocks_;
  std::shared_ptr<void const> owner_;
  Layout layout_;
};

}  // namespace graft
