// Every kernel on the GPU gives what the host's gives, for sizes around the borders of warps, blocks and grids.
#include <limits>
#include <utility>
#include <vector>

#include <graft/kernels/activation.hpp>
#include <graft/kernels/adamw.hpp>
#include <graft/kernels/arithmetic.hpp>
#include <graft/kernels/bias.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/gather.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/kernels/softmax.hpp>
#include <graft/kernels/sum.hpp>
#include <graft/kernels/sum_squares.hpp>
#include <graft/kernels/widen.hpp>
#include <graft/tensor/mirrored_array.hpp>

#include "device_testing.hpp"

namespace {

using namespace graft;
using graft::testing::expect_close;
using graft::testing::tolerance;

Index const sizes[] = {0, 1, 31, 256, 257, 2049, 70001};

template <class Value>
class CudaKernels : public graft::testing::DeviceTest {
 protected:
  using Scalar = Value;

  /// Numbers that are the same for a name, wherever they are used.
  template <class Device>
  static Tensor<Scalar, Device> values(char const* name, Shape const& shape) {
    return to_device<Device>(normal<Scalar>(shape, RandomKey(7).with(name)));
  }
  /// What `run(device, y)` leaves in a tensor that starts as `before`, on both devices.
  template <class Run>
  static void compare(char const* what, Tensor<Scalar> const& before, Run const& run) {
    Tensor<Scalar> expected = clone(before);
    auto got = to_device<Cuda>(before);
    run(Cpu{}, expected);
    run(Cuda{}, got);
    expect_close(got, expected, what);
  }
};

/// Σ x², as the device leaves it.
template <class Scalar, class Device>
double squares_of(Tensor<Scalar, Device> const& x) {
  Tensor<double, Device> sum(Shape{});
  kernels::On<Device, kernels::SumSquares, Scalar>::sum_squares(x.data(), x.size(), sum.data());
  return *to_device<Cpu>(sum).data();
}

using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaKernels, Scalars);

TYPED_TEST(CudaKernels, Elementwise) {
  for (Index size : sizes) {
    auto const run = [&](char const* what, auto const& kernel) {
      this->compare(what, normal<TypeParam>(Shape{size}, RandomKey(1)), [&]<class Device>(Device, auto& y) {
        auto const a = this->template values<Device>("a", Shape{size}),
                   b = this->template values<Device>("b", Shape{size});
        kernel(Device{}, a.data(), b.data(), y.data());
      });
    };
    run("fill", [&](auto device, auto, auto, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::fill(y, TypeParam(3.5), size);
    });
    run("add", [&](auto device, auto a, auto b, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::add(a, b, y, size);
    });
    run("add in place", [&](auto device, auto a, auto, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::add(y, a, y, size);
    });
    run("scale", [&](auto device, auto a, auto, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::scale(a, TypeParam(-0.75), y, size);
    });
    run("multiply", [&](auto device, auto a, auto b, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::multiply(a, b, y, size);
    });
    run("add_scaled", [&](auto device, auto a, auto, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::add_scaled(a, TypeParam(0.3), y, size);
    });
    run("exp", [&](auto device, auto a, auto, auto y) {
      kernels::On<decltype(device), kernels::Elementwise, TypeParam>::exp(a, y, size);
    });
    run("power and log", [&](auto device, auto a, auto, auto y) {
      using Kernel = kernels::On<decltype(device), kernels::Elementwise, TypeParam>;
      Kernel::power(a, TypeParam(2), y, size), Kernel::log(y, y, size);
    });
  }
}

