// What a step of training costs beside its kernels: how often the host waits. The emulator counts.
#include <gtest/gtest.h>

#include <iostream>
#include <utility>

#include "cuda_runtime.h"
#include "family.hpp"
#include "model/small_model.hpp"
#include "outcome.hpp"

namespace {

using namespace graft;

/// What has been counted by the end of so many steps, each of one pass.
struct Counts {
  int waits, pinned, launches;
  std::size_t allocations;
};
Counts counts_of(whole::Family const& family, char const* choice, Index steps) {
  auto const model = family.on_device(any::parse_choice(choice));
  Training const training{.steps = steps, .batch = 2, .progress = false};
  auto const now = [] {
    return Counts{emulator::synchronizations, emulator::pinned, emulator::launches,
                  emulator::DeviceMemory::instance().allocations()};
  };
  Counts const before = now();
  (void)whole::train<float, Cuda>(*model, {training, small::examples()});
  Counts const after = now();
  return {after.waits - before.waits, after.pinned - before.pinned, after.launches - before.launches,
          after.allocations - before.allocations};
}

/// Two more steps wait for their losses and for the norms of their gradients, and ask CUDA for no memory: neither the
/// device's, since blocks are used again, nor page-locked.
TEST(WaitsOfAStep, AreForItsLossAndForTheGradientsNorm) {
  auto const gpt2 = whole::gpt2(), llama = whole::llama(), t5 = whole::t5();
  using Pair = std::pair<whole::Family const*, char const*>;
  for (auto const& [family, choice] :
       {Pair{llama.get(), "prefix:length=3"}, Pair{llama.get(), "lora:rank=2:dropout=0.25"},
        Pair{llama.get(), "prompt:length=3"}, Pair{gpt2.get(), "full"}, Pair{t5.get(), "full"}}) {
    (void)counts_of(*family, choice, 4);  // finds the blocks that its steps need
    auto const two = counts_of(*family, choice, 2), four = counts_of(*family, choice, 4);
    EXPECT_EQ(four.waits - two.waits, 2 * 2) << family->name() << ", " << choice;
    EXPECT_EQ(four.pinned, 0) << family->name() << ", " << choice;
    EXPECT_EQ(four.allocations, 0U) << family->name() << ", " << choice;
    std::cout << family->name() << ", " << choice << ": a step starts " << (four.launches - two.launches) / 2
              << " kernels\n";
  }
}

}  // namespace
