// What `inspect` shows against the plain model, which keeps its softmax: GPT-2, LLaMA and BERT with strategies that add
// to rows, change products, states and weights.
#include <gtest/gtest.h>

#include <graft/inspect/inspect.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "model/reference_twin.hpp"

namespace {

using graft::compose, graft::Index, graft::SeenKind;

/// Every weight of every layer, head, row and query, and every state.
template <graft::Architecture A, class Settings>
void agrees(std::string const& name, Settings const& settings) {
  SCOPED_TRACE(std::string(A::model_type) + ", " + name);
  auto model = graft::adapt(small::base<A, double>(), settings, 1);
  small::disturb(model);
  auto examples = small::examples();
  if (model.info().classifies)
    for (auto& example : examples) example.target = {0};
  auto const texts = reference::texts_of(model, examples);
  auto const plain = reference::twin(model);
  auto const found = graft::inspect(model, model.pack(examples));
  auto const layers = static_cast<std::size_t>(model.config().layers),
             heads = static_cast<std::size_t>(model.config().heads);
  ASSERT_EQ(found.attention.size(), layers * texts.size());
  ASSERT_EQ(found.states.size(), (layers + 1) * texts.size());
  for (std::size_t row = 0; row < texts.size(); ++row) {
    auto read = texts[row];
    if (!model.info().classifies) read.tokens.pop_back();  // the last target is not read
    reference::Trace trace;
    auto const all = reference::states(plain, read, &trace);
    for (auto const& map : found.attention) {
      if (map.row != static_cast<Index>(row)) continue;
      ASSERT_EQ(map.weights.shape()[1], static_cast<Index>(all.positions.size()));
      for (std::size_t h = 0; h < heads; ++h) {
        auto const& expected = trace.attention[static_cast<std::size_t>(map.at.layer) * heads + h];  // [T, P + T + I]
        ASSERT_EQ(map.weights.shape()[2], expected.cols());
        for (Eigen::Index q = 0; q < expected.rows(); ++q)
          for (Eigen::Index k = 0; k < expected.cols(); ++k)
            ASSERT_NEAR(map.weights.data()[(static_cast<Index>(h) * expected.rows() + q) * expected.cols() + k],
                        expected(q, k), 1e-10)
                << "layer " << map.at.layer << ", head " << h << ", query " << q << ", key " << k;
      }
    }
    for (auto const& layer : found.states) {
      if (layer.row != static_cast<Index>(row)) continue;
      auto const& expected = trace.states[static_cast<std::size_t>(layer.at.layer + 1)];  // [T, C]
      ASSERT_EQ(layer.states.rows(), expected.rows());
      for (Eigen::Index t = 0; t < expected.rows(); ++t)
        for (Eigen::Index c = 0; c < expected.cols(); ++c)
          ASSERT_NEAR(layer.states.row(t)[c], expected(t, c), 1e-10 * expected.cwiseAbs().maxCoeff());
    }
  }
}

template <class A>
class InspectionReference : public testing::Test {};
using Decoders = testing::Types<graft::Gpt2, graft::Llama>;
TYPED_TEST_SUITE(InspectionReference, Decoders);

TYPED_TEST(InspectionReference, WeightsAndStatesAreThePlainModels) {
  using namespace graft;
  agrees<TypeParam>("none", NoAdaptation{});
  agrees<TypeParam>("prefix", PrefixTuning{.length = 3});
  agrees<TypeParam>("prefix in one layer", PrefixTuning{.length = 2, .layers = {1}});
  agrees<TypeParam>("infix", InfixTuning{.length = 2});
  agrees<TypeParam>("prompt", PromptTuning{.length = 3});
  agrees<TypeParam>("embedding-only infix", EmbeddingOnly{.length = 2, .place = Place::infix, .init = Init::normal});
  agrees<TypeParam>("P-tuning", PTuning{.length = 2, .hidden = 3});
  agrees<TypeParam>("LoRA", LoRA{.rank = 2});
  agrees<TypeParam>("(IA)³", IA3{});
  agrees<TypeParam>("houlsby", BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::houlsby});
  agrees<TypeParam>("parallel", ParallelAdapter{.bottleneck = 2});
  agrees<TypeParam>("full", FullFineTuning{});
  agrees<TypeParam>("all that adds to rows",
                    compose(PromptTuning{.length = 2}, PrefixTuning{.length = 2}, InfixTuning{.length = 1}));
}

TEST(InspectionReference, Bert) {
  using namespace graft;
  agrees<Bert>("none", NoAdaptation{});
  agrees<Bert>("prefix and head", compose(PrefixTuning{.length = 3}, ClassificationHead{}));
  agrees<Bert>("prompt", PromptTuning{.length = 2});
}

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

TEST(Inspection, StateNorms) {
  graft::LayerStates layer;
  layer.states = graft::tensor_of<double>(graft::Shape{2, 2}, std::vector<double>{3, 4, 0, 2});
  EXPECT_EQ(graft::state_norms(layer), (std::vector<double>{5, 2}));
}

}  // namespace
