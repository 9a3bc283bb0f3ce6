/// @file
/// @brief How a checkpoint says that its texts are to be generated: generation_config.json,
/// else the keys of config.json that were its predecessor.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include <graft/core/presence.hpp>
#include <graft/io/generation_settings.hpp>
#include <graft/io/json.hpp>
#include <graft/models/config.hpp>

namespace graft {

namespace detail {

/// `generation_config` and `apply_generation_config`; their bodies are in generation_reader.hpp.
template <class>
[[nodiscard]] GenerationConfig read_generation_of(std::filesystem::path const& checkpoint,
                                                  nlohmann::json const& config);
template <class>
void complete_generation(ModelConfig& model, GenerationConfig const& generation);
#ifdef GRAFT_COMPILED_IO
extern template GenerationConfig read_generation_of<void>(std::filesystem::path const&, nlohmann::json const&);
extern template void complete_generation<void>(ModelConfig&, GenerationConfig const&);
#endif

}  // namespace detail

/// The generation configuration of a checkpoint whose configuration is `config`. A GGUF file has none but that.
/// @throws FileError for values of a wrong type
[[nodiscard]] inline GenerationConfig generation_config(std::filesystem::path const& checkpoint,
                                                        nlohmann::json const& config) {
  return detail::read_generation_of<void>(checkpoint, config);
}

/// The same for a program that has not opened the checkpoint.
[[nodiscard]] inline GenerationConfig generation_config(std::filesystem::path const& checkpoint) {
  auto const file = (is_folder(checkpoint) ? checkpoint : checkpoint.parent_path()) / "config.json";
  bool const read = checkpoint.extension() != ".gguf" && is_there(file);
  return generation_config(checkpoint, read ? read_json(file) : nlohmann::json::object());
}

/// What generation with a model needs of it: end tokens, forced tokens, and what its decoder begins with. Ids outside
/// the vocabulary, which could never come, are left out with a warning.
inline void apply_generation_config(ModelConfig& model, GenerationConfig const& generation) {
  detail::complete_generation<void>(model, generation);
}

}  // namespace graft

#ifndef GRAFT_COMPILED_IO
#include <graft/io/generation_reader.hpp>
#endif
