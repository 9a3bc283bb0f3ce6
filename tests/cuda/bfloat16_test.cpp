// Every kernel that a GPU has for bfloat16 gives what the host's gives, with one rounding of each result, and what
// float64 gives for the same numbers.
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <graft/kernels/activation.hpp>
#include <graft/kernels/bias.hpp>
#include <graft/kernels/cast.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/gather.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/kernels/tf32.hpp>
#include <graft/tensor/mirrored_array.hpp>

#include "bfloat16_testing.hpp"

namespace {

using namespace graft;
using graft::testing::as;
using graft::testing::expect_rounded;
using graft::testing::expect_sums;
using graft::testing::narrow;
using graft::testing::relative_difference;

Index const sizes[] = {0, 1, 31, 256, 257, 2049, 70001};

class CudaBfloat16 : public graft::testing::DeviceTest {};

/// What `run(device, scalar)` gives on the device, against the same on the host and in float64.
template <class Run>
void compare(std::string const& what, Run const& run, double terms = 1) {
  expect_rounded(run(Cuda{}, bfloat16{}), run(Cpu{}, bfloat16{}), run(Cpu{}, double{}), what, terms);
}
/// The same for `kernel(On<…>, operands, y)`, where y starts as `before`.
template <template <class, class> class Kernel, class F>
void compare(std::string const& what, Tensor<bfloat16> const& before, std::vector<Tensor<bfloat16>> const& inputs,
             F const& kernel, double terms = 1) {
  auto const run = [&]<class Device, class Scalar>(Device, Scalar) {
    std::vector<Tensor<Scalar, Device>> operands;
    for (auto const& input : inputs) operands.push_back(to_device<Device>(as<Scalar>(input)));
    auto y = to_device<Device>(as<Scalar>(before));
    kernel(kernels::On<Device, Kernel, Scalar>{}, std::as_const(operands), y);
    return to_device<Cpu>(y);
  };
  compare(what, run, terms);
}

TEST_F(CudaBfloat16, Elementwise) {
  for (Index size : sizes) {
    auto const before = narrow("y", Shape{size}), a = narrow("a", Shape{size}), b = narrow("b", Shape{size});
    auto const run = [&](char const* what, auto const& kernel) {
      compare<kernels::Elementwise>(what, before, {a, b}, kernel);
    };
    run("add", [&](auto kernel, auto& x, auto& y) { kernel.add(x[0].data(), x[1].data(), y.data(), size); });
    run("add in place", [&](auto kernel, auto& x, auto& y) { kernel.add(y.data(), x[0].data(), y.data(), size); });
    run("scale", [&](auto kernel, auto& x, auto& y) { kernel.scale(x[0].data(), 0.3F, y.data(), size); });
    run("multiply", [&](auto kernel, auto& x, auto& y) { kernel.multiply(x[0].data(), x[1].data(), y.data(), size); });
    run("add_scaled", [&](auto kernel, auto& x, auto& y) { kernel.add_scaled(x[0].data(), -0.7F, y.data(), size); });
    run("fill", [&](auto kernel, auto&, auto& y) {
      using Scalar = typename std::remove_cvref_t<decltype(y)>::scalar_type;
      kernel.fill(y.data(), Scalar(3.5F), size);
    });
  }
}

TEST_F(CudaBfloat16, Activations) {
  Index const size = 3001;
  Shape const shape{size};
  auto const before = narrow("y", shape), up = narrow("up", shape), dy = narrow("dy", shape);
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu, Activation::tanh})
    for (double deviation : {1.5, 1e-3, 30.0}) {
      auto const x = narrow("x", shape, deviation);
      auto const run = [&](char const* what, auto const& kernel) {
        compare<kernels::Activation>("activation " + std::to_string(static_cast<int>(f)) + what, before, {x, up, dy},
                                     kernel, 10 * deviation);
      };
      run(" forward", [&](auto kernel, auto& in, auto& y) { kernel.activate(f, in[0].data(), y.data(), size); });
      run(" in place", [&](auto kernel, auto&, auto& y) { kernel.activate(f, y.data(), y.data(), size); });
      run(" backward", [&](auto kernel, auto& in, auto& y) {
        kernel.activate_backward(f, in[0].data(), in[2].data(), y.data(), size);
      });
      run(" gated",
          [&](auto kernel, auto& in, auto& y) { kernel.gated(f, in[0].data(), in[1].data(), y.data(), size); });
      run(" dgate", [&](auto kernel, auto& in, auto& y) {
        kernel.gated_backward(f, in[0].data(), in[1].data(), in[2].data(), y.data(), nullptr, size);
      });
      run(" dup over dy", [&](auto kernel, auto& in, auto& y) {
        kernel.gated_backward(f, in[0].data(), in[1].data(), y.data(), nullptr, y.data(), size);
      });
      run(" both gradients, dup over dy", [&](auto kernel, auto& in, auto& y) {
        auto dgate = to_device<typename std::remove_cvref_t<decltype(y)>::device_type>(y);
        kernel.gated_backward(f, in[0].data(), in[1].data(), y.data(), dgate.data(), y.data(), size);
        y = dgate;
      });
    }
}

