/// @file
/// @brief Work for a GPU that has been asked for and not been started yet.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

#include <graft/kernels/cuda/check.cuh>
#include <graft/kernels/cuda/members.cuh>

namespace graft::kernels::cuda {

/// Launches and calls of libraries in the order in which they were asked for. Each is an object `start` whose bytes
/// decide what `start(stream)` starts; so two runs of the same bytes do the same to the same memory.
class Run {
 public:
  /// Takes over a copy of `start`.
  template <class Start>
  void add(Start const& start) {
    static_assert(std::is_trivially_copyable_v<Start> && alignof(Start) <= alignment);
    constexpr std::size_t size = (sizeof(Start) + alignment - 1) / alignment * alignment;
    std::size_t const at = bytes_.size();
    bytes_.resize(at + sizeof(Head) + size);
    Head const head{&Run::start_one<Start>, size};
    std::memcpy(bytes_.data() + at, &head, sizeof head);
    copy_members(start, bytes_.data() + at + sizeof(Head));
    ++size_;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::vector<std::byte> const& bytes() const { return bytes_; }
  /// Starts everything in a stream.
  void start(cudaStream_t stream) const {
    for (std::size_t at = 0; at < bytes_.size();) {
      Head head;
      std::memcpy(&head, bytes_.data() + at, sizeof head);
      head.start(bytes_.data() + at + sizeof(Head), stream);
      at += sizeof(Head) + head.size;
    }
  }
  void clear() {
    bytes_.clear();
    size_ = 0;
  }

 private:
  static constexpr std::size_t alignment = alignof(std::max_align_t);
  struct alignas(alignment) Head {
    void (*start)(std::byte const*, cudaStream_t);
    std::size_t size;
  };
  template <class Start>
  static void start_one(std::byte const* at, cudaStream_t stream) {
    (*std::launder(reinterpret_cast<Start const*>(at)))(stream);
  }

  std::vector<std::byte> bytes_;
  std::size_t size_ = 0;
};

}  // namespace graft::kernels::cuda
