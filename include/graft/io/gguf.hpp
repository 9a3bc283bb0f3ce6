/// @file
/// @brief Reader of GGUF files, versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/checked.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/gguf_cursor.hpp>
#include <graft/io/gguf_dequantize.hpp>
#include <graft/io/gguf_types.hpp>
#include <graft/io/gguf_value.hpp>
#include <graft/io/mapped_file.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// A tensor in a GGUF file. ggml lists the fastest dimension first; `shape` is reversed, as Hugging Face has it: [out,
/// in].
struct GgufTensor {
  std::string_view name;  ///< aliases the file
  GgmlType type = GgmlType::f32;
  std::vector<std::int64_t> shape;
  std::byte const* data = nullptr;
  std::size_t bytes = 0;
  std::size_t rows = 1;                              ///< product of all dimensions but the last; 1 for a vector
  std::size_t columns = 1;                           ///< last dimension, a multiple of the type's block
  std::shared_ptr<MappedFile const> file = nullptr;  ///< what `name` and `data` alias
};

/// Converts rows [first, last) to `out[(last − first) · columns]`. Different rows may be converted by different
/// threads.
inline void dequantize_rows(GgufTensor const& tensor, std::size_t first, std::size_t last, float* out) {
  if (first > last || last > tensor.rows)
    fail<ShapeError>("[dequantize_rows] rows [", first, ", ", last, ") of ", printable(tensor.name),
                     "; expected them within ", tensor.rows);
  GgmlBlock const block = ggml_block(tensor.type);
  dequantize_values(tensor.type, tensor.data + first * (tensor.columns / block.values * block.bytes),
                    (last - first) * tensor.columns, out);
}

/// Converts a whole tensor to float32, row-major.
inline void dequantize(GgufTensor const& tensor, float* out) { dequantize_rows(tensor, 0, tensor.rows, out); }

/// An open GGUF file: magic, version, metadata, tensor list, padding, the tensors' bytes. Every count, length and
/// offset is checked against the file's size at opening, before anything is allocated for it (FileError); metadata and
/// tensors stay in the file.
class GgufFile {
 public:
  explicit GgufFile(std::filesystem::path const& path, FileAccess access = FileAccess::map)
      : file_(MappedFile::open(path, access)) {
    detail::GgufCursor cursor(file_->bytes(), file_->path());
    std::string const& where = file_->path();
    if (std::memcmp(cursor.take(4, "the magic GGUF"), "GGUF", 4) != 0)
      fail<FileError>("[", where, "] is not a GGUF file; expected it to begin with GGUF");
    version_ = cursor.number<std::uint32_t>("the version");
    if (version_ != 2 && version_ != 3) {
      fail<FileError>("[", where, "] has the GGUF version ", version_,
                      version_ == 0x02000000 || version_ == 0x03000000 ? " (big-endian)" : "",
                      "; expected 2 or 3, little-endian");
    }
    std::uint64_t const tensors = cursor.count(24, most_tensors, "tensor count");
    std::uint64_t const values = cursor.count(13, most_values, "metadata count");
    read_metadata(cursor, values);
    read_tensors(cursor, tensors);
  }

