/// @file
/// @brief What is made when somebody first asks for it.
#pragma once

#include <memory>
#include <mutex>

namespace graft::detail {

/// Something that the first who asks for it makes, whichever thread that is. A copy starts without it.
template <class T>
class MadeOnce {
 public:
  MadeOnce() = default;
  MadeOnce(MadeOnce const&) {}
  MadeOnce& operator=(MadeOnce const&) = delete;

  /// `make()` gives a `std::shared_ptr<T>`.
  template <class Make>
  [[nodiscard]] T& get(Make const& make) const {
    std::call_once(made_, [&] { value_ = make(); });
    return *value_;
  }

 private:
  mutable std::once_flag made_;
  mutable std::shared_ptr<T> value_;
};

}  // namespace graft::detail
