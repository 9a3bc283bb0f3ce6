// States of layers that training never changes, kept from one epoch to the next.
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/llama.hpp>

#include "kept_training.hpp"
#include "support/refusals.hpp"

namespace {

using graft::Bart;
using graft::Bert;
using graft::ClassificationHead;
using graft::Index;
using graft::Llama;
using graft::LoRA;
using graft::TopLayers;

template <class A>
std::vector<graft::TokenizedExample> examples() {
  auto all = sharing::references();
  if (A::head == graft::HeadKind::classifier)
    for (auto& example : all) example.target = {static_cast<graft::Token>(example.id % 3)};
  return all;
}

TEST(FrozenStates, GiveTheSameTraining) {
  sharing::expect_the_same_when_kept<Llama>(TopLayers{.layers = 1}, examples<Llama>());
  sharing::expect_the_same_when_kept<Bart>(TopLayers{.layers = 1}, examples<Bart>());
  sharing::expect_the_same_when_kept<Bart>(TopLayers{.layers = 3}, examples<Bart>());  // the encoder alone stays
  sharing::expect_the_same_when_kept<Bert>(ClassificationHead{.labels = 3, .restart = true}, examples<Bert>());
}

/// A row that comes again is not computed below the trained layers: it stays as it was, whatever became of them.
TEST(FrozenStates, AreNotComputedAgain) {
  auto const base = std::make_shared<graft::Pretrained<Llama, double>>(*small::base<Llama, double>());
  auto model = graft::adapt(graft::Base<Llama, double>(base), TopLayers{.layers = 1});
  ASSERT_EQ(model.frozen_layers(), 2);
  auto const batch = model.pack(examples<Llama>());
  auto const scores = [&] { return graft::clone(model.scores(batch).log_probability.value()); };
  graft::NoGrad const no_grad;
  auto const plain = scores();
  model.keep_frozen_states(std::size_t{1} << 20);
  auto const first = scores();
  EXPECT_EQ(model.kept_bytes(), static_cast<std::size_t>(batch.rows.tokens() * 12) * sizeof(double) +
                                    static_cast<std::size_t>(batch.rows.count()) * 256);
  auto& norm = base->mutable_at({graft::Site::attention_norm, {graft::Stack::decoder, 0}});
  for (Index i = 0; i < norm.gain.size(); ++i) norm.gain.data()[i] *= 3;
  auto const again = scores();
  model.keep_frozen_states(0);
  auto const changed = scores();
  bool differs = false;
  for (Index i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(first.data()[i], plain.data()[i]);
    EXPECT_EQ(again.data()[i], plain.data()[i]);
    differs = differs || changed.data()[i] != plain.data()[i];
  }
  EXPECT_TRUE(differs);
}
TEST(FrozenStates, KeepToTheirRoom) {
  auto model = graft::adapt(small::base<Llama, double>(), TopLayers{.layers = 1});
  auto const batch = model.pack(examples<Llama>());
  graft::NoGrad const no_grad;
  auto const plain = model.scores(batch).log_probability.value();
  model.keep_frozen_states(3000);
  for (int times = 0; times < 2; ++times) {
    auto const scores = model.scores(batch).log_probability.value();
    for (Index i = 0; i < plain.size(); ++i) EXPECT_EQ(scores.data()[i], plain.data()[i]);
  }
  EXPECT_LE(model.kept_bytes(), 3000U);
  EXPECT_GT(model.kept_bytes(), 0U);
}
TEST(FrozenStates, AreThoseBelowTheLowestTrainedWeight) {
  auto const layers = [](auto const& base, auto const& strategy) {
    return graft::adapt(base, strategy).frozen_layers();
  };
  auto const llama = small::base<Llama, double>();
  EXPECT_EQ(layers(llama, TopLayers{.layers = 2}), 1);
  EXPECT_EQ(layers(llama, TopLayers{.layers = 3}), 0);
  EXPECT_EQ(layers(llama, LoRA{.rank = 2}), 0);
  EXPECT_EQ(layers(small::base<Bart, double>(), TopLayers{.layers = 1}), 2 + 2) << "the encoder's, too";
  EXPECT_EQ(layers(small::base<Bart, double>(), TopLayers{.layers = 3}), 2);
  EXPECT_EQ(layers(small::base<Bart, double>(), TopLayers{.layers = 1, .head = true}), 0)
      << "the head is the embedding";
  EXPECT_EQ(layers(small::base<Bert, double>(), ClassificationHead{.labels = 3, .restart = true}), 2);
}
TEST(FrozenStates, AreRefusedWhereThereAreNone) {
  auto model = graft::adapt(small::base<Llama, double>(), LoRA{.rank = 2});
  graft::Training settings{.epochs = 1, .keep_frozen = 5, .progress = false};
  EXPECT_EQ(graft::testing::message_of<graft::ConfigError>(
                [&] { graft::Trainer(settings).fit(model, sharing::references()); }),
            "[Trainer] got keep_frozen 5, but no layer stays as it is below the lowest that the strategy acts on; "
            "expected 0; hint: top_layers leaves the others as they are, infix the source's states");
  EXPECT_EQ(
      graft::testing::message_of<graft::ConfigError>(
          [&] { graft::Trainer({.epochs = 1, .share_sources = true, .keep_frozen = 5}); }),
      "[Training] got keep_frozen = 5; expected 0 beside share_sources, whose rows are cut in another way in every "
      "epoch");
}

}  // namespace