  [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
  [[nodiscard]] std::string const& path() const noexcept { return file_->path(); }
  [[nodiscard]] std::shared_ptr<MappedFile const> const& file() const noexcept { return file_; }

  /// Metadata, sorted by key.
  [[nodiscard]] std::vector<GgufValue> const& metadata() const noexcept { return metadata_; }
  /// The value of that key, or null.
  [[nodiscard]] GgufValue const* find(std::string_view key) const noexcept {
    auto const at = std::lower_bound(metadata_.begin(), metadata_.end(), key,
                                     [](GgufValue const& value, std::string_view k) { return value.key < k; });
    return at != metadata_.end() && at->key == key ? &*at : nullptr;
  }
  /// The value as T — bool, std::int64_t (any integer type), double (any number), std::string, or std::vector of these
  /// — or nothing if the key is not there; throws FileError if it is of another type or does not fit.
  template <class T>
  [[nodiscard]] std::optional<T> get(std::string_view key) const {
    GgufValue const* const value = find(key);
    if (value == nullptr) return std::nullopt;
    return detail::gguf_value_as<T>(*value, path());
  }
  /// The value as T; throws FileError if it is not there.
  template <class T>
  [[nodiscard]] T require(std::string_view key) const {
    auto value = get<T>(key);
    if (!value) fail<FileError>("[", path(), "] lacks the metadata key ", printable(key));
    return *std::move(value);
  }

  /// Adds another file's tensors to this one's; throws FileError for a name that both have.
  void join(GgufFile other) {
    tensors_.insert(tensors_.end(), other.tensors_.begin(), other.tensors_.end());
    index_names();
  }

  /// Tensors, in the file's order.
  [[nodiscard]] std::vector<GgufTensor> const& tensors() const noexcept { return tensors_; }
  /// The tensor of that name, or null.
  [[nodiscard]] GgufTensor const* find_tensor(std::string_view name) const noexcept {
    auto const at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                     [this](std::uint32_t i, std::string_view key) { return tensors_[i].name < key; });
    return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
  }

 private:
  static constexpr std::uint64_t most_tensors = std::uint64_t{1} << 17;
  static constexpr std::uint64_t most_values = std::uint64_t{1} << 16;

