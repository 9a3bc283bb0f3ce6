/// @file
/// @brief A GGUF file's metadata as a Hugging Face configuration.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/numbers.hpp>
#include <graft/io/gguf.hpp>
#include <graft/io/gguf_keys.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// Whether the output head is the embedding: no `output.weight`, or a copy of `token_embd.weight` (as conversions of
/// GPT-2 have it).
[[nodiscard]] inline bool gguf_tied_head(GgufFile const& file) {
  GgufTensor const* const head = file.find_tensor("output.weight");
  GgufTensor const* const embedding = file.find_tensor("token_embd.weight");
  if (head == nullptr || embedding == nullptr) return head == nullptr;
  return head->type == embedding->type && head->shape == embedding->shape &&
         std::memcmp(head->data, embedding->data, head->bytes) == 0;
}

namespace detail {

/// The hyper-parameters `<architecture>.*` of a GGUF file, each checked against its range.
class GgufParameters {
 public:
  explicit GgufParameters(GgufFile const& file)
      : file_(file), prefix_(file.require<std::string>("general.architecture") + ".") {}

  [[nodiscard]] std::int64_t size(std::string const& key) const {
    auto const value = optional_size(key);
    if (!value) fail<FileError>("[", file_.path(), "] lacks the metadata key ", printable(prefix_ + key));
    return *value;
  }

  /// A positive size; an array (one per layer) must hold one value throughout.
  [[nodiscard]] std::optional<std::int64_t> optional_size(std::string const& key) const {
    GgufValue const* const value = file_.find(prefix_ + key);
    if (value == nullptr) return std::nullopt;
    std::int64_t number = 0;
    if (value->type == GgufType::array) {
      auto const each = file_.require<std::vector<std::int64_t>>(prefix_ + key);
      if (each.empty() || std::adjacent_find(each.begin(), each.end(), std::not_equal_to<>()) != each.end()) {
        fail<FileError>("[", file_.path(), "] has layers of different kinds at the metadata key ",
                        printable(prefix_ + key), "; expected one value for all");
      }
      number = each.front();
    } else {
      number = file_.require<std::int64_t>(prefix_ + key);
    }
    if (number < 1 || number > most_of_anything) {
      fail<FileError>("[", file_.path(), "] has an impossible value at the metadata key ", printable(prefix_ + key),
                      "; got ", number, "; expected 1 … 2³¹−1");
    }
    return number;
  }

  [[nodiscard]] std::optional<double> real(std::string const& key) const {
    auto const value = file_.get<double>(prefix_ + key);
    if (value && !(*value > 0 && *value < 1e30)) {
      fail<FileError>("[", file_.path(), "] has an impossible value at the metadata key ", printable(prefix_ + key),
                      "; got ", *value, "; expected a positive number");
    }
    return value;
  }

  /// A number that may be 0.
  [[nodiscard]] std::optional<double> real_or_none(std::string const& key) const {
    auto const value = file_.get<double>(prefix_ + key);
    return value && *value == 0 ? value : real(key);
  }

  /// Rows of the embedding; throws if the metadata or the vocabulary says otherwise.
  [[nodiscard]] std::int64_t vocabulary() const {
    GgufTensor const* const embedding = file_.find_tensor("token_embd.weight");
    if (embedding == nullptr || embedding->shape.size() != 2)
      fail<FileError>("[", file_.path(), "] lacks the tensor token_embd.weight of rank 2");
    std::int64_t const rows = embedding->shape[0];
    auto const stated = optional_size("vocab_size");
    if (stated && *stated != rows)
      fail<FileError>("[", file_.path(), "] has an embedding of ", rows,
                      " rows; expected the metadata's vocabulary of ", *stated);
    return rows;
  }

  void token_id(nlohmann::json& config, char const* name, char const* key) const {
    auto const id = file_.get<std::int64_t>(key);
    if (!id) {
      config[name] = nullptr;
      return;
    }
    if (*id < 0 || *id >= config.at("vocab_size").get<std::int64_t>()) {
      fail<FileError>("[", file_.path(), "] has the id ", *id, " at the metadata key ", key,
                      "; expected one below the vocabulary's ", config.at("vocab_size").get<std::int64_t>());
    }
    config[name] = *id;
  }

  /// The ends of a turn and of a message, which end a text as well: `eos_token_id` becomes a list where they are other
  /// tokens.
  void more_ends(nlohmann::json& config) const {
    nlohmann::json ends = nlohmann::json::array();
    if (!config.at("eos_token_id").is_null()) ends.push_back(config.at("eos_token_id"));
    for (char const* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
      nlohmann::json end = {{"vocab_size", config.at("vocab_size")}};
      token_id(end, "id", key);
      if (!end.at("id").is_null() && std::find(ends.begin(), ends.end(), end.at("id")) == ends.end())
        ends.push_back(end.at("id"));
    }
    if (ends.size() > 1 || (ends.size() == 1 && config.at("eos_token_id").is_null()))
      config["eos_token_id"] = std::move(ends);
  }

