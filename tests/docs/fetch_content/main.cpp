// Differentiates Σ w².
#include <graft/ops/residual.hpp>
#include <graft/ops/sum.hpp>

int main() {
  graft::Parameter<float> w("w", graft::full(graft::Shape{3}, 2.0F));
  graft::backward(graft::sum(graft::multiply(w.variable(), w.variable())));
  return w.gradient().data()[0] == 4.0F ? 0 : 1;
}
