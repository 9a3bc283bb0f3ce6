// Adapts an encoder (BERT, RoBERTa) to classes of sentences or pairs of sentences, and scores its predictions.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <graft/any/any_model.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/open_checkpoint.hpp>
#include <graft/io/stored_names.hpp>
#include <graft/metrics/class_scores.hpp>
#include <graft/train/classify.hpp>
#include <graft/train/progress.hpp>

#include "support/class_rows.hpp"
#include "support/data.hpp"
#include "support/device_options.hpp"
#include "support/lengths.hpp"
#include "support/method_options.hpp"
#include "support/option_rules.hpp"
#include "support/outputs.hpp"
#include "support/predictions.hpp"
#include "support/profiling.hpp"
#include "support/signals.hpp"
#include "support/task_options.hpp"
#include "support/template_file.hpp"
#include "support/text.hpp"
#include "support/unfinished.hpp"

namespace {

struct Settings : support::TaskPaths {
  std::vector<std::size_t> text_columns{1};
  std::size_t label_column = 2, max_length = 128, rows = 0;
  std::optional<std::size_t> given_length;
  support::MethodOptions strategy;
  graft::Training training;
  std::optional<double> learning_rate;
  support::UpdateOptions update;
  support::Lengths lengths;
  support::DataChoice choice;
  support::DeviceOptions device;
  bool header = false, any_base = false, json = false;
};

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder of a BERT or RoBERTa with its tokenizer")->required();
  auto* const train = option("--train", s.train, "File to train on: TSV, CSV, JSONL or JSON");
  option("--validation", s.validation, "File whose loss and score are watched (default: none)");
  auto* const test =
      option("--test", s.test,
             "File to score after training; one without classes is only predicted, for --predictions (default: none)");
  s.choice.add_to(option, false);
  option("--text-columns", s.text_columns, "Column of the text, or two of a pair, from 1 on")->delimiter(',');
  option("--label-column", s.label_column, "Column of the class: a number from 0 to 999999, or a name");
  option.flag("--header", s.header, "The first line names the columns, though numbers say which are read");
  option("--rows", s.rows, "Only the first so many training rows; 0: all")->needs(train);
  option("--max-length", s.given_length,
         "Longest row in tokens; the longer text loses its end (default: as the adapter was trained, else 128)",
         support::positive_number());
  s.lengths.add_to(option, "; a row of --test that is skipped is not scored and gives an empty prediction",
                   "the longer text loses its end");
  auto* const adapter =
      option("--adapter", s.adapter, "Use this saved adapter in place of training one")->excludes(train);
  option.flag("--any-base", s.any_base, "Use the adapter over another base than it was made over, with a warning")
      ->needs(adapter);
  option("--output", s.output,
         "Folder for the adapter, in PEFT's format where PEFT has the strategy (default: not saved)")
      ->needs(train);
  option("--predictions", s.predictions, "File for the predicted classes of --test, a line a row (default: none)")
      ->needs(test);
  s.device.add_to(option);
  option.flag("--json", s.json, "Print one JSON object");
  s.strategy.add_to(app);
  s.strategy.add_encoder_options(app);
  support::add_task_options(app, s.training, s.learning_rate, s.update);
}

/// The columns that the options name; without any, those that are known by their names.
graft::DataOptions data_options(CLI::App const& app, Settings const& s) {
  graft::DataOptions options = s.choice.options();
  options.header = s.header;
  if (support::given(app, "--text-columns") || support::given(app, "--label-column")) {
    options.fields.source = std::to_string(s.text_columns[0]), options.fields.label = std::to_string(s.label_column);
    if (s.text_columns.size() == 2) options.fields.text_pair = std::to_string(s.text_columns[1]);
  }
  return options;
}

struct Data {
  support::ClassRows training, validation, test;
  std::vector<std::size_t> kept;  ///< of the test's rows
};

struct Texts {
  support::ClassTexts training, validation, test;
  support::ClassNames names;

  Texts(Settings const& s, graft::DataOptions const& options)
      : training(s.train, options), validation(s.validation, options), test(s.test, options) {}
  /// How many texts a row has: one, or two of a pair.
  [[nodiscard]] graft::Index per_row() const {
    for (auto const* part : {&training, &validation, &test})
      if (!part->texts.empty()) return part->texts.front().pair ? 2 : 1;
    return 1;
  }
};

Data read_data(Settings const& s, Texts const& texts, graft::Tokenizer const& tokenizer, std::size_t& cut) {
  cut = 0;
  auto const rows = [&](support::ClassTexts const& part, std::size_t count, bool may_lack_labels) {
    return support::class_rows(part, texts.names, tokenizer, s.max_length, cut, count, may_lack_labels);
  };
  return {rows(texts.training, s.rows, false),
          rows(texts.validation, 0, false),
          rows(texts.test, 0, !s.predictions.empty()),
          {}};
}

