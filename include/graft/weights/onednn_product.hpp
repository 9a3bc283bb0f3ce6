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
#include <tuple>
#include <utility>
#include <vector>

#include <dlfcn.h>

#include <dnnl.hpp>

#include <graft/core/dtype.hpp>
#include <graft/core/error.hpp>
#include <graft/core/host_pool.hpp>
#include <graft/core/thread_pool.hpp>

namespace graft {

namespace detail {

/// While it lives, oneDNN computes with the calling thread alone: graft's pool divides its work. So the number of
/// threads is that of the pool, no result depends on it, and a child of fork() does not wait for threads that it lacks.
/// OpenMP is looked up at run time, because a build of oneDNN may go without it.
class OneThread {
 public:
  OneThread() {
    if (functions().set && functions().get) before_ = functions().get(), functions().set(1);
  }
  ~OneThread() {
    if (before_ > 0) functions().set(before_);
  }
  /// Whether this build of oneDNN can be told so.
  [[nodiscard]] static bool works() {
    unsigned const runtime = dnnl::version()->cpu_runtime;
    return runtime == DNNL_RUNTIME_SEQ || (runtime == DNNL_RUNTIME_OMP && functions().set && functions().get);
  }
  OneThread(OneThread const&) = delete;
  OneThread& operator=(OneThread const&) = delete;

 private:
  struct Functions {
    void (*set)(int);
    int (*get)();
  };
  [[nodiscard]] static Functions const& functions() {
    static Functions const found{reinterpret_cast<void (*)(int)>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads")),
                                 reinterpret_cast<int (*)()>(::dlsym(RTLD_DEFAULT, "omp_get_max_threads"))};
    return found;
  }
  int before_ = 0;
};

/// y = β·y + x·M for an M `[k, n]` that never changes. Blocks of M's columns lie in an order of oneDNN's own; threads
/// share blocks and rows. How they are cut depends on the sizes alone.
class OnednnProduct {
 public:
  using Type = dnnl::memory::data_type;
  using Described = dnnl::memory::desc;

  /// Whether oneDNN has a kernel for this type on this processor, other than its plain reference, and computes with the
  /// calling thread alone.
  [[nodiscard]] static bool has_kernel(Type type) {
    if (!OneThread::works()) return false;
    try {
      auto const description = described(type, 64, 64, 64, 64, any(type, 64, 64), false);
      return std::string_view(description.impl_info_str()).find("ref") == std::string_view::npos;
    } catch (dnnl::error const&) {
      return false;
    }
  }

  /// M's element (i, j) is m[i · row_step + j · column_step].
  OnednnProduct(Type type, Index k, Index n, void const* m, Index row_step, Index column_step)
      : type_(type), k_(k), n_(n), width_(width_of(n)) {
    blocks_.resize(static_cast<std::size_t>((n + width_ - 1) / width_));
    parallel_for(blocks(), [&](Index b) {
      OneThread const alone;
      Index const width = columns(b);
      auto& block = blocks_[static_cast<std::size_t>(b)];
      block = {described(type, usual_rows, k, width, n, any(type, k, width), false).weights_desc(), engine()};
      auto from = plain(m, b, row_step, column_step);
      reorder(from, block);
    });
  }
  /// Writes M as the constructor read it.
  void unpack(void* m, Index row_step, Index column_step) const {
    parallel_for(blocks(), [&](Index b) {
      OneThread const alone;
      dnnl::memory from = blocks_[static_cast<std::size_t>(b)], to = plain(m, b, row_step, column_step);
      reorder(from, to);
    });
  }

  /// y `[rows, n]` = x·M, or y + x·M; x `[rows, k]` in the type of M.
  void multiply(void const* x, Index rows, float* y, bool add) const {
    Index const parts = std::clamp<Index>((tasks + blocks() - 1) / blocks(), 1, (rows + least_rows - 1) / least_rows),
                some = (rows + parts - 1) / parts;
    parallel_for(blocks() * parts, [&](Index task) {
      Index const b = task % blocks(), first = task / blocks() * some, count = std::min(some, rows - first);
      if (count <= 0) return;
      OneThread const alone;
      auto const found = product(count, columns(b), add);
      auto const scratch = HostPool::global().allocate(std::max<std::size_t>(1, found->scratch.get_size()));
      auto* const from = static_cast<char*>(const_cast<void*>(x)) + first * k_ * number_size();
      dnnl::stream stream(engine());
      found->primitive.execute(
          stream, {{DNNL_ARG_SRC, {Described({count, k_}, type_, dnnl::memory::dims{k_, 1}), engine(), from}},
                   {DNNL_ARG_WEIGHTS, blocks_[static_cast<std::size_t>(b)]},
                   {DNNL_ARG_DST,
                    {Described({count, columns(b)}, Type::f32, dnnl::memory::dims{n_, 1}), engine(),
                     y + first * n_ + b * width_}},
                   {DNNL_ARG_SCRATCHPAD, {found->scratch, engine(), scratch.get()}}});
      stream.wait();
    });
  }

