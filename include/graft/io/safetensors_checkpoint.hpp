/// @file
/// @brief Checkpoints in safetensors: one file, or a Hugging Face folder (sharded or not).
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/io/checkpoint.hpp>
#include <graft/io/gguf_in_folder.hpp>
#include <graft/io/json.hpp>
#include <graft/io/safetensors.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// The file an index names; it must lie in the folder itself, so that an index cannot make a program read anything
/// else. The one way out is the Hugging Face cache's own: `snapshots/<revision>/` links into `blobs/` beside
/// `snapshots/`.
[[nodiscard]] inline std::filesystem::path shard_path(std::filesystem::path const& folder, std::string const& name,
                                                      std::string const& index) {
  bool const plain = !name.empty() && name != "." && name != ".." &&
                     name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!plain)
    fail<FileError>("[", index, "] names the shard ", printable(name), "; expected a plain file name without folders");
  std::error_code error;
  auto const home = std::filesystem::canonical(folder, error);
  auto const file = std::filesystem::canonical(folder / name, error);
  if (error && error != std::errc::no_such_file_or_directory)
    fail<FileError>("[", index, "] names the shard ", printable(name),
                    ", which cannot be looked at; got: ", error.message(), "; expected a readable file in ",
                    folder.string());
  if (error) fail<FileError>("[", index, "] names the shard ", printable(name), ", which is not in ", folder.string());
  bool const into_blobs =
      home.parent_path().filename() == "snapshots" && file.parent_path() == home.parent_path().parent_path() / "blobs";
  if (file.parent_path() != home && !into_blobs) {
    fail<FileError>("[", index, "] names the shard ", printable(name), ", a link out of its folder to ", file.string(),
                    "; expected a file in ", folder.string());
  }
  return folder / name;
}

}  // namespace detail

/// `x.safetensors`, or a folder with `model.safetensors` or `model.safetensors.index.json` and its shards.
class SafetensorsCheckpoint final : public Checkpoint {
 public:
  explicit SafetensorsCheckpoint(std::filesystem::path const& path, FileAccess access = FileAccess::map)
      : path_(path.string()) {
    if (!is_folder(path)) {
      folder_ = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
      shards_.emplace_back(path, access);
      index_single();
      return;
    }
    folder_ = path;
    auto const index = path / "model.safetensors.index.json";
    if (is_there(path / "model.safetensors")) {
      shards_.emplace_back(path / "model.safetensors", access);
      index_single();
    } else if (is_there(index)) {
      open_shards(index, access);
    } else {
      fail<FileError>("[", path_, "] holds no model; expected model.safetensors or model.safetensors.index.json",
                      is_there(path / "pytorch_model.bin")
                          ? "; hint: pickled pytorch_model.bin can run code and is not read, convert it with "
                            "save_pretrained(safe_serialization=True)"
                          : detail::gguf_hint(path));
    }
  }

  [[nodiscard]] std::string const& path() const noexcept override { return path_; }
  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> names;
    names.reserve(entries_.size());
    for (auto const* const entry : entries_) names.push_back(entry->name);
    return names;
  }
  [[nodiscard]] bool contains(std::string_view name) const override { return find(name) != nullptr; }
  [[nodiscard]] TensorEntry entry(std::string_view name) const override { return get(name); }
  [[nodiscard]] std::string storage(std::string_view name) const override {
    return std::string(dtype_name(get(name).dtype));
  }
  /// config.json beside the tensors.
  [[nodiscard]] nlohmann::json config() const override {
    JsonLimits limits;
    limits.bytes = std::size_t{4} << 20;
    return read_json(folder_ / "config.json", limits);
  }
  void read_rows(std::string_view name, std::size_t first, std::size_t last, float* out) const override {
    convert(name, first, last, out);
  }
  void read_rows(std::string_view name, std::size_t first, std::size_t last, double* out) const override {
    convert(name, first, last, out);
  }

 private:
  [[nodiscard]] TensorEntry const* find(std::string_view name) const noexcept {
    auto const at = std::lower_bound(entries_.begin(), entries_.end(), name,
                                     [](TensorEntry const* entry, std::string_view key) { return entry->name < key; });
    return at != entries_.end() && (*at)->name == name ? *at : nullptr;
  }
  [[nodiscard]] TensorEntry const& get(std::string_view name) const {
    TensorEntry const* const entry = find(name);
    if (entry == nullptr) refuse_missing(name);
    return *entry;
  }

  template <class Real>
  void convert(std::string_view name, std::size_t first, std::size_t last, Real* out) const {
    TensorEntry const& entry = get(name);
    check_rows(name, first, last, rows_of(entry.shape));
    std::size_t const columns = entry.shape.empty() ? 1 : static_cast<std::size_t>(entry.shape.back());
    convert_values(entry.dtype, entry.data + first * columns * dtype_size(entry.dtype), (last - first) * columns, out);
  }

  void discard(std::string_view name) const override {
    TensorEntry const& entry = get(name);
    entry.owner->discard(entry.data, entry.bytes);
  }

  void index_single() {
    for (auto const& entry : shards_.front().entries()) entries_.push_back(&entry);
  }

  void open_shards(std::filesystem::path const& index, FileAccess access) {
    JsonLimits limits;
    limits.unique_keys = true;
    limits.bytes = std::size_t{64} << 20;
    limits.values = std::size_t{300'000};
    limits.token = std::size_t{1} << 20;
    std::string const where = index.string();
    auto const map = json_at<nlohmann::json>(where, read_json(index, limits), "weight_map");
    if (!map.is_object() || map.empty())
      fail<FileError>("[", where, "] has no tensors at the key \"weight_map\"; expected an object of tensor → shard");
    std::map<std::string, std::size_t> shard_of;
    for (auto const& [name, shard] : map.items()) {
      if (!shard.is_string())
        fail<FileError>("[", where, "] has no shard for the tensor ", printable(name), "; expected a file name");
      shard_of.emplace(shard.get<std::string>(), shard_of.size());
    }
    shards_.reserve(shard_of.size());  // entries_ points into them
    for (auto& [name, number] : shard_of) {
      number = shards_.size();
      shards_.emplace_back(detail::shard_path(index.parent_path(), name, where), access);
    }
    for (auto const& [name, shard] : map.items()) {
      entries_.push_back(shards_[shard_of.at(shard.get<std::string>())].find(name));
      if (entries_.back() == nullptr) {
        fail<FileError>("[", where, "] places the tensor ", printable(name), " in the shard ",
                        printable(shard.get<std::string>()), ", which lacks it");
      }
    }
    std::sort(entries_.begin(), entries_.end(),
              [](TensorEntry const* a, TensorEntry const* b) { return a->name < b->name; });
  }

  std::string path_;
  std::filesystem::path folder_;
  std::vector<SafetensorsFile> shards_;
  std::vector<TensorEntry const*> entries_;
};

}  // namespace graft
