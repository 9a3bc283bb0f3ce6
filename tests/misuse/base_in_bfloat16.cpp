// expect: a base's numbers are float or double
#include <graft/adaptation/none.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

#ifdef CORRECT
using Number = float;
#else
using Number = graft::bfloat16;
#endif

graft::ModelInfo const& misuse(graft::Pretrained<graft::Gpt2, Number> const& base) { return base.info(); }