/// Says at once what is too long for the model. What is cut loses the longer text's end, as with --max-length.
void fit_lengths(Settings& s, graft::any::AnyModel& model, Texts const& texts, graft::Tokenizer const& tokenizer,
                 Data& data, std::size_t& cut) {
  auto const limits = model.row_limits();
  auto const longest = static_cast<std::size_t>(std::max<graft::Index>(0, limits.longest_source(1)));
  if (s.lengths.how() == graft::TooLong::cut && longest < s.max_length && longest > 0) {
    for (auto const* part : {&data.training, &data.validation, &data.test})
      for (auto const& example : part->examples) s.lengths.cut += example.source.size() > longest;
    if (s.lengths.cut > 0) s.max_length = longest, data = read_data(s, texts, tokenizer, cut);
  }
  for (auto* part : {&data.training, &data.validation, &data.test}) {
    if (part->examples.empty()) continue;
    auto const fitted = s.lengths.fit(part->examples, part->lines, part->file, limits, 1);
    if (part == &data.test) data.kept = fitted.kept;
  }
  s.lengths.say();
}

/// What has no effect on this run.
void check_options(CLI::App const& app, Settings const& s) {
  if (s.train.empty() == s.adapter.empty()) throw support::UsageError("expected --train or --adapter");
  if (s.text_columns.empty() || s.text_columns.size() > 2)
    throw support::UsageError("--text-columns wants one column, or two");
  if (std::find(s.text_columns.begin(), s.text_columns.end(), s.label_column) != s.text_columns.end())
    throw support::UsageError("--text-columns names column " + std::to_string(s.label_column) +
                              ", which is the class's (--label-column): the model would be given what it is to learn");
  if (s.label_column == 0 || std::find(s.text_columns.begin(), s.text_columns.end(), 0U) != s.text_columns.end())
    throw support::UsageError("--text-columns and --label-column count columns from 1 on; got 0");
  if (s.text_columns.size() == 2 && s.text_columns[0] == s.text_columns[1])
    throw support::UsageError("--text-columns names column " + std::to_string(s.text_columns[0]) +
                              " twice; expected two texts of a pair");
  for (char const* other : {"--task", "--fields"})
    if (support::given(app, other))
      support::refuse_given(app, {"--text-columns", "--label-column", "--header"},
                            std::string("beside ") + other + ", which says which columns are read");
  if (s.train.empty()) {
    if (s.validation.empty() && s.test.empty())
      throw support::UsageError("expected --test or --validation, rows for the adapter to classify");
    for (char const* group : {"Strategy", "Training"})
      support::refuse_group(app, group, "beside --adapter, which is used as it was saved");
  } else {
    if (s.strategy.choice.strategy == "none")
      throw support::UsageError("--method none trains nothing; --method head trains the classifier alone");
    support::check_training_options(app, !s.validation.empty());
    support::check_keep_frozen(app, s.strategy.choice.strategy, false);
  }
}

/// Scores the rows of --validation or --test; `kept` are the numbers of theirs that were not skipped.
/// @throws Interrupted where a signal ends it; what was predicted until then is kept
nlohmann::ordered_json score(graft::any::AnyModel& model, std::vector<graft::TokenizedExample> const& examples,
                             std::string const& name, std::vector<std::size_t> const& kept,
                             support::Predictions& predictions, support::ClassNames const& names,
                             bool labelled = true) {
  support::SignalWatch const signals;
  std::vector<graft::Token> expected, predicted;
  for (auto const& example : examples) expected.push_back(example.target.front());
  constexpr std::size_t at_once = 32;
  for (std::size_t first = 0; first < examples.size(); first += at_once) {
    if (int const signal = support::SignalWatch::caught(); signal != 0) {
      predictions.keep();
      throw support::Interrupted(signal, graft::cat("[classify] was ended by signal ", signal, " after ", first, " of ",
                                                    examples.size(), " rows of --", name));
    }
    auto const at = [&](std::size_t i) {
      return examples.begin() + static_cast<std::ptrdiff_t>(std::min(i, examples.size()));
    };
    for (graft::Token one : model.classify({at(first), at(first + at_once)})) {
      if (!kept.empty()) predictions.set(kept[predicted.size()], names.name(one));
      predicted.push_back(one);
    }
  }
  if (!labelled) return {{name + "_rows", examples.size()}};
  auto const beyond = [](graft::Token one) { return one > 1; };
  bool const several = names.named() ? names.names().size() > 2
                                     : std::any_of(predicted.begin(), predicted.end(), beyond) ||
                                           std::any_of(expected.begin(), expected.end(), beyond);
  return {{name + "_rows", examples.size()},
          {name + "_accuracy", graft::accuracy(predicted, expected)},
          {name + "_f1", several ? graft::macro_f1(predicted, expected) : graft::f1_score(predicted, expected)},
          {name + "_matthews", graft::matthews_correlation(predicted, expected)}};
}

