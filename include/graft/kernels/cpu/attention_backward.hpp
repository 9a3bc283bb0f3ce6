/// @file
/// @brief Backward pass of attention on the host. With P = exp(scale·Q·Kᵀ + bias − log_sum), dP = dO·Vᵀ, δ = Σ dO∘O and
/// dS = P∘(dP − δ): dV = Pᵀ·dO, dQ = scale·dS·K, dK = scale·dSᵀ·Q, d bias = dS. P and dS exist for one block of queries
/// at a time.
#pragma once

#include <utility>

#include <graft/kernels/attention.hpp>
#include <graft/kernels/cpu/attention_shared.hpp>

namespace graft::kernels {

namespace cpu {

/// What all rows of a backward pass read.
template <class Scalar>
struct AttentionReverse {
  Scalar const *output, *log_sum, *output_gradient;
  AttentionGradients<Scalar> const* gradients;
  AttentionTargets<Scalar> const* targets;
};

/// The backward pass of one row and key/value head.
template <class Scalar>
class AttendRowBackward {
  using Targets = AttentionTargets<Scalar>;

 public:
  AttendRowBackward(AttentionRow<Scalar> const& row, AttentionReverse<Scalar> const& reverse)
      : row_(row), reverse_(reverse), every_block_(reverse.gradients->queries.data || reverse.gradients->bias_table) {
    Index const panel = row.head_dim() * row.columns;
    Scalar* memory = scratch<Scalar, 0>(2 * (row.score_size() + panel + row.bias_size()) + row.query_block);
    auto const part = [&memory](Index size) { return std::exchange(memory, memory + size); };
    probabilities_ = part(row.score_size());
    score_gradients_ = part(row.score_size());
    keys_ = part(panel);
    values_ = part(panel);
    bias_ = row.x.bias.table ? part(row.bias_size()) : nullptr;
    bias_gradient_ = reverse.gradients->bias_table ? part(row.bias_size()) : nullptr;
    deltas_ = memory;
  }

  void run() const {
    if (bias_) row_.expand_bias(bias_);
    if (bias_gradient_) std::fill_n(bias_gradient_, row_.bias_size(), Scalar(0));
    for (KeyBlock const& b : *row_.blocks) {
      if (!wanted(b)) continue;
      Index const at = row_.head_dim() * b.column;
      transpose_padded(row_.keys(b).data, row_.keys(b).stride, b.length, row_.head_dim(), keys_ + at, b.width);
      if (needs_scores(b))
        transpose_padded(row_.values(b).data, row_.values(b).stride, b.length, row_.head_dim(), values_ + at, b.width);
    }
    for (Index first = 0; first < row_.queries; first += row_.query_block) {
      Index const last = std::min(row_.queries, first + row_.query_block);
      for (Index g = 0; g < row_.x.shape.group(); ++g) {
        find_deltas(g, first, last);
        for (KeyBlock const& b : *row_.blocks)
          if (wanted(b)) run_block(b, g, first, last);
      }
    }
    if (bias_gradient_) fold_bias_gradient();
  }

 private:
  [[nodiscard]] bool wanted(KeyBlock const& b, typename Targets::Kind kind) const {
    return reverse_.targets->wanted(*b.segment, kind);
  }
  [[nodiscard]] bool needs_scores(KeyBlock const& b) const { return every_block_ || wanted(b, Targets::keys); }
  [[nodiscard]] bool wanted(KeyBlock const& b) const { return needs_scores(b) || wanted(b, Targets::values); }

  /// δ_i = Σ dO_i∘O_i
  void find_deltas(Index g, Index first, Index last) const {
    Index const width = row_.x.shape.width();
    auto const y = row_.of_queries(Strided<Scalar const>{reverse_.output, width}, first, row_.head(g));
    auto const dy = row_.of_queries(Strided<Scalar const>{reverse_.output_gradient, width}, first, row_.head(g));
    for (Index i = 0; i < last - first; ++i) deltas_[i] = dot(dy.row(i), y.row(i), row_.head_dim());
  }

