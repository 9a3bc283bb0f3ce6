/// @file
/// @brief JSON out of untrusted files: limits are checked before anything is allocated, and errors name file and key.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/mapped_file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef GRAFT_COMPILED_IO
extern template class nlohmann::basic_json<>;
#endif

namespace graft {

/// What a JSON text may cost. Memory of a parsed text is about 100 bytes a value plus the text.
struct JsonLimits {
  std::size_t depth = 64;                      ///< nested objects and arrays
  std::size_t bytes = std::size_t{256} << 20;  ///< whole text
  std::size_t token = std::size_t{16} << 20;   ///< longest string or number
  std::size_t values = std::size_t{16} << 20;  ///< scalars, objects, arrays and keys
  bool unique_keys = false;                    ///< refuse a key given twice in an object (Python keeps the last)
};

namespace detail {

/// Refuses a text beyond the limits in one pass that allocates nothing; returns the number of objects in it.
inline std::size_t check_json_limits(std::string_view text, std::string const& where, JsonLimits const& limits) {
  if (text.size() > limits.bytes)
    fail<FileError>("[", where, "] is too large for JSON; got ", text.size(), " bytes; expected at most ",
                    limits.bytes);
  std::size_t depth = 0, values = 1, objects = 0, token = 0;
  bool quoted = false, escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (c == '\0')
      fail<FileError>("[", where, "] is not JSON; got a zero byte at offset ", i);  // parsers take it for the end
    bool structural = false;
    if (quoted) {
      if (c == '"' && !escaped) quoted = false;
      escaped = c == '\\' && !escaped;
    } else {
      quoted = c == '"';
      structural = c == ',' || c == ':' || c == '{' || c == '[' || c == '}' || c == ']' || c == ' ' || c == '\n' ||
                   c == '\r' || c == '\t';
      if (c == '{' || c == '[') {
        objects += c == '{';
        if (++depth > limits.depth)
          fail<FileError>("[", where, "] nests JSON too deeply at offset ", i, "; expected at most ", limits.depth,
                          " levels");
      } else if ((c == '}' || c == ']') && depth > 0) {
        --depth;
      }
      values += c == ',' || c == ':' || c == '{' || c == '[';
    }
    token = structural ? 0 : token + 1;
    if (token > limits.token)
      fail<FileError>("[", where, "] holds a JSON string or number of more than ", limits.token, " bytes at offset ",
                      i - token + 1);
    if (values > limits.values)
      fail<FileError>("[", where, "] holds too many JSON values; expected at most ", limits.values);
  }
  return objects;
}

/// Parser callback that throws at a key's second use in an object.
class UniqueKeys {
 public:
  explicit UniqueKeys(std::string const& where) : where_(where) {}
  bool operator()(int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(parsed.get_ref<std::string const&>()).second) {
      fail<FileError>("[", where_, "] has the key ", printable(parsed.get_ref<std::string const&>()),
                      " twice in one object; expected it once");
    }
    return true;
  }

 private:
  std::string const& where_;
  std::vector<std::set<std::string>> keys_;
};

/// What a nlohmann exception says, in words of our own.
[[nodiscard]] inline std::string json_reason(std::exception const& error) {
  if (auto const* const parse = dynamic_cast<nlohmann::json::parse_error const*>(&error))
    return cat("text that JSON does not allow at byte ", parse->byte, " (counted from 1)");
  if (dynamic_cast<nlohmann::json::out_of_range const*>(&error)) return "a number that no machine type holds";
  return "something that is no JSON";
}

/// `parse_json`, once in graft::compiled.
template <class Json = nlohmann::json>
[[nodiscard]] Json parse_within_limits(std::string_view text, std::string const& where, JsonLimits const& limits) {
  check_json_limits(text, where, limits);
  try {
    if (!limits.unique_keys) return Json::parse(text.begin(), text.end());
    UniqueKeys unique(where);
    return Json::parse(text.begin(), text.end(), std::ref(unique));
  } catch (typename Json::exception const& error) {
    fail<FileError>("[", where, "] is not valid JSON; got: ", json_reason(error));
  }
}

