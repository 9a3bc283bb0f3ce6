#include "command_line.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <graft/nn/model_info.hpp>
#include <graft/text/printable.hpp>

#include "naming.hpp"
#include "rates.hpp"
#include "support/data.hpp"
#include "support/option_group.hpp"
#include "support/option_rules.hpp"
#include "support/text_metrics.hpp"
#include "support/update_options.hpp"

namespace compare {

namespace {

std::vector<std::string> const default_methods{none,        few_shot,  "prefix", "prefix_mlp", "prompt", "infix",
                                               "embedding", "adapter", "lora",   "top_layers", "full"};

/// What --quick changes, where the command line does not say otherwise.
struct Budget {
  std::size_t training_rows, validation_rows, test_sources;
  Index epochs;
};
constexpr Budget normal_budget{192, 24, 10, 1}, quick_budget{40, 8, 4, 1};

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
  option("--rows", line.training_rows, with_budget("Training examples; 0: all", n.training_rows, q.training_rows),
         not_negative);
  option("--epochs", line.epochs, with_budget("Passes over them", n.epochs, q.epochs), positive);
  option("--steps", task.steps, "Optimizer steps, in place of --epochs; 0: as the epochs have", not_negative);
  option("--batch", task.batch, "Examples of a step", positive);
  option("--validation-rows", line.validation_rows,
         with_budget("Validation examples; 0: all of --validation", n.validation_rows, q.validation_rows),
         not_negative);
  option("--test-sources", line.test_sources,
         with_budget("Test sources of each test set, twice as many of one without a name; 0: all of the files",
                     n.test_sources, q.test_sources),
         not_negative);
  option("--max-new", task.max_new, "Most tokens of an output", positive);
  option("--max-source", task.max_source,
         "Longest source in tokens; 0: no limit (default: as a merged model's folder keeps it, else 0)", not_negative);
  option("--max-target", task.max_target, "Longest target in tokens; 0: no limit", not_negative);
  option("--shots", task.shots, "Training examples in the context of few_shot", positive);
  option.flag("--recompute", task.recompute, support::recompute_help);
  option.flag("--share-sources", task.share_sources, support::share_sources_help);
  option("--seed", line.seed, "Of a training: starts, order of examples, dropout (default: 0)");
  option("--seeds", line.seeds,
         "Several, parted by commas, or 0..4: each row is trained with each, and shown as mean ± deviation")
      ->delimiter(',');
  option("--split-seed", task.split_seed, "Decides which examples are held out and which are taken, and nothing else");
  option("--separator", task.separator,
         "Stands between source and target (default: ' ->' for models that continue a text, none for T5 and BART)");
  option("--learning-rate", line.learning_rates,
         "METHOD=VALUE, ROW=VALUE (lora:rank=4=0.001, for rows with these settings), or VALUE for all; parted by "
         "commas (default: a tuned one for each, shown in the table)")
      ->delimiter(',');
  option.flag("--tune", line.tune,
              "Try a third and three times of each learning rate too, with the first seed, and keep the one with the "
              "lowest validation loss (takes two trainings a row more)");
}

/// "seen=a.tsv" as a name and a file; a text without a name before = is a file.
TestFile test_file(std::string const& text) {
  auto const at = text.find('=');
  std::string const name = text.substr(0, at == std::string::npos ? 0 : at);
  bool const is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  std::error_code error;
  std::string const file = is_name ? text.substr(at + 1) : text;
  bool const whole = std::filesystem::exists(text, error) && !std::filesystem::exists(file, error);
  return is_name && !whole ? TestFile{name, file} : TestFile{"", text};
}

void settle_tests(CommandLine& line) {
  auto& tests = line.settings.task.tests;
  for (auto const& text : line.tests) {
    TestFile const test = test_file(text);
    if (test.file.empty()) throw support::UsageError("--test got " + graft::printable(text) + "; expected NAME=FILE");
    if (std::any_of(tests.begin(), tests.end(), [&](TestFile const& other) { return other.name == test.name; }))
      throw support::UsageError("--test got " + graft::printable(text) +
                                (test.name.empty() ? ", a second file without a name" : ", a name that another has") +
                                "; expected NAME=FILE, with another name for each");
    tests.push_back(test);
  }
}

std::vector<std::string> seed_texts(std::string const& text) {
  std::vector<std::string> texts;
  support::as_usage("--seeds", [&] { texts = expand_values("[compare] --seeds", text); });
  return texts;
}

void settle_seeds(CommandLine& line) {
  auto& seeds = line.settings.seeds;
  if (line.seed) seeds = {*line.seed};
  if (line.seeds.empty()) return;
  seeds.clear();
  for (auto const& text : line.seeds)
    for (auto const& one : seed_texts(text)) {
      std::uint64_t seed = 0;
      auto const [end, error] = std::from_chars(one.data(), one.data() + one.size(), seed);
      if (error != std::errc() || end != one.data() + one.size())
        throw support::UsageError("--seeds got " + graft::printable(one) + "; expected whole numbers from 0");
      if (std::find(seeds.begin(), seeds.end(), seed) != seeds.end())
        throw support::UsageError("--seeds got " + one + " twice; expected each once");
      seeds.push_back(seed);
    }
}

/// `none` first, then --methods, then --row.
void settle_rows(CommandLine& line) {
  auto& rows = line.settings.rows;
  rows = {{{none, {}}, std::nullopt, none}};
  if (line.methods.empty() && line.rows.empty()) line.methods = default_methods;
  for (auto const& method : line.methods)
    if (std::none_of(rows.begin(), rows.end(), [&](RowSpec const& row) { return row.strategy.name == method; }))
      rows.push_back({{method, {}}, std::nullopt, method});
  std::map<std::pair<std::string, std::optional<double>>, std::string> known;  // and where they are from
  auto const key = [](RowSpec const& row) { return std::pair(to_string(canonical(row.strategy)), row.learning_rate); };
  for (auto const& row : rows) known.emplace(key(row), row.asked);
  for (auto const& text : line.rows)
    for (auto const& row : expand_row(text)) {
      if (row.strategy.name == none && row.strategy.settings.empty()) continue;  // it is there
      check(row.strategy);
      if (auto const [twin, fresh] = known.emplace(key(row), row.asked); !fresh)
        graft::fail<graft::ConfigError>("[compare] got the row ", to_string(row.strategy), " twice, from ",
                                        twin->second, " and ", row.asked, "; expected each row once");
      rows.push_back(row);
      if (rows.size() > most_rows)
        graft::fail<graft::ConfigError>("[compare] got more than ", most_rows, " rows; expected fewer");
    }
}

void add_metric_options(support::OptionGroup const& option, CommandLine& line) {
  std::string standard;
  for (auto const& name : MetricChoice{}.names) standard += (standard.empty() ? "" : ",") + name;
  option("--metrics", line.metrics,
         "Metrics of the outputs, parted by commas, in the order of the table; the first is that of the plots. rouge "
         "is rouge1,rouge2,rouge_l. Accuracy is always in JSON and CSV, and all that classifiers have (default: " +
             standard + ")",
         CLI::IsMember(metric_names()))
      ->delimiter(',');
  auto& data = line.settings.metrics.meteor_data;
  data = support::standard_meteor_data();
  option("--meteor-data", data,
         "Folder of METEOR's word lists and paraphrases (docs: metrics); GRAFT_METEOR_DATA names another default");
}

}  // namespace

