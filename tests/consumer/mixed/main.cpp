#include <graft/kernels/elementwise.hpp>

#ifndef GRAFT_COMPILED
#error "graft::compiled must define GRAFT_COMPILED"
#endif

double twice(double value);

int main() {
  double const value = 21;
  double result = 0;
  graft::kernels::scale(graft::Cpu{}, &value, 2.0, &result, 1);
  return result == twice(value) && result == 42 ? 0 : 1;
}
