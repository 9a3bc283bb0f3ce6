#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <graft/generate/beam_search.hpp>
#include <graft/generate/sampling.hpp>

#include "fake_session.hpp"

namespace {

using namespace graft;
using graft::testing::random_language;

template <class Settings>
void expect_refused(Settings const& settings, std::string const& words) {
  try {
    (void)graft::testing::generate_alone(random_language(1, 9), {1, 2}, settings);
    ADD_FAILURE() << "expected a refusal that mentions: " << words;
  } catch (ConfigError const& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(GenerationSettings, ImpossibleOnesAreRefused) {
  expect_refused(Greedy{.max_new_tokens = 0}, "max_new_tokens 0");
  expect_refused(Greedy{.max_new_tokens = 4, .min_new_tokens = 5}, "min_new_tokens 5");
  expect_refused(Greedy{.end_tokens = {9}}, "end token 9");
  expect_refused(BeamSearch{.end_tokens = {-1}}, "end token -1");
  expect_refused(Greedy{.repetition_penalty = 0}, "repetition_penalty 0");
  expect_refused(Greedy{.no_repeat_ngram = -1}, "no_repeat_ngram -1");
  expect_refused(Greedy{.max_new_tokens = 9, .no_repeat_ngram = 1}, "every token is forbidden after 7 tokens");
  expect_refused(Sampling{.temperature = 0}, "Greedy");
  expect_refused(Sampling{.temperature = std::nan("")}, "temperature");
  expect_refused(Sampling{.top_k = -1}, "top_k -1");
  expect_refused(Sampling{.top_p = 1.5}, "top_p 1.5");
  expect_refused(Sampling{.min_p = -0.1}, "min_p -0.1");
  expect_refused(Sampling{.sequences = 0}, "0 sequences");
  expect_refused(BeamSearch{.beams = 0}, "0 beams");
  expect_refused(BeamSearch{.beams = 2, .sequences = 3}, "3 sequences");
  expect_refused(Greedy{.max_new_tokens = Index{1} << 40}, "max_new_tokens 1099511627776");
  expect_refused(Sampling{.temperature = std::numeric_limits<double>::infinity()}, "temperature inf");
  expect_refused(BeamSearch{.beams = std::numeric_limits<Index>::max()}, "beams 9223372036854775807");
  expect_refused(BeamSearch{.length_penalty = std::nan("")}, "length_penalty");
}

}  // namespace
