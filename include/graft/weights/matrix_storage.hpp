/// @file
/// @brief What a frozen weight is used for, whatever its numbers are stored in: one virtual call a product, one storage
/// a file.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <graft/core/device.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/layout.hpp>
#include <graft/core/types.hpp>
#include <graft/tensor/mirrored_array.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// A W `[out, in]` that never changes. All functions may be called by several threads at once.
template <class Scalar, class Device = Cpu>
class MatrixStorage {
 public:
  MatrixStorage() = default;
  MatrixStorage(MatrixStorage const&) = delete;
  MatrixStorage& operator=(MatrixStorage const&) = delete;
  virtual ~MatrixStorage() = default;

  [[nodiscard]] virtual Index out() const = 0;
  [[nodiscard]] virtual Index in() const = 0;
  /// The layout of `dense()`.
  [[nodiscard]] virtual Layout layout() const = 0;
  /// y = β·y + x·Wᵀ; x `[rows, in]`, y `[rows, out]`.
  virtual void times_transposed(Pointer<Device, Scalar const> x, Index rows, Pointer<Device, Scalar> y,
                                Scalar beta) const = 0;
  /// y = β·y + g·W; g `[rows, out]`, y `[rows, in]`.
  virtual void times(Pointer<Device, Scalar const> g, Index rows, Pointer<Device, Scalar> y, Scalar beta) const = 0;
  /// The rows of W with these numbers, each within [0, out), in their order; y `[ids, in]`.
  virtual void rows(MirroredArray<Token, Device> const& ids, Pointer<Device, Scalar> y) const = 0;
  /// W's outputs [first, last), sharing storage.
  /// @throws ShapeError for a range outside W, or a storage whose outputs do not lie together
  [[nodiscard]] virtual std::shared_ptr<MatrixStorage const> outputs(Index first, Index last) const = 0;
  /// All of W in the model's scalar, in `layout()`, in memory of its own.
  [[nodiscard]] virtual Tensor<Scalar, Device> dense() const = 0;
  /// The numbers in `layout()`, where they are stored in bfloat16: for products that read them so. Else empty.
  [[nodiscard]] virtual Tensor<bfloat16, Device> in_bfloat16() const { return {}; }
  /// The same where they are stored in the model's scalar.
  [[nodiscard]] virtual Tensor<Scalar, Device> in_scalar() const { return {}; }
  /// W in the form that it was loaded in, where this is another one that products made of it; null for itself.
  [[nodiscard]] virtual std::shared_ptr<MatrixStorage const> as_stored() const { return nullptr; }
  /// Whether `read` costs no more than the elements that it reads.
  [[nodiscard]] virtual bool in_order() const { return true; }
  /// Elements [first, first + count) of `dense()`, each rounded to float; host storages where `in_order()` only.
  virtual void read(Index first, Index count, float* y) const = 0;
  /// Bytes of the stored numbers.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  /// Where the stored numbers begin: the same for storages that share them.
  [[nodiscard]] virtual void const* address() const = 0;
  /// "float32", "bfloat16", "Q4_1", …
  [[nodiscard]] virtual std::string_view name() const = 0;
};

}  // namespace graft
