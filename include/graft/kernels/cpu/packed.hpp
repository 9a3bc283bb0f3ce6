/// @file
/// @brief Products with packed matrices on the host. x·Wᵀ reads W's panels as the blocked product reads those that it
/// packs itself. g·W is computed as (Wᵀ·gᵀ)ᵀ, so that the same panels serve: strips of Wᵀ are a few of their lines, and
/// gᵀ, which is small beside W, is packed.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include <graft/core/host_pool.hpp>
#include <graft/core/profile.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cpu/packed_matmul.hpp>
#include <graft/kernels/cpu/row_products.hpp>
#include <graft/kernels/packed.hpp>

namespace graft::kernels {

namespace cpu {

template <class Stored>
void pack_weights(Stored const* from, MatrixSteps steps, PackedMatrix const& w, Stored* to) {
  KernelTimer const timer("packing", 0, 2.0 * sizeof(Stored) * static_cast<double>(w.out * w.in));
  constexpr Index some = 64;  // of a panel's lines, which stay in the first-level cache
  parallel_for(w.panels(), [&](Index p) {
    Index const first = p * w.panel, valid = std::min(w.panel, w.out - first);
    Stored const* const source = from + first * steps.row;
    Stored* const panel = to + p * w.panel * w.in;
    for (Index t = 0; t < w.in; t += some) {
      Index const last = std::min(w.in, t + some);
      if (valid < w.panel) std::fill(panel + t * w.panel, panel + last * w.panel, Stored(0.F));
      if (steps.row == 1) {
        for (Index u = t; u < last; ++u) std::copy_n(source + u * steps.element, valid, panel + u * w.panel);
      } else {
        for (Index c = 0; c < valid; ++c)
          for (Index u = t; u < last; ++u) panel[u * w.panel + c] = source[c * steps.row + u * steps.element];
      }
    }
  });
}

/// With so few rows each number of W is used once or twice, so that memory decides: it serves several streams faster
/// than one. So many panels are read at a time, and each is fetched so many of its lines ahead.
inline constexpr Index rows_of_streams = 2, streams = 3, ahead_of_streams = 32;

/// C[rows, streams · width] = β·C + A·B with B in `streams` whole panels that lie `stride` numbers apart, summed as
/// `multiply_tile` does.
template <Index rows, class Scalar, class Stored>
[[gnu::noinline]] void multiply_streams(Index k, Strip<Scalar> a, Stored const* panel, Index stride, Scalar beta,
                                        Scalar* c, Index ldc) {
  using Register = simd::Register<Scalar>;
  constexpr Index lanes = Tile<Scalar>::lanes, wide = Tile<Scalar>::columns;
  constexpr int registers = 2 * static_cast<int>(streams);
  Register sums[std::size_t{rows}][std::size_t{registers}];
  unrolled<static_cast<int>(rows)>([&](auto r) __attribute__((always_inline)) {
    unrolled<registers>([&](auto p) __attribute__((always_inline)) { sums[r][p] = simd::broadcast(Scalar(0)); });
  });
  for (Index t = 0; t < k; ++t, panel += wide) {
    unrolled<static_cast<int>(streams)>(
        [&](auto s) __attribute__((always_inline)) { prefetch(panel + s * stride + ahead_of_streams * wide, wide); });
    Register left[std::size_t{rows}];
    unrolled<static_cast<int>(rows)>(
        [&](auto r) __attribute__((always_inline)) { left[r] = simd::broadcast(a.data[r * a.row + t * a.step]); });
    unrolled<registers>([&](auto p) __attribute__((always_inline)) {
      auto const right = simd::load_wide<Scalar>(panel + p / 2 * stride + p % 2 * lanes);
      unrolled<static_cast<int>(rows)>(
          [&](auto r) __attribute__((always_inline)) { sums[r][p] = simd::pmadd(left[r], right, sums[r][p]); });
    });
  }
  for (std::size_t r = 0; r < std::size_t{rows}; ++r, c += ldc)
    for (std::size_t p = 0; p < std::size_t{registers}; ++p) {
      Scalar* const at = c + static_cast<Index>(p) * lanes;
      simd::store(at, beta == Scalar(0) ? sums[r][p] : simd::pmadd(simd::broadcast(beta), simd::load(at), sums[r][p]));
    }
}

/// Rows of x that pass a panel together: what they have of a block's inputs stays in the second-level cache. From
/// `strips_worth_widening` strips on, a block's bfloat16 or half numbers are widened once for all, else by every strip.
inline constexpr Index most_rows = 192, strips_worth_widening = 3;

/// y's rows [i, i + rows) = β·y + x·Wᵀ at the columns of the panel that begins at j, on this thread, in blocks of
/// `deepest` inputs. All strips multiply a block before the next one. Meanwhile each fetches its share of that: memory
/// is read in order while the processor multiplies.
template <class Scalar, class Stored>
void packed_panel(PackedMatrix const& w, Product<Scalar> const& p, Index i, Index rows, Index j, Index columns,
                  Index deepest) {
  thread_local Buffer<Scalar> buffer;
  constexpr Index high = Tile<Scalar>::height, lanes = Tile<Scalar>::lanes, wide = Tile<Scalar>::columns;
  Index const strips = (rows + high - 1) / high, even = (rows + strips - 1) / strips,
              width = columns <= lanes ? lanes : wide;
  for (Index t = 0; t < p.k; t += deepest) {
    Index const depth = std::min(deepest, p.k - t);
    auto const* const numbers = static_cast<Stored const*>(w.data) + j * w.in + t * wide;
    NextBlock next;
    if (rows > few_rows)
      next = {reinterpret_cast<char const*>(numbers + depth * wide), Index{sizeof(Stored)} * wide / strips};
    auto const multiply = [&](auto const& panel) {
      for (Index r = 0; r < rows; r += even) {
        Strip<Scalar> const a{p.a + (i + r) * p.lda + t, std::min(even, rows - r), p.lda, 1};
        multiply_strip<high>(depth, a, panel, t == 0 ? p.beta : Scalar(1), p.c + (i + r) * p.ldc + j, p.ldc, next);
        if (next.from) next.from += depth * next.step;
      }
    };
    if constexpr (!std::is_same_v<Scalar, Stored>)
      if (strips >= strips_worth_widening) {
        make_room(buffer, depth * wide);
        for (Index u = 0; u < depth * wide; u += lanes)
          simd::store(buffer.data() + u, simd::load_wide<Scalar>(numbers + u));
        multiply(Panel<Scalar>{buffer.data(), wide, width, columns});
        continue;
      }
    multiply(Panel<Scalar, Stored>{numbers, wide, width, columns});
  }
}

/// The tile of y = β·y + x·Wᵀ at (i, j) of `rows` × `columns`, on this thread.
template <class Scalar, class Stored>
void packed_weights_task(PackedMatrix const& w, Product<Scalar> const& p, Index i, Index rows, Index j, Index columns,
                         Index deepest) {
  constexpr Index wide = Tile<Scalar>::columns;
  Index c = 0;
  if (rows <= rows_of_streams)
    for (; c + streams * wide <= columns; c += streams * wide)
      for (Index t = 0; t < p.k; t += deepest) {
        Strip<Scalar> const a{p.a + i * p.lda + t, rows, p.lda, 1};
        auto const* const panel = static_cast<Stored const*>(w.data) + (j + c) * w.in + t * wide;
        Index const depth = std::min(deepest, p.k - t);
        Scalar const beta = t == 0 ? p.beta : Scalar(1);
        Scalar* const to = p.c + i * p.ldc + j + c;
        rows == 1 ? multiply_streams<1>(depth, a, panel, wide * w.in, beta, to, p.ldc)
                  : multiply_streams<2>(depth, a, panel, wide * w.in, beta, to, p.ldc);
      }
  Index const parts = (rows + most_rows - 1) / most_rows, some = share(rows, parts, Tile<Scalar>::height);
  for (Index r = 0; r < rows; r += some)
    for (Index d = c; d < columns; d += wide)
      packed_panel<Scalar, Stored>(w, p, i + r, std::min(some, rows - r), j + d, std::min(wide, columns - d), deepest);
}

template <class Scalar, class Stored>
void times_packed_transposed(PackedMatrix const& w, Scalar const* x, Index rows, Scalar* y, Scalar beta) {
  Product<Scalar> const p{rows, w.out, w.in, x, w.in, Read::plain, nullptr, 0, Read::transposed, beta, y, w.out};
  if (rows == 0 || w.out == 0) return;
  KernelTimer const timer("packed product", product_operations(p.m, p.n, p.k),
                          product_bytes<Scalar, Stored>(p.m, p.n, p.k));
  if (w.in == 0) return packed_matmul(p);
  PackedBlocks<Scalar> cut(p.m, p.n, p.k);
  // a task of so few rows has as many panels as are read at a time
  if (p.m <= rows_of_streams) cut.cut_columns(p.n, streams * Tile<Scalar>::columns);
  parallel_for(cut.down * cut.across, [&](Index task) {
    Index const i = task % cut.down * cut.rows, j = task / cut.down * cut.columns;
    packed_weights_task<Scalar, Stored>(w, p, i, std::min(cut.rows, p.m - i), j, std::min(cut.columns, p.n - j),
                                        cut.depth);
  });
}

/// W's inputs [i, i + rows) along outputs [t, t + depth), t a panel's first, as a strip of Wᵀ in `buffer`.
template <class Scalar, class Stored>
Strip<Scalar> strip_of_weights(PackedMatrix const& w, Index i, Index rows, Index t, Index depth, Scalar* buffer) {
  constexpr Index wide = Tile<Scalar>::columns, lanes = Tile<Scalar>::lanes;
  Index const room = (depth + wide - 1) / wide * wide;
  for (Index u = 0; u < depth; u += wide) {
    Stored const* const lines = static_cast<Stored const*>(w.data) + (t + u) * w.in + i * wide;
    for (Index r = 0; r < rows; ++r)
      for (Index c = 0; c < wide; c += lanes)
        simd::store(buffer + r * room + u + c, simd::load_wide<Scalar>(lines + r * wide + c));
  }
  return {buffer, rows, room, 1};
}

/// to[r, c] = β·to[r, c] + from[c, r] for r < rows, c < columns; from's rows are `stride` long.
template <class Scalar>
void add_turned(Scalar const* from, Index stride, Index rows, Index columns, Scalar beta, Scalar* to, Index ld) {
  constexpr Index lanes = Tile<Scalar>::lanes;
  for (Index r = 0; r < rows; r += lanes) {
    Index c = 0;
    if (r + lanes <= rows)
      for (; c + lanes <= columns; c += lanes) {
        simd::Square<Scalar> block;
        for (Index k = 0; k < lanes; ++k) block.packet[k] = simd::load(from + (c + k) * stride + r);
        simd::transpose(block);
        for (Index k = 0; k < lanes; ++k) {
          Scalar* const out = to + (r + k) * ld + c;
          simd::store(out, beta == Scalar(0) ? block.packet[k]
                                             : simd::pmadd(simd::broadcast(beta), simd::load(out), block.packet[k]));
        }
      }
    for (; c < columns; ++c)
      for (Index k = r; k < std::min(rows, r + lanes); ++k) {
        Scalar& out = to[k * ld + c];
        Scalar const sum = from[c * stride + k];
        out = beta == Scalar(0) ? sum : beta * out + sum;
      }
  }
}

/// How g·W is cut, by its sizes alone: tasks of `inputs` of W by `rows` of g, along the outputs in blocks of `depth`.
template <class Scalar>
struct TurnedBlocks {
  Index inputs, rows, depth, across, down;

