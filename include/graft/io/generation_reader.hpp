/// @file
/// @brief How a generation_config.json becomes a `GenerationConfig` and part of a model's configuration, once in
/// graft::compiled.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/presence.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/generation_keys.hpp>
#include <graft/io/generation_settings.hpp>
#include <graft/io/json.hpp>
#include <graft/models/config.hpp>

namespace graft::detail {

/// Typed access to the keys of one file.
class GenerationReader {
 public:
  GenerationReader(nlohmann::json const& json, std::string const& where) : json_(json), where_(where) {
    if (!json.is_object()) fail<FileError>("[", where, "] holds ", json_excerpt(json), "; expected an object");
  }
  [[nodiscard]] bool has(char const* key) const { return json_.contains(key) && !json_.at(key).is_null(); }
  template <class T>
  [[nodiscard]] std::optional<T> get(char const* key) const {
    if (!has(key)) return std::nullopt;
    return json_at<T>(where_, json_, key);
  }
  /// One id, or a list of them.
  [[nodiscard]] std::vector<Token> tokens(char const* key) const {
    if (!has(key)) return {};
    if (json_.at(key).is_array()) return json_at<std::vector<Token>>(where_, json_, key);
    return {json_at<Token>(where_, json_, key)};
  }
  /// One id, or a list of one.
  [[nodiscard]] std::optional<Token> token(char const* key) const {
    auto const all = tokens(key);
    if (all.size() > 1)
      fail<FileError>("[", where_, "] has several ids at the key ", key,
                      "; expected one; hint: keep the one that is meant");
    return all.empty() ? std::nullopt : std::optional(all.front());
  }
  [[nodiscard]] std::optional<std::string> early_stopping() const {
    if (!has("early_stopping")) return std::nullopt;
    auto const& value = *json_.find("early_stopping");
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value != "never")
      fail<FileError>("[", where_, "] has a wrong value at the key early_stopping; got ", json_excerpt(value),
                      "; expected true, false or \"never\"");
    return "never";
  }
  void collect_others(GenerationConfig& config) const {
    for (auto const& [key, value] : json_.items())
      if (config.own_file && !is_known_generation_key(key)) config.unknown.push_back(key);
    for (auto const& key : refused_generation_keys)
      if (has(key.name) && !key.neutral(json_.at(key.name)))
        config.refused.push_back({key.name, json_excerpt(json_.at(key.name)), key.matters});
  }

 private:
  nlohmann::json const& json_;
  std::string const& where_;
};

/// `generation_config` of a parsed file.
template <class>
[[nodiscard]] GenerationConfig read_generation_config(nlohmann::json const& json, std::string const& where,
                                                      bool own_file) {
  GenerationReader const reader(json, where);
  GenerationConfig config;
  config.where = where, config.own_file = own_file;
  config.ends = reader.tokens("eos_token_id");
  config.bos = reader.token("bos_token_id"), config.decoder_start = reader.token("decoder_start_token_id");
  config.forced_bos = reader.token("forced_bos_token_id"), config.forced_eos = reader.token("forced_eos_token_id");
  if (!own_file && !config.forced_bos && reader.get<bool>("force_bos_token_to_be_generated").value_or(false))
    config.forced_bos = config.bos;
  config.max_length = reader.get<Index>("max_length"), config.max_new_tokens = reader.get<Index>("max_new_tokens");
  config.min_length = reader.get<Index>("min_length"), config.min_new_tokens = reader.get<Index>("min_new_tokens");
  config.do_sample = reader.get<bool>("do_sample");
  config.beams = reader.get<Index>("num_beams"), config.sequences = reader.get<Index>("num_return_sequences");
  config.top_k = reader.get<Index>("top_k"), config.no_repeat_ngram = reader.get<Index>("no_repeat_ngram_size");
  config.temperature = reader.get<double>("temperature"), config.top_p = reader.get<double>("top_p"),
  config.min_p = reader.get<double>("min_p");
  config.repetition_penalty = reader.get<double>("repetition_penalty"),
  config.length_penalty = reader.get<double>("length_penalty");
  config.early_stopping = reader.early_stopping();
  if (auto words = reader.get<std::vector<std::vector<Token>>>("bad_words_ids")) config.bad_words = std::move(*words);
  config.suppressed = reader.tokens("suppress_tokens"),
  config.first_suppressed = reader.tokens("begin_suppress_tokens");
  config.renormalise = reader.get<bool>("renormalize_logits").value_or(false);
  reader.collect_others(config);
  return config;
}
/// `generation_config`.
template <class>
[[nodiscard]] GenerationConfig read_generation_of(std::filesystem::path const& checkpoint,
                                                  nlohmann::json const& config) {
  auto const folder = is_folder(checkpoint) ? checkpoint : checkpoint.parent_path();
  auto const file = folder / "generation_config.json";
  if (checkpoint.extension() != ".gguf" && is_there(file))
    return read_generation_config<void>(read_json(file), file.string(), true);
  return read_generation_config<void>(
      config, checkpoint.extension() == ".gguf" ? checkpoint.string() : (folder / "config.json").string(), false);
}

/// `apply_generation_config`.
template <class>
void complete_generation(ModelConfig& model, GenerationConfig const& generation) {
  auto const fits = [&](Token token, char const* key) {
    if (token >= 0 && token < model.vocabulary) return true;
    warn("[", generation.where, "] has the id ", token, " at the key ", key, ", which is left out; expected 0 to ",
         model.vocabulary - 1);
    return false;
  };
  auto const token = [&](std::optional<Token> one, char const* key) {
    return one && fits(*one, key) ? *one : Token{-1};
  };
  model.ends.clear();
  for (Token end : generation.ends)
    if (fits(end, "eos_token_id")) model.ends.push_back(end);
  model.forced_bos = token(generation.forced_bos, "forced_bos_token_id");
  model.forced_eos = token(generation.forced_eos, "forced_eos_token_id");
  if (!model.encoder) return;
  auto const start = token(generation.decoder_start ? generation.decoder_start : generation.bos,
                           generation.decoder_start ? "decoder_start_token_id" : "bos_token_id");
  model.generation_start = start == model.decoder_start ? Token{-1} : start;
}

}  // namespace graft::detail
