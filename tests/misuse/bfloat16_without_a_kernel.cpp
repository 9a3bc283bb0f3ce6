// expect: this kernel does not exist for bfloat16 or half
#include <graft/ops/activation.hpp>
#include <graft/ops/cast.hpp>
#include <graft/ops/dropout.hpp>

using Activations = graft::Variable<graft::bfloat16>;

Activations misuse(Activations const& x) {
#ifdef CORRECT
  return graft::cast<graft::bfloat16>(graft::dropout(graft::cast<float>(x), 0.1, {0, 1}, {0}, graft::RandomKey(0)));
#else
  return graft::dropout(x, 0.1, {0, 1}, {0}, graft::RandomKey(0));
#endif
}
