// Tokens that the device draws are those that the host draws from all logits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <graft/generate/sampling.hpp>

#include "device_testing.hpp"

namespace {

using namespace graft;

kernels::SamplingRule rule_of(Sampling const& s) { return {s.temperature, s.top_k, s.top_p, s.min_p}; }

/// Settings of every kind, some together.
std::vector<Sampling> rules() {
  std::vector<Sampling> all;
  for (Index const top_k : {0, 12, 400})
    for (double const top_p : {1.0, 0.9, 0.3, 0.0})
      for (double const min_p : {0.0, 0.05}) {
        double const temperature = top_p == 0.9 ? 0.7 : min_p > 0 ? 1.3 : 1.0;
        all.push_back({.temperature = temperature, .top_k = top_k, .top_p = top_p, .min_p = min_p});
      }
  return all;
}

template <class Scalar>
class CudaSampleTokens : public graft::testing::DeviceTest {
 protected:
  static constexpr Scalar none = -std::numeric_limits<Scalar>::infinity();

  static Tensor<double> uniforms(Index count) {
    Tensor<double> result(Shape{count});
    auto const key = RandomKey(17).with("uniforms");
    for (Index i = 0; i < count; ++i) result.data()[i] = key.uniform(static_cast<std::uint64_t>(i));
    return result;
  }
  /// Whether rounding may decide what is drawn.
  static bool near_boundary(std::vector<detail::WeightedToken> const& candidates, double uniform) {
    double total = 0, mass = 0;
    for (auto const& entry : candidates) total += entry.weight;
    return std::any_of(candidates.begin(), candidates.end(), [&](auto const& entry) {
      return std::abs((mass += entry.weight) - uniform * total) <= 1e-12 * total;
    });
  }
  template <class Device>
  static void expect_host(Tensor<Scalar> const& logits, Sampling const& s, Tensor<double> const& uniforms) {
    Index const vocabulary = logits.width(), draws = uniforms.size() / logits.rows();
    DrawnTokens const drawn(to_device<Device>(logits), Draws{rule_of(s), uniforms});
    ASSERT_EQ(drawn.texts(), uniforms.size());
    EXPECT_EQ(drawn.vocabulary(), vocabulary);
    for (Index row = 0; row < logits.rows(); ++row) {
      Scalar const* const z = logits.row(row);
      auto const candidates = detail::sampling_candidates(z, vocabulary, s);
      double const most = static_cast<double>(*std::max_element(z, z + vocabulary));
      double sum = 0;
      for (Index v = 0; v < vocabulary; ++v) sum += std::exp(static_cast<double>(z[v]) - most);
      for (Index i = row * draws; i < (row + 1) * draws; ++i) {
        Token const token = drawn.token(i);
        double const uniform = uniforms.data()[i];
        EXPECT_TRUE(token == detail::draw(candidates, uniform) || near_boundary(candidates, uniform))
            << token << " of " << vocabulary << ", uniform " << uniform << ", temperature " << s.temperature
            << ", top_k " << s.top_k << ", top_p " << s.top_p << ", min_p " << s.min_p;
        ASSERT_TRUE(token >= 0 && token < vocabulary);
        double const expected = static_cast<double>(z[token]) - most - std::log(sum);
        EXPECT_NEAR(drawn.log_probability(i), expected,
                    graft::testing::tolerance<Scalar> * (1 + std::abs(most) + std::abs(expected)));
      }
    }
  }
  /// On the host the same code draws many more.
  static void expect_host(Tensor<Scalar> const& logits, Sampling const& s) {
    expect_host<Cuda>(logits, s, uniforms(logits.rows() * 2));
    expect_host<Cpu>(logits, s, uniforms(logits.rows() * 100));
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaSampleTokens, Scalars);

TYPED_TEST(CudaSampleTokens, AreTheHosts) {
  for (Index const vocabulary : {1, 7, 257, 2000})
    for (auto const& s : rules())
      this->expect_host(cast<TypeParam>(normal<double>({2, vocabulary}, RandomKey(3).with("logits"), 3.0)), s);
}

/// Many tokens have the logit of the last that top-k or top-p keeps.
TYPED_TEST(CudaSampleTokens, OfEqualLogitsAreTheHosts) {
  Tensor<TypeParam> logits = zeros<TypeParam>({3, 300});
  auto const random = normal<double>({300}, RandomKey(4).with("logits"), 2.0);
  for (Index v = 0; v < 300; ++v) {
    logits.row(1)[v] = static_cast<TypeParam>(std::round(random.data()[v]));
    logits.row(2)[v] = static_cast<TypeParam>(v % 2 == 0 ? -0.0 : 0.0) - static_cast<TypeParam>(v % 5 == 0);
  }
  for (auto const& s : rules()) this->expect_host(logits, s);
}

TYPED_TEST(CudaSampleTokens, AreNoneThatAreImpossible) {
  auto logits = cast<TypeParam>(normal<double>({3, 500}, RandomKey(5).with("logits"), 3.0));
  for (Index v = 0; v < 500; ++v) {
    if (v % 7 != 0) logits.row(0)[v] = this->none;
    if (v != 499) logits.row(1)[v] = this->none;
  }
  for (auto const& s : rules()) this->expect_host(logits, s);
}

/// Weights that underflow, and those of different logits that are equal. Of 397 equal weights no share in `rules` is a
/// whole number: rounding would decide.
TYPED_TEST(CudaSampleTokens, AreTheHostsAtAnyTemperature) {
  auto const logits = cast<TypeParam>(normal<double>({2, 397}, RandomKey(6).with("logits"), 3.0));
  for (double const temperature : {1e-300, 30.0, 1e15, 1e300})
    for (auto s : rules()) {
      s.temperature = temperature;
      this->expect_host(logits, s);
    }
}

/// Of eight equal tokens each has an eighth of the numbers, its lower end included.
TYPED_TEST(CudaSampleTokens, StandAtTheirQuantiles) {
  Tensor<double> uniforms(Shape{16});
  for (Index i = 0; i < 8; ++i) {
    uniforms.data()[i] = static_cast<double>(i) / 8;
    uniforms.data()[8 + i] = std::nextafter(static_cast<double>(i + 1) / 8, 0.0);
  }
  DrawnTokens const drawn(to_device<Cuda>(zeros<TypeParam>({1, 8})), Draws{{}, uniforms});
  for (Index i = 0; i < 16; ++i) {
    EXPECT_EQ(drawn.token(i), static_cast<Token>(i % 8)) << uniforms.data()[i];
    EXPECT_NEAR(drawn.log_probability(i), -std::log(8.0), 1e-6);
  }
}

TYPED_TEST(CudaSampleTokens, AreRefusedWhereLogitsAreNoNumbers) {
  Draws const draws{{.top_k = 5, .top_p = 0.5}, this->uniforms(4)};
  graft::testing::with_broken_logits<TypeParam>([&](Tensor<TypeParam> const& logits) {
    EXPECT_THROW(DrawnTokens(to_device<Cuda>(logits), draws), NumericError);
    EXPECT_THROW(DrawnTokens(logits, draws), NumericError);
  });
}

TYPED_TEST(CudaSampleTokens, AreEquallyManyOfEachRow) {
  EXPECT_THROW(DrawnTokens(to_device<Cuda>(zeros<TypeParam>({2, 30})), Draws{{}, this->uniforms(3)}), ShapeError);
}

}  // namespace
