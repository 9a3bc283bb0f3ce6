// What keeping a GGUF file's quantized blocks costs and saves: training steps and decoding with the blocks, or with the
// base widened at loading. Prints one JSON line.
#include <sys/resource.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/generate/generate.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/dense_weights.hpp>
#include <graft/models/llama.hpp>
#include <graft/train/trainer.hpp>

#include "support/products.hpp"
#include "support/rows.hpp"

namespace {

struct Settings {
  std::string model, rows;
  graft::Index batch = 10, steps = 8, length = 10, tokens = 32;
  bool widened = false;
};

nlohmann::json measure(Settings const& s) {
  auto base = graft::load_pretrained<graft::Llama>(s.model);
  if (s.widened) base = graft::with_dense_weights(base);
  long const loaded = benchmark_support::peak_rss_mb();
  auto model = graft::adapt(base, graft::PrefixTuning{.length = s.length, .init_deviation = 0.02});
  auto const rows = benchmark_support::read_token_rows(s.rows);
  std::vector<double> seconds, processor, losses;
  double last = benchmark_support::processor_seconds();
  graft::Training settings{.steps = s.steps, .batch = s.batch, .progress = false};
  settings.on_step = [&](graft::StepReport const& step) {
    double const now = benchmark_support::processor_seconds();
    seconds.push_back(step.seconds), processor.push_back(now - last), losses.push_back(step.loss);
    last = now;
  };
  graft::Trainer(settings).fit(model, rows.rows);
  seconds.erase(seconds.begin()), processor.erase(processor.begin());  // the first step takes memory from the system
  long const trained = benchmark_support::peak_rss_mb();
  std::vector<std::vector<graft::Token>> prompts;
  for (auto const& row : rows.batch(0, static_cast<std::size_t>(s.batch))) prompts.push_back(row.source);
  nlohmann::json decoding;
  for (std::size_t count : {std::size_t{1}, prompts.size()}) {
    std::vector<std::vector<graft::Token>> const some(prompts.begin(),
                                                      prompts.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<double> taken;
    for (int run = 0; run < 3; ++run) {
      double const start = benchmark_support::processor_seconds();
      static_cast<void>(graft::generate(model, some, graft::Greedy{.max_new_tokens = s.tokens}));
      taken.push_back(benchmark_support::processor_seconds() - start);
    }
    decoding.push_back({{"prompts", count}, {"median_processor_s", benchmark_support::median(taken)}});
  }
  return {{"widened", s.widened},
          {"storage", base->storage},
          {"median_step_s", benchmark_support::median(seconds)},
          {"median_step_processor_s", benchmark_support::median(processor)},
          {"decoding", decoding},
          {"losses", losses},
          {"loaded_peak_mib", loaded},
          {"trained_peak_mib", trained},
          {"threads", graft::ThreadPool::global().threads()}};
}

}  // namespace

int main(int argc, char** argv) try {
  Settings s;
  CLI::App app{
      "Times training and greedy decoding of a LLaMA from a GGUF file with its blocks kept or widened; prints one JSON "
      "line."};
  app.add_option("--model", s.model, "GGUF file")->required();
  app.add_option("--rows", s.rows, "JSON file with eos and rows of source_ids and target_ids")->required();
  app.add_option("--batch", s.batch, "rows a step")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--steps", s.steps, "steps, at least 2")->capture_default_str()->check(CLI::Range(2, 1000000));
  app.add_option("--length", s.length, "virtual tokens")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--tokens", s.tokens, "new tokens of a prompt")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_flag("--widened", s.widened, "widen the base at loading instead of keeping its blocks");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  support::choose_products();
  std::cout << measure(s).dump() << "\n";
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
