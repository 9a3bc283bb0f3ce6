/// @file
/// @brief Scores generated texts against references: BLEU and ROUGE.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <graft/metrics/bleu.hpp>
#include <graft/metrics/evaluation_files.hpp>
#include <graft/metrics/rouge.hpp>
#include <graft/metrics/rouge_e2e.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/option_group.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"

namespace {

struct Settings {
  std::vector<std::string> metrics = {"bleu", "rouge"};
  std::string tokenization = "e2e";
  std::string smoothing = "matching";
  std::string hypotheses;
  std::string references;
  std::string escapes = "automatic", reference_escapes = "automatic";
  bool lowercase = false;
  bool json = false;
};

/// What has no effect on these scores, as the rest of a sentence; empty where all has.
std::string idle_option(CLI::App const& app, Settings const& settings) {
  bool const bleu = std::find(settings.metrics.begin(), settings.metrics.end(), "bleu") != settings.metrics.end();
  for (char const* option : {"--tokenization", "--smoothing", "--lowercase"})
    if (!bleu && app.get_option(option)->count() > 0)
      return std::string(option) + " has no effect without --metric bleu; leave it out";
  if (settings.lowercase && settings.tokenization == "e2e")
    return "--lowercase has no effect with --tokenization e2e, which ignores case anyway; leave it out";
  return "";
}

graft::Escapes escapes_of(std::string const& name) {
  return name == "always"  ? graft::Escapes::always
         : name == "never" ? graft::Escapes::never
                           : graft::Escapes::automatic;
}

nlohmann::ordered_json score(Settings const& settings) {
  support::check_streams({{"--hypotheses", settings.hypotheses}, {"--references", settings.references}});
  graft::EvaluationSet const set = graft::read_evaluation_set(
      settings.hypotheses, settings.references, escapes_of(settings.escapes), escapes_of(settings.reference_escapes));
  nlohmann::ordered_json scores;
  for (std::string const& metric : settings.metrics) {
    if (metric == "bleu") {
      graft::BleuOptions options;
      options.tokenization = graft::parse_tokenization(settings.tokenization);
      options.lowercase = settings.lowercase;
      options.smoothing = graft::parse_bleu_smoothing(settings.smoothing);
      scores["bleu"] = graft::corpus_bleu(set.hypotheses, set.references, options).score;
    } else if (metric == "rouge") {
      graft::RougeScore const rouge = graft::corpus_rouge(set.hypotheses, set.references);
      scores["rouge1"] = rouge.rouge1.f1;
      scores["rouge2"] = rouge.rouge2.f1;
      scores["rougeL"] = rouge.rougeL.f1;
    } else {
      scores["e2e_rougeL"] = graft::e2e_rouge_l(set.hypotheses, set.references);
    }
  }
  return scores;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"Scores outputs against references; values are percentages. Exit status: 0, 1 (failed), 2 (usage).",
               "score"};
  app.option_defaults()->always_capture_default();
  app.add_option("--metric", settings.metrics,
                 "Metrics, parted by commas: bleu (corpus BLEU), rouge (ROUGE-1, -2, -L F1 as rouge_score has them), "
                 "e2e_rouge (the E2E "
                 "challenge's ROUGE-L)")
      ->delimiter(',')
      ->check(CLI::IsMember({"bleu", "rouge", "e2e_rouge"}));
  app.add_option("--tokenization", settings.tokenization,
                 "BLEU's tokens: e2e (the E2E challenge's, lower-cased), sacrebleu (13a), none (white space)")
      ->check(CLI::IsMember({"e2e", "sacrebleu", "none"}));
  app.add_option("--smoothing", settings.smoothing,
                 "BLEU's smoothing; matching is what the tokenization's own tool does (e2e none, sacrebleu exp)")
      ->check(CLI::IsMember({"matching", "none", "floor", "add-k", "exp"}));
  app.add_option("--hypotheses", settings.hypotheses, "Outputs, one a line")->required()->check(support::not_empty());
  app.add_option("--references", settings.references,
                 "References: a block of lines for each output, blocks parted by an empty line")
      ->required()
      ->check(support::not_empty());
  app.add_option("--escapes", settings.escapes,
                 "What \\n, \\r, \\\\ and \\uXXXX in the outputs are: always the line breaks and backslashes that "
                 "generate and seq2seq write so, "
                 "or never more than "
                 "they show; automatic: always where every backslash of the file begins one of them, else never, with "
                 "a word on standard error")
      ->check(CLI::IsMember({"automatic", "always", "never"}));
  app.add_option("--reference-escapes", settings.reference_escapes, "The same of the references")
      ->check(CLI::IsMember({"automatic", "always", "never"}));
  app.add_flag("--lowercase", settings.lowercase, "Ignore case in BLEU (e2e and ROUGE always do)");
  app.add_flag("--json", settings.json, "Print one JSON object");
  return support::run_program(app, argc, argv, [&] {
    if (auto const idle = idle_option(app, settings); !idle.empty()) throw support::UsageError(idle);
    nlohmann::ordered_json const scores = score(settings);
    std::string text = settings.json ? scores.dump() + "\n" : std::string();
    if (!settings.json)
      for (auto const& [name, value] : scores.items()) {
        std::array<char, 64> line{};
        std::snprintf(line.data(), line.size(), "%-10s %8.4f\n", name.c_str(), value.get<double>());
        text += line.data();
      }
    support::print(text);
  });
}
