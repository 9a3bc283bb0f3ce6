// METEOR 1.5. The official segments and totals are WebNLG's; the data folder is named by GRAFT_METEOR_DATA.
#include <gtest/gtest.h>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/meteor.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/shared_data.hpp"

namespace {

using Texts = std::vector<std::string>;

Texts words(std::string const& text, graft::detail::MeteorPrefixes const& prefixes = {}) {
  return graft::detail::meteor_words(text, prefixes);
}

TEST(MeteorWords, AreCutAsTheReferenceImplementationDoes) {
  EXPECT_EQ(words("It's a 5-star pub, isn't it?"),
            (Texts{"it", "'s", "a", "5", "star", "pub", ",", "isn", "'t", "it", "?"}));
  EXPECT_EQ(words("The U.S. wait... costs 1,000 or 3.5. End."),
            (Texts{"the", "us", "wait", "...", "costs", "1,000", "or", "3.5", ".", "end", "."}));
  EXPECT_EQ(words("Mr. Smith", {{"Mr", false}}), (Texts{"mr.", "smith"}));
  EXPECT_EQ(words("No. 5", {{"No", true}}), (Texts{"no.", "5"}));
  EXPECT_TRUE(words(" \t ").empty());
}

TEST(Meteor, WithoutDataIsAnotherMetric) {
  auto const metric = graft::meteor_metric({"the cats sit", "a b"}, {{"the cat sits"}, {"a b"}});
  EXPECT_EQ(metric.name, "METEOR (exact, stem)");
  EXPECT_NEAR(metric.score(1), 100, 1e-9);
  // 1 equal word and 2 stems of weight 0.6 in one chunk: P = R = 2.2 / 3, a whole chunk is not penalized.
  EXPECT_NEAR(metric.score(0), 100 * 2.2 / 3, 1e-9);
  EXPECT_EQ(graft::corpus_meteor({""}, {{"a"}}), 0.0);
  EXPECT_EQ(graft::corpus_meteor({"a"}, {{""}}), 0.0);
  EXPECT_THROW((void)graft::corpus_meteor({"a"}, {}), graft::ConfigError);
}

// Two chunks of two matched words each: fragmentation 2/4.
TEST(Meteor, PenalizesFragments) {
  EXPECT_NEAR(graft::corpus_meteor({"c d a b"}, {{"a b c d"}}), 100 * (1 - 0.6 * std::pow(0.5, 0.2)), 1e-9);
}

TEST(Meteor, SaysWhichDataAreMissing) {
  graft::MeteorOptions options;
  options.data = "/nowhere";
  EXPECT_THROW((void)graft::corpus_meteor({"a"}, {{"a"}}, options), graft::FileError);
}

TEST(Meteor, EqualsTheOfficialScoresOfEverySegment) {
  GRAFT_NEEDS_DATA("metrics_webnlg");
  char const* const folder = std::getenv("GRAFT_METEOR_DATA");
  if (!folder) GTEST_SKIP() << "GRAFT_METEOR_DATA names no folder";
  auto const base = shared_data() / "metrics_webnlg";
  std::string const team = "UPF-TALN", part = "old-cat";
  Texts outputs;
  std::string const text = graft::read_text_file(base / "teams" / (team + "_" + part + ".txt"));
  for (auto const& line : graft::split_lines(text)) outputs.emplace_back(line.text);
  graft::ReferenceLists references(outputs.size());
  std::string const lists = graft::read_text_file(base / "references" / ("gold-" + part + "-reference-3ref.meteor"));
  auto const lines = graft::split_lines(lists);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (std::size_t k = 0; k < 3; ++k)
      references[i].emplace_back(3 * i + k < lines.size() ? lines[3 * i + k].text : "");
  graft::MeteorOptions options;
  options.data = folder;
  auto const metric = graft::meteor_metric(outputs, references, options);
  std::ifstream official(base / "eval" / ("meteor-" + team + "-" + part + ".txt"));
  std::size_t segments = 0;
  for (std::string line; std::getline(official, line);) {
    if (line.rfind("Segment ", 0) == 0) {
      EXPECT_NEAR(metric.score(segments) / 100, std::stod(line.substr(line.find('\t'))), 1e-12) << line;
      ++segments;
    }
    if (line.rfind("Final score:", 0) == 0) EXPECT_NEAR(metric.score() / 100, std::stod(line.substr(12)), 1e-12);
  }
  EXPECT_EQ(segments, outputs.size());
}

}  // namespace
