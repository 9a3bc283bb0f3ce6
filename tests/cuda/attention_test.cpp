// Attention on the GPU gives what the host's gives: values and all gradients, for every kind of segment.
#include <memory>
#include <utility>
#include <vector>

#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/segment_work.hpp>
#include <graft/ops/cast.hpp>

#include "device_testing.hpp"
#include "ops/attention_calls.hpp"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda_runtime.h"
#endif

namespace {

using namespace graft;
using namespace graft::attention_calls;
using graft::testing::relative_difference;
using graft::testing::tolerance;

template <class Scalar>
Tensor<Scalar> numbers(Shape const& shape, std::uint64_t seed) {
  return cast<Scalar>(normal<double>(shape, RandomKey(41).with("attention").with(seed)));
}

/// The result and the gradients of what is trained, for a fixed gradient of the result.
template <class Scalar, class Device>
std::vector<Tensor<Scalar>> results(Call const& call) {
  std::vector<Variable<Scalar, Device>> x;
  std::vector<Parameter<Scalar, Device>> trained;
  for (std::size_t v = 0; v < call.variables.size(); ++v) {
    auto const values = to_device<Device>(numbers<Scalar>(call.variables[v], v));
    if (call.trained(v)) trained.emplace_back(cat("variable ", v), values);
    x.push_back(call.trained(v) ? trained.back().variable() : Variable<Scalar, Device>(values));
  }
  auto const y = run(call, x);
  std::vector<Tensor<Scalar>> results{to_device<Cpu>(y.value())};
  if (trained.empty()) return results;
  backward(weighted_sum(y, to_device<Device>(numbers<Scalar>(y.shape(), 99))));
  for (auto const& parameter : trained) results.push_back(to_device<Cpu>(parameter.gradient()));
  return results;
}

template <class Scalar>
void expect_equal(Call const& call) {
  auto const expected = results<Scalar, Cpu>(call), got = results<Scalar, Cuda>(call);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_LE(relative_difference(got[i], expected[i]), tolerance<Scalar>) << (i == 0 ? "value" : "gradient ") << i;
}

/// Rows [begin, begin + length) of source 0, for rows of so many queries, whose last one sees the last key.
SegmentTable continued(std::vector<std::pair<Index, Index>> const& queries_and_keys) {
  SegmentTable table;
  Index begin = 0;
  for (auto const& [queries, keys] : queries_and_keys) {
    table.segments.push_back({0, begin, keys, 0, true, keys - queries, 0});
    table.segment_offsets.push_back(static_cast<Index>(table.segments.size()));
    table.query_offsets.push_back(table.queries() + queries);
    begin += keys;
  }
  return table;
}
/// Separate queries and stored keys and values of so many rows.
Call stored(AttentionShape const& shape, SegmentTable const& table, Index rows) {
  Call call = separate(shape, table);
  call.variables[1] = call.variables[2] = {rows, shape.kv_width()};
  return call;
}

template <class Value>
class CudaAttention : public graft::testing::DeviceTest {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaAttention, Scalars);

TYPED_TEST(CudaAttention, PackedRowsOfUnevenLengths) {
  for (bool causal : {true, false}) {
    expect_equal<TypeParam>(separate(one_head, self_attention({3, 1, 7}, causal)));
    expect_equal<TypeParam>(separate(grouped, self_attention({5, 33, 64, 1}, causal)));
  }
}

TYPED_TEST(CudaAttention, LongRowsCrossTilesOfQueriesAndKeys) {
  expect_equal<TypeParam>(separate({2, 1, 5, 0.6}, self_attention({103, 3, 65}, true)));
  expect_equal<TypeParam>(separate({1, 1, 2, 0.3}, self_attention({97}, false)));
}

TYPED_TEST(CudaAttention, QueriesContinueACache) {
  expect_equal<TypeParam>(stored({2, 1, 5, 0.4}, continued({{130, 300}, {2, 40}}), 340));
  expect_equal<TypeParam>(stored({4, 2, 3, 0.4}, continued({{1, 71}, {1, 1}, {1, 64}}), 150));
}

TYPED_TEST(CudaAttention, HeadsOfEveryWidth) {
  for (Index const head_dim : {1, 5, 17, 64, 80, 128, 131})
    expect_equal<TypeParam>(with_bank(
        separate({2, 1, head_dim, 1 / std::sqrt(static_cast<double>(head_dim))}, self_attention({35, 2}, true)), 3));
}

TYPED_TEST(CudaAttention, PrefixBankSharedByRows) {
  expect_equal<TypeParam>(with_bank(separate(grouped, self_attention({4, 6, 1}, true)), 3));
  expect_equal<TypeParam>(with_bank(separate(one_head, self_attention({40, 2, 33}, true)), 70));
}

TYPED_TEST(CudaAttention, InfixBankAfterEachRowsSource) {
  Call call = separate(grouped, {});
  call.variables = {
      {50, grouped.width()}, {50, grouped.kv_width()}, {50, grouped.kv_width()}, {2, 2 * grouped.kv_width()}};
  call.sources.push_back({{3, 0}, {3, grouped.kv_width()}});
  Index begin = 0;
  for (auto const& [source, target] : {std::pair<Index, Index>{3, 2}, {35, 10}}) {
    Index const length = source + target;
    call.table.segments.push_back({0, begin, source, 0, true, 0, 0});
    call.table.segments.push_back({1, 0, 2, source, false, 0, source});
    call.table.segments.push_back({0, begin + source, target, source, true, -source, source + 2});
    call.table.segment_offsets.push_back(static_cast<Index>(call.table.segments.size()));
    call.table.query_offsets.push_back(begin += length);
  }
  expect_equal<TypeParam>(call);
}

TYPED_TEST(CudaAttention, RowsThatShareSomeOfTheirStates) {
  // The first two see the same states, the third some of theirs and the fourth's, the last its own alone. The third
  // sees some twice.
  Call call = stored(grouped, {}, 90);
  call.variables[0] = {40, grouped.width()};
  call.variables[2] = {90, grouped.kv_width() + 7};
  call.sources = {{{1, 0}, {2, 7}}};
  call.table.query_offsets = {0, 2, 3, 36, 38, 40};
  call.table.segment_offsets = {0, 1, 2, 4, 5, 6};
  call.table.segments = {{0, 0, 36, 0, false, 0, 0},  {0, 0, 36, 0, false, 0, 0}, {0, 30, 10, 0, false, 0, 0},
                         {0, 35, 8, 3, false, 0, 10}, {0, 42, 8, 0, false, 0, 0}, {0, 50, 40, 0, true, 38, 0}};
  expect_equal<TypeParam>(call);
}

TYPED_TEST(CudaAttention, SomeQueriesOfARowOnly) {
  Call call = stored(grouped, {}, 11);
  call.variables[0] = {4, grouped.width()};
  call.table.query_offsets = {0, 3, 4};
  call.table.segment_offsets = {0, 1, 2};
  call.table.segments = {{0, 0, 7, 0, true, 2, 0}, {0, 7, 4, 0, true, 3, 0}};
  call = with_bank(call, 2);
  call.table.segments[0].first_query = 1;
  expect_equal<TypeParam>(call);
  call.table.query_positions = {2, 3, 4, 3};
  expect_equal<TypeParam>(with_relative_bias(call));
}

TYPED_TEST(CudaAttention, RelativeBiasAndItsTable) {
  for (bool causal : {true, false}) {
    Call call = with_relative_bias(with_bank(separate(grouped, self_attention({70, 5}, causal)), 4));
    expect_equal<TypeParam>(call);
    call.constants = {0, 1, 2, 3};  // the table alone
    expect_equal<TypeParam>(call);
    call.constants = {4};  // all but the table
    expect_equal<TypeParam>(call);
  }
  Call call = with_relative_bias(separate({2, 2, 131, 0.1}, self_attention({3, 40}, false)));
  call.buckets = 45;  // more than threads of a warp, for heads of several blocks
  call.variables.back() = {45, 2};
  for (std::size_t i = 0; i < call.bucket_of_distance.size(); ++i)
    call.bucket_of_distance[i] = static_cast<int>(i * i % 45);
  expect_equal<TypeParam>(call);
}

TYPED_TEST(CudaAttention, ColumnsOfOneFusedProjectionAndOfOneBank) {
  Index const width = grouped.width(), kv = grouped.kv_width();
  Call call{grouped,
            {{40, width + 2 * kv}},
            {0, 0},
            {{{0, width}, {0, width + kv}}},
            self_attention({4, 36}, true),
            {},
            0,
            {},
            0};
  call.variables.push_back({3, 4 * kv});
  call.sources.push_back({{1, 2 * kv}, {1, 3 * kv}});
  call.table = with_segment(call.table, {1, 0, 3, 0, false, 0, -3});
  expect_equal<TypeParam>(call);
  call.constants = {0};
  expect_equal<TypeParam>(call);
  call = {grouped, {{5, width}, {5, kv}}, {0, 0}, {{{1, 0}, {1, 0}}}, self_attention({5}, true), {}, 0, {}, 0};
  expect_equal<TypeParam>(call);  // keys that are values
  call.table = self_attention({2, 2, 1}, true);
  call.variables.push_back({3, kv});
  call.sources.push_back({{2, 0}, {2, 0}});
  call.table = with_segment(call.table, {1, 0, 3, 0, false, 0, -3});
  expect_equal<TypeParam>(call);  // also in a bank that all rows see
}

TYPED_TEST(CudaAttention, EveryChoiceOfTrainedOperands) {
  for (unsigned choice = 0; choice < 32; ++choice) {
    Call call = separate(one_head, self_attention({4, 3}, true));
    call.variables.push_back({2, one_head.kv_width()});
    call.variables.push_back({2, one_head.kv_width()});
    call.sources.push_back({{3, 0}, {4, 0}});
    for (std::size_t v = 0; v < 5; ++v)
      if (!(choice >> v & 1U)) call.constants.push_back(v);
    call.table = with_segment(call.table, {1, 0, 2, 0, false, 0, -2});
    SCOPED_TRACE(choice);
    expect_equal<TypeParam>(call);
  }
}

TYPED_TEST(CudaAttention, EmptyRowsAndEmptySegments) {
  Call call = separate(grouped, self_attention({2, 0, 3}, true));
  expect_equal<TypeParam>(call);
  expect_equal<TypeParam>(with_bank(call, 4));
  call.table = with_segment(call.table, {0, 1, 0, 0, false, 0, 0});
  expect_equal<TypeParam>(call);
  expect_equal<TypeParam>(separate(grouped, self_attention({0, 0}, true)));
  expect_equal<TypeParam>(separate(grouped, {}));
}

TYPED_TEST(CudaAttention, MoreSourcesThanAKernelsArgumentsHold) {
  Call call = separate(one_head, self_attention({4, 3}, true));
  for (Index bank = 0; bank < 19; ++bank) call = with_bank(call, 1 + bank % 3);
  call.constants = {2, 5, 9};
  expect_equal<TypeParam>(call);
}

/// A call with everything that several blocks add to.
Call shared_by_all() {
  return with_relative_bias(with_bank(separate(grouped, self_attention({40, 0, 35, 2}, true)), 40));
}

TYPED_TEST(CudaAttention, GivesTheSameBitsInAnyOrderOfBlocks) {
  auto const first = results<TypeParam, Cuda>(shared_by_all()), second = results<TypeParam, Cuda>(shared_by_all());
  Tensor<TypeParam, Cuda> other(Shape{1});  // another grid between: the emulator runs every second one backwards
  kernels::On<Cuda, kernels::Elementwise, TypeParam>::fill(other.data(), TypeParam(0), 1);
  auto const third = results<TypeParam, Cuda>(shared_by_all());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(relative_difference(second[i], first[i]), 0) << i;
    EXPECT_EQ(relative_difference(third[i], first[i]), 0) << i;
  }
}

