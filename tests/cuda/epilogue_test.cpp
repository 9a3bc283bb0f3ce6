// Products that go on to a bias and an activation in one kernel: float64's numbers, the refusals, and how often
// cuBLASLt is asked.
#include <cmath>
#include <string>
#include <vector>

#include <graft/kernels/tf32.hpp>
#include <graft/ops/feed_forward.hpp>
#include <graft/weights/to_device.hpp>

#include "bfloat16_testing.hpp"
#ifdef GRAFT_CUDA_EMULATED
#include "cublasLt.h"
#endif

namespace {

using namespace graft;
using graft::testing::as;
using graft::testing::narrow;
using graft::testing::relative_difference;
using kernels::Read;

template <class Scalar>
class CudaEpilogue : public graft::testing::DeviceTest {};
using Scalars = ::testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(CudaEpilogue, Scalars);

template <class Scalar>
inline constexpr double one_rounding = is_narrow<Scalar> ? 0x1.01p-8 : 1e-5;

/// Within one rounding of float64's; numbers that are small against `terms` have float32's error.
template <class Scalar>
void expect_rounded_once(Tensor<Scalar, Cuda> const& result, Tensor<double> const& reference, std::string const& what,
                         double terms) {
  auto const got = to_device<Cpu>(result);
  ASSERT_EQ(got.shape(), reference.shape()) << what;
  for (Index i = 0; i < got.size(); ++i)
    ASSERT_NEAR(static_cast<double>(static_cast<float>(got.data()[i])), reference.data()[i],
                one_rounding<Scalar> * std::abs(reference.data()[i]) + 2e-6 * terms)
        << what << ", element " << i;
}

double gelu_of(double x) { return x / 2 * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x))); }
double slope_of(double x) { return (gelu_of(x + 1e-5) - gelu_of(x - 1e-5)) / 2e-5; }

/// What the epilogue makes of a sum and the input that it had, in float64.
struct Wanted {
  char const* name;
  std::optional<Activation> activation;
  bool bias, input, slope;
};
constexpr Wanted wanted[] = {{"bias", {}, true, false, false},
                             {"gelu", Activation::gelu_tanh, false, false, false},
                             {"gelu and input", Activation::gelu_tanh, false, true, false},
                             {"gelu and bias", Activation::gelu_tanh, true, false, false},
                             {"gelu, bias and input", Activation::gelu_tanh, true, true, false},
                             {"relu", Activation::relu, false, false, false},
                             {"relu and bias", Activation::relu, true, false, false},
                             {"slope of gelu", Activation::gelu_tanh, false, false, true}};

TYPED_TEST(CudaEpilogue, ProductsGoOnToWhatFollowsThem) {
  using Scalar = TypeParam;
  Index const m = 16, n = 24, k = 40, padding = 8;
  auto const bias = narrow("bias", Shape{n}), slope_at = narrow("slope at", Shape{m, n});
  for (auto const& w : wanted)
    for (Read read_a : {Read::plain, Read::transposed})
      for (Read read_b : {Read::plain, Read::transposed}) {
        auto const a = narrow("a", read_a == Read::plain ? Shape{m, k + padding} : Shape{k, m + padding});
        auto const b = narrow("b", read_b == Read::plain ? Shape{k, n + padding} : Shape{n, k + padding});
        auto const before = narrow("c", Shape{m, n + padding});
        auto const left = to_device<Cuda>(as<Scalar>(a)), right = to_device<Cuda>(as<Scalar>(b)),
                   vector = to_device<Cuda>(as<Scalar>(bias)), at = to_device<Cuda>(as<Scalar>(slope_at));
        auto c = to_device<Cuda>(as<Scalar>(before));
        Tensor<Scalar, Cuda> input(Shape{m, n});
        kernels::Epilogue<Scalar, Cuda> epilogue{.activation = w.activation};
        if (w.bias) epilogue.bias = vector.data();
        if (w.input) epilogue.input = input.data();
        if (w.slope) epilogue.slope_at = at.data();
        bool const done = kernels::On<Cuda, kernels::Matmul, Scalar>::matmul_with(
            {m, n, k, left.data(), a.width(), read_a, right.data(), b.width(), read_b, 0, c.data(), n + padding},
            epilogue);
        ASSERT_TRUE(done) << w.name;

        auto result = as<double>(before);
        Tensor<double> sums(Shape{m, n});
        auto const number = [](bfloat16 x) { return static_cast<double>(static_cast<float>(x)); };
        for (Index i = 0; i < m; ++i)
          for (Index j = 0; j < n; ++j) {
            double sum = w.bias ? number(bias.data()[j]) : 0;
            for (Index p = 0; p < k; ++p)
              sum += number(read_a == Read::plain ? a.row(i)[p] : a.row(p)[i]) *
                     number(read_b == Read::plain ? b.row(p)[j] : b.row(j)[p]);
            sums.row(i)[j] = sum;
            result.row(i)[j] = w.slope                             ? sum * slope_of(number(slope_at.row(i)[j]))
                               : !w.activation                     ? sum
                               : *w.activation == Activation::relu ? std::max(sum, 0.0)
                                                                   : gelu_of(sum);
          }
        expect_rounded_once(c, result, w.name, 10);
        if (w.input) expect_rounded_once(input, sums, std::string(w.name) + ", its input", 10);
      }
}

