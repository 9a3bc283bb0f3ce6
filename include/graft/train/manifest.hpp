/// @file
/// @brief The list of a folder's files with their checksums: what says that a folder is whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <graft/core/checksum.hpp>
#include <graft/core/error.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/temporary.hpp>
#include <graft/text/printable.hpp>

namespace graft {

inline constexpr char const* manifest_name = "manifest.xxh64";

namespace detail {
[[nodiscard]] inline std::string manifest_line(std::filesystem::path const& folder, std::string const& name) {
  auto const file = MappedFile::open(folder / name);
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(checksum(file->data(), file->size())));
  return std::string(digits) + "  " + name + "\n";
}
}  // namespace detail

/// Lists all files of `folder` in its manifest, in the form of `xxhsum -H64`. To be written last.
inline void write_manifest(std::filesystem::path const& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto const& path : detail::folder_entries(folder, error))
    if (std::error_code missing; std::filesystem::is_regular_file(path, missing) && path.filename() != manifest_name)
      names.push_back(path.filename().string());
  if (error) fail<FileError>("[", detail::shown(folder), "] cannot be listed; got: ", error.message());
  std::sort(names.begin(), names.end());
  std::string text;
  for (auto const& name : names) text += detail::manifest_line(folder, name);
  write_file_atomic(folder / manifest_name, text);
}

/// @throws FileError, naming the file, unless every file of the manifest is there with its checksum, and `required` are
/// among them
inline void check_manifest(std::filesystem::path const& folder, std::vector<std::string> const& required) {
  auto const manifest = MappedFile::open(folder / manifest_name);
  std::string_view rest = manifest->text();
  std::vector<std::string> listed;
  while (!rest.empty()) {
    auto const end = rest.find('\n');
    std::string const line(rest.substr(0, end));
    if (end == std::string_view::npos || line.size() < 19 || line.find('/') != std::string::npos)
      fail<FileError>("[", manifest->path(), "] is malformed; expected lines of 16 digits, two spaces and a file name");
    listed.push_back(line.substr(18));
    if (printable_name(listed.back()) != listed.back())  // which no file of a checkpoint is called
      fail<FileError>("[", manifest->path(), "] is malformed; got the file name ", printable(listed.back()),
                      "; expected a plain one");
    if (detail::manifest_line(folder, listed.back()) != line + "\n")
      fail<FileError>("[", (folder / listed.back()).string(), "] is damaged; its checksum is not the one in ",
                      manifest_name);
    rest.remove_prefix(end + 1);
  }
  for (auto const& name : required)
    if (std::find(listed.begin(), listed.end(), name) == listed.end())
      fail<FileError>("[", manifest->path(), "] does not list ", name, "; expected a whole checkpoint");
}

}  // namespace graft
