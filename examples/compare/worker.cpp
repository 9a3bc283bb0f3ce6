#include "worker.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <graft/any/any_model.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/json.hpp>

#include "data.hpp"
#include "prompts.hpp"
#include "support/device_options.hpp"
#include "support/memory.hpp"
#include "support/program.hpp"
#include "support/text.hpp"

namespace compare {

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void train(Request const& request, graft::any::AnyModel& model, Prompts const& prompts, bool progress, Run& run) {
  auto const& task = request.task;
  auto const per_epoch = (static_cast<Index>(prompts.training.size()) + task.batch - 1) / task.batch;
  graft::Training settings;
  settings.epochs = task.epochs, settings.steps = task.steps, settings.batch = task.batch;
  settings.learning_rate = request.learning_rate, settings.seed = request.seed, settings.recompute = task.recompute;
  settings.share_sources = task.share_sources;
  settings.progress = progress, settings.max_tokens = support::usual_max_tokens(task.placement);
  Index const total = task.steps > 0 ? task.steps : task.epochs * per_epoch;
  settings.validate_every = std::max<Index>(1, (total + 2) / 3);
  auto const start = Clock::now();
  auto const report = model.fit(settings, prompts.training, prompts.validation);
  run.train_seconds = report.seconds;
  run.validation_seconds = std::max(0.0, seconds_since(start) - report.seconds);
  run.tokens_per_second = report.tokens_per_second();
  run.steps = static_cast<Index>(report.steps.size());
  for (auto const& step : report.steps) run.training.emplace_back(static_cast<double>(step.step), step.loss);
  for (auto const& validation : report.validations)
    run.validation.emplace_back(static_cast<double>(validation.step), validation.loss);
  run.validation_loss = report.validations.back().loss;
  std::size_t const tail = std::max<std::size_t>(1, report.steps.size() / 10);
  run.training_loss = 0;
  for (std::size_t i = report.steps.size() - tail; i < report.steps.size(); ++i)
    run.training_loss += report.steps[i].loss / static_cast<double>(tail);
}

/// Texts, or the names of classes.
void write(Request const& request, graft::any::AnyModel& model, Prompts const& prompts, Run& run) {
  auto const start = Clock::now();
  graft::Greedy search;
  search.max_new_tokens = request.task.max_new;
  search.end_tokens = prompts.end_tokens;  // those of the prompts, and the model's own for all rows alike
  for (graft::Token end : model.config().ends)
    if (std::find(search.end_tokens.begin(), search.end_tokens.end(), end) == search.end_tokens.end())
      search.end_tokens.push_back(end);
  for (auto const& test : prompts.tests) {
    auto& outputs = run.outputs.emplace_back();
    if (test.empty()) continue;
    if (!prompts.classes.empty()) {
      for (graft::Token one : model.classify(test))
        outputs.push_back(prompts.classes.at(static_cast<std::size_t>(one)));
      continue;
    }
    std::vector<std::vector<graft::Token>> sources;
    for (auto const& example : test) sources.push_back(example.source);
    for (auto const& texts : model.generate(sources, search)) {
      auto tokens = texts.front().tokens;
      if (texts.front().finished) tokens.pop_back();
      outputs.push_back(prompts.text(tokens));
    }
  }
  run.generation_seconds = seconds_since(start);
}

/// A classifier may have no head before it is trained.
double loss_without_training(graft::any::AnyModel& model, Prompts const& prompts) try {
  return model.loss(prompts.validation);
} catch (graft::ConfigError const& error) {
  if (prompts.classes.empty()) throw;
  throw NotApplicable(error.what());
}

/// Of the device that computes: the process's own on the host, what tensors held on a GPU.
double peak_memory_mib(graft::any::Placement const& placement) {
  return placement.device == graft::any::DeviceKind::cpu ? support::peak_memory_mib()
                                                         : support::peak_device_memory_mib(placement);
}

}  // namespace

Run make_run(Request const& request, bool progress) {
  auto const start = Clock::now();
  Run run;
  run.seed = request.seed, run.learning_rate = request.learning_rate;
  run.threads = graft::ThreadPool::global().threads();
  auto const base = graft::any::load_base(request.task.model, request.task.placement);
  auto const examples = make_examples(request.task, base->info().classifies);
  auto const prompts = make_prompts(request, examples, base->config(), base->info());
  run.cut_sources = prompts.cut_sources, run.cut_targets = prompts.cut_targets;
  if (!exists(request.strategy, base->info()))
    throw NotApplicable(summary_of(request.strategy.name) + ": not defined for a " + base->config().architecture +
                        " model");
  run.classes = !prompts.classes.empty();
  std::optional<Index> labels;
  if (run.classes) labels = static_cast<Index>(prompts.classes.size());
  auto const model = adapt(*base, with_words(request.strategy, request.task.model), request.seed, labels);
  check_lengths(request.task, examples, prompts, model->row_limits());
  run.trainable = model->parameter_counts().trainable, run.all = model->parameter_counts().all;
  if (request.trains()) {
    train(request, *model, prompts, progress, run);
    run.peak_memory_mib = peak_memory_mib(request.task.placement);
  } else {
    auto const began = Clock::now();
    run.validation_loss = loss_without_training(*model, prompts);
    run.validation_seconds = seconds_since(began);
  }
  write(request, *model, prompts, run);
  if (!request.trains()) run.peak_memory_mib = peak_memory_mib(request.task.placement);
  run.seconds = seconds_since(start);
  return run;
}

int run_worker(std::filesystem::path const& request_file, std::filesystem::path const& result, bool progress) try {
  auto const json = graft::read_json(request_file);
  Request const request =
      request_from_json(request_file.string(), graft::json_at<nlohmann::json>(request_file.string(), json, "request"));
  Run run;
  try {
    run = make_run(request, progress);
  } catch (NotApplicable const& why) {
    run.not_applicable = why.what();
  } catch (...) {
    run.error = support::sentence_of(std::current_exception());
  }
  run.seed = request.seed, run.learning_rate = request.learning_rate;
  Json const document{{"stamp", json}, {"run", to_json(run)}};
  graft::write_file_atomic(result, document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  return 0;
} catch (...) {
  std::fprintf(stderr, "compare: %s\n", support::sentence_of(std::current_exception()).c_str());
  return 1;
}

}  // namespace compare