/// Of another activation, of a sum with what is there, of an input that cuBLASLt cannot store: nothing is computed.
TYPED_TEST(CudaEpilogue, WhatIsNotThereIsNotComputed) {
  using Scalar = TypeParam;
  auto const x = to_device<Cuda>(as<Scalar>(narrow("x", Shape{8, 12})));
  auto const before = as<Scalar>(narrow("c", Shape{8, 8}));
  auto const c = to_device<Cuda>(before);
  Tensor<Scalar, Cuda> input(Shape{8, 8});
  auto const refused = [&](Index n, float beta, kernels::Epilogue<Scalar, Cuda> const& epilogue) {
    Tensor<Scalar, Cuda> result = c;
    EXPECT_FALSE((kernels::On<Cuda, kernels::Matmul, Scalar>::matmul_with(
        {8, n, 12, x.data(), 12, Read::plain, x.data(), 12, Read::transposed, beta, result.data(), 8}, epilogue)));
  };
  auto const gelu = Activation::gelu_tanh;
  refused(8, 0, {});
  refused(8, 0, {.activation = Activation::gelu});
  refused(8, 0, {.activation = Activation::silu});
  refused(8, 0, {.activation = Activation::relu, .input = input.data()});
  refused(8, 0, {.activation = Activation::relu, .slope_at = input.data()});
  refused(8, 0, {.bias = x.data(), .activation = gelu, .slope_at = input.data()});
  refused(8, 1, {.bias = x.data()});
  refused(7, 0, {.activation = gelu, .input = input.data()});
  refused(7, 0, {.activation = gelu, .slope_at = input.data()});
  refused(8, 0, {.activation = gelu, .input = input.data() + 1});
  auto const after = to_device<Cpu>(c);
  for (Index i = 0; i < after.size(); ++i)
    EXPECT_EQ(static_cast<float>(after.data()[i]), static_cast<float>(before.data()[i]));
  auto const wide = to_device<Cuda>(zeros<double>(Shape{8, 8}));
  EXPECT_FALSE((kernels::On<Cuda, kernels::Matmul, double>::matmul_with(
      {8, 8, 8, wide.data(), 8, Read::plain, wide.data(), 8, Read::plain, 0, Tensor<double, Cuda>(Shape{8, 8}).data(),
       8},
      {.bias = wide.data()})));
}

class CudaEpilogues : public graft::testing::DeviceTest {};