TEST_F(CudaBfloat16, ActivationsKeepNaN) {
  auto const nan = full(Shape{1}, bfloat16(std::numeric_limits<float>::quiet_NaN()));
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu, Activation::tanh})
    compare<kernels::Activation>("NaN", nan, {},
                                 [&](auto kernel, auto&, auto& y) { kernel.activate(f, y.data(), y.data(), 1); });
}

TEST_F(CudaBfloat16, Bias) {
  for (Index rows : {0, 1, 7, 9, 300})
    for (Index width : {1, 31, 33, 600}) {
      auto const x = narrow("x", Shape{rows, width});
      auto const bias = normal<float>(Shape{width}, RandomKey(52)), sums = normal<float>(x.shape(), RandomKey(53));
      auto const run = [&](char const* what, auto const& kernel) {
        compare(what, [&]<class Device, class Scalar>(Device, Scalar) {
          using Sum = SumOf<Scalar>;
          auto const b = to_device<Device>(as<Sum>(bias)), s = to_device<Device>(as<Sum>(sums));
          auto y = to_device<Device>(as<Scalar>(x));
          kernel(kernels::On<Device, kernels::Bias, Scalar>{}, to_device<Device>(as<Scalar>(x)), b, s, y);
          return to_device<Cpu>(y);
        });
      };
      run("add_bias", [&](auto kernel, auto const& in, auto const& b, auto const&, auto& y) {
        kernel.add_bias(in.data(), b.data(), rows, width, y.data());
      });
      run("add_bias in place", [&](auto kernel, auto const&, auto const& b, auto const&, auto& y) {
        kernel.add_bias(y.data(), b.data(), rows, width, y.data());
      });
      run("add_bias_to_sums", [&](auto kernel, auto const&, auto const& b, auto const& s, auto& y) {
        kernel.add_bias_to_sums(s.data(), b.data(), rows, width, y.data());
      });
      auto const sum_of = [&]<class Device, class Scalar>(Device, Scalar) {
        Tensor<SumOf<Scalar>, Device> y(Shape{width});
        kernels::On<Device, kernels::Bias, Scalar>::sum_rows(to_device<Device>(as<Scalar>(x)).data(), rows, width,
                                                             y.data());
        return to_device<Cpu>(y);
      };
      expect_sums(sum_of(Cuda{}, bfloat16{}), sum_of(Cpu{}, double{}), 1e-5, "sum_rows");
    }
}

/// 256 + 1 is 256 in bfloat16: sums that are rounded at every step stay there.
TEST_F(CudaBfloat16, SumsAreFormedInFloat32) {
  auto const ones = to_device<Cuda>(full(Shape{600, 3}, bfloat16(1)));
  Tensor<float, Cuda> of_rows(Shape{3}), added = to_device<Cuda>(zeros<float>(Shape{2, 3}));
  kernels::On<Cuda, kernels::Bias, bfloat16>::sum_rows(ones.data(), 600, 3, of_rows.data());
  expect_sums(to_device<Cpu>(of_rows), full(Shape{3}, 600.F), 0, "sum_rows");
  MirroredArray<Index, Cuda> const to(std::vector<Index>(600, 1));
  kernels::On<Cuda, kernels::Gather, bfloat16>::add_rows(ones.data(), nullptr, added.data(), to.data(), false, 600, 3);
  expect_sums(to_device<Cpu>(added.slice(1, 2)), full(Shape{1, 3}, 600.F), 0, "add_rows");
}