class CudaAttentionInDouble : public graft::testing::DeviceTest {};

TEST_F(CudaAttentionInDouble, GradientsAreTheCentralDifferences) {
  Call call = with_relative_bias(with_bank(separate({2, 1, 2, 0.7}, self_attention({2, 1}, true)), 2));
  call.buckets = 3;
  call.variables.back() = {3, 2};
  for (int& bucket : call.bucket_of_distance) bucket = bucket % 3;
  auto const recorded = results<double, Cuda>(call);
  std::vector<Tensor<double>> values;
  for (std::size_t v = 0; v < call.variables.size(); ++v) values.push_back(numbers<double>(call.variables[v], v));
  auto const loss = [&] {
    NoGrad const no_grad;
    std::vector<Variable<double, Cuda>> x;
    for (auto const& value : values) x.emplace_back(to_device<Cuda>(value));
    auto const y = run(call, x);
    return *to_device<Cpu>(weighted_sum(y, to_device<Cuda>(numbers<double>(y.shape(), 99))).value()).data();
  };
  double const step = 1e-5;
  for (std::size_t v = 0; v < values.size(); ++v) {
    Tensor<double> differences(values[v].shape());
    for (Index i = 0; i < values[v].size(); ++i) {
      double const before = values[v].data()[i];
      values[v].data()[i] = before + step;
      double const above = loss();
      values[v].data()[i] = before - step;
      differences.data()[i] = (above - loss()) / (2 * step);
      values[v].data()[i] = before;
    }
    EXPECT_LE(relative_difference(recorded[v + 1], differences), 1e-8) << "variable " << v;
  }
}

