// Frozen matrices that their first product packs: what they are used for, before and after.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include <graft/core/numbers.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cpu/simd.hpp>
#include <graft/models/weights_hash.hpp>
#include <graft/weights/packed.hpp>
#include <graft/weights/to_device.hpp>

namespace {

using namespace graft;

template <class Stored_, class Scalar_>
struct Numbers {
  using Stored = Stored_;
  using Scalar = Scalar_;
};

template <class N>
class PackedWeights : public ::testing::Test {
 protected:
  using Stored = typename N::Stored;
  using Scalar = typename N::Scalar;
  using Storage = PackedStorage<Stored, Scalar>;

  static Tensor<Stored> numbers(Shape const& shape, std::uint64_t seed) {
    auto const wide = normal<double>(shape, RandomKey(seed));
    Tensor<Stored> result(shape);
    for (Index i = 0; i < wide.size(); ++i) result.data()[i] = Stored(static_cast<Scalar>(wide.data()[i]));
    return result;
  }
  static Tensor<Stored> stored(Index out, Index in, Layout layout) {
    return numbers(layout == Layout::out_in ? Shape{out, in} : Shape{in, out}, 7);
  }
  static double element(Tensor<Stored> const& w, Layout layout, Index o, Index t) {
    return static_cast<double>(static_cast<Scalar>(layout == Layout::out_in ? w.row(o)[t] : w.row(t)[o]));
  }
  static Tensor<Scalar> forward(MatrixStorage<Scalar> const& w, Tensor<Scalar> const& x, Scalar beta = 0) {
    auto y = full(Shape{x.rows(), w.out()}, Scalar(0.5));
    w.times_transposed(x.data(), x.rows(), y.data(), beta);
    return y;
  }
  static Tensor<Scalar> backward(MatrixStorage<Scalar> const& w, Tensor<Scalar> const& g, Scalar beta = 0) {
    auto y = full(Shape{g.rows(), w.in()}, Scalar(0.5));
    w.times(g.data(), g.rows(), y.data(), beta);
    return y;
  }
  template <class T>
  static bool same_bits(Tensor<T> const& a, Tensor<T> const& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
  }
};
using Every =
    ::testing::Types<Numbers<float, float>, Numbers<bfloat16, float>, Numbers<half, float>, Numbers<double, double>>;
TYPED_TEST_SUITE(PackedWeights, Every);

constexpr Layout layouts[] = {Layout::out_in, Layout::in_out};

/// Every sum is one chain along k, so that its error is bounded by k roundings of the sum of the terms' sizes.
TYPED_TEST(PackedWeights, MultiplyAsTheirNumbersSay) {
  using Scalar = typename TypeParam::Scalar;
  double const rounding = std::is_same_v<Scalar, float> ? 0x1.0p-24 : 0x1.0p-53;
  for (auto const& [out, in] : std::vector<std::pair<Index, Index>>{
           {1, 1}, {7, 33}, {16, 5}, {31, 64}, {32, 32}, {33, 12}, {100, 65}, {257, 130}, {40, 500}, {500, 40}})
    for (Layout const layout : layouts)
      for (Index const rows : {1, 2, 12, 13, 17, 70, 600}) {
        if (rows == 600 && out * in > 5000) continue;
        auto const w = this->stored(out, in, layout);
        typename TestFixture::Storage const packed(clone(w), layout);
        auto const x = normal<Scalar>({rows, in}, RandomKey(1)), g = normal<Scalar>({rows, out}, RandomKey(2));
        for (Scalar const beta : {Scalar(0), Scalar(1), Scalar(-2)}) {
          auto const y = this->forward(packed, x, beta), dx = this->backward(packed, g, beta);
          for (Index r = 0; r < rows; r += rows > 20 ? 11 : 1) {
            auto const expect = [&, out = out, in = in](double got, Index terms, auto const& term, Index at) {
              double sum = 0.5 * static_cast<double>(beta), size = std::abs(sum);
              for (Index k = 0; k < terms; ++k) sum += term(k), size += std::abs(term(k));
              ASSERT_NEAR(got, sum, static_cast<double>(terms + 2) * rounding * size)
                  << out << " x " << in << ", " << rows << " rows, at " << r << ", " << at;
            };
            for (Index o = 0; o < out; ++o)
              expect(
                  y.row(r)[o], in,
                  [&](Index t) { return static_cast<double>(x.row(r)[t]) * this->element(w, layout, o, t); }, o);
            for (Index t = 0; t < in; ++t)
              expect(
                  dx.row(r)[t], out,
                  [&](Index o) { return static_cast<double>(g.row(r)[o]) * this->element(w, layout, o, t); }, t);
            if (this->HasFatalFailure()) return;
          }
        }
      }
}

TYPED_TEST(PackedWeights, ARowHasTheSameBitsAloneAndAmongOthers) {
  using Scalar = typename TypeParam::Scalar;
  typename TestFixture::Storage const packed(this->stored(700, 450, Layout::out_in), Layout::out_in);
  auto const x = normal<Scalar>({95, 450}, RandomKey(1)), g = normal<Scalar>({95, 700}, RandomKey(2));
  auto const y = this->forward(packed, x), dx = this->backward(packed, g);
  for (Index const rows : {1, 2, 5, 13, 40})
    for (Index first = 0; first + rows <= 95; first += 31) {
      EXPECT_TRUE(this->same_bits(this->forward(packed, x.slice(first, first + rows)), y.slice(first, first + rows)));
      EXPECT_TRUE(this->same_bits(this->backward(packed, g.slice(first, first + rows)), dx.slice(first, first + rows)));
    }
  int const before = ThreadPool::global().threads();
  for (int const threads : {1, 3, 8}) {
    ThreadPool::global().resize(threads);
    EXPECT_TRUE(this->same_bits(this->forward(packed, x), y)) << threads;
    EXPECT_TRUE(this->same_bits(this->backward(packed, g), dx)) << threads;
  }
  ThreadPool::global().resize(before);
}

/// Of 16 bits or not, numbers are multiplied as the scalars that they stand for.
TYPED_TEST(PackedWeights, HaveTheBitsOfTheirNumbersWidened) {
  using Scalar = typename TypeParam::Scalar;
  for (Layout const layout : layouts) {
    auto const narrow = this->stored(333, 145, layout);
    Tensor<Scalar> wide(narrow.shape());
    for (Index i = 0; i < wide.size(); ++i) wide.data()[i] = static_cast<Scalar>(narrow.data()[i]);
    typename TestFixture::Storage const packed(clone(narrow), layout);
    PackedStorage<Scalar, Scalar> const widened(std::move(wide), layout);
    for (Index const rows : {1, 2, 3, 8, 9, 12, 13, 25, 40, 100}) {
      auto const x = normal<Scalar>({rows, 145}, RandomKey(1)), g = normal<Scalar>({rows, 333}, RandomKey(2));
      EXPECT_TRUE(this->same_bits(this->forward(packed, x), this->forward(widened, x))) << rows;
      EXPECT_TRUE(this->same_bits(this->backward(packed, g), this->backward(widened, g))) << rows;
    }
  }
}

/// All that 16 bits can be, subnormal numbers and infinities, too.
TEST(NarrowNumbers, AreWidenedExactly) {
  namespace simd = kernels::cpu::simd;
  constexpr Index lanes = simd::size<float>;
  auto const check = [&](auto tag) {
    using Stored = decltype(tag);
    for (std::uint32_t first = 0; first < 0x10000; first += lanes) {
      Stored narrow[lanes];
      float wide[lanes];
      for (std::uint32_t i = 0; i < lanes; ++i) narrow[i] = Stored::from_bits(static_cast<std::uint16_t>(first + i));
      simd::store(wide, simd::load_wide<float>(narrow));
      for (Index i = 0; i < lanes; ++i) {
        auto const expected = static_cast<float>(narrow[i]);
        if (std::isnan(expected))
          EXPECT_TRUE(std::isnan(wide[i])) << narrow[i].bits;
        else
          EXPECT_EQ(std::memcmp(&wide[i], &expected, sizeof expected), 0) << narrow[i].bits;
      }
    }
  };
  check(half{});
  check(bfloat16{});
}

TYPED_TEST(PackedWeights, GiveTheNumbersBackAsTheyWere) {
  using Scalar = typename TypeParam::Scalar;
  using Stored = typename TypeParam::Stored;
  for (Layout const layout : layouts)
    for (auto const& [out, in] : std::vector<std::pair<Index, Index>>{{1, 1}, {45, 33}, {96, 7}}) {
      auto const w = this->stored(out, in, layout);
      auto const storage = std::make_shared<typename TestFixture::Storage const>(clone(w), layout);
      FrozenMatrix<Scalar> const matrix(storage);
      struct Seen {
        Tensor<Scalar> dense, rows;
        std::vector<float> read;
        std::string hash;
        std::size_t bytes;
      };
      auto const seen = [&, out = out, in = in] {
        Seen s;
        s.dense = matrix.dense();
        MirroredArray<Token> const ids{static_cast<Token>(out - 1), 0, static_cast<Token>(out / 2)};
        s.rows = Tensor<Scalar>(Shape{3, in});
        matrix.rows(ids, s.rows.data());
        s.read.resize(static_cast<std::size_t>(out * in - out * in / 3));
        storage->read(out * in / 3, static_cast<Index>(s.read.size()), s.read.data());
        detail::WeightsHash hash;
        hash.add("w", matrix);
        s.hash = hash.digits();
        s.bytes = storage->bytes();
        return s;
      };
      auto const before = seen();
      EXPECT_EQ(storage->address(), w.empty() ? nullptr : storage->as_stored()->address());
      (void)this->forward(*storage, normal<Scalar>({2, in}, RandomKey(1)));
      auto const after = seen();
      EXPECT_TRUE(this->same_bits(before.dense, after.dense));
      EXPECT_TRUE(this->same_bits(before.rows, after.rows));
      EXPECT_EQ(before.read, after.read);
      EXPECT_EQ(before.hash, after.hash);
      EXPECT_EQ(before.bytes, after.bytes);
      if constexpr (std::is_same_v<Stored, bfloat16>) {
        EXPECT_TRUE(this->same_bits(storage->as_stored()->in_bfloat16(), w));
      } else if constexpr (std::is_same_v<Stored, half>) {
        auto const stored = std::dynamic_pointer_cast<NarrowStorage<half, float> const>(storage->as_stored());
        ASSERT_TRUE(stored);
        EXPECT_TRUE(this->same_bits(stored->stored(), w));
      } else {
        EXPECT_TRUE(this->same_bits(storage->as_stored()->in_scalar(), w));
      }
      EXPECT_EQ(matrix.layout(), layout);
      EXPECT_EQ(storage->name(), dtype_name(dtype_of<Stored>));
      auto const moved = to_device<Cpu>(matrix);
      EXPECT_TRUE(this->same_bits(moved.dense(), after.dense));
      EXPECT_EQ(moved.storage()->name(), storage->name());
    }
}

TYPED_TEST(PackedWeights, HaveParts) {
  using Scalar = typename TypeParam::Scalar;
  auto const w = this->stored(300, 41, Layout::out_in);
  typename TestFixture::Storage const packed(clone(w), Layout::out_in);
  auto const x = normal<Scalar>({9, 41}, RandomKey(1));
  auto const y = this->forward(packed, x);
  for (auto const& [first, last] :
       std::vector<std::pair<Index, Index>>{{0, 300}, {0, 128}, {128, 300}, {64, 65}, {5, 37}, {7, 7}}) {
    auto const part = packed.outputs(first, last);
    ASSERT_EQ(part->out(), last - first);
    auto const some = this->forward(*part, x);
    for (Index r = 0; r < 9; ++r)
      for (Index o = first; o < last; ++o) EXPECT_NEAR(some.row(r)[o - first], y.row(r)[o], 1e-5) << first << ", " << o;
    auto const dense = part->dense();
    for (Index o = first; o < last; ++o)
      for (Index t = 0; t < 41; ++t) EXPECT_EQ(dense.row(o - first)[t], static_cast<Scalar>(w.row(o)[t]));
  }
  EXPECT_EQ(packed.outputs(128, 300)->name(), packed.name());
  for (auto const& [first, last] : std::vector<std::pair<Index, Index>>{{-1, 3}, {4, 3}, {0, 301}})
    EXPECT_THROW((void)packed.outputs(first, last), ShapeError);
}

/// A part of a part is that of the whole.
TYPED_TEST(PackedWeights, HavePartsOfParts) {
  using Scalar = typename TypeParam::Scalar;
  auto const w = this->stored(300, 8, Layout::out_in);
  typename TestFixture::Storage const packed(clone(w), Layout::out_in);
  auto const x = normal<Scalar>({5, 8}, RandomKey(1));
  auto const y = this->forward(packed, x);
  for (auto const& [first, last] : std::vector<std::pair<Index, Index>>{{64, 70}, {0, 172}, {3, 40}}) {
    auto const part = packed.outputs(128, 300)->outputs(first, last);
    auto const some = this->forward(*part, x);
    for (Index r = 0; r < 5; ++r)
      for (Index o = first; o < last; ++o) EXPECT_NEAR(some.row(r)[o - first], y.row(r)[128 + o], 1e-5) << first;
  }
}

/// What it was stored in is released by the first product, whoever else reads at the time.
TYPED_TEST(PackedWeights, AreReleasedByWhoeverReadsThemLast) {
  using Scalar = typename TypeParam::Scalar;
  using Stored = typename TypeParam::Stored;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> released = 0;
    auto tensor = this->stored(200, 150, Layout::out_in);
    auto own = clone(tensor);
    auto aliased = Tensor<Stored>::alias(own.shape(), own.data(),
                                         std::shared_ptr<void const>(tensor.data(), [&](void const*) { ++released; }));
    auto const storage = std::make_shared<typename TestFixture::Storage const>(std::move(aliased), Layout::out_in);
    FrozenMatrix<Scalar> const matrix(storage);
    (void)matrix.dense();
    EXPECT_EQ(released, 0) << "reading packs nothing";
    detail::WeightsHash expected;
    expected.add("w", matrix);
    auto const x = normal<Scalar>({14, 150}, RandomKey(1));
    typename TestFixture::Storage const other(clone(tensor), Layout::out_in);
    auto const y = this->forward(other, x);
    std::atomic<int> equal = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        if (t % 2 == 0) {
          equal += this->same_bits(this->forward(*storage, x), y);
        } else {
          detail::WeightsHash hash;
          hash.add("w", matrix);
          equal += hash.digits() == expected.digits();
        }
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(equal, 4);
    EXPECT_EQ(released, 1);
  }
}

