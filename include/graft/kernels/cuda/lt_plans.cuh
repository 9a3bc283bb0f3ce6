/// @file
/// @brief How cuBLASLt carries out products with an epilogue: chosen once for a shape, and remembered.
#pragma once

#include <cublasLt.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

namespace graft::kernels::cuda::matmul {

/// The descriptors of a product and the algorithm for it; without an algorithm, cuBLASLt has none.
struct LtPlan {
  bool has_algorithm = false;
  cublasLtMatmulDescOpaque_t operation{};
  cublasLtMatrixLayoutOpaque_t first{}, second{}, result{};
  cublasLtMatmulAlgo_t algorithm{};
};

/// Plans by all that decides them. A plan that is forgotten is made again as it was, so that its products keep their
/// bits.
class LtPlans {
 public:
  /// Extents, distances between rows, types, the epilogue, and what the addresses are multiples of.
  using Key = std::array<std::int64_t, 16>;

  /// The plan, which `make(plan)` fills where it is new.
  template <class Make>
  LtPlan& at(Key const& key, Make const& make) {
    if (auto const found = plans_.find(key); found != plans_.end()) return found->second;
    LtPlan plan;
    make(plan);
    if (plans_.size() >= most) plans_.clear();
    return plans_.emplace(key, plan).first->second;
  }

 private:
  static constexpr std::size_t most = 4096;  ///< passes of a training have many numbers of rows

  std::map<Key, LtPlan> plans_;
};

}  // namespace graft::kernels::cuda::matmul
