// Operations on bfloat16 activations of a GPU, with their gradients: the host's numbers, and float64's within one
// rounding. Products are formed from what is stored; nothing is widened for one where the device need not.
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/ops/activation.hpp>
#include <graft/ops/bias.hpp>
#include <graft/ops/cast.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/scatter.hpp>
#include <graft/ops/sum.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/weights/to_device.hpp>

#include "bfloat16_testing.hpp"
#ifdef GRAFT_CUDA_EMULATED
#include "cublas_v2.h"
#endif

namespace {

using namespace graft;
using graft::testing::as;
using graft::testing::expect_rounded;
using graft::testing::expect_sums;
using graft::testing::narrow;
using graft::testing::relative_difference;

class CudaBfloat16Ops : public graft::testing::DeviceTest {};

template <class Scalar, class Device>
TrainableMatrix<Scalar, Device> trained(Parameter<Scalar, Device> const& w) {
  return {w.variable()};
}

/// A result, and the gradients of what it was computed from.
template <class Scalar>
struct Outcome {
  Tensor<Scalar> y;
  std::vector<Tensor<Scalar>> inputs;
  std::vector<Tensor<SumOf<Scalar>>> parameters;
};

/// `f(inputs, parameters)` gives one variable; its gradient is `dy`.
template <class Device, class Scalar, class F>
Outcome<Scalar> outcome(std::vector<Tensor<bfloat16>> const& inputs, std::vector<Tensor<float>> const& parameters,
                        F const& f) {
  using Sum = SumOf<Scalar>;
  std::vector<Parameter<Scalar, Device>> in;
  std::vector<Parameter<Sum, Device>> weights;
  for (auto const& input : inputs) in.emplace_back("x", to_device<Device>(as<Scalar>(input)));
  for (auto const& parameter : parameters) weights.emplace_back("w", to_device<Device>(as<Sum>(parameter)));
  auto const y = f(in, weights);
  backward_from(y, to_device<Device>(as<Scalar>(narrow("dy", y.shape()))));
  Outcome<Scalar> result{to_device<Cpu>(y.value()), {}, {}};
  for (auto const& p : in) result.inputs.push_back(to_device<Cpu>(p.gradient()));
  for (auto const& p : weights) result.parameters.push_back(to_device<Cpu>(p.gradient()));
  return result;
}

/// `terms`: about how large the numbers are whose sums the results are.
template <class F>
void expect_one_rounding(std::string const& what, std::vector<Tensor<bfloat16>> const& inputs,
                         std::vector<Tensor<float>> const& parameters, F const& f, double terms = 1) {
  auto const got = outcome<Cuda, bfloat16>(inputs, parameters, f), host = outcome<Cpu, bfloat16>(inputs, parameters, f);
  auto const reference = outcome<Cpu, double>(inputs, parameters, f);
  expect_rounded(got.y, host.y, reference.y, what, terms);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    expect_rounded(got.inputs[i], host.inputs[i], reference.inputs[i], what + ", operand " + std::to_string(i), terms);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    expect_sums(got.parameters[i], reference.parameters[i], 1e-5, what + ", parameter " + std::to_string(i));
}

TEST_F(CudaBfloat16Ops, RoundTheirResultsOnce) {
  Shape const shape{37, 24};
  auto const x = narrow("x", shape), other = narrow("other", shape);
  auto const vector = normal<float>(Shape{24}, RandomKey(61));
  auto const one = [](char const* what, std::vector<Tensor<bfloat16>> const& inputs, auto const& f) {
    expect_one_rounding(what, inputs, {}, [&](auto& in, auto&) { return f(in); }, 10);
  };
  one("add", {x, other}, [](auto& in) { return add(in[0].variable(), in[1].variable()); });
  one("multiply", {x, other}, [](auto& in) { return multiply(in[0].variable(), in[1].variable()); });
  one("scale", {x}, [](auto& in) { return scale(in[0].variable(), 1.75); });
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu})
    one("activation", {x}, [f](auto& in) { return activate(in[0].variable(), f); });
  one("gated", {x, other}, [](auto& in) { return gated(in[0].variable(), in[1].variable(), Activation::silu); });
  one("gather", {x}, [](auto& in) { return gather_rows(in[0].variable(), {3, 3, 0, 36, 3}); });
  one("slice", {x}, [](auto& in) { return slice_rows(in[0].variable(), 5, 11); });
  std::vector<Index> places(37);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<Index>((7 * i) % 40);
  one("scatter", {x}, [&](auto& in) { return scatter_rows(in[0].variable(), places, 40); });
  one("scatter and add", {x},
      [](auto& in) { return scatter_add_rows(in[0].variable(), std::vector<Index>(37, 2), 3); });
  one("assemble", {x, other}, [](auto& in) {
    std::vector const sources{in[0].variable(), in[1].variable()};
    return assemble_rows(sources, {{1, 2}, {0, 36}, {0, 36}, {1, 0}});
  });
  expect_one_rounding("bias", {x}, {vector},
                      [](auto& in, auto& w) { return add_bias(in[0].variable(), w[0].variable()); });
}

