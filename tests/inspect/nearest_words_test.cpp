// The words nearest to vectors and to virtual tokens, against a search through all of them.
#include <gtest/gtest.h>

#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/inspect/nearest_words.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/gpt2.hpp>

#include "model/small_model.hpp"

namespace {

using namespace graft;

TEST(NearestWords, FindsAWordItself) {
  auto const base = small::base<Gpt2, double>();
  auto const table = base->at({Site::token_embedding}).matrix.dense();
  auto const found = nearest_words(*base, table.slice(4, 6), 3);
  ASSERT_EQ(found.size(), 2u);
  for (Token token : {4, 5}) {
    auto const& words = found[static_cast<std::size_t>(token - 4)];
    ASSERT_EQ(words.by_cosine.size(), 3u);
    EXPECT_EQ(words.by_cosine[0].token, token);
    EXPECT_NEAR(words.by_cosine[0].cosine, 1, 1e-12);
    EXPECT_EQ(words.by_distance[0].token, token);
    EXPECT_EQ(words.by_distance[0].distance, 0);
  }
}

// The two orders differ: a short vector is near to short words, whatever their direction.
TEST(NearestWords, OrdersByEachMetric) {
  auto const base = small::base<Bart, double>();  // which scales its embeddings
  Index const width = base->config().width, vocabulary = base->config().vocabulary;
  auto const vectors = normal<double>(Shape{3, width}, RandomKey(4), 0.1);
  auto const table = base->at({Site::token_embedding}).matrix.dense();
  auto const found = nearest_words(*base, vectors, vocabulary);
  bool differ = false;
  for (Index v = 0; v < vectors.rows(); ++v) {
    auto const& words = found[static_cast<std::size_t>(v)];
    ASSERT_EQ(static_cast<Index>(words.by_cosine.size()), vocabulary);
    auto const expected = [&](Token token) {
      double product = 0, x = 0, e = 0, squares = 0;
      for (Index k = 0; k < width; ++k) {
        double const word = table.row(token)[k] * base->config().embedding_scale, own = vectors.row(v)[k];
        product += own * word, x += own * own, e += word * word, squares += (own - word) * (own - word);
      }
      return std::pair(product / std::sqrt(x * e), std::sqrt(squares));
    };
    for (std::size_t i = 0; i < words.by_cosine.size(); ++i) {
      for (auto const* word : {&words.by_cosine[i], &words.by_distance[i]}) {
        EXPECT_NEAR(word->cosine, expected(word->token).first, 1e-12);
        EXPECT_NEAR(word->distance, expected(word->token).second, 1e-12);
      }
      differ = differ || words.by_cosine[i].token != words.by_distance[i].token;
      if (i == 0) continue;
      EXPECT_GE(words.by_cosine[i - 1].cosine, words.by_cosine[i].cosine);
      EXPECT_LE(words.by_distance[i - 1].distance, words.by_distance[i].distance);
    }
  }
  EXPECT_TRUE(differ);
}

TEST(NearestWords, OfVirtualTokens) {
  auto const base = small::base<Gpt2, double>();
  auto const model = adapt(base, PromptTuning{.length = 2, .init = Init::words, .init_words = {{7}, {9}}});
  auto const found = nearest_words(model, 1);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].words.by_cosine[0].token, 7);
  EXPECT_EQ(found[1].words.by_distance[0].token, 9);
  EXPECT_EQ(found[1].index, 1);
  EXPECT_EQ(found[0].place, Place::front);
  EXPECT_TRUE(nearest_words(adapt(base, LoRA{}), 5).empty());
}

TEST(NearestWords, RefusesVectorsOfAnotherWidth) {
  auto const base = small::base<Gpt2, double>();
  EXPECT_THROW(static_cast<void>(nearest_words(*base, zeros<double>(Shape{1, 5}), 1)), ShapeError);
}

}  // namespace
