// expect: would silently get no gradient
#include <graft/autograd/variable.hpp>

struct Halves {
  graft::Variable<float> left, right;

#ifdef CORRECT
  [[nodiscard]] bool tracked() const { return left.tracked() || right.tracked(); }
#endif
};

bool misuse(Halves const& halves) { return graft::needs_gradient(halves); }
