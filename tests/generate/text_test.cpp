#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/generate/text.hpp>
#include <graft/text/stream_decoder.hpp>

#include "letters.hpp"

namespace {

using namespace graft;
using namespace graft::testing;

/// What the model writes after a prompt until `end`, as ids, taken from the generation that knows no text.
template <class Model, class Settings>
std::string expected(Model& model, Tokenizer const& tokenizer, std::string const& prompt, Settings settings,
                     Token end) {
  settings.end_tokens = {end};
  auto tokens = generate(model, {tokenizer.encode(prompt)}, settings)[0][0].tokens;
  std::string text;
  for (Token token : tokens)
    if (token != end && token != tiny_vocabulary - 1) text += static_cast<char>('a' + token);
  return text;
}

TEST(GenerateText, EncodesDecodesAndStopsAtTheTokenizersEnd) {
  auto model = random_model<Llama>(NoAdaptation{});
  auto const tokenizer = letters();
  std::vector<std::string> const prompts{"abc", "b", "hello", "k", "fad"};
  auto const check = [&](auto const& settings) {
    auto const texts = generate(model, tokenizer, prompts, settings);
    for (std::size_t i = 0; i < prompts.size(); ++i)
      EXPECT_EQ(texts[i], expected(model, tokenizer, prompts[i], settings, tiny_vocabulary - 1));
  };
  check(Greedy{.max_new_tokens = 40});
  check(BeamSearch{.max_new_tokens = 40, .beams = 3});
}

TEST(GenerateText, TheCheckpointsEndsComeBeforeTheTokenizers) {
  ModelConfig config;
  config.vocabulary = 50, config.eos = 9;
  using Ends = std::vector<Token>;
  EXPECT_EQ(end_tokens(config, 7, false), Ends{7});
  EXPECT_EQ(end_tokens(config, std::nullopt, false), Ends{9});
  EXPECT_EQ(end_tokens(config, 77, false), Ends{9});  // no token of the model
  config.ends = {3, 4};
  EXPECT_EQ(end_tokens(config, 7, false), (Ends{3, 4}));
  EXPECT_EQ(end_tokens(config, 7, true), (Ends{3, 4, 7}));  // it was trained to end with 7
  EXPECT_EQ(end_tokens(config, 4, true), (Ends{3, 4}));
  auto plain = random_model<Llama>(NoAdaptation{});
  EXPECT_FALSE(detail::is_adapted(plain));
  auto adapted = random_model<Llama>(PrefixTuning{});
  EXPECT_TRUE(detail::is_adapted(adapted));
}

TEST(GenerateText, OnePromptAndAnEndTokenOfTheUsers) {
  auto model = random_model<Gpt2>(NoAdaptation{});
  auto const tokenizer = letters();
  auto const free = expected(model, tokenizer, "cab", Greedy{.max_new_tokens = 30}, tiny_vocabulary - 1);
  ASSERT_GT(free.size(), 3u);
  Token const end = static_cast<Token>(free[2] - 'a');
  EXPECT_EQ(generate(model, tokenizer, "cab", Greedy{.max_new_tokens = 30, .end_tokens = {end}}),
            free.substr(0, free.find(free[2])));
}

TEST(GenerateText, StreamsTheSameText) {
  auto model = random_model<Gpt2>(NoAdaptation{});
  auto const tokenizer = letters();
  StreamDecoder decoder(tokenizer, true);
  std::string streamed;
  Greedy settings{.max_new_tokens = 25};
  settings.on_token = [&](Index, Token token) { streamed += decoder.push(token); };
  auto const text = generate(model, tokenizer, "dig", settings);
  EXPECT_EQ(streamed + decoder.finish(), text);
  EXPECT_FALSE(text.empty());
}

}  // namespace
