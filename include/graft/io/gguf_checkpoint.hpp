/// @file
/// @brief Checkpoints in GGUF, under Hugging Face's names and layouts.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/layout.hpp>
#include <graft/io/checkpoint.hpp>
#include <graft/io/gguf.hpp>
#include <graft/io/gguf_config.hpp>
#include <graft/io/gguf_names.hpp>
#include <graft/io/gguf_split.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace graft {

/// A GGUF file as a checkpoint. For the architectures "llama" and "gpt2" names are translated, rotary permutations
/// undone and Conv1D weights transposed; tensors without a Hugging Face name (and those of other architectures) keep
/// GGUF's. A head that repeats the embedding is left out.
class GgufCheckpoint final : public Checkpoint {
 public:
  explicit GgufCheckpoint(std::filesystem::path const& path, FileAccess access = FileAccess::map)
      : file_(open_gguf(path, access)) {
    auto const architecture = file_.get<std::string>("general.architecture").value_or("");
    bool const tied = gguf_tied_head(file_);
    if (architecture == "llama") {
      detail::GgufParameters const parameters(file_);
      query_heads_ = parameters.size("attention.head_count");
      key_heads_ = parameters.optional_size("attention.head_count_kv").value_or(query_heads_);
    }
    for (auto const& tensor : file_.tensors()) {
      auto mapped = hugging_face_name(architecture, tensor.name);
      if (mapped && tied && tensor.name == "output.weight") continue;
      Item item{&tensor, GgufLayout::same, 0};
      if (mapped) arrange(item, mapped->layout);
      std::string name = mapped ? std::move(mapped->name) : std::string(tensor.name);
      if (!items_.emplace(std::move(name), item).second) {
        fail<FileError>("[", file_.path(), "] has two tensors for one Hugging Face name; the second is ",
                        printable(tensor.name));
      }
    }
  }

