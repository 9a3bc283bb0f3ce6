// Several threads use one model, and train models of their own over one base: the bits are those of one thread alone.
#include <thread>

#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/generate/generate.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/train/trainer.hpp>

#include "adapter_table.hpp"

namespace {

using graft::Index;

constexpr std::size_t threads = 8;

/// f(i) of every thread, all at the same time.
template <class F>
auto at_once(F const& f) {
  std::vector<decltype(f(std::size_t{0}))> results(threads);
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) running.emplace_back([&, i] { results[i] = f(i); });
  for (auto& thread : running) thread.join();
  return results;
}

struct Results {
  graft::Tensor<float> scores, logits;
  graft::Generations texts;

  friend bool operator==(Results const& a, Results const& b) {
    bool same = invariants::same_bits(a.scores, b.scores) && invariants::same_bits(a.logits, b.logits) &&
                a.texts.size() == b.texts.size();
    for (std::size_t p = 0; same && p < a.texts.size(); ++p)
      for (std::size_t t = 0; t < a.texts[p].size(); ++t)
        same = same && a.texts[p][t].tokens == b.texts[p][t].tokens && a.texts[p][t].score == b.texts[p][t].score;
    return same;
  }
};

/// What thread `i` computes: rows, a step and prompts of its own.
template <class Model>
Results use(Model const& model, std::size_t i, std::vector<Index> const& adapters) {
  auto examples = tables::a_row_each<typename Model::architecture>(4);
  for (std::size_t r = 0; r < examples.size(); ++r) {
    examples[r].id += i;
    examples[r].adapter = adapters[(r + i) % adapters.size()];
  }
  auto batch = model.pack(examples);
  batch.rows.step = i;
  batch.rows.training = true;
  batch.rows.recompute = i % 2 == 0;
  Results results;
  results.scores = graft::clone(model.scores(batch).log_probability.value());
  results.logits = invariants::logits_of(model, batch);
  std::vector<Index> const of_prompts{adapters[i % adapters.size()], adapters[(i + 1) % adapters.size()]};
  results.texts = graft::generate(model, {examples[0].source, examples[1].source},
                                  graft::BeamSearch{.max_new_tokens = 4, .adapters = of_prompts, .beams = 2});
  return results;
}
template <class Model>
void check_use(Model const& model, std::vector<Index> const& adapters = {0}) {
  std::vector<Results> alone;
  for (std::size_t i = 0; i < threads; ++i) alone.push_back(use(model, i, adapters));
  for (int round = 0; round < 3; ++round) {
    auto const together = at_once([&](std::size_t i) { return use(model, i, adapters); });
    for (std::size_t i = 0; i < threads; ++i) EXPECT_TRUE(alone[i] == together[i]) << "thread " << i;
  }
}

TEST(Threads, ShareOneModel) {
  auto const gpt2 = small::base<graft::Gpt2, float>();
  auto prefix = graft::adapt(
      gpt2, graft::PrefixTuning{.length = 2, .reparametrization = graft::Mlp{.hidden = 4}, .dropout = 0.2});
  small::disturb(prefix);
  check_use(prefix);
  auto bart = graft::adapt(small::base<graft::Bart, float>(), graft::PromptTuning{.length = 2});
  small::disturb(bart);
  check_use(bart);
}
TEST(Threads, ShareOneTableOfAdapters) {
  tables::Table<graft::Gpt2, float> table;
  table.add(graft::PrefixTuning{.length = 2, .reparametrization = graft::Mlp{.hidden = 4}});
  table.add(graft::LoRA{.rank = 2, .dropout = 0.2});
  table.add(graft::PromptTuning{.length = 2});
  check_use(table.model, {0, 1, 2, -1});
}

template <class Settings>
std::vector<graft::Tensor<float>> trained(graft::Base<graft::Gpt2, float> const& base, Settings const& settings,
                                          std::size_t i) {
  auto model = graft::adapt(base, settings, i);
  auto examples = tables::a_row_each<graft::Gpt2>(6);
  for (auto& example : examples) example.adapter = 0;
  graft::Trainer({.epochs = 2, .batch = 3, .recompute = i % 2 == 1, .learning_rate = 0.01, .seed = i})
      .fit(model, examples);
  std::vector<graft::Tensor<float>> values;
  for (auto* parameter : model.parameters()) values.push_back(graft::clone(parameter->value()));
  return values;
}
TEST(Threads, TrainModelsOfTheirOwnOverOneBase) {
  auto const base = small::base<graft::Gpt2, float>();
  auto const train = [&](std::size_t i) {
    return i % 2 ? trained(base, graft::LoRA{.rank = 2, .dropout = 0.1}, i)
                 : trained(base, graft::PrefixTuning{.length = 2, .reparametrization = graft::Mlp{.hidden = 4}}, i);
  };
  std::vector<std::vector<graft::Tensor<float>>> alone;
  for (std::size_t i = 0; i < threads; ++i) alone.push_back(train(i));
  auto const together = at_once(train);
  for (std::size_t i = 0; i < threads; ++i)
    for (std::size_t p = 0; p < alone[i].size(); ++p)
      EXPECT_TRUE(invariants::same_bits(alone[i][p], together[i][p])) << "thread " << i;
}

}  // namespace
