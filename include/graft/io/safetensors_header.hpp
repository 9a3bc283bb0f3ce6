/// @file
/// @brief The JSON header of a safetensors file, read event by event: nothing in it is trusted, nothing is built that
/// is not needed.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/core/error.hpp>
#include <graft/io/checked.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tensor_entry.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

inline constexpr std::uint64_t largest_safetensors_header = 100'000'000;  // the format's own limit
inline constexpr std::size_t most_safetensors_tensors = std::size_t{1} << 18;
inline constexpr std::size_t most_safetensors_metadata = std::size_t{1} << 16;
inline constexpr std::size_t largest_rank = 32;

/// safetensors' spelling of the dtypes this library stores.
inline constexpr std::array<std::pair<std::string_view, Dtype>, 10> safetensors_dtypes = {{{"F64", Dtype::f64},
                                                                                           {"F32", Dtype::f32},
                                                                                           {"F16", Dtype::f16},
                                                                                           {"BF16", Dtype::bf16},
                                                                                           {"I64", Dtype::i64},
                                                                                           {"I32", Dtype::i32},
                                                                                           {"I16", Dtype::i16},
                                                                                           {"I8", Dtype::i8},
                                                                                           {"U8", Dtype::u8},
                                                                                           {"BOOL", Dtype::boolean}}};

