/// @file
/// @brief Hugging Face's config.json as a `ModelConfig`, in its old and new spellings.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/io/json.hpp>
#include <graft/models/config.hpp>
#include <graft/ops/rotary.hpp>

namespace graft {

namespace detail {

/// A configuration with its file's name for messages.
struct ConfigReader {
  std::string where;
  nlohmann::json const& json;

  [[nodiscard]] Index size(std::string const& key) const {
    return checked(key, static_cast<Index>(json_at<std::int64_t>(where, json, key)));
  }
  /// An absent or null key takes the fallback.
  [[nodiscard]] Index size(std::string const& key, Index fallback) const {
    return present(key) ? size(key) : fallback;
  }
  [[nodiscard]] Token token(std::string const& key) const {
    if (!present(key)) return -1;
    if (json.at(key).is_array()) return json.at(key).empty() ? -1 : json.at(key).at(0).get<Token>();  // Llama 3 lists several ends
    return static_cast<Token>(json_at<std::int64_t>(where, json, key));
  }
  template <class T>
  [[nodiscard]] T get(std::string const& key, T fallback) const {
    return present(key) ? json_at<T>(where, json, key) : fallback;
  }
  [[nodiscard]] bool present(std::string const& key) const { return json.contains(key) && !json.at(key).is_null(); }

 private:
  [[nodiscard]] Index checked(std::string const& key, Index value) const {
    if (value < 1 || value > (Index{1} << 31)) fail<FileError>("[", where, "] has an impossible ", key, "; got ", value, "; expected a positive size");
    return value;
  }
};

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
  config.attention_bias = config.feed_forward_bias = true;
  if (json.get<bool>("scale_attn_by_inverse_layer_idx", false)) fail<FileError>("[", json.where, "] sets scale_attn_by_inverse_layer_idx; expected false");
  if (config.width % config.heads != 0) fail<FileError>("[", json.where, "] has n_embd ", config.width, " and n_head ", config.heads, "; expected a multiple");
  config.head_dim = config.width / config.heads;
  return config;
}

[[nodiscard]] inline ModelConfig llama_config(ConfigReader const& json) {
  ModelConfig config;
  config.width = json.size("hidden_size");
  config.layers = json.size("num_hidden_layers");
  config.heads = json.size("num_attention_heads");
  config.kv_heads = json.size("num_key_value_heads", config.heads);
  config.inner = json.size("intermediate_size");
  config.positions = json.size("max_position_embeddings", 2048);
  config.norm_epsilon = json.get<double>("rms_norm_eps", 1e-6);
  config.activation = activation_from_name(json.get<std::string>("hidden_act", "silu"));
  config.attention_bias = json.get<bool>("attention_bias", false);
  config.feed_forward_bias = json.get<bool>("mlp_bias", false);
  if (config.heads % config.kv_heads != 0)
    fail<FileError>("[", json.where, "] has ", config.heads, " heads and ", config.kv_heads, " key-value heads; expected whole groups");
  if (!json.present("head_dim") && config.width % config.heads != 0)
    fail<FileError>("[", json.where, "] has hidden_size ", config.width, " and ", config.heads, " heads; expected a multiple, or head_dim");
  config.head_dim = json.size("head_dim", config.width / config.heads);
  if (json.get<double>("partial_rotary_factor", 1.0) != 1.0) fail<FileError>("[", json.where, "] rotates only a part of each head; expected partial_rotary_factor 1");
  config.inverse_frequency = inverse_frequencies(json, config.head_dim);
  return config;
}

}  // namespace detail

/// The model that a configuration describes. Throws `FileError` for an unknown model_type and for sizes that contradict each other.
[[nodiscard]] inline ModelConfig model_config(nlohmann::json const& json, std::string const& where) {
  detail::ConfigReader const reader{where, json};
  std::string const type = json_at<std::string>(where, json, "model_type");
  ModelConfig config;
  if (type == "gpt2")
    config = detail::gpt2_config(reader);
  else if (type == "llama")
    config = detail::llama_config(reader);
  else
    fail<FileError>("[", where, "] has the model_type ", printable(type), "; expected gpt2 or llama");
  config.architecture = type;
  config.vocabulary = reader.size("vocab_size");
  config.tied_head = reader.get<bool>("tie_word_embeddings", type == "gpt2");
  config.bos = reader.token("bos_token_id");
  config.eos = reader.token("eos_token_id");
  config.pad = reader.token("pad_token_id");
  return config;
}

}  // namespace graft
