// Adapts a pretrained language model to sources and targets, and saves the adapter.
#include <chrono>
#include <memory>
#include <optional>

#include <graft/any/any_model.hpp>
#include <graft/train/progress.hpp>
#include <graft/train/recipes.hpp>

#include "support/data.hpp"
#include "support/device_options.hpp"
#include "support/lengths.hpp"
#include "support/method_options.hpp"
#include "support/option_rules.hpp"
#include "support/outputs.hpp"
#include "support/pair_tokens.hpp"
#include "support/profiling.hpp"
#include "support/signals.hpp"
#include "support/template_file.hpp"
#include "support/text.hpp"
#include "support/unfinished.hpp"
#include "support/update_options.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string model, data, train, validation, output, recipe;
  support::MethodOptions strategy;
  std::optional<graft::Index> epochs, steps, batch, max_source;
  std::optional<double> learning_rate, weight_decay, clip;
  support::UpdateOptions update;
  graft::Training training;
  support::TemplateOptions form;
  support::Lengths lengths;
  support::DataChoice choice;
  support::DeviceOptions device;
  std::size_t rows = 0;
  bool json = false;
};

void add_training_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Training");
  auto const positive = support::positive_number();
  auto const not_negative = support::number_from_zero();
  auto& t = s.training;
  option("--recipe", s.recipe, "A paper's settings; single options override it",
         CLI::IsMember({"default", "e2e", "webnlg", "dart", "xsum", "lester"}));
  option("--epochs", s.epochs, "Passes over the data (default: 3, or the recipe's)", positive);
  option("--steps", s.steps,
         "Optimizer steps, in place of --epochs; 0: as the epochs have (default: 0, or the recipe's)", not_negative);
  option("--batch", s.batch, "Examples of one pass (default: 8, or the recipe's)", positive);
  option("--accumulate", t.accumulate, "Passes of one step", positive);
  option("--learning-rate", s.learning_rate,
         "Peak learning rate; 0: the losses of the start (default: the strategy's, or the recipe's)", not_negative);
  s.update.add_to(option, ", or the recipe's");
  option("--warmup", t.warmup_ratio, "Share of the steps that warm up", support::share_of_one());
  option("--weight-decay", s.weight_decay, "Decoupled weight decay (default: 0.01, or the recipe's)", not_negative);
  option("--clip", s.clip, "Largest global gradient norm; 0: no clipping (default: 1, or the recipe's)", not_negative);
  option("--validate-every", t.validate_every, "Steps between validations; 0: every epoch", not_negative);
  option("--patience", t.patience, "Validations without progress that end the training; 0: never", not_negative);
  option("--min-delta", t.min_delta, "Least fall of the validation loss that is progress (--patience)", not_negative);
  option("--max-source", s.max_source, "Longest source in tokens; 0: no limit (default: 0, or the recipe's)",
         not_negative);
  option("--max-target", t.max_target, "Longest target in tokens; 0: no limit", not_negative);
  s.lengths.add_to(option);
  option.flag("--recompute", t.recompute, support::recompute_help);
  option("--keep-frozen", t.keep_frozen, support::keep_frozen_help, not_negative);
  option.flag("--share-sources", t.share_sources, support::share_sources_help);
  option("--seed", t.seed, "Addresses all random numbers");
  auto* const checkpoint = option("--checkpoint", t.checkpoint, "Folder for checkpoints (default: none)");
  option("--checkpoint-every", t.checkpoint_every, "Steps between checkpoints; 0: every epoch", not_negative)
      ->needs(checkpoint);
  option.flag("--resume", t.resume, "Go on from the newest checkpoint in --checkpoint")->needs(checkpoint);
  option("--log", t.log, "JSONL file: a line a step and a validation (default: none)");
}

void add_options(CLI::App& app, Settings& s) {
  support::OptionGroup const option(app, "Options");
  option("--model", s.model, "Hugging Face folder or GGUF file")->required();
  auto* const data = option(
      "--data", s.data, std::string("A ") + support::data_help + "; a tenth of its sources is held out for validation");
  auto* const train = option("--train", s.train, "Training examples alone, in the same formats")->excludes(data);
  option("--validation", s.validation, "Validation examples for --train (default: none)")->needs(train);
  s.choice.add_to(option);
  option("--rows", s.rows, "Only the first so many training examples; 0: all");
  option("--output", s.output, "Folder for the adapter; needed but for --method none");
  option("--separator", s.form.separator,
         "Stands between source and target; kept beside the adapter, for generation needs the same (default: ' ->' for "
         "models that "
         "continue a text, none for T5 and BART)");
  option.flag("--begin-token", s.form.begin_token,
              "Begin sources with the tokenizer's beginning token where its own files put none there");
  s.device.add_to(option);
  option.flag("--json", s.json, "Print one JSON object");
  s.strategy.add_to(app);
  add_training_options(app, s);
}

