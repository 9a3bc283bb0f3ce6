// expect: an encoder-only architecture has no target
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/bert.hpp>

#ifdef CORRECT
using Strategy = graft::PrefixTuning;
#else
using Strategy = graft::InfixTuning;
#endif

void misuse(graft::Base<graft::Bert> const& base) { (void)graft::adapt(base, Strategy{}); }
