#include <algorithm>

#include "cached_decoding.hpp"

namespace {

using namespace graft;
using namespace graft::testing;

TEST(ModelSession, GrowsItsCacheWithoutLoss) {
  auto model = random_model<Llama>(NoAdaptation{});
  ModelSession<decltype(model)> session(model, ragged_prompts());
  (void)session.start();
  Index const before = session.capacity();
  (void)session.advance({0, 1, 2, 3, 4, 4, 4}, {1, 2, 3, 4, 5, 6, 7});
  EXPECT_GT(session.capacity(), before);
  expect_cached_is_recomputed(model, ragged_prompts(), 70, "70 tokens");  // several blocks a text
}

TEST(ModelSession, TextsThatEndGiveTheirRowsBack) {
  auto model = random_model<Gpt2>(NoAdaptation{});
  ModelSession<decltype(model)> session(model, ragged_prompts());
  (void)session.start();
  Index const prompts = session.rows_in_use(), block = detail::BlockPool::rows;
  (void)session.advance({0, 0, 0, 1}, {1, 2, 3, 4});
  EXPECT_EQ(session.rows_in_use(), prompts + 4 * block);
  (void)session.advance({1, 1}, {5, 6});
  EXPECT_EQ(session.rows_in_use(), prompts + 2 * block);
  for (Index i = 2; i < block; ++i) (void)session.advance({0, 1}, {1, 1});
  EXPECT_EQ(session.rows_in_use(), prompts + 2 * block);
  (void)session.advance({0, 0, 0}, {1, 2, 3});  // a full block is shared, the new ones are their own
  EXPECT_EQ(session.rows_in_use(), prompts + 4 * block);
  (void)session.advance({2}, {1});
  EXPECT_EQ(session.rows_in_use(), prompts + 2 * block);
}

TEST(ModelSession, ALoneBranchCopiesNothing) {
  detail::BlockPool pool;
  detail::CachedText text;
  std::vector<detail::RowCopy> copies;
  for (int i = 0; i < 40; ++i) text.grow(pool, 0, copies);
  EXPECT_TRUE(copies.empty());
  EXPECT_EQ(text.last_row(100), 139);
  detail::CachedText other = text;
  pool.share(other.blocks);
  other.grow(pool, 0, copies);
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].count, 8);
  text.grow(pool, 0, copies);
  EXPECT_EQ(copies.size(), 1u);
  std::vector<CacheExtent> extents;
  other.append_extents(41, 100, extents);
  ASSERT_EQ(extents.size(), 2u);
  EXPECT_EQ(extents[0].begin, 100);
  EXPECT_EQ(extents[0].length, 32);
  EXPECT_EQ(extents[1].begin, 148);
  EXPECT_EQ(extents[1].length, 9);
}

template <class Model>
void expect_common_beginning_is_shared(Model& model, std::string const& name) {
  std::vector<Tokens> prompts;
  auto const beginning = random_tokens(20, RandomKey(5));
  for (Index length : {4, 1, 7, 1, 3}) {
    auto const rest = random_tokens(length, RandomKey(6).with(static_cast<std::uint64_t>(length)));
    prompts.push_back(beginning);
    prompts.back().insert(prompts.back().end(), rest.begin(), rest.end());
  }
  prompts.push_back(beginning);  // nothing but the beginning: its last token is not shared
  EXPECT_EQ((ModelSession<Model>(model, prompts).shared_tokens()), 19) << name;
  expect_cached_is_recomputed(model, prompts, 6, name);
}

TEST(ModelSession, ComputesACommonBeginningOnce) {
  auto prefix = random_model<Gpt2>(PrefixTuning{.length = 3});
  expect_common_beginning_is_shared(prefix, "prefix");
  auto infix = random_model<Llama>(InfixTuning{.length = 3});
  expect_common_beginning_is_shared(infix, "infix");
  auto prompt = random_model<Llama>(PromptTuning{.length = 3});
  expect_common_beginning_is_shared(prompt, "prompt");
  auto both = random_model<Gpt2>(compose(PromptTuning{.length = 3}, EmbeddingOnly{.length = 2, .place = Place::infix}));
  expect_common_beginning_is_shared(both, "prompt and embedding-only infix");
}

/// Instructions, of each of which some prompts have examples in common.
template <class Model>
void expect_tree_is_shared(Model& model, std::string const& name) {
  auto const after = [](Tokens tokens, Index length, std::uint64_t seed) {
    auto const more = random_tokens(length, RandomKey(seed));
    tokens.insert(tokens.end(), more.begin(), more.end());
    return tokens;
  };
  std::vector<Tokens> prompts, beginnings;
  for (std::uint64_t i = 0; i < 2; ++i) {
    auto const instruction = after({static_cast<Token>(i)}, 21, 30 + i), examples = after(instruction, 33, 40 + i);
    for (std::uint64_t k = 0; k < 3; ++k) {
      prompts.push_back(after(instruction, static_cast<Index>(2 + k), 50 + 10 * i + k));
      prompts.push_back(after(examples, static_cast<Index>(1 + k), 80 + 10 * i + k));
    }
  }
  prompts.push_back({4, 2});
  EXPECT_EQ((ModelSession<Model>(model, prompts).shared_tokens()), 2 * (22 + 33)) << name;
  expect_cached_is_recomputed(model, prompts, 5, name);
}

