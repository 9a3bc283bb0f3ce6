// Attention over segments against its composition: a softmax over a matrix of scores with a mask.
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "ops/attention_calls.hpp"

namespace graft {
namespace {

using namespace attention_calls;

TEST(Attention, Causal) {
  expect_right(separate(one_head, self_attention({3, 1, 7}, true)));
  expect_right(separate(grouped, self_attention({5, 8}, true)));
}

TEST(Attention, Bidirectional) { expect_right(separate(grouped, self_attention({5, 1, 8}, false))); }

TEST(Attention, LongRowsCrossBlocksOfQueriesAndKeys) {
  expect_right(separate({2, 1, 2, 0.6}, self_attention({103, 3}, true)));
  expect_right(separate({1, 1, 2, 0.3}, self_attention({67}, false)));
}

TEST(Attention, HeadsOfWholeRegisters) {
  expect_right(separate(real, self_attention({8, 3}, true)));
  expect_right(separate({1, 1, 64, 0.125}, self_attention({9}, true)));
}

TEST(Attention, PrefixBankSharedByRows) {
  expect_right(with_bank(separate(grouped, self_attention({4, 6, 1}, true)), 3));
  expect_right(with_bank(separate(one_head, self_attention({20, 2}, true)), 70));
}

TEST(Attention, InfixBankAfterEachRowsSource) {
  // Row r: source tokens, infix keys, target tokens; queries of the source do not see the infix.
  Call call = separate(grouped, {});
  call.variables = {
      {11, grouped.width()}, {11, grouped.kv_width()}, {11, grouped.kv_width()}, {2, 2 * grouped.kv_width()}};
  call.sources.push_back({{3, 0}, {3, grouped.kv_width()}});
  Index begin = 0;
  for (auto const& [source, target] : {std::pair<Index, Index>{3, 2}, {1, 5}}) {
    Index const length = source + target;
    call.table.segments.push_back({0, begin, source, 0, true, 0, 0});
    call.table.segments.push_back({1, 0, 2, source, false, 0, source});
    call.table.segments.push_back({0, begin + source, target, source, true, -source, source + 2});
    call.table.segment_offsets.push_back(static_cast<Index>(call.table.segments.size()));
    call.table.query_offsets.push_back(begin += length);
  }
  expect_right(call);
  expect_same_bits(call);
}

TEST(Attention, CrossAttentionToSharedStates) {
  // Three targets attend to two sources' states; two targets share one source; keys and values are of different widths.
  Call call{grouped, {{9, grouped.width()}, {10, grouped.kv_width()}, {10, grouped.kv_width() + 7}},
            {0, 0},  {{{1, 0}, {2, 7}}},
            {},      {},
            0,       {},
            0};
  call.table.query_offsets = {0, 2, 3, 9};
  call.table.segment_offsets = {0, 1, 2, 3};
  call.table.segments = {{0, 0, 6, 0, false, 0, 0}, {0, 0, 6, 0, false, 0, 0}, {0, 6, 4, 0, false, 0, 0}};
  expect_right(call);
  expect_same_bits(call);
}

TEST(Attention, OneQueryARowWithCachedKeys) {
  for (AttentionShape const& shape :
       {one_head, AttentionShape{2, 1, 7, 0.4}, AttentionShape{8, 1, 3, 0.6}, AttentionShape{2, 2, 16, 0.25}}) {
    Call call{shape,  {{3, shape.width()}, {90, shape.kv_width()}, {90, shape.kv_width()}},
              {0, 0}, {{{1, 0}, {2, 0}}},
              {},     {},
              0,      {},
              0};
    call.table.query_offsets = {0, 1, 2, 3};
    call.table.segment_offsets = {0, 1, 3, 4};
    // The query of row 0 is its 4th token; row 1 continues the first two keys of row 0; row 2 sees 71 of the 75 keys
    // there is room for.
    call.table.segments = {
        {0, 0, 4, 0, true, 3, 0}, {0, 0, 2, 0, false, 0, 0}, {0, 4, 5, 0, true, 4, 2}, {0, 15, 75, 0, true, 70, 0}};
    expect_right(call);
    expect_same_bits(call);
  }
}

TEST(Attention, SeveralQueriesContinueCachedKeys) {
  Call call = separate(grouped, {});
  call.variables[0] = {5, grouped.width()};
  call.variables[1] = call.variables[2] = {12, grouped.kv_width()};
  call.table.query_offsets = {0, 3, 5};
  call.table.segment_offsets = {0, 1, 2};
  call.table.segments = {{0, 0, 7, 0, true, 4, 0}, {0, 7, 5, 0, true, 3, 0}};
  expect_right(call);
}

TEST(Attention, SomeQueriesOfARowOnly) {
  // The third to the fifth token of a row of 7, and the last of a row of 4; a bank joins each row before its fourth
  // token.
  Call call = separate(grouped, {});
  call.variables[0] = {4, grouped.width()};
  call.variables[1] = call.variables[2] = {11, grouped.kv_width()};
  call.table.query_offsets = {0, 3, 4};
  call.table.segment_offsets = {0, 1, 2};
  call.table.segments = {{0, 0, 7, 0, true, 2, 0}, {0, 7, 4, 0, true, 3, 0}};
  call = with_bank(call, 2);
  call.table.segments[0].first_query = 1;
  expect_right(call);
  call.table.query_positions = {2, 3, 4, 3};
  expect_right(with_relative_bias(call));
}

TEST(Attention, EmptyRowsAndEmptySegments) {
  Call call = separate(grouped, self_attention({2, 0, 3}, true));
  expect_right(call);
  expect_right(with_bank(call, 4));  // the row without queries attends to nothing, and adds nothing to the bank
  call.table = with_segment(call.table, {0, 1, 0, 0, false, 0, 0});
  expect_right(call);
}

TEST(Attention, SegmentsMayOverlapWithinAndBetweenRows) {
  Call call = separate(grouped, {});
  call.variables = {{4, grouped.width()}, {6, grouped.kv_width()}, {6, grouped.kv_width()}};
  call.table.query_offsets = {0, 1, 4};
  call.table.segment_offsets = {0, 2, 4};
  call.table.segments = {
      {0, 0, 3, 0, false, 0, 0}, {0, 2, 2, 0, false, 0, 0}, {0, 3, 2, 0, false, 0, 0}, {0, 4, 2, 1, true, -1, 0}};
  expect_right(call);
  expect_same_bits(call);
}

TEST(Attention, RelativeBias) {
  expect_right(with_relative_bias(separate(grouped, self_attention({7, 12}, false))));
  expect_right(with_relative_bias(separate(grouped, self_attention({9, 1, 2}, true))));
  expect_right(with_relative_bias(with_bank(separate({2, 1, 2, 1.0}, self_attention({70, 3}, true)), 4)));
  Call moved = with_relative_bias(separate(grouped, self_attention({4, 3}, true)));
  moved.table.query_positions = {5, 6, 9, 10, 2, 3, 4};
  moved.table.segments[0].position = 3;
  expect_right(moved);
  moved.constants = {0, 1, 2};
  expect_right(moved);
}

TEST(Attention, SameBitsForAnyNumberOfThreads) {
  expect_same_bits(with_bank(separate(real, self_attention({50, 31, 64, 1, 65, 7, 48}, true)), 10));
  // Enough rows for several threads to meet in the bank: sums in the order of arrival would differ.
  expect_same_bits(with_bank(separate(real, self_attention(std::vector<Index>(150, 30), true)), 30), 1e-4);
  expect_same_bits(with_relative_bias(with_bank(separate({3, 1, 20, 1.0}, self_attention({17, 40, 3}, false)), 5)));
}

TEST(Attention, ARowDoesNotDependOnItsNeighbours) {
  Call const both = with_bank(separate(real, self_attention({29, 50}, true)), 10);
  auto const parameters = leaves(both);
  std::vector<Variable<float>> x, alone;
  for (std::size_t v = 0; v < parameters.size(); ++v) {
    x.emplace_back(cast<float>(parameters[v].value()));
    alone.push_back(v < 3 ? Variable<float>(x[v].value().slice(29, 79)) : x[v]);
  }
  auto const expected = run(both, x).value().slice(29, 79);
  auto const got = run(with_bank(separate(real, self_attention({50}, true)), 10), alone).value();
  EXPECT_EQ(
      std::memcmp(got.data(), std::as_const(expected).data(), static_cast<std::size_t>(got.size()) * sizeof(float)), 0);
}

TEST(Attention, LargeScoresDoNotOverflow) {
  Call call = separate({1, 1, 4, 1e4}, self_attention({6}, true));
  std::vector<Variable<float>> x;
  std::vector<Parameter<float>> parameters;
  for (auto const& parameter : leaves(call)) parameters.emplace_back(parameter.name(), cast<float>(parameter.value()));
  for (auto const& parameter : parameters) x.push_back(parameter.variable());
  auto const y = run(call, x);
  testing::backward_from(y);
  for (Index i = 0; i < y.value().size(); ++i) EXPECT_TRUE(std::isfinite(y.value().data()[i]));
  for (auto const& parameter : parameters)
    for (Index i = 0; i < parameter.gradient().size(); ++i) EXPECT_TRUE(std::isfinite(parameter.gradient().data()[i]));
}

}  // namespace
}  // namespace graft
