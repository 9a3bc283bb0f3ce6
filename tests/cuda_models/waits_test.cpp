// What a step of training costs beside its kernels: how often the host waits. The emulator counts.
#include <gtest/gtest.h>

#include "cuda_runtime.h"
#include "family.hpp"
#include "model/small_model.hpp"
#include "outcome.hpp"

namespace {

using namespace graft;

/// Waits of so many steps, each of one pass.
int waits_of(whole::Family const& family, char const* choice, Index steps) {
  auto const model = family.on_device(any::parse_choice(choice));
  Training const training{.steps = steps, .batch = 2, .progress = false};
  int const before = emulator::synchronizations;
  (void)whole::train<float, Cuda>(*model, {training, small::examples()});
  return emulator::synchronizations - before;
}

TEST(WaitsOfAStep, AreForItsLossAndForTheGradientsNorm) {
  auto const gpt2 = whole::gpt2(), llama = whole::llama(), t5 = whole::t5();
  for (auto const* family : {gpt2.get(), llama.get(), t5.get()})
    for (char const* choice : {"prefix:length=3", "lora:rank=2:dropout=0.25", "prompt:length=3"})
      EXPECT_EQ(waits_of(*family, choice, 4) - waits_of(*family, choice, 2), 2 * 2) << family->name() << ", " << choice;
}

}  // namespace
