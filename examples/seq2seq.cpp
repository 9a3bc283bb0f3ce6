// Adapts an encoder–decoder (T5, BART) to pairs of texts, writes the test sources' targets and scores them.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <graft/any/any_model.hpp>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>
#include <graft/metrics/bleu.hpp>
#include <graft/metrics/edit_distance.hpp>
#include <graft/train/progress.hpp>

#include "support/data.hpp"
#include "support/device_options.hpp"
#include "support/lengths.hpp"
#include "support/method_options.hpp"
#include "support/option_rules.hpp"
#include "support/outputs.hpp"
#include "support/pair_tokens.hpp"
#include "support/predictions.hpp"
#include "support/profiling.hpp"
#include "support/search_options.hpp"
#include "support/signals.hpp"
#include "support/task_options.hpp"
#include "support/template_file.hpp"
#include "support/text.hpp"
#include "support/unfinished.hpp"

namespace {

struct Settings : support::TaskPaths {
  support::MethodOptions strategy;
  graft::Training training;
  std::optional<double> learning_rate;
  support::UpdateOptions update;
  support::SearchOptions search;
  support::Lengths lengths;
  support::DataChoice choice;
  support::DeviceOptions device;
  std::size_t rows = 0;
  bool any_base = false, json = false;
};

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model,
         "Hugging Face folder of a T5 or BART; its config.json may list characters (grapheme_chars, phoneme_chars) in "
         "place of a tokenizer")
      ->required();
  auto* const train = option("--train", s.train,
                             "File of pairs to train on: source<TAB>target a line, or a format that finetune reads");
  option("--validation", s.validation, "Pairs whose loss is watched (default: none)")->needs(train);
  option("--test", s.test,
         "Pairs whose sources are written anew and scored; equal sources are one with several references");
  s.choice.add_to(option);
  option("--rows", s.rows, "Only the first so many training pairs; 0: all");
  s.lengths.add_to(option, "; a test source that is skipped is not scored and gives an empty prediction");
  auto* const adapter =
      option("--adapter", s.adapter, "Use this saved adapter in place of training one")->excludes(train);
  option.flag("--any-base", s.any_base, "Use the adapter over another base than it was made over, with a warning")
      ->needs(adapter);
  option("--output", s.output, "Folder for the adapter (default: not saved)")->needs(train);
  option("--predictions", s.predictions,
         "File for what the model writes, a line a test source: line breaks as \\n and \\r, a backslash as \\\\ "
         "(default: none)");
  s.device.add_to(option);
  option.flag("--json", s.json, "Print one JSON object");
  s.strategy.add_to(app);
  s.strategy.add_encoder_options(app);
  support::add_task_options(app, s.training, s.learning_rate, s.update);
  support::OptionGroup(app, "Training").flag("--share-sources", s.training.share_sources, support::share_sources_help);
  s.search.add_to(app, "Writing");
}

/// Examples of a file, as texts and as tokens.
struct Pairs {
  std::string file;
  std::vector<graft::Example> examples;
  std::vector<graft::TokenizedExample> tokens;
};

Pairs read_pairs(std::string const& file, graft::DataOptions const& options, support::PairTokens const& tokens,
                 graft::Truncation& cut, std::size_t rows = 0) {
  Pairs pairs{file, {}, {}};
  if (file.empty()) return pairs;
  pairs.examples = graft::read_examples(file, options);
  if (rows > 0 && pairs.examples.size() > rows) pairs.examples.resize(rows);
  pairs.tokens = tokens.encode(pairs.examples, cut);
  return pairs;
}

/// The test's distinct sources with all references, and which of them the model has room for.
struct Test {
  std::vector<graft::Example> examples;
  std::vector<std::vector<graft::Token>> sources;
  std::vector<std::size_t> kept;
};

Test read_test(Settings const& s, support::PairTokens const& tokens, graft::Truncation& cut) {
  Test test;
  if (s.test.empty()) return test;
  test.examples = graft::group_by_source(graft::read_examples(s.test, s.choice.options()));
  for (auto const& example : test.examples) test.sources.push_back(tokens.source(example.source, cut));
  return test;
}