/// Of 256 + 1 + 1, no part may be rounded before the last has joined: 256 + 1 would be 256.
TEST_F(CudaEpilogues, RoundNoPartOfASum) {
  auto const ones = to_device<Cuda>(full(Shape{8, 8}, bfloat16(1)));
  auto const sum_of = [&](std::vector<float> const& terms, float bias) {
    std::vector<float> rows;
    for (int i = 0; i < 8; ++i) rows.insert(rows.end(), terms.begin(), terms.end());
    auto const w = to_device<Cuda>(tensor_of<bfloat16>(Shape{8, 8}, rows));
    auto const b = to_device<Cuda>(full(Shape{8}, bfloat16(bias)));
    Tensor<bfloat16, Cuda> sums(Shape{8, 8});
    EXPECT_TRUE((kernels::On<Cuda, kernels::Matmul, bfloat16>::matmul_with(
        {8, 8, 8, ones.data(), 8, Read::plain, w.data(), 8, Read::transposed, 0, sums.data(), 8}, {.bias = b.data()})));
    return static_cast<float>(*to_device<Cpu>(sums).data());
  };
  EXPECT_EQ(sum_of({256, 1, 0, 0, 0, 0, 0, 0}, 1), 258);
  EXPECT_EQ(sum_of({256, 1, 0, 0, 1, 0, 0, 0}, 0), 258);
}

TEST_F(CudaEpilogues, AreTheSameBitsEveryTime) {
  auto const x = to_device<Cuda>(narrow("x", Shape{65, 1000})), w = to_device<Cuda>(narrow("w", Shape{40, 1000}));
  auto const bias = to_device<Cuda>(normal<float>(Shape{40}, RandomKey(81)));
  auto const run = [&] {
    return to_device<Cpu>(linear(Variable<bfloat16, Cuda>(x), FrozenMatrix<float, Cuda>(w), bias).value());
  };
  auto const first = run();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(relative_difference(cast<float>(run()), cast<float>(first)), 0);
}

TEST_F(CudaEpilogues, TakeTf32WhereItIsAllowed) {
  auto const x = normal<double>(Shape{64, 128}, RandomKey(57)), w = normal<double>(Shape{64, 128}, RandomKey(58)),
             b = normal<double>(Shape{64}, RandomKey(59));
  auto const mapped = [&]<class Scalar>(Scalar) {
    return cast<double>(to_device<Cpu>(linear(Variable<Scalar, Cuda>(to_device<Cuda>(cast<Scalar>(x))),
                                              FrozenMatrix<Scalar, Cuda>(to_device<Cuda>(cast<Scalar>(w))),
                                              to_device<Cuda>(cast<Scalar>(b)))
                                           .value()));
  };
  auto const reference = mapped(double{});
  EXPECT_LE(relative_difference(mapped(float{}), reference), 1e-6);
  allow_tf32();
  EXPECT_GT(relative_difference(mapped(float{}), reference), 1e-5) << "tensor cores have not been used";
  allow_tf32(false);
  EXPECT_LE(relative_difference(mapped(float{}), reference), 1e-6);
}

/// A frozen bias is rounded to bfloat16 beside a matrix in bfloat16, a trained one never.
TEST_F(CudaEpilogues, RoundABiasThatIsFrozen) {
  float const number = 1 + 3.0F / 512, sum = -1;  // the first is no bfloat16
  auto const w = full(Shape{8, 8}, -0.125F);
  FrozenMatrix<float, Cuda> const stored(to_device<Cuda>(cast<bfloat16>(w))), wide(to_device<Cuda>(w));
  Variable<bfloat16, Cuda> const x = to_device<Cuda>(full(Shape{8, 8}, bfloat16(1)));
  auto const bias = to_device<Cuda>(full(Shape{8}, number));
  auto const first = [](auto const& y) { return static_cast<float>(*to_device<Cpu>(y.value()).data()); };
  EXPECT_EQ(first(linear(x, stored, bias)), static_cast<float>(bfloat16(number)) + sum);
  EXPECT_EQ(first(linear(x, stored, Variable<float, Cuda>(bias))), number + sum);
  EXPECT_EQ(first(linear(x, wide, bias)), number + sum);
}

