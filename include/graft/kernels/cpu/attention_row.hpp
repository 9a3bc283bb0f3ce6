/// @file
/// @brief What the forward and backward passes of attention share on the host: a row's keys cut into blocks, and scores
/// against them.
#pragma once

#include <vector>

#include <graft/core/profile.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/attention_operands.hpp>
#include <graft/kernels/cpu/row_products.hpp>
#include <graft/kernels/cpu/score_lines.hpp>

namespace graft::kernels::cpu {

/// Keys of a block: a block's transposed keys, its scores and its values stay in the first-level cache together.
inline constexpr Index block_keys = 64;

/// Up to `block_keys` consecutive keys of one segment.
struct KeyBlock {
  Segment const* segment;
  Index first;   ///< its first key within the segment
  Index length;  ///< its keys
  Index width;   ///< its keys in whole registers
  Index column;  ///< the widths of the row's blocks before it

  [[nodiscard]] std::size_t source() const { return static_cast<std::size_t>(segment->source); }
  [[nodiscard]] Index stored_row() const { return segment->begin + first; }
  [[nodiscard]] Index visible(Index query_index) const {
    return std::clamp<Index>(segment->visible(query_index) - first, 0, length);
  }
};

/// Aligned memory of this thread that only grows; `purpose` tells apart buffers that are in use together.
template <class Scalar, int purpose>
Scalar* scratch(Index size) {
  thread_local Eigen::Array<Scalar, Eigen::Dynamic, 1> memory;
  if (memory.size() < size) memory.resize(size);
  return memory.data();
}

/// Multiplications and additions of all scores and of the sums that they weigh.
template <class Scalar>
double attention_operations(AttentionOperands<Scalar> const& x) {
  double pairs = 0;
  SegmentTable const& table = *x.table;
  for (Index r = 0; r < table.rows(); ++r)
    for (Index s = table.first_segment(r); s < table.first_segment(r + 1); ++s)
      for (Index q = 0; q < table.first_query(r + 1) - table.first_query(r); ++q)
        pairs += static_cast<double>(table.segment(s).visible(q));
  return 4 * pairs * static_cast<double>(x.shape.width());
}
/// What queries, keys and values take.
template <class Scalar>
double attention_bytes(AttentionOperands<Scalar> const& x) {
  double rows = static_cast<double>(x.table->queries()) * static_cast<double>(x.shape.width());
  for (Index s = 0; s < x.sources; ++s)
    rows += 2 * static_cast<double>(x.source_rows[s]) * static_cast<double>(x.shape.kv_width());
  return rows * static_cast<double>(sizeof(Scalar));
}

template <class Scalar>
using Line = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
template <class Scalar>
using ConstLine = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1> const>;
template <class Scalar>
Scalar dot(Scalar const* a, Scalar const* b, Index size) {
  return (ConstLine<Scalar>(a, size) * ConstLine<Scalar>(b, size)).sum();
}

/// The unit of parallel work: the queries of one row in the heads that share one key/value head. Nothing in it depends
/// on other rows.
template <class Scalar>
class AttentionRow {
 public:
  AttentionRow(AttentionOperands<Scalar> const& operands, Index r, Index kv)
      : x(operands),
        table(*x.table),
        row(r),
        kv_head(kv),
        first_query(table.first_query(r)),
        queries(table.first_query(r + 1) - first_query) {
    thread_local std::vector<KeyBlock> reused;
    reused.clear();
    for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s) {
      Segment const& segment = table.segment(s);
      for (Index first = 0; first < segment.length; first += block_keys) {
        Index const length = std::min(block_keys, segment.length - first), width = padded<Scalar>(length);
        reused.push_back({&segment, first, length, width, columns});
        columns += width;
      }
    }
    blocks = &reused;
    query_block = std::min<Index>(columns <= 4096 ? 48 : 12, queries);
    if (x.bias.table) range = distances(table, row);
  }

  AttentionOperands<Scalar> const& x;
  SegmentTable const& table;
  Index row, kv_head, first_query, queries;
  std::vector<KeyBlock> const* blocks;  ///< of this thread, until the next row
  Index columns = 0;                    ///< of a row of scores
  Index query_block;                    ///< queries whose scores are held at a time
  DistanceRange range;                  ///< for the relative bias

