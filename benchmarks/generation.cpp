// Times generation with an adapted model. Prints one JSON line with the keys of the peer's script.
#include <algorithm>
#include <cmath>
#include <iostream>

#include <CLI/CLI.hpp>

#include <graft/any/bases.hpp>
#include <graft/core/thread_pool.hpp>

#include "support/products.hpp"
#include "support/random_base.hpp"
#include "support/rows.hpp"

int main(int argc, char** argv) try {
  std::string model, rows_file, dtype = "fp32", adapter, shape = "gpt2-small";
  std::size_t batch = 8;
  graft::Index beams = 1, tokens = 60, length = 10;
  graft::any::Choice method;
  CLI::App app{
      "Times generation after the sources of rows of token ids; prints one JSON line: the best of three runs."};
  app.add_option("--model", model, "Hugging Face folder or GGUF file; without it, random weights of --shape");
  app.add_option("--shape", shape, "whose shape random weights have")
      ->capture_default_str()
      ->check(CLI::IsMember(benchmark_support::shape_names("gpt2")));
  app.add_option("--rows", rows_file, "JSON file with eos and rows of source_ids and target_ids")->required();
  std::vector<std::string> methods;
  for (auto const& info : graft::any::strategies()) methods.emplace_back(info.name);
  app.add_option("--method", method.strategy, "strategy")->capture_default_str()->check(CLI::IsMember(methods));
  app.add_option("--adapter", adapter, "start from this adapter folder instead of a fresh --method");
  app.add_option("--dtype", dtype)->capture_default_str()->check(CLI::IsMember({"fp32"}));
  app.add_option("--batch", batch, "prompts")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--length", length, "virtual tokens")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--beams", beams, "1 for greedy search")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--new", tokens, "new tokens for each prompt, neither more nor fewer")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
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
  std::vector<std::vector<graft::Token>> prompts;
  for (auto const& row : rows.batch(0, batch)) prompts.push_back(row.source);
  graft::any::GenerationSettings settings = graft::Greedy{.max_new_tokens = tokens};
  if (beams > 1) settings = graft::BeamSearch{.max_new_tokens = tokens, .beams = beams};
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    auto const start = std::chrono::steady_clock::now();
    (void)adapted->generate(prompts, settings, static_cast<graft::Index>(prompts.size()) * beams);
    best = std::min(best, benchmark_support::seconds_since(start));
  }
  std::cout << nlohmann::json{{"peer", "graft"},
                              {"what", "generate"},
                              {"method", method.strategy},
                              {"dtype", dtype},
                              {"batch", prompts.size()},
                              {"device", "cpu"},
                              {"beams", beams},
                              {"new", tokens},
                              {"seconds", std::round(best * 1e3) / 1e3},
                              {"tokens_per_s", std::round(10 * static_cast<double>(tokens) *
                                                          static_cast<double>(prompts.size()) / best) /
                                                   10},
                              {"peak_rss_mb", benchmark_support::peak_rss_mb()},
                              {"threads", graft::ThreadPool::global().threads()}}
                   .dump()
            << "\n";
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