  TurnedBlocks(Index m, Index in, Index out) {
    constexpr Index high = Tile<Scalar>::height, wide = Tile<Scalar>::columns;
    inputs = std::min(8 * high, share(in, 1, high));
    across = (in + inputs - 1) / inputs;
    down = std::max<Index>(std::clamp<Index>(m / (4 * wide), 1, (12 + across - 1) / across), (m + 511) / 512);
    rows = share(m, down, wide);
    down = (m + rows - 1) / rows;
    constexpr Index deepest = PackedBlocks<Scalar>::panel / wide;
    depth = share(out, (out + deepest - 1) / deepest, wide);
  }
};

template <class Scalar, class Stored>
void times_packed(PackedMatrix const& w, Scalar const* g, Index rows, Scalar* y, Scalar beta) {
  constexpr Index high = Tile<Scalar>::height, wide = Tile<Scalar>::columns, lanes = Tile<Scalar>::lanes;
  Product<Scalar> const p{rows, w.in, w.out, g, w.out, Read::plain, nullptr, 0, Read::plain, beta, y, w.in};
  if (rows == 0 || w.in == 0) return;
  KernelTimer const timer("packed product, reverse", product_operations(p.m, p.n, p.k),
                          product_bytes<Scalar, Stored>(p.m, p.n, p.k));
  if (w.out == 0) return packed_matmul(p);
  TurnedBlocks<Scalar> const cut(rows, w.in, w.out);
  // gᵀ, [out, rows], in panels of `wide` rows
  auto const room =
      HostPool::global().allocate(static_cast<std::size_t>((rows + wide - 1) / wide * wide * w.out) * sizeof(Scalar));
  auto* const turned = static_cast<Scalar*>(room.get());
  Product<Scalar> const of_g{0,         rows,    w.out, nullptr, 0, Read::plain, g, w.out, Read::transposed,
                             Scalar(0), nullptr, 0};
  auto const width_of = [&](Index m) { return std::min(rows - m, wide) <= lanes ? lanes : wide; };
  parallel_for((rows + wide - 1) / wide, [&](Index task) {
    Index const m = task * wide;
    pack_transposed(of_g, 0, w.out, m, std::min(wide, rows - m), width_of(m), turned + m * w.out);
  });
  parallel_for(cut.across * cut.down, [&](Index task) {
    thread_local Buffer<Scalar> sums, strips;
    Index const first_input = task / cut.down * cut.inputs, inputs = std::min(cut.inputs, w.in - first_input),
                first_row = task % cut.down * cut.rows, some = std::min(cut.rows, rows - first_row),
                stride = (some + wide - 1) / wide * wide;
    make_room(sums, cut.inputs * stride);
    make_room(strips, high * cut.depth);
    for (Index t = 0; t < w.out; t += cut.depth) {
      Index const depth = std::min(cut.depth, w.out - t);
      for (Index i = 0; i < inputs; i += high) {
        auto const strip =
            strip_of_weights<Scalar, Stored>(w, first_input + i, std::min(high, inputs - i), t, depth, strips.data());
        for (Index m = 0; m < some; m += wide) {
          Index const row = first_row + m, width = width_of(row);
          multiply_strip<high>(depth, strip, Panel<Scalar>{turned + row * w.out + t * width, width, width, width},
                               t == 0 ? Scalar(0) : Scalar(1), sums.data() + i * stride + m, stride);
        }
      }
    }
    add_turned(sums.data(), stride, some, inputs, beta, y + first_row * w.in + first_input, w.in);
  });
}

template <class Scalar, class F>
void with_packed_numbers(PackedMatrix const& w, F const& f) {
  if constexpr (std::is_same_v<Scalar, float>) switch (w.dtype) {
      case Dtype::bf16: return f(bfloat16{});
      case Dtype::f16: return f(half{});
      default: break;
    }
  f(Scalar{});
}

}  // namespace cpu

template <class Device, class Scalar>
Index Packed<Device, Scalar>::panel_width() {
  return cpu::Tile<Scalar>::columns;
}
template <class Device, class Scalar>
void Packed<Device, Scalar>::pack(Scalar const* from, MatrixSteps steps, PackedMatrix const& w, Scalar* to) {
  cpu::pack_weights(from, steps, w, to);
}
template <class Device, class Scalar>
void Packed<Device, Scalar>::pack(bfloat16 const* from, MatrixSteps steps, PackedMatrix const& w, bfloat16* to) {
  cpu::pack_weights(from, steps, w, to);
}
template <class Device, class Scalar>
void Packed<Device, Scalar>::pack(half const* from, MatrixSteps steps, PackedMatrix const& w, half* to) {
  cpu::pack_weights(from, steps, w, to);
}
template <class Device, class Scalar>
void Packed<Device, Scalar>::times_transposed(PackedMatrix const& w, Scalar const* x, Index rows, Scalar* y,
                                              Scalar beta) {
  cpu::with_packed_numbers<Scalar>(
      w, [&](auto number) { cpu::times_packed_transposed<Scalar, decltype(number)>(w, x, rows, y, beta); });
}
template <class Device, class Scalar>
void Packed<Device, Scalar>::times(PackedMatrix const& w, Scalar const* g, Index rows, Scalar* y, Scalar beta) {
  cpu::with_packed_numbers<Scalar>(
      w, [&](auto number) { cpu::times_packed<Scalar, decltype(number)>(w, g, rows, y, beta); });
}

}  // namespace graft::kernels
