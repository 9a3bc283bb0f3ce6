/// @file
/// @brief What the host tells kernels in numbers: positions, places, labels.
#pragma once

#include <bit>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/host_pool.hpp>
#include <graft/tensor/device_copy.hpp>

namespace graft {

/// Numbers that the host made and a device's kernels read, in the memory of both. Copies share them; nobody changes
/// them.
template <class T, class Device = Cpu>
class MirroredArray {
  static_assert(std::is_trivially_copyable_v<T>, "an array is copied to the device as bytes");

 public:
  MirroredArray() = default;
  /// Takes the numbers over, and uploads them without a wait.
  MirroredArray(std::vector<T> numbers)  // NOLINT: numbers are a mirrored array wherever one is expected
      : MirroredArray(std::move(numbers), Later{}) {
    if constexpr (!std::is_same_v<Device, Cpu>)
      state_->there = staged<Device>(Tensor<T>::alias(Shape{size()}, state_->here.data(), state_));
  }

  MirroredArray(std::initializer_list<T> numbers) : MirroredArray(std::vector<T>(numbers)) {}

  [[nodiscard]] Index size() const { return state_ ? static_cast<Index>(state_->here.size()) : 0; }
  /// As the host sees them.
  [[nodiscard]] std::vector<T> const& host() const {
    static auto const& none = *new std::vector<T>;  // never destroyed: a thread may compute while the process ends
    return state_ ? state_->here : none;
  }
  /// As kernels see them; null where there are none.
  [[nodiscard]] Pointer<Device, T const> data() const {
    if (size() == 0) return nullptr;
    if constexpr (std::is_same_v<Device, Cpu>)
      return state_->here.data();
    else
      return std::as_const(state_->there).data();
  }

 private:
  template <class>
  friend class StepArrays;

  struct State {
    std::vector<T> here;
    Tensor<T, Device> there;  ///< on the host: none
  };
  struct Later {};

  MirroredArray(std::vector<T> numbers, Later)
      : state_(std::allocate_shared<State>(PoolAllocator<State>(), State{std::move(numbers), {}})) {}

  std::shared_ptr<State> state_;
};

/// The arrays of one step, packed into one buffer that is uploaded at once. On the host there is nothing to pack.
template <class Device>
class StepArrays {
 public:
  /// An array whose numbers reach the device with `upload`.
  template <class T>
  [[nodiscard]] MirroredArray<T, Device> add(std::vector<T> numbers) {
    MirroredArray<T, Device> array(std::move(numbers), typename MirroredArray<T, Device>::Later{});
    if constexpr (!std::is_same_v<Device, Cpu>) {
      auto const& here = array.state_->here;
      std::size_t const first = (bytes_.size() + alignment - 1) / alignment * alignment;
      auto const* const raw = reinterpret_cast<std::byte const*>(here.data());
      bytes_.resize(first);
      bytes_.insert(bytes_.end(), raw, raw + here.size() * sizeof(T));
      placed_.push_back([state = array.state_, first](std::shared_ptr<Buffer> const& buffer) {
        auto* const at = reinterpret_cast<T*>(kernels::raw(buffer->data()) + first);
        state->there =
            Tensor<T, Device>::alias(Shape{static_cast<Index>(state->here.size())}, Pointer<Device, T>(at), buffer);
      });
    }
    return array;
  }
  /// Before the first kernel that reads one of them. Nothing waits.
  void upload() {
    if constexpr (!std::is_same_v<Device, Cpu>) {
      if (bytes_.empty()) return;
      // room for a power of two of bytes: arrays of nearly the same sizes then lie where those of another step lay
      auto const buffer = std::make_shared<Buffer>(Shape{static_cast<Index>(std::bit_ceil(bytes_.size()))});
      kernels::cuda::Listed<kernels::cuda::Runtime, Device>::upload(kernels::raw(buffer->data()), bytes_.data(),
                                                                    bytes_.size());
      for (auto const& place : placed_) place(buffer);
      bytes_.clear();
      placed_.clear();
    }
  }

 private:
  using Buffer = Tensor<std::byte, Device>;
  static constexpr std::size_t alignment = 16;

  std::vector<std::byte> bytes_;
  std::vector<std::function<void(std::shared_ptr<Buffer> const&)>> placed_;
};

}  // namespace graft