std::set<graft::Token> classes_of(support::ClassRows const& rows) {
  std::set<graft::Token> classes;
  if (!rows.labelled) return classes;
  for (auto const& example : rows.examples) classes.insert(example.target.front());
  return classes;
}

/// How many classes a new head tells apart. What it cannot learn of them is said.
graft::Index settle_labels(Data const& data, support::ClassNames const& names) {
  auto const learned = classes_of(data.training);
  auto tested = classes_of(data.validation);
  tested.merge(classes_of(data.test));
  graft::Token const most =
      names.named()
          ? static_cast<graft::Token>(names.names().size()) - 1
          : std::max({graft::Token{1}, *learned.rbegin(), tested.empty() ? graft::Token{0} : *tested.rbegin()});
  std::string missing;
  std::size_t count = 0;
  for (graft::Token one = 0; one <= most; ++one)
    if (!learned.contains(one) && ++count <= 8) missing += (missing.empty() ? "" : ", ") + names.name(one);
  bool const is_tested =
      std::any_of(tested.begin(), tested.end(), [&](graft::Token one) { return !learned.contains(one); });
  if (count > 0)
    graft::warn("[", data.training.file, "] has no row of the class", count > 1 ? "es " : " ", missing,
                count > 8 ? ", …" : "", is_tested ? ", which --validation or --test has" : "", "; got rows of ",
                learned.size(), learned.size() > 1 ? " classes" : " class", " up to ", names.name(*learned.rbegin()),
                "; the head gets ", most + 1, " all the same");
  return most + 1;
}

/// Says that the checkpoint's own head, of another number of classes, is not used.
void say_other_head(std::filesystem::path const& model, graft::ModelInfo const& base, graft::Index labels) {
  auto const* const site = base.find({graft::Site::classifier});
  if (!site) return;
  auto const checkpoint = graft::open_checkpoint(model);
  std::string const name = graft::detail::stored_name(*checkpoint, site->name + ".weight", base.architecture);
  if (!checkpoint->contains(name)) return;
  auto const shape = checkpoint->entry(name).shape;
  if (!shape.empty() && shape.front() != labels)
    graft::warn("[", model.string(), "] has a trained head of ", shape.front(),
                " classes, which is thrown away; got rows of ", labels,
                " classes, for which a new head is trained; hint: is it the model for these rows, and do their numbers "
                "mean the same?");
}

/// Holds the rows for a saved adapter against the classes that it tells apart.
/// @throws FileError for a row of another class
void check_classes(graft::any::AnyModel& model, graft::ModelInfo const& base, Data const& data) {
  graft::Index labels = base.labels;  // of the base's own head, where the adapter has none
  for (auto const& [name, shape] : model.parameters())
    if (name.ends_with("classifier.weight") || name.ends_with("classifier.out_proj.weight")) labels = shape[0];
  for (auto const* part : {&data.validation, &data.test}) {
    if (!part->labelled) continue;
    for (std::size_t i = 0; i < part->examples.size(); ++i)
      if (graft::Token const one = part->examples[i].target.front(); one >= labels)
        graft::fail<graft::FileError>("[", part->file, "] line ", part->lines[i], " has the class ", one,
                                      "; expected 0 to ", labels - 1,
                                      ", the classes of the adapter; hint: was it trained for another task?");
    auto const classes = classes_of(*part);
    if (!classes.empty() && *classes.rbegin() + 1 < labels)
      graft::warn("[", part->file, "] has no row of a class above ", *classes.rbegin(), "; got an adapter that tells ",
                  labels, " classes apart; hint: is it one for these rows, and do their numbers mean the same?");
  }
}

/// What the adapter was trained with, and what the options say.
/// @param texts how many texts a row has
/// @return the classes' names, where they are kept
std::vector<std::string> settle_template(Settings& s, graft::Index texts) {
  std::string const& folder = s.adapter.empty() ? s.model : s.adapter;
  if (!s.adapter.empty()) support::say_unread_files(s.model, s.adapter);
  auto const saved = support::load_template(folder, graft::TextKind::classes);
  if (saved && saved->texts != texts)
    graft::warn("[", folder, "/", graft::template_file, "] says that training had ", saved->texts, " texts a row; got ",
                texts, " columns; hint: --text-columns, --fields or --task");
  if (saved) s.max_length = static_cast<std::size_t>(saved->max_length);
  if (saved && s.given_length && *s.given_length != s.max_length)
    graft::warn("[", folder, "/", graft::template_file, "] says that training had rows of at most ", s.max_length,
                " tokens; got ", *s.given_length, " as an option, which is taken");
  s.max_length = s.given_length.value_or(s.max_length);
  return saved ? saved->labels : std::vector<std::string>{};
}

