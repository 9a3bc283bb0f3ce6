// Batches that hold what examples have in common once, and trainings on them.
#include <graft/adaptation/lora.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/llama.hpp>
#include <graft/train/trainer.hpp>

#include "sharing.hpp"

namespace {

using graft::Bart;
using graft::Batch;
using graft::Index;
using graft::Llama;
using sharing::pass;
using sharing::references;

TEST(SharedRows, HoldEveryCommonBeginningOnce) {
  Batch const batch = graft::pack_causal_shared(references());
  ASSERT_EQ(batch.rows.count(), 2 + 9);
  EXPECT_EQ(batch.rows.parent, (std::vector<Index>{-1, 0, 1, 0, -1, 1, 1, -1, 0, 0, 1}));
  EXPECT_EQ(batch.rows.length(0), 9);
  EXPECT_EQ(batch.rows.length(1), 5) << "the last source token is each example's own";
  EXPECT_EQ(batch.rows.positions[9], 9) << "goes on from its parent";
  EXPECT_TRUE(graft::pack_causal_shared({references()[0]}).rows.parent.empty());
  Batch const pair = graft::pack_encoder_decoder_shared(references(), 1);
  EXPECT_EQ(pair.source.count(), 5);
  EXPECT_EQ(pair.source_of, (std::vector<Index>{0, 1, 2, 0, 0, 3, 4, 1, 0}));
}

/// A pass holds no more tokens than it may, also where sources are too short to be shared, or of different adapters.
TEST(SharedRows, KeepToTheTokensOfAPass) {
  auto const model = graft::adapt(small::base<Llama, double>(), graft::LoRA{.rank = 2});
  std::vector<graft::TokenizedExample> short_ones, of_adapters;
  for (std::uint64_t i = 0; i < 20; ++i) {
    short_ones.push_back({sharing::random_tokens(8, i / 2), {5}, i});
    of_adapters.push_back({sharing::random_tokens(30, 1), {5}, i, {}, static_cast<Index>(i)});
  }
  for (auto const& examples : {short_ones, of_adapters})
    for (std::size_t next = 0; next < examples.size();)
      EXPECT_LE(graft::next_pass(model, examples, next, 90, true).rows.tokens(), 90);
  auto const by_source = graft::examples_by_source(short_ones);
  std::vector<Index> all(20);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Index>(i);
  for (auto const& indices : graft::divide_by_source(all, graft::row_lengths(short_ones), by_source, 20, 90))
    EXPECT_LE(graft::pack_selected(model, short_ones, indices, true).rows.tokens(), 90);
  std::size_t next = 0;
  EXPECT_EQ(graft::next_pass(model, references(), next, 2048, true).rows.count(), 2 + 9) << "all that fits";
}

/// Dropout draws other numbers for every row, those of beginnings included.
TEST(SharedRows, HaveRandomNumbersOfTheirOwn) {
  auto const batch = graft::pack_causal_shared(references());
  auto examples = batch.rows.examples;
  std::sort(examples.begin(), examples.end());
  EXPECT_EQ(std::unique(examples.begin(), examples.end()), examples.end());
  auto model = graft::adapt(small::base<Llama, double>(), graft::LoRA{.rank = 2, .dropout = 0.4}, 3);
  small::disturb(model);
  sharing::expect_same(pass(model, batch), pass(model, batch, true), "recomputed");
  auto turned = references();
  std::reverse(turned.begin(), turned.end());
  EXPECT_NEAR(pass(model, model.pack_shared(turned)).loss, pass(model, batch).loss, 1e-12) << "in another order";
  EXPECT_GT(std::abs(pass(model, batch).loss - pass(model, model.pack(references())).loss), 1e-6);
}

/// Steps that see all examples do not depend on their order: the parameters end where they do without sharing.
template <graft::Architecture A>
void check_training() {
  auto const trained = [](bool share) {
    auto model = graft::adapt(small::base<A, double>(), graft::LoRA{.rank = 2}, 3);
    small::disturb(model);
    graft::Training settings{.epochs = 3, .batch = 3, .accumulate = 3, .max_tokens = 30, .share_sources = share};
    settings.learning_rate = 1e-2, settings.epsilon = 1e-3, settings.progress = false;
    auto const report = graft::Trainer(settings).fit(model, references(), references());
    return sharing::numbers_of(report, model);
  };
  auto const got = trained(true), expected = trained(false);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-9) << A::model_type << ", " << i;
}
TEST(SharedRows, TrainToTheSameParameters) {
  check_training<Llama>();
  check_training<Bart>();
}

}  // namespace
