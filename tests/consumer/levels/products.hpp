// Matrix products in every layout and of sizes that fill no register, and products with quantized blocks.
#pragma once

#include <graft/kernels/blocks.hpp>
#include <graft/kernels/matmul.hpp>

#include "numbers.hpp"

template <class Scalar>
void multiply() {
  using graft::kernels::Read;
  for (auto const [m, n, k] : {std::array<Index, 3>{1, 37, 29}, {13, 70, 65}, {50, 101, 200}})
    for (Read const read_a : {Read::plain, Read::transposed})
      for (Read const read_b : {Read::plain, Read::transposed}) {
        auto const a = normal<Scalar>(m * k, 1), b = normal<Scalar>(k * n, 2);
        auto c = normal<Scalar>(m * n, 3);
        graft::kernels::Matmul<graft::Cpu, Scalar>::matmul({m, n, k, a.data(), read_a == Read::plain ? k : m, read_a,
                                                            b.data(), read_b == Read::plain ? n : k, read_b, Scalar(1),
                                                            c.data(), n});
        print("matmul", c);
      }
}

template <class Scalar>
void multiply_blocks() {
  using Kernel = graft::kernels::On<graft::Cpu, graft::kernels::Blocks, Scalar>;
  constexpr Index rows = 21, columns = 512;
  for (int format = 0; format < 10; ++format) {
    graft::kernels::BlockMatrix w{
        .format = static_cast<graft::BlockFormat>(format), .data = nullptr, .rows = rows, .columns = columns};
    std::vector<std::byte> bytes(static_cast<std::size_t>(rows * w.row_bytes()));
    for (std::size_t i = 0; i < bytes.size(); ++i)  // no scale is greater than 2
      bytes[i] = static_cast<std::byte>(graft::RandomKey(9).bits(i) & 0x3f);
    w.data = bytes.data();
    std::vector<Scalar> wide(static_cast<std::size_t>(rows * columns));
    Kernel::widen_rows(w, 0, rows, wide.data());
    print("blocks_widen", wide);
    for (Index const m : {Index{2}, Index{30}}) {
      auto const x = normal<Scalar>(m * columns, 10), g = normal<Scalar>(m * rows, 11);
      std::vector<Scalar> y(static_cast<std::size_t>(m * rows)), z(x.size());
      Kernel::times_transposed(w, x.data(), m, y.data(), Scalar(0));
      Kernel::times(w, g.data(), m, z.data(), Scalar(0));
      print("blocks_times_transposed", y);
      print("blocks_times", z);
    }
  }
}
