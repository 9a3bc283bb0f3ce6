// Trains LoRA on a GPU, as docs/cuda.md prints it.
#include <iostream>

#include <graft/graft.hpp>
#include <graft/models/to_device.hpp>

int main() try {
  using namespace graft;
  if (std::string const why = cuda_unavailable(); !why.empty()) return std::cerr << why << '\n', 1;
  auto const base = to_device<Cuda, bfloat16>(load_pretrained<Llama>("SmolLM2-135M"));  // frozen matrices in bfloat16
  auto const tokenizer = load_tokenizer("SmolLM2-135M");
  auto model = adapt<Bfloat16>(base, LoRA{.rank = 8});  // activations in bfloat16; LoRA's matrices are float32
  Trainer const trainer({.epochs = 3, .batch = 16, .max_tokens = 8192, .learning_rate = 2e-3});
  auto const report = trainer.fit(model, read_examples("trainset.csv"), tokenizer);
  save_adapter(model, "adapter");  // the files that the host writes and reads
  std::cout << report.tokens_per_second() << " tokens/s, " << (cuda_memory_use().peak >> 20U) << " MiB on the GPU\n";
  return 0;
} catch (graft::Error const& error) {
  return std::cerr << error.what() << '\n', 1;
}
