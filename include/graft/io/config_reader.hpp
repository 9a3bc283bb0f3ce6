/// @file
/// @brief Typed access to the keys of a config.json.
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <graft/io/json.hpp>
#include <graft/models/config.hpp>

namespace graft::detail {

/// A configuration with its file's name for messages. As in transformers, an absent key has its default, and null is
/// a value:
/// only keys that may be null (`optional_size`, `present`) take it.
struct ConfigReader {
  std::string where;
  nlohmann::json const& json;

  [[nodiscard]] Index size(std::string const& key) const {
    return checked(key, static_cast<Index>(json_at<std::int64_t>(where, json, key)));
  }
  /// An absent key takes the fallback.
  [[nodiscard]] Index size(std::string const& key, Index fallback) const {
    return json.contains(key) ? size(key) : fallback;
  }
  /// A size of at most `most`, which is far above any model's: what it multiplies is made before a tensor's shape
  /// can contradict it.
  [[nodiscard]] Index size_up_to(std::string const& key, Index fallback, Index most) const {
    Index const value = size(key, fallback);
    if (value > most)
      fail<FileError>("[", where, "] has an impossible ", key, "; got ", value, "; expected at most ", most);
    return value;
  }
  [[nodiscard]] Index layers(std::string const& key, Index fallback) const {
    return size_up_to(key, fallback, Index{1} << 14);
  }
  /// Nothing for an absent key and for null.
  [[nodiscard]] std::optional<Index> optional_size(std::string const& key) const {
    return present(key) ? std::optional(size(key)) : std::nullopt;
  }
  [[nodiscard]] Token token(std::string const& key) const {
    if (!present(key)) return -1;
    // Llama 3 lists several ends
    if (json.at(key).is_array()) return json.at(key).empty() ? -1 : json_as<Token>(where, key, json.at(key).at(0));
    return json_at<Token>(where, json, key);
  }
  /// An absent key takes the fallback.
  template <class T>
  [[nodiscard]] T get(std::string const& key, T fallback) const {
    return json.contains(key) ? json_at<T>(where, json, key) : fallback;
  }
  /// A switch that may be null, which is false.
  [[nodiscard]] bool flag(std::string const& key, bool fallback) const {
    return json.contains(key) && json.at(key).is_null() ? false : get(key, fallback);
  }
  /// What is added to a variance before the root of it: 0 or more.
  [[nodiscard]] double epsilon(std::string const& key, double fallback) const {
    double const value = get(key, fallback);
    if (!(value >= 0 && std::isfinite(value)))
      fail<FileError>("[", where, "] has the ", key, " ", value, "; expected 0 or more");
    return value;
  }
  [[nodiscard]] Activation activation(std::string const& key, std::string const& fallback) const {
    return activation_named(key, get<std::string>(key, fallback));
  }
  [[nodiscard]] Activation activation_named(std::string const& key, std::string const& name) const {
    auto const found = find_activation(name);
    if (!found) fail<FileError>("[", where, "] has the ", key, " ", printable(name), "; expected ", activation_names);
    return *found;
  }
  /// Whether a key is there and not null.
  [[nodiscard]] bool present(std::string const& key) const { return json.contains(key) && !json.at(key).is_null(); }

 private:
  [[nodiscard]] Index checked(std::string const& key, Index value) const {
    if (value < 1 || value > (Index{1} << 31))
      fail<FileError>("[", where, "] has an impossible ", key, "; got ", value, "; expected a positive size");
    return value;
  }
};

}  // namespace graft::detail