 private:
  static constexpr Index usual_rows = 256;  ///< those that M's order is chosen for
  static constexpr Index tasks = 12, least_rows = 64;
  struct Made {
    dnnl::matmul primitive;
    Described scratch;
  };

  [[nodiscard]] static dnnl::engine const& engine() {
    static auto const& only = *new dnnl::engine(dnnl::engine::kind::cpu, 0);  // outlives threads that end late
    return only;
  }
  [[nodiscard]] static Index width_of(Index n) {
    Index width = 64;
    while (width < 2048 && width * 16 < n) width *= 2;
    return width;
  }
  [[nodiscard]] Index blocks() const { return static_cast<Index>(blocks_.size()); }
  [[nodiscard]] Index columns(Index block) const { return std::min(width_, n_ - block * width_); }
  [[nodiscard]] Index number_size() const { return type_ == Type::f32 ? 4 : 2; }

  [[nodiscard]] static Described any(Type type, Index k, Index n) {
    return {{k, n}, type, dnnl::memory::format_tag::any};
  }
  /// x `[rows, k]` · m `[k, width]` → some columns of `[rows, n]`.
  [[nodiscard]] static dnnl::matmul::primitive_desc described(Type type, Index rows, Index k, Index width, Index n,
                                                              Described const& m, bool add) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // else two threads would share one
    if (add) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    Described const x({rows, k}, type, dnnl::memory::dims{k, 1}), y({rows, width}, Type::f32, dnnl::memory::dims{n, 1});
#if DNNL_VERSION_MAJOR >= 3
    return {engine(), x, m, y, attributes};
#else
    return {dnnl::matmul::desc(x, m, y), attributes, engine()};
#endif
  }
  /// A block of M where it stands.
  [[nodiscard]] dnnl::memory plain(void const* m, Index block, Index row_step, Index column_step) const {
    auto* const first = static_cast<char*>(const_cast<void*>(m)) + block * width_ * column_step * number_size();
    return {Described({k_, columns(block)}, type_, dnnl::memory::dims{row_step, column_step}), engine(), first};
  }
  static void reorder(dnnl::memory& from, dnnl::memory& to) {
    dnnl::stream stream(engine());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  }
  /// The product of so many rows with a block of this width, made once, outside the lock: that takes milliseconds.
  /// @throws Error where oneDNN cannot
  [[nodiscard]] std::shared_ptr<Made const> product(Index rows, Index width, bool add) const {
    std::tuple const key(rows, width, add);
    {
      std::lock_guard<std::mutex> const lock(mutex_);
      if (auto const known = made_.find(key); known != made_.end()) return known->second;
    }
    auto const& block = width == width_ ? blocks_.front() : blocks_.back();
    std::shared_ptr<Made const> made;
    try {
      auto const description = described(type_, rows, k_, width, n_, block.get_desc(), add);
      made = std::make_shared<Made const>(Made{dnnl::matmul(description), description.scratchpad_desc()});
    } catch (dnnl::error const& error) {
      fail("[onednn] cannot multiply ", rows, " rows by a matrix [", k_, ", ", width, "] (", error.what(),
           "); expected a product that it has; hint: GRAFT_PRODUCTS=own, or no use_onednn()");
    }
    std::lock_guard<std::mutex> const lock(mutex_);
    constexpr std::size_t most = 512;  // rows of a step vary
    if (made_.size() >= most) made_.clear();
    return made_.try_emplace(key, std::move(made)).first->second;
  }

  Type type_;
  Index k_, n_, width_;
  std::vector<dnnl::memory> blocks_;
  mutable std::mutex mutex_;
  mutable std::map<std::tuple<Index, Index, bool>, std::shared_ptr<Made const>> made_;
};

/// x = Σ terms: each has the next 8 of a float's 24 significant bits, so that the sum is exact for |x| ≥ 2⁻¹¹⁰. Terms
/// that are zero everywhere are left out: floats that are bfloat16 numbers have one.
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