TEST_F(CudaAttentionInDouble, IsItsComposition) {
  Call const call = shared_by_all();
  std::vector<Variable<double, Cuda>> x;
  for (std::size_t v = 0; v < call.variables.size(); ++v)
    x.emplace_back(to_device<Cuda>(numbers<double>(call.variables[v], v)));
  auto const definition =
      run_with([&](auto const& queries, auto const& sources,
                   auto const* bias) { return composite::attention(queries, sources, call.table, call.shape, bias); },
               call, x);
  EXPECT_LE(relative_difference(to_device<Cpu>(run(call, x).value()), to_device<Cpu>(definition.value())), 1e-12);
}

TEST_F(CudaAttentionInDouble, GradientsAddToWhatIsThere) {
  Call const call = shared_by_all();
  std::vector<Parameter<double, Cuda>> parameters;
  std::vector<Variable<double, Cuda>> x;
  for (std::size_t v = 0; v < call.variables.size(); ++v) {
    parameters.emplace_back(cat("variable ", v), to_device<Cuda>(numbers<double>(call.variables[v], v)));
    x.push_back(parameters.back().variable());
  }
  auto const once = results<double, Cuda>(call);
  for (int time = 0; time < 2; ++time) {
    auto const y = run(call, x);
    backward(weighted_sum(y, to_device<Cuda>(numbers<double>(y.shape(), 99))));
  }
  for (std::size_t v = 0; v < x.size(); ++v) {
    auto const twice = to_device<Cpu>(scale(Variable<double, Cuda>(parameters[v].gradient()), 0.5).value());
    EXPECT_LE(relative_difference(twice, once[v + 1]), 1e-14);
  }
}

