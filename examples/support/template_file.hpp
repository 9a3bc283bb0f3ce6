/// @file
/// @brief The template that an adapter was trained with, kept in its folder: generation needs the same separator.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <graft/data/template.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/json.hpp>

namespace support {

inline constexpr char const* template_file = "graft_template.json";

inline void save_template(std::filesystem::path const& folder, graft::Template const& form) {
  nlohmann::ordered_json const json{
      {"separator", form.separator}, {"target_prefix", form.target_prefix}, {"begin_token", form.begin_token}};
  graft::write_file_atomic(folder / template_file, json.dump(2) + "\n");
}

/// Nothing where the folder says nothing: PEFT's own adapters.
inline std::optional<graft::Template> load_template(std::filesystem::path const& folder) {
  auto const path = folder / template_file;
  if (std::error_code unreadable; !std::filesystem::exists(path, unreadable)) return std::nullopt;
  nlohmann::json const json = graft::read_json(path);
  graft::Template form;
  form.separator = graft::json_or(path.string(), json, "separator", form.separator);
  form.target_prefix = graft::json_or(path.string(), json, "target_prefix", form.target_prefix);
  form.begin_token = graft::json_or(path.string(), json, "begin_token", form.begin_token);
  return form;
}

}  // namespace support
