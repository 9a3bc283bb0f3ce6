// What `inspect` calls queries and keys, and that looking changes nothing. The numbers that it shows are compared with
// the plain model's for every strategy in tests/model/reference_comparison.hpp.
#include <gtest/gtest.h>

#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/inspect/inspect.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "model/small_model.hpp"
#include "support/refusals.hpp"

namespace {

// Which key is what: [prefix] [prompt] [source but one] [infix tokens] [last source token] [target] [infix keys].
TEST(Inspection, NamesQueriesAndKeys) {
  using namespace graft;
  auto model = adapt(small::base<Gpt2, double>(),
                     compose(PromptTuning{.length = 2}, PrefixTuning{.length = 1}, InfixTuning{.length = 2},
                             EmbeddingOnly{.length = 1, .place = Place::infix, .init = Init::normal}));
  auto const found = inspect(model, pack({{{5, 6, 7}, {8, 9}, 0}}), {.attention = true, .states = false});
  EXPECT_TRUE(found.states.empty());
  std::vector<SeenToken> const tokens{
      {SeenKind::virtual_token, 0}, {SeenKind::virtual_token, 1}, {SeenKind::source, 0, 5}, {SeenKind::source, 1, 6},
      {SeenKind::virtual_token, 2}, {SeenKind::source, 2, 7},     {SeenKind::target, 3, 8}};
  auto keys = tokens;
  keys.insert(keys.begin(), {SeenKind::prefix, 0});
  keys.push_back({SeenKind::infix, 0}), keys.push_back({SeenKind::infix, 1});
  ASSERT_EQ(found.attention.size(), 3u);
  for (auto const& map : found.attention) {
    EXPECT_EQ(map.queries, tokens);
    EXPECT_EQ(map.keys, keys);
    // a source token before the insertion sees no infix; the target sees all
    EXPECT_EQ(attention_mass(map, SeenKind::infix).row(0)[3], 0);
    EXPECT_GT(attention_mass(map, SeenKind::infix).row(0)[6], 0);
    double sum = 0;
    for (auto kind : {SeenKind::prefix, SeenKind::infix, SeenKind::virtual_token, SeenKind::source, SeenKind::target})
      sum += mean_attention_mass(map, kind, SeenKind::target).at(1);
    EXPECT_NEAR(sum, 1, 1e-12);
  }
  EXPECT_TRUE(mean_attention_mass(found.attention[0], SeenKind::prefix, SeenKind::infix).empty());
}

// Nothing is recorded, dropout does not act, and the numbers of a pass are the same with and without an observer.
TEST(Inspection, LeavesThePassAsItIs) {
  using namespace graft;
  auto model = adapt(small::base<Llama, double>(), PrefixTuning{.length = 3, .dropout = 0.5});
  auto batch = model.pack(small::examples());
  auto const plain = [&] {
    NoGrad no_grad;
    return model.hidden_states(batch).value();
  };
  auto const before = plain();
  auto training = batch;
  training.rows.training = training.rows.recompute = true;
  auto const found = inspect(model, training), again = inspect(model, batch);
  ASSERT_EQ(found.attention.size(), again.attention.size());
  for (std::size_t i = 0; i < found.attention.size(); ++i)
    for (Index k = 0; k < found.attention[i].weights.size(); ++k)
      ASSERT_EQ(found.attention[i].weights.data()[k], again.attention[i].weights.data()[k]);
  auto const after = plain();
  for (Index i = 0; i < before.size(); ++i) ASSERT_EQ(before.data()[i], after.data()[i]);
  // without `every_query` the last layer shows the queries that it computes, between the first and the last target
  NoGrad no_grad;
  Index last = 0, targets = batch.rows.targets.size();
  decltype(model)::Observer observer;
  observer.states = [&](auto const& seen) { last = seen.states.rows(); };
  static_cast<void>(model.hidden_states(batch, nullptr, &observer));
  EXPECT_EQ(last, targets);
}

TEST(Inspection, WantsEveryRowWhole) {
  using namespace graft;
  auto const refused = [](auto const& model) {
    std::vector<TokenizedExample> const same(3, {std::vector<Token>(12, 4), {5}, 0});
    return graft::testing::message_of<Error>([&] { (void)inspect(model, model.pack_shared(same)); });
  };
  EXPECT_EQ(refused(adapt(small::base<Llama, double>(), PrefixTuning{.length = 3})),
            "[inspect] got rows that share their first tokens; expected each with its own; hint: the model's pack in "
            "place of pack_shared");
  EXPECT_EQ(refused(adapt(small::base<Bart, double>(), PrefixTuning{.length = 3})),
            "[inspect] got rows that share sources; expected each with its own; hint: the model's pack in place of "
            "pack_shared");
}

TEST(Inspection, StateNorms) {
  graft::LayerStates layer;
  layer.states = graft::tensor_of<double>(graft::Shape{2, 2}, std::vector<double>{3, 4, 0, 2});
  EXPECT_EQ(graft::state_norms(layer), (std::vector<double>{5, 2}));
}

}  // namespace
