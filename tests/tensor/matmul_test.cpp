// Matrix products against plain loops, for all readings, betas and sizes around the kernels' limits; the same bits for any number of threads.
#include <gtest/gtest.h>

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
    for (Index i = 0; i < k * n; ++i) b.push_back(static_cast<Scalar>(key.with("b").normal(static_cast<std::uint64_t>(i))));
    c.assign(static_cast<std::size_t>(m * n), Scalar(0.5));
  }
  std::vector<Scalar> run(Read read_a, Read read_b, Scalar beta) const {
    auto result = c;
    kernels::matmul<Scalar>(Cpu{}, {m, n, k, a.data(), read_a == Read::plain ? k : m, read_a, b.data(), read_b == Read::plain ? n : k, read_b, beta, result.data(), n});
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
                  ASSERT_NEAR(got[static_cast<std::size_t>(i * n + j)], values.expected(read_a, read_b, beta, i, j), 1e-11 * static_cast<double>(k + 1)) << m << " " << n << " " << k;
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
  ThreadPool::global().resize(1);
  auto const one = values.run(Read::plain, Read::transposed, 0.0F);
  for (int threads : {2, 3, 5}) {
    ThreadPool::global().resize(threads);
    EXPECT_EQ(values.run(Read::plain, Read::transposed, 0.0F), one) << threads;
  }
  ThreadPool::global().resize(before);
}
