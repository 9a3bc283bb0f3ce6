// Blocks of every format with the numbers that ggml's own code makes of them, and matrices of such blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/io/gguf_types.hpp>
#include <graft/kernels/blocks.hpp>

namespace graft::block_samples {

struct Golden {
  std::uint32_t type;
  char const* blocks;
  char const* values;
};
inline Golden const goldens[] = {
#include "weights/block_goldens.inc"
};

inline std::vector<std::byte> from_hex(std::string const& text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// A matrix whose rows repeat a format's golden blocks, each row beginning with another one, and its bytes.
struct Sample {
  std::shared_ptr<std::vector<std::byte>> bytes = std::make_shared<std::vector<std::byte>>();
  kernels::BlockMatrix matrix{};
};
inline Sample sample(Golden const& golden, Index rows, Index blocks_in_row, Index head_rows = 0) {
  Sample made;
  auto const format = *block_format(static_cast<GgmlType>(golden.type));
  auto const two = from_hex(golden.blocks);
  auto const size = static_cast<std::size_t>(block_bytes(format));
  for (Index i = 0; i < rows * blocks_in_row; ++i) {
    bool const second = (i * i + i / 3) % 2 == 1;
    made.bytes->insert(made.bytes->end(), two.begin() + (second ? static_cast<std::ptrdiff_t>(size) : 0),
                       two.begin() + static_cast<std::ptrdiff_t>(second ? 2 * size : size));
    made.bytes->at(made.bytes->size() - size / 2) = static_cast<std::byte>(37 * i);  // rows differ
  }
  made.matrix = {format, made.bytes->data(), rows, blocks_in_row * block_values(format), head_rows};
  return made;
}

/// A matrix whose blocks are any bytes, but for their halves, which are finite, `offset` bytes into its memory.
inline Sample random_sample(BlockFormat format, Index rows, Index blocks_in_row, Index head_rows, std::size_t offset) {
  std::vector<std::size_t> halves;
  switch (format) {
    case BlockFormat::q2_k: halves = {80, 82}; break;
    case BlockFormat::q3_k: halves = {108}; break;
    case BlockFormat::q6_k: halves = {208}; break;
    case BlockFormat::q4_0:
    case BlockFormat::q5_0:
    case BlockFormat::q8_0: halves = {0}; break;
    default: halves = {0, 2};
  }
  Sample made;
  auto const size = static_cast<std::size_t>(block_bytes(format));
  made.bytes->resize(offset + static_cast<std::size_t>(rows * blocks_in_row) * size);
  for (std::size_t i = 0; i < made.bytes->size(); ++i) made.bytes->at(i) = static_cast<std::byte>(RandomKey(5).bits(i));
  for (std::size_t block = offset; block < made.bytes->size(); block += size)
    for (std::size_t const at : halves) made.bytes->at(block + at + 1) &= std::byte{0xbf};
  made.matrix = {format, made.bytes->data() + offset, rows, blocks_in_row * block_values(format), head_rows};
  return made;
}

}  // namespace graft::block_samples