  void read_metadata(detail::GgufCursor& cursor, std::uint64_t count) {
    metadata_.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      GgufValue value;
      value.key = cursor.string("a metadata key");
      if (value.key.empty() || value.key.size() > 65535)
        fail<FileError>("[", path(), "] has a metadata key of ", value.key.size(), " bytes; expected 1 … 65535");
      value.type = cursor.value_type(value.key);
      value.element = value.type;
      if (value.type == GgufType::array) {
        value.element = cursor.value_type(value.key);
        value.count = cursor.array_count(value.element);
      }
      std::size_t const begin = cursor.position();
      value.data = file_->data() + begin;
      cursor.skip(value.element, value.count, value.key, 1);
      metadata_.push_back(value);
    }
    std::sort(metadata_.begin(), metadata_.end(), [](GgufValue const& a, GgufValue const& b) { return a.key < b.key; });
    auto const twice = std::adjacent_find(metadata_.begin(), metadata_.end(),
                                          [](GgufValue const& a, GgufValue const& b) { return a.key == b.key; });
    if (twice != metadata_.end())
      fail<FileError>("[", path(), "] has the metadata key ", printable(twice->key), " twice; expected it once");
  }

  void read_tensors(detail::GgufCursor& cursor, std::uint64_t count) {
    auto const alignment = static_cast<std::uint64_t>(get<std::int64_t>("general.alignment").value_or(32));
    if (alignment < 8 || alignment > 65536 || (alignment & (alignment - 1)) != 0) {
      fail<FileError>("[", path(), "] has the alignment ", static_cast<std::int64_t>(alignment),
                      "; expected a power of two in 8 … 65536");
    }
    tensors_.reserve(static_cast<std::size_t>(count));
    std::vector<std::uint64_t> offsets;
    offsets.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      tensors_.push_back(read_info(cursor));
      offsets.push_back(cursor.number<std::uint64_t>("a tensor's offset"));
    }
    index_names();
    std::uint64_t const begin = checked_align(cursor.position(), alignment).value_or(file_->size());
    if (count > 0 && begin > file_->size())
      fail<FileError>("[", path(), "] is cut short; got ", file_->size(), " bytes; expected tensors from byte ", begin,
                      " on");
    place(offsets, static_cast<std::size_t>(std::min<std::uint64_t>(begin, file_->size())), alignment);
  }

  GgufTensor read_info(detail::GgufCursor& cursor) const {
    GgufTensor tensor;
    tensor.name = cursor.string("a tensor's name");
    if (tensor.name.empty() || tensor.name.size() > 1024)
      fail<FileError>("[", path(), "] has a tensor name of ", tensor.name.size(), " bytes; expected 1 … 1024");
    auto const rank = cursor.number<std::uint32_t>("a tensor's rank");
    if (rank > 4)
      fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " has ", rank,
                      " dimensions; expected at most 4");
    tensor.shape.resize(rank);
    for (std::uint32_t i = 0; i < rank; ++i) {
      auto const extent = cursor.number<std::uint64_t>("a tensor's dimension");
      if (!std::in_range<std::int64_t>(extent))
        fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " has a dimension of ", extent,
                        "; expected one below 2⁶³");
      tensor.shape[rank - 1 - i] = static_cast<std::int64_t>(extent);
    }
    auto const type = cursor.number<std::uint32_t>("a tensor's type");
    if (!ggml_type_readable(type)) {
      fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " has the type ", ggml_type_name(type), " (",
                      type,
                      "); expected F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 or Q2_K to Q6_K; hint: llama-quantize "
                      "--allow-requantize "
                      "IN OUT Q8_0 converts the file");
    }
    tensor.type = static_cast<GgmlType>(type);
    set_sizes(tensor);
    return tensor;
  }

  void set_sizes(GgufTensor& tensor) const {
    auto const elements = checked_elements(tensor.shape);
    GgmlBlock const block = ggml_block(tensor.type);
    std::uint64_t const columns = tensor.shape.empty() ? 1 : static_cast<std::uint64_t>(tensor.shape.back());
    if (!elements || columns % block.values != 0) {
      fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " has an impossible shape; got ",
                      shape_text(tensor.shape), " of ", ggml_type_name(static_cast<std::uint32_t>(tensor.type)),
                      "; expected fewer than 2⁶³ values and rows of a multiple of ", block.values);
    }
    auto const bytes = checked_multiply(*elements / block.values, block.bytes);
    if (!bytes || *bytes > file_->size()) {
      fail<FileError>("[", path(), "] is cut short: tensor ", printable(tensor.name), " of shape ",
                      shape_text(tensor.shape), " needs more bytes than the file's ", file_->size());
    }
    tensor.bytes = static_cast<std::size_t>(*bytes);
    tensor.columns = static_cast<std::size_t>(columns);
    tensor.rows = columns == 0 ? 0 : static_cast<std::size_t>(*elements / columns);
  }

  void index_names() {
    by_name_.resize(tensors_.size());
    for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = static_cast<std::uint32_t>(i);
    std::sort(by_name_.begin(), by_name_.end(),
              [this](std::uint32_t a, std::uint32_t b) { return tensors_[a].name < tensors_[b].name; });
    auto const twice = std::adjacent_find(by_name_.begin(), by_name_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return tensors_[a].name == tensors_[b].name;
    });
    if (twice != by_name_.end())
      fail<FileError>("[", path(), "] has the tensor ", printable(tensors_[*twice].name), " twice; expected it once");
  }

  /// ggml writes tensors one after the other, each padded to the alignment; any other offset is a hole or an overlap.
  void place(std::vector<std::uint64_t> const& offsets, std::size_t begin, std::uint64_t alignment) {
    std::uint64_t const available = file_->size() - begin;
    std::uint64_t expected = 0;
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      GgufTensor& tensor = tensors_[i];
      if (offsets[i] != expected) {
        fail<FileError>("[", path(), "] tensor ", printable(tensor.name), " lies at the wrong place; got offset ",
                        offsets[i], "; expected ", expected);
      }
      auto const last = checked_add(expected, tensor.bytes);
      if (!last || *last > available) {
        fail<FileError>("[", path(), "] is cut short: tensor ", printable(tensor.name), " ends beyond the file; got ",
                        available, " bytes of tensors; expected at least ", last ? std::to_string(*last) : "2⁶⁴");
      }
      tensor.data = file_->data() + begin + expected;
      tensor.file = file_;
      end = *last;
      expected = checked_align(end, alignment).value_or(end);
    }
    if (available > expected)
      fail<FileError>("[", path(), "] has ", available - end, " bytes after its last tensor; expected at most ",
                      expected - end);
  }

  std::shared_ptr<MappedFile const> file_;
  std::uint32_t version_ = 0;
  std::vector<GgufValue> metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<std::uint32_t> by_name_;
};

}  // namespace graft