/// A product within a task of the pool does not wait for one outside.
TYPED_TEST(PackedWeights, AreMultipliedWithinTasks) {
  using Scalar = typename TypeParam::Scalar;
  for (int round = 0; round < 20; ++round) {
    typename TestFixture::Storage const packed(this->stored(200, 150, Layout::out_in), Layout::out_in);
    auto const x = normal<Scalar>({3, 150}, RandomKey(1));
    Tensor<Scalar> y[4];
    std::thread outside([&] { (void)this->forward(packed, x); });
    parallel_for(4, [&](Index task) { y[task] = this->forward(packed, x); });
    outside.join();
    for (auto const& each : y) EXPECT_TRUE(this->same_bits(each, y[0]));
  }
}

template <class Scalar>
int calls = 0;

/// A program's own function gets the products, of numbers as they are stored.
TYPED_TEST(PackedWeights, AreNotPackedForAnotherFunction) {
  using Scalar = typename TypeParam::Scalar;
  using Matmul = kernels::Matmul<Cpu, Scalar>;
  auto const w = this->stored(70, 20, Layout::out_in);
  typename TestFixture::Storage const packed(clone(w), Layout::out_in), plain(clone(w), Layout::out_in);
  auto const x = normal<Scalar>({14, 20}, RandomKey(1)), g = normal<Scalar>({14, 70}, RandomKey(1));
  auto const y = this->forward(packed, x), dx = this->backward(packed, g);
  calls<Scalar> = 0;
  Matmul::function() = [](kernels::Product<Scalar> const& p) {
    ++calls<Scalar>;
    Matmul::own()(p);
  };
  auto const y2 = this->forward(plain, x), dx2 = this->backward(plain, g),
             part = this->forward(*plain.outputs(0, 9), x);
  Matmul::function() = Matmul::own();
  EXPECT_EQ(calls<Scalar>, 3);
  for (Index i = 0; i < y.size(); ++i) EXPECT_NEAR(y2.data()[i], y.data()[i], 1e-5);
  for (Index i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx2.data()[i], dx.data()[i], 1e-5);
  EXPECT_EQ(part.width(), 9);
}

}  // namespace
