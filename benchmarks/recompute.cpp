// What computing layers again in the backward pass costs and saves: training steps on one long row, with or without.
// Prints one JSON line.
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/llama.hpp>
#include <graft/train/trainer.hpp>

#include "support/memory.hpp"
#include "support/rows.hpp"

namespace {

/// MiB that this process holds now.
double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kib = 0; word == "VmRSS:" && status >> kib) return kib / 1024;
  return 0;
}

struct Settings {
  std::string model, method = "prefix";
  graft::Index tokens = 2048, targets = 64, steps = 3;
  bool recompute = false;
};

template <class Strategy>
nlohmann::json measure(Settings const& s, Strategy strategy) {
  auto const base = graft::load_pretrained<graft::Llama>(s.model);
  auto model = graft::adapt(base, std::move(strategy));
  graft::TokenizedExample row;
  for (graft::Index i = 0; i < s.tokens; ++i)
    (i < s.tokens - s.targets ? row.source : row.target).push_back(static_cast<graft::Token>(100 + i * 7919 % 20000));
  double const before = resident_mib();
  std::vector<double> seconds, processor, losses;
  double last = benchmark_support::processor_seconds();
  graft::Training settings{.steps = s.steps, .batch = 1, .recompute = s.recompute, .progress = false};
  settings.on_step = [&](graft::StepReport const& step) {
    double const now = benchmark_support::processor_seconds();
    seconds.push_back(step.seconds), processor.push_back(now - last), losses.push_back(step.loss);
    last = now;
  };
  graft::Trainer(settings).fit(model, std::vector<graft::TokenizedExample>{row});
  seconds.erase(seconds.begin()), processor.erase(processor.begin());  // the first step takes memory from the system
  return {{"method", s.method},
          {"recompute", s.recompute},
          {"tokens", s.tokens},
          {"median_step_s", benchmark_support::median(seconds)},
          {"median_processor_s", benchmark_support::median(processor)},
          {"losses", losses},
          {"before_mib", before},
          {"peak_mib", support::peak_memory_mib()},
          {"step_mib", support::peak_memory_mib() - before},
          {"threads", graft::ThreadPool::global().threads()}};
}

}  // namespace

int main(int argc, char** argv) try {
  Settings s;
  CLI::App app{
      "Times training steps on one long row of a LLaMA model, and says what memory they took. The first step is not "
      "timed."};
  app.option_defaults()->always_capture_default();
  app.add_option("--model", s.model, "Hugging Face folder or GGUF file of a LLaMA")->required();
  app.add_option("--method", s.method, "strategy")->check(CLI::IsMember({"prefix", "lora"}));
  app.add_option("--tokens", s.tokens, "tokens of the row")->check(CLI::PositiveNumber);
  app.add_option("--targets", s.targets, "tokens of them that are the target")->check(CLI::PositiveNumber);
  app.add_option("--steps", s.steps, "steps, at least 2")->check(CLI::Range(2, 1000000));
  app.add_flag("--recompute", s.recompute, "compute layers again in the backward pass");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::cout << (s.method == "lora" ? measure(s, graft::LoRA{}) : measure(s, graft::PrefixTuning{.length = 10})).dump()
            << "\n";
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
