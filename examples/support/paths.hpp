/// @file
/// @brief Outputs that would take the place of what the same run reads, or of another output.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <graft/text/printable.hpp>

#include "support/program.hpp"

namespace support {

/// An option and its path; an empty path is none.
struct NamedPath {
  char const* option;
  std::string path;
};

/// Whether two paths lead to one file or folder, or will.
[[nodiscard]] inline bool same_place(std::filesystem::path const& a, std::filesystem::path const& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error) && !error) return true;
  auto const left = std::filesystem::weakly_canonical(a, error), right = std::filesystem::weakly_canonical(b, error);
  return !left.empty() && left == right;
}

/// Whether `output` is a file that stands in the folder `input` already.
[[nodiscard]] inline bool replaces_within(std::filesystem::path const& output, std::filesystem::path const& input) {
  std::error_code error;
  return std::filesystem::is_regular_file(output, error) && std::filesystem::is_directory(input, error) &&
         same_place(output.has_parent_path() ? output.parent_path() : std::filesystem::path("."), input);
}

/// A free name beside a path for what must not take its place: `path.interrupted`, `path.interrupted.2`, …; where a
/// link leads to a file, beside that.
[[nodiscard]] inline std::string free_name_beside(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::error_code failed;
  if (std::filesystem::is_symlink(path, failed) && std::filesystem::is_regular_file(path, failed))
    path = std::filesystem::canonical(path, failed).string();
  path += ".interrupted";
  std::string name = path;
  std::error_code error;
  for (int number = 2; std::filesystem::symlink_status(name, error).type() != std::filesystem::file_type::not_found;
       ++number)
    name = path + "." + std::to_string(number);
  return name;
}

/// Whether a path leads to what can be read once: a pipe, a FIFO, a terminal.
[[nodiscard]] inline bool is_stream(std::filesystem::path const& path) {
  std::error_code error;
  auto const type = std::filesystem::status(path, error).type();
  return !error && (type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::character ||
                    type == std::filesystem::file_type::socket);
}

/// Whether two paths lead to one stream, which std::filesystem::equivalent does not tell.
[[nodiscard]] inline bool same_stream(std::filesystem::path const& one, std::filesystem::path const& other) {
  struct stat first{}, second{};
  return is_stream(one) && stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// @throws UsageError for a stream that two options name: the second would find it empty
inline void check_streams(std::vector<NamedPath> const& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!inputs[i].path.empty() && same_stream(inputs[i].path, inputs[j].path))
        throw UsageError(std::string(inputs[i].option) + " names the stream that " + inputs[j].option +
                         " reads, which can be read once: " + inputs[i].path + "; expected a file");
}

/// Whether `inner` lies in the folder `outer`, or will.
[[nodiscard]] inline bool lies_in(std::filesystem::path const& inner, std::filesystem::path const& outer) {
  auto const place = [](std::filesystem::path const& path) {
    std::error_code error;
    auto const at = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    return at.has_filename() ? at : at.parent_path();
  };
  auto const folder = place(outer);
  for (auto at = place(inner); at != at.parent_path();) {
    at = at.parent_path();
    if (at == folder) return true;
  }
  return false;
}

/// @throws UsageError for an output called - (a name that means standard output elsewhere), and for one with a name
/// that graft gives its own temporaries and locks, which it removes
inline void check_names(std::vector<NamedPath> const& outputs) {
  for (auto const& [option, path] : outputs) {
    if (path == "-")
      throw UsageError(std::string(option) +
                       " got -, which is no name of standard output here; expected a path; hint: /dev/stdout for a " +
                       "file's text, ./- for a file or folder of that name");
    for (auto const& part : std::filesystem::path(path))
      for (char const* own : {".graft-tmp-", ".graft-lock", ".graft-swap-"})
        if (part.string().starts_with(own))
          throw UsageError(std::string(option) + " got " + graft::printable(path) + ", and names with " + own +
                           " are graft's own, of locks and of what is being written; expected another name");
  }
}

/// @throws UsageError for a folder of checkpoints in the adapter's, which is replaced as a whole, or the other way
/// round
inline void check_not_nested(NamedPath const& one, NamedPath const& other) {
  if (one.path.empty() || other.path.empty()) return;
  for (auto const& [inner, outer] : {std::pair(&one, &other), std::pair(&other, &one)})
    if (lies_in(inner->path, outer->path))
      throw UsageError(std::string(inner->option) + " lies in the folder of " + outer->option + ": " + inner->path +
                       "; expected folders beside each other");
}

/// @throws UsageError for an output in the place of an input, or of another output, for an input stream of two options,
/// and for a name that `check_names` refuses
inline void check_apart(std::vector<NamedPath> const& inputs, std::vector<NamedPath> const& outputs) {
  check_streams(inputs), check_names(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto const& [option, path] = outputs[i];
    if (path.empty() || path.starts_with("/dev/") || path.starts_with("/proc/")) continue;
    auto const refuse = [&](NamedPath const& other) {
      throw UsageError(std::string(option) + " would take the place of " + other.option + ": " + path +
                       "; choose another name");
    };
    for (auto const& input : inputs)
      if (!input.path.empty() && (same_place(path, input.path) || replaces_within(path, input.path))) refuse(input);
    for (std::size_t j = 0; j < i; ++j)
      if (!outputs[j].path.empty() && (same_place(path, outputs[j].path) || replaces_within(path, outputs[j].path)))
        refuse(outputs[j]);
  }
}

}  // namespace support