/// Says at once what is too long for the model.
void fit_lengths(Settings& s, graft::any::AnyModel& model, Pairs& training, Pairs& validation, Test& test,
                 graft::Index new_tokens) {
  auto const limits = model.row_limits();
  for (auto* part : {&training, &validation})
    if (!part->tokens.empty()) s.lengths.fit(part->tokens, part->examples, part->file, limits, 1);
  std::vector<std::size_t> lines;
  for (auto const& example : test.examples) lines.push_back(example.line);
  test.kept = s.lengths.fit_prompts(test.sources, lines, s.test, limits, new_tokens, 1).kept;
  if (!test.examples.empty() && test.kept.empty())
    graft::fail<graft::ConfigError>(
        "[", s.test,
        "] has only sources that are too long for the model; expected some that fit; hint: --too-long cut");
  s.lengths.say();
}

/// Exact match, character error rate against the first reference, BLEU against all.
/// @throws Interrupted where a signal ends it; what was written until then is kept
nlohmann::ordered_json evaluate(Settings const& s, graft::any::AnyModel& model, support::PairTokens const& tokens,
                                Test const& test, support::Search const& plan) {
  auto search = plan.for_prompt(1);
  support::SignalWatch const signals;
  support::ask_for_signals(search);
  support::Predictions predictions(s.predictions, test.examples.size(), "sources");
  std::vector<std::string> written;
  graft::ReferenceLists references;
  std::size_t right = 0, errors = 0, length = 0;
  auto const take = [&](std::size_t source, graft::Generated const& generated) {
    auto one = generated.tokens;
    if (generated.finished) one.pop_back();
    auto const& wanted_texts = test.examples[source].references;
    written.push_back(tokens.text(one));
    references.push_back(wanted_texts);
    right += std::count(wanted_texts.begin(), wanted_texts.end(), written.back()) > 0;
    auto const wanted = support::CharacterTokens::characters(wanted_texts.front());
    errors += graft::edit_distance(support::CharacterTokens::characters(written.back()), wanted);
    length += wanted.size();
    predictions.set(source, written.back());
  };
  graft::Index constexpr at_once = 100;
  auto const step = static_cast<std::size_t>(std::max<graft::Index>(1, at_once / plan.texts_per_prompt()));
  try {
    for (std::size_t first = 0; first < test.sources.size(); first += step) {
      std::size_t const last = std::min(test.sources.size(), first + step);
      std::visit([&](auto& chosen) { chosen.first_prompt = static_cast<graft::Index>(first); }, search);
      auto const texts = model.generate({test.sources.begin() + static_cast<std::ptrdiff_t>(first),
                                         test.sources.begin() + static_cast<std::ptrdiff_t>(last)},
                                        search, at_once);
      for (std::size_t i = first; i < last; ++i) take(test.kept[i], texts[i - first].front());
    }
  } catch (support::EndedBySignal const&) {
    predictions.keep();
    int const signal = support::SignalWatch::caught();
    throw support::Interrupted(
        signal, graft::cat("[seq2seq] was ended by signal ", signal, " after ", predictions.done(), " of ",
                           predictions.count(), " test sources; ",
                           s.predictions.empty() || predictions.done() == 0 ? "nothing of them is kept"
                                                                            : "what was written until then is kept"));
  } catch (std::exception const&) {
    predictions.keep();
    throw;
  }
  predictions.write();
  return {{"test_sources", test.sources.size()},
          {"exact_match", static_cast<double>(right) / static_cast<double>(test.sources.size())},
          {"character_error_rate", static_cast<double>(errors) / static_cast<double>(std::max<std::size_t>(1, length))},
          {"bleu", graft::corpus_bleu(written, references, {}).score}};
}

/// What has no effect on this run.
void check_options(CLI::App const& app, Settings const& s) {
  if (s.train.empty() && s.test.empty()) throw support::UsageError("expected --train or --test");
  if (s.train.empty()) {
    std::string const why = s.adapter.empty() ? "without --train: the model is used as it is"
                                              : "beside --adapter, which is used as it was saved";
    support::refuse_group(app, "Strategy", why,
                          s.strategy.choice.strategy == "none" && s.adapter.empty()
                              ? std::vector<std::string>{"--method"}
                              : std::vector<std::string>{});
    support::refuse_group(app, "Training", why);
    support::refuse_given(app, {"--rows"}, why);
  } else {
    if (s.strategy.choice.strategy == "none")
      throw support::UsageError("--method none trains nothing; leave --train out");
    support::check_training_options(app, !s.validation.empty());
    support::check_keep_frozen(app, s.strategy.choice.strategy, s.training.share_sources, true);
  }
  if (s.test.empty()) {
    support::refuse_group(app, "Writing", "without --test: nothing is written");
    support::refuse_given(app, {"--predictions"}, "without --test: nothing is written");
  }
}