TEST_F(CudaBfloat16Ops, CastsPassGradientsOn) {
  auto const wide = normal<float>(Shape{5, 9}, RandomKey(62));
  auto const on = [&]<class Device>(Device) {
    Parameter<float, Device> p("p", to_device<Device>(wide));
    auto const whole = cast<bfloat16>(p.variable());
    auto const part = cast<bfloat16>(Columns<float, Device>{p.variable(), 2}, 3);
    backward_from(part.x, to_device<Device>(narrow("of part", Shape{5, 3})));
    backward_from(cast<float>(scale(whole, 3.0)), to_device<Device>(normal<float>(Shape{5, 9}, RandomKey(63))));
    return std::vector{to_device<Cpu>(cast<float>(whole).value()), to_device<Cpu>(cast<float>(part.x).value()),
                       to_device<Cpu>(p.gradient())};
  };
  auto const expected = on(Cpu{}), got = on(Cuda{});
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(relative_difference(got[i], expected[i]), 0) << i;
}

/// W as it is stored, for whichever type computes.
template <class Stored>
struct Frozen {
  Tensor<Stored> stored;
  Layout layout;
  template <class Scalar, class Device>
  [[nodiscard]] FrozenMatrix<SumOf<Scalar>, Device> as(Parameter<Scalar, Device> const&) const {
    using Number = SumOf<Scalar>;
    if constexpr (std::is_same_v<Number, double>)  // the reference: the same numbers in float64
      return {graft::cast<double>(graft::cast<float>(stored)), layout};
    else
      return to_device<Device>(FrozenMatrix<Number>(stored, layout));
  }
};

TEST_F(CudaBfloat16Ops, LinearWithFrozenWeightsOfEveryStorage) {
  auto const bias = normal<float>(Shape{13}, RandomKey(64));
  auto const check = [&](std::string const& name, auto const& weight) {
    for (Index rows : {1, 37}) {
      auto const x = narrow("x", Shape{rows, 21});
      expect_one_rounding(
          name, {x}, {}, [&](auto& in, auto&) { return linear(in[0].variable(), weight.as(in[0])); }, 20);
      expect_one_rounding(
          name + " and a bias", {x}, {bias},
          [&](auto& in, auto& w) { return linear(in[0].variable(), weight.as(in[0]), w[0].variable()); }, 20);
    }
  };
  for (Layout layout : {Layout::out_in, Layout::in_out}) {
    auto const w = normal<float>(layout == Layout::out_in ? Shape{13, 21} : Shape{21, 13}, RandomKey(65));
    check("float32", Frozen<float>{w, layout});
    check("bfloat16", Frozen<bfloat16>{cast<bfloat16>(w), layout});
    check("half", Frozen<half>{cast<half>(w), layout});
  }
}

TEST_F(CudaBfloat16Ops, LinearWithTrainedWeights) {
  auto const x = narrow("x", Shape{37, 21});
  auto const w = normal<float>(Shape{13, 21}, RandomKey(66)), turned = normal<float>(Shape{21, 13}, RandomKey(67));
  auto const bias = normal<float>(Shape{13}, RandomKey(68));
  expect_one_rounding(
      "[out, in]", {x}, {w, bias},
      [](auto& in, auto& p) { return linear(in[0].variable(), trained(p[0]), p[1].variable()); }, 20);
  expect_one_rounding(
      "[in, out]", {x}, {turned}, [](auto& in, auto& p) { return matmul(in[0].variable(), p[0].variable()); }, 20);
  expect_one_rounding("row_sums", {x}, {}, [](auto& in, auto&) { return row_sums(in[0].variable()); }, 20);
}

/// Two products and a difference, not yet rounded, meet in one gradient. 1 + 3·2⁻⁹ is no bfloat16.
TEST_F(CudaBfloat16Ops, ContributionsAreNotRoundedBeforeTheirSum) {
  float const number = 1 + 3.0F / 512;
  float const sum = static_cast<float>(bfloat16(3 * number));
  ASSERT_NE(sum, static_cast<float>(bfloat16(3 * static_cast<float>(bfloat16(number)))));
  FrozenMatrix<float, Cuda> const w(
      to_device<Cuda>(tensor_of<bfloat16>(Shape{2, 1}, std::vector<float>{1, 3.0F / 512})));
  Parameter<bfloat16, Cuda> x("x", to_device<Cuda>(full(Shape{1, 1}, bfloat16(1))));
  for (int i = 0; i < 3; ++i) backward_from(linear(x.variable(), w), to_device<Cuda>(full(Shape{1, 2}, bfloat16(1))));
  EXPECT_EQ(static_cast<float>(*to_device<Cpu>(x.gradient()).data()), sum);
}

