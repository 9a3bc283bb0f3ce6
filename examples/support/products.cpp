#include "support/products.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <graft/core/environment.hpp>
#include <graft/core/warning.hpp>
#ifdef GRAFT_ONEDNN
#include <graft/weights/onednn.hpp>
#endif

namespace support {
namespace {

constexpr bool has_onednn =
#ifdef GRAFT_ONEDNN
    true;
#else
    false;
#endif

/// GRAFT_PRODUCTS, where it is understood and can be followed; else empty.
std::string_view wanted() {
  char const* const text = std::getenv("GRAFT_PRODUCTS");
  std::string_view const all = text ? text : "";
  if (all.empty() || all == "own" || (all == "onednn" && has_onednn)) return all;
  graft::warn("[GRAFT_PRODUCTS] ", all == "onednn" ? "cannot be followed" : "is not understood", "; got ",
              graft::detail::shown(all),
              all == "onednn" ? " in a program that was built without oneDNN; expected own; hint: install libdnnl-dev "
                                "and configure again"
                              : "; expected own or onednn",
              "; using what is faster");
  return {};
}

#ifdef GRAFT_ONEDNN
double rate_of(graft::detail::OnednnProduct::Type type) {
  using Clock = std::chrono::steady_clock;
  using Product = graft::detail::OnednnProduct;
  if (!Product::has_kernel(type)) return 0;
  constexpr graft::Index rows = 384, k = 576, n = 1536;
  std::vector<float> const m(k * n), x(rows * k);  // zeros of either type
  std::vector<float> y(rows * n);
  Product const product(type, k, n, m.data(), n, 1);
  double least = 1e9;
  for (int run = 0; run < 60; ++run) {
    auto const start = Clock::now();
    product.multiply(x.data(), rows, y.data(), false);
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 2.0 * rows * k * n / least;
}
#endif

}  // namespace

void choose_products() {
  [[maybe_unused]] auto const products = wanted();
#ifdef GRAFT_ONEDNN
  if (products == "own") return;
  if (products != "onednn") {
    graft::use_onednn();
    return;
  }
  auto const used = graft::use_onednn({.float32 = true, .bfloat16 = true});
  if (!used.float32 || !used.bfloat16)
    graft::warn("[GRAFT_PRODUCTS] got onednn; oneDNN has no kernel for ",
                used.float32    ? "bfloat16"
                : used.bfloat16 ? "float32"
                                : "float32 and bfloat16",
                " on this processor; those products are graft's own");
#endif
}

OnednnRates measure_onednn() {
#ifdef GRAFT_ONEDNN
  using Type = graft::detail::OnednnProduct::Type;
  return {rate_of(Type::f32), rate_of(Type::bf16)};
#else
  return {};
#endif
}

}  // namespace support
