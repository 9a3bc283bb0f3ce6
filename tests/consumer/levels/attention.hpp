// Two packed rows that attend to their own tokens, one after a prefix of a second source; with bias by distance.
#pragma once

#include <graft/kernels/attention.hpp>

#include "numbers.hpp"

template <class Scalar>
void attend() {
  using graft::kernels::Strided;
  using Kernel = graft::kernels::On<graft::Cpu, graft::kernels::Attention, Scalar>;
  constexpr Index first = 21, queries = 90, prefix = 10, heads = 4, kv_heads = 2, head_dim = 19;
  constexpr Index wide = heads * head_dim, narrow = kv_heads * head_dim, buckets = 5, farthest = 100;
  graft::SegmentTable table;
  table.query_offsets = {0, first, queries};
  table.segment_offsets = {0, 2, 3};
  graft::Segment own, bank, second;
  bank = {.source = 1, .length = prefix, .position = -prefix};
  own = {.length = first, .causal = true};
  second = {.begin = first, .length = queries - first, .causal = true};
  table.segments = {bank, own, second};

  auto const q = normal<Scalar>(queries * wide, 40), k = normal<Scalar>(queries * narrow, 41),
             v = normal<Scalar>(queries * narrow, 42), bank_k = normal<Scalar>(prefix * narrow, 43),
             bank_v = normal<Scalar>(prefix * narrow, 44), bias = normal<Scalar>(buckets * heads, 45),
             gradient = normal<Scalar>(queries * wide, 46);
  std::vector<int> bucket(2 * farthest + 1);
  for (std::size_t i = 0; i < bucket.size(); ++i) bucket[i] = static_cast<int>(i % buckets);
  Strided<Scalar const> const keys[] = {{k.data(), narrow}, {bank_k.data(), narrow}};
  Strided<Scalar const> const values[] = {{v.data(), narrow}, {bank_v.data(), narrow}};
  Index const rows[] = {queries, prefix};
  graft::kernels::AttentionOperands<Scalar> const x{
      .table = &table,
      .shape = {.heads = heads, .kv_heads = kv_heads, .head_dim = head_dim, .scale = 0.25},
      .queries = {q.data(), wide},
      .keys = keys,
      .values = values,
      .source_rows = rows,
      .sources = 2,
      .bias = {bias.data(), buckets, bucket.data(), -farthest}};
  std::vector<Scalar> output(q.size()), log_sum(static_cast<std::size_t>(queries * heads));
  Kernel::attention(x, output.data(), log_sum.data());
  print("attention", output);

  std::vector<Scalar> dq(q.size()), dk(k.size()), dv(v.size()), dbank_k(bank_k.size()), dbank_v(bank_v.size()),
      dbias(bias.size());
  Strided<Scalar> const dkeys[] = {{dk.data(), narrow}, {dbank_k.data(), narrow}};
  Strided<Scalar> const dvalues[] = {{dv.data(), narrow}, {dbank_v.data(), narrow}};
  Kernel::attention_backward(
      x, output.data(), log_sum.data(), gradient.data(),
      {.queries = {dq.data(), wide}, .keys = dkeys, .values = dvalues, .bias_table = dbias.data()});
  print("attention_queries", dq);
  print("attention_keys", dk);
  print("attention_bank", dbank_v);
  print("attention_bias", dbias);
}