/// Value and gradient of a sublayer, whose weights' numbers are those of bfloat16.
template <class Scalar, class Stored, class Device>
std::vector<Tensor<double>> sublayer(Activation f, Layout layout, bool biased, Index hidden, bool computed = true) {
  using Number = ParameterOf<Scalar>;
  auto const matrix = [&](char const* name, Index out, Index in) {
    auto const w = narrow(name, layout == Layout::out_in ? Shape{out, in} : Shape{in, out}, 0.4);
    return FrozenMatrix<Number, Device>(to_device<Device>(as<Stored>(w)), layout);
  };
  auto const bias = [&](char const* name, Index size) {
    return biased ? to_device<Device>(as<Number>(narrow(name, Shape{size}))) : Tensor<Number, Device>();
  };
  Parameter<Scalar, Device> x("x", to_device<Device>(as<Scalar>(narrow("x", Shape{19, 16}))));
  auto const y = feed_forward(x.variable(), matrix("w1", hidden, 16), bias("b1", hidden), f, matrix("w2", 8, hidden),
                              bias("b2", 8), computed);
  backward_from(y, to_device<Device>(as<Scalar>(narrow("dy", y.shape()))));
  auto const numbers = [](auto const& tensor) {
    auto const here = to_device<Cpu>(tensor);
    if constexpr (is_narrow<Scalar>)
      return cast<double>(cast<float>(here));
    else
      return cast<double>(here);
  };
  return {numbers(y.value()), numbers(x.gradient())};
}

/// Those of various sublayers differ from float64's on the host by so much at most.
template <class Scalar>
void expect_sublayers(double tolerance) {
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::relu})
    for (Layout layout : {Layout::out_in, Layout::in_out})
      for (bool biased : {true, false})
        for (Index hidden : {32, 27}) {
          auto const expected = sublayer<double, double, Cpu>(f, layout, biased, hidden),
                     got = sublayer<Scalar, Scalar, Cuda>(f, layout, biased, hidden);
          for (std::size_t i = 0; i < 2; ++i)
            EXPECT_LE(relative_difference(got[i], expected[i]), tolerance)
                << static_cast<int>(f) << ", " << hidden << ", " << i;
        }
}

TEST_F(CudaEpilogues, AreThoseOfASublayerInFloat32) { expect_sublayers<float>(1e-5); }

/// u, h, and the gradients of h and u are rounded: what comes out is a few roundings from float64's.
TEST_F(CudaEpilogues, AreThoseOfASublayerInBfloat16) {
  expect_sublayers<bfloat16>(0x1p-7);
  EXPECT_LE(relative_difference(sublayer<bfloat16, half, Cuda>(Activation::gelu_tanh, Layout::out_in, true, 32)[1],
                                sublayer<double, double, Cpu>(Activation::gelu_tanh, Layout::out_in, true, 32)[1]),
            0x1p-7);
}

TEST_F(CudaEpilogues, AreThoseOfASublayerThatIsComputedAgain) {
  auto const once = sublayer<bfloat16, bfloat16, Cuda>(Activation::gelu_tanh, Layout::out_in, true, 32),
             again = sublayer<bfloat16, bfloat16, Cuda>(Activation::gelu_tanh, Layout::out_in, true, 32, false);
  EXPECT_EQ(relative_difference(again[1], once[1]), 0);
  EXPECT_EQ(relative_difference(again[0], zeros<double>(again[0].shape())), 0);
}

#ifdef GRAFT_CUDA_EMULATED
/// How many products `f` has asked for with each epilogue.
template <class F>
std::map<cublasLtEpilogue_t, int> counted(F const& f) {
  emulator::epilogues.clear();
  f();
  return emulator::epilogues;
}
using Counts = std::map<cublasLtEpilogue_t, int>;