  [[nodiscard]] Index head_dim() const { return x.shape.head_dim; }
  [[nodiscard]] Index head(Index in_group) const { return kv_head * x.shape.group() + in_group; }
  [[nodiscard]] Strided<Scalar const> keys(KeyBlock const& b) const {
    return x.keys[b.source()].from(b.stored_row(), kv_head * head_dim());
  }
  [[nodiscard]] Strided<Scalar const> values(KeyBlock const& b) const {
    return x.values[b.source()].from(b.stored_row(), kv_head * head_dim());
  }
  /// The columns of `query_head` of a matrix of packed queries, from this row's `query` on.
  template <class S>
  [[nodiscard]] Strided<S> of_queries(Strided<S> matrix, Index query, Index query_head) const {
    return matrix.from(first_query + query, query_head * head_dim());
  }
  /// Elements of the scores of a block of queries; the scores against one block of keys lie together.
  [[nodiscard]] Index score_size() const { return query_block * columns; }
  [[nodiscard]] Strided<Scalar> scores(Scalar* memory, KeyBlock const& b) const {
    return {memory + query_block * b.column, b.width};
  }

  /// scores[i, j] = left_i · right_j for queries [first, last) and the visible keys j of `b`; `transposed` is right's
  /// [head_dim, width].
  void multiply(KeyBlock const& b, Strided<Scalar const> left, Scalar const* transposed, Index first, Index last,
                Strided<Scalar> to) const {
    for (Index i = first; i < last; i += tile_height) {
      Index const height = std::min<Index>(tile_height, last - i), seen = b.visible(i + height - 1);
      if (seen > 0)
        product<Scalar>(height, padded<Scalar>(seen), head_dim(), {left.row(i - first), left.stride, 1},
                        {transposed, b.width}, to.from(i - first, 0), false);
    }
  }
  /// Elements of `expand_bias`: the last head's are followed by zeros, because bias is read in whole registers.
  [[nodiscard]] Index bias_size() const { return padded<Scalar>(x.shape.group() * range.size() + simd::size<Scalar>); }
  /// to[g, d] = the bias of the group's head g at distance range.low + d: a row of scores then takes consecutive
  /// elements.
  void expand_bias(Scalar* to) const {
    std::fill_n(to, bias_size(), Scalar(0));
    for (Index g = 0; g < x.shape.group() && range.size() > 0; ++g)
      for (Index d = 0; d < range.size(); ++d) *to++ = x.bias.table[bucket(d) * x.shape.heads + head(g)];
  }
  [[nodiscard]] Index bucket(Index d) const { return x.bias.bucket_of_distance[range.low + d - x.bias.first_distance]; }
  /// Where the bias (or its gradient) for `query` and the keys of `b` starts in `expanded`; null stays null.
  [[nodiscard]] Scalar* bias_at(Scalar* expanded, KeyBlock const& b, Index query, Index in_group) const {
    if (!expanded) return nullptr;
    return expanded + in_group * range.size() + b.segment->position + b.first - table.query_position(row, query) -
           range.low;
  }
  [[nodiscard]] Scalar scale() const { return static_cast<Scalar>(x.shape.scale); }
};

/// Runs `f(row)` for every row and key/value head; a thread takes several where they are small.
template <class Scalar, class F>
void each_attention_row(AttentionOperands<Scalar> const& x, F const& f) {
  SegmentTable const& table = *x.table;
  Index work = 0;
  for (Index r = 0; r < table.rows(); ++r)
    for (Index s = table.first_segment(r); s < table.first_segment(r + 1); ++s)
      work += (table.first_query(r + 1) - table.first_query(r)) * table.segment(s).length * x.shape.group() *
              x.shape.head_dim;
  Index const tasks = table.rows() * x.shape.kv_heads;
  Index const grain = std::max<Index>(1, 65536 * table.rows() / std::max<Index>(1, work));
  parallel_chunks(tasks, grain, [&](Index first, Index last) {
    for (Index t = first; t < last; ++t) f(AttentionRow<Scalar>(x, t / x.shape.kv_heads, t % x.shape.kv_heads));
  });
}

}  // namespace graft::kernels::cpu
