// What `RowLimits` and `fit_rows` say is what the model does: the longest row runs, one token more does not.
#include <gtest/gtest.h>

#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/data/fit_rows.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>

#include "small_model.hpp"

namespace {

using graft::Index, graft::Place, graft::PositionPolicy, graft::Side, graft::Token;
using graft::InfixTuning, graft::LoRA, graft::PrefixTuning, graft::PromptTuning;
using Tokens = std::vector<Token>;

template <class Model>
bool runs(Model& model, graft::TokenizedExample const& example) {
  graft::NoGrad const no_grad;
  try {
    (void)model.hidden_states(model.pack({example}));
    return true;
  } catch (graft::Error const&) {
    return false;
  }
}

Tokens some(Index count) { return Tokens(static_cast<std::size_t>(std::max<Index>(0, count)), 3); }

/// Every source up to beyond the limit, before targets of several lengths: refused ahead exactly where the model
/// refuses.
template <class A, class Settings>
void check(Settings const& settings) {
  auto model = graft::adapt(small::base<A, float>(), settings);
  graft::RowLimits const limits(model);
  bool const classifies = model.info().classifies;
  for (Index target : {1, 4, 38, 45}) {
    if (classifies && target > 1) continue;
    for (Index source = 1; source <= 43; ++source) {
      graft::TokenizedExample const example{some(source), some(target), 0};
      EXPECT_EQ(!limits.excess(example), runs(model, example))
          << A::model_type << ": " << source << " and " << target
          << " tokens: " << limits.excess(example).value_or("fits");
    }
    Index const longest = limits.longest_source(target);
    graft::TokenizedExample const fits{some(longest), some(target), 0}, exceeds{some(longest + 1), some(target), 0};
    if (longest > 0 && target < 5) {
      EXPECT_TRUE(runs(model, fits)) << longest;
    }
    EXPECT_FALSE(runs(model, exceeds)) << longest;
  }
}

TEST(RowLimits, OfDecoders) {
  check<graft::Gpt2>(LoRA{});
  check<graft::Gpt2>(PrefixTuning{.length = 5});
  check<graft::Gpt2>(PrefixTuning{.length = 5, .positions = PositionPolicy::keep});
  check<graft::Gpt2>(InfixTuning{.length = 5});
  for (auto place : {Place::front, Place::infix})
    for (auto positions : {PositionPolicy::shift, PositionPolicy::keep})
      check<graft::Gpt2>(PromptTuning{.length = 5, .place = place, .positions = positions});
  check<graft::Gpt2>(graft::compose(PrefixTuning{.length = 3}, PromptTuning{.length = 4}, InfixTuning{.length = 2}));
}

TEST(RowLimits, OfEncoderDecodersAndEncoders) {
  check<graft::Bart>(LoRA{});
  check<graft::Bart>(PrefixTuning{.length = 5, .positions = PositionPolicy::shift});
  check<graft::Bart>(PromptTuning{.length = 5, .side = Side::both, .positions = PositionPolicy::shift});
  check<graft::Bart>(PromptTuning{.length = 5, .place = Place::infix});
  check<graft::Bart>(PromptTuning{.length = 5, .side = Side::target, .positions = PositionPolicy::shift});
  check<graft::Bert>(PrefixTuning{.length = 5});
  check<graft::Bert>(PromptTuning{.length = 5, .place = Place::infix});
  check<graft::Bert>(PromptTuning{.length = 5, .place = Place::infix, .positions = PositionPolicy::keep});
}

TEST(RowLimits, RowsAreRefusedCutOrLeftOut) {
  auto model = graft::adapt(small::base<graft::Gpt2, float>(), PrefixTuning{.length = 10});  // 40 positions
  graft::RowLimits const limits(model);
  auto const rows = [] {
    std::vector<graft::TokenizedExample> all{{some(4), some(4), 0}, {some(40), some(6), 1}, {some(3), some(60), 2}};
    all[1].source.back() = 7;  // a separator
    return all;
  };
  auto const where = [](std::size_t i) { return "row " + std::to_string(i); };
  auto refused = rows();
  try {
    graft::fit_rows(refused, limits, graft::TooLong::refuse, 1, where);
    ADD_FAILURE() << "no error";
  } catch (graft::ConfigError const& error) {
    EXPECT_STREQ(error.what(),
                 "row 1 is too long for the model; got 46 tokens of source and target, and 10 virtual ones; expected "
                 "at most 41 together, as the model has 40 positions and reads all but the last; "
                 "hint: shorten it, or cut or leave out what is too long");
  }
  auto skipped = rows();
  auto const left = graft::fit_rows(skipped, limits, graft::TooLong::skip, 1, where);
  EXPECT_EQ(left.skipped, 2);
  EXPECT_EQ(left.kept, std::vector<std::size_t>{0});
  auto cut = rows();
  EXPECT_EQ(graft::fit_rows(cut, limits, graft::TooLong::cut, 1, where).cut, 2);
  ASSERT_EQ(cut.size(), 3u);
  EXPECT_EQ(cut[1].source.size(), 25u);
  EXPECT_EQ(cut[1].source.back(), 7);
  EXPECT_EQ(cut[1].target.size(), 6u);
  EXPECT_EQ(cut[2].source.size() + cut[2].target.size(), 31u);
  for (auto const& row : cut) EXPECT_TRUE(runs(model, row));
  std::vector<graft::TokenizedExample> empty{{{}, some(1), 0}};
  EXPECT_THROW(graft::fit_rows(empty, limits, graft::TooLong::skip, 1, where), graft::ConfigError);
}

TEST(RowLimits, TokensThatTheModelLacksAreRefused) {
  auto const model = graft::adapt(small::base<graft::Gpt2, float>(), LoRA{.rank = 2});
  graft::RowLimits const limits(model);
  auto const last = static_cast<Token>(model.config().vocabulary - 1), beyond = static_cast<Token>(last + 1);
  auto const where = [](std::size_t i) { return graft::cat("[data] line ", i + 1); };
  auto const said = [&](graft::TokenizedExample const& example, graft::TooLong how) -> std::string {
    std::vector<graft::TokenizedExample> rows{{{1, last}, {last}, 0}, example};
    try {
      graft::fit_rows(rows, limits, how, 1, where);
      return "";
    } catch (graft::ConfigError const& error) {
      return error.what();
    }
  };
  for (auto const how : {graft::TooLong::refuse, graft::TooLong::cut, graft::TooLong::skip}) {
    EXPECT_EQ(said({{0, last}, {0}, 1}, how), "");
    EXPECT_TRUE(said({{1, beyond}, {1}, 1}, how)
                    .starts_with(graft::cat("[data] line 2 has the token ", beyond, " in its source; expected 0 to ",
                                            last, ", the model's vocabulary")));
    EXPECT_TRUE(
        said({{1}, {1, beyond}, 1}, how)
            .starts_with(graft::cat("[data] line 2 has the token ", beyond, " in its target; expected 0 to ", last)));
    EXPECT_TRUE(said({{-1}, {1}, 1}, how).starts_with("[data] line 2 has the token -1 in its source"));
    std::vector<Tokens> prompts{{1}, {1, beyond}};
    EXPECT_THROW(graft::fit_prompts(prompts, limits, 1, how, 1, where), graft::ConfigError);
  }
}

TEST(RowLimits, PromptsLeaveRoomForNewTokens) {
  auto model = graft::adapt(small::base<graft::Gpt2, float>(), PrefixTuning{.length = 10});
  graft::RowLimits const limits(model);
  auto const where = [](std::size_t i) { return "prompt " + std::to_string(i); };
  std::vector<Tokens> prompts{some(26), some(27), some(2)};
  EXPECT_THROW(graft::fit_prompts(prompts, limits, 5, graft::TooLong::refuse, 1, where), graft::ConfigError);
  EXPECT_EQ(graft::fit_prompts(prompts, limits, 5, graft::TooLong::cut, 1, where).cut, 1);
  EXPECT_EQ(prompts[1].size(), 26u);
  EXPECT_EQ(limits.excess(some(27), 5),
            "got 27 tokens, 10 virtual ones and up to 5 new tokens; expected at most 41 together, "
            "as the model has 40 positions and reads all but the last");
  EXPECT_EQ(limits.excess(some(26), 5), std::nullopt);
  EXPECT_THROW(graft::fit_prompts(prompts, limits, 31, graft::TooLong::cut, 1, where), graft::ConfigError)
      << "no prompt is left";
}

TEST(RowLimits, PromptsAreFittedToTheirOwnAdapters) {
  auto table = graft::adapt(small::base<graft::Gpt2, float>(), graft::AdapterTable{});
  graft::add_adapter(table, PrefixTuning{.length = 10});
  graft::add_adapter(table, PrefixTuning{.length = 2});
  graft::RowLimits const limits(table);
  auto const where = [](std::size_t i) { return "prompt " + std::to_string(i); };
  std::vector<Tokens> prompts{some(30), some(30), some(35), some(36)};
  EXPECT_EQ(graft::fit_prompts(prompts, limits, 5, graft::TooLong::cut, 1, where, {0, 1, 1, -1}).cut, 2);
  EXPECT_EQ(prompts[0].size(), 26u);
  EXPECT_EQ(prompts[1].size(), 30u);
  EXPECT_EQ(prompts[2].size(), 34u);
  EXPECT_EQ(prompts[3].size(), 36u);
  prompts = {some(30), some(30), some(30)};
  EXPECT_EQ(graft::fit_prompts(prompts, limits, 5, graft::TooLong::skip, 1, where, {1, 0, 1}).kept,
            (std::vector<std::size_t>{0, 2}));
  EXPECT_THROW(graft::fit_prompts(prompts, limits, 5, graft::TooLong::skip, 1, where, {0}), graft::ConfigError);
}

}  // namespace
