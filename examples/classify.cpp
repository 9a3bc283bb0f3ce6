// Adapts an encoder (BERT, RoBERTa) to classes of sentences or pairs of sentences, and scores its predictions.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <graft/any/any_model.hpp>
#include <graft/data/text_file.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/open_checkpoint.hpp>
#include <graft/io/stored_names.hpp>
#include <graft/train/classify.hpp>
#include <graft/train/progress.hpp>

#include "support/lengths.hpp"
#include "support/memory.hpp"
#include "support/method_options.hpp"
#include "support/option_rules.hpp"
#include "support/outputs.hpp"
#include "support/predictions.hpp"
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
  bool header = false, any_base = false, json = false;
};

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder of a BERT or RoBERTa with its tokenizer")->required();
  auto* const train = option("--train", s.train, "TSV to train on");
  option("--validation", s.validation, "TSV whose loss and score are watched (default: none)");
  auto* const test = option("--test", s.test, "TSV to score after training (default: none)");
  option("--text-columns", s.text_columns, "Column of the text, or two of a pair, from 1 on")->delimiter(',');
  option("--label-column", s.label_column, "Column of the class, a number from 0 to 999999");
  option.flag("--header", s.header, "The first line of every TSV names the columns");
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
  option.flag("--json", s.json, "Print one JSON object");
  s.strategy.add_to(app);
  s.strategy.add_encoder_options(app);
  support::add_task_options(app, s.training, s.learning_rate, s.update);
}

std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> columns;
  for (std::size_t begin = 0;;) {
    std::size_t const tab = line.find('\t', begin);
    columns.push_back(line.substr(begin, tab - begin));
    if (tab == std::string_view::npos) return columns;
    begin = tab + 1;
  }
}

/// Rows as tokens, with their lines.
struct TsvRows {
  std::string file;
  std::vector<graft::TokenizedExample> examples;
  std::vector<std::size_t> lines;
};

/// A file and what stands in it; read once, for it may be a pipe.
struct TsvText {
  std::string file, text;

  explicit TsvText(std::string path)
      : file(std::move(path)), text(file.empty() ? std::string() : graft::read_text_file(file)) {}
};

/// `cut` counts tokens beyond the maximum length.
TsvRows read_rows(Settings const& s, TsvText const& tsv, graft::Tokenizer const& tokenizer, std::size_t& cut,
                  std::size_t rows = 0) {
  std::string const& file = tsv.file;
  TsvRows rows_of_file{file, {}, {}};
  auto& examples = rows_of_file.examples;
  if (file.empty()) return rows_of_file;
  bool header = s.header;
  for (auto const& line : graft::split_lines(tsv.text)) {
    if (std::exchange(header, false) || graft::trim(line.text).empty()) continue;
    if (rows > 0 && examples.size() == rows) break;
    auto const columns = columns_of(line.text);
    auto const column = [&](std::size_t number) {
      if (number < 1 || number > columns.size())
        graft::fail<graft::FileError>("[", file, "] line ", line.number, " has ", columns.size(),
                                      " columns; expected a column ", number,
                                      "; hint: --text-columns and --label-column");
      return columns[number - 1];
    };
    std::string const label(graft::trim(column(s.label_column)));
    if (label.empty() || label.size() > 6 || label.find_first_not_of("0123456789") != std::string::npos)
      graft::fail<graft::FileError>(
          "[", file, "] line ", line.number, " has the class '", label,
          "'; expected a number from 0 to 999999; hint: --header, if that line names the columns");
    std::optional<std::string_view> second;
    if (s.text_columns.size() == 2) second = column(s.text_columns[1]);
    auto encoded = tokenizer.encode_with_template(column(s.text_columns[0]), second, s.max_length);
    cut += encoded.cut_tokens;
    rows_of_file.lines.push_back(line.number);
    graft::Token number = 0;  // six digits at most
    std::from_chars(label.data(), label.data() + label.size(), number);
    examples.push_back({std::move(encoded.ids),
                        {number},
                        examples.size(),
                        std::vector<graft::Index>(encoded.token_types.begin(), encoded.token_types.end())});
  }
  if (examples.empty()) graft::fail<graft::FileError>("[", file, "] holds no rows; expected text and class a line");
  return rows_of_file;
}

struct Data {
  TsvRows training, validation, test;
  std::vector<std::size_t> kept;  ///< of the test's rows
};

struct Texts {
  TsvText training, validation, test;
};

Data read_data(Settings const& s, Texts const& texts, graft::Tokenizer const& tokenizer, std::size_t& cut) {
  cut = 0;
  return {read_rows(s, texts.training, tokenizer, cut, s.rows),
          read_rows(s, texts.validation, tokenizer, cut),
          read_rows(s, texts.test, tokenizer, cut),
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
  if (s.text_columns.size() == 2 && s.text_columns[0] == s.text_columns[1])
    throw support::UsageError("--text-columns names column " + std::to_string(s.text_columns[0]) +
                              " twice; expected two texts of a pair");
  if (s.train.empty()) {
    if (s.validation.empty() && s.test.empty())
      throw support::UsageError("expected --test or --validation, rows for the adapter to classify");
    for (char const* group : {"Strategy", "Training"})
      support::refuse_group(app, group, "beside --adapter, which is used as it was saved");
  } else {
    if (s.strategy.choice.strategy == "none")
      throw support::UsageError("--method none trains nothing; --method head trains the classifier alone");
    support::check_training_options(app, !s.validation.empty());
  }
}

/// Scores the rows of --validation or --test; `kept` are the numbers of theirs that were not skipped.
/// @throws Interrupted where a signal ends it; what was predicted until then is kept
nlohmann::ordered_json score(graft::any::AnyModel& model, std::vector<graft::TokenizedExample> const& examples,
                             std::string const& name, std::vector<std::size_t> const& kept,
                             support::Predictions& predictions) {
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
      if (!kept.empty()) predictions.set(kept[predicted.size()], std::to_string(one));
      predicted.push_back(one);
    }
  }
  return {{name + "_rows", examples.size()},
          {name + "_accuracy", graft::accuracy(predicted, expected)},
          {name + "_matthews", graft::matthews_correlation(predicted, expected)}};
}

