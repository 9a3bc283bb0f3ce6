/// @file
/// @brief A product by oneDNN with a matrix that never changes, and floats as sums of bfloat16. Included by
/// graft/weights/onednn.hpp alone: oneDNN stays out of the core.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include <dnnl.hpp>

#include <graft/core/dtype.hpp>
#include <graft/core/host_pool.hpp>
#include <graft/core/thread_pool.hpp>

namespace graft {

namespace detail {

/// y = β·y + x·M for an M `[k, n]` that never changes, which oneDNN has in an order of its own.
class OnednnProduct {
 public:
  using Type = dnnl::memory::data_type;
  using Described = dnnl::memory::desc;

  /// Whether this library and processor multiply matrices of this type into float32 by a kernel of their own.
  [[nodiscard]] static bool exists(Type type) {
    try {
      auto const description = described(type, 64, 64, 64, any(type, 64, 64), false);
      return std::string_view(description.impl_info_str()).find("ref") == std::string_view::npos;
    } catch (dnnl::error const&) {
      return false;
    }
  }

  /// M's element (i, j) is m[i · row + j · step].
  OnednnProduct(Type type, Index k, Index n, void const* m, Index row, Index step)
      : type_(type), k_(k), n_(n), order_(described(type, usual_rows, k, n, any(type, k, n), false).weights_desc()) {
    Described const plain({k, n}, type, dnnl::memory::dims{row, step});
    packed_ = dnnl::memory(order_, engine());
    dnnl::memory from(plain, engine(), const_cast<void*>(m));  // read alone
    dnnl::stream stream(engine());
    dnnl::reorder(from, packed_).execute(stream, from, packed_);
    stream.wait();
  }
  [[nodiscard]] std::size_t bytes() const { return order_.get_size(); }
  /// Writes M as the constructor read it.
  void unpack(void* m, Index row, Index step) const {
    dnnl::memory to(Described({k_, n_}, type_, dnnl::memory::dims{row, step}), engine(), m);
    dnnl::memory from = packed_;
    dnnl::stream stream(engine());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  }

  /// y `[rows, n]` = x·M, or y + x·M; x `[rows, k]` in the type of M.
  void multiply(void const* x, Index rows, float* y, bool add) const {
    auto const found = product(rows, add);
    auto const scratch = HostPool::global().allocate(std::max<std::size_t>(1, found->scratch.get_size()));
    dnnl::stream stream(engine());
    found->primitive.execute(
        stream, {{DNNL_ARG_SRC, {Described({rows, k_}, type_, rows_first), engine(), const_cast<void*>(x)}},
                 {DNNL_ARG_WEIGHTS, packed_},
                 {DNNL_ARG_DST, {Described({rows, n_}, Type::f32, rows_first), engine(), y}},
                 {DNNL_ARG_SCRATCHPAD, {found->scratch, engine(), scratch.get()}}});
    stream.wait();
  }

 private:
  static constexpr Index usual_rows = 256;  ///< those that M's order is chosen for
  static constexpr auto rows_first = dnnl::memory::format_tag::ab;
  struct Made {
    dnnl::matmul primitive;
    Described scratch;
  };

  [[nodiscard]] static dnnl::engine const& engine() {
    static auto const& only = *new dnnl::engine(dnnl::engine::kind::cpu, 0);  // outlives threads that end late
    return only;
  }
  [[nodiscard]] static Described any(Type type, Index k, Index n) {
    return {{k, n}, type, dnnl::memory::format_tag::any};
  }
  [[nodiscard]] static dnnl::matmul::primitive_desc described(Type type, Index rows, Index k, Index n,
                                                              Described const& m, bool add) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // else two threads would share one
    if (add) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    Described const x({rows, k}, type, rows_first), y({rows, n}, Type::f32, rows_first);
#if DNNL_VERSION_MAJOR >= 3
    return {engine(), x, m, y, attributes};
#else
    return {dnnl::matmul::desc(x, m, y), attributes, engine()};
#endif
  }
  /// The product of so many rows, made once.
  [[nodiscard]] std::shared_ptr<Made const> product(Index rows, bool add) const {
    std::lock_guard<std::mutex> const lock(mutex_);
    constexpr std::size_t most = 256;  // rows of a step vary
    if (made_.size() >= most) made_.clear();
    auto& made = made_[{rows, add}];
    if (!made) {
      auto const description = described(type_, rows, k_, n_, order_, add);
      made = std::make_shared<Made const>(Made{dnnl::matmul(description), description.scratchpad_desc()});
    }
    return made;
  }

  Type type_;
  Index k_, n_;
  Described order_;
  dnnl::memory packed_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<Index, bool>, std::shared_ptr<Made const>> made_;
};

/// x = Σ terms, exactly: each has the next 8 of a float's 24 significant bits. Those that are zero everywhere are left
/// out, so a float that is a bfloat16 has one.
class Bfloat16Terms {
 public:
  Bfloat16Terms(float const* x, Index size) : size_(size) {
    numbers_ = HostPool::global().allocate(static_cast<std::size_t>(most * size) * sizeof(bfloat16));
    auto* const to = static_cast<bfloat16*>(numbers_.get());
    std::atomic<int> terms{1};
    parallel_chunks(size, 4096, [&](Index first, Index last) {
      int own = 1;
      for (Index i = first; i < last; ++i) {
        float rest = x[i];
        for (int t = 0; t < most; ++t) {
          // cut, not rounded: a large number must not become infinite. What is not finite has one term
          bfloat16 const term =
              std::isfinite(rest)
                  ? bfloat16::from_bits(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(rest) >> 16))
                  : bfloat16(rest);
          to[t * size + i] = term;
          rest = std::isfinite(rest) ? rest - static_cast<float>(term) : 0.F;
          if (term.bits != 0 && t >= own) own = t + 1;
        }
      }
      int seen = terms.load();
      while (seen < own && !terms.compare_exchange_weak(seen, own)) {
      }
    });
    terms_ = terms.load();
  }
  [[nodiscard]] int size() const { return terms_; }
  [[nodiscard]] bfloat16 const* operator[](int term) const {
    return static_cast<bfloat16 const*>(numbers_.get()) + term * size_;
  }

 private:
  static constexpr int most = 3;
  Index size_;
  std::shared_ptr<void> numbers_;
  int terms_ = 1;
};

}  // namespace detail
}  // namespace graft