TYPED_TEST(CudaKernels, Arithmetic) {
  for (Index size : sizes) {
    auto const run = [&](char const* what, auto const& kernel) {
      this->compare(what, normal<TypeParam>(Shape{size}, RandomKey(1)), [&]<class Device>(Device, auto& y) {
        auto const a = this->template values<Device>("a", Shape{size}),
                   b = to_device<Device>(uniform<TypeParam>(Shape{size}, RandomKey(2), 0.5, 2));
        kernel(kernels::On<Device, kernels::Arithmetic, TypeParam>{}, a.data(), b.data(), y.data());
      });
    };
    run("subtract", [&](auto kernel, auto a, auto b, auto y) { kernel.subtract(a, b, y, size); });
    run("subtract in place", [&](auto kernel, auto a, auto, auto y) { kernel.subtract(a, y, y, size); });
    run("divide", [&](auto kernel, auto a, auto b, auto y) { kernel.divide(a, b, y, size); });
    run("divisor_gradient over dy",
        [&](auto kernel, auto a, auto b, auto y) { kernel.divisor_gradient(a, b, y, y, size); });
    run("sigmoid", [&](auto kernel, auto a, auto, auto y) { kernel.sigmoid(a, y, size); });
    run("sigmoid_gradient over dy", [&](auto kernel, auto a, auto, auto y) { kernel.sigmoid_gradient(a, y, y, size); });
  }
}

TYPED_TEST(CudaKernels, Softmax) {
  for (Index rows : {0, 1, 5})
    for (Index width : {1, 31, 256, 257, 1000}) {
      auto const x = normal<TypeParam>(Shape{rows, width}, RandomKey(13), 3.0);
      auto const run = [&](char const* what, auto const& kernel) {
        this->compare(what, x, [&]<class Device>(Device, auto& y) {
          auto const other = this->template values<Device>("other", x.shape());
          kernel(kernels::On<Device, kernels::Softmax, TypeParam>{}, other.data(), y.data());
        });
      };
      run("softmax", [&](auto kernel, auto a, auto y) { kernel.softmax(a, rows, width, y); });
      run("softmax in place", [&](auto kernel, auto, auto y) { kernel.softmax(y, rows, width, y); });
      run("log_softmax in place", [&](auto kernel, auto, auto y) { kernel.log_softmax(y, rows, width, y); });
      run("softmax_gradient over dy",
          [&](auto kernel, auto a, auto y) { kernel.softmax_gradient(a, y, rows, width, y); });
      run("log_softmax_gradient over dy", [&](auto kernel, auto a, auto y) {
        kernel.softmax(a, rows, width, y);
        kernel.log_softmax_gradient(a, y, rows, width, y);
      });
    }
}

TYPED_TEST(CudaKernels, SoftmaxOfMaskedRowsAndNaN) {
  TypeParam const infinity = std::numeric_limits<TypeParam>::infinity(),
                  nan = std::numeric_limits<TypeParam>::quiet_NaN();
  auto const x = tensor_of<TypeParam>(
      Shape{4, 3}, std::vector<TypeParam>{-infinity, 2, 2, nan, 0, 0, -infinity, -infinity, -infinity, 900, -900, 0});
  this->compare("softmax", x, [&]<class Device>(Device, auto& y) {
    kernels::On<Device, kernels::Softmax, TypeParam>::softmax(y.data(), 4, 3, y.data());
  });
}

TYPED_TEST(CudaKernels, RowsMovedAndAdded) {
  Index const rows = 9;
  for (Index width : {1, 31, 300}) {
    Shape const shape{rows, width};
    auto const run = [&](char const* what, auto const& kernel) {
      this->compare(what, normal<TypeParam>(shape, RandomKey(14)), [&]<class Device>(Device, auto& y) {
        auto const x = this->template values<Device>("x", shape);
        MirroredArray<Index, Device> const distinct{8, 0, 5}, repeated{8, 0, 8};
        kernel(kernels::On<Device, kernels::Gather, TypeParam>{}, std::as_const(x), y, distinct.data(),
               repeated.data());
      });
    };
    run("copy_rows", [&](auto kernel, auto const& x, auto& y, auto distinct, auto repeated) {
      kernel.copy_rows(x.data(), repeated, y.data(), distinct, 3, width);
    });
    run("copy_rows from 0 on", [&](auto kernel, auto const& x, auto& y, auto distinct, auto) {
      kernel.copy_rows(x.data(), nullptr, y.data(), distinct, 3, width);
    });
    run("copy_rows to 0 on", [&](auto kernel, auto const& x, auto& y, auto, auto repeated) {
      kernel.copy_rows(x.data(), repeated, y.data(), nullptr, 3, width);
    });
    if (width > 1)
      run("copy_columns", [&](auto kernel, auto const& x, auto& y, auto distinct, auto) {
        kernel.copy_columns({x.data() + 1, width}, distinct, {y.data(), width}, nullptr, 3, width - 1);
      });
    run("add_rows", [&](auto kernel, auto const& x, auto& y, auto distinct, auto repeated) {
      kernel.add_rows(x.data(), repeated, y.data(), distinct, true, 3, width);
    });
    run("add_rows to equal places", [&](auto kernel, auto const& x, auto& y, auto distinct, auto repeated) {
      kernel.add_rows(x.data(), distinct, y.data(), repeated, false, 3, width);
    });
    run("add_rows to 0 on", [&](auto kernel, auto const& x, auto& y, auto, auto repeated) {
      kernel.add_rows(x.data(), repeated, y.data(), nullptr, false, 3, width);
    });
    run("no rows", [&](auto kernel, auto const& x, auto& y, auto distinct, auto repeated) {
      kernel.add_rows(x.data(), distinct, y.data(), repeated, false, 0, width);
      kernel.copy_rows(x.data(), distinct, y.data(), nullptr, 0, width);
    });
  }
}

