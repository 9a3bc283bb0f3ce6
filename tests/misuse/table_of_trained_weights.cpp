// expect: an adapter of a table may not train the model's own weights
#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/gpt2.hpp>

#ifdef CORRECT
using Mine = graft::LoRA;
#else
using Mine = graft::BitFit;
#endif

void misuse(graft::TableModel<graft::Gpt2>& table) { graft::add_adapter(table, Mine{}); }
