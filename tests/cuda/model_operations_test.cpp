// The operations that models are made of, with their gradients, Adafactor, and what merging does to weights: on the GPU
// as on the host.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/ia3.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/to_device.hpp>
#include <graft/ops/dropout.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/lstm.hpp>
#include <graft/ops/norm.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>
#include <graft/ops/scale_columns.hpp>
#include <graft/ops/sum.hpp>
#include <graft/optim/adafactor.hpp>
#include <graft/optim/clip.hpp>

#include "../model/small_model.hpp"
#include "device_testing.hpp"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda_runtime.h"
#endif

namespace {

using namespace graft;
using graft::testing::relative_difference;
using graft::testing::tolerance;

template <class Value>
class CudaModelOperations : public graft::testing::DeviceTest {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaModelOperations, Scalars);
class CudaAdafactor : public graft::testing::DeviceTest {};
class CudaMerge : public graft::testing::DeviceTest {};

/// Parameters by their names, with the same numbers on every device.
template <class Scalar, class Device>
class Leaves {
 public:
  Parameter<Scalar, Device>& operator()(char const* name, Shape const& shape, double mean = 0.0) {
    auto numbers = normal<Scalar>(shape, RandomKey(51).with(name), 0.7);
    for (Index i = 0; i < numbers.size(); ++i) numbers.data()[i] += static_cast<Scalar>(mean);
    all_.push_back(std::make_unique<Parameter<Scalar, Device>>(name, to_device<Device>(numbers)));
    return *all_.back();
  }
  /// y, and the gradients of Σ weights ∘ y for weights that belong to y's shape.
  std::vector<Tensor<Scalar>> results(Variable<Scalar, Device> const& y) {
    backward(weighted_sum(y, to_device<Device>(normal<Scalar>(y.shape(), RandomKey(52)))));
    std::vector<Tensor<Scalar>> all{to_device<Cpu>(y.value())};
    for (auto const& leaf : all_)
      all.push_back(leaf->has_gradient() ? to_device<Cpu>(leaf->gradient()) : zeros<Scalar>(leaf->value().shape()));
    return all;
  }

