// Tables of adapters on the other architectures.
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/generate/generate.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

#include "adapter_table.hpp"

namespace {

using graft::Index;

template <class A>
tables::Table<A, double> mixed() {
  tables::Table<A, double> table;
  for (Index i = 0; i < 2; ++i) {
    table.add(graft::PrefixTuning{.length = 2 + i});
    table.add(graft::PromptTuning{.length = 3 - i});
    table.add(graft::LoRA{.rank = 2, .dropout = 0.3 * static_cast<double>(i)});
    table.add(graft::BottleneckAdapter{
        .bottleneck = 3, .placement = i ? graft::AdapterPlacement::houlsby : graft::AdapterPlacement::between_layers});
    table.add(graft::IA3{});
  }
  return table;
}
template <class A>
void check() {
  auto table = mixed<A>();
  auto examples = tables::a_row_each<A>(10);
  examples.push_back(tables::example<A>(20, -1, 4, 2));
  examples.push_back(tables::example<A>(21, 1, 3, 3));
  tables::check_against_alone(table, examples, false, false, 1e-12);
  tables::check_against_alone(table, examples, true, true, 1e-12);
}
TEST(AdapterTable, OfLlama) { check<graft::Llama>(); }
TEST(AdapterTable, OfT5) { check<graft::T5>(); }
TEST(AdapterTable, OfBart) { check<graft::Bart>(); }
TEST(AdapterTable, OfBert) { check<graft::Bert>(); }

template <class A>
void check_generation() {
  auto table = mixed<A>();
  std::vector<Index> const adapters{0, 1, 2, 3, 4, -1, 6, 5};
  std::vector<std::vector<graft::Token>> prompts;
  for (std::size_t p = 0; p < adapters.size(); ++p)
    prompts.push_back(tables::example<A>(p, 0, static_cast<int>(2 + p % 4), 1).source);
  graft::BeamSearch settings{.max_new_tokens = 5, .adapters = adapters, .beams = 3};
  auto const together = graft::generate(table.model, prompts, settings, 9);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    settings.adapters = {adapters[p]};
    auto const alone = graft::generate(table.model, {prompts[p]}, settings);
    EXPECT_EQ(together[p][0].tokens, alone[0][0].tokens) << "prompt " << p;
    EXPECT_NEAR(together[p][0].score, alone[0][0].score, 1e-10);
  }
}
TEST(AdapterTable, GeneratesWithAnEncoder) {
  check_generation<graft::T5>();
  check_generation<graft::Bart>();
}
TEST(AdapterTable, GeneratesWithRotaryPositions) { check_generation<graft::Llama>(); }

}  // namespace
