/// @file
/// @brief Writer of safetensors files, byte for byte as Hugging Face's library writes them.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/core/error.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/checked.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/safetensors_header.hpp>
#include <graft/io/tensor_entry.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

namespace detail {

/// Hugging Face's order of dtypes (largest alignment first), so that every tensor is aligned to its element size.
[[nodiscard]] constexpr int safetensors_order(Dtype dtype) noexcept {
  switch (dtype) {
    case Dtype::i64: return 0;
    case Dtype::f64: return 1;
    case Dtype::f32: return 2;
    case Dtype::i32: return 3;
    case Dtype::bf16: return 4;
    case Dtype::f16: return 5;
    case Dtype::i16: return 6;
    case Dtype::i8: return 7;
    case Dtype::u8: return 8;
    case Dtype::boolean: return 9;
  }
  return 10;
}

[[nodiscard]] inline std::string json_quote(std::string const& text, std::string const& where) {
  try {
    return nlohmann::json(text).dump();
  } catch (nlohmann::json::exception const&) {
    fail<FileError>("[", where, "] cannot hold the name or metadata ", printable(text), "; expected valid UTF-8");
  }
}

[[nodiscard]] inline std::string safetensors_header_text(std::vector<TensorEntry const*> const& tensors,
                                                         std::map<std::string, std::string> const& metadata,
                                                         std::string const& where) {
  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (auto const& [key, value] : metadata)
      text += (text.back() == '{' ? "" : ",") + json_quote(key, where) + ":" + json_quote(value, where);
    text += "}";
  }
  std::uint64_t offset = 0;
  for (TensorEntry const* const tensor : tensors) {
    auto const dtype = std::find_if(safetensors_dtypes.begin(), safetensors_dtypes.end(),
                                    [&](auto const& item) { return item.second == tensor->dtype; });
    text += text.size() == 1 ? "" : ",";
    text += json_quote(tensor->name, where) + ":{\"dtype\":\"" + std::string(dtype->first) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor->shape.size(); ++i)
      text += (i == 0 ? "" : ",") + std::to_string(tensor->shape[i]);
    text += "],\"data_offsets\":[" + std::to_string(offset) + ",";
    offset += tensor->bytes;
    text += std::to_string(offset) + "]}";
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace detail

/// Writes tensors (in any order; their `data` must stay valid) as one safetensors file: atomically, the old file
/// staying in place on any error (FileError). Throws ShapeError if a tensor's bytes do not fit its shape, or a name is
/// used twice.
inline void save_safetensors(std::filesystem::path const& path, std::vector<TensorEntry> const& tensors,
                             std::map<std::string, std::string> const& metadata = {{"format", "pt"}}) {
  std::string const where = path.string();
  std::vector<TensorEntry const*> sorted;
  for (auto const& tensor : tensors) {
    auto const elements = checked_elements(tensor.shape);
    auto const bytes = elements ? checked_multiply(*elements, dtype_size(tensor.dtype)) : std::nullopt;
    if (!bytes || *bytes != tensor.bytes || tensor.name == "__metadata__" ||
        tensor.shape.size() > detail::largest_rank) {
      fail<ShapeError>("[", where, "] cannot hold the tensor ", printable(tensor.name), "; got ", tensor.bytes,
                       " bytes for ", dtype_name(tensor.dtype), " ", shape_text(tensor.shape), "; nothing was written");
    }
    sorted.push_back(&tensor);
  }
  std::sort(sorted.begin(), sorted.end(), [](TensorEntry const* a, TensorEntry const* b) { return a->name < b->name; });
  auto const twice = std::adjacent_find(sorted.begin(), sorted.end(),
                                        [](TensorEntry const* a, TensorEntry const* b) { return a->name == b->name; });
  if (twice != sorted.end())
    fail<ShapeError>("[", where, "] cannot hold two tensors of the name ", printable((*twice)->name),
                     "; nothing was written");
  std::stable_sort(sorted.begin(), sorted.end(), [](TensorEntry const* a, TensorEntry const* b) {
    return detail::safetensors_order(a->dtype) < detail::safetensors_order(b->dtype);
  });

  std::string const header = detail::safetensors_header_text(sorted, metadata, where);
  if (header.size() > detail::largest_safetensors_header)
    fail<FileError>("[", where, "] would need a header of ", header.size(), " bytes; nothing was written");
  char size[8];
  auto const header_size = static_cast<std::uint64_t>(header.size());
  std::memcpy(size, &header_size, 8);
  AtomicFile file(path);
  file.write(size, sizeof size);
  file.write(header);
  for (TensorEntry const* const tensor : sorted) file.write(tensor->data, tensor->bytes);
  file.commit();
}

}  // namespace graft