TEST_F(CudaEpilogues, AreAskedFor) {
  auto const float32 = [](Activation f, Index hidden = 32) {
    return counted([&] { (void)sublayer<float, float, Cuda>(f, Layout::out_in, true, hidden); });
  };
  auto const bf16 = [](Activation f) {
    return counted([&] { (void)sublayer<bfloat16, bfloat16, Cuda>(f, Layout::in_out, true, 32); });
  };
  Counts const gelu{{CUBLASLT_EPILOGUE_GELU_AUX_BIAS, 1}, {CUBLASLT_EPILOGUE_BIAS, 1}, {CUBLASLT_EPILOGUE_DGELU, 1}};
  Counts const relu{{CUBLASLT_EPILOGUE_RELU_BIAS, 1}, {CUBLASLT_EPILOGUE_BIAS, 1}}, other{{CUBLASLT_EPILOGUE_BIAS, 2}};
  EXPECT_EQ(float32(Activation::gelu_tanh), gelu);
  EXPECT_EQ(bf16(Activation::gelu_tanh), gelu);
  EXPECT_EQ(float32(Activation::relu), relu);
  EXPECT_EQ(bf16(Activation::relu), relu);
  EXPECT_EQ(float32(Activation::gelu), other) << "the exact GELU is not cuBLASLt's";
  EXPECT_EQ(float32(Activation::gelu_tanh, 27), other) << "27 is no multiple of 8";
  EXPECT_EQ(counted([] { (void)sublayer<double, double, Cuda>(Activation::gelu_tanh, Layout::out_in, true, 32); }),
            Counts{});
  EXPECT_EQ(counted([] {
              NoGrad const no_grad;
              FrozenMatrix<float, Cuda> const w(to_device<Cuda>(as<float>(narrow("w", Shape{8, 8}))));
              Variable<float, Cuda> const x = to_device<Cuda>(as<float>(narrow("x", Shape{4, 8})));
              (void)feed_forward(x, w, {}, Activation::gelu_tanh, w, {});
            }),
            (Counts{{CUBLASLT_EPILOGUE_GELU, 1}}));
}

TEST_F(CudaEpilogues, OfOneShapeAreChosenOnce) {
  auto const w = to_device<Cuda>(narrow("w", Shape{16, 56}));
  auto const bias = to_device<Cuda>(normal<float>(Shape{16}, RandomKey(82)));
  auto const x = to_device<Cuda>(narrow("x", Shape{12, 56}));
  auto const asked = [&](Index first, Index last) {
    int const before = emulator::heuristics;
    (void)linear(Variable<bfloat16, Cuda>(x.slice(first, last)), FrozenMatrix<float, Cuda>(w), bias);
    return emulator::heuristics - before;
  };
  EXPECT_EQ(asked(0, 8), 1);
  EXPECT_EQ(asked(0, 8), 0);
  EXPECT_EQ(asked(0, 9), 1) << "another shape";
  EXPECT_EQ(asked(1, 9), 1) << "another alignment: 112 bytes on";
  EXPECT_EQ(asked(1, 9), 0);
}

TEST_F(CudaEpilogues, ThatCublasLtHasNotAreSeveralKernels) {
  auto const all = [](Activation f) {
    return std::vector{sublayer<float, float, Cuda>(f, Layout::out_in, true, 40)[0],
                       sublayer<float, float, Cuda>(f, Layout::out_in, true, 40)[1],
                       sublayer<bfloat16, bfloat16, Cuda>(f, Layout::out_in, true, 40)[0],
                       sublayer<bfloat16, bfloat16, Cuda>(f, Layout::out_in, true, 40)[1]};
  };
  emulator::has_algorithms = false;
  Counts const none = counted([&] {
    for (auto f : {Activation::gelu_tanh, Activation::relu}) {
      auto const got = all(f), expected = sublayer<double, double, Cpu>(f, Layout::out_in, true, 40);
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_LE(relative_difference(got[i], expected[i % 2]), i < 2 ? 1e-5 : 0x1p-7) << i;
    }
  });
  emulator::has_algorithms = true;
  EXPECT_EQ(none, Counts{});
}
#endif

}  // namespace
