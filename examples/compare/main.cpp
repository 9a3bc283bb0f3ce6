// Compares strategies of adaptation on one model and one task: a table, report.json and report.html.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include <graft/any/any_model.hpp>
#include <graft/core/numbers.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/path_lock.hpp>
#include <graft/text/printable.hpp>
#include <graft/text/utf8.hpp>

#include "data.hpp"
#include "prompts.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "support/data.hpp"
#include "support/method_options.hpp"
#include "support/option_rules.hpp"
#include "support/pair_tokens.hpp"
#include "support/paths.hpp"
#include "support/update_options.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace {

using namespace compare;

std::vector<std::string> const default_methods{none,        few_shot,  "prefix", "prefix_mlp", "prompt", "infix",
                                               "embedding", "adapter", "lora",   "top_layers", "full"};

/// What --quick changes, where the command line does not say otherwise.
struct Budget {
  std::size_t training_rows, validation_rows, test_sources;
  Index epochs;
};
constexpr Budget normal_budget{192, 24, 10, 1}, quick_budget{40, 8, 4, 1};

struct CommandLine {
  Settings settings;
  std::optional<std::size_t> training_rows, validation_rows, test_sources;
  std::optional<Index> epochs;
  std::vector<std::string> learning_rates;
};

/// "Training examples (default: 192; with --quick 40)"
template <class T>
std::string with_budget(char const* what, T normal, T quick) {
  return graft::cat(what, " (default: ", normal, "; with --quick ", quick, ")");
}

void add_budget_options(CLI::App& app, CommandLine& line) {
  support::OptionGroup const option(app, "Budget, the same for all rows");
  auto const positive = support::positive_number();
  auto const not_negative = support::number_from_zero();
  auto& task = line.settings.task;
  constexpr Budget n = normal_budget, q = quick_budget;
  option("--rows", line.training_rows, with_budget("Training examples", n.training_rows, q.training_rows), positive);
  option("--epochs", line.epochs, with_budget("Passes over them", n.epochs, q.epochs), positive);
  option("--steps", task.steps, "Optimizer steps, in place of --epochs; 0: as the epochs have", not_negative);
  option("--batch", task.batch, "Examples of a step", positive);
  option("--validation-rows", line.validation_rows,
         with_budget("Validation examples", n.validation_rows, q.validation_rows), positive);
  option("--test-sources", line.test_sources,
         with_budget("Test sources of seen and of unseen domains each", n.test_sources, q.test_sources), positive);
  option("--max-new", task.max_new, "Most tokens of an output", positive);
  option("--max-source", task.max_source,
         "Longest source in tokens; 0: no limit (default: as a merged model's folder keeps it, else 0)", not_negative);
  option("--max-target", task.max_target, "Longest target in tokens; 0: no limit", not_negative);
  option("--shots", task.shots, "Training examples in the context of few_shot", positive);
  option.flag("--recompute", task.recompute, support::recompute_help);
  option("--seed", task.seed, "Addresses all random numbers");
  option("--separator", task.separator,
         "Stands between source and target (default: ' ->' for models that continue a text, none for T5 and BART)");
  option("--learning-rate", line.learning_rates,
         "METHOD=VALUE, or VALUE for all; parted by commas (default: a tuned one for each, shown in the table)")
      ->delimiter(',');
  option.flag("--tune", line.settings.tune,
              "Try a third and three times of each learning rate too, and keep the one with the lowest validation loss "
              "(takes three times "
              "as long)");
}

void add_options(CLI::App& app, CommandLine& line) {
  support::OptionGroup const option(app, "Options");
  auto& s = line.settings;
  std::vector<std::string> methods = support::strategy_names();
  methods.push_back(few_shot);
  s.methods = default_methods;
  option("--model", s.task.model, "Hugging Face folder or GGUF file")->required();
  option("--data", s.task.data, std::string("A ") + support::data_help);
  option("--test", s.task.test, "File of test examples (default: sources held out of --data)");
  option("--methods", s.methods, "Rows, parted by commas; none is always one", CLI::IsMember(methods))->delimiter(',');
  option("--out", s.out, "Folder for report.html, report.json and finished rows");
  option.flag("--quick", s.quick, "A few minutes in all: less data, fewer tests");
  option.flag("--fresh", s.fresh,
              "Make all rows anew (default: rows of an earlier run are kept where nothing has changed)");
  option.flag("--json", s.json, "Print the report as JSON; the table goes to standard error");
  add_budget_options(app, line);
}

double positive_number(std::string const& text, std::string const& option) {
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0 && graft::fits_float(value)) return value;
  throw support::UsageError("--learning-rate: got '" + option +
                            "'; expected METHOD=VALUE or VALUE with a positive number up to 3.4e38");
}

