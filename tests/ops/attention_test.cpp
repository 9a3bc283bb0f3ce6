// Attention over segments against its composition: a softmax over a matrix of scores with a mask.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/ops/attention.hpp>
#include <graft/ops/composite/attention.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/sum.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;

/// Everything one call of `attention` takes; `columns` name variables by their place in `variables`.
struct Call {
  struct Part {
    std::size_t variable;
    Index first;
  };
  AttentionShape shape;
  std::vector<Shape> variables;  ///< extents of each variable
  Part queries;
  std::vector<std::pair<Part, Part>> sources;
  SegmentTable plan;
  std::vector<std::size_t> constants;  ///< variables that are not trained
  int buckets = 0;                     ///< with a relative bias: its table is the last variable
  std::vector<int> bucket_of_distance;
  Index first_distance = 0;

  [[nodiscard]] bool trained(std::size_t variable) const {
    return std::find(constants.begin(), constants.end(), variable) == constants.end();
  }
};

/// `operation(queries, sources, bias)` of these variables.
template <class Scalar, class Operation>
Variable<Scalar> run_with(Operation const& operation, Call const& call, std::vector<Variable<Scalar>> const& x) {
  auto const columns = [&](Call::Part part) { return Columns<Scalar>{x[part.variable], part.first}; };
  std::vector<AttentionSource<Scalar>> sources;
  for (auto const& [keys, values] : call.sources) sources.push_back({columns(keys), columns(values)});
  RelativeBias<Scalar> bias;
  if (call.buckets > 0) bias = {x.back(), call.bucket_of_distance, call.first_distance};
  return operation(columns(call.queries), sources, call.buckets > 0 ? &bias : nullptr);
}
template <class Scalar>
Variable<Scalar> run(Call const& call, std::vector<Variable<Scalar>> const& x) {
  auto const plan = std::make_shared<CheckedSegments const>(call.plan);
  return run_with([&](auto const& queries, auto const& sources, auto const* bias) { return attention(queries, sources, plan, call.shape, bias); },
                  call, x);
}
/// The definition.
Variable<double> composition(Call const& call, std::vector<Variable<double>> const& x) {
  return run_with(
      [&](auto const& queries, auto const& sources, auto const* bias) { return composite::attention(queries, sources, call.plan, call.shape, bias); },
      call, x);
}

std::vector<Parameter<double>> leaves(Call const& call) {
  std::vector<Parameter<double>> result;
  for (std::size_t v = 0; v < call.variables.size(); ++v) result.push_back(leaf(cat("variable ", v), call.variables[v], 100 + v));
  return result;
}

/// Values and gradients against the composition's; recorded gradients also against central differences; no gradient for constants.
void expect_right(Call const& call) {
  auto parameters = leaves(call);
  std::vector<Variable<double>> x;
  std::vector<Parameter<double>> trained;
  std::vector<Parameter<double>*> compared;
  for (std::size_t v = 0; v < parameters.size(); ++v) {
    x.push_back(call.trained(v) ? parameters[v].variable() : Variable<double>(parameters[v].value()));
    if (!call.trained(v)) continue;
    trained.push_back(parameters[v]);
    compared.push_back(&parameters[v]);
  }
  testing::expect_same(compared, [&] { return run(call, x); }, [&] { return composition(call, x); });
  auto const report = gradcheck([&] { return run(call, x); }, trained);
  EXPECT_TRUE(report.passed) << report.message;
}

/// Float against double, and several numbers of threads bit for bit: the result and every gradient.
void expect_same_bits(Call const& call, double tolerance = 2e-5) {
  auto const everything = [&](auto scalar) {
    using Scalar = decltype(scalar);
    std::vector<Variable<Scalar>> x;
    std::vector<Parameter<Scalar>> parameters;
    auto const values = leaves(call);
    for (std::size_t v = 0; v < values.size(); ++v) {
      parameters.emplace_back(values[v].name(), cast<Scalar>(values[v].value()));
      x.push_back(call.trained(v) ? parameters[v].variable() : Variable<Scalar>(parameters[v].value()));
    }
    auto const y = run(call, x);
    testing::backward_from(y);
    std::vector<Tensor<Scalar>> results{y.value()};
    for (std::size_t v = 0; v < values.size(); ++v)
      if (call.trained(v)) results.push_back(parameters[v].gradient());
    return results;
  };
  testing::expect_precise_and_independent_of_threads(everything, tolerance);
}