/// Output, log-sum and gradients of queries, keys and values in bfloat16, all in float.
template <class Number, class Device>
std::vector<Tensor<float>> narrow_results(AttentionShape const& shape, std::vector<Index> const& lengths) {
  SegmentTable table = self_attention(lengths, true);
  Index const tokens = table.queries();
  table = with_segment(table, {1, 0, 3, 0, false, 0, 0});
  CheckedSegments const segments(table);
  auto const narrow = [](Shape const& of, std::uint64_t seed) {
    return to_device<Device>(cast<Number>(numbers<float>(of, seed)));
  };
  auto const q = narrow({tokens, shape.width()}, 1), own = narrow({tokens, 2 * shape.kv_width()}, 2),
             bank = narrow({3, 2 * shape.kv_width()}, 3), dy = narrow({tokens, shape.width()}, 4);
  Index const kv = shape.kv_width(), rows[] = {tokens, 3};
  kernels::Strided<Number const, Device> const keys[] = {{own.data(), 2 * kv}, {bank.data(), 2 * kv}},
                                               values[] = {{own.data() + kv, 2 * kv}, {bank.data() + kv, 2 * kv}};
  kernels::AttentionOperands<Number, Device> const x{
      &segments.template on<Device>(), shape, {q.data(), shape.width()}, keys, values, rows, 2, {}};
  Tensor<Number, Device> output(q.shape());
  Tensor<float, Device> log_sum(Shape{tokens, shape.heads});
  using Kernel = kernels::On<Device, kernels::Attention, Number>;
  Kernel::attention(x, output.data(), log_sum.data());
  auto dq = to_device<Device>(zeros<float>(q.shape())), down = to_device<Device>(zeros<float>(own.shape())),
       dbank = to_device<Device>(zeros<float>(bank.shape()));
  kernels::Strided<float, Device> const dkeys[] = {{down.data(), 2 * kv}, {dbank.data(), 2 * kv}},
                                        dvalues[] = {{down.data() + kv, 2 * kv}, {dbank.data() + kv, 2 * kv}};
  kernels::AttentionGradients<Number, Device> gradients{{dq.data(), shape.width()}, dkeys, dvalues, nullptr};
  if constexpr (!std::is_same_v<Device, Cpu>) gradients.key_lists = &segments.template keys_on<Device>();
  Kernel::attention_backward(x, std::as_const(output).data(), std::as_const(log_sum).data(), dy.data(), gradients);
  return {cast<float>(to_device<Cpu>(output)), to_device<Cpu>(log_sum), to_device<Cpu>(dq), to_device<Cpu>(down),
          to_device<Cpu>(dbank)};
}

