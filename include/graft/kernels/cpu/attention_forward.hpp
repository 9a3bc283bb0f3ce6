/// @file
/// @brief Forward pass of attention on the host: blocks of queries against blocks of keys, one softmax a query over all
/// its segments.
#pragma once

#include <cmath>
#include <limits>

#include <graft/kernels/attention.hpp>
#include <graft/kernels/cpu/attention_row.hpp>

namespace graft::kernels {

namespace cpu {

/// Up to so many queries of a head group (generation's one token a row), dot products with the stored keys are cheaper
/// than transposing them.
inline constexpr Index few_queries = 3;

/// The forward pass of one row and key/value head.
template <class Scalar>
class AttendRow {
 public:
  AttendRow(AttentionRow<Scalar> const& row, Scalar* output, Scalar* log_sum)
      : row_(row),
        output_{output, row.x.shape.width()},
        log_sum_(log_sum),
        few_(row.queries * row.x.shape.group() <= few_queries) {
    Index const transposed = few_ ? 0 : row.head_dim() * row.columns;
    Scalar* memory = scratch<Scalar, 0>(row.score_size() + transposed + row.bias_size());
    scores_ = memory;
    transposed_ = memory + row.score_size();
    bias_ = row.x.bias.table ? transposed_ + transposed : nullptr;
  }

  void run() const {
    if (bias_) row_.expand_bias(bias_);
    if (!few_)
      for (KeyBlock const& b : *row_.blocks) {
        auto const keys = row_.keys(b);
        transpose_padded(keys.data, keys.stride, b.length, row_.head_dim(), transposed_ + row_.head_dim() * b.column,
                         b.width);
      }
    for (Index first = 0; first < row_.queries; first += row_.query_block) {
      Index const last = std::min(row_.queries, first + row_.query_block);
      for (Index g = 0; g < row_.x.shape.group(); ++g) {
        score(g, first, last);
        attend(g, first, last);
      }
    }
  }

 private:
  /// Q·Kᵀ for queries [first, last).
  void score(Index g, Index first, Index last) const {
    auto const queries = row_.of_queries(row_.x.queries, first, row_.head(g));
    for (KeyBlock const& b : *row_.blocks) {
      auto const to = row_.scores(scores_, b);
      if (!few_) {
        row_.multiply(b, queries, transposed_ + row_.head_dim() * b.column, first, last, to);
        continue;
      }
      auto const keys = row_.keys(b);
      for (Index i = first; i < last; ++i) {
        Index const seen = b.visible(i);
        std::fill(to.row(i - first), to.row(i - first) + b.width, Scalar(0));
        for (Index j = 0; j < seen; ++j)
          to.row(i - first)[j] = dot(queries.row(i - first), keys.row(j), row_.head_dim());
      }
    }
  }

  /// exp(score − greatest score) in place; returns the sum over the query's segments, and keeps the log-sum-exp.
  Scalar softmax(Index g, Index first, Index query, Index last_query) const {
    auto greatest = simd::broadcast<Scalar>(-std::numeric_limits<Scalar>::infinity());
    for (KeyBlock const& b : *row_.blocks)
      greatest = scale_scores(row_.scores(scores_, b).row(query - first), b.visible(query), row_.scale(),
                              row_.bias_at(bias_, b, query, g), greatest);
    Scalar const shift = simd::predux_max(greatest);
    auto sums = simd::broadcast<Scalar>(Scalar(0));
    for (KeyBlock const& b : *row_.blocks)
      sums = exponentiate(row_.scores(scores_, b).row(query - first), b.visible(query),
                          padded<Scalar>(b.visible(last_query)), shift, sums);
    Scalar const sum = simd::predux(sums);
    if (log_sum_) log_sum_[(row_.first_query + query) * row_.x.shape.heads + row_.head(g)] = shift + std::log(sum);
    return sum;
  }

  /// softmax(scores)·V for queries [first, last).
  void attend(Index g, Index first, Index last) const {
    Index const width = row_.head_dim();
    auto const output = row_.of_queries(output_, first, row_.head(g));
    for (Index i = first; i < last; i += tile_height) {
      Index const height = std::min<Index>(tile_height, last - i), last_query = i + height - 1;
      Scalar sums[tile_height];
      for (Index r = 0; r < height; ++r) sums[r] = softmax(g, first, i + r, last_query);
      bool add = false;
      for (KeyBlock const& b : *row_.blocks) {
        Index const seen = b.visible(last_query);
        if (seen == 0) continue;
        auto const scores = row_.scores(scores_, b);
        product<Scalar>(height, width, seen, {scores.row(i - first), scores.stride, 1}, row_.values(b),
                        output.from(i - first, 0), add);
        add = true;
      }
      for (Index r = 0; r < height; ++r) Line<Scalar>(output.row(i - first + r), width) *= Scalar(1) / sums[r];
    }
  }

  AttentionRow<Scalar> const& row_;
  Strided<Scalar> output_;
  Scalar* log_sum_;
  bool few_;
  Scalar *scores_, *transposed_, *bias_;
};

}  // namespace cpu

template <class Device, class Scalar>
void Attention<Device, Scalar>::attention(AttentionOperands<Scalar, Device> const& x, Out output, SumOut log_sum) {
  KernelTimer const timer("attention",
                          [&] { return std::pair(cpu::attention_operations(x), cpu::attention_bytes(x)); });
  cpu::each_attention_row(x, [&](cpu::AttentionRow<Scalar> const& row) {
    if (row.queries > 0) cpu::AttendRow<Scalar>(row, output, log_sum).run();
  });
}

}  // namespace graft::kernels
