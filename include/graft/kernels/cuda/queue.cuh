/// @file
/// @brief What a GPU's work goes through.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>

#include <graft/kernels/cuda/block_cache.cuh>
#include <graft/kernels/cuda/graph_cache.cuh>
#include <graft/kernels/cuda/staging.cuh>

namespace graft::kernels {

/// Where a device's work is queued.
template <class Device>
class Queue;

/// A stream of its own, the pool that memory comes from, what uploads are staged in, cuBLAS's handle, and graphs of
/// work that occurs again and again. What is asked of one queue (kernels, copies, the return of memory) runs in the
/// order in which it was asked for, whichever thread asks; queues wait neither for each other nor for CUDA's default
/// streams.
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
    if (workspace_) (void)cudaFreeAsync(workspace_, stream_);
    for (void* const kept : blocks_.give_up()) (void)cudaFreeAsync(kept, stream_);
    (void)cudaMemPoolDestroy(pool_);
    (void)cudaStreamDestroy(stream_);
  }
  Queue(Queue const&) = delete;
  Queue& operator=(Queue const&) = delete;

  /// For work of the caller's own, which comes behind all that was asked for.
  /// @throws Error where the program has made another device the calling thread's, in whose stream nothing of the
  /// queue's may run
  [[nodiscard]] cudaStream_t stream() {
    check_device();
    start_collected();
    return stream_;
  }
  /// Work that `start(stream)` starts: kernels alone, of which `start`'s bytes decide everything.
  template <class Start>
  void ask(Start const& start) {
    check_device();
    // nothing is started past what another thread has asked for, which may be on its way into the stream
    if ((together_ == 0 || !graphs_.on()) && !any_collected_) return start(stream_);
    {
      std::lock_guard<std::mutex> const lock(collected_mutex_);
      collected_.add(start);
      any_collected_ = true;
      if (collected_.size() >= largest_run || together_ == 0)
        start_run();  // another thread may have ended it meanwhile
    }
    graphs_.say();
  }
  /// Until `end_together`, work is collected and started in runs, by graphs where it has occurred before. Calls nest.
  void begin_together() { ++together_; }
  /// What goes wrong is thrown by every later call that needs the stream, because nobody's work of the run was done.
  void end_together() noexcept {
    if (--together_ == 0) start_collected_later();
  }
  [[nodiscard]] cuda::GraphUse graph_use() const {
    std::lock_guard<std::mutex> const lock(collected_mutex_);
    return graphs_.use();
  }
  /// Memory that earlier work may still use is handed out to later work only.
  [[nodiscard]] cudaError_t allocate(void** block, std::size_t bytes) {
    std::size_t const size = blocks_.rounded(bytes);
    check_device();
    *block = blocks_.take(size);
    if (*block) return cudaSuccess;
    cudaError_t status = cudaMallocFromPoolAsync(block, size, pool_, stream_);
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      cudaStream_t const own = stream();
      for (void* const kept : blocks_.give_up()) (void)cudaFreeAsync(kept, own);
      {
        std::lock_guard<std::mutex> const lock(collected_mutex_);
        graphs_.give_up();
      }
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
    auto const free = [this](void* gone) {
      start_collected_later();  // it may use the block
      (void)cudaFreeAsync(gone, stream_);
    };
    if (!blocks_.give_back(block)) free(block);
    while (void* const one = blocks_.too_many()) free(one);
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
  /// `f(stream)`, which starts nothing.
  template <class F>
  void with_stream(F const& f) {
    check_device();
    f(stream_);
  }
  /// Calls `f` with cuBLAS's handle, which one thread uses at a time, and which serves `stream` in the call. `make()`
  /// makes it at first, and `set(handle, stream, workspace, bytes)` gives it a stream and memory of its own.
  template <class Handle, class Make, class Set, class F>
  void with_blas(cudaStream_t stream, Make const& make, Set const& set, void (*destroy)(void*), F const& f) {
    std::lock_guard<std::mutex> const lock(blas_mutex_);
    if (!blas_) {
      if (!workspace_)
        cuda::check(cudaMallocFromPoolAsync(&workspace_, workspace_bytes, pool_, stream_), "cudaMallocFromPoolAsync",
                    " for cuBLAS's workspace of ", workspace_bytes, " bytes");
      blas_ = make();
      destroy_blas_ = destroy;
    }
    auto const handle = static_cast<Handle>(blas_);
    if (blas_stream_ != stream) {
      blas_stream_ = nullptr;  // whatever becomes of this
      set(handle, stream, workspace_, workspace_bytes);
      blas_stream_ = stream;
    }
    f(handle);
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

  /// Starts what was collected, on the queue's device, whichever is the thread's own. With the mutex held.
  void start_run() {
    struct Restored {
      Queue& queue;
      int device = 0;
      explicit Restored(Queue& of) : queue(of) {
        if (cudaGetDevice(&device) != cudaSuccess) device = queue.device_;
        if (device != queue.device_) (void)cudaSetDevice(queue.device_);
      }
      ~Restored() {
        if (device != queue.device_) (void)cudaSetDevice(device);
        queue.collected_.clear();
        queue.any_collected_ = false;
      }
    } const restored(*this);
    try {
      graphs_.start(collected_, stream_);
    } catch (...) {
      failure_ = std::current_exception();
      any_failure_ = true;
      throw;
    }
  }
  void start_collected() {
    if (any_collected_ || any_failure_) {
      std::lock_guard<std::mutex> const lock(collected_mutex_);
      if (failure_) std::rethrow_exception(failure_);
      if (collected_.size() > 0) start_run();
    }
    graphs_.say();
  }
  void start_collected_later() noexcept {
    if (!any_collected_) return;
    std::lock_guard<std::mutex> const lock(collected_mutex_);
    try {
      if (collected_.size() > 0) start_run();
    } catch (...) {  // remembered
    }
  }

  /// The GPU begins with a run while the host collects the next.
  static constexpr std::size_t largest_run = 64;
  static constexpr std::size_t workspace_bytes = std::size_t{32} << 20;  ///< as NVIDIA advises for compute capability 9

  int device_;
  cudaStream_t stream_{};
  cudaMemPool_t pool_{};
  cuda::Staging staging_;
  cuda::BlockCache blocks_;
  std::atomic<int> together_{0};
  std::atomic<bool> any_collected_{false}, any_failure_{false};
  mutable std::mutex collected_mutex_;
  cuda::Run collected_;
  cuda::GraphCache graphs_;
  std::exception_ptr failure_;  ///< of a run, whose work is lost
  std::mutex blas_mutex_;
  cudaStream_t blas_stream_{};
  void* workspace_ = nullptr;  ///< cuBLAS's
  void* blas_ = nullptr;  ///< cuBLAS's handle, once a product was asked for: programs without products need no cuBLAS
  void (*destroy_blas_)(void*) = nullptr;
};

}  // namespace graft::kernels
