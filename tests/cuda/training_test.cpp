// The operations, the tape and the optimizer are the host's: written once, they train the same network to the same
// numbers on a GPU.
#include <algorithm>
#include <utility>
#include <vector>

#include <graft/autograd/detach.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/arithmetic.hpp>
#include <graft/ops/composite.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/norm.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>
#include <graft/ops/scatter.hpp>
#include <graft/ops/softmax.hpp>
#include <graft/ops/sum.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>
#include <graft/tensor/mirrored_array.hpp>
#include <graft/train/optimizer_memory.hpp>

#include "device_testing.hpp"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda_runtime.h"
#endif

namespace {

using namespace graft;
using graft::testing::expect_close;
using graft::testing::relative_difference;
using graft::testing::tolerance;

class CudaTraining : public graft::testing::DeviceTest {};
class CudaTensor : public graft::testing::DeviceTest {};

/// What a run leaves behind.
template <class Scalar>
struct Trace {
  std::vector<double> losses, norms;
  std::vector<Tensor<Scalar>> parameters;
};

/// A two-layer network beside a frozen bfloat16 one, y = W₂·gelu(W₁·x + b₁) + b₂ + F·x, fitted to random targets by
/// AdamW with clipping.
template <class Scalar, class Device>
Trace<Scalar> train(Activation activation, int steps) {
  Index const rows = 33, in = 20, hidden = 48, out = 10;
  auto const random = [](char const* name, Shape const& shape, double deviation) {
    return normal<Scalar>(shape, RandomKey(21).with(name), deviation);
  };
  auto const parameter = [&](char const* name, Shape const& shape) {
    return Parameter<Scalar, Device>(name, to_device<Device>(random(name, shape, 0.3)));
  };
  auto w1 = parameter("w1", Shape{hidden, in}), b1 = parameter("b1", Shape{hidden}),
       w2 = parameter("w2", Shape{out, hidden}), b2 = parameter("b2", Shape{out});
  FrozenMatrix<Scalar, Device> const frozen(
      to_device<Device>(cast<bfloat16>(cast<float>(random("frozen", Shape{in, out}, 0.2)))), Layout::in_out);
  Variable<Scalar, Device> const x = to_device<Device>(random("x", Shape{rows, in}, 1.0));
  auto const target = to_device<Device>(random("target", Shape{rows, out}, 1.0));

  AdamW<Scalar, Device> optimizer({&w1, &b1, &w2, &b2});
  Trace<Scalar> trace;
  for (int step = 0; step < steps; ++step) {
    auto const activated = activate(linear(x, w1.variable(), b1.variable()), activation);
    auto const y = add(linear(activated, w2.variable(), b2.variable()), linear(x, frozen));
    auto const loss = mean_squared_error(y, target);
    backward(loss);
    double const norm = gradient_norm(optimizer.parameters());
    optimizer.step(0.02, clip_coefficient(norm, 1.0));
    optimizer.clear_gradients();
    trace.losses.push_back(static_cast<double>(*to_device<Cpu>(loss.value()).data()));
    trace.norms.push_back(norm);
  }
  for (auto const* p : optimizer.parameters()) trace.parameters.push_back(to_device<Cpu>(p->value()));
  return trace;
}

template <class Scalar>
void expect_equal_training(Activation activation) {
  auto const expected = train<Scalar, Cpu>(activation, 10), got = train<Scalar, Cuda>(activation, 10);
  EXPECT_LT(expected.losses.back(), 0.9 * expected.losses.front());
  for (std::size_t i = 0; i < expected.losses.size(); ++i) {
    EXPECT_NEAR(got.losses[i], expected.losses[i], tolerance<Scalar> * expected.losses[i]) << "loss of step " << i;
    EXPECT_NEAR(got.norms[i], expected.norms[i], tolerance<Scalar> * expected.norms[i])
        << "gradient norm of step " << i;
  }
  // AdamW's first steps divide small gradients by their own size: rounding reaches the parameters amplified.
  for (std::size_t i = 0; i < expected.parameters.size(); ++i)
    EXPECT_LE(relative_difference(got.parameters[i], expected.parameters[i]), 10 * tolerance<Scalar>)
        << "parameter " << i;
}

TEST_F(CudaTraining, TwoLayersWithGeluInFloat) { expect_equal_training<float>(Activation::gelu); }
TEST_F(CudaTraining, TwoLayersWithGeluTanhInFloat) { expect_equal_training<float>(Activation::gelu_tanh); }
TEST_F(CudaTraining, TwoLayersWithGeluInDouble) { expect_equal_training<double>(Activation::gelu); }

/// A computation that uses every other operation with a gradient; returns the loss and the gradients.
template <class Device>
std::vector<Tensor<double>> gradients_of_the_rest() {
  Shape const shape{5, 6};
  auto const value = [&](char const* name) {
    return to_device<Device>(normal<double>(shape, RandomKey(22).with(name)));
  };
  Parameter<double, Device> a("a", value("a")), b("b", value("b"));
  auto const product = gated(scale(a.variable(), 0.7), multiply(a.variable(), b.variable()), Activation::silu);
  auto const loss = add(sum(product), weighted_sum(add(product, relu(b.variable())), value("weights")));
  backward(loss);
  double const norm = clip_gradient_norm(ParameterList<double, Device>{&a, &b}, 0.5);
  return {to_device<Cpu>(loss.value()), to_device<Cpu>(a.gradient()), to_device<Cpu>(b.gradient()),
          full(Shape{}, norm)};
}

TEST_F(CudaTraining, OtherOperationsHaveTheSameGradients) {
  auto const expected = gradients_of_the_rest<Cpu>(), got = gradients_of_the_rest<Cuda>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_LE(relative_difference(got[i], expected[i]), 1e-12) << i;
}

/// Differences, quotients, logistic functions, softmax, products of two variables, and rows that move.
template <class Device>
std::vector<Tensor<double>> gradients_of_arithmetic_and_rows() {
  Shape const shape{5, 6};
  auto const parameter = [&](char const* name, double low, double high) {
    return Parameter<double, Device>(name,
                                     to_device<Device>(uniform<double>(shape, RandomKey(23).with(name), low, high)));
  };
  auto a = parameter("a", -2, 2), b = parameter("b", 0.5, 2);
  auto const x = sigmoid(subtract(divide(a.variable(), b.variable()), b.variable()));  // [5, 6]
  auto const p = multiply(softmax(x), log_softmax(add(x, detach(b.variable()))));      // [5, 6]
  auto const rows = scatter_add_rows(gather_rows(p, {4, 0, 0, 2}), {1, 6, 1, 0}, 7);   // [7, 6]
  auto const all = assemble_rows<double, Device>({rows, scatter_rows(x, {4, 3, 2, 1, 0}, 5)},
                                                 {{0, 6}, {1, 1}, {0, 1}, {0, 1}, {1, 4}});  // [5, 6]
  auto const square = matmul(all, reshape(slice_rows(b.variable(), 1, 3), Shape{6, 2}));     // [5, 2]
  auto const loss = add(mean(row_sums(square)), mean(multiply(all, a.variable())));
  backward(loss);
  return {to_device<Cpu>(loss.value()), to_device<Cpu>(square.value()), to_device<Cpu>(a.gradient()),
          to_device<Cpu>(b.gradient())};
}

TEST_F(CudaTraining, ArithmeticAndRowsHaveTheSameGradients) {
  auto const expected = gradients_of_arithmetic_and_rows<Cpu>(), got = gradients_of_arithmetic_and_rows<Cuda>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_LE(relative_difference(got[i], expected[i]), 1e-12) << i;
}

/// A layer of fused operations, or of the compositions that define them; returns the scores and the gradients.
template <class Device, bool composed>
std::vector<Tensor<double>> gradients_of_a_layer() {
  Index const tokens = 5, width = 12, vocabulary = 9;
  auto const parameter = [&](char const* name, Shape const& shape) {
    return Parameter<double, Device>(name, to_device<Device>(normal<double>(shape, RandomKey(26).with(name))));
  };
  auto x = parameter("x", Shape{tokens, width}), gain = parameter("gain", Shape{width}),
       bias = parameter("bias", Shape{width}), last_gain = parameter("last gain", Shape{width}),
       head = parameter("head", Shape{vocabulary, width});
  std::vector<Index> const positions{0, 1, 2, 7, 3};
  std::vector<Token> const labels{3, 0, 8, 3, 1};
  auto const frequencies = rotary_frequencies(4);
  TrainableMatrix<double, Device> const w{head.variable()};
  Variable<double, Device> scores;
  if constexpr (!composed) {
    auto const normed = layer_norm(x.variable(), gain.variable(), bias.variable(), 1e-5);
    auto const turned = rotary(normed, positions, RotaryTable<double, Device>(frequencies, 6));
    scores = linear_cross_entropy(rms_norm(turned, last_gain.variable(), 1e-6), w, labels).log_probability;
  } else {
    auto const normed = composite::layer_norm(x.variable(), gain.variable(), bias.variable(), 1e-5);
    auto const turned = composite::rotary(normed, positions, frequencies, 6);
    scores = composite::linear_cross_entropy(composite::rms_norm(turned, last_gain.variable(), 1e-6), w, labels)
                 .log_probability;
  }
  backward(weighted_sum(scores, to_device<Device>(normal<double>(Shape{tokens}, RandomKey(27)))));
  std::vector<Tensor<double>> results{to_device<Cpu>(scores.value())};
  for (auto* p : {&x, &gain, &bias, &last_gain, &head}) results.push_back(to_device<Cpu>(p->gradient()));
  return results;
}

TEST_F(CudaTraining, FusedOperationsAndTheirCompositionsHaveTheSameGradients) {
  auto const expected = gradients_of_a_layer<Cpu, false>();
  auto const fused = gradients_of_a_layer<Cuda, false>(), composed = gradients_of_a_layer<Cuda, true>();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LE(relative_difference(fused[i], expected[i]), 1e-12) << i;
    EXPECT_LE(relative_difference(composed[i], expected[i]), 1e-12) << i;
  }
}

