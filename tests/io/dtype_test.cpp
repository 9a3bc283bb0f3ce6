#include <gtest/gtest.h>

#include <graft/core/dtype.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

namespace {

using graft::bfloat16;
using graft::Dtype;
using graft::half;

std::uint32_t bits(float value) {
  std::uint32_t out;
  std::memcpy(&out, &value, 4);
  return out;
}
float from_bits(std::uint32_t bits) {
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

// Value of a half by its definition.
double half_value(std::uint16_t h) {
  int const exponent = (h >> 10) & 31;
  double const mantissa = h & 1023;
  double const sign = (h & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Dtype, SizesAndNames) {
  EXPECT_EQ(graft::dtype_size(Dtype::f64), 8u);
  EXPECT_EQ(graft::dtype_size(Dtype::bf16), 2u);
  EXPECT_EQ(graft::dtype_size(Dtype::boolean), 1u);
  EXPECT_EQ(graft::dtype_name(Dtype::bf16), "bfloat16");
  EXPECT_EQ(graft::dtype_of<float>, Dtype::f32);
  EXPECT_EQ(graft::dtype_of<std::int64_t>, Dtype::i64);
}

TEST(Half, EveryValueToFloatAndBack) {
  for (std::uint32_t h = 0; h < 65536; ++h) {
    auto const stored = half::from_bits(static_cast<std::uint16_t>(h));
    auto const value = static_cast<float>(stored);
    if (((h >> 10) & 31) == 31) {
      EXPECT_EQ(std::isinf(value), (h & 1023) == 0) << h;
      EXPECT_EQ(std::isnan(value), (h & 1023) != 0) << h;
      EXPECT_EQ(std::signbit(value), (h & 0x8000) != 0) << h;
      EXPECT_EQ(half(value).bits, (h & 1023) != 0 ? h | 0x200 : h);
    } else {
      ASSERT_EQ(static_cast<double>(value), half_value(static_cast<std::uint16_t>(h))) << h;
      ASSERT_EQ(std::signbit(value), (h & 0x8000) != 0) << h;
      ASSERT_EQ(half(value).bits, h);
    }
  }
}

TEST(Half, RoundsToNearestEven) {
  // Between each two neighbouring halves: just below, at, and just above the middle.
  for (std::uint16_t h = 0; h < 0x7bff; ++h) {
    auto const next = static_cast<std::uint16_t>(h + 1);
    auto const middle = static_cast<float>((half_value(h) + half_value(next)) / 2);
    ASSERT_EQ(half(middle).bits, (h & 1) == 0 ? h : next) << h;
    ASSERT_EQ(half(std::nextafter(middle, 0.0f)).bits, h) << h;
    ASSERT_EQ(half(std::nextafter(middle, 1e9f)).bits, next) << h;
    ASSERT_EQ(half(-middle).bits, half(middle).bits | 0x8000);
  }
  EXPECT_EQ(half(65519.996f).bits, 0x7bff);
  EXPECT_EQ(half(65520.0f).bits, 0x7c00);
  EXPECT_EQ(half(std::numeric_limits<float>::infinity()).bits, 0x7c00);
  EXPECT_EQ(half(-1e30f).bits, 0xfc00);
  EXPECT_EQ(half(1e-30f).bits, 0);
}

TEST(Bfloat16, RoundsToNearestEvenAndKeepsNan) {
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    std::uint32_t const x = static_cast<std::uint32_t>(random());
    float const value = from_bits(x);
    auto const stored = bfloat16(value);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(stored)));
      EXPECT_EQ(std::signbit(static_cast<float>(stored)), std::signbit(value));
      continue;
    }
    if (std::isinf(static_cast<float>(stored))) continue;
    double const error = std::abs(static_cast<double>(static_cast<float>(stored)) - value);
    std::uint32_t const below = x & 0xffff0000u;
    double const step = std::abs(static_cast<double>(from_bits(below + 0x10000u)) - from_bits(below));
    ASSERT_LE(error, step / 2) << x;
    if (error * 2 == step) {
      ASSERT_EQ(stored.bits & 1, 0) << x;
    }
  }
  EXPECT_EQ(bfloat16(1.0f).bits, 0x3f80);
  EXPECT_EQ(bfloat16(from_bits(0x3f808000)).bits, 0x3f80);
  EXPECT_EQ(bfloat16(from_bits(0x3f818000)).bits, 0x3f82);
  EXPECT_EQ(bfloat16(from_bits(0x7f800001)).bits, 0x7fc0);
  EXPECT_EQ(bfloat16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_EQ(bits(static_cast<float>(bfloat16::from_bits(0xc049))), 0xc0490000u);
}

static_assert(static_cast<float>(half(1.5f)) == 1.5f && static_cast<float>(bfloat16(-2.0f)) == -2.0f,
              "usable in constant expressions");

}  // namespace
