/// @file
/// @brief Scores generated texts against references: BLEU, NIST, METEOR, ROUGE, CIDEr, TER, chrF.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <graft/metrics/evaluation_files.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "score/inputs.hpp"
#include "score/report.hpp"
#include "support/measure_texts.hpp"
#include "support/option_group.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"

namespace {

struct Settings {
  support::MetricSettings metrics;
  std::string hypotheses, against, domains;
  std::vector<std::string> references;
  std::string escapes = "automatic", reference_escapes = "automatic";
  graft::BootstrapOptions bootstrap;
  bool json = false;
};

/// What has no effect on these scores, as the rest of a sentence; empty where all has.
std::string idle_option(CLI::App const& app, Settings const& settings) {
  std::vector<std::pair<std::string, std::vector<std::string>>> const readers = {
      {"--tokenization", {"bleu", "nist"}}, {"--smoothing", {"bleu"}},
      {"--lowercase", {"bleu", "nist"}},    {"--nist-length", {"nist"}},
      {"--meteor-data", {"meteor"}},        {"--meteor-tokens", {"meteor", "meteor_exact_stem"}},
      {"--cider-tokens", {"cider"}},        {"--ter-normalize", {"ter"}},
      {"--ter-no-punctuation", {"ter"}},    {"--ter-case", {"ter"}}};
  for (auto const& [option, metrics] : readers) {
    bool const read = std::any_of(metrics.begin(), metrics.end(),
                                  [&](std::string const& name) { return support::wanted(settings.metrics, name); });
    if (!read && app.get_option(option)->count() > 0)
      return option + " has no effect without --metrics " + metrics[0] + "; leave it out";
  }
  if (settings.metrics.lowercase && settings.metrics.tokenization == "e2e")
    return "--lowercase has no effect with --tokenization e2e, which ignores case anyway; leave it out";
  if (settings.bootstrap.resamples == 0)
    for (char const* option : {"--confidence", "--seed"})
      if (app.get_option(option)->count() > 0)
        return std::string(option) + " has no effect with --resamples 0; leave it out";
  return "";
}

graft::Escapes escapes_of(std::string const& name) {
  return name == "always"  ? graft::Escapes::always
         : name == "never" ? graft::Escapes::never
                           : graft::Escapes::automatic;
}

/// Reads, measures, and prints.
void score(Settings const& settings) {
  std::vector<support::NamedPath> streams = {
      {"--hypotheses", settings.hypotheses}, {"--against", settings.against}, {"--domains", settings.domains}};
  for (std::string const& path : settings.references) streams.push_back({"--references", path});
  support::check_streams(streams);
  graft::Escapes const escapes = escapes_of(settings.escapes);
  auto const outputs = scoring::read_outputs(settings.hypotheses, escapes);
  auto const references = scoring::read_references(settings.references, settings.hypotheses, outputs,
                                                   escapes_of(settings.reference_escapes));
  std::vector<std::string> other, domains;
  if (!settings.against.empty()) {
    other = scoring::read_outputs(settings.against, escapes);
    if (other.size() != outputs.size())
      graft::fail<graft::FileError>("[", settings.against, "] got ", other.size(), " outputs and ", outputs.size(),
                                    " in ", settings.hypotheses, "; expected outputs for the same items");
  }
  if (!settings.domains.empty()) domains = scoring::read_domains(settings.domains, outputs.size());
  support::Measured const measured = support::measure(settings.metrics, outputs, references);
  nlohmann::ordered_json report = scoring::report(measured, settings.bootstrap);
  if (!other.empty())
    report["against"] =
        scoring::comparison(measured, support::measure(settings.metrics, other, references), settings.bootstrap);
  if (!domains.empty()) report["domains"] = scoring::by_domain(measured, domains);
  support::print(settings.json ? report.dump() + "\n" : scoring::as_text(report, measured));
}

void add_metric_options(CLI::App& app, support::MetricSettings& settings) {
  app.add_option(
         "--metrics,--metric", settings.metrics,
         "Metrics, parted by commas: bleu, nist, meteor, meteor_exact_stem (METEOR without word lists: another "
         "number), rouge (ROUGE-1, -2, -L F1 as rouge_score has them), e2e_rouge (the E2E challenge's ROUGE-L), "
         "cider, ter, chrf, chrf++. Without it: all but meteor_exact_stem that can be computed")
      ->default_str("all")
      ->delimiter(',')
      ->check(CLI::IsMember(support::metric_families()));
  app.add_option(
         "--tokenization", settings.tokenization,
         "BLEU's and NIST's tokens: e2e (the E2E challenge's, lower-cased), sacrebleu (13a), none (white space)")
      ->check(CLI::IsMember({"e2e", "sacrebleu", "none"}));
  app.add_option("--smoothing", settings.smoothing,
                 "BLEU's smoothing; matching is what the tokenization's own tool does (e2e none, sacrebleu exp)")
      ->check(CLI::IsMember({"matching", "none", "floor", "add-k", "exp"}));
  app.add_flag("--lowercase", settings.lowercase, "Ignore case in BLEU and NIST (e2e always does)");
  app.add_option("--nist-length", settings.nist_length,
                 "The references' length for NIST: corpus (mteval-v13a, the E2E challenge) or item (pymteval)")
      ->check(CLI::IsMember({"corpus", "item"}));
  app.add_option(
         "--meteor-data", settings.meteor_data,
         "Folder of METEOR's word lists and paraphrases (docs: metrics); GRAFT_METEOR_DATA names another default")
      ->check(support::not_empty());
  app.add_option("--meteor-tokens", settings.meteor_tokens,
                 "What METEOR reads: plain (the text: WebNLG, DART) or treebank (words without punctuation: E2E)")
      ->check(CLI::IsMember({"plain", "treebank"}));
  app.add_option("--cider-tokens", settings.cider_tokens,
                 "CIDEr's words: treebank (coco-caption, E2E) or none (white space: nlg-eval)")
      ->check(CLI::IsMember({"treebank", "none"}));
  app.add_flag("--ter-normalize", settings.ter_normalize, "TER: part punctuation from words first (tercom -N)");
  app.add_flag("--ter-no-punctuation", settings.ter_no_punctuation, "TER: leave punctuation out (tercom -P)");
  app.add_flag("--ter-case", settings.ter_case, "TER: heed case (tercom -s)");
}

void add_file_options(CLI::App& app, Settings& settings) {
  app.add_option("--hypotheses", settings.hypotheses,
                 "Outputs, one a line; or .json, .jsonl: texts, or objects with 'generated'")
      ->required()
      ->check(support::not_empty());
  app.add_option("--references", settings.references,
                 "References: a block of lines for each output, blocks parted by an empty line; or several files with "
                 "one reference a line (an empty line: none, but for BLEU with tokens none, as multi-bleu has it); or "
                 ".json, .jsonl with 'references', 'targets' or 'target'")
      ->default_str("")
      ->required()
      ->check(support::not_empty());
  app.add_option("--against", settings.against, "Outputs of another system: adds difference, its interval and p")
      ->check(support::not_empty());
  app.add_option("--domains", settings.domains, "The domain of each output, one a line: adds scores of each domain")
      ->check(support::not_empty());
  app.add_option("--escapes", settings.escapes,
                 "What \\n, \\r, \\\\ and \\uXXXX in the outputs are: always the line breaks and backslashes that "
                 "generate and seq2seq write so, or never more than they show; automatic: always where every backslash "
                 "of the file begins one of them, else never, with a word on standard error")
      ->check(CLI::IsMember({"automatic", "always", "never"}));
  app.add_option("--reference-escapes", settings.reference_escapes, "The same of the references")
      ->check(CLI::IsMember({"automatic", "always", "never"}));
  app.add_flag("--json", settings.json, "Print one JSON object");
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "Scores outputs against references; values are percentages, but for NIST and CIDEr. Exit status: 0, 1 "
      "(failed), 2 (usage).",
      "score"};
  app.option_defaults()->always_capture_default();
  settings.metrics.meteor_data = support::standard_meteor_data();
  add_metric_options(app, settings.metrics);
  add_file_options(app, settings);
  support::OptionGroup const add(app, "Intervals");
  add("--confidence", settings.bootstrap.confidence, "Share of resamples' scores inside of the interval")
      ->check(support::number_that([](double value) { return value > 0 && value < 1; }, "more than 0, less than 1",
                                   "in (0 - 1)"));
  std::int64_t resamples = static_cast<std::int64_t>(settings.bootstrap.resamples);
  add("--resamples", resamples, "Choices of items for the intervals; 0: no intervals")
      ->check(support::number_from_zero());
  add("--seed", settings.bootstrap.seed, "Which items are chosen");
  return support::run_program(app, argc, argv, [&] {
    settings.bootstrap.resamples = static_cast<std::size_t>(resamples);
    if (auto const idle = idle_option(app, settings); !idle.empty()) throw support::UsageError(idle);
    score(settings);
  });
}
