#include <graft/ops/embedding.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/residual.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;
using Map = std::vector<std::pair<int, Index>>;

void expect_row(Tensor<double> const& y, Index i, Tensor<double> const& x, Index row) {
  for (Index j = 0; j < y.width(); ++j) EXPECT_EQ(y.row(i)[j], x.row(row)[j]) << "row " << i;
}

TEST(Gather, RowsComeFromTheirPlaces) {
  auto const x = random({5, 3}, 1), z = random({2, 3}, 2);
  std::vector<Index> const indices{4, 0, 0, 2};
  auto const y = gather_rows(Variable<double>(x), indices).value();
  for (Index i = 0; i < 4; ++i) expect_row(y, i, x, indices[static_cast<std::size_t>(i)]);
  auto const part = slice_rows(Variable<double>(x), 1, 4).value();
  EXPECT_EQ(part.shape(), (Shape{3, 3}));
  expect_row(part, 0, x, 1);
  auto const assembled = assemble_rows<double, Cpu>({x, z}, Map{{1, 1}, {0, 4}, {1, 1}, {0, 0}}).value();
  expect_row(assembled, 0, z, 1);
  expect_row(assembled, 1, x, 4);
  expect_row(assembled, 2, z, 1);
  expect_row(assembled, 3, x, 0);
  std::vector<Token> const tokens{3, 3, 1};
  auto const embedded = embedding(Variable<double>(x), tokens).value();
  expect_row(embedded, 0, x, 3);
  expect_row(embedded, 1, x, 3);
  expect_row(embedded, 2, x, 1);
}

TEST(Gather, AllRowsInOrderAreTheVariableItself) {
  auto x = leaf("x", {3, 2}, 1);
  auto const y = gather_rows(x.variable(), {0, 1, 2});
  EXPECT_EQ(y.slot(), x.variable().slot());
  EXPECT_EQ(y.value().data(), x.value().data());
}

TEST(Gather, NothingToGather) {
  auto x = leaf("x", {3, 2}, 1);
  EXPECT_EQ(gather_rows(x.variable(), {}).shape(), (Shape{0, 2}));
  EXPECT_EQ(embedding(x.variable(), std::vector<Token>{}).shape(), (Shape{0, 2}));
  auto const report =
      gradcheck([&] { return add(slice_rows(x.variable(), 1, 1), gather_rows(x.variable(), {})); }, {x});
  EXPECT_TRUE(report.passed) << report.message;
}

TEST(Gather, Gradients) {
  auto x = leaf("x", {5, 3}, 1), z = leaf("z", {2, 3}, 2);
  std::vector<Token> const tokens{3, 3, 1, 3, 0};
  Map const map{{1, 1}, {0, 4}, {1, 1}, {0, 0}, {1, 0}, {1, 1}, {0, 4}, {2, 2}};
  auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
  expect(gradcheck([&] { return gather_rows(x.variable(), {4, 0, 0, 2}); }, {x}));  // repeated
  expect(gradcheck([&] { return gather_rows(x.variable(), {4, 0, 3}); }, {x}));     // distinct
  expect(gradcheck([&] { return slice_rows(x.variable(), 1, 3); }, {x}));
  expect(gradcheck([&] { return embedding(x.variable(), tokens); }, {x}));
  expect(
      gradcheck([&] { return assemble_rows<double, Cpu>({x.variable(), z.variable(), x.variable()}, map); }, {x, z}));
  expect(gradcheck([&] { return assemble_rows<double, Cpu>({x.value(), z.variable(), x.value()}, map); }, {z}));
  // Contributions before and after, so that the sparse one finds a gradient that it must keep, its own or shared with
  // another slot.
  expect(gradcheck(
      [&] { return add(slice_rows(x.variable(), 0, 2), add(gather_rows(x.variable(), {1, 1}), z.variable())); },
      {x, z}));
  auto const dense_first = [&] {
    auto const sparse = gather_rows(x.variable(), {1, 1, 2, 0, 0});
    return add(add(x.variable(), sparse), embedding(x.variable(), tokens));
  };
  expect(gradcheck(dense_first, {x}));
}

TEST(Gather, WiderShapes) {
  auto x = leaf("x", {4, 2, 3}, 1);
  EXPECT_EQ(gather_rows(x.variable(), {3, 1}).shape(), (Shape{2, 2, 3}));
  auto const report = gradcheck([&] { return gather_rows(x.variable(), {3, 1, 3}); }, {x});
  EXPECT_TRUE(report.passed) << report.message;
}

TEST(Gather, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto table = leaf<Scalar>("table", {100, 230}, 1), virtual_tokens = leaf<Scalar>("virtual", {10, 230}, 2);
    std::vector<Token> tokens;
    Map map;
    for (Index i = 0; i < 800; ++i) {
      tokens.push_back(static_cast<Token>(RandomKey(3).below(static_cast<std::uint64_t>(i), 90)));
      if (i % 20 == 0)
        for (Index v = 0; v < 10; ++v) map.emplace_back(1, v);
      map.emplace_back(0, i);
    }
    auto const y = assemble_rows<Scalar, Cpu>({embedding(table.variable(), tokens), virtual_tokens.variable()}, map);
    testing::backward_from(y);
    return std::vector<Tensor<Scalar>>{y.value(), table.gradient(), virtual_tokens.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-6);
}

TEST(Gather, Errors) {
  Variable<double> const x(random({5, 3}, 1)), narrow(random({5, 2}, 1));
  EXPECT_NE(message_of<Error>([&] {
              (void)embedding(x, std::vector<Token>{1, 2, 50257});
            }).find("got 50257 at position 2; expected 0 to 4"),
            std::string::npos);
  EXPECT_NE(message_of<Error>([&] { (void)embedding(x, std::vector<Token>{-1}); }).find("got -1 at position 0"),
            std::string::npos);
  EXPECT_NE(
      message_of<ShapeError>([&] { (void)gather_rows(x, {0, 5}); }).find("got index 5 at place 1; expected 0 to 4"),
      std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)slice_rows(x, 3, 6); }).find("got rows 3 to 6"), std::string::npos);
  auto const assemble = [&](std::vector<Variable<double>> const& sources, Map const& map) {
    return message_of<ShapeError>([&] { (void)assemble_rows(sources, map); });
  };
  EXPECT_NE(assemble({}, {}).find("no sources"), std::string::npos);
  EXPECT_NE(assemble({x, narrow}, {}).find("source 1 of shape [5, 2]"), std::string::npos);
  EXPECT_NE(assemble({x}, {{1, 0}}).find("got source 1 at place 0"), std::string::npos);
  EXPECT_NE(assemble({x}, {{0, 0}, {0, -1}}).find("got row -1 of source 0 at place 1"), std::string::npos);
}

}  // namespace
}  // namespace graft