/// SAX handler for `{"__metadata__": {string: string}, name: {"dtype": …, "shape": […], "data_offsets": [begin, end]},
/// …}`. A DOM would keep only the last of two equal keys, which is how a file is made to mean different things to
/// different readers.
class SafetensorsHeader : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader(std::string const& where, std::size_t expected_tensors) : where_(where) {
    entries.reserve(expected_tensors);
    offsets.reserve(expected_tensors);
  }

  std::vector<TensorEntry> entries;  ///< name, dtype, shape and byte count filled in
  std::vector<std::pair<std::uint64_t, std::uint64_t>> offsets;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) override {
    if (at_ == At::file) {
      at_ = At::header;
    } else if (at_ == At::metadata_value) {
      at_ = At::metadata;
    } else if (at_ == At::tensor_value) {
      at_ = At::tensor;
      seen_ = 0;
      offset_count_ = 0;
    } else {
      refuse("an object");
    }
    return true;
  }

  bool end_object() override {
    if (at_ == At::tensor) finish_tensor();
    at_ = at_ == At::header ? At::done : At::header;
    return true;
  }

  bool key(std::string& name) override {
    if (at_ == At::header && name == "__metadata__") {
      if (std::exchange(has_metadata_, true))
        fail<FileError>("[", where_, "] has __metadata__ twice; expected it once");
      at_ = At::metadata_value;
    } else if (at_ == At::header) {
      if (entries.size() == most_safetensors_tensors)
        fail<FileError>("[", where_, "] lists too many tensors; expected at most ", most_safetensors_tensors);
      entries.emplace_back();
      entries.back().name = name;
      offsets.emplace_back();
      at_ = At::tensor_value;
    } else if (at_ == At::metadata) {
      if (metadata.size() == most_safetensors_metadata || metadata.count(name) != 0) {
        fail<FileError>("[", where_, "] has the metadata key ", printable(name), " twice, or more than ",
                        most_safetensors_metadata, " of them");
      }
      key_ = name;
      at_ = At::metadata_text;
    } else {
      tensor_key(name);
    }
    return true;
  }

  bool string(std::string& text) override {
    if (at_ == At::metadata_text) {
      metadata.emplace(std::move(key_), text);
      at_ = At::metadata;
    } else if (at_ == At::dtype) {
      auto const found = std::find_if(safetensors_dtypes.begin(), safetensors_dtypes.end(),
                                      [&](auto const& item) { return item.first == text; });
      if (found == safetensors_dtypes.end()) {
        fail<FileError>("[", where_, "] tensor ", printable(entries.back().name), " has the dtype ", printable(text),
                        "; expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
      }
      entries.back().dtype = found->second;
      at_ = At::tensor;
    } else {
      refuse("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (at_ == At::shape) {
      at_ = At::extents;
    } else if (at_ == At::data_offsets) {
      at_ = At::offset_values;
    } else {
      refuse("an array");
    }
    return true;
  }

  bool end_array() override {
    if (at_ == At::offset_values && offset_count_ != 2) refuse("a list of another length");
    at_ = At::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (at_ == At::extents) {
      auto& shape = entries.back().shape;
      if (shape.size() == largest_rank)
        fail<FileError>("[", where_, "] tensor ", printable(entries.back().name),
                        " has too many dimensions; expected at most ", largest_rank);
      if (!std::in_range<std::int64_t>(value)) refuse("a number beyond 63 bits");
      shape.push_back(static_cast<std::int64_t>(value));
    } else if (at_ == At::offset_values && offset_count_ < 2) {
      (offset_count_++ == 0 ? offsets.back().first : offsets.back().second) = value;
    } else {
      refuse("a number");
    }
    return true;
  }

  bool number_integer(std::int64_t) override { refuse("a negative number"); }
  bool number_float(double, std::string const&) override { refuse("a number that is no integer"); }
  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("true or false"); }
  bool binary(nlohmann::json::binary_t&) override { refuse("binary data"); }
  bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const& error) override {
    fail<FileError>("[", where_, "] has a header that is not valid JSON near byte ", position + 8,
                    "; got: ", json_reason(error));
  }

 private:
  enum class At {
    file,
    header,
    metadata_value,
    metadata,
    metadata_text,
    tensor_value,
    tensor,
    dtype,
    shape,
    extents,
    data_offsets,
    offset_values,
    done
  };

  void tensor_key(std::string const& name) {
    unsigned const bit = name == "dtype" ? 1u : name == "shape" ? 2u : name == "data_offsets" ? 4u : 0u;
    if (bit == 0 || (seen_ & bit) != 0) {
      fail<FileError>("[", where_, "] tensor ", printable(entries.back().name), " has the key ", printable(name),
                      bit == 0 ? "" : " twice", "; expected dtype, shape and data_offsets once each");
    }
    seen_ |= bit;
    at_ = bit == 1 ? At::dtype : bit == 2 ? At::shape : At::data_offsets;
  }

  void finish_tensor() {
    TensorEntry& entry = entries.back();
    if (seen_ != 7)
      fail<FileError>("[", where_, "] tensor ", printable(entry.name), " lacks dtype, shape or data_offsets");
    auto const elements = checked_elements(entry.shape);
    auto const bytes = elements ? checked_multiply(*elements, dtype_size(entry.dtype)) : std::nullopt;
    if (!bytes)
      fail<FileError>("[", where_, "] tensor ", printable(entry.name), " has a size beyond 64 bits; got shape ",
                      shape_text(entry.shape));
    auto const [begin, end] = offsets.back();
    if (begin > end || end - begin != *bytes) {
      fail<FileError>("[", where_, "] tensor ", printable(entry.name),
                      " has data_offsets that do not fit its shape; got [", begin, ", ", end, "]; expected ", *bytes,
                      " bytes for ", dtype_name(entry.dtype), " ", shape_text(entry.shape));
    }
    entry.bytes = static_cast<std::size_t>(*bytes);
    entry.shape.shrink_to_fit();
  }

  [[noreturn]] void refuse(char const* got) const {
    constexpr std::array<char const*, 13> expected = {"an object",
                                                      "a tensor's name",
                                                      "an object of strings as __metadata__",
                                                      "a metadata key",
                                                      "a string as metadata",
                                                      "an object with dtype, shape and data_offsets",
                                                      "dtype, shape or data_offsets",
                                                      "a string as dtype",
                                                      "a list of sizes as shape",
                                                      "a size in 0 … 2⁶³−1",
                                                      "[begin, end] as data_offsets",
                                                      "two offsets in 0 … 2⁶⁴−1",
                                                      "the header's end"};
    fail<FileError>("[", where_, "] has a malformed header",
                    entries.empty() ? "" : " at tensor " + printable(entries.back().name), "; got ", got, "; expected ",
                    expected[static_cast<std::size_t>(at_)]);
  }

  std::string const& where_;
  At at_ = At::file;
  std::string key_;
  unsigned seen_ = 0;
  std::size_t offset_count_ = 0;
  bool has_metadata_ = false;
};

/// The tensors' bytes must tile the data section: from 0, without hole or overlap, to the end of the file.
inline void check_tiling(SafetensorsHeader const& header, std::uint64_t data_size, std::string const& where) {
  std::vector<std::uint32_t> order(header.offsets.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return header.offsets[a] < header.offsets[b]; });
  std::uint64_t end = 0;
  for (std::uint32_t const i : order) {
    auto const [first, last] = header.offsets[i];
    if (first != end) {
      fail<FileError>("[", where, "] tensor ", printable(header.entries[i].name),
                      first < end ? " overlaps another one" : " leaves a hole before it", "; got data_offsets [", first,
                      ", ", last, "]; expected it to begin at ", end);
    }
    if (last > data_size) {
      fail<FileError>("[", where, "] is cut short: tensor ", printable(header.entries[i].name),
                      " ends beyond the file; got data_offsets [", first, ", ", last, "] in ", data_size,
                      " bytes of data");
    }
    end = last;
  }
  if (end != data_size)
    fail<FileError>("[", where, "] has bytes after its last tensor; got ", data_size, " bytes of data; expected ", end);
}

}  // namespace graft::detail