TEST_F(CudaBfloat16, RowsMovedAndAdded) {
  Index const rows = 9;
  for (Index width : {1, 31, 300}) {
    Shape const shape{rows, width};
    auto const run = [&](char const* what, auto const& kernel) {
      auto const on = [&]<class Device>(Device) {
        MirroredArray<Index, Device> const distinct{8, 0, 5}, repeated{8, 0, 8};
        auto y = to_device<Device>(narrow("y", shape));
        auto sums = to_device<Device>(normal<float>(shape, RandomKey(54)));
        auto const x = to_device<Device>(narrow("x", shape));
        kernel(kernels::On<Device, kernels::Gather, bfloat16>{}, x, y, sums, distinct.data(), repeated.data());
        return std::pair(to_device<Cpu>(y), to_device<Cpu>(sums));
      };
      auto const [expected, expected_sums] = on(Cpu{});
      auto const [got, got_sums] = on(Cuda{});
      EXPECT_EQ(relative_difference(cast<float>(got), cast<float>(expected)), 0) << what;
      expect_sums(got_sums, expected_sums, 1e-6, what);
    };
    run("copy_rows", [&](auto kernel, auto& x, auto& y, auto&, auto distinct, auto repeated) {
      kernel.copy_rows(x.data(), repeated, y.data(), distinct, 3, width);
    });
    if (width > 1)
      run("copy_columns", [&](auto kernel, auto& x, auto& y, auto&, auto distinct, auto) {
        kernel.copy_columns({x.data() + 1, width}, distinct, {y.data(), width}, nullptr, 3, width - 1);
      });
    run("add_rows", [&](auto kernel, auto& x, auto&, auto& sums, auto distinct, auto repeated) {
      kernel.add_rows(x.data(), repeated, sums.data(), distinct, true, 3, width);
    });
    run("add_rows to equal places", [&](auto kernel, auto& x, auto&, auto& sums, auto distinct, auto repeated) {
      kernel.add_rows(x.data(), distinct, sums.data(), repeated, false, 3, width);
    });
  }
}

TEST_F(CudaBfloat16, CastsRoundToNearestEven) {
  float const infinity = std::numeric_limits<float>::infinity();
  std::vector<float> numbers{0.F,
                             -0.F,
                             1.F,
                             1.00390625F,
                             1.01171875F,
                             -1.00390625F,
                             3.4e38F,
                             -infinity,
                             infinity,
                             1e-40F,
                             std::numeric_limits<float>::quiet_NaN()};
  for (Index size : sizes) {
    auto x = normal<float>(Shape{size}, RandomKey(55));
    for (std::size_t i = 0; i < numbers.size() && static_cast<Index>(i) < size; ++i)
      x.data()[size - 1 - static_cast<Index>(i)] = numbers[i];
    auto const there = to_device<Cuda>(x);
    Tensor<bfloat16, Cuda> rounded(x.shape());
    Tensor<float, Cuda> back(x.shape());
    kernels::On<Cuda, kernels::Cast, bfloat16>::round(there.data(), rounded.data(), size);
    kernels::On<Cuda, kernels::Cast, bfloat16>::widen(rounded.data(), back.data(), size);
    auto const got = to_device<Cpu>(rounded), expected = cast<bfloat16>(x);
    auto const wide = to_device<Cpu>(back);
    for (Index i = 0; i < size; ++i) {
      if (std::isnan(x.data()[i]))
        EXPECT_TRUE(std::isnan(static_cast<float>(got.data()[i])) && std::isnan(wide.data()[i]));
      else
        ASSERT_TRUE(got.data()[i] == expected.data()[i] && wide.data()[i] == static_cast<float>(expected.data()[i]))
            << x.data()[i];
    }
  }
}

TEST_F(CudaBfloat16, ColumnsAreCastInPlace) {
  Index const rows = 7, width = 300, columns = 129, first = 5;
  auto const x = normal<float>(Shape{rows, width}, RandomKey(56));
  auto const dy = narrow("dy", Shape{rows, columns});
  auto const on = [&]<class Device>(Device) {
    auto wide = to_device<Device>(x);
    Tensor<bfloat16, Device> y(dy.shape());
    using Kernel = kernels::On<Device, kernels::Cast, bfloat16>;
    Kernel::round_columns({std::as_const(wide).data() + first, width}, rows, columns, y.data());
    Kernel::add_to_columns(to_device<Device>(dy).data(), rows, columns, {wide.data() + first, width});
    return std::pair(to_device<Cpu>(y), to_device<Cpu>(wide));
  };
  auto const [expected, expected_wide] = on(Cpu{});
  auto const [got, got_wide] = on(Cuda{});
  EXPECT_EQ(relative_difference(cast<float>(got), cast<float>(expected)), 0);
  EXPECT_EQ(relative_difference(got_wide, expected_wide), 0);
  EXPECT_EQ(got.data()[columns + 1], bfloat16(x.row(1)[first + 1]));
  EXPECT_NE(relative_difference(got_wide, x), 0);
}