/// The classes' names: the task's, else those of the adapter, else those that the training rows have.
/// @throws ConfigError for an adapter of a task with other classes
support::ClassNames settle_names(Settings const& s, Texts const& texts, graft::DataOptions const& options,
                                 std::vector<std::string> const& kept) {
  std::vector<std::string> const of_task =
      options.task.empty() ? std::vector<std::string>{} : graft::class_names(graft::task_named(options.task));
  if (!s.train.empty())
    return of_task.empty() ? support::ClassNames::learned(texts.training) : support::ClassNames(of_task);
  if (!of_task.empty() && !kept.empty() && of_task != kept)
    graft::fail<graft::ConfigError>("[", s.adapter, "] was trained for other classes than the task ", options.task,
                                    " has; got the classes ", kept.front(), ", …; expected ", of_task.front(), ", …");
  return support::ClassNames(kept.empty() ? of_task : kept);
}

/// For the adapter's folder.
graft::AdapterOptions adapter_options(Settings const& s, Texts const& texts) {
  auto saved = graft::AdapterTemplate::of(graft::TextKind::classes);
  saved.texts = texts.per_row(), saved.max_length = static_cast<graft::Index>(s.max_length);
  saved.labels = texts.names.names();
  return {.files = support::template_files(saved)};
}

void run(CLI::App const& app, Settings& s) {
  check_options(app, s);
  s.device.check();
  support::Outputs const outputs(s, s.training.log);
  auto& choice = s.strategy.choice;
  auto const base = graft::any::load_base(s.model, s.device.placement());
  if (!s.train.empty()) s.strategy.check(base->info());
  auto const tokenizer = graft::load_tokenizer(s.model);
  std::size_t cut = 0;
  auto const options = data_options(app, s);
  Texts texts(s, options);
  texts.names = settle_names(s, texts, options, settle_template(s, texts.per_row()));
  auto data = read_data(s, texts, tokenizer, cut);
  s.strategy.apply_words(tokenizer);
  choice.seed = s.training.seed;
  if (!s.train.empty())
    choice.labels = settle_labels(data, texts.names), say_other_head(s.model, base->info(), *choice.labels);
  s.update.apply(s.training, s.device.placement());
  s.training.learning_rate = s.learning_rate.value_or(graft::any::strategy_info(choice.strategy).learning_rate);
  auto const model = s.adapter.empty() ? base->adapt(choice) : base->load(s.adapter, {.any_base = s.any_base});
  if (!s.adapter.empty()) check_classes(*model, base->info(), data);
  std::size_t const read = data.training.examples.size();
  fit_lengths(s, *model, texts, tokenizer, data, cut);
  if (!s.train.empty()) support::say_without_effect(app, s.training, read, data.training.examples.size());
  if (cut > 0) std::fprintf(stderr, "cut to the maximum length: %zu tokens\n", cut);
  auto& training = data.training.examples;
  auto const &validation = data.validation.examples, &test = data.test.examples;
  nlohmann::ordered_json summary{{"method", s.adapter.empty() ? choice.strategy : "saved"}, {"model", s.model}};
  if (!training.empty()) {
    summary["training_rows"] = training.size();
    support::say_if_thrown_away("classify", s);
    support::SignalWatch const signals;
    s.training.stop = support::SignalWatch::caught;
    auto const report = model->fit(s.training, std::move(training), validation);
    summary.update(support::training_summary(s.training, report));
    support::keep_unfinished_training(report, s.training.checkpoint, s.output, [&](std::string const& folder) {
      model->save(folder, adapter_options(s, texts));
    });
    if (!s.output.empty()) model->save(s.output, adapter_options(s, texts)), summary["output"] = s.output;
  }
  support::Predictions predictions(s.predictions, data.test.lines.size(), "rows");
  if (!validation.empty()) summary.update(score(*model, validation, "validation", {}, predictions, texts.names));
  if (!test.empty())
    summary.update(score(*model, test, "test", data.kept, predictions, texts.names, data.test.labelled));
  predictions.write();
  summary["cut_tokens"] = cut;
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
  settings.training.epochs = 3, settings.training.batch = 32, settings.training.weight_decay = 0.01;
  CLI::App app{
      "Adapts an encoder to classes of sentences or of pairs of sentences, or uses an adapter, and scores its "
      "predictions (accuracy, F1, "
      "Matthews correlation).\n"
      "The head is trained beside the strategy. Progress goes to standard error. Exit status: 0, 1 (failed), 2 "
      "(usage), 130 and 143 "
      "(ended by SIGINT, SIGTERM: the adapter is saved as it is, and what was predicted is kept).",
      "classify"};
  add_options(app, settings);
  support::Profiling const profiling(app);
  return support::run_program(app, argc, argv, [&] { run(app, settings); });
}
