/// @file
/// @brief Sums of outer products, and the best approximation of one by fewer of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace graft {

/// Σⱼ uⱼ·vⱼᵀ: the product B·A of two thin matrices, with B's columns in `left` and A's rows in `right`.
struct LowRankTerms {
  std::vector<std::vector<double>> left, right;

  [[nodiscard]] std::size_t size() const { return left.size(); }
};

namespace detail {

[[nodiscard]] inline double dot(std::vector<double> const& a, std::vector<double> const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
/// y += factor · x
inline void add_scaled(std::vector<double>& y, double factor, std::vector<double> const& x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}
inline void scale(std::vector<double>& y, double factor) {
  for (double& value : y) value *= factor;
}
/// (x, y) ← (c·x − s·y, s·x + c·y)
inline void rotate(std::vector<double>& x, std::vector<double>& y, double c, double s) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    double const xi = x[i], yi = y[i];
    x[i] = c * xi - s * yi;
    y[i] = s * xi + c * yi;
  }
}

/// The same sum with orthonormal vⱼ (Gram–Schmidt, twice); terms whose vⱼ depend on earlier ones go into those.
[[nodiscard]] inline LowRankTerms orthonormal_right(LowRankTerms terms) {
  LowRankTerms result;
  for (std::size_t j = 0; j < terms.size(); ++j) {
    auto &u = terms.left[j], &v = terms.right[j];
    double const before = std::sqrt(dot(v, v));
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 0; i < result.size(); ++i) {
        double const share = dot(result.right[i], v);
        add_scaled(v, -share, result.right[i]);
        add_scaled(result.left[i], share, u);
      }
    double const after = std::sqrt(dot(v, v));
    if (std::isfinite(before) && after <= 1e-13 * before)
      continue;  // what is too large stays, and is no number in the result
    scale(v, 1 / after);
    scale(u, after);
    result.left.push_back(std::move(u));
    result.right.push_back(std::move(v));
  }
  return result;
}

}  // namespace detail

/// The sum's singular value decomposition (one-sided Jacobi), cut off after `rank` terms: the vⱼ are orthonormal, the
/// uⱼ orthogonal and as long as the singular values, which fall. No sum of so many terms is nearer to the whole one
/// (Eckart & Young 1936).
[[nodiscard]] inline LowRankTerms truncated(LowRankTerms const& sum, std::size_t rank) {
  LowRankTerms terms = detail::orthonormal_right(sum);
  bool rotated = true;
  for (int sweep = 0; rotated && sweep < 40; ++sweep) {
    rotated = false;
    for (std::size_t p = 0; p < terms.size(); ++p)
      for (std::size_t q = p + 1; q < terms.size(); ++q) {
        auto &x = terms.left[p], &y = terms.left[q];
        double const xx = detail::dot(x, x), yy = detail::dot(y, y), xy = detail::dot(x, y);
        if (!(std::abs(xy) > 1e-14 * std::sqrt(xx) * std::sqrt(yy))) continue;
        double const zeta = (yy - xx) / (2 * xy),
                     t = (zeta < 0 ? -1 : 1) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
        double const c = 1 / std::sqrt(1 + t * t), s = c * t;
        detail::rotate(x, y, c, s);
        detail::rotate(terms.right[p], terms.right[q], c, s);
        rotated = true;
      }
  }
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t j = 0; j < terms.size(); ++j) order.emplace_back(-detail::dot(terms.left[j], terms.left[j]), j);
  std::sort(order.begin(), order.end());
  LowRankTerms result;
  for (std::size_t k = 0; k < std::min(rank, order.size()); ++k) {
    result.left.push_back(std::move(terms.left[order[k].second]));
    result.right.push_back(std::move(terms.right[order[k].second]));
  }
  return result;
}

}  // namespace graft
