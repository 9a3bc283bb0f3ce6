/// @file
/// @brief A folder of GGUF files where a Hugging Face folder is expected.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include <graft/core/error.hpp>
#include <graft/io/gguf_parts.hpp>
#include <graft/text/printable.hpp>

namespace graft::detail {

/// For the error about a folder that holds no model or no tokenizer: a hint that names a GGUF file in it, of a model in
/// parts the first; empty where it has none.
[[nodiscard]] inline std::string gguf_hint(std::filesystem::path const& folder) {
  std::string first;  // by name, which numbers the parts
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::string const name = entry->path().filename().string();
    if (entry->path().extension() == ".gguf" && (first.empty() || name < first)) first = name;
  }
  if (first.empty()) return "";
  bool const parts = gguf_parts(first).size() > 1;
  return cat("; hint: a GGUF model is given by its file, here ", printable_name(first),
             parts ? ", the first of its parts" : "");
}

}  // namespace graft::detail