TYPED_TEST(CudaKernels, ElementsBeyondTheLargestGrid) {
  Index const size = Index{65536} * 256 + 12345;  // each thread of the first blocks takes two
  Tensor<TypeParam, Cuda> y(Shape{size});
  kernels::On<Cuda, kernels::Elementwise, TypeParam>::fill(y.data(), TypeParam(2), size);
  EXPECT_EQ(squares_of(y), 4.0 * static_cast<double>(size));
  auto const host = to_device<Cpu>(y);
  EXPECT_TRUE(std::all_of(host.data(), host.data() + size, [](TypeParam v) { return v == TypeParam(2); }));
}

TYPED_TEST(CudaKernels, Activations) {
  Index const size = 3001;
  auto const range = [&](double low, double high) { return uniform<TypeParam>(Shape{size}, RandomKey(3), low, high); };
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu, Activation::tanh})
    for (auto const& host : {range(-4, 4), range(-1e-3, 1e-3), range(-60, 60)}) {
      std::string const name = "activation " + std::to_string(static_cast<int>(f));
      auto const run = [&](char const* what, auto const& kernel) {
        this->compare((name + what).c_str(), host, [&]<class Device>(Device, auto& y) {
          auto const x = to_device<Device>(host);
          auto const up = this->template values<Device>("up", x.shape()),
                     dy = this->template values<Device>("dy", x.shape());
          kernel(Device{}, x.data(), up.data(), dy.data(), y.data());
        });
      };
      run(" forward", [&](auto device, auto x, auto, auto, auto y) {
        kernels::On<decltype(device), kernels::Activation, TypeParam>::activate(f, x, y, size);
      });
      run(" in place", [&](auto device, auto, auto, auto, auto y) {
        kernels::On<decltype(device), kernels::Activation, TypeParam>::activate(f, y, y, size);
      });
      run(" backward", [&](auto device, auto x, auto, auto dy, auto y) {
        kernels::On<decltype(device), kernels::Activation, TypeParam>::activate_backward(f, x, dy, y, size);
      });
      run(" gated", [&](auto device, auto x, auto up, auto, auto y) {
        kernels::On<decltype(device), kernels::Activation, TypeParam>::gated(f, x, up, y, size);
      });
      run(" dgate", [&](auto device, auto x, auto up, auto dy, auto y) {
        kernels::On<decltype(device), kernels::Activation, TypeParam>::gated_backward(f, x, up, dy, y, nullptr, size);
      });
      run(" dup over dy", [&](auto device, auto x, auto up, auto, auto y) {
        kernels::On<decltype(device), kernels::Activation, TypeParam>::gated_backward(f, x, up, y, nullptr, y, size);
      });
    }
}

TYPED_TEST(CudaKernels, ActivationsKeepNaN) {
  auto const nan = full(Shape{1}, std::numeric_limits<TypeParam>::quiet_NaN());
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu, Activation::tanh})
    this->compare("NaN", nan, [&](auto device, auto& y) {
      kernels::On<decltype(device), kernels::Activation, TypeParam>::activate(f, y.data(), y.data(), y.size());
    });
}