template <class Number>
void expect_equal_narrow() {
  if constexpr (kernels::cuda::is_listed<kernels::Attention<Cuda, Number>>) {
    for (auto const& [shape, lengths] : {std::pair{AttentionShape{4, 2, 20, 0.3}, std::vector<Index>{35, 4}},
                                         {AttentionShape{2, 1, 64, 0.12}, {103, 3, 65}},
                                         {AttentionShape{2, 2, 80, 0.1}, {40, 1}},
                                         {AttentionShape{3, 1, 131, 0.08}, {70}}}) {
      auto const expected = narrow_results<Number, Cpu>(shape, lengths),
                 got = narrow_results<Number, Cuda>(shape, lengths);
      EXPECT_LE(relative_difference(got[0], expected[0]), 1.0 / 256) << "rounded once, " << shape.head_dim;
      for (std::size_t i = 1; i < expected.size(); ++i)
        EXPECT_LE(relative_difference(got[i], expected[i]), 2e-5) << i << ", " << shape.head_dim;
    }
  } else {
    GTEST_SKIP() << "not compiled for this scalar";
  }
}

TEST_F(CudaAttentionInDouble, OfBfloat16IsSummedInFloat) { expect_equal_narrow<bfloat16>(); }

#ifdef GRAFT_CUDA_EMULATED
TEST_F(CudaAttentionInDouble, UploadsATableOnceForEachDirectionAndNeverWaits) {
  Call const call = with_bank(separate(grouped, self_attention({4, 3}, true)), 2);
  auto const table = std::make_shared<CheckedSegments const>(call.table);
  std::vector<Parameter<double, Cuda>> parameters;
  std::vector<Variable<double, Cuda>> x;
  for (std::size_t v = 0; v < call.variables.size(); ++v) {
    parameters.emplace_back(cat("variable ", v), to_device<Cuda>(numbers<double>(call.variables[v], v)));
    x.push_back(parameters.back().variable());
  }
  auto const weights = to_device<Cuda>(numbers<double>(call.variables[0], 99));
  auto const waits = emulator::synchronizations;
  auto const layer = [&] {
    auto const before = emulator::uploads_asked;
    backward(weighted_sum(run_with([&](auto const& queries, auto const& sources,
                                       auto const*) { return attention(queries, sources, table, call.shape); },
                                   call, x),
                          weights));
    return emulator::uploads_asked - before;
  };
  EXPECT_EQ(layer(), 2U);
  EXPECT_EQ(layer(), 0U);
  EXPECT_EQ(emulator::synchronizations, waits);
}
#endif