/// A rate of one row goes before the rate of all. @throws UsageError for a rate that no row would have
void settle_learning_rates(CommandLine const& line, Settings& s) {
  std::optional<std::string> for_all;
  auto const refuse = [](std::string const& option, std::string const& why) {
    throw support::UsageError("--learning-rate: got " + graft::printable(option) + why);
  };
  for (auto const& option : line.learning_rates) {
    auto const at = option.find('=');
    double const value = positive_number(at == std::string::npos ? option : option.substr(at + 1), option);
    std::string const method = option.substr(0, at == std::string::npos ? 0 : at);
    if (at == std::string::npos) {
      if (for_all) refuse(option, " beside " + graft::printable(*for_all) + "; expected one rate for all");
      for_all = option;
    } else if (!is_trained(method) || std::find(s.methods.begin(), s.methods.end(), method) == s.methods.end()) {
      refuse(option, "; expected one of the trained rows in --methods");
    } else if (!s.learning_rates.emplace(method, value).second) {
      refuse(option, "; expected one rate for " + method);
    }
  }
  if (!for_all) return;
  bool read = false;
  for (auto const& method : s.methods)
    read = (is_trained(method) && s.learning_rates.emplace(method, positive_number(*for_all, *for_all)).second) || read;
  if (!read)
    refuse(*for_all, ", which no row would have; expected a trained row in --methods without a rate of its own");
}

void settle(CommandLine& line) {
  auto& s = line.settings;
  Budget const budget = s.quick ? quick_budget : normal_budget;
  s.task.training_rows = line.training_rows.value_or(budget.training_rows);
  s.task.validation_rows = line.validation_rows.value_or(budget.validation_rows);
  s.task.test_sources = line.test_sources.value_or(budget.test_sources);
  s.task.epochs = line.epochs.value_or(budget.epochs);
  std::vector<std::string> chosen{none};
  for (auto const& method : s.methods)
    if (std::find(chosen.begin(), chosen.end(), method) == chosen.end()) chosen.push_back(method);
  s.methods = chosen;
  settle_learning_rates(line, s);
}

/// Says what has no effect on this comparison.
void check_options(CLI::App const& app, Settings const& s) {
  auto const has = [&](char const* method) {
    return std::find(s.methods.begin(), s.methods.end(), method) != s.methods.end();
  };
  bool const trains = std::any_of(s.methods.begin(), s.methods.end(), is_trained);
  if (s.task.data == support::generated_data)
    support::refuse_given(app, {"--test"}, "with the generated data, which have a test of their own");
  if (!has(few_shot)) support::refuse_given(app, {"--shots"}, "without the row few_shot");
  if (!trains)
    support::refuse_given(app, {"--epochs", "--steps", "--batch", "--recompute", "--learning-rate", "--tune"},
                          "without a trained row in --methods");
  if (!trains && !has(few_shot)) support::refuse_given(app, {"--rows"}, "without a row that reads training examples");
  bool const all_given = std::all_of(s.methods.begin(), s.methods.end(), [&](auto const& method) {
    return !is_trained(method) || s.learning_rates.contains(method);
  });
  if (s.tune && all_given)
    throw support::UsageError("--tune has no effect where --learning-rate gives every row's; leave one of them out");
  if (s.task.steps > 0) support::refuse_given(app, {"--epochs"}, "beside --steps, which stand in its place");
}
void check_options(CLI::App const& app, graft::ModelInfo const& model) {
  if (model.classifies)
    support::refuse_given(app, {"--max-new", "--max-target"}, "on a classifier, which writes no text");
  if (model.classifies || model.main().crosses)
    support::refuse_given(app, {"--separator", "--shots"}, "on a model that reads source and target apart");
}

/// Holds the rows of every strategy that adds virtual tokens, and of the model as it is, against the model's positions:
/// before the first row is made.
void check_all_lengths(Settings const& s, Examples const& examples, graft::any::AnyBase const& base) {
  static std::vector<std::string> const lengthening{none,    few_shot,    "prefix",   "prefix_mlp",  "prompt",
                                                    "infix", "embedding", "p_tuning", "prefix_lora", "mam"};
  for (auto const& name : s.methods) {
    bool const few = name == few_shot;
    if (std::find(lengthening.begin(), lengthening.end(), name) == lengthening.end() ||
        !graft::any::exists(few ? none : name, base.info()))
      continue;
    if (few && (base.info().classifies || base.config().encoder)) continue;
    graft::any::Choice method;
    method.strategy = few ? none : name;
    auto request = Request{s.task, name, 0};
    if (name == none) request.method = "lora";  // the rows of all that add none: those for training too
    check_lengths(s.task, examples, make_prompts(request, examples, base.config(), base.info()),
                  base.adapt(method)->row_limits());
  }
}