/// What has no effect on this run.
void check_options(CLI::App const& app, Settings const& s) {
  if (s.data.empty() == s.train.empty()) throw support::UsageError("expected --data or --train");
  if (s.data == support::generated_data) support::DataChoice::refuse(app, "with the generated data");
  bool const validated = !s.data.empty() || !s.validation.empty();
  if (s.strategy.choice.strategy == "none") {
    if (!validated)
      throw support::UsageError(
          "--method none only takes the loss of validation examples; expected --data or --validation");
    std::vector<std::string> read{"--max-source", "--max-target", "--too-long"};
    if (!s.data.empty()) read.emplace_back("--seed");  // which examples are held out
    support::refuse_group(app, "Training", "with --method none, which trains nothing", read);
    support::refuse_given(app, {"--rows"}, "with --method none, which trains nothing");
  }
  support::check_training_options(app, validated);
  support::check_keep_frozen(app, s.strategy.choice.strategy, s.training.share_sources);
}

support::TrainingData load_data(Settings const& s) {
  support::TrainingData data;
  if (!s.data.empty())
    data = support::load_and_split(s.data, s.training.seed, s.choice.options());
  else
    data = {
        graft::read_examples(s.train, s.choice.options()),
        s.validation.empty() ? std::vector<graft::Example>{} : graft::read_examples(s.validation, s.choice.options())};
  support::keep_first(data.training, s.rows);
  return data;
}

/// What is trained how: the recipe, where one is named, then the single options.
void settle(Settings& s) {
  auto& t = s.training;
  std::string const& method = s.strategy.choice.strategy;
  t.epochs = 3, t.batch = 8, t.learning_rate = graft::any::strategy_info(method).learning_rate;
  if (!s.recipe.empty()) {
    graft::Recipe const recipe = graft::recipe(s.recipe);
    auto const& r = recipe.training;
    t.epochs = r.epochs, t.steps = r.steps, t.batch = r.batch, t.learning_rate = r.learning_rate,
    t.max_source = r.max_source;
    t.weight_decay = r.weight_decay, t.clip = r.clip, t.optimizer = r.optimizer, t.schedule = r.schedule,
    t.adafactor = r.adafactor;
    bool const virtual_tokens = method.starts_with("prefix") || method == "infix" || method == "prompt";
    if (virtual_tokens) s.strategy.set_length(recipe.prefix_length);
  }
  t.epochs = s.epochs.value_or(t.epochs), t.batch = s.batch.value_or(t.batch),
  t.learning_rate = s.learning_rate.value_or(t.learning_rate);
  t.steps = s.steps.value_or(s.epochs ? 0 : t.steps);
  t.max_source = s.max_source.value_or(t.max_source), t.weight_decay = s.weight_decay.value_or(t.weight_decay),
  t.clip = s.clip.value_or(t.clip);
  s.update.apply(t, s.device.placement());
  s.strategy.choice.seed = t.seed;
}

nlohmann::ordered_json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

nlohmann::ordered_json summary_of(Settings const& s, graft::TrainingReport const& report,
                                  support::TrainingData const& data) {
  auto const& t = s.training;
  double last = 0;
  std::size_t const tail = std::max<std::size_t>(1, report.steps.size() / 10);
  for (std::size_t i = report.steps.size() - std::min(tail, report.steps.size()); i < report.steps.size(); ++i)
    last += report.steps[i].loss / static_cast<double>(tail);
  double const validation = report.validations.empty() ? std::numeric_limits<double>::quiet_NaN()
                            : t.patience > 0           ? report.best_validation_loss
                                                       : report.validations.back().loss;
  return {{"method", s.strategy.choice.strategy},
          {"model", s.model},
          {"trainable", report.trainable},
          {"all", report.all},
          {"training_examples", data.training.size()},
          {"validation_examples", data.validation.size()},
          {"steps", report.steps.size()},
          {"batch", t.batch},
          {"learning_rate", t.learning_rate},
          {"recompute", t.recompute},
          {"share_sources", t.share_sources},
          {"keep_frozen", t.keep_frozen},
          {"seed", t.seed},
          {"training_loss", report.steps.empty() ? nlohmann::ordered_json() : number_or_null(last)},
          {"validation_loss", number_or_null(validation)},
          {"stopped_early", report.stopped_early},
          {"tokens", report.tokens},
          {"tokens_per_second", report.tokens_per_second()},
          {"train_seconds", report.seconds},
          {"cut_sources", report.cut.sources},
          {"cut_targets", report.cut.targets},
          {"too_long", {{"cut", s.lengths.cut}, {"skipped", s.lengths.skipped}}}};
}

