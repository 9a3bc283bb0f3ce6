// The WebNLG 2017 challenge's official scores of archived outputs: TER by tercom 0.7.25, BLEU by multi-bleu.perl -lc.
#include <gtest/gtest.h>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/bleu.hpp>
#include <graft/metrics/ter.hpp>

#include <string>
#include <utility>
#include <vector>

#include "data/shared_data.hpp"

namespace {

std::vector<std::string> lines_of(std::filesystem::path const& path) {
  std::string const text = graft::read_text_file(path);
  std::vector<std::string> lines;
  for (auto const& line : graft::split_lines(text)) lines.emplace_back(line.text);
  return lines;
}

/// The references of a part. multi-bleu.perl takes an empty line for an empty reference, tercom's file has none.
graft::ReferenceLists references_of(std::string const& part, bool with_empty) {
  graft::ReferenceLists lists;
  for (int k = 0; k < 3; ++k) {
    auto const lines = lines_of(shared_data() / "metrics_webnlg" / "references" /
                                ("gold-" + part + "-cat-reference" + std::to_string(k) + ".lex"));
    lists.resize(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (with_empty || !lines[i].empty()) lists[i].push_back(lines[i]);
  }
  return lists;
}

/// The number behind `label` in an official score file.
double official(std::string const& file, std::string const& label) {
  std::string const text = graft::read_text_file(shared_data() / "metrics_webnlg" / "eval" / file);
  return std::stod(text.substr(text.find(label) + label.size()));
}

TEST(WebnlgScores, TerAndBleuEqualTheOfficialTools) {
  GRAFT_NEEDS_DATA("metrics_webnlg");
  graft::BleuOptions options;
  options.tokenization = graft::Tokenization::none;
  options.lowercase = true;
  for (std::string const part : {"old", "new"}) {
    auto const references = references_of(part, false), with_empty = references_of(part, true);
    for (std::string const team : {"ADAPT_Centre", "Baseline", "Tilburg_University-1", "UPF-TALN"}) {
      auto const outputs = lines_of(shared_data() / "metrics_webnlg" / "teams" / (team + "_" + part + "-cat.txt"));
      if (team == (part == "old" ? "ADAPT_Centre" : "Baseline") || team == "UPF-TALN")  // all take a minute unoptimized
        EXPECT_NEAR(graft::corpus_ter(outputs, references) / 100,
                    official("ter3ref-" + team + "-" + part + "-cat.txt", "Total TER: "), 1e-12)
            << team << " " << part;
      EXPECT_NEAR(graft::corpus_bleu(outputs, with_empty, options).score,
                  official("bleu3ref-" + team + "_" + part + "-cat.txt", "BLEU = "), 0.5e-2 + 1e-9)
          << team << " " << part;
    }
  }
}

}  // namespace