 private:
  std::vector<std::unique_ptr<Parameter<Scalar, Device>>> all_;
};

/// `run(leaves)` gives a variable that depends on leaves: it and their gradients are the same on both devices, and the
/// same bits when the GPU computes them again.
template <class Scalar, class Run>
void expect_same(char const* what, Run const& run) {
  auto const results = [&]<class Device>(Device) {
    Leaves<Scalar, Device> leaves;
    return leaves.results(run(leaves, Device{}));
  };
  auto const expected = results(Cpu{}), got = results(Cuda{}), again = results(Cuda{});
  for (std::size_t k = 0; k < expected.size(); ++k) {
    ASSERT_EQ(got[k].shape(), expected[k].shape()) << what;
    EXPECT_LE(relative_difference(got[k], expected[k]), tolerance<Scalar>) << what << ", result " << k;
    EXPECT_EQ(std::memcmp(got[k].data(), again[k].data(), static_cast<std::size_t>(got[k].size()) * sizeof(Scalar)), 0)
        << what << ", result " << k;
  }
}

TYPED_TEST(CudaModelOperations, NormsAndScales) {
  Shape const shape{5, 37};
  expect_same<TypeParam>("layer_norm", [&]<class Device>(auto& leaf, Device) {
    auto const &x = leaf("x", shape, 1.0), &gain = leaf("gain", Shape{37}), &bias = leaf("bias", Shape{37});
    return layer_norm(x.variable(), gain.variable(), bias.variable(), 1e-5);
  });
  expect_same<TypeParam>("layer_norm without weights", [&]<class Device>(auto& leaf, Device) {
    Tensor<TypeParam, Device> const none;
    return layer_norm(leaf("x", shape, 1.0).variable(), none, none, 1e-5);
  });
  expect_same<TypeParam>("rms_norm", [&]<class Device>(auto& leaf, Device) {
    auto const &x = leaf("x", shape), &gain = leaf("gain", Shape{37});
    return rms_norm(x.variable(), gain.variable(), 1e-6);
  });
  expect_same<TypeParam>("scale_columns", [&]<class Device>(auto& leaf, Device) {
    auto const &x = leaf("x", shape), &l = leaf("l", Shape{37, 1}, 1.0);
    return scale_columns(x.variable(), l.variable());
  });
}

TYPED_TEST(CudaModelOperations, PositionsAndDropout) {
  for (Index rest : {0, 2})
    expect_same<TypeParam>("rotary", [&]<class Device>(auto& leaf, Device) {
      RotaryTable<TypeParam, Device> const table(rotary_frequencies(6, 100.0), 6 + rest);
      auto const& x = leaf("x", Shape{4, 3 * (6 + rest)});
      // the second call needs more positions than the table has
      return add(rotary(x.variable(), {3, 0, 7, 1}, table), rotary(x.variable(), {300, 299, 0, 1}, table));
    });
  expect_same<TypeParam>("dropout", [&]<class Device>(auto& leaf, Device) {
    return dropout(leaf("x", Shape{7, 70}).variable(), 0.3, {0, 3, 3, 7}, {11, 5, 2}, RandomKey(9).with("dropout"));
  });
}

TYPED_TEST(CudaModelOperations, DropoutHasTheHostsBits) {
  auto const run = [&]<class Device>(Device) {
    auto const x = to_device<Device>(normal<TypeParam>(Shape{9, 101}, RandomKey(53)));
    return to_device<Cpu>(dropout(Variable<TypeParam, Device>(x), 0.25, {0, 4, 9}, {3, 8}, RandomKey(7)).value());
  };
  auto const expected = run(Cpu{}), got = run(Cuda{});
  EXPECT_EQ(std::memcmp(got.data(), expected.data(), static_cast<std::size_t>(expected.size()) * sizeof(TypeParam)), 0);
}

TYPED_TEST(CudaModelOperations, Lstm) {
  for (Index steps : {1, 6})
    expect_same<TypeParam>("lstm", [&]<class Device>(auto& leaf, Device) {
      Index const in = 3, hidden = 5;
      std::vector<std::vector<LstmWeights<TypeParam, Device>>> layers;
      for (Index layer = 0; layer < 2; ++layer) {
        layers.emplace_back();
        for (Index direction = 0; direction < 2; ++direction) {
          auto const name = [&](char const* kind) { return cat(kind, layer, direction); };
          layers.back().push_back(
              {leaf(name("input").c_str(), Shape{4 * hidden, layer == 0 ? in : 2 * hidden}).variable(),
               leaf(name("recurrent").c_str(), Shape{4 * hidden, hidden}).variable(),
               leaf(name("input_bias").c_str(), Shape{4 * hidden}).variable(),
               leaf(name("recurrent_bias").c_str(), Shape{4 * hidden}).variable()});
        }
      }
      return lstm(leaf("x", Shape{steps, in}).variable(), layers);
    });
}

TYPED_TEST(CudaModelOperations, TheHeadAndItsLoss) {
  Index const targets = 6, width = 12, vocabulary = 41;
  std::vector<Token> const labels{3, 0, 40, 3, 17, 8};
  for (LogitBlock const block : {LogitBlock{}, LogitBlock{7, 4}}) {
    expect_same<TypeParam>("linear_cross_entropy", [&]<class Device>(auto& leaf, Device) {
      auto const &h = leaf("h", Shape{targets, width}), &w = leaf("w", Shape{vocabulary, width}),
                 &b = leaf("b", Shape{vocabulary});
      return linear_cross_entropy(h.variable(), TrainableMatrix<TypeParam, Device>{w.variable()}, labels, b.variable(),
                                  block)
          .log_probability;
    });
    expect_same<TypeParam>("linear_cross_entropy with a frozen head", [&]<class Device>(auto& leaf, Device) {
      auto const w = to_device<Device>(cast<bfloat16>(normal<float>(Shape{vocabulary, width}, RandomKey(54))));
      return linear_cross_entropy(leaf("h", Shape{targets, width}).variable(), FrozenMatrix<TypeParam, Device>(w),
                                  labels, Tensor<TypeParam, Device>(), block)
          .log_probability;
    });
  }
  auto const statistics = [&]<class Device>(Device) {
    auto const random = [](char const* name, Shape const& shape) {
      return to_device<Device>(normal<TypeParam>(shape, RandomKey(55).with(name)));
    };
    auto const scores = linear_cross_entropy(Variable<TypeParam, Device>(random("h", Shape{targets, width})),
                                             FrozenMatrix<TypeParam, Device>(random("w", Shape{vocabulary, width})),
                                             labels, random("b", Shape{vocabulary}), {9, 5});
    return std::pair(to_device<Cpu>(scores.log_sum_exp), to_device<Cpu>(scores.mean_logit));
  };
  auto const expected = statistics(Cpu{}), got = statistics(Cuda{});
  EXPECT_LE(relative_difference(got.first, expected.first), tolerance<TypeParam>);
  EXPECT_LE(relative_difference(got.second, expected.second), tolerance<TypeParam>);
}

#ifdef GRAFT_CUDA_EMULATED
TYPED_TEST(CudaModelOperations, WaitForNothing) {
  Leaves<TypeParam, Cuda> leaf;
  auto const &x = leaf("x", Shape{6, 12}), &gain = leaf("gain", Shape{12}), &w = leaf("w", Shape{41, 12});
  std::vector<LstmWeights<TypeParam, Cuda>> const direction{
      {leaf("input", Shape{12, 12}).variable(), leaf("recurrent", Shape{12, 3}).variable(),
       leaf("input_bias", Shape{12}).variable(), leaf("recurrent_bias", Shape{12}).variable()}};
  RotaryTable<TypeParam, Cuda> const table(rotary_frequencies(6));
  std::vector<Token> const labels{3, 0, 40, 3, 17, 8};
  auto const up = to_device<Cuda>(normal<TypeParam>(Shape{12, 3}, RandomKey(56)));
  Tensor<TypeParam, Cuda> const none;
  int const before = emulator::synchronizations;
  auto const turned = rotary(layer_norm(x.variable(), gain.variable(), none, 1e-5), {0, 1, 2, 300, 4, 5}, table);
  auto const dropped = dropout(scale_columns(turned, gain.variable()), 0.1, {0, 6}, {4}, RandomKey(3));
  auto const read = linear(lstm(dropped, {direction}), FrozenMatrix<TypeParam, Cuda>(up));
  auto const scores = linear_cross_entropy(rms_norm(read, gain.variable(), 1e-6),
                                           TrainableMatrix<TypeParam, Cuda>{w.variable()}, labels);
  backward(mean(scores.log_probability));
  EXPECT_EQ(emulator::synchronizations, before);
  EXPECT_TRUE(x.has_gradient());
}
#endif

/// The parameters after five steps of a regression on a matrix and a vector, with clipping that stays on the device.
template <class Scalar, class Device>
std::vector<Tensor<Scalar>> fitted(AdafactorSettings const& settings) {
  auto const random = [](char const* name, Shape const& shape) {
    return to_device<Device>(normal<Scalar>(shape, RandomKey(57).with(name), 0.5));
  };
  Parameter<Scalar, Device> w("w", random("w", Shape{9, 31})), b("b", random("b", Shape{9}));
  Variable<Scalar, Device> const x = random("x", Shape{40, 31});
  auto const target = random("target", Shape{40, 9});
  Adafactor<Scalar, Device> optimizer({&w, &b}, settings);
#ifdef GRAFT_CUDA_EMULATED
  int const before = emulator::synchronizations;
#endif
  for (int step = 0; step < 5; ++step) {
    backward(mean_squared_error(linear(x, w.variable(), b.variable()), target));
    optimizer.step(0.05, measure_gradients(optimizer.parameters(), 0.3).coefficient);
    optimizer.clear_gradients();
  }
#ifdef GRAFT_CUDA_EMULATED
  EXPECT_EQ(emulator::synchronizations, before);
#endif
  std::vector<Tensor<Scalar>> results{to_device<Cpu>(w.value()), to_device<Cpu>(b.value())};
  for (auto const& [name, kept] : optimizer.state())
    for (auto const& [key, value] : kept.values) results.push_back(to_device<Cpu>(value));
  return results;
}

TEST_F(CudaAdafactor, TakesTheHostsSteps) {
  AdafactorSettings const all[] = {{},
                                   {.weight_decay = 0.02, .scale_parameter = true},
                                   {.beta1 = 0.9, .scale_parameter = true},
                                   {.clip_threshold = 0.1, .beta1 = 0.5, .weight_decay = 0.02},
                                   {.scale_parameter = true, .relative_step = true, .warmup_init = true}};
  for (auto const& settings : all) {
    auto const check = [&]<class Scalar>(Scalar) {
      auto const expected = fitted<Scalar, Cpu>(settings), got = fitted<Scalar, Cuda>(settings),
                 again = fitted<Scalar, Cuda>(settings);
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        // Updates are gradients divided by their own size: rounding reaches the parameters amplified.
        EXPECT_LE(relative_difference(got[i], expected[i]), 10 * tolerance<Scalar>) << i;
        EXPECT_EQ(relative_difference(again[i], got[i]), 0) << i;
      }
    };
    check(float{});
    check(double{});
  }
}

