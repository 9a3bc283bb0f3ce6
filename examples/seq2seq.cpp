// Adapts an encoder–decoder (T5, BART) to pairs of texts, writes the test sources' targets and scores them.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>
#include <graft/data/text_line.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/path_lock.hpp>
#include <graft/metrics/bleu.hpp>
#include <graft/train/progress.hpp>

#include "any_model/any_model.hpp"
#include "support/edit_distance.hpp"
#include "support/memory.hpp"
#include "support/method_options.hpp"
#include "support/pair_tokens.hpp"
#include "support/signals.hpp"
#include "support/task_options.hpp"
#include "support/template_file.hpp"
#include "support/text.hpp"

namespace {

struct Settings {
  std::string model, train, validation, test, adapter, output, predictions;
  support::MethodOptions strategy;
  graft::Training training;
  std::optional<double> learning_rate;
  support::UpdateOptions update;
  graft::BeamSearch search;
  std::size_t rows = 0;
  bool any_base = false, json = false;
};

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder of a T5 or BART; its config.json may list characters (grapheme_chars, phoneme_chars) in place of a tokenizer")->required();
  auto* const train = option("--train", s.train, "Pairs to train on: source<TAB>target a line");
  option("--validation", s.validation, "Pairs whose loss is watched (default: none)")->needs(train);
  option("--test", s.test, "Pairs whose sources are written anew and scored; equal sources are one with several references");
  option("--rows", s.rows, "Only the first so many training pairs; 0: all");
  auto* const adapter = option("--adapter", s.adapter, "Use this saved adapter in place of training one")->excludes(train);
  option.flag("--any-base", s.any_base, "Use the adapter over other weights than it was made over, with a warning")->needs(adapter);
  option("--output", s.output, "Folder for the adapter (default: not saved)")->needs(train);
  option("--predictions", s.predictions, "File for what the model writes, a line a test source: line breaks as \\n and \\r, a backslash as \\\\ (default: none)");
  option.flag("--json", s.json, "Print one JSON object");
  s.strategy.add_to(app);
  s.strategy.add_encoder_options(app);
  support::add_task_options(app, s.training, s.learning_rate, s.update);
  support::OptionGroup const writing(app, "Writing");
  writing("--max-new", s.search.max_new_tokens, "Most new tokens", CLI::PositiveNumber);
  writing("--min-new", s.search.min_new_tokens, "No end before so many", CLI::NonNegativeNumber);
  writing("--beams", s.search.beams, "Beams; 1 is greedy", CLI::PositiveNumber);
  writing("--length-penalty", s.search.length_penalty, "Beam search: score = log-probability / length^penalty");
  writing("--no-repeat-ngram", s.search.no_repeat_ngram, "N-grams of this size occur once; 0: no limit", CLI::NonNegativeNumber);
}

std::vector<graft::TokenizedExample> encode(std::string const& file, support::PairTokens const& tokens, std::size_t rows = 0) {
  auto examples = graft::read_examples(file);
  if (rows > 0 && rows < examples.size()) examples.resize(rows);
  graft::Truncation cut;
  return tokens.encode(examples, cut);
}

/// Exact match, character error rate against the first reference, BLEU against all.
nlohmann::ordered_json evaluate(Settings const& s, any_model::AnyModel& model, support::PairTokens const& tokens) {
  auto const test = graft::group_by_source(graft::read_examples(s.test));
  std::vector<std::vector<graft::Token>> sources;
  for (auto const& example : test) sources.push_back(tokens.source(example.source));
  auto search = s.search;
  search.end_tokens = {tokens.end_token()};
  auto const texts = model.generate(sources, search, 100);
  std::vector<std::string> written;
  graft::ReferenceLists references;
  std::size_t right = 0, errors = 0, length = 0;
  for (std::size_t i = 0; i < test.size(); ++i) {
    auto one = texts[i].front().tokens;
    if (texts[i].front().finished) one.pop_back();
    written.push_back(tokens.text(one));
    references.push_back(test[i].references);
    right += std::count(test[i].references.begin(), test[i].references.end(), written.back()) > 0;
    auto const wanted = support::CharacterTokens::characters(test[i].references.front());
    errors += support::edit_distance(support::CharacterTokens::characters(written.back()), wanted);
    length += wanted.size();
  }
  if (!s.predictions.empty()) {
    std::string lines;
    for (auto const& text : written) lines += graft::escape_line(text) + "\n";
    graft::write_file_atomic(s.predictions, lines);
  }
  return {{"test_sources", test.size()},
          {"exact_match", static_cast<double>(right) / static_cast<double>(test.size())},
          {"character_error_rate", static_cast<double>(errors) / static_cast<double>(std::max<std::size_t>(1, length))},
          {"bleu", graft::corpus_bleu(written, references, {}).score}};
}

