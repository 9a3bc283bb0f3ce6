/// @file
/// @brief GGUF models in several files, `NAME-00001-of-0000N.gguf` (llama.cpp's gguf-split), opened as one.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/io/gguf.hpp>
#include <graft/io/gguf_parts.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace graft {

/// The file and, where it is the first part of a split model, the tensors of all other parts, which lie beside it. The
/// metadata is the first part's. Throws FileError for a part that is missing, is not the first, or belongs to another
/// split.
[[nodiscard]] inline GgufFile open_gguf(std::filesystem::path const& path, FileAccess access = FileAccess::map) {
  GgufFile file(path, access);
  std::int64_t const count = file.get<std::int64_t>("split.count").value_or(1);
  if (count < 2) return file;
  std::string const where = file.path();
  auto const names = gguf_parts(where);
  std::int64_t const first = file.get<std::int64_t>("split.no").value_or(0);
  if (first != 0 || static_cast<std::int64_t>(names.size()) != count)
    fail<FileError>("[", where, "] is part ", first + 1, " of a model in ", count,
                    " files; expected the first part, named …", detail::gguf_part_ending(1, count));
  auto const total = file.get<std::int64_t>("split.tensors.count");
  for (std::int64_t number = 2; number <= count; ++number) {
    std::string const& other = names[static_cast<std::size_t>(number) - 1];
    if (!is_there(other))
      fail<FileError>("[", where, "] lacks its part ", printable(other), "; expected all ", count,
                      " beside each other");
    GgufFile part(other, access);
    std::int64_t const parts = part.get<std::int64_t>("split.count").value_or(1);
    std::int64_t const stated = part.get<std::int64_t>("split.no").value_or(0) + 1;
    if (parts != count || stated != number || part.get<std::int64_t>("split.tensors.count") != total)
      fail<FileError>("[", other, "] is part ", stated, " of ", parts, " of another split; expected part ", number,
                      " of ", count, " of ", where);
    file.join(std::move(part));
  }
  if (total && *total != static_cast<std::int64_t>(file.tensors().size()))
    fail<FileError>("[", where, "] and its parts hold ", file.tensors().size(), " tensors; expected ", *total,
                    ", as split.tensors.count has it");
  return file;
}

}  // namespace graft
