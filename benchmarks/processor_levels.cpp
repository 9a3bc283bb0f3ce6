// Times the README's use of a model, training with a prefix and greedy generation, and prints one JSON line:
// benchmarks/processor_levels.py builds it with several flags and compares.
#include <graft/graft.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include <graft/core/cpu_level.hpp>

#include "support/rows.hpp"

namespace {

/// Tokens of a piece of work, the seconds it took, and those of all processors together.
struct Timing {
  double tokens = 0, seconds = 1e30, processor = 1e30;

  /// Keeps the best of several runs.
  template <class Work>
  void take(Work const& work) {
    auto const start = std::chrono::steady_clock::now();
    double const used = benchmark_support::processor_seconds();
    tokens = static_cast<double>(work());
    processor = std::min(processor, benchmark_support::processor_seconds() - used);
    seconds = std::min(seconds, benchmark_support::seconds_since(start));
  }
  [[nodiscard]] nlohmann::json json() const {
    auto const rounded = [](double value) { return std::round(10 * value) / 10; };
    return {{"tokens_per_s", rounded(tokens / seconds)}, {"tokens_per_processor_s", rounded(tokens / processor)}};
  }
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2 || argc > 3) return std::cerr << "usage: processor_levels MODEL [RUNS]\n", 2;
  int const runs = argc > 2 ? std::stoi(argv[2]) : 3;
  auto const base = graft::load_pretrained<graft::Llama>(argv[1]);
  auto const tokenizer = graft::load_tokenizer(argv[1]);
  auto const data = graft::generate_data();
  std::vector<graft::Example> const batch(data.training.begin(), data.training.begin() + 8);
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 10, .init_deviation = 0.02});
  Timing training, generation, several;
  double loss = 0;
  for (int run = 0; run < runs; ++run) {
    training.take([&] {
      auto const report = graft::Trainer({.steps = 2, .batch = 8, .learning_rate = 1e-3, .progress = false})
                              .fit(model, batch, tokenizer);
      loss = report.steps.back().loss;
      return report.tokens;
    });
    graft::Index const length = 48;
    auto const write = [&](graft::Index prompts) {
      std::vector<std::string> texts;
      for (graft::Index i = 0; i < prompts; ++i)
        texts.push_back(data.test[static_cast<std::size_t>(i)].source + graft::Template{}.separator);
      (void)graft::generate(model, tokenizer, texts, graft::Greedy{.max_new_tokens = length, .min_new_tokens = length});
      return prompts * length;
    };
    generation.take([&] { return write(1); });
    several.take([&] { return write(8); });
  }
  std::cout << nlohmann::json{{"level", graft::cpu_level()},
                              {"threads", graft::ThreadPool::global().threads()},
                              {"loss", loss},
                              {"training", training.json()},
                              {"generation", generation.json()},
                              {"generation_of_8", several.json()}}
                   .dump()
            << "\n";
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
