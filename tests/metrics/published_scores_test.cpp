// The E2E challenge's published scores (Dušek et al. 2020) of nine systems, from their archived outputs.
#include <gtest/gtest.h>
#include <graft/data/csv.hpp>
#include <graft/data/text_file.hpp>
#include <graft/metrics/bleu.hpp>
#include <graft/metrics/cider.hpp>
#include <graft/metrics/nist.hpp>
#include <graft/metrics/rouge_e2e.hpp>

#include <string>
#include <vector>

#include "data/shared_data.hpp"

namespace {

struct References {
  std::vector<std::string> sources;
  graft::ReferenceLists texts;
};

References read_references(std::filesystem::path const& path) {
  References result;
  std::string const text = graft::read_text_file(path);
  auto const rows = graft::parse_csv(text, path.string());
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (result.sources.empty() || result.sources.back() != rows[i].fields.at(0)) {
      result.sources.push_back(rows[i].fields.at(0));
      result.texts.emplace_back();
    }
    result.texts.back().push_back(rows[i].fields.at(1));
  }
  return result;
}

TEST(PublishedScores, ToFourDecimals) {
  GRAFT_NEEDS_DATA("metrics_e2e");
  GRAFT_NEEDS_DATA("e2e");
  auto const references = read_references(shared_data() / "e2e" / "testset_w_refs.csv");
  ASSERT_EQ(references.sources.size(), 630U);
  std::string const table = graft::read_text_file(shared_data() / "metrics_e2e" / "PUBLISHED_SCORES.tsv");
  graft::BleuOptions options;
  options.tokenization = graft::Tokenization::e2e;
  std::size_t systems = 0;
  for (auto const& line : graft::split_lines(table)) {
    if (line.text.empty() || line.text[0] == '#' || line.text.substr(0, 6) == "system") continue;
    auto const published = graft::parse_csv(line.text, "PUBLISHED_SCORES.tsv", '\t').at(0).fields;
    std::filesystem::path const path = shared_data() / "metrics_e2e" / (published.at(0) + ".tsv");
    std::string const text = graft::read_text_file(path);
    auto const rows = graft::parse_csv(text, path.string(), '\t');
    ASSERT_EQ(rows.size(), 631U) << path;
    std::vector<std::string> outputs;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      ASSERT_EQ(rows[i].fields.at(0), references.sources[i - 1]) << path << " line " << rows[i].line;
      outputs.push_back(rows[i].fields.at(1));
    }
    EXPECT_NEAR(graft::corpus_bleu(outputs, references.texts, options).score / 100, std::stod(published.at(3)), 0.5e-4)
        << published[0];
    EXPECT_NEAR(graft::e2e_rouge_l(outputs, references.texts) / 100, std::stod(published.at(6)), 0.5e-4)
        << published[0];
    EXPECT_NEAR(graft::corpus_nist(outputs, references.texts), std::stod(published.at(4)), 0.5e-4) << published[0];
    EXPECT_NEAR(graft::corpus_cider(outputs, references.texts), std::stod(published.at(7)), 0.5e-4) << published[0];
    ++systems;
  }
  EXPECT_EQ(systems, 9U);
}

}  // namespace
