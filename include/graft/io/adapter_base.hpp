/// @file
/// @brief Which base an adapter was made over, kept in its tensors' file: another base
/// of the same shape would take it and write other texts.
#pragma once

#include <map>
#include <string>

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/io/safetensors.hpp>

namespace graft {

/// A base as adapter files name it: the hash of its weights (`Pretrained::weights_hash`) and how its file stores them.
struct AdapterBase {
  std::string hash;     ///< 16 hexadecimal digits; empty if it is not known
  std::string storage;  ///< float32, bfloat16, Q8_0, …
};

/// How an adapter is loaded.
struct LoadOptions {
  bool any_base = false;  ///< over other weights than it was made over, with a warning
};

namespace detail {

inline constexpr char const* base_hash_key = "graft_base_hash";
inline constexpr char const* base_storage_key = "graft_base_storage";

/// `__metadata__` of adapter_model.safetensors, where PEFT's folders have room too: PEFT reads nothing there.
[[nodiscard]] inline std::map<std::string, std::string> adapter_metadata(AdapterBase const& base) {
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  if (!base.hash.empty()) metadata.insert({{base_hash_key, base.hash}, {base_storage_key, base.storage}});
  return metadata;
}

template <class Pretrained>
[[nodiscard]] AdapterBase adapter_base(Pretrained const& base) {
  return {base.weights_hash(), base.storage};
}

}  // namespace detail

/// The base that an adapter's file names; PEFT's own files name none.
[[nodiscard]] inline AdapterBase adapter_base_of(SafetensorsFile const& file) {
  auto const value = [&](char const* key) {
    auto const found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  return {value(detail::base_hash_key), value(detail::base_storage_key)};
}

namespace detail {

/// An adapter without a word of its base is taken as it is. One over a base of other weights is refused, but where the base is stored in
/// another type (a quantized one, say), whose weights must differ: then a warning says so.
/// @throws FileError
template <class Pretrained>
void check_adapter_base(SafetensorsFile const& file, Pretrained const& base, LoadOptions const& options) {
  AdapterBase const made = adapter_base_of(file);
  if (made.hash.empty()) return;
  AdapterBase const own = adapter_base(base);
  if (own.hash.empty() || own.hash == made.hash) return;
  std::string const what =
      cat("[", file.path(), "] was made over a base of other weights; got ", base.source, " with the hash ", own.hash, " (", own.storage,
          "); expected ", printable(made.hash), " (", made.storage.empty() ? "unknown" : printable(made.storage), ")");
  if (options.any_base)
    warn(what, "; it is used all the same, as asked");
  else if (!made.storage.empty() && made.storage != own.storage)
    warn(what, "; that is right if this is the same model in another type, whose outputs differ a little");
  else
    fail<FileError>(what, "; hint: --any-base (LoadOptions::any_base) uses it all the same");
}

}  // namespace detail
}  // namespace graft