  [[nodiscard]] GgufFile const& file() const noexcept { return file_; }
  [[nodiscard]] std::string const& path() const noexcept override { return file_.path(); }
  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> names;
    names.reserve(items_.size());
    for (auto const& item : items_) names.push_back(item.first);
    return names;
  }
  [[nodiscard]] bool contains(std::string_view name) const override { return items_.find(name) != items_.end(); }
  [[nodiscard]] TensorEntry entry(std::string_view name) const override {
    Item const& item = get(name);
    GgufTensor const& tensor = *item.tensor;
    TensorEntry entry{
        std::string(name), Dtype::f32, tensor.shape, nullptr, tensor.rows * tensor.columns * sizeof(float),
        tensor.file};
    if (item.layout == GgufLayout::transposed) std::reverse(entry.shape.begin(), entry.shape.end());
    if (item.layout == GgufLayout::same && ggml_block(tensor.type).values == 1) {
      entry.dtype = tensor.type == GgmlType::f16    ? Dtype::f16
                    : tensor.type == GgmlType::bf16 ? Dtype::bf16
                                                    : Dtype::f32;
      entry.data = tensor.data;
      entry.bytes = tensor.bytes;
    }
    return entry;
  }
  [[nodiscard]] std::optional<StoredBlocks> blocks(std::string_view name) const override {
    Item const& item = get(name);
    GgufTensor const& tensor = *item.tensor;
    auto const format = block_format(tensor.type);
    if (!format || tensor.shape.size() != 2) return std::nullopt;
    kernels::BlockMatrix const matrix{*format, tensor.data, static_cast<Index>(tensor.rows),
                                      static_cast<Index>(tensor.columns), item.head_rows};
    return StoredBlocks{matrix, item.layout == GgufLayout::transposed, tensor.file};
  }
  [[nodiscard]] std::string storage(std::string_view name) const override {
    return std::string(ggml_type_name(static_cast<std::uint32_t>(get(name).tensor->type)));
  }
  [[nodiscard]] nlohmann::json config() const override { return gguf_config_json(file_); }

  void read_rows(std::string_view name, std::size_t first, std::size_t last, float* out) const override {
    convert(name, first, last, out);
  }
  void read_rows(std::string_view name, std::size_t first, std::size_t last, double* out) const override {
    convert(name, first, last, out);
  }

 private:
  struct Item {
    GgufTensor const* tensor;
    GgufLayout layout;
    Index head_rows;  ///< as `kernels::BlockMatrix::head_rows`
  };

  [[nodiscard]] Item const& get(std::string_view name) const {
    auto const found = items_.find(name);
    if (found == items_.end()) refuse_missing(name);
    return found->second;
  }

  /// Decides how the tensor is read, and checks that its shape allows it.
  void arrange(Item& item, GgufLayout layout) const {
    GgufTensor const& tensor = *item.tensor;
    if (layout == GgufLayout::transposed && tensor.shape.size() != 2) {
      fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " has the shape ", shape_text(tensor.shape),
                      "; expected rank 2");
    }
    if (layout == GgufLayout::rotary_query || layout == GgufLayout::rotary_key) {
      std::int64_t const heads = layout == GgufLayout::rotary_query ? query_heads_ : key_heads_;
      std::int64_t const rows = tensor.shape.empty() ? 0 : tensor.shape[0];
      bool const vector_of_numbers = tensor.shape.size() == 1 && ggml_block(tensor.type).values == 1;
      if ((tensor.shape.size() != 2 && !vector_of_numbers) || rows == 0 || rows % (2 * heads) != 0) {
        fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " has the shape ", shape_text(tensor.shape),
                        "; expected rows for ", heads,
                        " heads of an even width (llama.attention.head_count, head_count_kv)");
      }
      item.head_rows = rows / heads;
    }
    item.layout = layout;
  }

  template <class Real>
  void convert(std::string_view name, std::size_t first, std::size_t last, Real* out) const {
    Item const& item = get(name);
    GgufTensor const& tensor = *item.tensor;
    if (item.layout == GgufLayout::transposed) {
      check_rows(name, first, last, tensor.columns);
      transpose(tensor, first, last, out);
      return;
    }
    check_rows(name, first, last, tensor.rows);
    if (item.layout == GgufLayout::same) {
      widen(tensor, first, last, out);
    } else if (tensor.shape.size() == 1) {
      std::vector<Real> stored(tensor.columns);
      widen(tensor, 0, 1, stored.data());
      for (std::size_t i = 0; first < last && i < stored.size(); ++i) out[i] = stored[stored_row(i, item)];
    } else {
      for (std::size_t row = first; row < last; ++row) {
        std::size_t const stored = stored_row(row, item);
        widen(tensor, stored, stored + 1, out + (row - first) * tensor.columns);
      }
    }
  }

  static std::size_t stored_row(std::size_t row, Item const& item) {
    return static_cast<std::size_t>(interleaved_row(static_cast<Index>(row), item.head_rows));
  }

  /// Rows in the file's order, as float or double.
  template <class Real>
  static void widen(GgufTensor const& tensor, std::size_t first, std::size_t last, Real* out) {
    if constexpr (std::is_same_v<Real, float>) {
      dequantize_rows(tensor, first, last, out);
    } else {
      std::vector<float> row(tensor.columns);
      for (; first < last; ++first, out += tensor.columns) {
        dequantize_rows(tensor, first, first + 1, row.data());
        std::copy(row.begin(), row.end(), out);
      }
    }
  }

  /// Columns [first, last) of the stored matrix as rows, in panels of stored rows that fit the cache.
  template <class Real>
  static void transpose(GgufTensor const& tensor, std::size_t first, std::size_t last, Real* out) {
    constexpr std::size_t panel_rows = 16;
    std::vector<float> panel(panel_rows * tensor.columns);
    for (std::size_t row = 0; row < tensor.rows; row += panel_rows) {
      std::size_t const end = std::min(row + panel_rows, tensor.rows);
      dequantize_rows(tensor, row, end, panel.data());
      for (std::size_t column = first; column < last; ++column) {
        Real* const target = out + (column - first) * tensor.rows;
        for (std::size_t r = row; r < end; ++r)
          target[r] = static_cast<Real>(panel[(r - row) * tensor.columns + column]);
      }
    }
  }

  void discard(std::string_view name) const override {
    GgufTensor const& tensor = *get(name).tensor;
    tensor.file->discard(tensor.data, tensor.bytes);
  }

  GgufFile file_;
  std::int64_t query_heads_ = 0;
  std::int64_t key_heads_ = 0;
  std::map<std::string, Item, std::less<>> items_;
};

}  // namespace graft
