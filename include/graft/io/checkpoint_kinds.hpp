/// @file
/// @brief Which kind of checkpoint a path is: what `open_checkpoint` does, once in graft::compiled.
#pragma once

#include <graft/core/presence.hpp>
#include <graft/io/checkpoint.hpp>
#include <graft/io/gguf_checkpoint.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/safetensors_checkpoint.hpp>

#include <filesystem>
#include <memory>

namespace graft::detail {

/// `open_checkpoint`.
template <class>
[[nodiscard]] std::shared_ptr<Checkpoint const> open_any_checkpoint(std::filesystem::path const& path,
                                                                    FileAccess access) {
  if (!is_folder(path) && (path.extension() == ".gguf" || MappedFile::open(path)->text().starts_with("GGUF"))) {
    return std::make_shared<GgufCheckpoint const>(path, access);
  }
  return std::make_shared<SafetensorsCheckpoint const>(path, access);
}

}  // namespace graft::detail