/// Hands a text's events to their reader, once in graft::compiled for all readers.
template <class Json = nlohmann::json>
void read_json_events(std::string_view text, typename Json::json_sax_t& reader) {
  Json::sax_parse(text.begin(), text.end(), &reader);
}

#ifdef GRAFT_COMPILED_IO
extern template nlohmann::json parse_within_limits(std::string_view, std::string const&, JsonLimits const&);
extern template void read_json_events(std::string_view, nlohmann::json::json_sax_t&);
#endif

}  // namespace detail

/// Parses a JSON text; `where` (the file) begins every message. Throws FileError on malformed text or text beyond the
/// limits.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text, std::string const& where,
                                               JsonLimits const& limits = {}) {
  return detail::parse_within_limits(text, where, limits);
}

/// Reads and parses a JSON file.
[[nodiscard]] inline nlohmann::json read_json(std::filesystem::path const& path, JsonLimits const& limits = {}) {
  auto const file = MappedFile::open(path, FileAccess::map);
  return parse_json(file->text(), file->path(), limits);
}

namespace detail {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
[[nodiscard]] constexpr char const* json_kind() {
  if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_integral_v<T>)
    return "an integer";
  else if constexpr (std::is_floating_point_v<T>)
    return "a number";
  else if constexpr (std::is_same_v<T, std::string>)
    return "a string";
  else if constexpr (IsVector<T>::value)
    return "an array";
  else
    return "an object or another value";
}

/// The first bytes of a value's text, without building all of it.
[[nodiscard]] inline std::string json_excerpt(nlohmann::json const& value) {
  if (value.is_object()) return cat("an object of ", value.size(), " keys");
  if (value.is_array()) return cat("an array of ", value.size(), " values");
  if (value.is_string()) return printable(value.get_ref<std::string const&>());
  return value.dump();
}

template <class T>
[[nodiscard]] bool json_fits(nlohmann::json const& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value.is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    if (value.is_number_unsigned()) return std::in_range<T>(value.get<std::uint64_t>());
    return value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  } else if constexpr (std::is_floating_point_v<T>) {
    return value.is_number();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value.is_string();
  } else if constexpr (IsVector<T>::value) {
    return value.is_array() && std::all_of(value.begin(), value.end(),
                                           [](auto const& item) { return json_fits<typename T::value_type>(item); });
  } else {
    return std::is_same_v<T, nlohmann::json>;
  }
}

}  // namespace detail

/// `value`, which stands at `key` of the file `where`, as the T that `json_at` takes. Throws
/// FileError if it is of another type or out of T's range.
template <class T>
[[nodiscard]] T json_as(std::string const& where, std::string const& key, nlohmann::json const& value) {
  if (!detail::json_fits<T>(value)) {
    fail<FileError>("[", where, "] has a wrong value at the key ", printable(key), "; got ",
                    detail::json_excerpt(value), "; expected ", detail::json_kind<T>(),
                    std::is_integral_v<T> && !std::is_same_v<T, bool> ? " in range" : "");
  }
  return value.template get<T>();
}

/// `object[key]` as bool, integer, floating-point number, std::string, std::vector of these, or nlohmann::json. Throws
/// FileError that names `where` and the key if it is missing, of another type, or out of T's range; numbers are never
/// narrowed.
template <class T>
[[nodiscard]] T json_at(std::string const& where, nlohmann::json const& object, std::string const& key) {
  if (!object.is_object())
    fail<FileError>("[", where, "] expected an object with the key ", printable(key), "; got ",
                    detail::json_excerpt(object));
  auto const found = object.find(key);
  if (found == object.end())
    fail<FileError>("[", where, "] lacks the key ", printable(key), "; expected ", detail::json_kind<T>());
  return json_as<T>(where, key, *found);
}

/// Like json_at, but `fallback` where the key is missing or null (Hugging Face configurations write null for
/// "default").
template <class T>
[[nodiscard]] T json_or(std::string const& where, nlohmann::json const& object, std::string const& key, T fallback) {
  if (!object.is_object())
    fail<FileError>("[", where, "] expected an object with the key ", printable(key), "; got ",
                    detail::json_excerpt(object));
  auto const found = object.find(key);
  if (found == object.end() || found->is_null()) return fallback;
  return json_at<T>(where, object, key);
}

}  // namespace graft
