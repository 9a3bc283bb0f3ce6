#include "checks.hpp"

#include <graft/any/any_model.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/text/printable.hpp>
#include <graft/text/utf8.hpp>

#include "command_line.hpp"
#include "memory.hpp"
#include "prompts.hpp"
#include "support/option_rules.hpp"
#include "support/pair_tokens.hpp"
#include "support/paths.hpp"

namespace compare {

namespace {

/// Every input file with its option.
std::vector<support::NamedPath> inputs_of(Settings const& s) {
  std::vector<support::NamedPath> inputs{{"--data", s.task.data}, {"--validation", s.task.validation}};
  for (auto const& test : s.task.tests) inputs.push_back({"--test", test.file});
  return inputs;
}

/// Rows are made by processes that read what to do from JSON, which holds UTF-8 alone.
void check_texts(Settings const& s) {
  auto texts = inputs_of(s);
  texts.push_back({"--model", s.task.model}), texts.push_back({"--separator", s.task.separator.value_or("")});
  texts.push_back({"--fields", s.task.reading.fields}), texts.push_back({"--language", s.task.reading.language});
  for (auto const& row : s.rows) texts.push_back({"--row", to_string(row.strategy)});
  for (auto const& [option, text] : texts)
    if (graft::replace_invalid_utf8(text) != text)
      graft::fail<graft::ConfigError>("[compare] got ", option, " ", graft::printable(text),
                                      "; expected UTF-8; hint: a link with another name will do");
}

/// The prompts of rows that are trained, or of the model as it is; made once.
class PromptCache {
 public:
  PromptCache(Settings const& s, Examples const& examples, graft::any::AnyBase const& base)
      : settings_(s), examples_(examples), base_(base) {}

  void check(Strategy const& strategy, graft::RowLimits const& limits) {
    check_lengths(settings_.task, examples_, prompts(strategy), limits);
  }

 private:
  Prompts const& prompts(Strategy const& strategy) {
    bool const shown = strategy.name == few_shot;
    auto& known = shown ? shown_ : trained_;
    std::string const key = shown ? to_string(strategy) : "";
    if (!known || key_ != key) {
      Request request{settings_.task, shown ? strategy : Strategy{"lora", {}}, 0, 0};  // those for training too
      known = make_prompts(request, examples_, base_.config(), base_.info());
      if (shown) key_ = key;
    }
    return *known;
  }

  Settings const& settings_;
  Examples const& examples_;
  graft::any::AnyBase const& base_;
  std::optional<Prompts> trained_, shown_;
  std::string key_;
};

/// Checks one row and says what it trains.
Index check_row(Strategy const& strategy, graft::any::AnyBase const& base, PromptCache& prompts,
                std::optional<Index> labels) {
  auto const& info = base.info();
  bool const apart = info.classifies || base.config().encoder;
  if (!exists(strategy, info) || (strategy.name == few_shot && apart)) return 0;  // the row says why
  support::as_usage("--row", [&] { check(strategy, info); });
  bool const must_fit = lengthens_rows(strategy) || !is_trained(strategy.name);
  if (!must_fit && strategy.settings.empty()) return 0;  // what it lacks is said in its row
  std::unique_ptr<graft::any::AnyModel> model;
  if (strategy.settings.empty())
    model = adapt(base, strategy, 0, labels);
  else
    support::as_usage("--row", [&] { model = adapt(base, strategy, 0, labels); });
  if (must_fit) prompts.check(strategy, model->row_limits());
  return model->parameter_counts().trainable;
}

}  // namespace

void check_files(Settings const& s) {
  std::vector<support::NamedPath> inputs = inputs_of(s), outputs;
  for (auto const& [option, path] : inputs)
    if (support::is_stream(path))
      throw support::UsageError(graft::cat(
          option, " names a pipe or another stream, and every row reads the data anew: ", path, "; expected a file"));
  support::check_names({{"--out", s.out.string()}});
  if (!s.csv.empty()) {
    inputs.push_back({"--model", s.task.model});
    support::check_apart(inputs, {{"--csv", s.csv.string()}});
    if (support::lies_in(s.csv, s.out / "rows"))
      throw support::UsageError("--csv lies in the folder of finished rows: " + s.csv.string() +
                                "; expected another folder");
    for (char const* own : {"report.json", "report.html", "rows"})
      support::check_apart({{"--out", (s.out / own).string()}}, {{"--csv", s.csv.string()}});
  }
  check_texts(s);
}

std::vector<double> check_model(CLI::App const& app, Settings& s, Examples const& examples,
                                graft::any::AnyBase const& base) {
  std::optional<Index> labels;
  if (base.info().classifies) {
    static_cast<void>(graft::load_tokenizer(s.task.model));
    labels = static_cast<Index>(class_names(examples).size());
  } else {
    auto const form = template_of(s.task, base.config(), base.info(), true);
    static_cast<void>(support::pair_tokens(s.task.model, form, s.task.max_target));
    s.task.separator = form.form.separator, s.task.max_source = form.max_source;
  }
  check_options(app, s, base.info());
  PromptCache prompts(s, examples, base);
  double const bytes = model_bytes(s.task.model);
  std::vector<double> guesses;
  for (auto const& row : s.rows) {
    Index trainable = check_row(with_words(row.strategy, s.task.model), base, prompts, labels);
    if (row.strategy.name == "full" && trainable == 0) trainable = static_cast<Index>(bytes / 2);
    guesses.push_back(guessed_mib(bytes, trainable));
  }
  return guesses;
}

}  // namespace compare