/// Rows of `lengths` tokens that attend to themselves.
SegmentTable self_attention(std::vector<Index> const& lengths, bool causal, int source = 0) {
  SegmentTable plan;
  for (Index const length : lengths) {
    plan.segments.push_back({source, plan.queries(), length, 0, causal, 0, 0});
    plan.segment_offsets.push_back(static_cast<Index>(plan.segments.size()));
    plan.query_offsets.push_back(plan.queries() + length);
  }
  return plan;
}
/// Gives every row `segment` before its own.
SegmentTable with_segment(SegmentTable const& plan, Segment const& segment) {
  SegmentTable result = plan;
  result.segments.clear();
  for (Index row = 0; row < plan.rows(); ++row) {
    result.segments.push_back(segment);
    for (Index s = plan.first_segment(row); s < plan.first_segment(row + 1); ++s) result.segments.push_back(plan.segment(s));
    result.segment_offsets[static_cast<std::size_t>(row) + 1] = static_cast<Index>(result.segments.size());
  }
  return result;
}
/// Separate variables for queries, keys and values of self-attention.
Call separate(AttentionShape const& shape, SegmentTable const& plan) {
  Index const tokens = plan.queries();
  return {
      shape, {{tokens, shape.width()}, {tokens, shape.kv_width()}, {tokens, shape.kv_width()}}, {0, 0}, {{{1, 0}, {2, 0}}}, plan, {}, 0, {},
      0};
}
/// Adds a bank of `length` rows holding keys at column 1 and values after them, and a segment of it to every row.
Call with_bank(Call call, Index length, Index first_query = 0) {
  std::size_t const bank = call.variables.size();
  call.variables.push_back({length, 2 * call.shape.kv_width() + 3});
  call.sources.push_back({{bank, 1}, {bank, call.shape.kv_width() + 2}});
  call.plan = with_segment(call.plan, {static_cast<int>(call.sources.size()) - 1, 0, length, first_query, false, 0, -length});
  return call;
}

Call with_relative_bias(Call call) {
  call.buckets = 5;
  call.first_distance = -80;
  for (int distance = -80; distance <= 80; ++distance)
    call.bucket_of_distance.push_back(distance < -6 ? 0 : distance < -1 ? 1 : distance < 1 ? 2 : distance < 4 ? 3 : 4);
  call.variables.push_back({call.buckets, call.shape.heads});
  return call;
}

AttentionShape const one_head{1, 1, 4, 0.5}, grouped{4, 2, 5, 0.45}, real{6, 2, 16, 0.25};

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
  call.variables = {{11, grouped.width()}, {11, grouped.kv_width()}, {11, grouped.kv_width()}, {2, 2 * grouped.kv_width()}};
  call.sources.push_back({{3, 0}, {3, grouped.kv_width()}});
  Index begin = 0;
  for (auto const& [source, target] : {std::pair<Index, Index>{3, 2}, {1, 5}}) {
    Index const length = source + target;
    call.plan.segments.push_back({0, begin, source, 0, true, 0, 0});
    call.plan.segments.push_back({1, 0, 2, source, false, 0, source});
    call.plan.segments.push_back({0, begin + source, target, source, true, -source, source + 2});
    call.plan.segment_offsets.push_back(static_cast<Index>(call.plan.segments.size()));
    call.plan.query_offsets.push_back(begin += length);
  }
  expect_right(call);
  expect_same_bits(call);
}

TEST(Attention, CrossAttentionToSharedStates) {
  // Three targets attend to two sources' states; two targets share one source; keys and values are of different widths.
  Call call{
      grouped, {{9, grouped.width()}, {10, grouped.kv_width()}, {10, grouped.kv_width() + 7}}, {0, 0}, {{{1, 0}, {2, 7}}}, {}, {}, 0, {},
      0};
  call.plan.query_offsets = {0, 2, 3, 9};
  call.plan.segment_offsets = {0, 1, 2, 3};
  call.plan.segments = {{0, 0, 6, 0, false, 0, 0}, {0, 0, 6, 0, false, 0, 0}, {0, 6, 4, 0, false, 0, 0}};
  expect_right(call);
  expect_same_bits(call);
}

