/// @file
/// @brief The most probable tokens on every device: one pass over a row for each of them.
#pragma once

#include <cmath>

#include <graft/kernels/generic/log_sum.hpp>
#include <graft/kernels/top_tokens.hpp>

namespace graft::kernels {

namespace generic {

/// A token by its logit. The worst of all, −∞, stands for none.
template <class Scalar>
struct RankedToken {
  Scalar value;
  Index token;

  RankedToken() = default;
  GRAFT_HOST_DEVICE explicit RankedToken(double worst) : value(static_cast<Scalar>(worst)), token(-1) {}
  GRAFT_HOST_DEVICE RankedToken(Scalar logit, Index of) : value(logit), token(of) {}
  /// Whether `b` ranks before `a`; of equal logits the lower token does.
  GRAFT_HOST_DEVICE friend bool operator<(RankedToken const& a, RankedToken const& b) {
    return a.value < b.value || (a.value == b.value && b.token >= 0 && b.token < a.token);
  }
};

template <class Math, class Scalar>
struct TopTokens {
  Scalar const* x;
  Index width, count;
  Scalar* y;

  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    using Ranked = RankedToken<Scalar>;
    Scalar const* const row = x + i * width;
    Scalar* const to = y + i * (1 + 2 * count);
    Scalar const log_sum = LogSum<Math, Scalar>(row, width, team).value;
    team.map(to, 1, [=](Index) { return log_sum; });
    Ranked last(HUGE_VAL);
    for (Index n = 0; n < count; ++n) {
      last = team.max(width, [=](Index j) {
        Ranked const own(row[j], j);
        return own < last ? own : Ranked(-HUGE_VAL);
      });
      bool const found = last.value > static_cast<Scalar>(-HUGE_VAL);
      team.map(to + 1 + n, 1, [=](Index) { return last.value; });
      team.map(to + 1 + count + n, 1, [=](Index) { return found ? static_cast<Scalar>(last.token) : Scalar(-1); });
    }
  }
};

}  // namespace generic

template <class Device, class Scalar>
void TopTokens<Device, Scalar>::top_tokens(In logits, Index rows, Index vocabulary, Index count, Out y) {
  using Math = typename Loops<Device>::Math;
  RowTeam<Device>::each_row("top_tokens", rows, vocabulary,
                            generic::TopTokens<Math, Scalar>{raw(logits), vocabulary, count, raw(y)});
}

extern template struct TopTokens<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct TopTokens<Cuda, double>;

}  // namespace graft::kernels
