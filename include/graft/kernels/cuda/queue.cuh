/// @file
/// @brief What a GPU's work goes through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>

#include <graft/kernels/cuda/block_cache.cuh>
#include <graft/kernels/cuda/check.cuh>
#include <graft/kernels/cuda/staging.cuh>

namespace graft::kernels {

/// Where a device's work is queued.
template <class Device>
class Queue;

/// A stream of its own, the pool that memory comes from, what uploads are staged in, and cuBLAS's handle. What is asked
/// of one queue (kernels, copies, the return of memory) runs in the order in which it was asked for, whichever thread
/// asks; queues wait neither for each other nor for CUDA's default streams.
template <>
class Queue<Cuda> {
 public:
  /// The queue of everything so far, on the first visible device.
  static Queue& current() {
    static Queue* const queue =
        new Queue(0);  // never destroyed: tensors in static storage may outlive any order of destruction
    return *queue;
  }

  explicit Queue(int device) : device_(device) {
    std::string const why = cuda::Runtime<Cuda>::why_unavailable();
    if (!why.empty())
      fail("[cuda] no device can be used; got: ", why,
           "; expected an NVIDIA GPU and its driver; hint: nvidia-smi lists them");
    check_device();
    cuda::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    try {
      make_pool();
    } catch (...) {
      (void)cudaStreamDestroy(stream_);
      throw;
    }
  }
  /// Its memory must have been released.
  ~Queue() {
    (void)cudaStreamSynchronize(stream_);
    if (blas_) destroy_blas_(blas_);
    for (void* const kept : blocks_.give_up()) (void)cudaFreeAsync(kept, stream_);
    (void)cudaMemPoolDestroy(pool_);
    (void)cudaStreamDestroy(stream_);
  }
  Queue(Queue const&) = delete;
  Queue& operator=(Queue const&) = delete;

  /// For launches and for the calls of libraries.
  /// @throws Error where the program has made another device the calling thread's, in whose stream nothing of the
  /// queue's may run
  [[nodiscard]] cudaStream_t stream() const {
    check_device();
    return stream_;
  }
  /// Memory that earlier work may still use is handed out to later work only.
  [[nodiscard]] cudaError_t allocate(void** block, std::size_t bytes) {
    std::size_t const size = blocks_.rounded(bytes);
    cudaStream_t const own = stream();
    *block = blocks_.take(size);
    if (*block) return cudaSuccess;
    cudaError_t status = cudaMallocFromPoolAsync(block, size, pool_, own);
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      for (void* const kept : blocks_.give_up()) (void)cudaFreeAsync(kept, own);
      // once all is back, what is left can be joined to larger pieces
      cuda::check(cudaStreamSynchronize(own), "cudaStreamSynchronize");
      cuda::check(cudaMemPoolTrimTo(pool_, 0), "cudaMemPoolTrimTo");
      status = cudaMallocFromPoolAsync(block, size, pool_, own);
    }
    if (status == cudaSuccess) blocks_.add(*block, size);
    return status;
  }
  void release(void* block) noexcept {
    // fails only where an earlier failure, or the end of the process, has taken the device away
    if (!blocks_.give_back(block)) (void)cudaFreeAsync(block, stream_);
  }
  /// What is in use, and what the pool has taken from the device.
  [[nodiscard]] cuda::MemoryUse memory_use() const {
    cuda::MemoryUse use = blocks_.use();
    std::uint64_t bytes = 0;
    cuda::check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &bytes), "cudaMemPoolGetAttribute");
    use.reserved = static_cast<std::size_t>(bytes);
    return use;
  }
  void reset_peak() { blocks_.reset_peak(); }
  /// Copies host memory, which may change or go as soon as the call returns; nothing waits.
  void upload(void* to, void const* from, std::size_t bytes) { staging_.upload(to, from, bytes, stream()); }
  /// Calls `f` with cuBLAS's handle, which one thread uses at a time; `make(stream)` gives it to the queue at first.
  template <class Handle, class Make, class F>
  void with_blas(Make const& make, void (*destroy)(void*), F const& f) {
    cudaStream_t const own = stream();
    std::lock_guard<std::mutex> const lock(blas_mutex_);
    if (!blas_) {
      blas_ = make(own);
      destroy_blas_ = destroy;
    }
    f(static_cast<Handle>(blas_));
  }

 private:
  void check_device() const {
    int device = 0;
    if (cudaGetDevice(&device) == cudaSuccess && device != device_)
      fail("[cuda] this thread's current device is ", device, "; expected ", device_,
           device_ == 0 ? ", the first visible one" : ", the queue's",
           "; hint: CUDA_VISIBLE_DEVICES chooses graft's device, ", "cudaSetDevice(", device_,
           ") comes before graft's calls");
  }
  void make_pool() {
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.handleTypes = cudaMemHandleTypeNone;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device_;
    cuda::check(cudaMemPoolCreate(&pool_, &properties), "cudaMemPoolCreate");
    std::uint64_t keep =
        std::numeric_limits<std::uint64_t>::max();  // by default, a synchronization gives unused memory back
    cuda::check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep), "cudaMemPoolSetAttribute");
  }

  int device_;
  cudaStream_t stream_{};
  cudaMemPool_t pool_{};
  cuda::Staging staging_;
  cuda::BlockCache blocks_;
  std::mutex blas_mutex_;
  void* blas_ = nullptr;  ///< cuBLAS's handle, once a product was asked for: programs without products need no cuBLAS
  void (*destroy_blas_)(void*) = nullptr;
};

}  // namespace graft::kernels
