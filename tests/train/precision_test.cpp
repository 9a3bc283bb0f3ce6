// The trainer, its checkpoints and adapter folders with a model over bfloat16 activations.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include <graft/adaptation/lora.hpp>
#include <graft/io/adapter.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/train/trainer.hpp>

#include "model/small_model.hpp"
#include "train/scratch_folder.hpp"

namespace {

using graft::Bfloat16, graft::Gpt2, graft::LoRA;

template <class Scalar>
bool same_bits(graft::Tensor<Scalar> const& a, graft::Tensor<Scalar> const& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}
template <class Model>
bool same_parameters(Model& a, Model& b) {
  auto const left = a.parameters(), right = b.parameters();
  for (std::size_t i = 0; i < left.size(); ++i)
    if (!same_bits(left[i]->value(), right[i]->value())) return false;
  return left.size() == right.size();
}

TEST(TrainerOverBfloat16, LearnsAndGoesOnToTheSameBits) {
  auto const base = small::base<Gpt2, float>();
  graft::Training settings;
  settings.steps = 12, settings.batch = 2, settings.learning_rate = 1e-2, settings.progress = false;
  LoRA const lora{.rank = 2, .dropout = 0.1};
  auto whole = graft::adapt<Bfloat16>(base, lora, 5);
  auto const report = graft::Trainer(settings).fit(whole, small::examples(), small::examples());
  EXPECT_LT(report.validations.back().loss, 0.9 * report.steps.front().loss);

  ScratchFolder const folder;
  settings.checkpoint = folder / "checkpoints", settings.checkpoint_every = 3;
  auto interrupted = graft::adapt<Bfloat16>(base, lora, 5), resumed = graft::adapt<Bfloat16>(base, lora, 5);
  int steps = 0;
  settings.stop = [&] { return ++steps == 5 ? 15 : 0; };
  EXPECT_EQ(graft::Trainer(settings).fit(interrupted, small::examples(), small::examples()).interrupted, 15);
  settings.stop = nullptr, settings.resume = true;
  (void)graft::Trainer(settings).fit(resumed, small::examples(), small::examples());
  EXPECT_TRUE(same_parameters(resumed, whole));
  EXPECT_FALSE(same_parameters(resumed, interrupted));
}

TEST(AdaptersOverBfloat16, FilesHoldFloat32) {
  auto const base = small::base<Gpt2, float>();
  auto model = graft::adapt<Bfloat16>(base, LoRA{.rank = 2}, 5);
  small::disturb(model);
  ScratchFolder const folder;
  graft::save_adapter(model, folder / "bfloat16");
  graft::save_adapter(graft::with_precision<graft::Float32>(model), folder / "float32");
  for (char const* file : {"/adapter_config.json", "/adapter_model.safetensors"})
    EXPECT_EQ(read_all(folder / "bfloat16" + file), read_all(folder / "float32" + file)) << file;
  auto const loaded = graft::with_precision<Bfloat16>(graft::load_adapter<LoRA>(base, folder / "bfloat16"));
  auto const batch = model.pack(small::examples());
  graft::NoGrad const no_grad;
  EXPECT_TRUE(same_bits(loaded.logits(batch).value(), model.logits(batch).value()));
}

}  // namespace
