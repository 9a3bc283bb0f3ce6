/// @file
/// @brief Attention of bfloat16 queries over bfloat16 keys and values: scores, softmax and sums are float32.
#pragma once

#include <graft/core/host_pool.hpp>
#include <graft/kernels/attention.hpp>
#include <graft/kernels/bfloat16/operands.hpp>

namespace graft::kernels {

template <>
struct Attention<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  using Wide = Attention<Cpu, float>;
  using Widened = bfloat16_operands::Widened;

  static void attention(AttentionOperands<bfloat16> const& x, bfloat16* output, float* log_sum) {
    WideOperands const operands(x);
    bfloat16_operands::Rounded const result(output, operands.outputs);
    Wide::attention(operands.wide, result, log_sum);
    result.store();
  }
  /// A query's gradients are differences from Σ_c dy_c · y_c, its share of all keys. The rounded output would move that
  /// sum alone, and with it every difference, so the output is formed again in float32.
  static void attention_backward(AttentionOperands<bfloat16> const& x, bfloat16 const*, float const* log_sum,
                                 bfloat16 const* output_gradient, AttentionGradients<bfloat16> const& gradients) {
    WideOperands const operands(x);
    bfloat16_operands::Room const output(true, operands.outputs);
    Wide::attention(operands.wide, output.data(), nullptr);
    Wide::attention_backward(operands.wide, output.data(), log_sum, Widened(output_gradient, operands.outputs),
                             {gradients.queries, gradients.keys, gradients.values, gradients.bias_table});
  }

 private:
  using Columns = bfloat16_operands::WidenedColumns;

  struct WideOperands {
    explicit WideOperands(AttentionOperands<bfloat16> const& x)
        : queries(x.queries, x.table->queries(), x.shape.width()), outputs(x.table->queries() * x.shape.width()) {
      for (Index s = 0; s < x.sources; ++s)
        for (auto const* stored : {&x.keys[s], &x.values[s]})
          sources.emplace_back(*stored, x.source_rows[s], x.shape.kv_width());
      for (Index s = 0; s < x.sources; ++s) {
        keys.push_back(sources[static_cast<std::size_t>(2 * s)].columns());
        values.push_back(sources[static_cast<std::size_t>(2 * s + 1)].columns());
      }
      wide = {x.table, x.shape, queries.columns(), keys.data(), values.data(), x.source_rows, x.sources, x.bias};
    }
    WideOperands(WideOperands const&) = delete;
    WideOperands& operator=(WideOperands const&) = delete;

    Columns queries;
    PoolVector<Columns> sources;  ///< keys and values of each in turn
    PoolVector<Strided<float const>> keys, values;
    Index outputs;
    AttentionOperands<float> wide;
  };
};

}  // namespace graft::kernels