TEST(ModelSession, ComputesATreeOfBeginningsOnce) {
  auto prefix = random_model<Gpt2>(PrefixTuning{.length = 3});
  expect_tree_is_shared(prefix, "prefix");
  auto infix = random_model<Llama>(InfixTuning{.length = 3});
  expect_tree_is_shared(infix, "infix");
  auto prompt = random_model<Llama>(PromptTuning{.length = 3});
  expect_tree_is_shared(prompt, "prompt");
}

TEST(ModelSession, SeesParametersAsTheyAreNow) {
  auto model = random_model<Llama>(PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 4}});
  Tokens const prompt{1, 2, 3};
  expect_cached_is_recomputed(model, {prompt}, 2, "before");
  disturb(model, 9);
  expect_cached_is_recomputed(model, {prompt}, 2, "after");
  model.enable(false);
  auto base = random_model<Llama>(NoAdaptation{});
  ModelSession<decltype(model)> disabled(model, {prompt});
  ModelSession<decltype(base)> plain(base, {prompt});
  auto const a = disabled.start(), b = plain.start();
  EXPECT_TRUE(std::equal(a.data(), a.data() + a.size(), b.data()));
}

TEST(Generate, DoesNotDependOnHowManyTextsAreWrittenAtOnce) {
  auto model = random_model<Llama>(LoRA{.rank = 2});
  auto const prompts = ragged_prompts();
  auto const same = [&](auto const& settings) {
    auto const all = generate(model, prompts, settings, 1000), few = generate(model, prompts, settings, 1);
    ASSERT_EQ(all.size(), few.size());
    for (std::size_t p = 0; p < all.size(); ++p)
      for (std::size_t i = 0; i < all[p].size(); ++i) EXPECT_EQ(all[p][i].tokens, few[p][i].tokens);
  };
  same(Greedy{.max_new_tokens = 12, .end_tokens = {3}});
  same(Sampling{.max_new_tokens = 12, .end_tokens = {3}, .seed = 3, .sequences = 3});
  same(BeamSearch{.max_new_tokens = 12, .end_tokens = {3}, .beams = 3, .sequences = 3});
}

TEST(Generate, NumbersTextsAcrossBatches) {
  auto model = random_model<Gpt2>(NoAdaptation{});
  auto const prompts = ragged_prompts();
  std::vector<Tokens> heard(2 * prompts.size());
  std::vector<Index> seen;
  Sampling settings{.max_new_tokens = 4, .sequences = 2};
  settings.on_token = [&](Index text, Token token) { heard[static_cast<std::size_t>(text)].push_back(token); };
  auto const texts = generate(model, prompts, settings, 3);
  for (std::size_t p = 0; p < prompts.size(); ++p)
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(heard[2 * p + i], texts[p][i].tokens);
}

template <class Call>
void expect_error(Call const& call, std::string const& words) {
  try {
    call();
    ADD_FAILURE() << "expected an error that mentions: " << words;
  } catch (Error const& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(Generate, RefusesPromptsThatTheModelCannotTake) {
  auto model = random_model<Gpt2>(PrefixTuning{.length = 6});
  Greedy const settings{.max_new_tokens = 10};
  expect_error([&] { (void)generate(model, {{1, 2}, {}}, settings); }, "prompt 2 is empty");
  expect_error([&] { (void)generate(model, {Tokens(82, 1)}, settings); },
               "prompt 1: got 82 tokens, 6 virtual ones and max_new_tokens 10; expected at most 97 together");
  EXPECT_EQ(generate(model, {Tokens(81, 1)}, settings)[0][0].tokens.size(), 10u);  // the last position is reached
  expect_error([&] { (void)generate(model, {{1, tiny_vocabulary}}, settings); }, cat("token ", tiny_vocabulary));
  EXPECT_TRUE(generate(model, {}, settings).empty());
}

/// The limits that the programs go by. Infix tokens reach beyond a prompt's end even where they shift nothing: counting
/// them as shifts would accept the prompt.
TEST(Generate, RefusesWhatRowLimitsRefuseBeforeTheFirstToken) {
  auto model = random_model<Gpt2>(PromptTuning{.length = 5, .place = Place::infix, .positions = PositionPolicy::keep});
  RowLimits const limits(model);
  Index const longest = limits.longest_source(2);
  Index written = 0;
  Greedy const settings{.max_new_tokens = 2, .on_token = [&](Index, Token) { ++written; }};
  Tokens const fits(static_cast<std::size_t>(longest), 1), exceeds(static_cast<std::size_t>(longest + 1), 1);
  ASSERT_LT(exceeds.size(), 96u) << "shorter than the model's positions";
  expect_error([&] { (void)generate(model, {{1, 2}, exceeds}, settings, 1); },
               "prompt 2: " + limits.excess(exceeds, 2, "max_new_tokens").value_or("fits"));
  EXPECT_EQ(written, 0);
  EXPECT_EQ(generate(model, {fits}, settings)[0][0].tokens.size(), 2u);
}

TEST(Generate, RefusesBrokenParameters) {
  auto model = random_model<Llama>(LoRA{.rank = 2});
  model.parameters().front()->mutable_value().data()[0] = std::nan("");
  EXPECT_THROW((void)generate(model, {{1, 2}}, Greedy{.max_new_tokens = 2}), NumericError);
}

}  // namespace
