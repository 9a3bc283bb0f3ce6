/// @file
/// @brief Sampling on every device: thresholds in place of sorting.
#pragma once

#include <cmath>

#include <graft/kernels/generic/log_sum.hpp>
#include <graft/kernels/generic/select_key.hpp>
#include <graft/kernels/sample_tokens.hpp>

namespace graft::kernels {

namespace generic {

/// Of each row z: max z, and log Σ_v exp z_v.
template <class Math, class Scalar>
struct LogSums {
  Scalar const* x;
  Index width;
  double* y;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    LogSum<Math, Scalar> const of(x + i * width, width, team);
    team.map(y + 2 * i, 2, [=](Index n) { return static_cast<double>(n == 0 ? of.largest : of.value); });
  }
};

template <class Scalar>
struct SamplingWeight {
  Scalar const* x;
  Index width;
  double const* sums;
  double temperature;
  GRAFT_HOST_DEVICE double operator()(Index i, Index j) const {
    return std::exp((static_cast<double>(x[i * width + j]) - sums[2 * i]) / temperature);
  }
};

/// A row's tokens that may be drawn.
template <class Scalar>
struct SamplingCandidates {
  Scalar const* row;
  double const* weights;
  Index size;
  std::uint64_t least_key = 0;  ///< of a logit
  double least = 0;             ///< of the weights
  double cut = -1;              ///< of the tokens of this weight, those from `first` on may be drawn
  Index first = 0;

  /// The weight of a token; 0 where it may not be drawn. No branches, so that a GPU reads for several tokens at a time.
  [[nodiscard]] GRAFT_HOST_DEVICE double operator()(Index j) const {
    double const own = weights[j];
    bool const below = key_of(row[j]) < least_key, light = own < least, equal = own == cut, before = j < first;
    return below | light | (equal & before) ? 0 : own;
  }

  template <class Team>
  GRAFT_HOST_DEVICE void keep_top_k(Team const& team, Index k) {
    auto const all = *this;
    auto const logit_key = [=](Index j) { return key_of(all.row[j]); };
    auto const last = select_key(
        team, size, key_digits<Scalar>, 0, logit_key, [](Index) { return 1.0; },
        [=](double count, double) { return count >= static_cast<double>(k); });
    least_key = last.key;
  }
  template <class Team>
  GRAFT_HOST_DEVICE void keep_top_p(Team const& team, double top_p) {
    auto const all = *this;
    auto const logit_key = [=](Index j) { return key_of(all.row[j]); };
    auto const last = select_key(team, size, key_digits<Scalar>, 0, logit_key, all,
                                 [=](double mass, double total) { return mass >= top_p * total; });
    double const total = last.total;
    double const equal = team.max(size, [=](Index j) { return logit_key(j) == last.key ? all(j) : 0; });
    least = equal;
    auto const bin = [=](Index j) {
      double const own = all(j);
      return own > equal ? 1 : own == equal ? 0 : -1;
    };
    // how many tokens weigh as much, and the sum of those that weigh more
    Bins const bins = team.bins(size, bin, [=](Index j) { return all(j) > equal ? all(j) : 1; });
    if (!(bins.sums[0] > 1)) return;
    cut = equal;
    auto const token_key = [](Index j) { return static_cast<std::uint64_t>(j); };
    auto const weight = [=](Index j) { return all(j) == equal ? equal : 0; };
    auto const tied = select_key(team, size, key_digits_of(size - 1), bins.sums[1], token_key, weight,
                                 [=](double mass, double) { return mass >= top_p * total; });
    first = static_cast<Index>(tied.key);
  }
  /// The token at this quantile, by ascending token.
  template <class Team>
  [[nodiscard]] GRAFT_HOST_DEVICE Index drawn(Team const& team, double uniform) const {
    auto const last = static_cast<std::uint64_t>(size - 1);
    auto const ascending = [=](Index j) { return last - static_cast<std::uint64_t>(j); };
    auto const found = select_key(team, size, key_digits_of(size - 1), 0, ascending, *this,
                                  [=](double mass, double total) { return mass > uniform * total; });
    return static_cast<Index>(last - found.key);
  }
};

template <class Scalar>
struct SampleTokens {
  Scalar const* x;
  Index width;
  double const *sums, *weights, *uniforms;
  Index draws;
  SamplingRule rule;
  double* y;

  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Index const r = i / draws;
    Scalar const* const row = x + r * width;
    double const log_sum = sums[2 * r + 1];
    // where the sum is NaN, some token is drawn all the same
    SamplingCandidates<Scalar> candidates{row, weights + r * width, width};
    if (rule.top_k > 0 && rule.top_k < width) candidates.keep_top_k(team, rule.top_k);
    if (rule.top_p < 1) candidates.keep_top_p(team, rule.top_p);
    if (candidates.least < rule.min_p) candidates.least = rule.min_p;
    Index const token = candidates.drawn(team, uniforms[i]);
    double const log_probability = static_cast<double>(row[token]) - log_sum;
    team.map(y + 2 * i, 2, [=](Index n) { return n == 0 ? log_probability : static_cast<double>(token); });
  }
};

}  // namespace generic

template <class Device, class Scalar>
void SampleTokens<Device, Scalar>::sample_tokens(In logits, Index rows, Index vocabulary, Numbers uniforms, Index draws,
                                                 SamplingRule const& rule, Out y) {
  using Loop = Loops<Device>;
  using Math = typename Loop::Math;
  char const* const name = "sample_tokens";
  typename Loop::template Room<double> sums(2 * rows), weights(rows * vocabulary);
  RowTeam<Device>::each_row(name, rows, vocabulary,
                            generic::LogSums<Math, Scalar>{raw(logits), vocabulary, raw(sums.data())});
  Loop::map_rows(name, rows, vocabulary, weights.data(),
                 generic::SamplingWeight<Scalar>{raw(logits), vocabulary, raw(sums.data()), rule.temperature});
  RowTeam<Device>::each_row(name, rows * draws, vocabulary,
                            generic::SampleTokens<Scalar>{raw(logits), vocabulary, raw(sums.data()),
                                                          raw(weights.data()), raw(uniforms), draws, rule, raw(y)});
}

extern template struct SampleTokens<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct SampleTokens<Cuda, double>;

}  // namespace graft::kernels
