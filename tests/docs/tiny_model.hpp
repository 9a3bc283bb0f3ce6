// What the documentation's programs find around them: a folder of their own with pretrained models of random weights,
// small enough to train in milliseconds, and a few files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <graft/io/model_config.hpp>
#include <graft/io/safetensors_writer.hpp>
#include <graft/models/architecture.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "io/temporary_folder.hpp"
#include "text/small_tokenizer.hpp"

namespace docs {

using graft::Index;

inline nlohmann::json config_of(graft::Llama) {
  return {{"model_type", "llama"},          {"hidden_size", 32},          {"num_hidden_layers", 3},
          {"num_attention_heads", 4},       {"num_key_value_heads", 2},   {"intermediate_size", 48},
          {"max_position_embeddings", 512}, {"tie_word_embeddings", true}};
}
inline nlohmann::json config_of(graft::Gpt2) {
  return {{"model_type", "gpt2"}, {"n_embd", 32}, {"n_layer", 3}, {"n_head", 4}, {"n_inner", 48}, {"n_positions", 512}};
}

inline nlohmann::json config_of(graft::Bart) {
  return {{"model_type", "bart"},          {"d_model", 32},
          {"encoder_layers", 3},           {"decoder_layers", 3},
          {"encoder_attention_heads", 4},  {"decoder_attention_heads", 4},
          {"encoder_ffn_dim", 48},         {"decoder_ffn_dim", 48},
          {"max_position_embeddings", 64}, {"decoder_start_token_id", 1}};
}
inline nlohmann::json config_of(graft::Bert) {
  return {{"model_type", "bert"},     {"hidden_size", 32},       {"num_hidden_layers", 3},
          {"num_attention_heads", 4}, {"intermediate_size", 48}, {"max_position_embeddings", 64}};
}

/// Writes config.json, model.safetensors and tokenizer.json.
template <graft::Architecture A>
void write_model(std::filesystem::path const& folder) {
  nlohmann::json config = config_of(A{});
  config.update(
      {{"vocab_size", small::first_free}, {"bos_token_id", small::end_of_text}, {"eos_token_id", small::end_of_text}});
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config.dump();
  std::ofstream(folder / "tokenizer.json") << small::tokenizer().dump();

  std::vector<graft::Tensor<float>> values;
  std::vector<graft::TensorEntry> entries;
  auto const add = [&](std::string const& name, graft::Tensor<float> tensor) {
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.shape()[axis]);
    entries.push_back({name, graft::Dtype::f32, shape, reinterpret_cast<std::byte const*>(tensor.data()),
                       static_cast<std::size_t>(tensor.size()) * sizeof(float), nullptr});
    values.push_back(std::move(tensor));
  };
  for (auto const& site : graft::describe_model<A>(graft::model_config(config, "config.json")).sites) {
    auto const key = graft::RandomKey(1).with(site.name);
    bool const turned = site.layout == graft::Layout::in_out;
    if (site.tied) continue;
    if (site.role == graft::Role::buffer)
      add(site.name, graft::normal<float>(graft::Shape{site.out, site.in}, key, 0.1));
    else if (site.role == graft::Role::norm)
      add(site.name + ".weight", graft::full(graft::Shape{site.out}, 1.0F));
    else
      add(site.name + ".weight",
          graft::normal<float>(turned ? graft::Shape{site.in, site.out} : graft::Shape{site.out, site.in}, key, 0.2));
    if (site.bias) add(site.name + ".bias", graft::normal<float>(graft::Shape{site.out}, key.with("bias"), 0.1));
  }
  graft::save_safetensors(folder / "model.safetensors", entries);
}

/// The current directory is a new folder with the models SmolLM2-135M (LLaMA) and gpt2, and the data set trainset.csv.
class Docs : public testing::Test {
 protected:
  Docs() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
    write_model<graft::Llama>("SmolLM2-135M");
    write_model<graft::Gpt2>("gpt2");
    folder_.put("trainset.csv",
                "mr,ref\n"
                "\"name[The Eagle], eatType[coffee shop], area[riverside]\",The Eagle is a coffee shop by the river.\n"
                "\"name[The Mill], eatType[pub], food[Italian]\",The Mill is a pub that serves Italian food.\n"
                "\"name[Aromi], eatType[restaurant], priceRange[cheap]\",Aromi is a cheap restaurant.\n");
  }
  ~Docs() override { std::filesystem::current_path(before_); }

  graft_test::TemporaryFolder folder_;

 private:
  std::filesystem::path before_;
};

}  // namespace docs
