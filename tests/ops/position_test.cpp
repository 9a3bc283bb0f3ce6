#include <graft/ops/composite/rotary.hpp>
#include <graft/ops/dropout.hpp>
#include <graft/ops/rotary.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::expect_same;
using testing::leaf;
using testing::message_of;
using testing::random;

TEST(Rotary, EqualsItsComposition) {
  std::vector<Index> const positions{0, 3, 1000};
  auto const frequencies = rotary_frequencies(8, 5000.0);
  for (Index j = 0; j < 4; ++j)
    EXPECT_NEAR(frequencies[static_cast<std::size_t>(j)], std::pow(5000.0, -static_cast<double>(j) / 4), 1e-15);
  for (Index const head_width : {8, 10}) {  // all of a head is turned; two of ten dimensions are left
    auto x = leaf("x", {3, 2 * head_width}, 1);
    RotaryTable<double> const table(frequencies, head_width);
    expect_same(
        {&x}, [&] { return rotary(x.variable(), positions, table); },
        [&] { return composite::rotary(x.variable(), positions, frequencies, head_width); });
  }
  auto const x = random({3, 20}, 1);
  auto const y = rotary(Variable<double>(x), positions, RotaryTable<double>(frequencies, 10)).value();
  for (Index t = 0; t < 3; ++t)
    for (Index const left : {8, 9, 18, 19}) EXPECT_EQ(y.row(t)[left], x.row(t)[left]);
}

TEST(Rotary, TheTableGrows) {
  RotaryTable<float> const table(rotary_frequencies(4)), copy = table;
  auto const early = table.rows(10);
  auto const late = copy.rows(5000);
  EXPECT_GE(late.rows(), 5000);
  EXPECT_EQ(std::memcmp(early.data(), late.data(), static_cast<std::size_t>(early.size()) * sizeof(float)), 0);
  EXPECT_NEAR(late.row(4999)[0], std::cos(4999.0), 1e-7);
}

TEST(Rotary, Gradients) {
  auto x = leaf("x", {4, 12}, 1);
  for (Index const head_width : {4, 6}) {
    RotaryTable<double> const table(rotary_frequencies(4, 100.0), head_width);
    auto const report = gradcheck([&] { return rotary(x.variable(), {7, 0, 2, 2}, table); }, {x});
    EXPECT_TRUE(report.passed) << report.message;
  }
}

TEST(Rotary, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {400, 3 * 64}, 1);
    std::vector<Index> positions(400);
    for (std::size_t i = 0; i < 400; ++i) positions[i] = static_cast<Index>(i * 13 % 997);
    auto const y = rotary(x.variable(), positions, RotaryTable<Scalar>(rotary_frequencies(64)));
    testing::backward_from(y);
    return std::vector<Tensor<Scalar>>{y.value(), x.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-6);
}

TEST(Rotary, Errors) {
  Variable<double> const x(random({2, 12}, 1));
  RotaryTable<double> const eight(rotary_frequencies(8)), four(rotary_frequencies(4));
  EXPECT_NE(message_of<ShapeError>([&] {
              (void)rotary(x, {0, 1}, eight);
            }).find("got an input of shape [2, 12]; expected [tokens, heads·8]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)rotary(x, {0}, four); }).find("got 1 positions"), std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)rotary(x, {0, -1}, four); }).find("got position -1"), std::string::npos);
  EXPECT_NE(message_of<ConfigError>([] {
              RotaryTable<double> const table(rotary_frequencies(8), 6);
            }).find("heads of width 6"),
            std::string::npos);
  EXPECT_NE(message_of<ConfigError>([] { (void)rotary_frequencies(7); }).find("got 7"), std::string::npos);
}

TEST(Dropout, KeepsTheRightShareAndScalesIt) {
  auto const y = dropout(Variable<float>(full({400, 501}, 1.F)), 0.3, {0, 400}, {9}, RandomKey(1)).value();
  Index kept = 0;
  std::vector<Index> by_column(501, 0);
  for (Index i = 0; i < y.size(); ++i) {
    EXPECT_TRUE(y.data()[i] == 0.F || y.data()[i] == 1.F / 0.7F) << y.data()[i];
    kept += y.data()[i] != 0.F;
    by_column[static_cast<std::size_t>(i % 501)] += y.data()[i] != 0.F;
  }
  double const deviation = std::sqrt(0.3 * 0.7 / static_cast<double>(y.size()));
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(y.size()), 0.7, 5 * deviation);
  for (Index const count : by_column) EXPECT_NEAR(static_cast<double>(count), 280, 60);  // 6.5 deviations
}

TEST(Dropout, TheMaskBelongsToTheAddressNotThePlace) {
  Tensor<float> const ones = full({7, 33}, 1.F);
  auto const masked = [&](std::vector<Index> const& offsets, std::vector<std::uint64_t> const& addresses,
                          RandomKey key) {
    return dropout(Variable<float>(ones.slice(0, offsets.back())), 0.5, offsets, addresses, key).value();
  };
  auto const same = [](Tensor<float> const& a, Tensor<float> const& b) {
    return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0;
  };
  auto const packed = masked({0, 3, 7}, {5, 6}, RandomKey(1)), turned = masked({0, 4, 7}, {6, 5}, RandomKey(1));
  EXPECT_TRUE(same(packed.slice(0, 3), turned.slice(4, 7)));
  EXPECT_TRUE(same(packed.slice(3, 7), turned.slice(0, 4)));
  EXPECT_TRUE(same(packed.slice(3, 7), masked({0, 4}, {6}, RandomKey(1))));
  EXPECT_FALSE(same(packed.slice(0, 3), packed.slice(3, 6)));  // another address
  EXPECT_FALSE(same(packed.slice(0, 1), packed.slice(1, 2)));  // another position
  EXPECT_FALSE(same(packed, masked({0, 3, 7}, {5, 6}, RandomKey(2))));
}

TEST(Dropout, Gradients) {
  auto x = leaf("x", {5, 7}, 1);
  auto const report = gradcheck([&] { return dropout(x.variable(), 0.4, {0, 2, 5}, {1, 2}, RandomKey(3)); }, {x});
  EXPECT_TRUE(report.passed) << report.message;
  EXPECT_EQ(dropout(x.variable(), 0.0, {0, 5}, {1}, RandomKey(3)).slot(), x.variable().slot());
}

TEST(Dropout, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {400, 151}, 1);
    auto const y = dropout(x.variable(), 0.1, {0, 150, 400}, {1, 2}, RandomKey(3));
    testing::backward_from(y);
    return std::vector<Tensor<Scalar>>{y.value(), x.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-6);
}

TEST(Dropout, Errors) {
  Variable<double> const x(random({2, 3}, 1));
  for (double const p : {-0.1, 1.0, 1.5, static_cast<double>(NAN)})
    EXPECT_NE(message_of<ConfigError>([&] { (void)dropout(x, p, {0, 2}, {1}, RandomKey(1)); }).find("got probability"),
              std::string::npos)
        << p;
  EXPECT_NE(
      message_of<ShapeError>([&] { (void)dropout(x, 0.5, {0, 3}, {1}, RandomKey(1)); }).find("offsets of 3 tokens"),
      std::string::npos);
  EXPECT_NE(
      message_of<ShapeError>([&] { (void)dropout(x, 0.5, {0, 1, 2}, {1}, RandomKey(1)); }).find("3 row offsets and 1"),
      std::string::npos);
}

}  // namespace
}  // namespace graft
