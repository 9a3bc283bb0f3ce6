/// @file
/// @brief Each architecture's keys of a config.json: what `model_config` does, once in graft::compiled.
#pragma once

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include <graft/io/config_decoders.hpp>
#include <graft/io/config_encoders.hpp>
#include <graft/io/config_spelling.hpp>

namespace graft::detail {

/// `model_config`.
template <class>
[[nodiscard]] ModelConfig read_model_config(nlohmann::json const& json, std::string const& where) {
  std::string const type = json_at<std::string>(where, json, "model_type");
  if (std::find(model_types.begin(), model_types.end(), type) == model_types.end())
    fail<FileError>("[", where, "] has the model_type ", printable(type),
                    "; expected bart, bert, gpt2, llama, mistral, qwen2, roberta or t5");
  ConfigKeys const keys = config_keys(type);
  check_config_keys(json, where, keys, type);
  nlohmann::json const spelled = with_one_spelling(json, where, keys, type);
  ConfigReader const reader{where, spelled};
  ModelConfig config;
  if (type == "gpt2")
    config = gpt2_config(reader);
  else if (type == "t5")
    config = t5_config(reader);
  else if (type == "bart")
    config = bart_config(reader);
  else if (type == "bert" || type == "roberta")
    config = bert_config(reader, type);
  else
    config = llama_config(reader, type);
  if (config.architecture.empty()) config.architecture = type;
  config.vocabulary = reader.size("vocab_size");
  config.tied_head =
      type == "t5" || reader.get<bool>("tie_word_embeddings",
                                       type == "gpt2" || type == "bart");  // T5's is always tied to what the file has
  config.labels = label_count(reader, type == "bart" ? 3 : 2);
  config.bos = reader.token("bos_token_id");
  config.eos = reader.token("eos_token_id");
  config.pad = reader.token("pad_token_id");
  if (config.encoder) {
    config.decoder_start = reader.token("decoder_start_token_id");
    if (config.decoder_start < 0)
      config.decoder_start = type == "t5"                                     ? config.pad
                             : reader.json.contains("decoder_start_token_id") ? config.eos
                                                                              : 2;
    if (config.decoder_start < 0 || config.decoder_start >= config.vocabulary)
      fail<FileError>("[", where, "] has the decoder_start_token_id ", config.decoder_start, "; expected 0 to ",
                      config.vocabulary - 1);
    config.forced_bos = reader.token("forced_bos_token_id");
    config.forced_eos = reader.token("forced_eos_token_id");
  }
  return config;
}

}  // namespace graft::detail
