// The programs of docs/architectures.md and docs/strategies/classification_head.md.
#include <graft/graft.hpp>

#include "docs/tiny_model.hpp"

namespace {

class Architectures : public docs::Docs {
 protected:
  Architectures() {
    docs::write_model<graft::Bart>("bart");
    docs::write_model<graft::Bert>("MiniLM");
  }
};

TEST_F(Architectures, EncoderDecoder) {
  std::vector<graft::TokenizedExample> const pairs{{.source = {5, 9, 3}, .target = {7, 2}, .id = 0},
                                                   {.source = {4, 4}, .target = {1, 8, 2}, .id = 1}};
  //! [encoder-decoder]
  auto base = graft::load_pretrained<graft::Bart>("bart");
  auto model =
      graft::adapt(base, graft::PrefixTuning{.length = 20, .init_deviation = 0.02});  // in all three attentions
  graft::Trainer(graft::Training{.epochs = 3, .learning_rate = 1e-2}).fit(model, pairs);
  auto const texts =
      graft::generate(model, {{5, 9, 3}}, graft::BeamSearch{.max_new_tokens = 8, .end_tokens = {2}, .beams = 4});
  //! [encoder-decoder]
  EXPECT_EQ(model.parameter_counts().trainable, 20 * (3 + 3 + 3) * 2 * 32);
  EXPECT_FALSE(texts[0][0].tokens.empty());
}

TEST_F(Architectures, Classifier) {
  std::vector<graft::TokenizedExample> const rows{{.source = {5, 9, 3}, .target = {1}, .id = 0},
                                                  {.source = {4, 4}, .target = {0}, .id = 1}};
  //! [classifier]
  auto base = graft::load_pretrained<graft::Bert>("MiniLM");
  auto model = graft::adapt(base, graft::compose(graft::LoRA{.rank = 8}, graft::ClassificationHead{.labels = 2}));
  graft::Trainer(graft::Training{.epochs = 40, .learning_rate = 2e-2}).fit(model, rows);
  std::vector<graft::Token> const classes = graft::classify(model, rows);  // {1, 0}
  //! [classifier]
  EXPECT_EQ(classes, (std::vector<graft::Token>{1, 0}));
  EXPECT_EQ(graft::accuracy(classes, {1, 0}), 1.0);
  EXPECT_EQ(graft::matthews_correlation(classes, {1, 0}), 1.0);
  EXPECT_EQ(graft::matthews_correlation({0, 0, 0}, {1, 0, 1}), 0.0);
  EXPECT_NEAR(graft::matthews_correlation({1, 1, 0, 0, 1}, {1, 0, 0, 0, 1}), 0.6666666667, 1e-9);
  //! [p-tuning v2]
  auto p_tuning_v2 = graft::adapt(
      base, graft::compose(graft::PrefixTuning{.length = 20, .reparametrization = graft::Mlp{.hidden = 64}},
                           graft::ClassificationHead{.labels = 2}));
  //! [p-tuning v2]
  EXPECT_EQ(p_tuning_v2.parameters().size(), 5U + 2U);
}

TEST_F(Architectures, SavedAsAFolderAgain) {
  auto const base = graft::load_pretrained<graft::Bart>("bart");
  auto model = graft::adapt(base, graft::LoRA{.rank = 2});
  for (auto* parameter : model.parameters()) {
    auto value = parameter->mutable_value();
    for (graft::Index i = 0; i < value.size(); ++i) value.data()[i] += 0.1F;
  }
  auto const merged = graft::merge(model);
  graft::save_pretrained(merged, "merged");
  auto const again = graft::load_pretrained<graft::Bart>("merged");
  auto expected = graft::adapt(merged, graft::NoAdaptation{}), got = graft::adapt(again, graft::NoAdaptation{});
  auto const batch = got.pack({{.source = {5, 9, 3}, .target = {7, 2}}});
  graft::NoGrad no_grad;
  auto const a = got.logits(batch).value(), b = expected.logits(batch).value();
  EXPECT_TRUE(std::equal(a.data(), a.data() + a.size(), b.data()));
}

}  // namespace