/// Parameters that are matrices and vectors in turns, with a gradient each.
struct Several {
  std::vector<std::unique_ptr<Parameter<float, Cuda>>> owned;
  ParameterList<float, Cuda> list;
  explicit Several(int count) {
    for (int k = 0; k < count; ++k) {
      auto const random = [&](char const* what) {
        return to_device<Cuda>(normal<float>(k % 3 == 2 ? Shape{40 + k} : Shape{20 + k, 3 + 9 * (k % 2) * k},
                                             RandomKey(60).with(cat(what, k).c_str()), 0.5));
      };
      owned.push_back(std::make_unique<Parameter<float, Cuda>>(cat("p", k), random("value")));
      list.push_back(owned.back().get());
      list.back()->variable().slot()->accumulate(random("gradient"));
    }
  }
  [[nodiscard]] std::vector<Tensor<float>> values() const {
    std::vector<Tensor<float>> all;
    for (auto const* parameter : list) all.push_back(to_device<Cpu>(parameter->value()));
    return all;
  }
};

#ifdef GRAFT_CUDA_EMULATED
TEST_F(CudaAdafactor, StartsAsManyKernelsForAnyNumberOfParameters) {
  for (AdafactorSettings const& settings :
       {AdafactorSettings{}, AdafactorSettings{.beta1 = 0.9, .scale_parameter = true}}) {
    auto const launches = [&](int count) {
      Several const model(count);
      Adafactor<float, Cuda> optimizer(model.list, settings);
      optimizer.step(0.1);  // makes the state
      int const before = emulator::launches, waits = emulator::synchronizations;
      optimizer.step(0.1);
      EXPECT_EQ(emulator::synchronizations, waits);
      return emulator::launches - before;
    };
    int const few = launches(3);
    EXPECT_EQ(launches(30), few);
    EXPECT_LE(few, 16);  // as docs/cuda.md says
    EXPECT_GT(few, 1);
  }
}
#endif