void run(Settings& s) {
  if (s.train.empty() && s.test.empty()) throw support::UsageError("expected --train or --test");
  std::optional<graft::PathLock> lock;
  if (!s.predictions.empty()) graft::check_output_file(s.predictions);
  if (!s.output.empty()) {
    graft::AtomicFolder const writable(s.output);  // says what would keep the adapter from being saved before it is trained
    lock.emplace(s.output);
  }
  auto& method = s.strategy.method;
  if (s.train.empty() && s.adapter.empty()) method.name = "none";
  if (!s.train.empty() && method.name == "none") throw support::UsageError("--method none trains nothing; leave --train out");
  auto const base = any_model::load_base(s.model);
  if (!base->config().encoder)
    graft::fail<graft::ConfigError>("[", s.model, "] is a ", base->config().architecture, " model; expected an encoder-decoder (t5, bart); hint: the program finetune");
  auto const kind = support::text_kind(s.model, base->config(), base->info());
  auto const form = s.train.empty() ? support::template_to_use(s.model, s.adapter, kind, {}) : support::template_to_train(s.model, kind, {});
  auto const tokens = support::pair_tokens(s.model, form);
  method.seed = s.training.seed;
  s.strategy.apply_words([&](std::string const& text) { return tokens->words(text, method.side == "target"); });
  s.update.apply(s.training);
  s.training.learning_rate = s.learning_rate.value_or(support::method_info(method.name).learning_rate);
  auto const model = s.adapter.empty() ? base->adapt(method) : base->load(s.adapter, {.any_base = s.any_base});
  nlohmann::ordered_json summary{{"method", s.adapter.empty() ? method.name : "saved"}, {"model", s.model}};
  if (!s.train.empty()) {
    auto training = encode(s.train, *tokens, s.rows), validation = s.validation.empty() ? std::vector<graft::TokenizedExample>{} : encode(s.validation, *tokens);
    summary["training_pairs"] = training.size();
    support::SignalWatch const signals;
    s.training.stop = support::SignalWatch::caught;
    auto const report = model->fit(s.training, std::move(training), std::move(validation));
    double last = 0;
    std::size_t const tail = std::min<std::size_t>(100, report.steps.size());
    for (std::size_t i = report.steps.size() - tail; i < report.steps.size(); ++i) last += report.steps[i].loss / static_cast<double>(tail);
    summary.update({{"steps", report.steps.size()}, {"batch", s.training.batch}, {"learning_rate", s.training.learning_rate}, {"seed", s.training.seed},
                    {"trainable", report.trainable}, {"all", report.all}, {"training_loss", last}, {"train_seconds", report.seconds},
                    {"tokens_per_second", report.tokens_per_second()}});
    if (!report.validations.empty()) summary["validation_loss"] = report.validations.back().loss;
    support::keep_interrupted(report, s.training.checkpoint, s.output, [&](std::string const& folder) { model->save(folder, {.files = support::template_files(form)}); });
    if (!s.output.empty()) model->save(s.output, {.files = support::template_files(form)}), summary["output"] = s.output;
  }
  if (!s.test.empty()) summary.update(evaluate(s, *model, *tokens));
  summary["peak_memory_mib"] = support::peak_memory_mib();
  if (s.json) return support::print(summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  std::string text;
  for (auto const& [key, value] : summary.items()) text += key + ": " + (value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) + "\n";
  support::print(text);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  settings.training.epochs = 3, settings.training.batch = 16, settings.training.weight_decay = 0.01;
  settings.search.beams = 1;
  CLI::App app{
      "Adapts an encoder-decoder to pairs of texts (translation, summaries, pronunciation), or uses an adapter, and scores what it writes.\n"
      "Progress goes to standard error. Exit status: 0, 1 (failed), 2 (usage), 130 and 143 (training ended by SIGINT, SIGTERM: the adapter is saved as it is).",
      "seq2seq"};
  add_options(app, settings);
  return support::run_program(app, argc, argv, [&] { run(settings); });
}