TEST(Attention, OneQueryARowWithCachedKeys) {
  for (AttentionShape const& shape :
       {one_head, AttentionShape{2, 1, 7, 0.4}, AttentionShape{8, 1, 3, 0.6}, AttentionShape{2, 2, 16, 0.25}}) {
    Call call{shape, {{3, shape.width()}, {90, shape.kv_width()}, {90, shape.kv_width()}}, {0, 0}, {{{1, 0}, {2, 0}}}, {}, {}, 0, {}, 0};
    call.plan.query_offsets = {0, 1, 2, 3};
    call.plan.segment_offsets = {0, 1, 3, 4};
    // The query of row 0 is its 4th token; row 1 continues the first two keys of row 0; row 2 sees 71 of the 75 keys there is room for.
    call.plan.segments = {{0, 0, 4, 0, true, 3, 0}, {0, 0, 2, 0, false, 0, 0}, {0, 4, 5, 0, true, 4, 2}, {0, 15, 75, 0, true, 70, 0}};
    expect_right(call);
    expect_same_bits(call);
  }
}

TEST(Attention, SeveralQueriesContinueCachedKeys) {
  Call call = separate(grouped, {});
  call.variables[0] = {5, grouped.width()};
  call.variables[1] = call.variables[2] = {12, grouped.kv_width()};
  call.plan.query_offsets = {0, 3, 5};
  call.plan.segment_offsets = {0, 1, 2};
  call.plan.segments = {{0, 0, 7, 0, true, 4, 0}, {0, 7, 5, 0, true, 3, 0}};
  expect_right(call);
}

TEST(Attention, SomeQueriesOfARowOnly) {
  // The third to the fifth token of a row of 7, and the last of a row of 4; a bank joins each row before its fourth token.
  Call call = separate(grouped, {});
  call.variables[0] = {4, grouped.width()};
  call.variables[1] = call.variables[2] = {11, grouped.kv_width()};
  call.plan.query_offsets = {0, 3, 4};
  call.plan.segment_offsets = {0, 1, 2};
  call.plan.segments = {{0, 0, 7, 0, true, 2, 0}, {0, 7, 4, 0, true, 3, 0}};
  call = with_bank(call, 2);
  call.plan.segments[0].first_query = 1;
  expect_right(call);
  call.plan.query_positions = {2, 3, 4, 3};
  expect_right(with_relative_bias(call));
}

TEST(Attention, EmptyRowsAndEmptySegments) {
  Call call = separate(grouped, self_attention({2, 0, 3}, true));
  expect_right(call);
  expect_right(with_bank(call, 4));  // the row without queries attends to nothing, and adds nothing to the bank
  call.plan = with_segment(call.plan, {0, 1, 0, 0, false, 0, 0});
  expect_right(call);
}

TEST(Attention, SegmentsMayOverlapWithinAndBetweenRows) {
  Call call = separate(grouped, {});
  call.variables = {{4, grouped.width()}, {6, grouped.kv_width()}, {6, grouped.kv_width()}};
  call.plan.query_offsets = {0, 1, 4};
  call.plan.segment_offsets = {0, 2, 4};
  call.plan.segments = {{0, 0, 3, 0, false, 0, 0}, {0, 2, 2, 0, false, 0, 0}, {0, 3, 2, 0, false, 0, 0}, {0, 4, 2, 1, true, -1, 0}};
  expect_right(call);
  expect_same_bits(call);
}

TEST(Attention, ColumnsOfOneFusedProjectionAndOfOneBank) {
  // Queries, keys and values side by side in one variable; two layers' keys and values in one bank, the second layer's used.
  Index const width = grouped.width(), kv = grouped.kv_width();
  Call call{grouped, {{9, width + 2 * kv}}, {0, 0}, {{{0, width}, {0, width + kv}}}, self_attention({4, 5}, true), {}, 0, {}, 0};
  expect_right(call);
  call.variables.push_back({3, 4 * kv});
  call.sources.push_back({{1, 2 * kv}, {1, 3 * kv}});
  call.plan = with_segment(call.plan, {1, 0, 3, 0, false, 0, -3});
  expect_right(call);
  call.constants = {0};
  expect_right(call);
}

TEST(Attention, KeysThatAreValues) {
  Call call{grouped, {{5, grouped.width()}, {5, grouped.kv_width()}}, {0, 0}, {{{1, 0}, {1, 0}}}, self_attention({5}, true), {}, 0, {}, 0};
  expect_right(call);
}

TEST(Attention, EveryChoiceOfTrainedOperands) {
  for (unsigned choice = 1; choice < 32; ++choice) {
    Call call = separate(grouped, self_attention({4, 3}, true));
    call.variables.push_back({2, grouped.kv_width()});
    call.variables.push_back({2, grouped.kv_width()});
    call.sources.push_back({{3, 0}, {4, 0}});
    for (std::size_t v = 0; v < 5; ++v)
      if (!(choice >> v & 1U)) call.constants.push_back(v);
    call.plan = with_segment(call.plan, {1, 0, 2, 0, false, 0, -2});
    SCOPED_TRACE(choice);
    expect_right(call);
  }
}

