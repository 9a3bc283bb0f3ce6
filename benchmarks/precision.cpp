// What activations in bfloat16 cost and save: training steps of a LLaMA model in float32 and in bfloat16, with a prefix
// and with LoRA. Each policy with each strategy runs in a process of its own, so that each peak of memory is its own.
// Prints one JSON line for each.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/core/host_pool.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/llama.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/trainer.hpp>

#include "support/products.hpp"
#include "support/rows.hpp"

namespace {

struct Settings {
  std::string model, rows;
  std::vector<std::string> methods{"prefix", "lora"};
  graft::Index batch = 4, steps = 5, length = 10, rank = 8, runs = 1;
};

/// MiB that the backward pass keeps of these rows' forward pass.
template <class Model>
double kept_mib(Model const& model, std::vector<graft::TokenizedExample> const& rows) {
  auto const batch = model.pack(rows);
  double kept = 0;
  for (int pass = 0; pass < 2; ++pass) {  // the first makes tables that stay
    auto const before = static_cast<double>(graft::HostPool::global().used());
    auto const loss = graft::token_loss(model.scores(batch), batch.rows.targets, 1);
    kept = static_cast<double>(graft::HostPool::global().used()) - before;
    graft::Tape::current().discard();
  }
  return kept / (1 << 20);
}

template <class Policy, class Strategy>
nlohmann::json measure(Settings const& s, Strategy const& strategy) {
  auto model = graft::adapt<Policy>(graft::load_pretrained<graft::Llama>(s.model), strategy);
  auto const rows = benchmark_support::read_token_rows(s.rows);
  double const kept = kept_mib(model, rows.batch(0, static_cast<std::size_t>(s.batch)));
  std::vector<double> seconds, processor, losses;
  double tokens = 0, last = benchmark_support::processor_seconds();
  graft::Training settings{.steps = s.steps, .batch = s.batch, .max_tokens = 0, .progress = false};
  settings.on_step = [&](graft::StepReport const& step) {
    double const now = benchmark_support::processor_seconds();
    if (!losses.empty())  // the first step takes memory from the system
      seconds.push_back(step.seconds), processor.push_back(now - last), tokens += static_cast<double>(step.tokens);
    losses.push_back(step.loss);
    last = now;
  };
  graft::Trainer(settings).fit(model, rows.rows);
  double total = 0;
  for (double const taken : seconds) total += taken;
  return {{"median_step_s", benchmark_support::median(seconds)},
          {"median_step_processor_s", benchmark_support::median(processor)},
          {"tokens_per_s", tokens / total},
          {"kept_mib", kept},
          {"peak_mib", benchmark_support::peak_rss_mb()},
          {"losses", losses},
          {"threads", graft::ThreadPool::global().threads()}};
}

template <class Policy>
nlohmann::json measure(Settings const& s, std::string const& method) {
  if (method == "lora") return measure<Policy>(s, graft::LoRA{.rank = s.rank});
  return measure<Policy>(s, graft::PrefixTuning{.length = s.length, .init_deviation = 0.02});
}

/// What `f` returns in a child of this process.
template <class F>
nlohmann::json in_a_process(F const& f) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) graft::fail("[precision] got no pipe; expected one for a process");
  pid_t const child = ::fork();
  if (child < 0) graft::fail("[precision] got no process; expected one for each policy");
  if (child == 0) {
    ::close(ends[0]);
    int status = 1;
    try {
      std::FILE* const to = ::fdopen(ends[1], "w");
      std::fputs(f().dump().c_str(), to);
      status = std::fclose(to) == 0 ? 0 : 1;
    } catch (std::exception const& error) {
      std::cerr << error.what() << "\n";
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  std::string text;
  std::FILE* const from = ::fdopen(ends[0], "r");
  for (int c = std::fgetc(from); c != EOF; c = std::fgetc(from)) text += static_cast<char>(c);
  std::fclose(from);
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0)
    graft::fail("[precision] a measuring process failed; its message stands above");
  return nlohmann::json::parse(text);
}

double largest_difference(std::vector<double> const& a, std::vector<double> const& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

void run(Settings const& s) {
  std::map<std::string, std::vector<double>> losses;  // of float32, by strategy
  for (graft::Index pass = 0; pass < s.runs; ++pass)
    for (auto const& method : s.methods)
      for (char const* policy : {"float32", "bfloat16"}) {
        bool const wide = policy == std::string("float32");
        auto line = in_a_process(
            [&] { return wide ? measure<graft::Float32>(s, method) : measure<graft::Bfloat16>(s, method); });
        auto const mine = line.at("losses").get<std::vector<double>>();
        if (wide) losses[method] = mine;
        line["policy"] = policy, line["method"] = method, line["batch"] = s.batch;
        line["largest_loss_difference"] = largest_difference(mine, losses.at(method));
        std::cout << line.dump() << "\n" << std::flush;
      }
}

}  // namespace

int main(int argc, char** argv) try {
  Settings s;
  CLI::App app{
      "Times training steps of a LLaMA model in float32 and in bfloat16, and says what memory they took. The first "
      "step is not "
      "timed. Prints one JSON line for each policy and strategy; losses are compared with those of float32."};
  app.option_defaults()->always_capture_default();
  app.add_option("--model", s.model, "Hugging Face folder or GGUF file of a LLaMA")->required();
  app.add_option("--rows", s.rows, "JSON file with eos and rows of source_ids and target_ids")->required();
  app.add_option("--methods", s.methods, "strategies")->check(CLI::IsMember({"prefix", "lora"}));
  app.add_option("--batch", s.batch, "rows a step, in one pass")->check(CLI::PositiveNumber);
  app.add_option("--steps", s.steps, "steps, at least 2")->check(CLI::Range(2, 1000000));
  app.add_option("--length", s.length, "virtual tokens of the prefix")->check(CLI::PositiveNumber);
  app.add_option("--rank", s.rank, "rank of LoRA")->check(CLI::PositiveNumber);
  app.add_option("--runs", s.runs, "how often all are measured, in turn")->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  support::choose_products();
  run(s);
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
