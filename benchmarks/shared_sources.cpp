// Times training on examples of which several have the same source, with the sources computed once a pass and with
// every example's own, in turn. Prints one JSON line.
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/data/readers.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/llama.hpp>
#include <graft/train/trainer.hpp>

#include "support/products.hpp"
#include "support/rows.hpp"

namespace {

struct Settings {
  std::string model, data, method = "prefix";
  graft::Index batch = 10, steps = 20, rows = 0;
  int pairs = 5;
};

/// Tokens a second of a training; its first two steps are not timed.
template <class Strategy>
double train(graft::Base<graft::Llama, float> const& base, Strategy const& strategy, Settings const& s, bool share,
             std::vector<graft::TokenizedExample> const& examples) {
  auto model = graft::adapt(base, strategy);
  graft::Training settings{.steps = s.steps, .batch = s.batch, .share_sources = share, .progress = false};
  auto const report = graft::Trainer(settings).fit(model, examples);
  double seconds = 0, tokens = 0;
  for (std::size_t i = 2; i < report.steps.size(); ++i) {
    seconds += report.steps[i].seconds;
    tokens += static_cast<double>(report.steps[i].tokens);
  }
  return tokens / seconds;
}

template <class Strategy>
nlohmann::json measure(Settings const& s, Strategy const& strategy) {
  auto const base = graft::load_pretrained<graft::Llama>(s.model);
  auto const tokenizer = graft::load_tokenizer(s.model);
  auto texts = graft::read_examples(s.data);
  if (s.rows > 0 && texts.size() > static_cast<std::size_t>(s.rows)) texts.resize(static_cast<std::size_t>(s.rows));
  graft::Truncation cut;
  auto const examples = graft::TemplateEncoder(tokenizer, graft::Template{}).encode(texts, cut);
  auto const shared = graft::examples_by_source(examples);
  std::vector<double> apart, together, ratios;
  for (int pair = 0; pair < s.pairs; ++pair) {
    apart.push_back(train(base, strategy, s, false, examples));
    together.push_back(train(base, strategy, s, true, examples));
    ratios.push_back(together.back() / apart.back());
  }
  auto const model = graft::adapt(base, strategy);
  std::vector<graft::TokenizedExample> const some(
      examples.begin(), examples.begin() + std::min<std::ptrdiff_t>(64, std::ssize(examples)));
  return {{"what", "shared sources"},
          {"method", s.method},
          {"batch", s.batch},
          {"examples", examples.size()},
          {"sources", shared.examples.size()},
          {"tokens_per_s", benchmark_support::median(apart)},
          {"tokens_per_s_shared", benchmark_support::median(together)},
          {"ratio", benchmark_support::median(ratios)},
          {"ratios", ratios},
          {"loss", graft::evaluate_loss(model, some)},
          {"loss_shared", graft::evaluate_loss(model, some, 2048, true)},
          {"threads", graft::ThreadPool::global().threads()}};
}

}  // namespace

int main(int argc, char** argv) try {
  Settings s;
  CLI::App app{
      "Times training of a LLaMA model on examples of which several have the same source: each source once a pass, and "
      "every example's own, in turn. Tokens are those of sources and targets, however they are computed."};
  app.option_defaults()->always_capture_default();
  app.add_option("--model", s.model, "Hugging Face folder or GGUF file of a LLaMA")->required();
  app.add_option("--data", s.data, "examples, such as trainset.csv of the E2E challenge")->required();
  app.add_option("--method", s.method, "strategy")->check(CLI::IsMember({"prefix", "lora"}));
  app.add_option("--batch", s.batch, "examples a step")->check(CLI::PositiveNumber);
  app.add_option("--steps", s.steps, "steps of each training, at least 3; two are not timed")
      ->check(CLI::Range(3, 1000000));
  app.add_option("--rows", s.rows, "only the first so many examples; 0: all")->check(CLI::NonNegativeNumber);
  app.add_option("--pairs", s.pairs, "trainings of each kind")->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  support::choose_products();
  std::cout << (s.method == "lora" ? measure(s, graft::LoRA{})
                                   : measure(s, graft::PrefixTuning{.length = 10, .init_deviation = 0.02}))
                   .dump()
            << "\n";
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
