// What the tests of attention share: a call with its operands, and how it compares with its composition.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/ops/attention.hpp>
#include <graft/ops/composite/attention.hpp>

#include "ops/op_testing.hpp"

namespace graft::attention_calls {

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
  SegmentTable table;
  std::vector<std::size_t> constants;  ///< variables that are not trained
  int buckets = 0;                     ///< with a relative bias: its numbers are the last variable
  std::vector<int> bucket_of_distance;
  Index first_distance = 0;

  [[nodiscard]] bool trained(std::size_t variable) const {
    return std::find(constants.begin(), constants.end(), variable) == constants.end();
  }
};

/// `operation(queries, sources, bias)` of these variables.
template <class Scalar, class Device, class Operation>
Variable<Scalar, Device> run_with(Operation const& operation, Call const& call,
                                  std::vector<Variable<Scalar, Device>> const& x) {
  auto const columns = [&](Call::Part part) { return Columns<Scalar, Device>{x[part.variable], part.first}; };
  std::vector<AttentionSource<Scalar, Device>> sources;
  for (auto const& [keys, values] : call.sources) sources.push_back({columns(keys), columns(values)});
  RelativeBias<Scalar, Device> bias;
  if (call.buckets > 0) bias = {x.back(), call.bucket_of_distance, call.first_distance};
  return operation(columns(call.queries), sources, call.buckets > 0 ? &bias : nullptr);
}
template <class Scalar, class Device>
Variable<Scalar, Device> run(Call const& call, std::vector<Variable<Scalar, Device>> const& x) {
  auto const table = std::make_shared<CheckedSegments const>(call.table);
  auto const operation = [&](auto const& queries, auto const& sources, auto const* bias) {
    return attention(queries, sources, table, call.shape, bias);
  };
  return run_with(operation, call, x);
}
/// The definition.
inline Variable<double> composition(Call const& call, std::vector<Variable<double>> const& x) {
  auto const definition = [&](auto const& queries, auto const& sources, auto const* bias) {
    return composite::attention(queries, sources, call.table, call.shape, bias);
  };
  return run_with(definition, call, x);
}

inline std::vector<Parameter<double>> leaves(Call const& call) {
  std::vector<Parameter<double>> result;
  for (std::size_t v = 0; v < call.variables.size(); ++v)
    result.push_back(leaf(cat("variable ", v), call.variables[v], 100 + v));
  return result;
}

/// Values and gradients against the composition's; recorded gradients also against central differences; no gradient for
/// constants.
inline void expect_right(Call const& call) {
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
inline void expect_same_bits(Call const& call, double tolerance = 2e-5) {
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
inline SegmentTable self_attention(std::vector<Index> const& lengths, bool causal, int source = 0) {
  SegmentTable table;
  for (Index const length : lengths) {
    table.segments.push_back({source, table.queries(), length, 0, causal, 0, 0});
    table.segment_offsets.push_back(static_cast<Index>(table.segments.size()));
    table.query_offsets.push_back(table.queries() + length);
  }
  return table;
}
/// Gives every row `segment` before its own.
inline SegmentTable with_segment(SegmentTable const& table, Segment const& segment) {
  SegmentTable result = table;
  result.segments.clear();
  for (Index row = 0; row < table.rows(); ++row) {
    result.segments.push_back(segment);
    for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s)
      result.segments.push_back(table.segment(s));
    result.segment_offsets[static_cast<std::size_t>(row) + 1] = static_cast<Index>(result.segments.size());
  }
  return result;
}
/// Separate variables for queries, keys and values of self-attention.
inline Call separate(AttentionShape const& shape, SegmentTable const& table) {
  Index const tokens = table.queries();
  Shape const queries{tokens, shape.width()}, keys{tokens, shape.kv_width()};
  return {shape, {queries, keys, keys}, {0, 0}, {{{1, 0}, {2, 0}}}, table, {}, 0, {}, 0};
}
/// Adds a bank of `length` rows holding keys at column 1 and values after them, and a segment of it to every row.
inline Call with_bank(Call call, Index length, Index first_query = 0) {
  std::size_t const bank = call.variables.size();
  call.variables.push_back({length, 2 * call.shape.kv_width() + 3});
  call.sources.push_back({{bank, 1}, {bank, call.shape.kv_width() + 2}});
  call.table =
      with_segment(call.table, {static_cast<int>(call.sources.size()) - 1, 0, length, first_query, false, 0, -length});
  return call;
}

inline Call with_relative_bias(Call call) {
  call.buckets = 5;
  call.first_distance = -80;
  for (int distance = -80; distance <= 80; ++distance)
    call.bucket_of_distance.push_back(distance < -6 ? 0 : distance < -1 ? 1 : distance < 1 ? 2 : distance < 4 ? 3 : 4);
  call.variables.push_back({call.buckets, call.shape.heads});
  return call;
}

inline AttentionShape const one_head{1, 1, 4, 0.5}, grouped{4, 2, 5, 0.45}, real{6, 2, 16, 0.25};

}  // namespace graft::attention_calls