#ifdef GRAFT_CUDA_EMULATED
TEST_F(CudaTraining, AClippedStepWaitsOnlyWhereItsNormIsAskedFor) {
  auto const value = [](char const* name) {
    return to_device<Cuda>(normal<double>(Shape{3, 4}, RandomKey(26).with(name)));
  };
  Parameter<double, Cuda> a("a", value("a")), b("b", value("b"));
  auto const target = value("target");
  AdamW<double, Cuda> optimizer({&a, &b});
  int const before = emulator::synchronizations;
  backward(mean_squared_error(multiply(a.variable(), b.variable()), target));
  auto const norm = measure_gradients(optimizer.parameters(), 0.1);
  optimizer.step(1e-2, norm.coefficient);
  auto const scaled = clip_gradients(optimizer.parameters(), 0.01);
  optimizer.step(1e-2);
  optimizer.clear_gradients();
  EXPECT_EQ(emulator::synchronizations, before);
  EXPECT_GT(norm.value(), 0.1);
  EXPECT_EQ(scaled.value(), norm.value());
  EXPECT_EQ(emulator::synchronizations, before + 3);
}
#endif

TEST_F(CudaTensor, FrozenMatricesOfEveryStorage) {
  auto const x = normal<float>(Shape{7, 700}, RandomKey(23)),
             w = normal<float>(Shape{700, 9}, RandomKey(24));  // more rows than a panel has
  auto const check = [&](auto const& stored) {
    FrozenMatrix<float> const here(stored, Layout::in_out);
    FrozenMatrix<float, Cuda> const there(to_device<Cuda>(stored), Layout::in_out);
    expect_close(linear(Variable<float, Cuda>(to_device<Cuda>(x)), there).value(),
                 linear(Variable<float>(x), here).value(), "x·Wᵀ");
    expect_close(there.dense(), here.dense(), "dense");
    Tensor<float> rows(Shape{3, 700});
    Tensor<float, Cuda> device_rows(Shape{3, 700});
    here.rows({8, 0, 8}, rows.data());
    there.rows({8, 0, 8}, device_rows.data());
    expect_close(device_rows, rows, "rows");
  };
  check(w);
  check(cast<bfloat16>(w));
  check(cast<half>(w));
}

