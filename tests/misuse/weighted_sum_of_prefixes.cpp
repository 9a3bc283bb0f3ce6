// expect: weighted sums of adapters are defined for LoRA and for (IA)³ alone
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/models/combine.hpp>
#include <graft/models/gpt2.hpp>

#ifdef CORRECT
using Strategy = graft::LoRA;
#else
using Strategy = graft::PrefixTuning;
#endif

void misuse(graft::Base<graft::Gpt2> const& base) {
  graft::AdapterSet<graft::Transformer<graft::Gpt2, Strategy>> adapters;
  adapters.add("one", graft::adapt(base, Strategy{}));
  (void)graft::combine(adapters, {{"one", 0.5}});
}