  void run_block(KeyBlock const& b, Index g, Index first, Index last) const {
    if (b.visible(last - 1) == 0) return;
    Index const head = row_.head(g), at = row_.head_dim() * b.column, width = row_.x.shape.width();
    auto const queries = row_.of_queries(row_.x.queries, first, head);
    auto const dy = row_.of_queries(Strided<Scalar const>{reverse_.output_gradient, width}, first, head);
    auto const p = row_.scores(probabilities_, b), ds = row_.scores(score_gradients_, b);
    row_.multiply(b, queries, keys_ + at, first, last, p);
    for (Index i = first; i < last; ++i) probabilities(b, g, i, p.row(i - first));
    if (wanted(b, Targets::values)) add_transposed(b, p.constant(), dy, target(b, Targets::values), first, last);
    if (!needs_scores(b)) return;
    row_.multiply(b, dy, values_ + at, first, last, ds);
    for (Index i = first; i < last; ++i)
      score_gradient(p.row(i - first), ds.row(i - first), b.visible(i), b.width, row_.scale(), deltas_[i - first],
                     row_.bias_at(bias_gradient_, b, i, g));
    if (wanted(b, Targets::keys)) add_transposed(b, ds.constant(), queries, target(b, Targets::keys), first, last);
    if (reverse_.gradients->queries.data)
      add_to_queries(b, ds, row_.of_queries(reverse_.gradients->queries, first, head), first, last);
  }

  /// p = exp(scale·p + bias − log_sum)
  void probabilities(KeyBlock const& b, Index g, Index query, Scalar* p) const {
    auto const zero = simd::broadcast<Scalar>(Scalar(0));
    Index const seen = b.visible(query);
    scale_scores(p, seen, row_.scale(), row_.bias_at(bias_, b, query, g), zero);
    exponentiate(p, seen, b.width, reverse_.log_sum[(row_.first_query + query) * row_.x.shape.heads + row_.head(g)],
                 zero);
  }

  /// to[j] += Σ_i left[i, j] · right[i], over the queries i that see key j.
  void add_transposed(KeyBlock const& b, Strided<Scalar const> left, Strided<Scalar const> right, Strided<Scalar> to,
                      Index first, Index last) const {
    Index start = first;
    for (Index j = 0; j < b.length; j += tile_height) {
      while (start < last && b.visible(start) <= j) ++start;
      if (start == last) return;
      product<Scalar>(std::min<Index>(tile_height, b.length - j), row_.head_dim(), last - start,
                      {left.row(start - first) + j, 1, left.stride}, right.from(start - first, 0), to.from(j, 0));
    }
  }

  void add_to_queries(KeyBlock const& b, Strided<Scalar> ds, Strided<Scalar> to, Index first, Index last) const {
    auto const keys = row_.keys(b);
    for (Index i = first; i < last; i += tile_height) {
      Index const height = std::min<Index>(tile_height, last - i);
      product<Scalar>(height, row_.head_dim(), b.visible(i + height - 1), {ds.row(i - first), ds.stride, 1}, keys,
                      to.from(i - first, 0));
    }
  }

  void fold_bias_gradient() const {
    for (Index g = 0; g < row_.x.shape.group(); ++g) {
      Scalar* const to = reverse_.targets->bias(row_.row, row_.head(g));
      for (Index d = 0; d < row_.range.size(); ++d) to[row_.bucket(d)] += bias_gradient_[g * row_.range.size() + d];
    }
  }

  [[nodiscard]] Strided<Scalar> target(KeyBlock const& b, typename Targets::Kind kind) const {
    return reverse_.targets->at(b.segment - row_.table.segments.data(), kind, row_.kv_head).from(b.first, 0);
  }

  AttentionRow<Scalar> const& row_;
  AttentionReverse<Scalar> const& reverse_;
  bool every_block_;
  Scalar *probabilities_, *score_gradients_, *keys_, *values_, *bias_, *bias_gradient_, *deltas_;
};

}  // namespace cpu

template <class Device, class Scalar>
void Attention<Device, Scalar>::attention_backward(AttentionOperands<Scalar, Device> const& x, In output, SumIn log_sum,
                                                   In output_gradient,
                                                   AttentionGradients<Scalar, Device> const& gradients) {
  KernelTimer const timer("attention, reverse", [&] {  // scores again, and five products of their size
    return std::pair(2.5 * cpu::attention_operations(x), 3 * cpu::attention_bytes(x));
  });
  cpu::AttentionTargets<Scalar> const targets(x, gradients);
  cpu::AttentionReverse<Scalar> const reverse{output, log_sum, output_gradient, &gradients, &targets};
  cpu::each_attention_row(x, [&](cpu::AttentionRow<Scalar> const& row) {
    for (Index s = x.table->first_segment(row.row); s < x.table->first_segment(row.row + 1); ++s)
      targets.start(s, row.kv_head);
    if (gradients.bias_table)
      std::fill_n(targets.bias(row.row, row.head(0)), x.shape.group() * x.bias.buckets, Scalar(0));
    if (row.queries > 0) cpu::AttendRowBackward<Scalar>(row, reverse).run();
  });
  targets.finish();
}

}  // namespace graft::kernels
