/// @file
/// @brief Every key of PEFT's adapter configurations, and what becomes of it: honoured, refused where it is set, or
/// without effect on a finished adapter.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/warning.hpp>
#include <graft/io/adapter_folder.hpp>

namespace graft::detail {

/// Whether a key asks for something: it is there and neither null, false nor empty.
[[nodiscard]] inline bool is_set(nlohmann::json const& config, char const* key) {
  auto const found = config.find(key);
  if (found == config.end() || found->is_null()) return false;
  if (found->is_boolean()) return found->get<bool>();
  return !((found->is_array() || found->is_object() || found->is_string()) && found->empty());
}

/// Whether a configuration leaves a key to PEFT's default.
[[nodiscard]] inline bool is_left_out(nlohmann::json const& config, char const* key) {
  auto const found = config.find(key);
  return found == config.end() || found->is_null();
}

/// Refuses what a configuration asks for and graft cannot honour.
inline void refuse_set(AdapterFolder const& folder, std::initializer_list<char const*> keys) {
  for (char const* key : keys)
    if (is_set(folder.config, key))
      fail<FileError>("[", folder.config_path, "] asks for ", key, ", which is not supported; got ",
                      json_excerpt(folder.config.at(key)), "; expected it unset");
}

/// The keys of one strategy's configurations beside those that all share.
struct PeftKeys {
  std::initializer_list<char const*> honoured;  ///< read, or held against the model
  std::initializer_list<char const*> refused;   ///< would change what the adapter computes
  std::initializer_list<char const*>
      without_effect;  ///< of training, of a start that is over, or written again in the tensors' shapes
};

/// Refuses the keys that cannot be honoured, by name. A key that is set and in none of the lists is said: a newer
/// PEFT may have given it a meaning.
/// @throws FileError
inline void check_peft_keys(AdapterFolder const& folder, PeftKeys const& keys) {
  static constexpr std::initializer_list<char const*> shared{"auto_mapping",   "base_model_name_or_path",
                                                             "inference_mode", "modules_to_save",
                                                             "peft_type",      "peft_version",
                                                             "revision",       "task_type"};
  refuse_set(folder, keys.refused);
  for (auto const& [key, value] : folder.config.items()) {
    auto const listed = [&name = key](std::initializer_list<char const*> list) {
      return std::find(list.begin(), list.end(), std::string_view(name)) != list.end();
    };
    if (listed(shared) || listed(keys.honoured) || listed(keys.refused) || listed(keys.without_effect) ||
        key.starts_with("graft_"))
      continue;
    if (is_set(folder.config, key.c_str()))
      warn("[", folder.config_path, "] has the key ", printable(key), ", which is unknown here; got ",
           json_excerpt(value), "; it is passed over; hint: does a newer PEFT compute something else with it?");
  }
}

}  // namespace graft::detail
