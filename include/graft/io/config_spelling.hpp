/// @file
/// @brief The keys of one config.json against the table of its architecture, and one spelling for each.
#pragma once

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include <graft/core/warning.hpp>
#include <graft/io/config_keys.hpp>
#include <graft/io/json.hpp>

namespace graft::detail {

/// Refuses values of keys that ask for a computation that is not made here; says keys that are not known.
inline void check_config_keys(nlohmann::json const& json, std::string const& where, ConfigKeys const& table,
                              std::string const& type) {
  std::string unknown;
  for (auto const& [key, value] : json.items()) {
    auto const known = std::find_if(table.keys.begin(), table.keys.end(),
                                    [&name = key](ConfigKey const& k) { return k.name == name; });
    if (known == table.keys.end()) {
      bool const alias = std::any_of(table.aliases.begin(), table.aliases.end(),
                                     [&name = key](ConfigAlias const& a) { return a.alias == name; });
      if (!alias && !key.starts_with('_')) unknown += (unknown.empty() ? "" : ", ") + printable(key);
      continue;
    }
    if (known->use != ConfigKeyUse::one_value || value.is_null()) continue;
    auto const allowed = nlohmann::json::parse(known->allowed);
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
      fail<FileError>("[", where, "] sets ", printable(key), " to ", json_excerpt(value),
                      ", which graft does not compute for the model_type ", type, "; expected ",
                      allowed.empty() ? "null" : allowed.front().dump(), ", or no such key");
  }
  if (!unknown.empty())
    warn("[", where, "] has keys that are not known for the model_type ", type, " and have no effect; got ", unknown,
         "; hint: see \"Keys of config.json\" in the documentation");
}

/// The configuration under the names of the table: an alias takes the place of the key that it stands for, as in
/// transformers.
[[nodiscard]] inline nlohmann::json with_one_spelling(nlohmann::json json, std::string const& where,
                                                      ConfigKeys const& table, std::string const& type) {
  if (type == "t5" && (!json.contains("num_decoder_layers") || json.at("num_decoder_layers").is_null()))
    json["num_decoder_layers"] = json.contains("num_layers")
                                     ? json.at("num_layers")
                                     : nlohmann::json(6);  // transformers does so before it reads aliases
  for (auto const& [alias, name] : table.aliases) {
    std::string const other(alias), key(name);
    if (!json.contains(other)) continue;
    if (json.contains(key) && json.at(key) != json.at(other))
      warn("[", where, "] has ", key, " ", json_excerpt(json.at(key)), " and ", other, " ",
           json_excerpt(json.at(other)), "; ", other, " counts, as in transformers");
    json[key] = json.at(other);
  }
  return json;
}

}  // namespace graft::detail