void add_options(CLI::App& app, CommandLine& line) {
  support::OptionGroup const option(app, "Options");
  auto& s = line.settings;
  option("--model", s.task.model, "Hugging Face folder or GGUF file (needed, but with --merge)");
  option("--data", s.task.data, std::string("A ") + support::data_help);
  option("--validation", s.task.validation, "File of validation examples (default: sources held out of --data)");
  option("--test", line.tests,
         "File of test examples, or NAME=FILE, which may be given several times (default: sources held out of --data)")
      ->allow_extra_args(false);
  line.reading.add_to(option, true, true);
  std::string names;
  for (auto const& name : default_methods) names += (names.empty() ? "" : ",") + name;
  option("--methods", line.methods,
         "Rows with default settings, parted by commas; none is always one (default without --row: " + names + ")",
         CLI::IsMember(strategy_names()))
      ->delimiter(',');
  option("--row", line.rows,
         "A row with settings, STRATEGY:NAME=VALUE:NAME=VALUE, which may be given several times. A list (rank=4,8,16) "
         "or a range (length=1..40, or length=1..41..10 in steps of 10) is a row of each value; several are all "
         "combinations. learning_rate is a setting of every trained row, shots one of few_shot")
      ->allow_extra_args(false);
  option("--out", s.out, "Folder for report.html, report.json and finished rows");
  option("--csv", s.csv, "File for one line of each row, seed and test set");
  add_metric_options(option, line);
  option("--against", s.against, "The row that the others' differences are measured from, as the table names it");
  option("--jobs", s.jobs,
         "Processes side by side, as far as memory allows; the processors' threads are divided among them",
         support::positive_number());
  option("--memory", s.memory_mib, "MiB that all processes together may need; 0: what is free at the start",
         support::number_from_zero());
  line.device.add_to(option);
  option.flag("--quick", s.quick, "A few minutes in all: less data, fewer tests");
  option.flag("--fresh", s.fresh,
              "Make all rows anew (default: rows of an earlier run are kept where nothing has changed)");
  option.flag("--json", s.json, "Print the report as JSON; the table goes to standard error");
  option("--merge", line.merged,
         "Folders of earlier comparisons, of which --out becomes one report; nothing is trained");
  add_budget_options(app, line);
}