void print_summary(Settings const& s, nlohmann::ordered_json const& summary) {
  if (s.json) return support::print(summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  std::string text = graft::parameter_line(summary.at("trainable"), summary.at("all")) + "\n";
  auto const loss = [&](char const* key) {
    return summary.at(key).is_null() ? std::string("none") : support::fixed(summary.at(key).get<double>(), 4);
  };
  if (summary.at("steps") != 0)
    text +=
        graft::cat("trained ", s.strategy.choice.strategy, " for ", summary.at("steps").get<graft::Index>(),
                   " steps of ", s.training.batch, " examples, learning rate ",
                   support::compact(s.training.learning_rate), ", in ", graft::clock_time(summary.at("train_seconds")),
                   " (", support::fixed(summary.at("tokens_per_second"), 0), " tokens/s)\n");
  text += "training loss " + loss("training_loss") + ", validation loss " + loss("validation_loss") + ", peak memory " +
          support::fixed(summary.at("peak_memory_mib"), 0) + " MiB";
  if (summary.contains("peak_device_memory_mib"))
    text += ", on the GPU " + support::fixed(summary.at("peak_device_memory_mib"), 0) + " MiB";
  text += "\n";
  if (!s.output.empty()) text += "saved in " + s.output + "\n";
  support::print(text);
}

/// Says at once what is too long for the model.
void fit_lengths(Settings& s, graft::any::AnyModel& model, support::TrainingData& data,
                 std::vector<graft::TokenizedExample>& training, std::vector<graft::TokenizedExample>& validation,
                 graft::Index kept_end) {
  auto const limits = model.row_limits();
  auto const fit = [&](auto& rows, std::vector<graft::Example>& examples, std::string const& file) {
    if (rows.empty()) return;
    auto const fitted = s.lengths.fit(rows, examples, file, limits, kept_end);
    if (fitted.skipped > 0) examples.resize(rows.size());  // only their number is reported
  };
  fit(training, data.training, s.data.empty() ? s.train : s.data);
  fit(validation, data.validation, s.data.empty() ? s.validation : s.data);
  s.lengths.say();
}

void finetune(CLI::App const& app, Settings& s) {
  check_options(app, s);
  settle(s);
  bool const trains = s.strategy.choice.strategy != "none";
  if (trains == s.output.empty())
    throw support::UsageError(trains ? "expected --output, a folder for the adapter"
                                     : "--method none trains nothing to save; leave --output out");
  s.device.check();
  std::string const data_file = s.data == support::generated_data ? "" : s.data;
  support::Outputs const outputs(
      {{"--model", s.model}, {"--data", data_file}, {"--train", s.train}, {"--validation", s.validation}},
      {"--output", s.output}, {}, {"--log", s.training.log}, s.training.checkpoint);
  auto data = load_data(s);
  auto const base = graft::any::load_base(s.model, s.device.placement());
  auto const began = Clock::now();
  auto const kind = support::text_kind(s.model, base->config(), base->info());
  if (kind == graft::TextKind::classes)
    graft::fail<graft::ConfigError>(
        "[", s.model, "] is a ", base->config().architecture,
        " model, which classifies; expected one that writes text; hint: the program classify");
  s.strategy.check(base->info());
  if (s.max_source || !s.recipe.empty()) s.form.max_source = s.training.max_source;
  auto const form = support::template_to_train(s.model, kind, s.form);
  auto const tokens = support::pair_tokens(s.model, form, s.training.max_target);
  graft::Truncation cut;
  auto training = tokens->encode(data.training, cut), validation = tokens->encode(data.validation, cut);
  support::say_cut(cut);
  s.strategy.apply_words([&](std::string const& text) { return tokens->words(text, false); });
  auto const model = base->adapt(s.strategy.choice);
  std::size_t const read = training.size();
  fit_lengths(s, *model, data, training, validation, tokens->kept_end());
  if (trains) support::say_without_effect(app, s.training, read, training.size());
  graft::TrainingReport report;
  if (trains) {
    graft::Training settings = s.training;
    settings.max_source = settings.max_target = 0;  // done above, where the separator is known
    support::SignalWatch const signals;
    settings.stop = support::SignalWatch::caught;
    report = model->fit(settings, std::move(training), std::move(validation));
    auto const save = [&](std::string const& folder) { model->save(folder, {.files = support::template_files(form)}); };
    support::keep_unfinished_training(report, settings.checkpoint, s.output, save);
    save(s.output);
  } else {
    report.all = model->parameter_counts().all;
    if (!validation.empty()) report.validations.push_back({0, model->loss(validation), true});
  }
  report.cut = cut;
  auto summary = summary_of(s, report, data);
  summary["seconds"] = std::chrono::duration<double>(Clock::now() - began).count();
  support::add_memory(summary, base->placement());
  if (trains) summary["output"] = s.output;
  print_summary(s, summary);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "Adapts a pretrained language model to examples of source and target, and saves the adapter (in PEFT's format "
      "where PEFT has the "
      "strategy).\n"
      "Progress goes to standard error. SIGINT and SIGTERM end the training after the step, with a checkpoint "
      "(--checkpoint) or the "
      "adapter as it is.\n"
      "Exit status: 0, 1 (failed), 2 (usage), 130 and 143 (ended by SIGINT, SIGTERM).",
      "finetune"};
  add_options(app, settings);
  support::Profiling const profiling(app);
  return support::run_program(app, argc, argv, [&] { finetune(app, settings); });
}
