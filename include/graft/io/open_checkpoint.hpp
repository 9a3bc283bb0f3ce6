/// @file
/// @brief Opens whatever holds a model: a Hugging Face folder, a safetensors file or a GGUF file.
#pragma once

#include <graft/io/checkpoint.hpp>
#include <graft/io/mapped_file.hpp>

#include <filesystem>
#include <memory>

namespace graft {

namespace detail {

/// `open_checkpoint`; its body is in checkpoint_kinds.hpp.
template <class>
[[nodiscard]] std::shared_ptr<Checkpoint const> open_any_checkpoint(std::filesystem::path const& path,
                                                                    FileAccess access);
#ifdef GRAFT_COMPILED_IO
extern template std::shared_ptr<Checkpoint const> open_any_checkpoint<void>(std::filesystem::path const&, FileAccess);
#endif

}  // namespace detail

/// A folder is taken for Hugging Face's, a file that begins with "GGUF" or is named *.gguf
/// for GGUF, any other for safetensors. Throws FileError.
[[nodiscard]] inline std::shared_ptr<Checkpoint const> open_checkpoint(std::filesystem::path const& path,
                                                                       FileAccess access = FileAccess::map) {
  return detail::open_any_checkpoint<void>(path, access);
}

}  // namespace graft

#ifndef GRAFT_COMPILED_IO
#include <graft/io/checkpoint_kinds.hpp>
#endif