void settle_metrics(CLI::App const& app, CommandLine& line) {
  auto& choice = line.settings.metrics;
  if (!line.metrics.empty()) choice.names = single_metrics(line.metrics);
  for (auto name = choice.names.begin(); name != choice.names.end(); ++name)
    if (std::find(choice.names.begin(), name, *name) != name)
      throw support::UsageError("--metrics got " + *name + " twice; expected each metric once");
  if (std::find(choice.names.begin(), choice.names.end(), "meteor") == choice.names.end())
    support::refuse_given(app, {"--meteor-data"}, "without --metrics meteor");
  check_metrics(choice);
}

void settle(CLI::App const& app, CommandLine& line) {
  auto& s = line.settings;
  if (s.task.model.empty()) throw support::UsageError("--model is required");
  if (line.seed && !line.seeds.empty())
    throw support::UsageError("--seed has no effect beside --seeds, which stand in its place; leave it out");
  Budget const budget = s.quick ? quick_budget : normal_budget;
  s.task.training_rows = line.training_rows.value_or(budget.training_rows);
  s.task.validation_rows = line.validation_rows.value_or(budget.validation_rows);
  s.task.test_sources = line.test_sources.value_or(budget.test_sources);
  s.task.epochs = line.epochs.value_or(budget.epochs);
  s.task.reading = line.reading.reading(), s.task.placement = line.device.placement();
  settle_metrics(app, line);
  settle_tests(line);
  settle_seeds(line);
  support::as_usage("--row", [&] { settle_rows(line); });
  settle_learning_rates(line);
  if (s.jobs > 1 && s.task.placement.device == graft::any::DeviceKind::cuda)
    throw support::UsageError("--jobs got " + std::to_string(s.jobs) +
                              " with --device cuda; expected 1: all processes would share one GPU's memory");
  check_options(app, line);
}

void check_options(CLI::App const& app, CommandLine const& line) {
  auto const& s = line.settings;
  auto const& task = s.task;
  bool shown = false, trains = false;
  for (auto const& row : s.rows) {
    trains = trains || is_trained(row.strategy.name);
    shown = shown || row.strategy.name == few_shot;
  }
  bool const shots = std::any_of(s.rows.begin(), s.rows.end(), [](RowSpec const& row) {
    return row.strategy.name == few_shot && !row.strategy.find("shots");
  });
  if (task.data == support::generated_data) {
    support::refuse_given(app, {"--test", "--validation"}, "with the generated data, which have their own");
    support::DataChoice::refuse(app, "with the generated data");
  }
  bool const held_out = task.data != support::generated_data && task.tests.empty();
  for (auto const& [option, count, needed] :
       {std::tuple("--rows", task.training_rows, task.data == support::generated_data),
        {"--validation-rows", task.validation_rows, task.validation.empty()},
        {"--test-sources", task.test_sources, held_out || task.data == support::generated_data}})
    if (count == 0 && needed)
      throw support::UsageError(std::string(option) + " got 0, which stands for all of a file; expected more than 0 " +
                                "where the examples are held out of --data or generated");
  if (!shots) support::refuse_given(app, {"--shots"}, "without the row few_shot");
  if (!trains)
    support::refuse_given(app,
                          {"--epochs", "--steps", "--batch", "--recompute", "--share-sources", "--learning-rate",
                           "--tune", "--seed", "--seeds"},
                          "without a trained row in --methods or --row");
  if (!trains && !shown) support::refuse_given(app, {"--rows"}, "without a row that reads training examples");
  if (line.tune && std::none_of(s.tuned.begin(), s.tuned.end(), [](bool tuned) { return tuned; }))
    throw support::UsageError("--tune has no effect where --learning-rate gives every row's; leave one of them out");
  if (task.steps > 0) support::refuse_given(app, {"--epochs"}, "beside --steps, which stand in its place");
  auto const titles = titles_of(s.rows);
  if (!s.against.empty() && std::find(titles.begin(), titles.end(), s.against) == titles.end()) {
    std::string all;
    for (std::size_t i = 0; i < titles.size() && i < 12; ++i) all += (i == 0 ? "" : ", ") + titles[i];
    throw support::UsageError("--against got " + graft::printable(s.against) +
                              "; expected a row's name in the table: " + all + (titles.size() > 12 ? ", …" : ""));
  }
}

void check_options(CLI::App const& app, Settings const&, graft::ModelInfo const& model) {
  if (model.classifies) {
    support::refuse_given(app, {"--max-new", "--max-target", "--share-sources"},
                          "on a classifier, which writes no text");
    support::refuse_given(app, {"--metrics", "--meteor-data"}, "on a classifier, which has accuracy alone");
  }
  if (model.classifies || model.main().crosses)
    support::refuse_given(app, {"--separator", "--shots"}, "on a model that reads source and target apart");
}

}  // namespace compare
