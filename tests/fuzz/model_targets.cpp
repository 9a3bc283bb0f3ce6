// Models, adapters on a tiny base, and checkpoints of a training.
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/io/adapter.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/llama.hpp>
#include <graft/train/checkpoint.hpp>

#include "io/file_builders.hpp"
#include "io/temporary_folder.hpp"
#include "target.hpp"

namespace fuzz {

void use(graft::Tokenizer const& tokenizer);

namespace {

using graft_test::contents_of;

void gguf(std::string_view bytes) {
  auto const path = put(scratch() / "model.gguf", bytes);
  auto const checkpoint = graft::open_checkpoint(path);
  try {
    use(graft::load_tokenizer(path));
  } catch (graft::Error const&) {  // the tensors are read in any case
  }
  for (auto const& name : checkpoint->names()) {
    std::size_t count = 1;
    for (auto extent : checkpoint->entry(name).shape) count *= static_cast<std::size_t>(extent);
    std::vector<float> values(count);
    checkpoint->read(name, values.data());
  }
  static_cast<void>(graft::load_pretrained<graft::Llama>(checkpoint));
}
std::vector<std::string> gguf_seeds() {
  auto pieces = graft_test::tiny_llama();
  pieces.set(graft_test::gguf_text("tokenizer.ggml.model", "llama"));
  pieces.set(graft_test::gguf_array("tokenizer.ggml.scores", 6, 3, graft_test::float_bytes(3, -1)));
  pieces.set(graft_test::gguf_text("llama.rope.scaling.type", "linear"));
  pieces.set(graft_test::gguf_f32("llama.rope.scaling.factor", 2));
  auto& quantized = pieces.tensor("blk.0.attn_q.weight");
  quantized.extents = {32, 1}, quantized.type = 8, quantized.data = std::string(34, '\1');  // Q8_0
  return {graft_test::tiny_llama().bytes(), pieces.bytes()};
}

graft::Base<graft::Llama> const& base() {
  static auto const model =
      graft::load_pretrained<graft::Llama>(put(scratch() / "base.gguf", graft_test::tiny_llama().bytes()));
  return model;
}
char const* const adapter_files[] = {"adapter_config.json", "adapter_model.safetensors"};

void adapter(std::string_view bytes) {
  auto const folder = scratch() / "adapter";
  for (auto const& part : split(bytes)) put(folder / adapter_files[part.which % 2], part.bytes);
  graft::visit_adapter<graft::LoRA, graft::PrefixTuning, graft::PromptTuning>(base(), folder, [](auto const&) {});
}
template <class Settings>
std::string adapter_seed(Settings settings, graft::AdapterFormat format) {
  auto const folder = scratch() / "seed";
  std::filesystem::remove_all(folder);
  graft::save_adapter(graft::adapt(base(), std::move(settings)), folder, {.format = format});
  return join({{0, contents_of(folder / adapter_files[0])}, {1, contents_of(folder / adapter_files[1])}});
}
std::vector<std::string> adapter_seeds() {
  std::vector<std::string> seeds;
  for (auto const format : {graft::AdapterFormat::peft, graft::AdapterFormat::graft}) {
    seeds.push_back(adapter_seed(graft::LoRA{.rank = 2}, format));
    seeds.push_back(adapter_seed(graft::PrefixTuning{.length = 2}, format));
    seeds.push_back(adapter_seed(graft::PromptTuning{.length = 2, .init = graft::Init::normal}, format));
  }
  return seeds;
}

char const* const checkpoint_files[] = {"training.json", "parameters.safetensors", "optimizer.safetensors",
                                        "best.safetensors"};

// Checksums would refuse every change, so the manifest is made anew; a part of the number 4 is a manifest.
void checkpoint(std::string_view bytes) {
  auto const folder = scratch() / "training", step = folder / "step-00000001";
  std::filesystem::remove_all(step);
  std::string const* manifest = nullptr;
  auto const parts = split(bytes);
  for (auto const& part : parts)
    if (part.which % 5 == 4)
      manifest = &part.bytes;
    else
      put(step / checkpoint_files[part.which % 5], part.bytes);
  std::filesystem::create_directories(step);
  if (manifest)
    put(step / graft::manifest_name, *manifest);
  else
    graft::write_manifest(step);
  static_cast<void>(graft::load_checkpoint<float>(folder));
}
std::vector<std::string> checkpoint_seeds() {
  graft::SavedTraining<float> saved;
  saved.identity = {{"parameters", {{"w", "float32 [2, 3]"}}}, {"settings", {{"batch", 2}}}};
  saved.report.steps.push_back(
      {.step = 1, .epoch = 0.5, .loss = 2.5, .learning_rate = 1e-3, .gradient_norm = 1, .tokens = 10, .seconds = 0.1});
  saved.report.validations.push_back({.step = 1, .loss = 2, .best = true});
  saved.parameters.emplace("w", graft::zeros<float>(graft::Shape{2, 3}));
  saved.best = saved.parameters;
  saved.optimizer["w"].values.emplace("exp_avg", graft::zeros<float>(graft::Shape{2, 3}));
  saved.optimizer["w"].steps = 1;
  auto const folder = scratch() / "seed_training", step = folder / "step-00000001";
  std::filesystem::remove_all(folder);
  graft::save_checkpoint(folder, saved);
  std::vector<Part> parts;
  for (unsigned i = 0; i < 4; ++i) parts.push_back({i, contents_of(step / checkpoint_files[i])});
  std::string const plain = join(parts);
  parts.push_back({4, contents_of(step / graft::manifest_name)});
  return {plain, join(parts)};
}

}  // namespace

std::vector<Target> model_targets() {
  return {
      {"gguf", gguf, gguf_seeds}, {"adapter", adapter, adapter_seeds}, {"checkpoint", checkpoint, checkpoint_seeds}};
}

}  // namespace fuzz
