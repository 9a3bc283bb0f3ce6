/// @file
/// @brief Whether an input is there: a path that the system cannot look at is not said to be missing.
#pragma once

#include <filesystem>
#include <system_error>

#include <graft/core/error.hpp>

namespace graft {

namespace detail {

[[nodiscard]] inline std::filesystem::file_type input_type(std::filesystem::path const& path) {
  std::error_code error;
  auto const type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::none)
    fail<FileError>("[", path.string(), "] cannot be looked at; got: ", error.message(),
                    "; expected a path that this program may read");
  return type;
}

}  // namespace detail

/// Whether a file or folder is there. @throws FileError where that cannot be told: a folder without permission, a read
/// error, a loop of links
[[nodiscard]] inline bool is_there(std::filesystem::path const& path) {
  return detail::input_type(path) != std::filesystem::file_type::not_found;
}
/// Whether it is a regular file. @throws FileError as `is_there`
[[nodiscard]] inline bool is_file(std::filesystem::path const& path) {
  return detail::input_type(path) == std::filesystem::file_type::regular;
}
/// Whether it is a folder. @throws FileError as `is_there`
[[nodiscard]] inline bool is_folder(std::filesystem::path const& path) {
  return detail::input_type(path) == std::filesystem::file_type::directory;
}

}  // namespace graft
