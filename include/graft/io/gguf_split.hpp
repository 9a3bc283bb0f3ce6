/// @file
/// @brief GGUF models in several files, `NAME-00001-of-0000N.gguf` (llama.cpp's gguf-split), opened as one.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/io/gguf.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// "-00002-of-00005.gguf"
[[nodiscard]] inline std::string gguf_part_ending(std::int64_t number, std::int64_t count) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05lld-of-%05lld.gguf", static_cast<long long>(number), static_cast<long long>(count));
  return text;
}

}  // namespace detail

/// The files of a model whose first part has this name, in order; the path alone where it is named otherwise. No file is looked at.
[[nodiscard]] inline std::vector<std::string> gguf_parts(std::string const& path) {
  static constexpr std::string_view middle = "-00001-of-";
  auto const at = path.rfind(middle);
  int count = 0;
  if (at != std::string::npos) std::from_chars(path.data() + at + middle.size(), path.data() + path.size(), count);
  if (count < 2 || count > 99999 || !path.ends_with(detail::gguf_part_ending(1, count))) return {path};
  std::vector<std::string> parts;
  for (int number = 1; number <= count; ++number) parts.push_back(path.substr(0, at) + detail::gguf_part_ending(number, count));
  return parts;
}

/// The file and, where it is the first part of a split model, the tensors of all other parts, which lie beside it. The metadata is the
/// first part's. Throws FileError for a part that is missing, is not the first, or belongs to another split.
[[nodiscard]] inline GgufFile open_gguf(std::filesystem::path const& path, FileAccess access = FileAccess::map) {
  GgufFile file(path, access);
  std::int64_t const count = file.get<std::int64_t>("split.count").value_or(1);
  if (count < 2) return file;
  std::string const where = file.path();
  auto const names = gguf_parts(where);
  std::int64_t const first = file.get<std::int64_t>("split.no").value_or(0);
  if (first != 0 || static_cast<std::int64_t>(names.size()) != count)
    fail<FileError>("[", where, "] is part ", first + 1, " of a model in ", count, " files; expected the first part, named …",
                    detail::gguf_part_ending(1, count));
  auto const total = file.get<std::int64_t>("split.tensors.count");
  for (std::int64_t number = 2; number <= count; ++number) {
    std::string const& other = names[static_cast<std::size_t>(number) - 1];
    if (!is_there(other))
      fail<FileError>("[", where, "] lacks its part ", printable(other), "; expected all ", count, " beside each other");
    GgufFile part(other, access);
    std::int64_t const parts = part.get<std::int64_t>("split.count").value_or(1);
    std::int64_t const stated = part.get<std::int64_t>("split.no").value_or(0) + 1;
    if (parts != count || stated != number || part.get<std::int64_t>("split.tensors.count") != total)
      fail<FileError>("[", other, "] is part ", stated, " of ", parts, " of another split; expected part ", number, " of ",
                      count, " of ", where);
    file.join(std::move(part));
  }
  if (total && *total != static_cast<std::int64_t>(file.tensors().size()))
    fail<FileError>("[", where, "] and its parts hold ", file.tensors().size(), " tensors; expected ", *total,
                    ", as split.tensors.count has it");
  return file;
}

}  // namespace graft