TEST_F(CudaTensor, CopiesKeepEveryBit) {
  auto const x = normal<float>(Shape{3, 1001}, RandomKey(25));
  auto const there = to_device<Cuda>(to_device<Cuda>(x));
  EXPECT_EQ(relative_difference(to_device<Cpu>(there), x), 0);
  EXPECT_EQ(relative_difference(to_device<Cpu>(there.slice(1, 3)), x.slice(1, 3)), 0);

  auto staged = pinned<float>(x.shape());
  copy_async(there, staged);
  synchronize(Cuda{});
  EXPECT_EQ(relative_difference(staged, x), 0);
  EXPECT_EQ(to_device<Cpu>(to_device<Cuda>(Tensor<float>(Shape{0, 3}))).size(), 0);
}

/// What kernels see of an array.
template <class T>
std::vector<T> read_back(MirroredArray<T, Cuda> const& array) {
  Tensor<T, Cuda> const there =
      Tensor<T, Cuda>::alias(Shape{array.size()}, DevicePointer<T>(const_cast<T*>(array.data().raw())), nullptr);
  auto const here = to_device<Cpu>(there);
  return {here.data(), here.data() + here.size()};
}

TEST_F(CudaTensor, ArraysOfAStepArriveTogether) {
  std::vector<Index> const places{4, 0, 2};
  std::vector<Token> const labels{7};
  std::vector<double> const frequencies{0.5, 0.25};
  StepArrays<Cuda> arrays;
  auto const a = arrays.add(places);
  auto const nothing = arrays.add(std::vector<int>{});
  auto const b = arrays.add(labels);
  auto const c = arrays.add(frequencies);
  EXPECT_EQ(a.host(), places);  // the host need not wait
  arrays.upload();
  auto const d = arrays.add(std::vector<Index>{9});
  arrays.upload();
  EXPECT_EQ(read_back(a), places);
  EXPECT_EQ(read_back(b), labels);
  EXPECT_EQ(read_back(c), frequencies);
  EXPECT_EQ(read_back(d), std::vector<Index>{9});
  EXPECT_EQ(nothing.data(), nullptr);
  EXPECT_EQ(read_back(MirroredArray<Index, Cuda>(places)), places);
  EXPECT_EQ(read_back(MirroredArray<Index, Cuda>{5, 6}), (std::vector<Index>{5, 6}));
}