TYPED_TEST(CudaKernels, Bias) {
  for (Index rows : {0, 1, 7, 8, 9, 300})
    for (Index width : {1, 31, 32, 33, 600}) {
      auto const x = normal<TypeParam>(Shape{rows, width}, RandomKey(4));
      this->compare("add_bias", x, [&]<class Device>(Device, auto& y) {
        kernels::On<Device, kernels::Bias, TypeParam>::add_bias(
            to_device<Device>(x).data(), this->template values<Device>("bias", Shape{width}).data(), rows, width,
            y.data());
      });
      this->compare("add_to_rows", x, [&]<class Device>(Device, auto& y) {
        kernels::On<Device, kernels::Bias, TypeParam>::add_to_rows(
            this->template values<Device>("bias", Shape{width}).data(), rows, width, y.data());
      });
      this->compare("sum_rows", zeros<TypeParam>(Shape{width}), [&]<class Device>(Device, auto& y) {
        kernels::On<Device, kernels::Bias, TypeParam>::sum_rows(to_device<Device>(x).data(), rows, width, y.data());
      });
    }
}

TYPED_TEST(CudaKernels, RowsBeyondTheLargestGrid) {
  Index const rows = 70000, width = 3;  // sums of ones are exact
  Tensor<TypeParam, Cuda> x(Shape{rows, width}), one(Shape{width}), y(Shape{width});
  kernels::On<Cuda, kernels::Elementwise, TypeParam>::fill(x.data(), TypeParam(0), x.size());
  kernels::On<Cuda, kernels::Elementwise, TypeParam>::fill(one.data(), TypeParam(1), width);
  kernels::On<Cuda, kernels::Bias, TypeParam>::add_to_rows(one.data(), rows, width, x.data());
  kernels::On<Cuda, kernels::Bias, TypeParam>::sum_rows(x.data(), rows, width, y.data());
  expect_close(y, full(Shape{width}, TypeParam(rows)), "sum of ones");
}

TYPED_TEST(CudaKernels, Sums) {
  for (Index size : {Index{0}, Index{1}, Index{255}, Index{2048}, Index{2049}, Index{300001}}) {
    auto const a = uniform<TypeParam>(Shape{size}, RandomKey(5), 0, 1),
               b = uniform<TypeParam>(Shape{size}, RandomKey(6), 0, 1);
    auto const number = full(Shape{}, TypeParam(0.5));
    auto const run = [&](char const* what, auto const& kernel) {
      this->compare(what, number, [&]<class Device>(Device, auto& y) {
        kernel(Device{}, to_device<Device>(a).data(), to_device<Device>(b).data(), y.data());
      });
    };
    run("sum", [&](auto device, auto x, auto, auto y) {
      kernels::On<decltype(device), kernels::Sum, TypeParam>::sum(x, size, y);
    });
    run("dot", [&](auto device, auto x, auto z, auto y) {
      kernels::On<decltype(device), kernels::Sum, TypeParam>::dot(x, z, size, y);
    });
    run("squared_distance", [&](auto device, auto x, auto z, auto y) {
      kernels::On<decltype(device), kernels::Sum, TypeParam>::squared_distance(x, z, TypeParam(0.125), size, y);
    });
    double const expected = squares_of(a);
    EXPECT_NEAR(squares_of(to_device<Cuda>(a)), expected, 1e-12 * expected);
  }
}

TYPED_TEST(CudaKernels, SumsBeyondTheirLargestGrid) {
  Index const size = 1024 * 2048 + 4099;
  Tensor<TypeParam, Cuda> x(Shape{size}), y(Shape{});
  kernels::On<Cuda, kernels::Elementwise, TypeParam>::fill(x.data(), TypeParam(0.5), size);
  kernels::On<Cuda, kernels::Sum, TypeParam>::sum(x.data(), size, y.data());
  EXPECT_EQ(*to_device<Cpu>(y).data(),
            static_cast<TypeParam>(size) / 2);  // exact: partial sums are small multiples of a half
}