/// A product is added to the gradient that is there, but not where somebody else holds the same numbers.
TEST_F(CudaBfloat16Ops, ProductsLeaveGradientsThatAreShared) {
  auto const on = [&]<class Device>(Device) {
    Shape const shape{3, 4};
    FrozenMatrix<float, Device> const w(to_device<Device>(narrow("w", Shape{4, 4})));
    Parameter<bfloat16, Device> x("x", to_device<Device>(narrow("x", shape)));
    Parameter<float, Device> p("p", to_device<Device>(normal<float>(shape, RandomKey(69))));
    auto const product = cast<float>(linear(x.variable(), w));
    auto const loss = add(product, add(cast<float>(x.variable()), p.variable()));
    backward_from(loss, to_device<Device>(normal<float>(shape, RandomKey(70))));
    return std::vector{to_device<Cpu>(cast<float>(Variable<bfloat16, Device>(x.gradient())).value()),
                       to_device<Cpu>(p.gradient())};
  };
  auto const expected = on(Cpu{}), got = on(Cuda{});
  EXPECT_EQ(relative_difference(got[1], normal<float>(Shape{3, 4}, RandomKey(70))), 0);
  EXPECT_LE(relative_difference(got[0], expected[0]), 0x1p-8);
}

#ifdef GRAFT_CUDA_EMULATED
TEST_F(CudaBfloat16Ops, NothingIsWidenedForProductsOfBfloat16) {
  FrozenMatrix<float, Cuda> const w(to_device<Cuda>(narrow("w", Shape{13, 21})));
  Parameter<bfloat16, Cuda> x("x", to_device<Cuda>(narrow("x", Shape{5, 21})));
  int const before = emulator::gemms_of_bfloat16;
  auto const y = linear(x.variable(), w);
  EXPECT_EQ(emulator::gemms_of_bfloat16, before + 1);
  backward_from(y, to_device<Cuda>(narrow("dy", Shape{5, 13})));
  EXPECT_EQ(emulator::gemms_of_bfloat16, before + 2);
  Parameter<float, Cuda> parameter("w", to_device<Cuda>(normal<float>(Shape{13, 21}, RandomKey(71))));
  backward_from(linear(Variable<bfloat16, Cuda>(x.value()), trained(parameter)),
                to_device<Cuda>(narrow("dy", Shape{5, 13})));
  EXPECT_EQ(emulator::gemms_of_bfloat16, before + 3) << "dW is formed from what is stored";
}
#endif

/// y = W₂·gelu(W₁·x + b₁) + F·x with bfloat16 activations and a frozen bfloat16 F, fitted by AdamW in float32.
template <class Device>
std::vector<double> losses_of_training() {
  Index const rows = 33, in = 20, hidden = 48, out = 10;
  auto const parameter = [](char const* name, Shape const& shape) {
    return Parameter<float, Device>(name, to_device<Device>(normal<float>(shape, RandomKey(72).with(name), 0.3)));
  };
  auto w1 = parameter("w1", Shape{hidden, in}), b1 = parameter("b1", Shape{hidden}),
       w2 = parameter("w2", Shape{out, hidden});
  FrozenMatrix<float, Device> const frozen(to_device<Device>(narrow("frozen", Shape{in, out}, 0.2)), Layout::in_out);
  Variable<bfloat16, Device> const x = to_device<Device>(narrow("x", Shape{rows, in}));
  auto const target = to_device<Device>(normal<float>(Shape{rows, out}, RandomKey(73)));
  AdamW<float, Device> optimizer({&w1, &b1, &w2});
  std::vector<double> losses;
  for (int step = 0; step < 10; ++step) {
    auto const activated = activate(linear(x, trained(w1), b1.variable()), Activation::gelu);
    auto const y = add(linear(activated, trained(w2)), linear(x, frozen));
    auto const loss = mean_squared_error(cast<float>(y), target);
    backward(loss);
    optimizer.step(0.02);
    optimizer.clear_gradients();
    losses.push_back(static_cast<double>(*to_device<Cpu>(loss.value()).data()));
  }
  return losses;
}

TEST_F(CudaBfloat16Ops, TrainANetworkAsOnTheHost) {
  auto const expected = losses_of_training<Cpu>(), got = losses_of_training<Cuda>();
  EXPECT_LT(expected.back(), 0.9 * expected.front());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(got[i], expected[i], 5e-3 * expected[i]) << i;
}

}  // namespace