TEST(Attention, ConstantsRecordNothing) {
  Call const call = separate(grouped, self_attention({4}, true));
  std::vector<Variable<double>> x;
  for (auto const& parameter : leaves(call)) x.emplace_back(parameter.value());
  std::size_t const before = Tape::current().size();
  EXPECT_FALSE(run(call, x).tracked());
  EXPECT_EQ(Tape::current().size(), before);
}

TEST(Attention, RelativeBias) {
  expect_right(with_relative_bias(separate(grouped, self_attention({7, 12}, false))));
  expect_right(with_relative_bias(separate(grouped, self_attention({9, 1, 2}, true))));
  expect_right(with_relative_bias(with_bank(separate({2, 1, 2, 1.0}, self_attention({70, 3}, true)), 4)));
  Call moved = with_relative_bias(separate(grouped, self_attention({4, 3}, true)));
  moved.plan.query_positions = {5, 6, 9, 10, 2, 3, 4};
  moved.plan.segments[0].position = 3;
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
  EXPECT_EQ(std::memcmp(got.data(), std::as_const(expected).data(), static_cast<std::size_t>(got.size()) * sizeof(float)), 0);
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

TEST(Attention, GradientsAddToWhatIsThere) {
  Call const call = with_bank(separate(grouped, self_attention({4, 3}, true)), 2);
  auto const parameters = leaves(call);
  std::vector<Variable<double>> x;
  for (auto const& parameter : parameters) x.push_back(parameter.variable());
  testing::backward_from(run(call, x));
  std::vector<Tensor<double>> once;
  for (auto const& parameter : parameters) once.push_back(clone(parameter.gradient()));
  testing::backward_from(run(call, x));
  for (std::size_t v = 0; v < x.size(); ++v) {
    kernels::On<Cpu, kernels::Elementwise, double>::scale(std::as_const(once[v]).data(), 2.0, once[v].data(), once[v].size());
    EXPECT_LE(testing::relative_error(parameters[v].gradient(), once[v]), 1e-14);
  }
}

TEST(Attention, AWrongGradientIsCaught) {
  Call const call = separate(one_head, self_attention({5}, true));
  auto parameters = leaves(call);
  std::vector<Variable<double>> x;
  for (auto const& parameter : parameters) x.push_back(parameter.variable());
  // The queries' gradient of an attention that is blind to its keys by one: the definition is differentiated with another mask.
  Call blind = call;
  blind.plan.segments[0].offset = 1;
  EXPECT_FALSE(gradcheck([&] { return Tape::current().recording() ? run(call, x) : composition(blind, x); }, parameters).passed);
}

TEST(Attention, SaysWhatDoesNotFit) {
  auto const message = [](Call const& call) {
    std::vector<Variable<double>> x;
    for (auto const& parameter : leaves(call)) x.push_back(parameter.variable());
    return testing::message_of<ShapeError>([&] { (void)run(call, x); });
  };
  auto const expect = [&](Call const& call, char const* part) { EXPECT_NE(message(call).find(part), std::string::npos) << message(call); };
  Call const good = separate(grouped, self_attention({2, 3}, true));
  Call call = good;
  call.plan.segments[1].offset = -1;
  expect(call, "row 1: got a query (index 0) that sees no key");
  call = good;
  call.plan.segments[1].first_query = 1;
  expect(call, "row 1: got a query (index 0) that sees no key");
  call = good;
  call.plan.segments[1].length = 4;
  expect(call, "row 1: got a segment of 4 keys at 2; expected it within the 5 rows of source 0");
  call = good;
  call.plan.segments[0].source = 1;
  expect(call, "row 0: got source 1");
  call = good;
  call.plan.query_offsets = {0, 2, 4};
  expect(call, "query_offsets do not fit");
  call = good;
  call.plan.segment_offsets = {0, 1, 3};
  expect(call, "segment_offsets do not fit");
  call = good;
  call.plan.segments[1].begin = -1;
  expect(call, "row 1: got a segment of 3 keys at -1 of source 0; expected no negative number");
  call = good;
  call.plan.query_positions = {0, 1};
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

/// Two losses that share the keys: the second backward is refused in a sentence, though attention gathers gradients in buffers.
TEST(Attention, KeysOfTwoLossesAreRefusedInASentence) {
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
