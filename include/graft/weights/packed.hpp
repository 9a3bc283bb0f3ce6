/// @file
/// @brief A frozen matrix that its first product puts in the order in which products read it.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/packed.hpp>
#include <graft/weights/frozen_matrix.hpp>

namespace graft {

namespace detail {

/// Whether numbers of this type have a packed form for products in `Scalar`.
template <class Stored, class Scalar>
inline constexpr bool has_packed_form =
    std::is_same_v<Stored, Scalar> ||
    (std::is_same_v<Scalar, float> && (std::is_same_v<Stored, bfloat16> || std::is_same_v<Stored, half>));

/// The storage of numbers as they were loaded.
template <class Stored, class Scalar>
using PlainStorage =
    std::conditional_t<std::is_same_v<Stored, Scalar>, DenseStorage<Scalar>, NarrowStorage<Stored, Scalar>>;

/// @throws ShapeError for a range outside W's outputs
inline void check_outputs(Index first, Index last, Index out) {
  if (first < 0 || last < first || last > out)
    fail<ShapeError>("[FrozenMatrix] got outputs ", first, " to ", last, "; expected a range within 0 to ", out);
}

/// A packed W `[out, in]`.
template <class Stored>
struct Panels {
  Tensor<Stored> numbers;
  kernels::PackedMatrix matrix;

  /// y_k, k < count, are W's elements (o, t + k), or (o + k, t) where `turned`.
  template <class To>
  void read(Index o, Index t, Index count, bool turned, To* y) const {
    auto const* const data = static_cast<Stored const*>(matrix.data);
    if (turned)
      for (Index k = 0; k < count; ++k) y[k] = static_cast<To>(data[matrix.place(o + k, t)]);
    else
      for (Index k = 0, place = matrix.place(o, t); k < count; ++k, place += matrix.panel)
        y[k] = static_cast<To>(data[place]);
  }
};

}  // namespace detail

/// A host's W, in the model's scalar, in bfloat16 or in half. It stays as it was stored until its first product, which
/// packs it, once for x·Wᵀ and g·W. What it was stored in is released then, by whoever reads it last: the owner of an
/// aliased tensor may give a file's pages back. Where the program has put another function in the place of graft's own
/// (`kernels::Matmul::function`), nothing is packed and that function multiplies.
template <class Stored, class Scalar>
class PackedStorage final : public MatrixStorage<Scalar, Cpu> {
  static_assert(detail::has_packed_form<Stored, Scalar>);
  using Kernel = kernels::On<Cpu, kernels::Packed, Scalar>;
  using Plain = detail::PlainStorage<Stored, Scalar>;

 public:
  /// @param stored `[out, in]` or `[in, out]`
  PackedStorage(Tensor<Stored> stored, Layout layout)
      : layout_(layout),
        out_(stored.shape()[layout == Layout::out_in ? 0 : 1]),
        in_(stored.shape()[layout == Layout::out_in ? 1 : 0]),
        plain_(std::make_shared<Plain const>(std::move(stored), layout)) {}

  [[nodiscard]] Index out() const override { return out_; }
  [[nodiscard]] Index in() const override { return in_; }
  [[nodiscard]] Layout layout() const override { return layout_; }
  void times_transposed(Scalar const* x, Index rows, Scalar* y, Scalar beta) const override {
    if (auto const packed = panels())
      Kernel::times_transposed(packed->matrix, x, rows, y, beta);
    else
      plain()->times_transposed(x, rows, y, beta);
  }
  void times(Scalar const* g, Index rows, Scalar* y, Scalar beta) const override {
    if (auto const packed = panels())
      Kernel::times(packed->matrix, g, rows, y, beta);
    else
      plain()->times(g, rows, y, beta);
  }
  void rows(MirroredArray<Token> const& ids, Scalar* y) const override {
    auto const [plain, packed] = state();
    if (plain) return plain->rows(ids, y);
    parallel_chunks(ids.size(), rows_per_chunk(in_), [&, packed = packed.get()](Index first, Index last) {
      for (Index i = first; i < last; ++i) packed->read(ids.data()[i], 0, in_, false, y + i * in_);
    });
  }
  /// Packs W first: a part of it is for products. A part whose first output is not the first of a panel is a copy.
  [[nodiscard]] std::shared_ptr<MatrixStorage<Scalar, Cpu> const> outputs(Index first, Index last) const override {
    auto const packed = panels();
    if (!packed) return plain()->outputs(first, last);
    detail::check_outputs(first, last, out_);
    if (first % packed->matrix.panel != 0)
      return std::make_shared<Plain const>(copy<Stored>(*packed, first, last), layout_);
    Packed part{packed->numbers, packed->matrix};
    part.matrix.out = last - first;
    part.matrix.data = static_cast<Stored const*>(packed->matrix.data) + first * in_;
    return std::shared_ptr<PackedStorage const>(new PackedStorage(std::move(part), layout_));
  }
  [[nodiscard]] Tensor<Scalar> dense() const override {
    auto const [plain, packed] = state();
    return plain ? plain->dense() : copy<Scalar>(*packed, 0, out_);
  }
  void read(Index first, Index count, float* y) const override {
    auto const [plain, packed] = state();
    if (plain) return plain->read(first, count, y);
    bool const turned = layout_ == Layout::in_out;
    Index const width = turned ? out_ : in_;
    while (count > 0) {
      Index const row = first / width, column = first % width, some = std::min(count, width - column);
      packed->read(turned ? column : row, turned ? row : column, some, turned, y);
      first += some;
      count -= some;
      y += some;
    }
  }
  [[nodiscard]] std::size_t bytes() const override { return static_cast<std::size_t>(out_ * in_) * sizeof(Stored); }
  /// Of the panels, once there are any.
  [[nodiscard]] void const* address() const override {
    auto const [plain, packed] = state();
    return plain ? plain->address() : packed->matrix.data;
  }
  [[nodiscard]] std::string_view name() const override { return dtype_name(dtype_of<Stored>); }
  /// Itself before the first product, else a copy.
  [[nodiscard]] std::shared_ptr<MatrixStorage<Scalar, Cpu> const> as_stored() const override {
    auto const [plain, packed] = state();
    return plain ? plain : std::make_shared<Plain const>(copy<Stored>(*packed, 0, out_), layout_);
  }

