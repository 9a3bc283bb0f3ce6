// What models need beside products, on the GPU as on the host: norms, rotary positions, dropout, scales, steps of an
// LSTM, the loss, and Adafactor's sums and passes.
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <graft/kernels/adafactor.hpp>
#include <graft/kernels/cross_entropy.hpp>
#include <graft/kernels/dropout.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/lstm.hpp>
#include <graft/kernels/norm.hpp>
#include <graft/kernels/rotary.hpp>
#include <graft/kernels/scale_columns.hpp>
#include <graft/kernels/sum_squares.hpp>
#include <graft/ops/token_addresses.hpp>
#include <graft/tensor/mirrored_array.hpp>

#include "device_testing.hpp"

namespace {

using namespace graft;
using graft::testing::expect_close;
using graft::testing::tolerance;

Index const widths[] = {1, 7, 255, 256, 257, 1000};

template <class Scalar>
bool same_bits(Tensor<Scalar> const& a, Tensor<Scalar> const& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

/// Numbers that are the same for a name on every device.
template <class Scalar, class Device>
Tensor<Scalar, Device> values(char const* name, Shape const& shape, double deviation = 1.0) {
  return to_device<Device>(normal<Scalar>(shape, RandomKey(41).with(name), deviation));
}
/// Between 0.1 and 2.
template <class Scalar, class Device>
Tensor<Scalar, Device> positive(char const* name, Shape const& shape) {
  return to_device<Device>(uniform<Scalar>(shape, RandomKey(42).with(name), 0.1, 2));
}

/// An odd number of grids, so that the emulator runs those that follow in the other order.
void turn() {
  Tensor<float, Cuda> y(Shape{1});
  kernels::On<Cuda, kernels::Elementwise, float>::fill(y.data(), 0.F, 1);
}

/// `run(device)` returns the tensors that it computed there: the same on both devices, and the same bits each time.
template <class Run>
void expect_same(std::string const& what, Run const& run) {
  auto const expected = run(Cpu{});
  auto const got = run(Cuda{}), again = run(Cuda{});
  turn();
  auto const turned = run(Cuda{});
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    expect_close(got[k], expected[k], cat(what, ", result ", k).c_str());
    auto const bits = to_device<Cpu>(got[k]);
    EXPECT_TRUE(same_bits(to_device<Cpu>(again[k]), bits)) << what << ", result " << k;
    EXPECT_TRUE(same_bits(to_device<Cpu>(turned[k]), bits)) << what << ", result " << k;
  }
}

template <class Device, class Scalar>
using Results = std::vector<Tensor<Scalar, Device>>;

template <class Value>
class CudaModelKernels : public graft::testing::DeviceTest {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaModelKernels, Scalars);
class CudaNarrowKernels : public graft::testing::DeviceTest {};

/// Which operands of a norm there are.
struct NormOperands {
  bool mean, gain, bias;
};
NormOperands const norms[] = {
    {true, true, true}, {true, true, false}, {true, false, false}, {false, true, false}, {false, false, true}};

/// Value, statistics, and both gradients; then value and gradient over their operands.
template <class Scalar, class Device>
auto norm_of(Tensor<Scalar, Device> const& x, Tensor<Scalar, Device> const& dy, NormOperands const& with) {
  using Sum = SumOf<Scalar>;
  using Kernel = kernels::On<Device, kernels::Norm, Scalar>;
  Index const rows = x.rows(), width = x.width();
  auto const gain = with.gain ? values<Sum, Device>("gain", Shape{width}) : Tensor<Sum, Device>();
  auto const bias = with.bias ? values<Sum, Device>("bias", Shape{width}) : Tensor<Sum, Device>();
  Tensor<Sum, Device> mean, inverse(Shape{rows}), dgain(Shape{width});
  if (with.mean) mean = Tensor<Sum, Device>(Shape{rows});
  Tensor<Scalar, Device> y(x.shape()), dx(x.shape()), over_x = to_device<Device>(x), over_dy = to_device<Device>(dy);
  Kernel::norm(x.data(), gain.data(), bias.data(), Sum(0.1), rows, width, y.data(), mean.data(), inverse.data());
  Kernel::norm(over_x.data(), gain.data(), bias.data(), Sum(0.1), rows, width, over_x.data(), mean.data(),
               inverse.data());
  auto const kept = std::as_const(mean).data();
  Kernel::norm_backward(x.data(), kept, inverse.data(), gain.data(), dy.data(), rows, width, dx.data());
  Kernel::norm_backward(x.data(), kept, inverse.data(), gain.data(), over_dy.data(), rows, width, over_dy.data());
  Kernel::norm_gain_gradient(x.data(), kept, inverse.data(), dy.data(), rows, width, dgain.data());
  return std::pair(Results<Device, Scalar>{y, dx, over_x, over_dy}, Results<Device, Sum>{mean, inverse, dgain});
}

/// All choices of operands for one width, for the others a layer norm and an RMS norm. A layer norm that is 1 wide has
/// a gradient of nothing but rounding.
template <class Body>
void each_norm(Body const& body) {
  for (auto const& with : norms) body(Index{3}, Index{7}, with);
  for (Index width : widths) body(Index{3}, width, norms[3]);
  for (Index width : widths)
    if (width > 1) body(Index{3}, width, norms[0]);
  body(Index{0}, Index{7}, norms[0]);
}

TYPED_TEST(CudaModelKernels, Norms) {
  each_norm([](Index rows, Index width, NormOperands const& with) {
    expect_same(cat("norm of ", rows, " rows, ", width, " wide, ", with.mean, with.gain, with.bias),
                [&]<class Device>(Device) {
                  Shape const shape{rows, width};
                  auto [wide, sums] =
                      norm_of(values<TypeParam, Device>("x", shape, 3.0), values<TypeParam, Device>("dy", shape), with);
                  wide.insert(wide.end(), sums.begin(), sums.end());
                  return wide;
                });
  });
}

TYPED_TEST(CudaModelKernels, NormsKeepANumberThatIsNoneInItsRow) {
  auto x = normal<TypeParam>(Shape{3, 300}, RandomKey(43));
  x.row(1)[299] = std::numeric_limits<TypeParam>::quiet_NaN();
  expect_same("norm of NaN", [&]<class Device>(Device) {
    return norm_of(to_device<Device>(x), values<TypeParam, Device>("dy", x.shape()), {true, true, true}).first;
  });
}

/// Each is the other, or its neighbour: the sums before the rounding differ in their order. What is no more than
/// rounding beside the largest is not looked at.
void expect_one_rounding(Tensor<bfloat16, Cuda> const& result, Tensor<bfloat16> const& expected,
                         std::string const& what) {
  auto const got = to_device<Cpu>(result);
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  double largest = 0;
  for (Index i = 0; i < got.size(); ++i)
    largest = std::max(largest, static_cast<double>(std::abs(static_cast<float>(expected.data()[i]))));
  for (Index i = 0; i < got.size(); ++i) {
    double const a = static_cast<double>(static_cast<float>(got.data()[i])),
                 b = static_cast<double>(static_cast<float>(expected.data()[i]));
    EXPECT_LE(std::abs(a - b), 0x1p-7 * std::abs(b) + 1e-6 * largest) << what << ", element " << i;
  }
}
template <class Device>
Tensor<bfloat16, Device> narrow_values(char const* name, Shape const& shape) {
  return to_device<Device>(cast<bfloat16>(values<float, Cpu>(name, shape)));
}

TEST_F(CudaNarrowKernels, NormsOfBfloat16) {
  each_norm([](Index rows, Index width, NormOperands const& with) {
    auto const run = [&]<class Device>(Device) {
      Shape const shape{rows, width};
      return norm_of(narrow_values<Device>("x", shape), narrow_values<Device>("dy", shape), with);
    };
    auto const expected = run(Cpu{});
    auto const got = run(Cuda{});
    std::string const what = cat("norm of bfloat16, ", width, " wide");
    for (std::size_t k = 0; k < expected.first.size(); ++k) expect_one_rounding(got.first[k], expected.first[k], what);
    for (std::size_t k = 0; k < expected.second.size(); ++k)
      expect_close(got.second[k], expected.second[k], what.c_str());
  });
}

struct Heads {
  Index heads, half, rest;
};
Heads const heads_of[] = {{1, 1, 0}, {3, 4, 0}, {3, 4, 3}, {2, 130, 1}};
std::vector<double> frequencies_of(Index half) {
  std::vector<double> frequencies(static_cast<std::size_t>(half));
  for (std::size_t j = 0; j < frequencies.size(); ++j) frequencies[j] = 1.0 / static_cast<double>(1 + j * j);
  return frequencies;
}
std::vector<Index> const places{7, 0, 1000, 3, 3};

/// Rotated, rotated back, and in place.
template <class Scalar, class Device>
Results<Device, Scalar> rotated(Tensor<Scalar, Device> const& x, Heads const& of) {
  using Sum = SumOf<Scalar>;
  using Kernel = kernels::On<Device, kernels::Rotary, Scalar>;
  Index const tokens = x.rows(), head_width = 2 * of.half + of.rest;
  MirroredArray<double, Device> const frequencies(frequencies_of(of.half));
  MirroredArray<Index, Device> const positions(std::vector<Index>(places.begin(), places.begin() + tokens));
  Tensor<Sum, Device> table(Shape{1001, 2 * of.half});
  kernels::On<Device, kernels::Rotary, Sum>::rotary_table(frequencies.data(), of.half, 0, 1001, table.data());
  Tensor<Scalar, Device> y(x.shape()), back(x.shape()), over = to_device<Device>(x);
  auto const turn_all = [&](auto from, Sum direction, auto to) {
    Kernel::rotate(from, std::as_const(table).data(), positions.data(), direction, tokens, of.heads, head_width,
                   of.half, to);
  };
  turn_all(x.data(), Sum(1), y.data());
  turn_all(x.data(), Sum(-1), back.data());
  turn_all(std::as_const(over).data(), Sum(1), over.data());
  return {y, back, over};
}

TYPED_TEST(CudaModelKernels, RotaryTables) {
  for (Index half : {1, 7, 257})
    expect_same("rotary_table", [&]<class Device>(Device) {
      MirroredArray<double, Device> const frequencies(frequencies_of(half));
      Tensor<TypeParam, Device> table(Shape{90, 2 * half});
      using Kernel = kernels::On<Device, kernels::Rotary, TypeParam>;
      Kernel::rotary_table(frequencies.data(), half, 0, 30, table.data());
      Kernel::rotary_table(frequencies.data(), half, 30, 90, table.data());
      return Results<Device, TypeParam>{table};
    });
}

TYPED_TEST(CudaModelKernels, RotaryPositions) {
  for (Index tokens : {0, 1, 5})
    for (auto const& of : heads_of)
      expect_same(cat("rotate ", tokens, " tokens, pairs ", of.half, ", rest ", of.rest), [&]<class Device>(Device) {
        return rotated(values<TypeParam, Device>("x", Shape{tokens, of.heads * (2 * of.half + of.rest)}), of);
      });
}

TEST_F(CudaNarrowKernels, RotaryPositionsOfBfloat16) {
  for (auto const& of : heads_of) {
    auto const run = [&]<class Device>(Device) {
      return rotated(narrow_values<Device>("x", Shape{5, of.heads * (2 * of.half + of.rest)}), of);
    };
    auto const expected = run(Cpu{});
    auto const got = run(Cuda{});
    for (std::size_t k = 0; k < expected.size(); ++k)
      expect_one_rounding(got[k], expected[k], cat("rotate bfloat16, pairs ", of.half));
  }
}

TYPED_TEST(CudaModelKernels, DropoutHasTheHostsBits) {
  std::vector<Index> many{0};  // rows of 0 to 3 tokens
  for (Index r = 0; r < 300; ++r) many.push_back(many.back() + r % 4);
  for (auto const& offsets : std::vector<std::vector<Index>>{{0}, {0, 0}, {0, 1}, {0, 2, 2, 9}, many})
    for (Index width : {1, 7, 31, 32, 33, 64, 65, 255, 257, 1000})
      for (std::uint32_t threshold : {0U, 1U << 30, 0xffffffffU}) {
        if (offsets.size() > 9 && width > 65) continue;
        std::vector<std::uint64_t> addresses;
        for (std::uint64_t r = 0; r + 1 < offsets.size(); ++r) addresses.push_back(977 * r * r);
        TokenAddresses const rows(offsets, addresses);
        auto const run = [&]<class Device>(Device) {
          using Kernel = kernels::On<Device, kernels::Dropout, TypeParam>;
          auto const x = values<TypeParam, Device>("x", Shape{rows.tokens(), width});
          Tensor<TypeParam, Device> y(x.shape()), over = to_device<Device>(x);
          auto const keyed = rows.on<Device>(RandomKey(5).with("site"));
          Kernel::dropout(x.data(), keyed, threshold, TypeParam(4.0 / 3), width, y.data());
          Kernel::dropout(over.data(), keyed, threshold, TypeParam(4.0 / 3), width, over.data());
          return std::pair(to_device<Cpu>(y), to_device<Cpu>(over));
        };
        auto const expected = run(Cpu{}), got = run(Cuda{});
        EXPECT_TRUE(same_bits(got.first, expected.first)) << rows.tokens() << " tokens, " << width << " wide";
        EXPECT_TRUE(same_bits(got.second, expected.first)) << rows.tokens() << " tokens, " << width << " wide";
      }
}

TYPED_TEST(CudaModelKernels, ScaledColumnsAndRows) {
  for (Index rows : {0, 1, 9})
    for (Index width : widths)
      expect_same(cat("scales of ", rows, " rows, ", width, " wide"), [&]<class Device>(Device) {
        using Kernel = kernels::On<Device, kernels::ScaleColumns, TypeParam>;
        Shape const shape{rows, width};
        auto const x = values<TypeParam, Device>("x", shape), dy = values<TypeParam, Device>("dy", shape),
                   of_columns = values<TypeParam, Device>("columns", Shape{width}),
                   of_rows = values<TypeParam, Device>("rows", Shape{rows});
        Tensor<TypeParam, Device> columns(shape), by_rows(shape), over = to_device<Device>(x), dgain(Shape{width});
        Kernel::scale_columns(x.data(), of_columns.data(), rows, width, columns.data());
        Kernel::scale_rows(x.data(), of_rows.data(), rows, width, by_rows.data());
        Kernel::scale_columns(over.data(), of_columns.data(), rows, width, over.data());
        Kernel::scale_rows(over.data(), of_rows.data(), rows, width, over.data());
        Kernel::scale_columns_gain_gradient(x.data(), dy.data(), rows, width, dgain.data());
        return Results<Device, TypeParam>{columns, by_rows, over, dgain};
      });
}

TYPED_TEST(CudaModelKernels, StepsOfAnLstm) {
  for (Index hidden : {1, 7, 255, 257, 1000})
    for (bool later : {false, true})   // than the first step
      for (bool last : {false, true})  // of the sequence
        expect_same(cat("lstm of ", hidden, ", ", later, last), [&]<class Device>(Device) {
          using Kernel = kernels::On<Device, kernels::Lstm, TypeParam>;
          Shape const shape{hidden};
          auto const before = values<TypeParam, Device>("before", shape), dy = values<TypeParam, Device>("dy", shape),
                     carried = values<TypeParam, Device>("carried", shape);
          auto gates = values<TypeParam, Device>("gates", Shape{4 * hidden}, 2.0),
               dcell = values<TypeParam, Device>("dcell", shape);
          Tensor<TypeParam, Device> cell(shape), output(shape), dgates(gates.shape());
          auto const previous = later ? before.data() : nullptr;
          Kernel::lstm_step(gates.data(), previous, hidden, cell.data(), output.data());
          Kernel::lstm_step_backward(gates.data(), previous, cell.data(), dy.data(), last ? nullptr : carried.data(),
                                     hidden, dcell.data(), dgates.data());
          return Results<Device, TypeParam>{gates, cell, output, dcell, dgates};
        });
}

/// The statistics of two blocks of classes and their end, the blocks as they are left, and the gradient of the second.
template <class Scalar, class Device>
Results<Device, Scalar> softmax_statistics(Tensor<Scalar> const& first, Tensor<Scalar> const& second,
                                           std::vector<Token> const& labels, bool rescales) {
  using Kernel = kernels::On<Device, kernels::CrossEntropy, Scalar>;
  using Elements = kernels::On<Device, kernels::Elementwise, Scalar>;
  Index const rows = first.rows(), classes = first.width() + second.width();
  MirroredArray<Token, Device> const places_of(labels);
  Tensor<Scalar, Device> known(Shape{4, rows}), rescale(Shape{rows}), reciprocal(Shape{rows});
  Elements::fill(known.data(), Scalar(0), known.size());
  Elements::fill(known.data(), -std::numeric_limits<Scalar>::infinity(), rows);
  Elements::fill(rescale.data(), Scalar(0), rows);
  kernels::SoftmaxRows<Scalar, Device> const statistics{known.row(0), known.row(1), known.row(2), known.row(3)};
  Results<Device, Scalar> results;
  Index begin = 0;
  for (auto const& logits : {clone(first), clone(second)}) {
    auto z = to_device<Device>(logits);
    Kernel::softmax_block(z.data(), rows, z.width(), begin, places_of.data(), statistics,
                          rescales ? rescale.data() : nullptr);
    begin += z.width();
    results.push_back(z);
    results.push_back(to_device<Device>(rescale));
  }
  Kernel::softmax_end(statistics, rows, classes, reciprocal.data());
  auto z = to_device<Device>(second);
  auto const g = values<Scalar, Device>("g", Shape{rows});
  Kernel::cross_entropy_gradient(z.data(), rows, z.width(), first.width(), places_of.data(), known.row(0), g.data());
  results.insert(results.end(), {known, reciprocal, z});
  return results;
}
std::vector<Token> labels_of(Index rows, Index classes) {
  std::vector<Token> labels;
  for (Index i = 0; i < rows; ++i) labels.push_back(static_cast<Token>((i * 37 + 5) % classes));
  return labels;
}

TYPED_TEST(CudaModelKernels, StatisticsOfLogits) {
  for (Index rows : {0, 1, 6})
    for (auto const& [left, right] : {std::pair<Index, Index>{1, 7}, {255, 256}, {257, 1000}, {1000, 3}})
      for (bool rescales : {false, true})
        expect_same(cat("softmax_block of ", rows, " rows, ", left, " and ", right, ", ", rescales),
                    [&, a = left, b = right]<class Device>(Device) {
                      return softmax_statistics<TypeParam, Device>(
                          normal<TypeParam>(Shape{rows, a}, RandomKey(44), 4.0),
                          normal<TypeParam>(Shape{rows, b}, RandomKey(45), 8.0), labels_of(rows, a + b), rescales);
                    });
}

TYPED_TEST(CudaModelKernels, StatisticsOfLogitsThatAreNoNumbers) {
  TypeParam const infinity = std::numeric_limits<TypeParam>::infinity();
  auto first = normal<TypeParam>(Shape{4, 300}, RandomKey(44)), second = normal<TypeParam>(Shape{4, 40}, RandomKey(45));
  first.row(1)[299] = std::numeric_limits<TypeParam>::quiet_NaN();
  second.row(2)[0] = std::numeric_limits<TypeParam>::quiet_NaN();
  first.row(3)[7] = second.row(3)[7] = -infinity;
  second.row(3)[39] = 900;
  for (bool rescales : {false, true}) {
    auto const results = softmax_statistics<TypeParam, Cuda>(first, second, labels_of(4, 340), rescales);
    auto const known = to_device<Cpu>(results[4]);
    EXPECT_TRUE(std::isfinite(known.row(3)[0])) << rescales;
    for (Index broken : {1, 2}) EXPECT_TRUE(std::isnan(known.row(3)[broken])) << broken << rescales;
    EXPECT_EQ(known.row(0)[3], TypeParam(900)) << rescales;
  }
}

/// A parameter, [rows, width] or a vector, and what Adafactor keeps of it.
template <class Scalar, class Device>
struct AdafactorArrays {
  Tensor<Scalar, Device> parameter, gradient, row, column, second, first;
  AdafactorArrays(Shape const& shape, bool far, bool keeps)
      : parameter(values<Scalar, Device>("parameter", shape, far ? 1.0 : 1e-5)),
        gradient(values<Scalar, Device>("gradient", shape, far ? 3.0 : 0.5)) {
    if (shape.rank() == 2)
      row = positive<Scalar, Device>("row", Shape{shape[0]}),
      column = positive<Scalar, Device>("column", Shape{shape[1]});
    else
      second = positive<Scalar, Device>("second", shape);
    if (keeps) first = values<Scalar, Device>("first", shape, 0.1);
  }
  auto update(double rate) {
    bool const matrix = parameter.shape().rank() == 2;
    return typename kernels::Adafactor<Device, Scalar>::Update{parameter.data(),
                                                               std::as_const(gradient).data(),
                                                               row.data(),
                                                               column.data(),
                                                               second.data(),
                                                               first.data(),
                                                               matrix ? parameter.rows() : 1,
                                                               matrix ? parameter.width() : parameter.size(),
                                                               0.75,
                                                               rate};
  }
  /// What an update changes.
  [[nodiscard]] std::vector<Tensor<Scalar, Device>> results() const {
    std::vector<Tensor<Scalar, Device>> all;
    for (auto const& array : {parameter, row, column, second, first})
      if (array.data()) all.push_back(array);
    return all;
  }
};
std::vector<Shape> const adafactor_shapes{{1, 1},    {3, 7},    {0},       {257, 5}, {7},   {5, 257},  {40, 300},
                                          {300, 32}, {300, 33}, {2000, 3}, {255},    {257}, {1, 2049}, {9001}};

/// All results of one update of parameters in these shapes.
template <class Scalar, class Device>
std::vector<Tensor<Scalar, Device>> adafactor_of(std::vector<Shape> const& shapes, kernels::AdafactorRule const& rule,
                                                 bool far, double const* scale) {
  std::vector<AdafactorArrays<Scalar, Device>> all;
  for (auto const& shape : shapes) all.emplace_back(shape, far, rule.beta1 > 0);
  std::vector<typename kernels::Adafactor<Device, Scalar>::Update> updates;
  for (std::size_t k = 0; k < all.size(); ++k) updates.push_back(all[k].update(0.1 + 0.01 * static_cast<double>(k)));
  auto const there = scale ? to_device<Device>(full(Shape{}, *scale)) : Tensor<double, Device>();
  kernels::On<Device, kernels::Adafactor, Scalar>::adafactor(updates, rule, there.data());
  std::vector<Tensor<Scalar, Device>> results;
  for (auto const& arrays : all)
    for (auto const& result : arrays.results()) results.push_back(result);
  return results;
}

TYPED_TEST(CudaModelKernels, AdafactorOfManyParameters) {
  double const half = 0.5;
  for (bool scaled : {false, true})
    for (bool far : {false, true})  // parameters above ε₂ and updates that are clipped, and neither
      for (bool keeps : {false, true})
        expect_same(cat("adafactor, ", scaled, far, keeps), [&]<class Device>(Device) {
          kernels::AdafactorRule const rule{.epsilon1 = 1e-3,
                                            .epsilon2 = 1e-3,
                                            .clip_threshold = far ? 0.9 : 10,
                                            .beta1 = keeps ? 0.9 : 0,
                                            .weight_decay = 0.01,
                                            .scale_parameter = scaled};
          return adafactor_of<TypeParam, Device>(adafactor_shapes, rule, far, keeps ? &half : nullptr);
        });
}

/// What one parameter comes to does not depend on those that are updated with it.
TYPED_TEST(CudaModelKernels, AdafactorOfOneParameterAmongMany) {
  kernels::AdafactorRule const rule{.epsilon1 = 1e-3,
                                    .epsilon2 = 1e-3,
                                    .clip_threshold = 0.9,
                                    .beta1 = 0.9,
                                    .weight_decay = 0.01,
                                    .scale_parameter = true};
  for (auto const& shape : adafactor_shapes) {
    auto const alone = adafactor_of<TypeParam, Cuda>({shape}, rule, true, nullptr);
    auto const among =
        adafactor_of<TypeParam, Cuda>({shape, Shape{9}, Shape{40, 41}, Shape{2, 3}}, rule, true, nullptr);
    for (std::size_t k = 0; k < alone.size(); ++k)
      EXPECT_TRUE(same_bits(to_device<Cpu>(alone[k]), to_device<Cpu>(among[k]))) << shape << ", result " << k;
  }
}

TYPED_TEST(CudaModelKernels, AdafactorOfGradientsThatAreNoNumbersChangesNothing) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (bool keeps : {false, true}) {
    kernels::AdafactorRule const rule{.epsilon1 = 1e-3,
                                      .epsilon2 = 1e-3,
                                      .clip_threshold = 1,
                                      .beta1 = keeps ? 0.9 : 0,
                                      .weight_decay = 0.01,
                                      .scale_parameter = true};
    auto const results = adafactor_of<TypeParam, Cuda>(adafactor_shapes, rule, true, &nan);
    std::size_t k = 0;
    for (auto const& shape : adafactor_shapes) {
      for (auto const& expected : AdafactorArrays<TypeParam, Cuda>(shape, true, keeps).results()) {
        EXPECT_TRUE(same_bits(to_device<Cpu>(results[k]), to_device<Cpu>(expected))) << shape << ", result " << k;
        ++k;
      }
    }
  }
}

}  // namespace
