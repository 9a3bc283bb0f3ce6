// Matrix products against plain loops, for all readings, betas and sizes around the kernels' limits; the same bits for
// any number of threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/matmul.hpp>

using namespace graft;
using kernels::Read;

namespace {

template <class Scalar>
struct Case {
  Index m, n, k;
  std::vector<Scalar> a, b, c;

  Case(Index rows, Index columns, Index depth) : m(rows), n(columns), k(depth) {
    RandomKey const key(static_cast<std::uint64_t>(m * 1000003 + n * 1009 + k));
    for (Index i = 0; i < m * k; ++i) a.push_back(static_cast<Scalar>(key.normal(static_cast<std::uint64_t>(i))));
    for (Index i = 0; i < k * n; ++i)
      b.push_back(static_cast<Scalar>(key.with("b").normal(static_cast<std::uint64_t>(i))));
    c.assign(static_cast<std::size_t>(m * n), Scalar(0.5));
  }
  std::vector<Scalar> run(Read read_a, Read read_b, Scalar beta) const {
    auto result = c;
    kernels::On<Cpu, kernels::Matmul, Scalar>::matmul({m, n, k, a.data(), read_a == Read::plain ? k : m, read_a,
                                                       b.data(), read_b == Read::plain ? n : k, read_b, beta,
                                                       result.data(), n});
    return result;
  }
  double expected(Read read_a, Read read_b, Scalar beta, Index i, Index j) const {
    double sum = beta == Scalar(0) ? 0.0 : static_cast<double>(beta * Scalar(0.5));
    for (Index t = 0; t < k; ++t)
      sum += static_cast<double>(a[static_cast<std::size_t>(read_a == Read::plain ? i * k + t : t * m + i)]) *
             static_cast<double>(b[static_cast<std::size_t>(read_b == Read::plain ? t * n + j : j * k + t)]);
    return sum;
  }
};

}  // namespace

TEST(Matmul, EqualsPlainLoops) {
  for (Index m : {1, 2, 3, 5, 12, 13, 40, 300})
    for (Index n : {1, 3, 4, 7, 310})
      for (Index k : {1, 15, 33, 129}) {
        Case<double> const values(m, n, k);
        for (Read read_a : {Read::plain, Read::transposed})
          for (Read read_b : {Read::plain, Read::transposed})
            for (double beta : {0.0, 1.0, -2.0}) {
              auto const got = values.run(read_a, read_b, beta);
              for (Index i = 0; i < m; i += 1 + m / 7)
                for (Index j = 0; j < n; j += 1 + n / 7)
                  ASSERT_NEAR(got[static_cast<std::size_t>(i * n + j)], values.expected(read_a, read_b, beta, i, j),
                              1e-11 * static_cast<double>(k + 1))
                      << m << " " << n << " " << k;
            }
      }
}

TEST(Matmul, EqualsPlainLoopsWhereTheDepthIsCut) {
  for (auto [m, n, k] : {std::array<Index, 3>{97, 50, 1001}, {14, 8, 1700}, {19, 121, 770}, {200, 17, 385}}) {
    Case<float> const values(m, n, k);
    for (Read read_a : {Read::plain, Read::transposed})
      for (Read read_b : {Read::plain, Read::transposed})
        for (float beta : {0.0F, 1.0F, 0.5F}) {
          auto const got = values.run(read_a, read_b, beta);
          for (Index i = 0; i < m; i += 3)
            for (Index j = 0; j < n; ++j)
              ASSERT_NEAR(got[static_cast<std::size_t>(i * n + j)], values.expected(read_a, read_b, beta, i, j),
                          2e-6 * static_cast<double>(k))
                  << m << " " << n << " " << k;
        }
  }
}

TEST(Matmul, WritesNothingBesideItsPartOfLargerArrays) {
  Index const m = 29, n = 37, k = 21, width = 64;
  RandomKey const key(5);
  std::vector<double> array(static_cast<std::size_t>(m * width)), right(static_cast<std::size_t>(k * width)),
      result(static_cast<std::size_t>(m * width), 7.0);
  for (std::size_t i = 0; i < array.size(); ++i) array[i] = key.normal(i);
  for (std::size_t i = 0; i < right.size(); ++i) right[i] = key.with("right").normal(i);
  kernels::On<Cpu, kernels::Matmul, double>::matmul({m, n, k, array.data() + 3, width, Read::plain, right.data() + 5,
                                                     width, Read::plain, 1.0, result.data() + 2, width});
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < width; ++j) {
      double expected = 7.0;
      if (j >= 2 && j < 2 + n)
        for (Index t = 0; t < k; ++t)
          expected += array[static_cast<std::size_t>(i * width + 3 + t)] *
                      right[static_cast<std::size_t>(t * width + 5 + j - 2)];
      ASSERT_NEAR(result[static_cast<std::size_t>(i * width + j)], expected, 1e-12) << i << " " << j;
    }
}

TEST(Matmul, WithoutDepthOnlyBetaCounts) {
  std::vector<float> c(40, 3.0F);
  kernels::On<Cpu, kernels::Matmul, float>::matmul(
      {8, 5, 0, nullptr, 1, Read::plain, nullptr, 5, Read::plain, 0.5F, c.data(), 5});
  for (float v : c) EXPECT_EQ(v, 1.5F);
  kernels::On<Cpu, kernels::Matmul, float>::matmul(
      {8, 5, 0, nullptr, 1, Read::plain, nullptr, 5, Read::plain, 0.0F, c.data(), 5});
  for (float v : c) EXPECT_EQ(v, 0.0F);
}

TEST(Matmul, BitsOfARowDoNotDependOnItsNeighbours) {
  Index const n = 150, k = 500;
  Case<float> const values(100, n, k);
  for (Read read_b : {Read::plain, Read::transposed}) {
    auto const all = values.run(Read::plain, read_b, 0.0F);
    for (Index first : {0, 1, 40})
      for (Index rows : {13, 17, 60}) {
        std::vector<float> some(static_cast<std::size_t>(rows * n));
        kernels::On<Cpu, kernels::Matmul, float>::matmul({rows, n, k, values.a.data() + first * k, k, Read::plain,
                                                          values.b.data(), read_b == Read::plain ? n : k, read_b, 0.0F,
                                                          some.data(), n});
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin() + first * n)) << first << " " << rows;
      }
  }
}

TEST(Matmul, OverwritesWhatIsNotInitialised) {
  Case<float> values(20, 20, 3);
  values.c.assign(400, std::numeric_limits<float>::quiet_NaN());
  for (float v : values.run(Read::plain, Read::transposed, 0.0F)) ASSERT_EQ(v, v);
}

TEST(Matmul, SameBitsForAnyNumberOfThreads) {
  Case<float> const values(530, 611, 97);
  int const before = ThreadPool::global().threads();
  for (Read read_a : {Read::plain, Read::transposed})
    for (Read read_b : {Read::plain, Read::transposed}) {
      ThreadPool::global().resize(1);
      auto const one = values.run(read_a, read_b, 0.0F);
      for (int threads : {2, 3, 5}) {
        ThreadPool::global().resize(threads);
        EXPECT_EQ(values.run(read_a, read_b, 0.0F), one) << threads;
      }
    }
  ThreadPool::global().resize(before);
}