  [[nodiscard]] GgufFile const& file() const noexcept { return file_; }
  [[nodiscard]] std::string const& prefix() const noexcept { return prefix_; }

 private:
  GgufFile const& file_;
  std::string prefix_;
};

/// Rotary scaling as Hugging Face names it, null without one. As ggml's readers have it, the type is linear where none
/// is given, the factor is in `rope.scaling.factor` or its old name `rope.scale_linear`, 0 is none, and the type "none"
/// ignores it. Frequencies given as a tensor ("rope_freqs.weight") have no such name.
[[nodiscard]] inline nlohmann::json gguf_rope_scaling(GgufParameters const& parameters) {
  GgufFile const& file = parameters.file();
  std::string const key = parameters.prefix() + "rope.scaling.type";
  if (file.find_tensor("rope_freqs.weight") != nullptr) return {{"rope_type", "gguf_rope_freqs"}};
  std::string const type = file.get<std::string>(key).value_or("linear");
  if (type != "none" && type != "linear")
    fail<FileError>("[", file.path(), "] asks for rotary scaling of the kind ", printable(type),
                    " at the metadata key ", printable(key), "; expected none or linear");
  auto factor = parameters.real_or_none("rope.scaling.factor");
  if (!factor) factor = parameters.real_or_none("rope.scale_linear");
  if (type == "none" || !factor || *factor == 0 || *factor == 1) return nullptr;
  return {{"rope_type", "linear"}, {"factor", *factor}};
}

/// Which linear maps of a "llama" have a bias. Hugging Face's configurations know them on query, key and value (Qwen2),
/// on these and the attention's output, and on all of the feed-forward; in all layers or none.
struct GgufBiases {
  bool attention = false, attention_output = false, feed_forward = false;
};
/// @throws FileError for biases on some layers or on other sets of maps
[[nodiscard]] inline GgufBiases gguf_llama_biases(GgufFile const& file, std::int64_t layers) {
  auto const has = [&](std::int64_t layer, char const* map) {
    return file.find_tensor(cat("blk.", layer, ".", map, ".bias")) != nullptr;
  };
  auto const all_or_none = [&](std::initializer_list<char const*> maps) {
    bool const first = has(0, *maps.begin());
    for (std::int64_t layer = 0; layer < layers; ++layer)
      for (char const* map : maps)
        if (has(layer, map) != first)
          fail<FileError>("[", file.path(), "] has biases on some linear maps only; got blk.", first ? 0 : layer, ".",
                          first ? *maps.begin() : map, ".bias without blk.", first ? layer : 0, ".",
                          first ? map : *maps.begin(),
                          ".bias; expected both or neither, as in all models of Hugging Face's");
    return first;
  };
  GgufBiases const biases{all_or_none({"attn_q", "attn_k", "attn_v"}), all_or_none({"attn_output"}),
                          all_or_none({"ffn_gate", "ffn_up", "ffn_down"})};
  if (biases.attention_output && !biases.attention)
    fail<FileError>("[", file.path(),
                    "] has a bias on attn_output and none on attn_q, attn_k and attn_v, which graft does not compute; "
                    "expected biases "
                    "there too, or none");
  if (biases.attention && !biases.attention_output && biases.feed_forward)
    fail<FileError>("[", file.path(),
                    "] has biases on attn_q, attn_k, attn_v and the feed-forward, and none on attn_output, which graft "
                    "does not compute; "
                    "expected one there too");
  return biases;
}

[[nodiscard]] inline nlohmann::json gguf_llama_config(GgufParameters const& parameters) {
  std::int64_t const hidden = parameters.size("embedding_length");
  std::int64_t const heads = parameters.size("attention.head_count");
  std::int64_t const key_value_heads = parameters.optional_size("attention.head_count_kv").value_or(heads);
  std::int64_t const layers = parameters.size("block_count");
  auto const& where = parameters.file().path();
  if (static_cast<std::uint64_t>(layers) > parameters.file().tensors().size()) {
    fail<FileError>("[", where, "] says it has ", layers, " layers; got only ", parameters.file().tensors().size(),
                    " tensors");
  }
  auto const stated_width = parameters.optional_size("attention.key_length");
  std::int64_t const width = stated_width.value_or(hidden / heads);
  if (heads % key_value_heads != 0 || (!stated_width && hidden % heads != 0) || width % 2 != 0) {
    fail<FileError>("[", where, "] has impossible attention heads; got hidden size ", hidden, ", ", heads, " heads, ",
                    key_value_heads, " key-value heads, head width ", width, "; expected even widths and whole groups");
  }
  if (auto const value_width = parameters.optional_size("attention.value_length");
      value_width && *value_width != width) {
    fail<FileError>("[", where, "] has values of width ", *value_width, " beside keys of width ", width,
                    "; expected equal ones");
  }
  GgufBiases const biases = gguf_llama_biases(parameters.file(), layers);
  bool const as_qwen2 =
      biases.attention &&
      !biases.attention_output;  // the same computation, under the name of the models with these biases
  nlohmann::json config = {{"model_type", as_qwen2 ? "qwen2" : "llama"},
                           {"architectures", {as_qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM"}},
                           {"vocab_size", parameters.vocabulary()},
                           {"hidden_size", hidden},
                           {"intermediate_size", parameters.size("feed_forward_length")},
                           {"num_hidden_layers", layers},
                           {"num_attention_heads", heads},
                           {"num_key_value_heads", key_value_heads},
                           {"head_dim", width},
                           {"hidden_act", "silu"},
                           {"max_position_embeddings", parameters.size("context_length")},
                           {"rms_norm_eps", parameters.real("attention.layer_norm_rms_epsilon").value_or(1e-6)},
                           {"rope_theta", parameters.real("rope.freq_base").value_or(10000.0)},
                           {"rope_scaling", gguf_rope_scaling(parameters)},
                           {"attention_bias", biases.attention},
                           {"mlp_bias", biases.feed_forward}};
  if (auto const rotated = parameters.optional_size("rope.dimension_count"); rotated && *rotated != width) {
    fail<FileError>("[", where, "] rotates ", *rotated, " of ", width, " dimensions of each head (",
                    printable(parameters.prefix() + "rope.dimension_count"), "); expected all");
  }
  return config;
}

[[nodiscard]] inline nlohmann::json gguf_gpt2_config(GgufParameters const& parameters) {
  std::int64_t const hidden = parameters.size("embedding_length");
  std::int64_t const heads = parameters.size("attention.head_count");
  for (auto const& [key, expected] : {std::pair{"attention.head_count_kv", heads},
                                      {"attention.key_length", hidden / heads},
                                      {"attention.value_length", hidden / heads}})
    if (auto const stated = parameters.optional_size(key); stated && *stated != expected)
      fail<FileError>("[", parameters.file().path(), "] has ", *stated, " at the metadata key ",
                      printable(parameters.prefix() + key), "; expected ", expected, ", as GPT-2 has it");
  if (hidden % heads != 0)
    fail<FileError>("[", parameters.file().path(), "] has impossible attention heads; got hidden size ", hidden,
                    " and ", heads, " heads");
  return {{"model_type", "gpt2"},
          {"architectures", {"GPT2LMHeadModel"}},
          {"vocab_size", parameters.vocabulary()},
          {"n_embd", hidden},
          {"n_layer", parameters.size("block_count")},
          {"n_head", heads},
          {"n_positions", parameters.size("context_length")},
          {"n_inner", parameters.optional_size("feed_forward_length").value_or(4 * hidden)},
          {"layer_norm_epsilon", parameters.real("attention.layer_norm_epsilon").value_or(1e-5)},
          {"activation_function", "gelu_new"}};
}

}  // namespace detail

/// The configuration Hugging Face would give the model in `file`: model_type, sizes, heads, epsilon, rotary base, ids
/// (null where not given), tie_word_embeddings. Throws FileError for architectures other than "llama" and "gpt2" and
/// for numbers that contradict each other.
[[nodiscard]] inline nlohmann::json gguf_config_json(GgufFile const& file) {
  detail::GgufParameters const parameters(file);
  auto const architecture = file.require<std::string>("general.architecture");
  if (architecture != "llama" && architecture != "gpt2") {
    fail<FileError>("[", file.path(), "] has the architecture ", printable(architecture),
                    "; expected \"llama\" or \"gpt2\"");
  }
  detail::check_gguf_keys(file, architecture);
  nlohmann::json config =
      architecture == "llama" ? detail::gguf_llama_config(parameters) : detail::gguf_gpt2_config(parameters);
  config["tie_word_embeddings"] = gguf_tied_head(file);
  config["torch_dtype"] = "float32";
  char const* const longest = architecture == "llama" ? "max_position_embeddings" : "n_positions";
  if (auto const window = parameters.real_or_none("attention.sliding_window");
      window && *window > 0 && *window < config.at(longest).get<double>())
    fail<FileError>("[", file.path(), "] sets the metadata key ",
                    printable(parameters.prefix() + "attention.sliding_window"), " to ", *window,
                    ", which graft does not compute; expected 0 or at least the context length");
  parameters.token_id(config, "bos_token_id", "tokenizer.ggml.bos_token_id");
  parameters.token_id(config, "eos_token_id", "tokenizer.ggml.eos_token_id");
  parameters.more_ends(config);
  parameters.token_id(config, "pad_token_id", "tokenizer.ggml.padding_token_id");
  parameters.token_id(config, "unk_token_id", "tokenizer.ggml.unknown_token_id");
  return config;
}

}  // namespace graft