std::set<graft::Token> classes_of(TsvRows const& rows) {
  std::set<graft::Token> classes;
  for (auto const& example : rows.examples) classes.insert(example.target.front());
  return classes;
}

/// How many classes a new head tells apart. What it cannot learn of them is said.
graft::Index settle_labels(Data const& data) {
  auto const learned = classes_of(data.training);
  auto tested = classes_of(data.validation);
  tested.merge(classes_of(data.test));
  graft::Token const most =
      std::max({graft::Token{1}, *learned.rbegin(), tested.empty() ? graft::Token{0} : *tested.rbegin()});
  std::string missing;
  std::size_t count = 0;
  for (graft::Token one = 0; one <= most; ++one)
    if (!learned.contains(one) && ++count <= 8) missing += (missing.empty() ? "" : ", ") + std::to_string(one);
  bool const is_tested =
      std::any_of(tested.begin(), tested.end(), [&](graft::Token one) { return !learned.contains(one); });
  if (count > 0)
    graft::warn("[", data.training.file, "] has no row of the class", count > 1 ? "es " : " ", missing,
                count > 8 ? ", …" : "", is_tested ? ", which --validation or --test has" : "", "; got rows of ",
                learned.size(), learned.size() > 1 ? " classes" : " class", " up to ", *learned.rbegin(),
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
void settle_template(Settings& s) {
  std::string const& folder = s.adapter.empty() ? s.model : s.adapter;
  if (!s.adapter.empty()) support::say_unread_files(s.model, s.adapter);
  auto const saved = support::load_template(folder, graft::TextKind::classes);
  auto const texts = static_cast<graft::Index>(s.text_columns.size());
  if (saved && saved->texts != texts)
    graft::warn("[", folder, "/", graft::template_file, "] says that training had ", saved->texts, " texts a row; got ",
                texts, " columns; hint: --text-columns");
  if (saved) s.max_length = static_cast<std::size_t>(saved->max_length);
  if (saved && s.given_length && *s.given_length != s.max_length)
    graft::warn("[", folder, "/", graft::template_file, "] says that training had rows of at most ", s.max_length,
                " tokens; got ", *s.given_length, " as an option, which is taken");
  s.max_length = s.given_length.value_or(s.max_length);
}

/// For the adapter's folder.
graft::AdapterOptions adapter_options(Settings const& s) {
  auto saved = graft::AdapterTemplate::of(graft::TextKind::classes);
  saved.texts = static_cast<graft::Index>(s.text_columns.size()),
  saved.max_length = static_cast<graft::Index>(s.max_length);
  return {.files = support::template_files(saved)};
}

void run(CLI::App const& app, Settings& s) {
  check_options(app, s);
  support::Outputs const outputs(s, s.training.log);
  settle_template(s);
  auto& choice = s.strategy.choice;
  auto const base = graft::any::load_base(s.model);
  if (!s.train.empty()) s.strategy.check(base->info());
  auto const tokenizer = graft::load_tokenizer(s.model);
  std::size_t cut = 0;
  Texts const texts{TsvText(s.train), TsvText(s.validation), TsvText(s.test)};
  auto data = read_data(s, texts, tokenizer, cut);
  s.strategy.apply_words(tokenizer);
  choice.seed = s.training.seed;
  if (!s.train.empty()) choice.labels = settle_labels(data), say_other_head(s.model, base->info(), *choice.labels);
  s.update.apply(s.training);
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
    support::keep_unfinished_training(report, s.training.checkpoint, s.output,
                                      [&](std::string const& folder) { model->save(folder, adapter_options(s)); });
    if (!s.output.empty()) model->save(s.output, adapter_options(s)), summary["output"] = s.output;
  }
  support::Predictions predictions(s.predictions, data.test.lines.size(), "rows");
  if (!validation.empty()) summary.update(score(*model, validation, "validation", {}, predictions));
  if (!test.empty()) summary.update(score(*model, test, "test", data.kept, predictions));
  predictions.write();
  summary["cut_tokens"] = cut;
  summary["too_long"] = {{"cut", s.lengths.cut}, {"skipped", s.lengths.skipped}};
  summary["peak_memory_mib"] = support::peak_memory_mib();
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
      "predictions (accuracy, "
      "Matthews correlation).\n"
      "The head is trained beside the strategy. Progress goes to standard error. Exit status: 0, 1 (failed), 2 "
      "(usage), 130 and 143 "
      "(ended by SIGINT, SIGTERM: the adapter is saved as it is, and what was predicted is kept).",
      "classify"};
  add_options(app, settings);
  return support::run_program(app, argc, argv, [&] { run(app, settings); });
}
