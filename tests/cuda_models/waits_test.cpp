// What a step of training or of generation costs beside its kernels: how often the host waits, and what comes to it.
// The emulator counts.
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include <graft/tensor/work_together.hpp>

#include "cuda/device_testing.hpp"
#include "cuda_runtime.h"
#include "family.hpp"
#include "model/small_model.hpp"
#include "outcome.hpp"
#include "support/refusals.hpp"

namespace {

using namespace graft;

/// What has been counted by the end of so many steps, each of one pass.
struct Counts {
  int waits, marks, pinned;
  std::size_t kernels, allocations;
};
Counts counts_of(whole::Family const& family, char const* choice, OptimizerKind optimizer, Index steps) {
  auto const model = family.on_device(any::parse_choice(choice));
  Training const training{.steps = steps, .batch = 2, .optimizer = optimizer, .progress = false};
  auto const now = [] {
    auto const graphs = cuda_graph_use();
    return Counts{emulator::synchronizations, emulator::marks_waited_for, emulator::pinned,
                  graphs.kernels + graphs.alone, emulator::DeviceMemory::instance().allocations()};
  };
  Counts const before = now();
  (void)whole::train<float, Cuda>(*model, {training, small::examples()});
  Counts const after = now();
  return {after.waits - before.waits, after.marks - before.marks, after.pinned - before.pinned,
          after.kernels - before.kernels, after.allocations - before.allocations};
}

/// Two more steps wait for nothing but the marks behind their losses and norms, which are read a step late. They ask
/// CUDA for no memory: neither the device's, since blocks are used again, nor page-locked.
TEST(AStep, IsNotWaitedFor) {
  auto const gpt2 = whole::gpt2(), llama = whole::llama(), t5 = whole::t5();
  struct Case {
    whole::Family const& family;
    char const* choice;
    OptimizerKind optimizer = OptimizerKind::adamw;
  };
  for (auto const& [family, choice, optimizer] :
       {Case{*llama, "prefix:length=3"}, Case{*llama, "lora:rank=2:dropout=0.25"}, Case{*llama, "prompt:length=3"},
        Case{*gpt2, "full"}, Case{*t5, "full"}, Case{*llama, "prompt:length=3", OptimizerKind::adafactor},
        Case{*gpt2, "full", OptimizerKind::adafactor}}) {
    auto const what = cat(family.name(), ", ", choice, optimizer == OptimizerKind::adamw ? "" : ", Adafactor");
    (void)counts_of(family, choice, optimizer, 4);  // finds the blocks that its steps need
    auto const two = counts_of(family, choice, optimizer, 2), four = counts_of(family, choice, optimizer, 4);
    EXPECT_EQ(four.waits - two.waits, 0) << what;
    EXPECT_GT(four.marks - two.marks, 0) << what;
    EXPECT_EQ(four.pinned - two.pinned, 0) << what;
    EXPECT_EQ(four.allocations, 0U) << what;
    std::cout << what << ": a step has " << (four.kernels - two.kernels) / 2 << " kernels and products\n";
  }
}

/// Steps whose passes have nearly the same size, and the tokens of a text, are started by graphs. Rows of the examples
/// have various lengths.
TEST(AStep, OfTheSameSizeIsStartedByGraphs) {
  auto const llama = whole::llama(), t5 = whole::t5();
  struct Case {
    whole::Family const* family;
    char const* choice;
    double
        times;  ///< as many kernels by graphs as alone, at least; pairs of an encoder's and a decoder's sizes are many
  };
  for (auto const& [family, choice, times] :
       {Case{llama.get(), "prefix:length=3:dropout=0.25", 3}, Case{llama.get(), "lora:rank=2:dropout=0.25", 3},
        Case{t5.get(), "full", 0.5}}) {
    auto const model = family->on_device(any::parse_choice(choice));
    Training const training{.steps = 24, .batch = 2, .progress = false};
    (void)whole::train<float, Cuda>(*model, {training, small::examples()});
    auto const before = cuda_graph_use();
    (void)whole::train<float, Cuda>(*model, {training, small::examples()});
    auto const after = cuda_graph_use();
    EXPECT_GT(static_cast<double>(after.kernels - before.kernels),
              times * static_cast<double>(after.alone - before.alone))
        << family->name() << ", " << choice;
  }
  for (auto const* const family : {llama.get(), t5.get()}) {
    auto const model = family->on_device(any::parse_choice("full"));
    Sampling const settings{.max_new_tokens = 30, .sequences = 2};
    (void)whole::sampled<float, Cuda>(*model, settings);
    auto const before = cuda_graph_use();
    (void)whole::sampled<float, Cuda>(*model, settings);
    auto const after = cuda_graph_use();
    EXPECT_GT(after.kernels - before.kernels, 3 * (after.alone - before.alone)) << family->name();
  }
}

/// A step of sampling waits for its tokens. Of each text two numbers come to the host, whatever the vocabulary is.
TEST(AStep, OfSamplingBringsTokensAlone) {
  auto const llama = whole::llama(), t5 = whole::t5();
  using Pair = std::pair<whole::Family const*, char const*>;
  for (auto const& [family, choice] : {Pair{llama.get(), "prefix:length=3"}, Pair{t5.get(), "full"}}) {
    auto const model = family->on_device(any::parse_choice(choice));
    auto const counts = [&](Sampling settings, Index tokens) {
      settings.max_new_tokens = tokens;
      auto const waits = emulator::synchronizations;
      auto const bytes = emulator::fetched;
      (void)whole::sampled<float, Cuda>(*model, settings);
      return std::pair(emulator::synchronizations - waits, emulator::fetched - bytes);
    };
    std::size_t const texts = 2 * 3;
    for (auto const& rule : {Sampling{.sequences = 3}, Sampling{.top_p = 0.8, .min_p = 0.01, .sequences = 3},
                             Sampling{.top_k = 60, .sequences = 3}}) {
      auto const one = counts(rule, 1), four = counts(rule, 4);
      EXPECT_EQ(four.first - one.first, 3) << family->name();
      EXPECT_EQ(one.second, texts * 2 * sizeof(double)) << family->name();
      EXPECT_EQ(four.second, 4 * texts * 2 * sizeof(double)) << family->name();
    }
  }
}

/// A loss that is no number is found a step late, and the sentence and the parameters are the host's all the same.
TEST(AStep, ThatFailsLeavesTheParametersBefore) {
  auto const llama = whole::llama();
  for (auto const optimizer : {OptimizerKind::adamw, OptimizerKind::adafactor}) {
    Training const training{
        .steps = 6, .batch = 2, .learning_rate = 1e22, .optimizer = optimizer, .clip = 0, .progress = false};
    auto const choice = any::parse_choice("lora:rank=2");
    auto const host = llama->on_host(choice);
    auto const device = llama->on_device(choice);
    std::string const expected =
        graft::testing::message_of<NumericError>([&] { (void)host->fit(training, small::examples(), {}); });
    EXPECT_EQ(graft::testing::message_of<NumericError>(
                  [&] { (void)whole::train<float, Cuda>(*device, {training, small::examples()}); }),
              expected);
    auto const kept = device->parameters();
    auto const wanted = host->erased().parameters();
    ASSERT_EQ(kept.size(), wanted.size());
    for (std::size_t i = 0; i < kept.size(); ++i)  // gradients divided by their own size: rounding is amplified
      EXPECT_LE(graft::testing::relative_difference(to_device<Cpu>(kept[i]->value()), wanted[i]->value()), 1e-4)
          << wanted[i]->name();
  }
}

/// With a callback after each step nothing is late: it sees the model as that step has left it.
TEST(AStep, IsWaitedForWhereSomebodyLooks) {
  auto const llama = whole::llama();
  auto const model = llama->on_device(any::parse_choice("prefix:length=3"));
  std::vector<Index> seen;
  Training training{.steps = 3, .batch = 2, .progress = false};
  training.on_step = [&](StepReport const& report) {
    EXPECT_GT(report.loss, 0);
    seen.push_back(report.step);
  };
  (void)whole::train<float, Cuda>(*model, {training, small::examples()});
  EXPECT_EQ(seen, (std::vector<Index>{1, 2, 3}));
}

}  // namespace
