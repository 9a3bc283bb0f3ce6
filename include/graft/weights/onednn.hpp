/// @file
/// @brief Frozen matrices that oneDNN multiplies. oneDNN uses a processor's matrix units (AMX). No other header
/// includes this one: oneDNN stays out of the core.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include <graft/core/profile.hpp>
#include <graft/weights/onednn_product.hpp>
#include <graft/weights/packed.hpp>

namespace graft {

/// A W whose products are oneDNN's. The first product in each direction, x·Wᵀ and g·W, puts W in an order of oneDNN's
/// own: a training keeps it twice. The stored form is then released, unless something reads W itself (`rows`, `read`,
/// `address`). Parts (`outputs`) are matrices of their own.
///
/// W in bfloat16: x in float32 is the sum of at most three matrices of bfloat16, each of which is multiplied; results
/// have float32's accuracy. x whose numbers are bfloat16 is one such matrix.
///
/// Sums are in oneDNN's order, which may depend on the number of rows, not on that of threads.
template <class Stored>
class OnednnStorage final : public MatrixStorage<float, Cpu> {
  using Plain = detail::PlainStorage<Stored, float>;
  using Product = detail::OnednnProduct;

 public:
  static constexpr auto type = std::is_same_v<Stored, float> ? Product::Type::f32 : Product::Type::bf16;

  /// @param stored `[out, in]` or `[in, out]`
  OnednnStorage(Tensor<Stored> stored, Layout layout)
      : layout_(layout), plain_(std::make_shared<Plain const>(std::move(stored), layout)) {
    out_ = plain_->out();
    in_ = plain_->in();
  }

  [[nodiscard]] Index out() const override { return out_; }
  [[nodiscard]] Index in() const override { return in_; }
  [[nodiscard]] Layout layout() const override { return layout_; }
  void times_transposed(float const* x, Index rows, float* y, float beta) const override {
    multiply(forward_, in_, out_, {input_step(), output_step()}, x, rows, y, beta);
  }
  void times(float const* g, Index rows, float* y, float beta) const override {
    multiply(reverse_, out_, in_, {output_step(), input_step()}, g, rows, y, beta);
  }
  void rows(MirroredArray<Token> const& ids, float* y) const override { plain(true)->rows(ids, y); }
  /// Parts are made once, for those who ask for the same ones in every step.
  [[nodiscard]] std::shared_ptr<MatrixStorage<float, Cpu> const> outputs(Index first, Index last) const override {
    detail::check_outputs(first, last, out_);
    {
      std::lock_guard<std::mutex> const lock(mutex_);
      if (auto const known = parts_.find({first, last}); known != parts_.end()) return known->second;
    }
    auto const whole = plain();
    Tensor<Stored> part;
    if (layout_ == Layout::out_in) {
      part = whole->stored().slice(first, last);
    } else {
      part = Tensor<Stored>(Shape{in_, last - first});
      for (Index i = 0; i < in_; ++i) std::copy_n(whole->stored().row(i) + first, last - first, part.row(i));
    }
    auto made = std::make_shared<OnednnStorage const>(std::move(part), layout_);
    std::lock_guard<std::mutex> const lock(mutex_);
    return parts_.try_emplace({first, last}, std::move(made)).first->second;
  }
  [[nodiscard]] Tensor<float> dense() const override { return plain()->dense(); }
  [[nodiscard]] std::shared_ptr<MatrixStorage<float, Cpu> const> as_stored() const override { return plain(); }
  void read(Index first, Index count, float* y) const override { plain(true)->read(first, count, y); }
  [[nodiscard]] std::size_t bytes() const override { return static_cast<std::size_t>(out_ * in_) * sizeof(Stored); }
  [[nodiscard]] void const* address() const override { return plain(true)->address(); }
  [[nodiscard]] std::string_view name() const override { return dtype_name(dtype_of<Stored>); }

 private:
  /// Between neighbouring rows, and columns, of a product's matrix in the stored form.
  struct Steps {
    Index row, column;
  };
  [[nodiscard]] Index input_step() const { return layout_ == Layout::out_in ? 1 : out_; }
  [[nodiscard]] Index output_step() const { return layout_ == Layout::out_in ? in_ : 1; }