void run(CLI::App const& app, Settings& s) {
  check_options(app, s);
  s.device.check();
  support::Outputs const outputs(s, s.training.log);
  auto& choice = s.strategy.choice;
  if (s.train.empty()) choice.strategy = "none";
  s.search.seed = s.training.seed;
  std::optional<support::Search> search;
  if (!s.test.empty()) search = s.search.search(graft::generation_config(s.model));
  auto const base = graft::any::load_base(s.model, s.device.placement());
  if (!base->config().encoder)
    graft::fail<graft::ConfigError>("[", s.model, "] is a ", base->config().architecture,
                                    " model; expected an encoder-decoder (t5, bart); hint: the program finetune");
  s.strategy.check(base->info());
  auto const kind = support::text_kind(s.model, base->config(), base->info());
  auto const form = s.train.empty() ? support::template_to_use(s.model, s.adapter, kind, {})
                                    : support::template_to_train(s.model, kind, {});
  auto const tokens = support::pair_tokens(s.model, form, 0, s.train.empty());
  choice.seed = s.training.seed;
  s.strategy.apply_words(
      [&](std::string const& text) { return tokens->words(text, s.strategy.given("side") == "target"); });
  s.update.apply(s.training, s.device.placement());
  s.training.learning_rate = s.learning_rate.value_or(graft::any::strategy_info(choice.strategy).learning_rate);
  graft::Truncation cut;
  auto const options = s.choice.options();
  auto training = read_pairs(s.train, options, *tokens, cut, s.rows),
       validation = read_pairs(s.validation, options, *tokens, cut);
  auto test = read_test(s, *tokens, cut);
  support::say_cut(cut);
  auto const model = s.adapter.empty() ? base->adapt(choice) : base->load(s.adapter, {.any_base = s.any_base});
  if (search) {
    search->complete(model->config(), tokens->end_token(), !s.train.empty() || !s.adapter.empty(), model->row_limits());
    support::say_taken("seq2seq", *search);
  }
  std::size_t const read = training.tokens.size();
  fit_lengths(s, *model, training, validation, test, search ? search->least_room() : 0);
  if (!s.train.empty()) support::say_without_effect(app, s.training, read, training.tokens.size());
  nlohmann::ordered_json summary{{"method", s.adapter.empty() ? choice.strategy : "saved"}, {"model", s.model}};
  if (!s.train.empty()) {
    summary["training_pairs"] = training.tokens.size();
    support::say_if_thrown_away("seq2seq", s);
    support::SignalWatch const signals;
    s.training.stop = support::SignalWatch::caught;
    auto const report = model->fit(s.training, std::move(training.tokens), std::move(validation.tokens));
    double last = 0;
    std::size_t const tail = std::min<std::size_t>(100, report.steps.size());
    for (std::size_t i = report.steps.size() - tail; i < report.steps.size(); ++i)
      last += report.steps[i].loss / static_cast<double>(tail);
    summary.update(support::training_summary(s.training, report, last));
    summary["share_sources"] = s.training.share_sources;
    support::keep_unfinished_training(report, s.training.checkpoint, s.output, [&](std::string const& folder) {
      model->save(folder, {.files = support::template_files(form)});
    });
    if (!s.output.empty())
      model->save(s.output, {.files = support::template_files(form)}), summary["output"] = s.output;
  }
  if (!s.test.empty()) summary.update(evaluate(s, *model, *tokens, test, *search));
  summary["too_long"] = {{"cut", s.lengths.cut}, {"skipped", s.lengths.skipped}};
  support::add_memory(summary, base->placement());
  if (s.json) return support::print(summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  std::string text;
  for (auto const& [key, value] : summary.items())
    text += key + ": " +
            (value.is_string() ? value.get<std::string>()
                               : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) +
            "\n";
  support::print(text);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  settings.training.epochs = 3, settings.training.batch = 16, settings.training.weight_decay = 0.01;
  settings.search.usual_max_new = 128, settings.search.one_text = true;
  CLI::App app{
      "Adapts an encoder-decoder to pairs of texts (translation, summaries, pronunciation), or uses an adapter, and "
      "scores what it "
      "writes.\n"
      "Progress goes to standard error. Exit status: 0, 1 (failed), 2 (usage), 130 and 143 (ended by SIGINT, SIGTERM: "
      "the adapter is saved "
      "as it is, and what was written is kept).",
      "seq2seq"};
  add_options(app, settings);
  support::Profiling const profiling(app);
  return support::run_program(app, argc, argv, [&] { run(app, settings); });
}