TEST(KeyWork, CutsRowsAndSegmentsIntoTiles) {
  SegmentTable table;
  table.query_offsets = {0, 33, 33, 34};
  table.segment_offsets = {0, 2, 3, 4};
  table.segments = {
      {0, 0, 70, 0, true, 0, 0}, {1, 0, 0, 0, false, 0, 0}, {0, 0, 5, 0, false, 0, 0}, {1, 4, 1, 0, false, 0, 0}};
  auto const queries = kernels::query_tiles(table);
  kernels::KeyWork const work(table);
  ASSERT_EQ(queries.size(), 3U);
  EXPECT_EQ(queries[0].first, 32);
  EXPECT_EQ(queries[1].first, 0);
  EXPECT_EQ(queries[2].row, 2);
  ASSERT_EQ(work.key_tiles.size(), 4U) << "none of an empty segment, none of a row without queries";
  EXPECT_EQ(work.key_tiles[2].first, 64);
  EXPECT_EQ(work.key_tiles[3].row, 2);
  EXPECT_EQ(work.key_tiles[3].segment, 3);
  EXPECT_TRUE(work.shared.empty()) << "a row without queries shares nothing";
}

TEST(KeyWork, FindsRunsOfSharedRows) {
  SegmentTable table;
  table.query_offsets = {0, 1, 2, 3};
  table.segment_offsets = {0, 2, 4, 6};
  table.segments = {{1, 8, 4, 0, false, 0, 0}, {0, 5, 5, 0, false, 0, 0},  {1, 0, 8, 0, false, 0, 0},
                    {0, 9, 3, 0, false, 0, 0}, {1, 11, 2, 0, false, 0, 0}, {0, 4, 2, 0, false, 0, 0}};
  kernels::KeyWork const work(table);
  ASSERT_EQ(work.shared.size(), 2U);
  auto const expect = [&](std::size_t run, Index source, Index begin, Index rows, Index before, Index first,
                          std::vector<Index> const& members) {
    auto const& shared = work.shared[run];
    EXPECT_EQ(shared.source, source);
    EXPECT_EQ(shared.begin, begin);
    EXPECT_EQ(shared.rows, rows);
    EXPECT_EQ(shared.before, before);
    EXPECT_EQ(shared.first_member, first);
    EXPECT_EQ((std::vector<Index>(work.members.begin() + first, work.members.begin() + first + shared.members)),
              members);
  };
  expect(0, 0, 4, 8, 0, 0, {1, 3, 5});
  expect(1, 1, 8, 5, 8, 3, {0, 4});
  EXPECT_EQ(work.shared_rows, 13);
  EXPECT_EQ(work.partial_row, (std::vector<Index>{10, 0, -1, 5, 14, 8}));
  EXPECT_EQ(work.partial_rows, 16);
}

}  // namespace
