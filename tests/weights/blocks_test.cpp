#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/io/gguf_dequantize.hpp>
#include <graft/models/weights_hash.hpp>
#include <graft/weights/blocks.hpp>

#include "weights/block_samples.hpp"

namespace {

using namespace graft;
using namespace graft::block_samples;

TEST(Blocks, WidenAsTheReferenceDoes) {
  ASSERT_EQ(std::size(goldens), 10U);
  for (auto const& golden : goldens) {
    auto const format = *block_format(static_cast<GgmlType>(golden.type));
    auto const blocks = from_hex(golden.blocks), expected = from_hex(golden.values);
    ASSERT_EQ(static_cast<Index>(blocks.size()), 2 * block_bytes(format));
    std::vector<float> values(static_cast<std::size_t>(2 * block_values(format)));
    ASSERT_EQ(expected.size(), values.size() * sizeof(float));
    dequantize_values(static_cast<GgmlType>(golden.type), blocks.data(), values.size(), values.data());
    EXPECT_EQ(std::memcmp(values.data(), expected.data(), expected.size()), 0) << block_format_name(format);
    std::vector<double> doubles(values.size());
    kernels::On<Cpu, kernels::Blocks, double>::widen_rows(
        {format, blocks.data(), 1, static_cast<Index>(doubles.size())}, 0, 1, doubles.data());
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(doubles[i], static_cast<double>(values[i]));
  }
}

template <class Scalar>
void expect_close(Tensor<Scalar> const& got, Tensor<Scalar> const& expected, double tolerance, std::string_view what) {
  double scale = 0;
  for (Index i = 0; i < expected.size(); ++i)
    scale = std::max(scale, std::abs(static_cast<double>(expected.data()[i])));
  ASSERT_GT(scale, 0);
  for (Index i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got.data()[i], expected.data()[i], tolerance * scale) << what << " at " << i;
}

template <class Scalar>
void expect_same_map(FrozenMatrix<Scalar> const& blocks, FrozenMatrix<Scalar> const& dense, double tolerance) {
  auto const name = blocks.storage()->name();
  ASSERT_EQ(blocks.out(), dense.out());
  ASSERT_EQ(blocks.in(), dense.in());
  for (Index rows : {1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 70}) {
    auto const x = normal<Scalar>({rows, dense.in()}, RandomKey(1)),
               g = normal<Scalar>({rows, dense.out()}, RandomKey(2));
    for (Scalar beta : {Scalar(0), Scalar(1)}) {
      auto y = full(Shape{rows, dense.out()}, Scalar(0.5)), y2 = full(Shape{rows, dense.out()}, Scalar(0.5));
      blocks.times_transposed(x.data(), rows, y.data(), beta);
      dense.times_transposed(x.data(), rows, y2.data(), beta);
      expect_close(y, y2, tolerance, name);
      auto dx = full(Shape{rows, dense.in()}, Scalar(0.5)), dx2 = full(Shape{rows, dense.in()}, Scalar(0.5));
      blocks.times(g.data(), rows, dx.data(), beta);
      dense.times(g.data(), rows, dx2.data(), beta);
      expect_close(dx, dx2, tolerance, name);
    }
  }
  std::vector<Token> ids;
  for (Index i = dense.out() - 1; i >= 0; i -= 7)
    ids.insert(ids.end(), {static_cast<Token>(i), static_cast<Token>(i % 5)});
  Shape const chosen{static_cast<Index>(ids.size()), dense.in()};
  Tensor<Scalar> some(chosen), some2(chosen), all = dense.dense();
  blocks.rows(ids, some.data());
  dense.rows(ids, some2.data());
  for (Index i = 0; i < some.rows(); ++i)
    for (Index k = 0; k < some.width(); ++k) {
      ASSERT_EQ(some.row(i)[k], some2.row(i)[k]);
      ASSERT_EQ(some.row(i)[k], all.row(ids[static_cast<std::size_t>(i)])[k]);
    }
}

template <class Scalar>
void check_storage(double tolerance) {
  for (auto const& golden : goldens)
    for (Index head_rows : {Index{0}, Index{22}}) {
      auto const made = sample(golden, 198, 3, head_rows);
      FrozenMatrix<Scalar> const blocks(std::make_shared<BlockStorage<Scalar> const>(made.matrix, made.bytes));
      Tensor<Scalar> stored(Shape{198, made.matrix.columns});
      for (Index i = 0; i < 198; ++i) {
        // ggml turns the pairs (2i, 2i + 1) of a head, Hugging Face (i, i + 11)
        Index const at = i % 22, from = head_rows == 0 ? i : i - at + (at < 11 ? 2 * at : 2 * (at - 11) + 1);
        kernels::BlockMatrix const in_order{made.matrix.format, made.bytes->data(), 198, made.matrix.columns};
        kernels::On<Cpu, kernels::Blocks, Scalar>::widen_rows(in_order, from, from + 1, stored.row(i));
      }
      FrozenMatrix<Scalar> const dense(stored);
      expect_same_map(blocks, dense, tolerance);
      expect_same_map(blocks.outputs(31, 100), dense.outputs(31, 100), tolerance);
      auto const widened = blocks.dense();
      EXPECT_EQ(std::memcmp(widened.data(), stored.data(), static_cast<std::size_t>(stored.size()) * sizeof(Scalar)),
                0);
      EXPECT_EQ(blocks.storage()->bytes(), made.bytes->size());
    }
}

TEST(Blocks, AreTheSameMapAsTheirNumbersInFloat) { check_storage<float>(2e-5); }
TEST(Blocks, AreTheSameMapAsTheirNumbersInDouble) { check_storage<double>(1e-13); }

/// Rows of x, or g, with a single one give numbers of W themselves: those of the format to the last bit.
TEST(Blocks, AreMultipliedAsTheNumbersOfTheirFormat) {
  for (int f = 0; f < 10; ++f)
    for (Index const head_rows : {Index{0}, Index{22}})
      for (std::size_t const offset : {std::size_t{0}, std::size_t{1}, std::size_t{6}}) {
        auto const format = static_cast<BlockFormat>(f);
        Index const out = head_rows == 0 ? 37 : 44;
        auto const made = random_sample(format, out, 3, head_rows, offset);
        Index const in = made.matrix.columns;
        FrozenMatrix<float> const w(std::make_shared<BlockStorage<float> const>(made.matrix, made.bytes));
        auto const numbers = w.dense();
        for (Index const rows : {1, 2, 3, 4, 5, 6, 7, 12, 13}) {
          auto x = full(Shape{rows, in}, 0.F), y = full(Shape{rows, out}, 7.F);
          for (Index t = 0; t < in; t += rows) {
            for (Index r = 0; r < rows; ++r) x.row(r)[(t + r) % in] = 1;
            w.times_transposed(x.data(), rows, y.data());
            for (Index r = 0; r < rows; ++r)
              for (Index o = 0; o < out; ++o)
                ASSERT_EQ(y.row(r)[o], numbers.row(o)[(t + r) % in])
                    << block_format_name(format) << ", " << rows << " rows, " << o << ", " << t + r;
            for (Index r = 0; r < rows; ++r) x.row(r)[(t + r) % in] = 0;
          }
          auto g = full(Shape{rows, out}, 0.F), dx = full(Shape{rows, in}, 7.F);
          for (Index r = 0; r < rows; ++r) g.row(r)[r * 5 % out] = 1;
          w.times(g.data(), rows, dx.data());
          for (Index r = 0; r < rows; ++r)
            for (Index t = 0; t < in; ++t) ASSERT_EQ(dx.row(r)[t], numbers.row(r * 5 % out)[t]) << rows << ", " << t;
        }
      }
}

/// In decoding, a text has the same bits alone and beside others.
TEST(Blocks, FewRowsDoNotDependOnEachOther) {
  for (auto const& golden : goldens) {
    auto const made = sample(golden, 50, 3);
    FrozenMatrix<float> const blocks(std::make_shared<BlockStorage<float> const>(made.matrix, made.bytes));
    auto const x = normal<float>({12, blocks.in()}, RandomKey(1));
    Tensor<float> alone(Shape{12, 50});
    for (Index r = 0; r < 12; ++r) blocks.times_transposed(x.row(r), 1, alone.row(r));
    for (Index rows : {2, 5, 6, 8, 12}) {
      Tensor<float> together(Shape{rows, 50});
      blocks.times_transposed(x.data(), rows, together.data());
      EXPECT_EQ(std::memcmp(together.data(), alone.data(), static_cast<std::size_t>(together.size()) * sizeof(float)),
                0)
          << blocks.storage()->name() << ", " << rows << " rows";
    }
    int const before = ThreadPool::global().threads();
    for (int const threads : {1, 3}) {
      ThreadPool::global().resize(threads);
      for (Index rows : {1, 4, 12}) {
        Tensor<float> again(Shape{rows, 50});
        blocks.times_transposed(x.data(), rows, again.data());
        EXPECT_EQ(std::memcmp(again.data(), alone.data(), static_cast<std::size_t>(again.size()) * sizeof(float)), 0)
            << blocks.storage()->name() << ", " << threads << " threads";
      }
    }
    ThreadPool::global().resize(before);
  }
}

TEST(Blocks, TurnedAndPlainHaveTheHashOfTheirNumbers) {
  auto const hash = [](FrozenMatrix<float> const& matrix) {
    detail::WeightsHash result;
    result.add("w", matrix);
    return result.digits();
  };
  for (auto layout : {Layout::out_in, Layout::in_out}) {
    auto const made = sample(goldens[1], 9001, 3);
    FrozenMatrix<float> const blocks(std::make_shared<BlockStorage<float> const>(made.matrix, made.bytes, layout));
    FrozenMatrix<float> const dense(blocks.dense(), layout);
    EXPECT_EQ(dense.out(), 9001);
    EXPECT_EQ(hash(blocks), hash(dense));
    made.bytes->at(100) ^= std::byte{1};
    EXPECT_NE(hash(blocks), hash(dense));
  }
}

TEST(Blocks, RefuseWhatIsNoWholeBlock) {
  std::vector<std::byte> bytes(1000);
  kernels::BlockMatrix matrix{BlockFormat::q4_k, bytes.data(), 1, 288};
  EXPECT_THROW((BlockStorage<float>(matrix, nullptr)), ShapeError);
  matrix.columns = 256;
  EXPECT_THROW(static_cast<void>(BlockStorage<float>(matrix, nullptr).outputs(0, 2)), ShapeError);
}

}  // namespace
