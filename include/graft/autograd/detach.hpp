/// @file
/// @brief The value of a variable as a constant: what is computed of it passes no gradient on.
#pragma once

#include <any>
#include <cstddef>
#include <utility>
#include <vector>

#include <graft/autograd/variable.hpp>

namespace graft {

namespace detail {

/// What a function detached when it was called first. A gradient check calls it again and again with changed inputs,
/// and what it detached must stay what it was: it counts as a constant.
class DetachedValues {
 public:
  /// While it lives, what this thread detaches is kept, or answered by what was kept.
  class Use {
   public:
    explicit Use(DetachedValues& values) : before_(std::exchange(current(), &values)) { values.next_ = 0; }
    ~Use() { current() = before_; }
    Use(Use const&) = delete;
    Use& operator=(Use const&) = delete;

   private:
    DetachedValues* before_;
  };

  static DetachedValues*& current() {
    thread_local DetachedValues* values = nullptr;
    return values;
  }
  /// From now on values are answered, and none is kept.
  void close() { closed_ = true; }
  /// The value that takes the place of `now`.
  template <class Scalar, class Device>
  [[nodiscard]] Tensor<Scalar, Device> value(Tensor<Scalar, Device> const& now) {
    using Values = Tensor<Scalar, Device>;
    if (!closed_) {  // a copy: the check changes its inputs where they are
      using Kernel = kernels::On<Device, kernels::Elementwise, Scalar>;
      Values copy(now.shape());
      Kernel::scale(now.data(), SumOf<Scalar>(1), copy.data(), copy.size());
      kept_.push_back(copy);
    }
    auto const* const kept = next_ < kept_.size() ? std::any_cast<Values>(&kept_[next_]) : nullptr;
    if (!kept || !(kept->shape() == now.shape()))
      fail("[detach] a function whose gradient is checked detached number ", next_ + 1, " of shape ", now.shape(),
           " when it was called again; expected the same calls of detach every time");
    ++next_;
    return *kept;
  }

 private:
  std::vector<std::any> kept_;
  std::size_t next_ = 0;
  bool closed_ = false;
};

}  // namespace detail

/// x as a constant, any shape: y = x, and dx = 0 whatever dy is. Shares x's storage. While `gradcheck` takes
/// differences, it gives the value of the first call, so that what was detached counts as a constant there too.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> detach(Variable<Scalar, Device> const& x) {
  if (auto* const values = detail::DetachedValues::current()) return values->value(x.value());
  return x.value();
}

}  // namespace graft
