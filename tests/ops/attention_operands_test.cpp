// Attention's operands: whose gradients are wanted, where they lie in wider matrices, and what does not fit.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/ops/residual.hpp>
#include <graft/ops/sum.hpp>

#include "ops/attention_calls.hpp"

namespace graft {
namespace {

using namespace attention_calls;

TEST(AttentionOperands, ColumnsOfOneFusedProjectionAndOfOneBank) {
  // Queries, keys and values side by side in one variable; two layers' keys and values in one bank, the second layer's
  // used.
  Index const width = grouped.width(), kv = grouped.kv_width();
  Call call{
      grouped, {{9, width + 2 * kv}}, {0, 0}, {{{0, width}, {0, width + kv}}}, self_attention({4, 5}, true), {}, 0, {},
      0};
  expect_right(call);
  call.variables.push_back({3, 4 * kv});
  call.sources.push_back({{1, 2 * kv}, {1, 3 * kv}});
  call.table = with_segment(call.table, {1, 0, 3, 0, false, 0, -3});
  expect_right(call);
  call.constants = {0};
  expect_right(call);
}

TEST(AttentionOperands, KeysThatAreValues) {
  Call call{grouped,
            {{5, grouped.width()}, {5, grouped.kv_width()}},
            {0, 0},
            {{{1, 0}, {1, 0}}},
            self_attention({5}, true),
            {},
            0,
            {},
            0};
  expect_right(call);
}

TEST(AttentionOperands, EveryChoiceOfTrainedOperands) {
  for (unsigned choice = 1; choice < 32; ++choice) {
    Call call = separate(grouped, self_attention({4, 3}, true));
    call.variables.push_back({2, grouped.kv_width()});
    call.variables.push_back({2, grouped.kv_width()});
    call.sources.push_back({{3, 0}, {4, 0}});
    for (std::size_t v = 0; v < 5; ++v)
      if (!(choice >> v & 1U)) call.constants.push_back(v);
    call.table = with_segment(call.table, {1, 0, 2, 0, false, 0, -2});
    SCOPED_TRACE(choice);
    expect_right(call);
  }
}

TEST(AttentionOperands, ConstantsRecordNothing) {
  Call const call = separate(grouped, self_attention({4}, true));
  std::vector<Variable<double>> x;
  for (auto const& parameter : leaves(call)) x.emplace_back(parameter.value());
  std::size_t const before = Tape::current().size();
  EXPECT_FALSE(run(call, x).tracked());
  EXPECT_EQ(Tape::current().size(), before);
}

TEST(AttentionOperands, GradientsAddToWhatIsThere) {
  Call const call = with_bank(separate(grouped, self_attention({4, 3}, true)), 2);
  auto const parameters = leaves(call);
  std::vector<Variable<double>> x;
  for (auto const& parameter : parameters) x.push_back(parameter.variable());
  testing::backward_from(run(call, x));
  std::vector<Tensor<double>> once;
  for (auto const& parameter : parameters) once.push_back(clone(parameter.gradient()));
  testing::backward_from(run(call, x));
  for (std::size_t v = 0; v < x.size(); ++v) {
    kernels::On<Cpu, kernels::Elementwise, double>::scale(std::as_const(once[v]).data(), 2.0, once[v].data(),
                                                          once[v].size());
    EXPECT_LE(testing::relative_error(parameters[v].gradient(), once[v]), 1e-14);
  }
}

TEST(AttentionOperands, AWrongGradientIsCaught) {
  Call const call = separate(one_head, self_attention({5}, true));
  auto parameters = leaves(call);
  std::vector<Variable<double>> x;
  for (auto const& parameter : parameters) x.push_back(parameter.variable());
  // The queries' gradient of an attention that is blind to its keys by one: the definition is differentiated with
  // another mask.
  Call blind = call;
  blind.table.segments[0].offset = 1;
  EXPECT_FALSE(
      gradcheck([&] { return Tape::current().recording() ? run(call, x) : composition(blind, x); }, parameters).passed);
}

TEST(AttentionOperands, SaysWhatDoesNotFit) {
  auto const message = [](Call const& call) {
    std::vector<Variable<double>> x;
    for (auto const& parameter : leaves(call)) x.push_back(parameter.variable());
    return testing::message_of<ShapeError>([&] { (void)run(call, x); });
  };
  auto const expect = [&](Call const& call, char const* part) {
    EXPECT_NE(message(call).find(part), std::string::npos) << message(call);
  };
  Call const good = separate(grouped, self_attention({2, 3}, true));
  Call call = good;
  call.table.segments[1].offset = -1;
  expect(call, "row 1: got a query (index 0) that sees no key");
  call = good;
  call.table.segments[1].first_query = 1;
  expect(call, "row 1: got a query (index 0) that sees no key");
  call = good;
  call.table.segments[1].length = 4;
  expect(call, "row 1: got a segment of 4 keys at 2; expected it within the 5 rows of source 0");
  call = good;
  call.table.segments[0].source = 1;
  expect(call, "row 0: got source 1");
  call = good;
  call.table.query_offsets = {0, 2, 4};
  expect(call, "query_offsets do not fit");
  call = good;
  call.table.segment_offsets = {0, 1, 3};
  expect(call, "segment_offsets do not fit");
  call = good;
  call.table.segments[1].begin = -1;
  expect(call, "row 1: got a segment of 3 keys at -1 of source 0; expected no negative number");
  call = good;
  call.table.query_positions = {0, 1};
  expect(call, "got 2 query positions");
  call = good;
  call.shape.kv_heads = 3;
  expect(call, "heads a multiple of key/value heads");
  call = good;
  call.shape.head_dim = 6;
  expect(call, "queries: got columns 0 to 24");
  call = good;
  call.sources[0].second.first = 1;
  expect(call, "values: got columns 1 to 11");
  call = good;
  call.variables[2] = {4, grouped.kv_width()};
  expect(call, "got 5 rows of keys and 4 of values");
  call = good;
  call.sources.push_back(call.sources[0]);
  expect(call, "source 1: got columns that overlap");
  call = with_relative_bias(good);
  call.bucket_of_distance.resize(81);
  expect(call, "row 0: got distances -1 to 1; expected them within -80 to 0");
  call = with_relative_bias(good);
  call.bucket_of_distance[3] = 5;
  expect(call, "got bucket 5");
}

/// Two losses that share the keys: the second backward is refused in a sentence, though attention gathers gradients in
/// buffers.
TEST(AttentionOperands, KeysOfTwoLossesAreRefusedInASentence) {
  auto const shape = AttentionShape{1, 1, 2, 1.0};
  SegmentTable table;
  table.query_offsets = {0, 1};
  table.segment_offsets = {0, 1};
  table.segments = {{0, 0, 3, 0, false, 0, 0}};
  auto const segments = std::make_shared<CheckedSegments const>(table);
  auto const bank = leaf("bank", {3, 2}, 1), query = leaf("query", {1, 2}, 2);
  auto const keys = scale(bank.variable(), 2.0);
  auto const loss = [&] {
    return sum(attention<double, Cpu>({query.variable(), 0}, {{{keys, 0}, {keys, 0}}}, segments, shape));
  };
  auto const first = loss(), second = loss();
  backward(first);
  try {
    backward(second);
    FAIL() << "expected an error";
  } catch (Error const& error) {
    EXPECT_NE(std::string(error.what()).find("no longer on the tape"), std::string::npos) << error.what();
  }
  Tape::current().discard();
}

}  // namespace
}  // namespace graft