 private:
  using Packed = detail::Panels<Stored>;
  struct State {
    std::shared_ptr<Plain const> plain;    ///< until it is packed
    std::shared_ptr<Packed const> packed;  ///< from then on
  };

  /// A part of a packed matrix.
  PackedStorage(Packed part, Layout layout)
      : layout_(layout),
        out_(part.matrix.out),
        in_(part.matrix.in),
        packed_(std::make_shared<Packed const>(std::move(part))) {}

  [[nodiscard]] State state() const {
    std::lock_guard<std::mutex> const lock(mutex_);
    return {plain_, packed_};
  }
  [[nodiscard]] std::shared_ptr<Plain const> plain() const { return state().plain; }
  /// Null where products are another function's. Threads that come at the same time each pack it, and the first is
  /// kept: none waits for another, which might need the threads that the first one keeps busy.
  [[nodiscard]] std::shared_ptr<Packed const> panels() const {
    auto [plain, packed] = state();
    if (packed) return packed;
    using Matmul = kernels::Matmul<Cpu, Scalar>;
    if (Matmul::function() != Matmul::own()) return nullptr;
    auto made = pack(*plain);
    std::lock_guard<std::mutex> const lock(mutex_);
    if (!packed_) {
      packed_ = std::move(made);
      plain_.reset();
    }
    return packed_;
  }
  [[nodiscard]] std::shared_ptr<Packed const> pack(Plain const& from) const {
    auto const packed = std::make_shared<Packed>();
    packed->matrix = {out_, in_, Kernel::panel_width(), dtype_of<Stored>, nullptr};
    packed->numbers = Tensor<Stored>(Shape{packed->matrix.numbers()});
    packed->matrix.data = packed->numbers.data();
    Kernel::pack(from.stored().data(),
                 layout_ == Layout::out_in ? kernels::MatrixSteps{in_, 1} : kernels::MatrixSteps{1, out_},
                 packed->matrix, packed->numbers.data());
    return packed;
  }
  /// Outputs [first, last), in the layout that W was stored in.
  template <class To>
  [[nodiscard]] Tensor<To> copy(Packed const& packed, Index first, Index last) const {
    bool const turned = layout_ == Layout::in_out;
    Index const out = last - first;
    Tensor<To> result(turned ? Shape{in_, out} : Shape{out, in_});
    parallel_chunks(out, rows_per_chunk(in_), [&](Index from, Index to) {
      if (turned)
        for (Index t = 0; t < in_; ++t) packed.read(first + from, t, to - from, true, result.data() + t * out + from);
      else
        for (Index o = from; o < to; ++o) packed.read(first + o, 0, in_, false, result.row(o));
    });
    return result;
  }

  Layout layout_;
  Index out_, in_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Plain const> plain_;
  mutable std::shared_ptr<Packed const> packed_;
};

/// What multiplies frozen matrices on the host in place of `PackedStorage`: another library (`use_onednn`).
template <class Stored, class Scalar>
struct OtherProducts {
  /// The storage of a matrix; null to leave it to graft.
  using Make = std::shared_ptr<MatrixStorage<Scalar, Cpu> const> (*)(Tensor<Stored> const& stored, Layout layout);
  /// Null for graft's own. Matrices that are there already stay as they are.
  [[nodiscard]] static std::atomic<Make>& maker() {
    static std::atomic<Make> chosen{nullptr};
    return chosen;
  }
};

/// A frozen matrix for many products: on the host packed by the first, where its numbers have a packed form.
template <class Scalar, class Stored, class Device>
[[nodiscard]] FrozenMatrix<Scalar, Device> for_products(Tensor<Stored, Device> stored, Layout layout) {
  if constexpr (std::is_same_v<Device, Cpu> && detail::has_packed_form<Stored, Scalar>) {
    if (auto const make = OtherProducts<Stored, Scalar>::maker().load())
      if (auto storage = make(stored, layout)) return FrozenMatrix<Scalar>(std::move(storage));
    return {std::make_shared<PackedStorage<Stored, Scalar> const>(std::move(stored), layout)};
  } else {
    return {std::move(stored), layout};
  }
}

}  // namespace graft
