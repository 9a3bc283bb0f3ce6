// expect: a classifier has no text to generate
#include <graft/generate/generate.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>

#ifdef CORRECT
using Architecture = graft::Bart;
#else
using Architecture = graft::Bert;
#endif

void misuse(graft::Base<Architecture> const& base) {
  auto model = graft::adapt(base, graft::NoAdaptation{});
  (void)graft::generate(model, {{1, 2}}, graft::Greedy{});
}