  /// The stored form; made again where it has gone, outside the lock, which nobody may hold while waiting for the
  /// threads of the pool. @param keep from now on
  [[nodiscard]] std::shared_ptr<Plain const> plain(bool keep = false) const {
    std::shared_ptr<Product const> forward, reverse;
    {
      std::lock_guard<std::mutex> const lock(mutex_);
      keep_ = keep_ || keep;
      if (plain_) return plain_;
      forward = forward_, reverse = reverse_;
    }
    bool const turned = layout_ == Layout::in_out;
    Tensor<Stored> numbers(turned ? Shape{in_, out_} : Shape{out_, in_});
    if (forward)
      forward->unpack(numbers.data(), input_step(), output_step());
    else
      reverse->unpack(numbers.data(), output_step(), input_step());
    auto made = std::make_shared<Plain const>(std::move(numbers), layout_);
    std::lock_guard<std::mutex> const lock(mutex_);
    if (keep_ && !plain_) plain_ = made;
    return plain_ ? plain_ : made;
  }
  /// The matrix of a product, in oneDNN's order.
  [[nodiscard]] std::shared_ptr<Product const> packed(std::shared_ptr<Product const>& which, Index k, Index n,
                                                      Steps steps) const {
    {
      std::lock_guard<std::mutex> const lock(mutex_);
      if (which) return which;
    }
    auto const from = plain();
    auto made = std::make_shared<Product const>(type, k, n, from->stored().data(), steps.row, steps.column);
    std::lock_guard<std::mutex> const lock(mutex_);
    if (!which) which = std::move(made);
    if (!keep_) plain_.reset();
    return which;
  }
  void multiply(std::shared_ptr<Product const>& which, Index k, Index n, Steps steps, float const* x, Index rows,
                float* y, float beta) const {
    if (rows == 0 || n == 0) return;
    KernelTimer const timer("product by oneDNN", 2.0 * static_cast<double>(rows) * static_cast<double>(k * n),
                            static_cast<double>(k * n) * sizeof(Stored) + 4.0 * static_cast<double>(rows * (k + n)));
    if (beta != 0.F && beta != 1.F)
      for (Index i = 0; i < rows * n; ++i) y[i] *= beta;
    if (k == 0) {
      if (beta == 0.F) std::fill_n(y, rows * n, 0.F);
      return;
    }
    auto const product = packed(which, k, n, steps);
    if constexpr (std::is_same_v<Stored, float>) {
      product->multiply(x, rows, y, beta != 0.F);
    } else {
      detail::Bfloat16Terms const terms(x, rows * k);
      for (int t = 0; t < terms.size(); ++t) product->multiply(terms[t], rows, y, beta != 0.F || t > 0);
    }
  }

  Layout layout_;
  Index out_ = 0, in_ = 0;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Plain const> plain_;
  mutable std::shared_ptr<Product const> forward_, reverse_;
  mutable std::map<std::pair<Index, Index>, std::shared_ptr<OnednnStorage const>> parts_;
  mutable bool keep_ = false;  ///< the stored form
};

/// Which frozen matrices `use_onednn` hands over.
struct OnednnChoice {
  bool float32 = false;   ///< those in float32
  bool bfloat16 = false;  ///< those in bfloat16

  /// What is faster on this processor: bfloat16 where it has matrix units for it. In float32 graft's own products are
  /// as fast.
  [[nodiscard]] static OnednnChoice best() {
    auto const amx = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_amx);  // a set of bits
    return {.float32 = false, .bfloat16 = (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & amx) == amx};
  }
};

namespace detail {
template <class Stored>
[[nodiscard]] std::shared_ptr<MatrixStorage<float, Cpu> const> onednn_storage(Tensor<Stored> const& stored,
                                                                              Layout layout) {
  if (stored.shape().rank() != 2 || stored.size() == 0) return nullptr;
  return std::make_shared<OnednnStorage<Stored> const>(stored, layout);
}
}  // namespace detail

/// Lets oneDNN multiply the frozen matrices of models that are loaded from now on, as far as it is chosen and oneDNN
/// has kernels for this processor; what is not chosen is graft's own again. Call it before threads load models.
/// @return what is handed over
inline OnednnChoice use_onednn(OnednnChoice const& choice = OnednnChoice::best()) {
  using Product = detail::OnednnProduct;
  OnednnChoice const used{choice.float32 && Product::has_kernel(Product::Type::f32),
                          choice.bfloat16 && Product::has_kernel(Product::Type::bf16)};
  OtherProducts<float, float>::maker() = used.float32 ? &detail::onednn_storage<float> : nullptr;
  OtherProducts<bfloat16, float>::maker() = used.bfloat16 ? &detail::onednn_storage<bfloat16> : nullptr;
  return used;
}

}  // namespace graft
