// Times training steps: forward, backward and AdamW on packed rows. Prints one JSON line with the keys of the peer's
// script, and how near a step is to its products alone.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/any/bases.hpp>
#include <graft/core/profile.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/roofline.hpp>

#include "support/products.hpp"
#include "support/random_base.hpp"
#include "support/rows.hpp"

/// The step's products, as they ran and as fast as this machine multiplies small matrices in float32, by graft or by
/// oneDNN: `share_of_bound` is the part of the time that they alone would take then.
nlohmann::json products_of(std::vector<graft::KernelTime> const& times, double seconds) {
  double taken = 0, operations = 0;
  for (auto const& time : times) {
    if (time.name.find("product") == std::string::npos) continue;
    taken += time.seconds;
    operations += time.operations;
  }
  double const own = graft::measure_roofline().operations_per_second;
  auto const onednn = support::measure_onednn();
  double const best = std::max(own, onednn.float32);
  auto const rounded = [](double x) { return std::round(1000 * x) / 1000; };
  return {{"share_of_time", rounded(taken / seconds)},
          {"gflops", rounded(operations / taken / 1e9)},
          {"own_gflops", rounded(own / 1e9)},
          {"onednn_gflops", rounded(onednn.float32 / 1e9)},
          {"onednn_bfloat16_gflops", rounded(onednn.bfloat16 / 1e9)},
          {"share_of_bound", rounded(operations / best / seconds)}};
}

int main(int argc, char** argv) try {
  std::string model, shape = "gpt2-small", rows_file, adapter, dtype = "fp32";
  std::size_t batch = 10;
  int steps = 12;
  graft::any::Choice method;
  double learning_rate = 5e-5;
  graft::Index length = 10, max_tokens = graft::Training{}.max_tokens;
  CLI::App app{"Times training steps on rows of token ids; prints one JSON line. The first two steps are not counted."};
  app.add_option("--model", model, "Hugging Face folder or GGUF file; without it, random weights of --shape");
  app.add_option("--shape", shape, "whose shape random weights have")
      ->capture_default_str()
      ->check(CLI::IsMember(benchmark_support::shape_names("gpt2")));
  app.add_option("--rows", rows_file, "JSON file with eos and rows of source_ids and target_ids")->required();
  std::vector<std::string> methods;
  for (auto const& info : graft::any::strategies()) methods.emplace_back(info.name);
  app.add_option("--method", method.strategy,
                 "strategy: prefix, prefix_mlp, prompt, infix, embedding, adapter, lora, bitfit, top_layers, full")
      ->capture_default_str()
      ->check(CLI::IsMember(methods));
  app.add_option("--adapter", adapter, "start from this adapter folder instead of a fresh --method");
  app.add_option("--dtype", dtype, "fp32; a bfloat16 checkpoint is kept as it is stored")
      ->capture_default_str()
      ->check(CLI::IsMember({"fp32"}));
  app.add_option("--batch", batch, "rows a step")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--steps", steps, "steps, at least 3")->capture_default_str()->check(CLI::Range(3, 1000000));
  app.add_option("--length", length, "virtual tokens")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--max-tokens", max_tokens, "most tokens of one forward and backward pass; 0: no limit")
      ->capture_default_str();
  app.add_option("--learning-rate", learning_rate)->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  support::choose_products();
  auto const rows = benchmark_support::read_token_rows(rows_file);
  auto const base =
      model.empty()
          ? graft::any::wrap_base(benchmark_support::random_base<graft::Gpt2>(benchmark_support::shape_config(shape)))
          : graft::any::load_base(model);
  if (!graft::any::full_names(method.strategy, "length")
           .empty())  // --length is of the strategies with virtual tokens alone
    method.settings = {{"length", std::to_string(length)}};
  auto const adapted = adapter.empty() ? base->adapt(method) : base->load(adapter);
  std::vector<double> times;
  nlohmann::json losses = nlohmann::json::array();
  double seconds = 0;
  std::size_t tokens = 0;
  for (int step = 0; step < steps; ++step) {
    auto const examples = rows.batch(static_cast<std::size_t>(step), batch);
    if (step == 2) graft::profile();
    auto const start = std::chrono::steady_clock::now();
    double const loss = adapted->step(examples, learning_rate, max_tokens);
    double const taken = benchmark_support::seconds_since(start);
    losses.push_back(std::round(loss * 1e4) / 1e4);
    if (step < 2) continue;
    times.push_back(taken);
    seconds += taken;
    for (auto const& example : examples) tokens += example.source.size() + example.target.size();
  }
  graft::profile(false);
  long const peak_rss_mb = benchmark_support::peak_rss_mb();  // before more is measured
  std::cout << nlohmann::json{{"peer", "graft"},
                              {"what", "train"},
                              {"method", method.strategy},
                              {"dtype", dtype},
                              {"batch", batch},
                              {"device", "cpu"},
                              {"median_step_s", benchmark_support::median(times)},
                              {"tokens_per_s", std::round(10 * static_cast<double>(tokens) / seconds) / 10},
                              {"losses", losses},
                              {"trainable", adapted->parameter_counts().trainable},
                              {"peak_rss_mb", peak_rss_mb},
                              {"products", products_of(graft::profiled(), seconds)},
                              {"threads", graft::ThreadPool::global().threads()}}
                   .dump()
            << "\n";
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