TEST_F(CudaTensor, StagedNumbersMayChangeAtOnce) {
  std::vector<Tensor<Index, Cuda>> there;
  {
    Tensor<Index> numbers(Shape{9000});
    for (Index k = 0; k < 12; ++k) {
      std::fill_n(numbers.data(), numbers.size(), k);
      there.push_back(staged<Cuda>(numbers));
    }
  }
  for (Index k = 0; k < 12; ++k) {
    auto const back = to_device<Cpu>(there[static_cast<std::size_t>(k)]);
    EXPECT_TRUE(std::all_of(back.data(), back.data() + back.size(), [&](Index n) { return n == k; })) << k;
  }
  EXPECT_EQ(staged<Cuda>(Tensor<Index>(Shape{0})).size(), 0);
}

#ifdef GRAFT_CUDA_EMULATED
TEST_F(CudaTensor, ArraysWaitForNothingAndReuseWhatStagesThem) {
  std::vector<Index> const places{4, 0, 2};
  auto const step = [&] {
    StepArrays<Cuda> tables;
    auto const some = tables.add(places);
    tables.upload();
    return std::pair(some, MirroredArray<Index, Cuda>{7, 8});
  };
  (void)step();
  int const waits = emulator::synchronizations, pinned = emulator::pinned;
  std::vector<std::pair<MirroredArray<Index, Cuda>, MirroredArray<Index, Cuda>>> steps;
  for (int i = 0; i < 20; ++i) steps.push_back(step());
  EXPECT_EQ(emulator::synchronizations, waits);
  EXPECT_EQ(emulator::pinned, pinned);
  for (auto const& [some, others] : steps) {
    EXPECT_EQ(read_back(some), places);
    EXPECT_EQ(read_back(others), (std::vector<Index>{7, 8}));
  }
}
#endif

TEST_F(CudaTensor, OptimizersOnTheDeviceAskForNoMemoryOfTheHost) {
  Shape const large{Index{1} << 50};  // numbers that nobody touches
  Parameter<float, Cuda> there("w", Tensor<float, Cuda>::alias(large, nullptr, nullptr));
  Parameter<float> here("w", Tensor<float>::alias(large, nullptr, nullptr));
  EXPECT_NO_THROW((detail::require_optimizer_memory<float, Cuda>({&there}, 3)));
  EXPECT_THROW((detail::require_optimizer_memory<float, Cpu>({&here}, 3)), ConfigError);
}

TEST_F(CudaTensor, CopiesOfOtherSizesAreRefused) {
  Tensor<float> host(Shape{3});
  Tensor<float, Cuda> device(Shape{4});
  EXPECT_THROW(copy_async(host, device), ShapeError);
}

TEST_F(CudaTensor, MoreMemoryThanThereIsIsOneSentence) {
  try {
    Tensor<float, Cuda> const tensor(Shape{Index{1} << 50});
    FAIL() << "expected an error";
  } catch (Error const& error) {
    EXPECT_NE(std::string(error.what()).find("out of memory on device 0"), std::string::npos) << error.what();
  }
  Tensor<float, Cuda> tensor(Shape{4});  // and the device goes on
  kernels::On<Cuda, kernels::Elementwise, float>::fill(tensor.data(), 1.F, tensor.size());
  expect_close(tensor, full(Shape{4}, 1.F), "after the failure");
}

}  // namespace
