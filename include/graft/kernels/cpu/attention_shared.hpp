/// @file
/// @brief Where rows put gradients of keys and values: straight into the storage that is theirs alone, into partial
/// sums for storage that several rows attend to. The partial sums are added in the order of rows, so that the result
/// does not depend on the threads.
#pragma once

#include <graft/kernels/cpu/attention_row.hpp>

namespace graft::kernels::cpu {

/// Gradients of keys and values (and of the bias table) of all rows, on the way to the operands' buffers.
template <class Scalar>
class AttentionTargets {
 public:
  enum Kind { keys, values };

  AttentionTargets(AttentionOperands<Scalar> const& x, AttentionGradients<Scalar> const& gradients)
      : x_(x), gradients_(gradients) {
    find_shared();
    Index const bias = gradients.bias_table ? x.table->rows() * x.shape.heads * x.bias.buckets : 0;
    partial_ = scratch<Scalar, 1>(size_ + bias);
    bias_ = partial_ + size_;
  }

  [[nodiscard]] bool wanted(Segment const& segment, Kind kind) const {
    return of(segment.source, kind).data != nullptr;
  }
  /// The rows of segment `s` in key/value head `head`: where that segment's row adds its part.
  [[nodiscard]] Strided<Scalar> at(Index s, Kind kind, Index head) const {
    Segment const& segment = x_.table->segment(s);
    Index const offset = offsets_[static_cast<std::size_t>(s)];
    if (offset >= 0)
      return {partial_ + offset + (kind * x_.shape.kv_heads + head) * segment.length * x_.shape.head_dim,
              x_.shape.head_dim};
    return of(segment.source, kind).from(segment.begin, head * x_.shape.head_dim);
  }
  /// Sets the partial sums of segment `s` in this head to zero.
  void start(Index s, Index head) const {
    if (offsets_[static_cast<std::size_t>(s)] < 0) return;
    for (Kind kind : {keys, values})
      std::fill_n(at(s, kind, head).data, x_.table->segment(s).length * x_.shape.head_dim, Scalar(0));
  }
  /// [buckets] the part of `row` in the bias table's gradient for query head `head`.
  [[nodiscard]] Scalar* bias(Index row, Index head) const {
    return bias_ + (row * x_.shape.heads + head) * x_.bias.buckets;
  }

  /// Adds the partial sums to the operands' gradients.
  void finish() const {
    parallel_for(x_.shape.kv_heads, [&](Index head) {
      for (Index s = 0; s < static_cast<Index>(offsets_.size()); ++s)
        if (offsets_[static_cast<std::size_t>(s)] >= 0)
          for (Kind kind : {keys, values})
            if (wanted(x_.table->segment(s), kind)) add_segment(s, kind, head);
    });
    if (!gradients_.bias_table) return;
    for (Index row = 0; row < x_.table->rows(); ++row)
      for (Index head = 0; head < x_.shape.heads; ++head)
        for (Index b = 0; b < x_.bias.buckets; ++b)
          gradients_.bias_table[b * x_.shape.heads + head] += bias(row, head)[b];
  }

 private:
  [[nodiscard]] Strided<Scalar> of(int source, Kind kind) const {
    return (kind == keys ? gradients_.keys : gradients_.values)[static_cast<std::size_t>(source)];
  }
  void add_segment(Index s, Kind kind, Index head) const {
    Segment const& segment = x_.table->segment(s);
    auto const from = at(s, kind, head);
    auto const to = of(segment.source, kind).from(segment.begin, head * x_.shape.head_dim);
    for (Index j = 0; j < segment.length; ++j)
      Line<Scalar>(to.row(j), x_.shape.head_dim) += Line<Scalar>(from.row(j), x_.shape.head_dim);
  }
  /// Calls f(row, s, first, last): row `row` attends, through its segment s, to entries [first, last) of the list of
  /// all sources' stored rows.
  template <class F>
  void each_wanted(F const& f) const {
    for (Index row = 0; row < x_.table->rows(); ++row)
      for (Index s = x_.table->first_segment(row); s < x_.table->first_segment(row + 1); ++s) {
        Segment const& segment = x_.table->segment(s);
        if (!wanted(segment, keys) && !wanted(segment, values)) continue;
        Index first = segment.begin;
        for (int source = 0; source < segment.source; ++source) first += x_.source_rows[source];
        f(row, s, first, first + segment.length);
      }
  }
  void find_shared() {
    constexpr Index nobody = -1, several = -2;
    Index stored = 0;
    for (Index source = 0; source < x_.sources; ++source) stored += x_.source_rows[source];
    thread_local std::vector<Index> owners;
    owners.assign(static_cast<std::size_t>(stored), nobody);
    each_wanted([&](Index row, Index, Index first, Index last) {
      for (Index i = first; i < last; ++i) {
        Index& owner = owners[static_cast<std::size_t>(i)];
        owner = owner == nobody || owner == row ? row : several;
      }
    });
    offsets_.assign(x_.table->segments.size(), -1);
    each_wanted([&](Index, Index s, Index first, Index last) {
      if (std::find(owners.begin() + first, owners.begin() + last, several) == owners.begin() + last) return;
      offsets_[static_cast<std::size_t>(s)] = size_;
      size_ += 2 * (last - first) * x_.shape.kv_width();
    });
  }

  AttentionOperands<Scalar> const& x_;
  AttentionGradients<Scalar> const& gradients_;
  std::vector<Index> offsets_;  ///< [segments] where a shared segment's partial sums start; -1: not shared
  Index size_ = 0;
  Scalar *partial_, *bias_;
};

}  // namespace graft::kernels::cpu