TEST_F(CudaAdafactor, GradientsThatAreNoNumbersChangeNothing) {
  Several const model(6);
  Adafactor<float, Cuda> optimizer(model.list, {.beta1 = 0.9, .weight_decay = 0.1, .scale_parameter = true});
  optimizer.step(0.1, measure_gradients(optimizer.parameters(), 1.0).coefficient);
  auto const state = [&] {
    auto all = model.values();
    for (auto const& [name, kept] : optimizer.state())
      for (auto const& [key, value] : kept.values) all.push_back(to_device<Cpu>(value));
    return all;
  };
  auto const before = state();
  auto const step_with = [&](float number) {  // in one parameter's gradient
    auto gradient = full(model.list[5]->value().shape(), 1.F);
    gradient.data()[0] = number;
    model.list[5]->clear_gradient();
    model.list[5]->variable().slot()->accumulate(to_device<Cuda>(gradient));
    optimizer.step(0.1, measure_gradients(optimizer.parameters(), 1.0).coefficient);
    return state();
  };
  auto const moved = step_with(2), after = step_with(std::numeric_limits<float>::infinity());
  ASSERT_EQ(after.size(), moved.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_GT(relative_difference(moved[i], before[i]), 0) << i;
    EXPECT_EQ(relative_difference(after[i], moved[i]), 0) << i;
  }
}

TEST_F(CudaMerge, ScalesOfIa3) {
  auto const here = small::base<Llama, float>();
  auto const there = to_device<Cuda>(here);
  IA3 const settings{};
  auto const weights = [&]<class Device>(Base<Llama, float, Device> const& base) {
    StateOf<IA3, float, Device> state(settings, base->info(), {}, RandomKey(58));
    for (auto* parameter : state.parameters())
      parameter->assign(uniform<float>(parameter->value().shape(), RandomKey(59).with(parameter->name()), 0.5, 2));
    auto const merged = std::make_shared<Pretrained<Llama, float, Device>>(*base);
    for (auto const& site : merged->info().sites)
      if (!site.tied) detail::apply_scale(state, site, merged->mutable_at(site.address));
    return std::shared_ptr<Pretrained<Llama, float, Device> const>(merged);
  };
  auto const expected = weights(here);
  auto const got = to_device<Cpu>(weights(there));
  EXPECT_EQ(got->weights_hash(), expected->weights_hash());  // a product of two numbers is the same everywhere
  EXPECT_NE(got->weights_hash(), here->weights_hash());
  EXPECT_EQ(to_device<Cpu>(there)->weights_hash(), here->weights_hash());  // the base is not written
}

}  // namespace
