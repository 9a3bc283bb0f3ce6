#include "gpu/jobs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <graft/generate/generate.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/tensor/work_together.hpp>
#include <graft/train/rounded_pass.hpp>

#include "support/rows.hpp"

namespace gpu {

using namespace graft;
using benchmark_support::seconds_since;
using Clock = std::chrono::steady_clock;

namespace {

/// Floating-point operations that a step's products with the frozen model need: for every token and weight 2 on the way
/// there, 2 on the way back to the inputs; of the head for the targets alone; of causal attention 6 · length² · width a
/// row and layer. What the strategy adds, and what is computed again, is not counted.
double model_operations(ModelInfo const& info, ModelConfig const& config, Batch const& batch) {
  double weights = 0, attention = 0;
  for (auto const& site : info.sites)
    if (site.role == Role::weight) weights += static_cast<double>(site.weights());
  for (Index r = 0; r < batch.rows.count(); ++r) {
    auto const length = static_cast<double>(batch.rows.length(r));
    attention += 6 * length * length * static_cast<double>(config.query_width() * config.layers);
  }
  auto const head = static_cast<double>(config.vocabulary * config.width);
  return 4 * (static_cast<double>(batch.rows.tokens()) * weights +
              static_cast<double>(batch.rows.targets.size()) * head) +
         attention;
}

nlohmann::json train(any::ErasedTrainable<float, Cuda>& model, benchmark_support::TokenRows const& rows,
                     nlohmann::json const& job) {
  auto const batch_size = job.value("batch", std::size_t{10});
  auto const learning_rate = job.value("learning_rate", 5e-5);
  AdamW<float, Cuda> optimizer(model.parameters());
  std::vector<double> times;
  nlohmann::json losses = nlohmann::json::array();
  double seconds = 0, tokens = 0, operations = 0;
  for (std::size_t step = 0; step < job.value("steps", std::size_t{12}); ++step) {
    auto const examples = rows.batch(step, batch_size);
    synchronize(Cuda{});
    auto const start = Clock::now();
    Batch batch;
    for (auto const& example : examples) model.append(batch, example);
    round_up_tokens(model, batch);  // as a Trainer does
    batch.rows.training = true;
    batch.rows.step = step;
    WorkTogether<Cuda> const together;
    auto const loss = token_loss(model.scores(batch), batch.rows.targets, target_weight(batch.rows.targets));
    backward(loss);
    optimizer.step(learning_rate);
    optimizer.clear_gradients();
    synchronize(Cuda{});
    double const taken = seconds_since(start);
    losses.push_back(std::round(static_cast<double>(downloaded(loss.value()).data()[0]) * 1e4) / 1e4);
    if (step < 2) continue;
    times.push_back(taken);
    seconds += taken;
    for (auto const& example : examples) tokens += static_cast<double>(example.source.size() + example.target.size());
    operations += model_operations(model.info(), model.config(), batch);
  }
  return {{"median_step_s", benchmark_support::median(times)},
          {"tokens_per_s", std::round(10 * tokens / seconds) / 10},
          {"model_tflops", std::round(operations / seconds / 1e10) / 100},
          {"losses", losses},
          {"trainable", model.parameter_counts().trainable}};
}

template <class Activation>
nlohmann::json write(any::ErasedTransformer<Activation, Cuda> const& model, benchmark_support::TokenRows const& rows,
                     nlohmann::json const& job) {
  auto const beams = job.value("beams", Index{1}), fresh = job.value("new", Index{60});
  std::vector<std::vector<Token>> prompts;
  for (auto const& row : rows.batch(0, job.value("batch", std::size_t{8}))) prompts.push_back(row.source);
  auto const count = static_cast<Index>(prompts.size());
  any::Writing<false, Activation, Cuda> const writing(model);
  double best = HUGE_VAL;
  for (int run = 0; run < 3; ++run) {
    auto const start = Clock::now();
    if (beams > 1)
      (void)generate(writing, prompts, BeamSearch{.max_new_tokens = fresh, .beams = beams}, count * beams);
    else
      (void)generate(writing, prompts, Greedy{.max_new_tokens = fresh}, count);
    best = std::min(best, seconds_since(start));
  }
  return {{"seconds", std::round(best * 1e4) / 1e4},
          {"tokens_per_s", std::round(10 * static_cast<double>(fresh * count) / best) / 10}};
}

template <class Activation>
nlohmann::json run(Model<Activation> const& model, nlohmann::json const& job) {
  auto const rows = benchmark_support::read_token_rows(job.at("rows").get<std::string>());
  return job.at("what") == "train" ? train(*model, rows, job) : write(*model, rows, job);
}

}  // namespace

nlohmann::json run_job(DeviceBase const& base, nlohmann::json const& job) {
  Adapter const adapter{job.value("method", "prefix"), job.value("adapter", ""), job.value("length", Index{10})};
  synchronize(Cuda{});
  reset_cuda_peak();
  auto const before = cuda_graph_use();
  nlohmann::json line = job;
  char const* const graphs = std::getenv("GRAFT_CUDA_GRAPHS");
  line["peer"] = graphs && std::string(graphs) == "0" ? "graft without graphs" : "graft";
  line.update(job.value("dtype", "float32") == "bfloat16" ? run(base.in_bfloat16(adapter), job)
                                                          : run(base.in_float32(adapter), job));
  line["peak_gpu_mb"] = cuda_memory_use().peak >> 20U;
  auto const after = cuda_graph_use();
  line["graphs"] = {{"made", after.made - before.made},
                    {"launched", after.launched - before.launched},
                    {"kernels", after.kernels - before.kernels},
                    {"kernels_alone", after.alone - before.alone}};
  return line;
}

}  // namespace gpu
