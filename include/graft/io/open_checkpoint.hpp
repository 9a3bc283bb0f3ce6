/// @file
/// @brief Opens whatever holds a model: a Hugging Face folder, a safetensors file or a GGUF file.
#pragma once

#include <graft/core/presence.hpp>
#include <graft/io/checkpoint.hpp>
#include <graft/io/gguf_checkpoint.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/safetensors_checkpoint.hpp>

#include <filesystem>
#include <memory>

namespace graft {

namespace detail {

/// `open_checkpoint`, once in graft::compiled.
template <class = void>
[[nodiscard]] std::shared_ptr<Checkpoint const> open_any_checkpoint(std::filesystem::path const& path, FileAccess access) {
  if (!is_folder(path) && (path.extension() == ".gguf" || MappedFile::open(path)->text().starts_with("GGUF"))) {
    return std::make_shared<GgufCheckpoint const>(path, access);
  }
  return std::make_shared<SafetensorsCheckpoint const>(path, access);
}
#ifdef GRAFT_COMPILED_IO
extern template std::shared_ptr<Checkpoint const> open_any_checkpoint<>(std::filesystem::path const&, FileAccess);
#endif

}  // namespace detail

/// A folder is taken for Hugging Face's, a file that begins with "GGUF" or is named *.gguf
/// for GGUF, any other for safetensors. Throws FileError.
[[nodiscard]] inline std::shared_ptr<Checkpoint const> open_checkpoint(std::filesystem::path const& path,
                                                                       FileAccess access = FileAccess::map) {
  return detail::open_any_checkpoint(path, access);
}

}  // namespace graft
