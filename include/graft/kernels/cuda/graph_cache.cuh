/// @file
/// @brief Runs that occur again and again, as CUDA graphs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <string>
#include <unordered_map>
#include <vector>

#include <graft/core/warning.hpp>
#include <graft/kernels/cuda/run.cuh>

namespace graft::kernels::cuda {

/// A graph starts a run's kernels by one call of the host, and the GPU goes from one to the next faster. Making it
/// takes longer than starting the run; so a run becomes a graph when it occurs for the second time. A run is known by
/// all its bytes, sizes and addresses among them: its graph is never started for memory or sizes that are not its own.
/// Nothing becomes a graph where the environment has GRAFT_CUDA_GRAPHS=0.
class GraphCache {
 public:
  explicit GraphCache(bool wanted = is_wanted()) : on_(wanted) {}
  GraphCache(GraphCache const&) = delete;
  GraphCache& operator=(GraphCache const&) = delete;
  ~GraphCache() {
    give_up();
    if (aside_) (void)cudaStreamDestroy(aside_);
  }

  /// Whether runs are to be collected at all.
  [[nodiscard]] bool on() const { return on_; }
  [[nodiscard]] GraphUse const& use() const { return use_; }

  /// Lets all graphs go: the device has no memory left.
  void give_up() {
    for (auto& [hash, known] : known_) forget(known);
  }
  /// Says why there are no graphs, once, where that came up. Without a lock that the handler of warnings might need.
  void say() {
    if (!unsaid_ || !unsaid_.exchange(false)) return;
    warn("[cuda] kernels are started one by one, because no graph of them could be made: ", why_,
         "; hint: GRAFT_CUDA_GRAPHS=0 does without graphs");
  }

  /// Starts a run in a stream, as a graph where it has occurred before.
  void start(Run const& run, cudaStream_t stream) {
    if (!on_ || run.size() < least) return start_each(run, stream);
    auto const [found, fresh] = known_.try_emplace(hash_of(run.bytes()));
    Known& known = found->second;
    if (fresh) {
      if (known_.size() > most_known) forget_all_but_graphs();
      return start_each(run, stream);
    }
    if (!known.graph && !make(known, run)) return start_each(run, stream);
    if (known.key != run.bytes()) return start_each(run, stream);  // another of the same hash
    cudaError_t const status = cudaGraphLaunch(known.graph, stream);
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      forget(known);
      return start_each(run, stream);
    }
    check(status, "cudaGraphLaunch", " for ", run.size(), " kernels");
    known.last_used = ++clock_;
    ++use_.launched;
    use_.kernels += run.size();
  }

 private:
  /// What is known of a run: that it has occurred, or its graph.
  struct Known {
    std::vector<std::byte> key;
    cudaGraphExec_t graph{};
    std::size_t kernels = 0;
    std::uint64_t last_used = 0;
  };
  static constexpr std::size_t least = 4,  ///< kernels of a run that is worth a graph
      most_known = 1U << 16,               ///< runs that are remembered
      most_kernels = 1U << 16;             ///< of all graphs: each takes some of the device's memory

  void start_each(Run const& run, cudaStream_t stream) {
    run.start(stream);
    use_.alone += run.size();
  }
  /// Makes the graph of a run that has occurred before. False: there is no memory for it now, or it cannot be made, and
  /// no other will be tried.
  bool make(Known& known, Run const& run) {
    make_room(run.size());
    cudaGraph_t graph{};
    std::string why = record(run, graph);
    cudaError_t const status = why.empty() ? cudaGraphInstantiate(&known.graph, graph, 0) : cudaSuccess;
    if (graph) (void)cudaGraphDestroy(graph);
    if (why.empty() && status == cudaSuccess) {
      known.key = run.bytes();
      known.kernels = run.size();
      kernels_ += run.size();
      ++use_.made;
      return true;
    }
    (void)cudaGetLastError();
    known.graph = {};
    if (status == cudaErrorMemoryAllocation) return false;
    on_ = false;
    why_ = why.empty() ? cat("cudaGraphInstantiate reported ", cudaGetErrorName(status)) : why;
    unsaid_ = true;
    return false;
  }
  /// Lets a stream of its own take down what the run would start. Returns why it could not, or nothing.
  std::string record(Run const& run, cudaGraph_t& graph) {
    if (!aside_)
      if (cudaError_t const status = cudaStreamCreateWithFlags(&aside_, cudaStreamNonBlocking); status != cudaSuccess)
        return cat("cudaStreamCreateWithFlags reported ", cudaGetErrorName(status));
    if (cudaError_t const status = cudaStreamBeginCapture(aside_, cudaStreamCaptureModeThreadLocal);
        status != cudaSuccess)
      return cat("cudaStreamBeginCapture reported ", cudaGetErrorName(status));
    std::string why;
    try {
      run.start(aside_);
    } catch (std::exception const& error) {
      why = error.what();
    } catch (...) {
      why = "an unknown exception";
    }
    cudaError_t const status = cudaStreamEndCapture(aside_, &graph);
    if (why.empty() && status != cudaSuccess) why = cat("cudaStreamEndCapture reported ", cudaGetErrorName(status));
    return why;
  }
  /// Lets the graphs go that were not started for the longest time.
  void make_room(std::size_t kernels) {
    while (kernels_ > 0 && kernels_ + kernels > most_kernels) {
      auto oldest = known_.end();
      for (auto it = known_.begin(); it != known_.end(); ++it)
        if (it->second.graph && (oldest == known_.end() || it->second.last_used < oldest->second.last_used))
          oldest = it;
      forget(oldest->second);
    }
  }
  void forget(Known& known) {
    if (!known.graph) return;
    (void)cudaGraphExecDestroy(known.graph);
    kernels_ -= known.kernels;
    known = {};
  }
  void forget_all_but_graphs() {
    for (auto it = known_.begin(); it != known_.end();) it = it->second.graph ? std::next(it) : known_.erase(it);
  }
  static std::uint64_t hash_of(std::vector<std::byte> const& bytes) {
    std::uint64_t hash = 0x9e3779b97f4a7c15ULL;
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, 8);  // their number is a multiple of 16
      hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
      hash ^= hash >> 32U;
    }
    return hash;
  }
  static bool is_wanted() {
    char const* const text = std::getenv("GRAFT_CUDA_GRAPHS");
    return !text || std::strcmp(text, "0") != 0;
  }

  std::unordered_map<std::uint64_t, Known> known_;
  cudaStream_t aside_{};
  std::size_t kernels_ = 0;  ///< of all graphs
  std::uint64_t clock_ = 0;
  GraphUse use_;
  std::string why_;  ///< there are no graphs; written before `unsaid_`
  std::atomic<bool> unsaid_{false};
  std::atomic<bool> on_;
};

}  // namespace graft::kernels::cuda
