// The headers alone: nothing but graft::graft is linked.
#include <graft/core/error.hpp>
#include <graft/kernels/elementwise.hpp>

#include <iostream>

#ifdef GRAFT_COMPILED
#error "graft::graft must not define GRAFT_COMPILED"
#endif

int main() {
  float const a[3] = {1, 2, 3};
  float sum[3] = {};
  graft::kernels::On<graft::Cpu, graft::kernels::Elementwise, float>::add(a, a, sum, 3);
  try {
    graft::fail<graft::ShapeError>("[consumer] got ", sum[2]);
  } catch (graft::Error const& error) {
    std::cout << error.what() << '\n';
    return std::string(error.what()) == "[consumer] got 6" ? 0 : 1;
  }
}