TEST_F(CudaBfloat16, Products) {
  using kernels::Read;
  Index const m = 37, n = 29, padding = 3;
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (Index k : {0, 1, 41})
    for (Read read_a : {Read::plain, Read::transposed})
      for (Read read_b : {Read::plain, Read::transposed})
        for (float beta : {0.F, 1.F, 0.5F}) {
          Shape const a = read_a == Read::plain ? Shape{m, k + padding} : Shape{k, m + padding};
          Shape const b = read_b == Read::plain ? Shape{k, n + padding} : Shape{n, k + padding};
          auto before = narrow("c", Shape{m, n + padding});
          if (beta == 0)  // overwrites what may be uninitialised, and nothing beside it
            for (Index i = 0; i < m; ++i) std::fill_n(before.row(i), n, bfloat16(nan));
          auto const on = [&]<class Device, class Scalar, class Result>(Device, Scalar, Result, auto const& multiply) {
            auto c = to_device<Device>(as<Result>(before));
            auto const left = to_device<Device>(as<Scalar>(narrow("a", a))),
                       right = to_device<Device>(as<Scalar>(narrow("b", b)));
            multiply(kernels::On<Device, kernels::Matmul, Scalar>{},
                     kernels::Product<Scalar, Device, Result>{m, n, k, left.data(), a.width(), read_a, right.data(),
                                                              b.width(), read_b, beta, c.data(), n + padding});
            return to_device<Cpu>(c);
          };
          auto const matmul = [](auto kernel, auto const& product) { kernel.matmul(product); };
          auto const to_sums = [](auto kernel, auto const& product) { kernel.matmul_to_sums(product); };
          auto const reference = on(Cpu{}, double{}, double{}, matmul);
          expect_rounded(on(Cuda{}, bfloat16{}, bfloat16{}, matmul),
                         cast<bfloat16>(on(Cpu{}, float{}, float{}, matmul)), reference, "bfloat16 C", 10);
          expect_sums(on(Cuda{}, bfloat16{}, float{}, to_sums), reference, 1e-6, "float C");
        }
}

/// Of 256 + 1 + 1 + 0, no part may be rounded before the last sum: 256 + 1 would be 256.
TEST_F(CudaBfloat16, ProductsRoundTheirSumsOnce) {
  using kernels::Read;
  auto const ones = to_device<Cuda>(full(Shape{1, 4}, bfloat16(1)));
  auto const terms = to_device<Cuda>(tensor_of<bfloat16>(Shape{1, 4}, std::vector<float>{256, 1, 1, 0}));
  Tensor<bfloat16, Cuda> sum(Shape{1, 1});
  kernels::On<Cuda, kernels::Matmul, bfloat16>::matmul(
      {1, 1, 4, ones.data(), 4, Read::plain, terms.data(), 4, Read::transposed, 0, sum.data(), 1});
  EXPECT_EQ(static_cast<float>(*to_device<Cpu>(sum).data()), 258);
}

TEST_F(CudaBfloat16, ProductsAreTheSameBitsEveryTime) {
  using kernels::Read;
  Index const m = 65, n = 33, k = 517;
  auto const a = to_device<Cuda>(narrow("a", Shape{m, k})), b = to_device<Cuda>(narrow("b", Shape{n, k}));
  auto const run = [&] {
    Tensor<float, Cuda> c(Shape{m, n});
    kernels::On<Cuda, kernels::Matmul, bfloat16>::matmul_to_sums(
        {m, n, k, a.data(), k, Read::plain, b.data(), k, Read::transposed, 0, c.data(), n});
    return to_device<Cpu>(c);
  };
  auto const first = run();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(relative_difference(run(), first), 0);
}

template <class Scalar>
Tensor<Scalar> product_of_device(Tensor<Scalar> const& x, Tensor<Scalar> const& w) {
  using kernels::Read;
  Index const m = x.rows(), k = x.width(), n = w.rows();
  auto const a = to_device<Cuda>(x), b = to_device<Cuda>(w);
  Tensor<Scalar, Cuda> c(Shape{m, n});
  kernels::On<Cuda, kernels::Matmul, Scalar>::matmul(
      {m, n, k, a.data(), k, Read::plain, b.data(), k, Read::transposed, SumOf<Scalar>(0), c.data(), n});
  return to_device<Cpu>(c);
}

TEST_F(CudaBfloat16, Tf32IsAChoiceForFloat32Alone) {
  auto const x = normal<double>(Shape{64, 128}, RandomKey(57)), w = normal<double>(Shape{64, 128}, RandomKey(58));
  auto const reference = product_of_device(x, w);
  auto const narrow_product = product_of_device(cast<bfloat16>(cast<float>(x)), cast<bfloat16>(cast<float>(w)));
  auto const error = [&] {
    return relative_difference(cast<double>(product_of_device(cast<float>(x), cast<float>(w))), reference);
  };
  EXPECT_FALSE(tf32_allowed());
  EXPECT_LE(error(), 1e-6);
  allow_tf32();
  double const allowed = error();
  EXPECT_LE(allowed, 0x1p-10);
  EXPECT_GT(allowed, 1e-5) << "tensor cores have not been used";
  EXPECT_EQ(relative_difference(product_of_device(x, w), reference), 0);
  EXPECT_EQ(relative_difference(
                cast<float>(product_of_device(cast<bfloat16>(cast<float>(x)), cast<bfloat16>(cast<float>(w)))),
                cast<float>(narrow_product)),
            0);
  allow_tf32(false);
  EXPECT_LE(error(), 1e-6);
}

}  // namespace
