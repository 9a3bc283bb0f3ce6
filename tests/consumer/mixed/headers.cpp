// This source instantiates the kernels itself; main.cpp takes them from graft::compiled.
#include <graft/kernels/elementwise.hpp>

#ifdef GRAFT_COMPILED
#error "this source is to see the headers' own definitions"
#endif

double twice(double value) {
  double result = 0;
  graft::kernels::scale(graft::Cpu{}, &value, 2.0, &result, 1);
  return result;
}