TYPED_TEST(CudaKernels, SumsAreTheSameBitsEveryTime) {
  Index const size = 123457;
  auto const x = this->template values<Cuda>("x", Shape{size});
  Tensor<TypeParam, Cuda> first(Shape{}), again(Shape{});
  kernels::On<Cuda, kernels::Sum, TypeParam>::sum(x.data(), size, first.data());
  double const squares = squares_of(x);
  for (int i = 0; i < 3; ++i) {
    kernels::On<Cuda, kernels::Sum, TypeParam>::sum(x.data(), size, again.data());
    EXPECT_EQ(*to_device<Cpu>(first).data(), *to_device<Cpu>(again).data());
    EXPECT_EQ(squares_of(x), squares);
  }
}

TYPED_TEST(CudaKernels, ClippingFromSums) {
  auto const squares = tensor_of<double>(Shape{3}, std::vector<double>{9.0, 0.0, 16.0});
  for (double max_norm : {0.0, 2.5, 5.0, 7.0})
    for (Index count : {0, 1, 3}) {
      auto const run = [&]<class Device>(Device) {
        Tensor<double, Device> result(Shape{2});
        kernels::On<Device, kernels::SumSquares, TypeParam>::clip(to_device<Device>(squares).data(), count, max_norm,
                                                                  result.row(0), result.row(1));
        return to_device<Cpu>(result);
      };
      auto const expected = run(Cpu{}), got = run(Cuda{});
      double const norm = count == 0 ? 0.0 : count == 1 ? 3.0 : 5.0;
      EXPECT_EQ(expected.data()[0], norm);
      EXPECT_EQ(expected.data()[1], max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0);
      EXPECT_EQ(got.data()[0], expected.data()[0]);
      EXPECT_EQ(got.data()[1], expected.data()[1]);
    }
}

TYPED_TEST(CudaKernels, GradientsOfSums) {
  for (Index size : sizes) {
    auto const a = normal<TypeParam>(Shape{size}, RandomKey(8)), b = normal<TypeParam>(Shape{size}, RandomKey(9));
    auto const number = full(Shape{}, TypeParam(-1.5));
    auto const run = [&](char const* what, auto const& kernel) {
      this->compare(what, a, [&]<class Device>(Device, auto& y) {
        kernel(Device{}, to_device<Device>(a).data(), to_device<Device>(b).data(), to_device<Device>(number).data(),
               y.data());
      });
    };
    run("broadcast", [&](auto device, auto, auto, auto d, auto y) {
      kernels::On<decltype(device), kernels::Sum, TypeParam>::broadcast(d, y, size);
    });
    run("scale_by", [&](auto device, auto x, auto, auto d, auto y) {
      kernels::On<decltype(device), kernels::Sum, TypeParam>::scale_by(x, d, y, size);
    });
    run("scaled_difference", [&](auto device, auto x, auto z, auto d, auto y) {
      kernels::On<decltype(device), kernels::Sum, TypeParam>::scaled_difference(x, z, d, TypeParam(0.25), y, size);
    });
  }
}

TYPED_TEST(CudaKernels, AdamW) {
  kernels::AdamWFactors const factors{0.999, 0.1, 0.99, 0.01, 0.02, 0.3, 1e-8};
  for (Index size : sizes) {
    // The three results side by side, so that one comparison sees them all.
    Tensor<TypeParam> state = normal<TypeParam>(Shape{3, size}, RandomKey(10));
    for (Index i = 0; i < size; ++i) state.row(2)[i] = std::abs(state.row(2)[i]);
    this->compare("adamw", state, [&]<class Device>(Device, auto& y) {
      kernels::On<Device, kernels::Adamw, TypeParam>::adamw(
          y.row(0), this->template values<Device>("gradient", Shape{size}).data(), y.row(1), y.row(2), size, factors,
          to_device<Device>(full(Shape{}, 0.5)).data());
    });
  }
}

