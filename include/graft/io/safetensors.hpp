/// @file
/// @brief Reader of one safetensors file (https://github.com/huggingface/safetensors, "Format").
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/safetensors_header.hpp>
#include <graft/io/tensor_entry.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// An open safetensors file: 8 bytes header size, JSON header, the tensors' bytes. Everything the header claims is
/// checked at opening (FileError); the tensors themselves are neither copied nor touched.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(std::filesystem::path const& path, FileAccess access = FileAccess::map)
      : file_(MappedFile::open(path, access)) {
    std::string const& where = file_->path();
    if (file_->size() < 8)
      fail<FileError>("[", where, "] is cut short; got ", file_->size(),
                      " bytes; expected a safetensors file of at least 10");
    std::uint64_t header_size = 0;
    std::memcpy(&header_size, file_->data(), 8);
    if (header_size < 2 || header_size > detail::largest_safetensors_header) {
      fail<FileError>("[", where, "] is not a safetensors file; got a header of ", header_size, " bytes; expected 2 … ",
                      detail::largest_safetensors_header);
    }
    if (header_size > file_->size() - 8) {
      fail<FileError>("[", where, "] is cut short; got ", file_->size(), " bytes; expected a header of ", header_size,
                      " bytes after the first 8");
    }
    parse(file_->text().substr(8, static_cast<std::size_t>(header_size)));
  }

  /// The tensors, sorted by name.
  [[nodiscard]] std::vector<TensorEntry> const& entries() const noexcept { return entries_; }
  /// The tensor of that name, or null.
  [[nodiscard]] TensorEntry const* find(std::string_view name) const noexcept {
    auto const at = std::lower_bound(entries_.begin(), entries_.end(), name,
                                     [](TensorEntry const& entry, std::string_view key) { return entry.name < key; });
    return at != entries_.end() && at->name == name ? &*at : nullptr;
  }
  /// The tensor of that name; throws FileError if there is none.
  [[nodiscard]] TensorEntry const& at(std::string_view name) const {
    TensorEntry const* const entry = find(name);
    if (entry == nullptr)
      fail<FileError>("[", path(), "] lacks the tensor ", printable(name), "; it holds ", entries_.size(), " others");
    return *entry;
  }
  /// `__metadata__`, e.g. {"format": "pt"}.
  [[nodiscard]] std::map<std::string, std::string> const& metadata() const noexcept { return metadata_; }
  [[nodiscard]] std::string const& path() const noexcept { return file_->path(); }
  [[nodiscard]] std::shared_ptr<MappedFile const> const& file() const noexcept { return file_; }

 private:
  void parse(std::string_view text) {
    std::string const& where = file_->path();
    if (text.front() != '{')
      fail<FileError>("[", where, "] is not a safetensors file; got a header that begins with byte ",
                      static_cast<int>(text.front()), "; expected {");
    JsonLimits limits;
    limits.depth = 3;
    limits.token = std::size_t{8} << 20;
    std::size_t const objects = detail::check_json_limits(text, where, limits);
    detail::SafetensorsHeader header(where, std::min(objects, detail::most_safetensors_tensors));
    detail::read_json_events(text, header);
    std::uint64_t const data_size = file_->size() - 8 - text.size();
    detail::check_tiling(header, data_size, where);
    for (std::size_t i = 0; i < header.entries.size(); ++i) {
      header.entries[i].data = file_->data() + 8 + text.size() + header.offsets[i].first;
      header.entries[i].owner = file_;
    }
    entries_ = std::move(header.entries);
    metadata_ = std::move(header.metadata);
    std::sort(entries_.begin(), entries_.end(),
              [](TensorEntry const& a, TensorEntry const& b) { return a.name < b.name; });
    auto const twice = std::adjacent_find(entries_.begin(), entries_.end(),
                                          [](TensorEntry const& a, TensorEntry const& b) { return a.name == b.name; });
    if (twice != entries_.end())
      fail<FileError>("[", where, "] has the tensor ", printable(twice->name), " twice; expected it once");
  }

  std::shared_ptr<MappedFile const> file_;
  std::vector<TensorEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace graft