/// Says at once what is wrong with the model, or that it does not go with the data, and settles the template.
void check_model(CLI::App const& app, Settings& s, Examples const& examples) {
  auto const base = graft::any::load_base(s.task.model);
  if (base->info().classifies) {
    static_cast<void>(graft::load_tokenizer(s.task.model));
    static_cast<void>(class_names(examples));
  } else {
    auto const form = template_of(s.task, base->config(), base->info(), true);
    static_cast<void>(support::pair_tokens(s.task.model, form, s.task.max_target));
    s.task.separator = form.form.separator, s.task.max_source = form.max_source;
  }
  check_options(app, base->info());
  check_all_lengths(s, examples, *base);
}

/// Rows are made by processes that read what to do from JSON, which holds UTF-8 alone.
void check_texts(Settings const& s) {
  for (auto const& [name, text] : {std::pair("model", s.task.model),
                                   {"data", s.task.data},
                                   {"test", s.task.test},
                                   {"separator", s.task.separator.value_or("")}})
    if (graft::replace_invalid_utf8(text) != text)
      graft::fail<graft::ConfigError>("[compare] got --", name, " ", graft::printable(text),
                                      "; expected UTF-8; hint: a link with another name will do");
}

/// The process of every row reads the data again.
void check_files(Settings const& s) {
  support::check_names({{"--out", s.out.string()}});
  for (auto const& [option, path] : {std::pair("--data", s.task.data), {"--test", s.task.test}})
    if (support::is_stream(path))
      throw support::UsageError(graft::cat(
          option, " names a pipe or another stream, and every row reads the data anew: ", path, "; expected a file"));
}

void run(CLI::App const& app, CommandLine& line) {
  settle(line);
  auto const& s = line.settings;
  check_options(app, s);
  check_files(s);
  check_texts(s);
  std::error_code missing;
  if (!graft::is_there(s.task.model))
    graft::fail<graft::FileError>("[", s.task.model,
                                  "] no such file or folder; expected a Hugging Face folder or a GGUF file");
  Examples const examples = make_examples(s.task);  // says at once what is wrong with the data
  check_model(app, line.settings, examples);
  if (line.training_rows && *line.training_rows > examples.training.size())
    graft::warn("[compare] got --rows ", *line.training_rows, ", which leaves nothing out; ", s.task.data, " has ",
                examples.training.size(), " besides those of validation and test");
  std::fprintf(stderr, "%zu rows; %zu training, %zu validation and %zu test examples (%s)\n", s.methods.size(),
               examples.training.size(), examples.validation.size(), examples.test.size(),
               examples.description.c_str());
  std::filesystem::create_directories(s.out, missing);  // writing into it says what is wrong
  for (char const* name : {"report.json", "report.html"}) graft::check_output_file(s.out / name);
  graft::PathLock const lock(s.out);
  auto const rows = make_rows(s);
  auto const failed = std::count_if(rows.begin(), rows.end(), [](Row const& row) { return row.failed(); });
  auto const fail = [&] {
    auto const first = std::find_if(rows.begin(), rows.end(), [](Row const& row) { return row.failed(); });
    graft::fail(failed, " of ", rows.size(), " rows failed; the first said: ", first->error);
  };
  if (failed == std::ssize(rows)) fail();  // a report of nothing would replace one of an earlier run
  Report const report{s, examples, rows};
  Json const json = report_json(report);
  graft::write_file_atomic(s.out / "report.json", json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  graft::write_file_atomic(s.out / "report.html", report_html(report));
  std::string const table = "\n" + plain_table(rows, report.test()) + "\nreport: " + (s.out / "report.html").string() +
                            ", " + (s.out / "report.json").string() + "\n";
  if (s.json) {
    std::fprintf(stderr, "%s", table.c_str());
    support::print(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    support::print(table);
  }
  if (failed > 0) fail();
}

}  // namespace

int main(int argc, char** argv) {
  support::hold_standard_descriptors();
  if (argc == 4 && std::string_view(argv[1]) == "--worker") return run_worker(argv[2], argv[3]);
  CommandLine line;
  CLI::App app{
      "Compares strategies of adapting a pretrained language model on one task, with the same data, steps and seed for "
      "all: what each "
      "trains, costs and reaches.\n"
      "Prints a table and writes report.html and report.json. Exit status: 0, 1 (failed), 2 (usage).",
      "compare"};
  add_options(app, line);
  return support::run_program(app, argc, argv, [&] { run(app, line); });
}
