#include "worker.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <graft/any/any_model.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/json.hpp>
#include <graft/metrics/bleu.hpp>
#include <graft/metrics/rouge.hpp>

#include "data.hpp"
#include "prompts.hpp"
#include "support/memory.hpp"
#include "support/method_options.hpp"
#include "support/program.hpp"
#include "support/text.hpp"

namespace compare {

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void train(Request const& request, graft::any::AnyModel& model, Prompts const& prompts, Row& row) {
  auto const& task = request.task;
  auto const per_epoch = (static_cast<Index>(prompts.training.size()) + task.batch - 1) / task.batch;
  graft::Training settings;
  settings.epochs = task.epochs, settings.steps = task.steps, settings.batch = task.batch;
  settings.learning_rate = request.learning_rate, settings.seed = task.seed, settings.recompute = task.recompute;
  Index const total = task.steps > 0 ? task.steps : task.epochs * per_epoch;
  settings.validate_every = std::max<Index>(1, (total + 2) / 3);
  auto const start = Clock::now();
  auto const report = model.fit(settings, prompts.training, prompts.validation);
  row.train_seconds = report.seconds;
  row.validation_seconds = std::max(0.0, seconds_since(start) - report.seconds);
  row.tokens_per_second = report.tokens_per_second();
  row.steps = static_cast<Index>(report.steps.size());
  for (auto const& step : report.steps) row.training.emplace_back(static_cast<double>(step.step), step.loss);
  for (auto const& validation : report.validations)
    row.validation.emplace_back(static_cast<double>(validation.step), validation.loss);
  row.validation_loss = report.validations.back().loss;
  std::size_t const tail = std::max<std::size_t>(1, report.steps.size() / 10);
  row.training_loss = 0;
  for (std::size_t i = report.steps.size() - tail; i < report.steps.size(); ++i)
    row.training_loss += report.steps[i].loss / static_cast<double>(tail);
}

/// Share of the outputs that are one of their references, in percent.
double accuracy(std::vector<std::string> const& hypotheses, graft::ReferenceLists const& references) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < hypotheses.size(); ++i)
    right += std::count(references[i].begin(), references[i].end(), hypotheses[i]) > 0;
  return 100.0 * static_cast<double>(right) / static_cast<double>(hypotheses.size());
}

Scores score(std::vector<std::string> const& outputs, std::vector<graft::Example> const& test, std::size_t first,
             std::size_t last, bool classes) {
  if (first == last) return {};
  auto const at = [](auto const& all, std::size_t i) { return all.begin() + static_cast<std::ptrdiff_t>(i); };
  std::vector<std::string> const hypotheses(at(outputs, first), at(outputs, last));
  graft::ReferenceLists references;
  for (std::size_t i = first; i < last; ++i) references.push_back(test[i].references);
  Scores scores;
  scores.accuracy = accuracy(hypotheses, references);
  if (classes) return scores;
  graft::BleuOptions options;
  options.lowercase = true;
  scores.bleu = graft::corpus_bleu(hypotheses, references, options).score;
  scores.rouge_l = graft::corpus_rouge(hypotheses, references).rougeL.f1;
  return scores;
}

/// Texts, or the names of classes.
void write(Request const& request, graft::any::AnyModel& model, Prompts const& prompts, Row& row) {
  auto const start = Clock::now();
  if (!prompts.classes.empty()) {
    for (graft::Token one : model.classify(prompts.test))
      row.outputs.push_back(prompts.classes.at(static_cast<std::size_t>(one)));
    row.generation_seconds = seconds_since(start);
    return;
  }
  graft::Greedy search;
  search.max_new_tokens = request.task.max_new;
  search.end_tokens = prompts.end_tokens;  // those of the prompts, and the model's own for all rows alike
  for (graft::Token end : model.config().ends)
    if (std::find(search.end_tokens.begin(), search.end_tokens.end(), end) == search.end_tokens.end())
      search.end_tokens.push_back(end);
  std::vector<std::vector<graft::Token>> sources;
  for (auto const& example : prompts.test) sources.push_back(example.source);
  for (auto const& texts : model.generate(sources, search)) {
    auto tokens = texts.front().tokens;
    if (texts.front().finished) tokens.pop_back();
    row.outputs.push_back(prompts.text(tokens));
  }
  row.generation_seconds = seconds_since(start);
}

/// A classifier may have no head before it is trained.
double loss_without_training(graft::any::AnyModel& model, Prompts const& prompts) try {
  return model.loss(prompts.validation);
} catch (graft::ConfigError const& error) {
  if (prompts.classes.empty()) throw;
  throw NotApplicable(error.what());
}

}  // namespace

Row make_row(Request const& request) {
  auto const start = Clock::now();
  Row row;
  row.method = request.method;
  row.learning_rate = request.learning_rate;
  auto const examples = make_examples(request.task);
  auto const base = graft::any::load_base(request.task.model);
  auto const prompts = make_prompts(request, examples, base->config(), base->info());
  row.cut_sources = prompts.cut_sources, row.cut_targets = prompts.cut_targets;
  graft::any::Choice method;
  method.strategy = is_trained(request.method) ? request.method : none;
  method.seed = request.task.seed;
  if (!prompts.classes.empty()) method.labels = static_cast<Index>(prompts.classes.size());
  if (!graft::any::exists(method.strategy, base->info()))
    throw NotApplicable(std::string(graft::any::strategy_info(method.strategy).summary) + ": not defined for a " +
                        base->config().architecture + " model");
  auto const model = base->adapt(method);
  check_lengths(request.task, examples, prompts, model->row_limits());
  row.trainable = model->parameter_counts().trainable, row.all = model->parameter_counts().all;
  if (is_trained(request.method)) {
    train(request, *model, prompts, row);
    row.peak_memory_mib = support::peak_memory_mib();
  } else {
    auto const began = Clock::now();
    row.validation_loss = loss_without_training(*model, prompts);
    row.validation_seconds = seconds_since(began);
  }
  write(request, *model, prompts, row);
  if (!is_trained(request.method)) row.peak_memory_mib = support::peak_memory_mib();
  bool const classes = !prompts.classes.empty();
  row.together = score(row.outputs, examples.test, 0, examples.test.size(), classes);
  row.seen = score(row.outputs, examples.test, 0, examples.seen, classes);
  row.unseen = score(row.outputs, examples.test, examples.seen, examples.test.size(), classes);
  row.seconds = seconds_since(start);
  return row;
}

int run_worker(std::filesystem::path const& request_file, std::filesystem::path const& result) try {
  auto const json = graft::read_json(request_file);
  Request const request =
      request_from_json(request_file.string(), graft::json_at<nlohmann::json>(request_file.string(), json, "request"));
  Row row;
  try {
    row = make_row(request);
  } catch (NotApplicable const& why) {
    row.method = request.method, row.learning_rate = request.learning_rate;
    row.not_applicable = why.what();
  } catch (...) {
    row.method = request.method, row.learning_rate = request.learning_rate;
    row.error = support::sentence_of(std::current_exception());
  }
  Json const document{{"stamp", json}, {"row", to_json(row)}};
  graft::write_file_atomic(result, document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  return 0;
} catch (...) {
  std::fprintf(stderr, "compare: %s\n", support::sentence_of(std::current_exception()).c_str());
  return 1;
}

}  // namespace compare
