/// @file
/// @brief Which base an adapter was made over, kept in its tensors' file: another base
/// of the same shape would take it and write other texts.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/io/base_configuration.hpp>
#include <graft/io/json.hpp>
#include <graft/io/safetensors.hpp>

namespace graft {

/// A base as adapter files name it: the hash of its weights (`Pretrained::weights_hash`), how its file stores them, and
/// what its configuration makes of them.
struct AdapterBase {
  std::string hash;     ///< 16 hexadecimal digits; empty if it is not known
  std::string storage;  ///< float32, bfloat16, Q8_0, …
  nlohmann::json configuration =
      nullptr;  ///< `base_configuration`; null if it is not known, as in adapters of earlier versions
};

/// How an adapter is loaded.
struct LoadOptions {
  bool any_base = false;  ///< over other weights or another configuration than it was made over, with a warning
};

namespace detail {

inline constexpr char const* base_hash_key = "graft_base_hash";
inline constexpr char const* base_storage_key = "graft_base_storage";
inline constexpr char const* base_configuration_key = "graft_base_configuration";

/// `__metadata__` of adapter_model.safetensors, where PEFT's folders have room too: PEFT reads nothing there.
[[nodiscard]] inline std::map<std::string, std::string> adapter_metadata(AdapterBase const& base) {
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  if (!base.hash.empty()) metadata.insert({{base_hash_key, base.hash}, {base_storage_key, base.storage}});
  if (base.configuration.is_object()) metadata.insert({base_configuration_key, base.configuration.dump()});
  return metadata;
}

template <class Pretrained>
[[nodiscard]] AdapterBase adapter_base(Pretrained const& base) {
  return {base.weights_hash(), base.storage, base_configuration(base.config())};
}

}  // namespace detail

/// The base that an adapter's file names; PEFT's own files name none. @throws FileError for a configuration that is no
/// JSON object
[[nodiscard]] inline AdapterBase adapter_base_of(SafetensorsFile const& file) {
  auto const value = [&](char const* key) {
    auto const found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  AdapterBase base{value(detail::base_hash_key), value(detail::base_storage_key), nullptr};
  if (std::string const text = value(detail::base_configuration_key); !text.empty()) {
    base.configuration = parse_json(text, file.path() + " " + detail::base_configuration_key);
    if (!base.configuration.is_object())
      fail<FileError>("[", file.path(), "] has a ", detail::base_configuration_key, " that is no JSON object; got ",
                      detail::json_excerpt(base.configuration), "; expected {…}");
  }
  return base;
}

namespace detail {

/// An adapter without a word of its base is taken as it is, and so is one of an earlier version without a word of its
/// configuration. One over a base of other weights is refused, but where the base is stored in another type (a
/// quantized one, say), whose weights must differ: then a warning says so. A type changes no configuration: another one
/// is refused in any case.
/// @throws FileError
template <class Pretrained>
void check_adapter_base(SafetensorsFile const& file, Pretrained const& base, LoadOptions const& options) {
  AdapterBase const made = adapter_base_of(file);
  AdapterBase const own = adapter_base(base);
  bool const weights = !made.hash.empty() && !own.hash.empty() && own.hash != made.hash;
  auto const configured = configured_difference(own.configuration, made.configuration);
  if (!weights && !configured) return;
  char const* const kind = !configured ? "other weights"
                           : weights   ? "other weights and of another configuration"
                                       : "another configuration";
  std::string what = cat("[", file.path(), "] was made over a base of ", kind, "; got ", base.source);
  if (weights) what += cat(" with the hash ", own.hash, " (", own.storage, ")");
  if (configured)
    what += cat(weights ? " and" : " with", " the ", configured->name, " ", json_excerpt(configured->got));
  what += "; expected ";
  if (weights) what += cat(printable(made.hash), " (", made.storage.empty() ? "unknown" : printable(made.storage), ")");
  if (configured) what += cat(weights ? " and " : "", json_excerpt(configured->other));
  if (options.any_base)
    warn(what, "; it is used all the same, as asked");
  else if (!configured && !made.storage.empty() && made.storage != own.storage)
    warn(what, "; that is right if this is the same model in another type, whose outputs differ a little");
  else
    fail<FileError>(what, "; hint: --any-base (LoadOptions::any_base) uses it all the same");
}

}  // namespace detail
}  // namespace graft
