// The README's program: trains a prefix on a frozen model, saves it, and writes a text with it.
#include <graft/graft.hpp>

#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: quickstart MODEL FOLDER\n", 2;
  auto base = graft::load_pretrained<graft::Llama>(argv[1]);  // a Hugging Face folder or a GGUF file, frozen
  auto tokenizer = graft::load_tokenizer(argv[1]);
  auto data = graft::generate_data();  // or your own: graft::read_examples("trainset.csv")

  auto model = graft::adapt(base, graft::PrefixTuning{.length = 10, .init_deviation = 0.02});
  graft::Trainer trainer({.epochs = 3, .batch = 8, .learning_rate = 5e-2});
  trainer.fit(model, data.training, data.validation, tokenizer);
  graft::save_adapter(model, argv[2]);  // a Hugging Face PEFT folder

  auto const prompt = data.test.front().source + graft::Template{}.separator;
  std::cout << prompt << graft::generate(model, tokenizer, prompt, graft::BeamSearch{.beams = 5}) << '\n';
  return 0;
} catch (graft::Error const& error) {
  return std::cerr << error.what() << '\n', 1;
}
