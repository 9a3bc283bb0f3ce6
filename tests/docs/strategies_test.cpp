// The programs of docs/strategies/: every strategy with the settings that its page shows.
#include <graft/graft.hpp>

#include "docs/tiny_model.hpp"

namespace {

class Strategies : public docs::Docs {
 protected:
  graft::Base<graft::Llama> base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  graft::Tokenizer tokenizer = graft::load_tokenizer("SmolLM2-135M");
};

/// A few steps of AdamW lower the loss.
template <class Model>
void expect_trains(Model&& model) {
  std::vector<graft::TokenizedExample> const examples{{.source = {5, 9, 3}, .target = {7, 2}, .id = 0},
                                                      {.source = {4, 4}, .target = {1, 8, 6}, .id = 1}};
  graft::AdamW<float> optimizer(model.parameters());
  double const before = graft::evaluate_loss(model, examples);
  for (std::uint64_t step = 0; step < 5; ++step) {
    graft::Batch batch = graft::pack(examples);
    batch.rows.step = step;
    batch.rows.training = true;
    graft::backward(
        graft::token_loss(model.scores(batch), batch.rows.targets, graft::target_weight(batch.rows.targets)));
    optimizer.step(3e-3);
    optimizer.clear_gradients();
  }
  EXPECT_LT(graft::evaluate_loss(model, examples), before);
}

TEST_F(Strategies, FullFineTuning) {
  //! [full]
  auto model = graft::adapt(base, graft::FullFineTuning{});
  auto const counts = model.parameter_counts();  // counts.trainable == counts.all
  //! [full]
  EXPECT_EQ(counts.trainable, counts.all);
  expect_trains(model);
}

TEST_F(Strategies, TopLayers) {
  //! [top layers]
  auto model = graft::adapt(base, graft::TopLayers{.layers = 2, .final_norm = true, .head = false});
  //! [top layers]
  EXPECT_EQ(model.parameters().size(), 2U * 9U + 1U);
  expect_trains(model);
}

TEST_F(Strategies, PrefixTuning) {
  //! [prefix]
  auto flat = graft::adapt(base, graft::PrefixTuning{.length = 10, .init_deviation = 0.02});
  auto mlp = graft::adapt(base, graft::PrefixTuning{.length = 10, .reparametrization = graft::Mlp{.hidden = 512}});
  //! [prefix]
  EXPECT_EQ(flat.parameter_counts().trainable, 10 * 2 * 3 * 16);
  EXPECT_EQ(mlp.parameters().size(), 5U);
  expect_trains(flat);
  expect_trains(mlp);
  //! [prefix words]
  std::vector<std::vector<graft::Token>> words;
  for (char const* word : {"describe", "the", "restaurant"}) words.push_back(tokenizer.encode(word));
  auto from_words =
      graft::adapt(base, graft::PrefixTuning{.length = 10, .init = graft::Init::words, .init_words = words});
  //! [prefix words]
  expect_trains(from_words);
  //! [prefix top layers]
  auto top =
      graft::adapt(base, graft::PrefixTuning{.length = 10, .init_deviation = 0.02, .dropout = 0.1, .layers = {1, 2}});
  //! [prefix top layers]
  EXPECT_EQ(top.parameter_counts().trainable, 10 * 2 * 2 * 16);
  expect_trains(top);
}

TEST_F(Strategies, PromptTuning) {
  //! [prompt]
  auto sampled = graft::adapt(base, graft::PromptTuning{.length = 20});  // starts at embeddings of common tokens

  std::vector<std::vector<graft::Token>> text;
  for (graft::Token token : tokenizer.encode("Describe the restaurant:")) text.push_back({token});
  auto worded = graft::adapt(base, graft::PromptTuning{.length = 20, .init = graft::Init::words, .init_words = text});

  std::vector<std::vector<graft::Token>> labels;
  for (char const* label : {"good", "bad"})
    labels.push_back(tokenizer.encode(label));  // a label of several tokens: their mean
  auto labelled = graft::adapt(
      base, graft::PromptTuning{
                .length = 20, .init = graft::Init::words, .init_words = labels, .fill_from_vocabulary = true});
  //! [prompt]
  EXPECT_EQ(sampled.virtual_tokens(), 20);
  for (auto* model : {&sampled, &worded, &labelled}) expect_trains(*model);
}

TEST_F(Strategies, InfixTuning) {
  //! [infix]
  auto model = graft::adapt(base, graft::InfixTuning{.length = 10, .init_deviation = 0.02});
  //! [infix]
  EXPECT_EQ(model.parameter_counts().trainable, 10 * 2 * 3 * 16);
  expect_trains(model);
}

TEST_F(Strategies, EmbeddingOnly) {
  //! [embedding only]
  auto front = graft::adapt(base, graft::EmbeddingOnly{.length = 10, .reparametrization = graft::Mlp{.hidden = 512}});
  auto infix = graft::adapt(base, graft::EmbeddingOnly{.length = 10, .place = graft::Place::infix});
  //! [embedding only]
  expect_trains(front);
  expect_trains(infix);
}

TEST_F(Strategies, BottleneckAdapter) {
  //! [adapter]
  auto between = graft::adapt(base, graft::BottleneckAdapter{.bottleneck = 64});  // one after each layer
  auto houlsby =
      graft::adapt(base, graft::BottleneckAdapter{.bottleneck = 64, .placement = graft::AdapterPlacement::houlsby});
  auto small = graft::adapt(base, graft::BottleneckAdapter{.share = 0.03});  // at most 3 % of the model's parameters
  //! [adapter]
  auto const counts = small.parameter_counts();
  EXPECT_LE(static_cast<double>(counts.trainable), 0.03 * static_cast<double>(base->info().parameters()));
  EXPECT_EQ(houlsby.parameter_counts().trainable, 2 * between.parameter_counts().trainable);
  expect_trains(between);
  expect_trains(houlsby);
}

TEST_F(Strategies, LoRA) {
  //! [lora]
  auto model =
      graft::adapt(base, graft::LoRA{.rank = 8, .alpha = 16, .targets = {"q_proj", "v_proj"}, .dropout = 0.05});
  //! [lora]
  expect_trains(model);
  //! [merge]
  auto merged = graft::merge(model);                        // a new base; only the changed matrices are new
  auto fast = graft::adapt(merged, graft::NoAdaptation{});  // costs what the base costs
  //! [merge]
  graft::NoGrad const no_grad;
  graft::Batch const batch = graft::pack({{.source = {1, 2, 3}, .target = {4}}});
  auto const a = model.logits(batch).value(), b = fast.logits(batch).value();
  for (graft::Index i = 0; i < a.size(); ++i) EXPECT_NEAR(a.data()[i], b.data()[i], 1e-4);
}

TEST_F(Strategies, IA3) {
  //! [ia3]
  auto model = graft::adapt(base, graft::IA3{});  // keys, values, the feed-forward's second product
  auto named = graft::adapt(
      base, graft::IA3{.targets = {"k_proj", "v_proj"}, .feed_forward_targets = {"down_proj"}});  // the same, by names
  //! [ia3]
  EXPECT_EQ(model.parameter_counts().trainable, 3 * (16 + 16 + 48));
  EXPECT_EQ(named.parameter_counts().trainable, 3 * (16 + 16 + 48));
  expect_trains(named);
  expect_trains(model);
  //! [ia3 merge]
  auto fast = graft::adapt(graft::merge(model), graft::NoAdaptation{});
  //! [ia3 merge]
  graft::NoGrad const no_grad;
  graft::Batch const batch = graft::pack({{.source = {1, 2, 3}, .target = {4}}});
  auto const a = model.logits(batch).value(), b = fast.logits(batch).value();
  for (graft::Index i = 0; i < a.size(); ++i) EXPECT_NEAR(a.data()[i], b.data()[i], 1e-4);
}

TEST_F(Strategies, PTuning) {
  //! [p-tuning]
  auto mlp = graft::adapt(base, graft::PTuning{.length = 20, .hidden = 128});
  auto lstm = graft::adapt(
      base, graft::PTuning{
                .length = 20, .encoder = graft::PromptEncoderKind::lstm, .hidden = 64, .layers = 2, .dropout = 0.1});
  //! [p-tuning]
  EXPECT_EQ(mlp.parameters().size(), 1U + 6U);
  EXPECT_EQ(lstm.parameters().size(), 1U + 2U * 8U + 4U);
  EXPECT_EQ(mlp.virtual_tokens(), 20);
  expect_trains(mlp);
  expect_trains(lstm);
}

TEST_F(Strategies, ParallelAdapter) {
  //! [parallel adapter]
  auto beside_feed_forward = graft::adapt(base, graft::ParallelAdapter{.bottleneck = 64});
  auto beside_both = graft::adapt(
      base, graft::ParallelAdapter{.bottleneck = 64, .placement = graft::ParallelPlacement::both, .scale = 1});
  //! [parallel adapter]
  EXPECT_EQ(beside_both.parameter_counts().trainable, 2 * beside_feed_forward.parameter_counts().trainable);
  expect_trains(beside_feed_forward);
  expect_trains(beside_both);
  //! [mam]
  auto paper = graft::adapt(base, graft::mam());
  auto small = graft::adapt(base, graft::mam({.length = 10, .init_deviation = 0.02}, {.bottleneck = 64}));
  //! [mam]
  EXPECT_EQ(small.parameters().size(), 1U + 3U * 4U);
  expect_trains(paper);
  expect_trains(small);
}

TEST_F(Strategies, BitFit) {
  //! [bitfit]
  auto gpt2 = graft::load_pretrained<graft::Gpt2>("gpt2");
  auto model = graft::adapt(gpt2, graft::BitFit{});
  //! [bitfit]
  EXPECT_EQ(model.parameters().size(), 3U * 6U + 1U);
  expect_trains(model);
  EXPECT_THROW((void)graft::adapt(base, graft::BitFit{}), graft::ConfigError);
}

TEST_F(Strategies, Compose) {
  //! [compose]
  auto model = graft::adapt(
      base, graft::compose(graft::PrefixTuning{.length = 10, .init_deviation = 0.02}, graft::LoRA{.rank = 8}));
  auto& lora = model.state().part<1>();  // the parts' states, in the order of compose
  //! [compose]
  EXPECT_EQ(model.parameters().size(), 1U + lora.parameters().size());
  EXPECT_EQ(model.parameters().front()->name(), "0.embedding.weight");
  expect_trains(model);
}

TEST_F(Strategies, AdapterTable) {
  graft::save_adapter(graft::adapt(base, graft::LoRA{.rank = 4}), "reviews");
  //! [adapter table]
  auto table = graft::adapt(base, graft::AdapterTable{});
  graft::Index const reviews = graft::add_adapter(table, graft::load_adapter<graft::LoRA>(base, "reviews"));
  graft::Index const news =
      graft::add_adapter(table, graft::PrefixTuning{.length = 10, .init_deviation = 0.02});  // a new one
  //! [adapter table]
  EXPECT_EQ(table.state().size(), 2);
  expect_trains(table);
  //! [adapter table use]
  std::vector<graft::TokenizedExample> examples{{.source = {5, 9, 3}, .target = {7, 2}, .id = 0, .adapter = reviews},
                                                {.source = {4, 4}, .target = {1, 8}, .id = 1, .adapter = news}};
  graft::Trainer({.epochs = 2, .batch = 2}).fit(table, examples);
  auto const texts = graft::generate(table, tokenizer, std::vector<std::string>{"a review", "the news", "anything"},
                                     graft::Greedy{.max_new_tokens = 4, .adapters = {reviews, news, -1}});
  //! [adapter table use]
  EXPECT_EQ(texts.size(), 3U);
}

}  // namespace
