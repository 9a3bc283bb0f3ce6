// The programs of docs/inspection.md.
#include <graft/graft.hpp>

#include <iostream>

#include "docs/tiny_model.hpp"

namespace {

class Inspection : public docs::Docs {};

TEST_F(Inspection, Attention) {
  //! [attention]
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 4});
  graft::Batch batch = model.pack({{.source = {11, 12, 13}, .target = {21, 22}, .id = 0}});

  graft::Inspection found = graft::inspect(model, batch);
  for (graft::AttentionMap const& map : found.attention) {  // one for each layer and row
    // map.weights [heads, queries, keys]; map.queries and map.keys say what each of them is
    std::vector<double> prefix =
        graft::mean_attention_mass(map, graft::SeenKind::prefix, graft::SeenKind::target);  // [heads]
    std::cout << "layer " << map.at.layer << ", head 0: the target gives " << prefix[0] << " to the prefix\n";
  }
  //! [attention]
  ASSERT_EQ(found.attention.size(), 3u);
  EXPECT_EQ(found.attention[0].weights.shape(), (graft::Shape{4, 4, 8}));
  double sum = 0;
  for (graft::Index k = 0; k < 8; ++k) sum += found.attention[2].weights.data()[k];
  EXPECT_NEAR(sum, 1, 1e-12);

  //! [states]
  for (graft::LayerStates const& layer : found.states) {    // layer −1: the embeddings
    std::vector<double> norms = graft::state_norms(layer);  // [tokens]
    std::cout << "behind layer " << layer.at.layer << ": " << norms.back() << '\n';
  }
  //! [states]
  EXPECT_EQ(found.states.size(), 4u);
  EXPECT_EQ(found.states[0].at.layer, -1);

  //! [observer]
  decltype(model)::Observer observer;
  double largest = 0;
  observer.attention = [&](auto const& seen) {                          // called before every attention
    graft::Tensor<double> weights = graft::attention_weights(seen, 0);  // of row 0: [heads, queries, keys]
    for (graft::Index i = 0; i < weights.size(); ++i) largest = std::max(largest, weights.data()[i]);
  };
  graft::Variable<float> states = model.hidden_states(batch, nullptr, &observer);
  //! [observer]
  EXPECT_GT(largest, 0);
  EXPECT_LE(largest, 1);
  EXPECT_EQ(states.rows(), 2);
  graft::Tape::current().discard();
}

TEST_F(Inspection, NearestWords) {
  //! [words]
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PromptTuning{.length = 3});

  for (graft::VirtualTokenWords const& token : graft::nearest_words(model, 5)) {
    graft::NearWord const& nearest = token.words.by_cosine.front();
    std::cout << "virtual token " << token.index << ": " << tokenizer.decode(std::vector<graft::Token>{nearest.token})
              << " (cosine " << nearest.cosine << ")\n";
  }
  //! [words]
  EXPECT_EQ(graft::nearest_words(model, 5).size(), 3u);
}

}  // namespace
