// The largest of many errors, where one that is no number must not be passed over, as std::max does.
#pragma once

#include <cmath>

namespace graft::testing {

/// The larger of `worst` and `error`; not a number once either is none, so that every comparison with the result fails.
inline double worse(double worst, double error) { return std::isnan(worst) || error <= worst ? worst : error; }

}  // namespace graft::testing