TYPED_TEST(CudaKernels, Widen) {
  Index const size = 1000;
  auto const compare = [&]<class From>(Tensor<From> const& x) {
    this->compare("widen", zeros<TypeParam>(Shape{size}), [&]<class Device>(Device, auto& y) {
      kernels::On<Device, kernels::Widen, TypeParam>::widen(to_device<Device>(x).data(), y.data(), size);
    });
  };
  auto const x = normal<float>(Shape{size}, RandomKey(11));
  compare(x);
  compare(cast<double>(x));
  compare(cast<bfloat16>(x));
  compare(cast<half>(x));
}

TYPED_TEST(CudaKernels, WidenRows) {
  Index const rows = 9;
  auto const ids = tensor_of<Token>(Shape{4}, std::vector<Token>{8, 0, 8, 3});
  for (Index width : {1, 31, 300}) {
    auto const compare = [&]<class From>(Tensor<From> const& x) {
      for (kernels::MatrixSteps const steps : {kernels::MatrixSteps{width, 1}, kernels::MatrixSteps{1, rows}})
        this->compare("widen_rows", zeros<TypeParam>(Shape{4, width}), [&]<class Device>(Device, auto& y) {
          kernels::On<Device, kernels::Widen, TypeParam>::widen_rows(to_device<Device>(x).data(), steps,
                                                                     to_device<Device>(ids).data(), 4, width, y.data());
        });
    };
    auto const x = normal<float>(Shape{rows, width}, RandomKey(11));
    compare(x);
    compare(cast<double>(x));
    compare(cast<bfloat16>(x));
    compare(cast<half>(x));
  }
}

TYPED_TEST(CudaKernels, Products) {
  using kernels::Read;
  Index const m = 37, n = 29, padding = 3;
  for (Index k : {0, 1, 41})
    for (Read read_a : {Read::plain, Read::transposed})
      for (Read read_b : {Read::plain, Read::transposed})
        for (TypeParam beta : {TypeParam(0), TypeParam(1), TypeParam(0.5)}) {
          Shape const a = read_a == Read::plain ? Shape{m, k + padding} : Shape{k, m + padding};
          Shape const b = read_b == Read::plain ? Shape{k, n + padding} : Shape{n, k + padding};
          auto before = normal<TypeParam>(Shape{m, n + padding}, RandomKey(12));
          if (beta == TypeParam(0))  // overwrites what may be uninitialised, and nothing beside it
            for (Index i = 0; i < m; ++i) std::fill_n(before.row(i), n, std::numeric_limits<TypeParam>::quiet_NaN());
          this->compare("matmul", before, [&]<class Device>(Device, auto& c) {
            auto const left = this->template values<Device>("a", a), right = this->template values<Device>("b", b);
            kernels::On<Device, kernels::Matmul, TypeParam>::matmul({m, n, k, left.data(), a.width(), read_a,
                                                                     right.data(), b.width(), read_b, beta, c.data(),
                                                                     n + padding});
          });
        }
}

TYPED_TEST(CudaKernels, EmptyProductsDoNothing) {
  using kernels::Read;
  Tensor<TypeParam, Cuda> c(Shape{0, 4});
  kernels::On<Cuda, kernels::Matmul, TypeParam>::matmul(
      {0, 4, 3, nullptr, 3, Read::plain, nullptr, 4, Read::plain, TypeParam(0), c.data(), 4});
  kernels::On<Cuda, kernels::Matmul, TypeParam>::matmul(
      {4, 0, 3, nullptr, 3, Read::plain, nullptr, 1, Read::plain, TypeParam(0), c.data(), 1});
  synchronize(Cuda{});
}

TYPED_TEST(CudaKernels, ProductsThatCublasRefusesSayWhy) {
  using kernels::Read;
  auto const a = this->template values<Cuda>("a", Shape{4, 4});
  Tensor<TypeParam, Cuda> c(Shape{4, 4});
  try {
    kernels::On<Cuda, kernels::Matmul, TypeParam>::matmul(
        {4, 4, 4, a.data(), 4, Read::plain, a.data(), 4, Read::plain, TypeParam(0), c.data(), 2});  // rows of C overlap
    FAIL() << "expected an error";
  } catch (Error const& error) {
    EXPECT_NE(std::string(error.what()).find("cublasGemmEx failed on device 0"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("[4, 4] by [4, 4]"), std::string::npos) << error.what();
  }
}

}  // namespace
