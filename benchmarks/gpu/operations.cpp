// Single operations at a model's sizes. Calls of one operation queue up behind each other and are timed together: where
// the device takes longer than the host takes to ask, the time is the device's.
#include <string>
#include <utility>
#include <vector>

#include <graft/ops/activation.hpp>
#include <graft/ops/attention.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/norm.hpp>
#include <graft/ops/residual.hpp>
#include <graft/optim/adamw.hpp>

#include "gpu/jobs.hpp"
#include "support/rows.hpp"

namespace gpu {

using namespace graft;

namespace {

template <class F>
double seconds_of(int repeats, F const& f) {
  f(), f();
  synchronize(Cuda{});
  auto const start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) f();
  synchronize(Cuda{});
  return benchmark_support::seconds_since(start) / repeats;
}

/// Numbers on the device.
template <class Scalar>
Tensor<Scalar, Cuda> numbers(Shape const& shape, std::uint64_t seed) {
  return to_device<Cuda>(cast<Scalar>(normal<float>(shape, RandomKey(seed))));
}

template <class Activation>
class Operations {
 public:
  Operations(ModelConfig const& config, Index rows, Index length, int repeats)
      : config_(config), rows_(rows), length_(length), tokens_(rows * length), repeats_(repeats) {}

  void run(nlohmann::json& lines) {
    NoGrad const no_grad;
    Index const width = config_.width, inner = config_.inner, values = config_.query_width();
    auto const x = variable(Shape{tokens_, width}, 1), up = variable(Shape{tokens_, inner}, 2);
    FrozenMatrix<float, Cuda> const weight(numbers<Activation>(Shape{inner, width}, 3)),
        head(numbers<Activation>(Shape{config_.vocabulary, width}, 4));
    auto const gain = numbers<float>(Shape{width}, 5), bias = numbers<float>(Shape{width}, 6);
    auto const add_line = [&](char const* name, double count, double bytes, auto const& f) {
      double const seconds = seconds_of(repeats_, f);
      lines.push_back({{"peer", "graft"},
                       {"what", "operation"},
                       {"operation", name},
                       {"dtype", sizeof(Activation) == 2 ? "bfloat16" : "float32"},
                       {"width", config_.width},
                       {"rows", rows_},
                       {"length", length_},
                       {"us", seconds * 1e6},
                       {"tflops", count / seconds / 1e12},
                       {"tb_per_s", bytes / seconds / 1e12}});
    };
    auto const t = static_cast<double>(tokens_), w = static_cast<double>(width), n = static_cast<double>(inner),
               size = static_cast<double>(sizeof(Activation));
    add_line("product", 2 * t * w * n, size * (t * w + t * n + w * n), [&] { (void)linear(x, weight); });
    add_line("activation", 0, 2 * size * t * n, [&] { (void)activate(up, config_.activation); });
    add_line("layer_norm", 0, 2 * size * t * w, [&] { (void)layer_norm(x, gain, bias, 1e-5); });
    add_line("rms_norm", 0, 2 * size * t * w, [&] { (void)rms_norm(x, gain, 1e-5); });
    add_line("sum", 0, 3 * size * t * w, [&] { (void)add(x, x); });

    std::vector<Token> labels(static_cast<std::size_t>(tokens_ / 2));
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] = static_cast<Token>(i % static_cast<std::size_t>(config_.vocabulary));
    MirroredArray<Token, Cuda> const targets(labels);
    auto const states = variable(Shape{targets.size(), width}, 7);
    add_line("head and loss", 4 * t / 2 * w * static_cast<double>(config_.vocabulary), 0,
             [&] { (void)linear_cross_entropy(states, head, targets); });

    auto const query = variable(Shape{tokens_, values}, 8), key = variable(Shape{tokens_, config_.kv_width()}, 9);
    auto const segments = std::make_shared<CheckedSegments const>(causal_rows());
    AttentionShape const shape{config_.heads, config_.kv_heads, config_.head_dim,
                               1 / std::sqrt(static_cast<float>(config_.head_dim))};
    double const pairs = t * static_cast<double>(length_ + 1) / 2;
    add_line("attention", 4 * pairs * static_cast<double>(values), 0,
             [&] { (void)attention<Activation, Cuda>({query, 0}, {{{key, 0}, {key, 0}}}, segments, shape); });

    if constexpr (sizeof(Activation) == 4) {
      Index const count = Index{1} << 24;
      Parameter<float, Cuda> parameter("p", numbers<float>(Shape{count}, 10));
      AdamW<float, Cuda> optimizer({&parameter});
      parameter.variable().slot()->accumulate(numbers<float>(Shape{count}, 11));
      add_line("adamw", 0, 7 * 4 * static_cast<double>(count), [&] { optimizer.step(1e-6); });
    }
  }

 private:
  [[nodiscard]] static Variable<Activation, Cuda> variable(Shape const& shape, std::uint64_t seed) {
    return Variable<Activation, Cuda>(numbers<Activation>(shape, seed));
  }
  /// Every row attends to itself.
  [[nodiscard]] SegmentTable causal_rows() const {
    SegmentTable table;
    for (Index r = 0; r < rows_; ++r) {
      table.query_offsets.push_back((r + 1) * length_);
      table.segments.push_back({0, r * length_, length_, 0, true});
      table.segment_offsets.push_back(r + 1);
    }
    return table;
  }

  ModelConfig const& config_;
  Index rows_, length_, tokens_;
  int repeats_;
};

}  // namespace

nlohmann::json time_operations(DeviceBase const& base, Index rows, Index length, int repeats) {
  nlohmann::json lines = nlohmann::json::array();
  Operations<float>(base.config(), rows, length, repeats).run(lines);
  Operations<bfloat16>(base.config(), rows, length, repeats).run(lines);
  return lines;
}

}  // namespace gpu
