/// @file
/// @brief Configurations of decoder-only models.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <graft/io/config_reader.hpp>
#include <graft/ops/rotary.hpp>

namespace graft::detail {

/// Inverse frequencies after the scaling that the configuration asks for: none, linear, or llama3 (as transformers' modeling_rope_utils).
[[nodiscard]] inline std::vector<double> inverse_frequencies(ConfigReader const& config, Index head_dim) {
  nlohmann::json const empty = nlohmann::json::object();
  bool const modern = config.present("rope_parameters");
  nlohmann::json const& rope = modern ? config.json.at("rope_parameters") : config.present("rope_scaling") ? config.json.at("rope_scaling") : empty;
  ConfigReader const scaling{config.where, rope};
  if (!rope.is_object()) fail<FileError>("[", config.where, "] has rope parameters that are no object; got ", detail::json_excerpt(rope), "; expected {…}");
  double const theta = modern ? scaling.get<double>("rope_theta", 10000.0) : config.get<double>("rope_theta", 10000.0);
  if (!(theta > 1)) fail<FileError>("[", config.where, "] has rope_theta ", theta, "; expected more than 1");
  std::vector<double> frequencies = rotary_frequencies(head_dim, theta);
  std::string const type = scaling.get<std::string>("rope_type", scaling.get<std::string>("type", "default"));
  if (type == "default") return frequencies;
  double const factor = scaling.get<double>("factor", 1.0);
  if (type == "linear") {
    for (double& f : frequencies) f /= factor;
  } else if (type == "llama3") {
    double const low = scaling.get<double>("low_freq_factor", 1.0), high = scaling.get<double>("high_freq_factor", 4.0);
    double const trained = static_cast<double>(scaling.size("original_max_position_embeddings"));
    for (double& f : frequencies) {
      double const wavelength = 6.283185307179586 / f, smooth = (trained / wavelength - low) / (high - low);
      if (wavelength > trained / low)
        f /= factor;
      else if (wavelength >= trained / high)
        f = (1 - smooth) * f / factor + smooth * f;
    }
  } else {
    fail<FileError>("[", config.where, "] asks for rotary scaling of type ", printable(type), "; expected default, linear or llama3");
  }
  return frequencies;
}

[[nodiscard]] inline ModelConfig gpt2_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("n_embd");
  config.layers = json.size("n_layer");
  config.heads = config.kv_heads = json.size("n_head");
  config.inner = json.size("n_inner", 4 * config.width);
  config.positions = json.size("n_positions", json.size("n_ctx", 1024));
  config.norm_epsilon = json.get<double>("layer_norm_epsilon", 1e-5);
  config.activation = activation_from_name(json.get<std::string>("activation_function", "gelu_new"));
  config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
  if (json.get<bool>("scale_attn_by_inverse_layer_idx", false)) fail<FileError>("[", json.where, "] sets scale_attn_by_inverse_layer_idx; expected false");
  if (config.width % config.heads != 0) fail<FileError>("[", json.where, "] has n_embd ", config.width, " and n_head ", config.heads, "; expected a multiple");
  config.head_dim = config.width / config.heads;
  return config;
}

[[nodiscard]] inline ModelConfig llama_config(ConfigReader const& json, std::string const& type) {
  bool const qwen = type == "qwen2";
  ModelConfig config;
  config.width = json.size("hidden_size");
  config.layers = json.size("num_hidden_layers");
  config.heads = json.size("num_attention_heads");
  config.kv_heads = json.size("num_key_value_heads", type == "mistral" ? 8 : config.heads);
  config.inner = json.size("intermediate_size");
  config.positions = json.size("max_position_embeddings", qwen || type == "mistral" ? 32768 : 2048);
  config.norm_epsilon = json.get<double>("rms_norm_eps", 1e-6);
  config.activation = activation_from_name(json.get<std::string>("hidden_act", "silu"));
  // Qwen2 has biases on query, key and value alone, whatever its configuration says
  config.attention_bias = qwen || json.get<bool>("attention_bias", false);
  config.attention_output_bias = !qwen && config.attention_bias;
  config.feed_forward_bias = json.get<bool>("mlp_bias", false);
  if (config.heads % config.kv_heads != 0)
    fail<FileError>("[", json.where, "] has ", config.heads, " heads and ", config.kv_heads, " key-value heads; expected whole groups");
  if (!json.present("head_dim") && config.width % config.heads != 0)
    fail<FileError>("[", json.where, "] has hidden_size ", config.width, " and ", config.heads, " heads; expected a multiple, or head_dim");
  config.head_dim = json.size("head_dim", config.width / config.heads);
  if (json.get<double>("partial_rotary_factor", 1.0) != 1.0) fail<FileError>("[", json.where, "] rotates only a part of each head; expected partial_rotary_factor 1");
  config.inverse_frequency = inverse_frequencies(json, config.head_dim);
  // a row within the window attends to all of itself; a longer one is refused
  if (json.present("sliding_window") && json.get<bool>("use_sliding_window", type != "qwen2")) config.positions = std::min(config.positions, json.size("sliding_window"));
  return config;
}

}  // namespace graft::detail
