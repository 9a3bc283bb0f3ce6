/// @file
/// @brief Typed access to the keys of a config.json.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <graft/io/json.hpp>
#include <graft/models/config.hpp>

namespace graft::detail {

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
    if (json.at(key).is_array()) return json.at(key).empty() ? -1 : json_as<Token>(where, key, json.at(key).at(0));  // Llama 3 lists several ends
    return json_at<Token>(where, json, key);
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

}  // namespace graft::detail
