/// @file
/// @brief Hugging Face's config.json as a `ModelConfig`, in its old and new spellings.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <graft/models/config.hpp>

namespace graft {

namespace detail {

/// `model_config`; its body is in read_model_config.hpp.
template <class>
[[nodiscard]] ModelConfig read_model_config(nlohmann::json const& json, std::string const& where);
#ifdef GRAFT_COMPILED_IO
extern template ModelConfig read_model_config<void>(nlohmann::json const&, std::string const&);
#endif

}  // namespace detail

/// The model that a configuration describes. Throws `FileError` for an unknown model_type and for sizes that
/// contradict each other.
[[nodiscard]] inline ModelConfig model_config(nlohmann::json const& json, std::string const& where) {
  return detail::read_model_config<void>(json, where);
}

}  // namespace graft

#ifndef GRAFT_COMPILED_IO
#include <graft/io/read_model_config.hpp>
#endif
