// expect: a table of adapters cannot be part of a composition
#include <graft/adaptation/adapter_table.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

#ifdef CORRECT
using Part = graft::LoRA;
#else
using Part = graft::AdapterTable;
#endif

void misuse(graft::Base<graft::Gpt2> const& base) {
  (void)graft::adapt(base, graft::compose(graft::IA3{}, graft::compose(Part{})));
}
