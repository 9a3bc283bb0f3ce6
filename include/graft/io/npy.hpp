/// @file
/// @brief NumPy's .npy files (format 1.0, 2.0, 3.0: numpy.lib.format): float32, float64, int32, int64 arrays in C
/// order.
#pragma once

#include <graft/core/dtype.hpp>
#include <graft/core/error.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/checked.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tensor_entry.hpp>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

namespace detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Parser of the one form of Python dictionary a .npy header may hold.
class NpyHeader {
 public:
  NpyHeader(std::string_view text, std::string const& where) : rest_(text), where_(where) {
    take("{");
    for (bool more = true; more && !try_take("}");) {
      std::string_view const key = quoted();
      take(":");
      if (key == "descr") {
        once(1);
        dtype = parse_dtype(quoted());
      } else if (key == "fortran_order") {
        once(2);
        if (try_take("True"))
          fail<FileError>("[", where_,
                          "] is in Fortran order; expected C order; hint: save numpy.ascontiguousarray(x)");
        take("False");
      } else if (key == "shape") {
        once(4);
        parse_shape();
      } else {
        refuse("the keys descr, fortran_order and shape");
      }
      more = try_take(",");
      if (!more) take("}");
    }
    skip_space();
    if (seen_ != 7 || !rest_.empty()) refuse("the keys descr, fortran_order and shape once each");
  }

  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  bool try_take(std::string_view token) {
    skip_space();
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void take(char const* token) {
    if (!try_take(token)) refuse(token);
  }
  void once(unsigned bit) {
    if ((seen_ & bit) != 0) refuse("each key once");
    seen_ |= bit;
  }
  std::string_view quoted() {
    char const* const quote = try_take("'") ? "'" : "\"";
    if (*quote == '"') take("\"");
    auto const end = rest_.find(*quote);
    if (end == std::string_view::npos) refuse("a string");
    std::string_view const text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  [[nodiscard]] Dtype parse_dtype(std::string_view descr) const {
    if (descr == "<f4") return Dtype::f32;
    if (descr == "<f8") return Dtype::f64;
    if (descr == "<i4") return Dtype::i32;
    if (descr == "<i8") return Dtype::i64;
    fail<FileError>("[", where_, "] holds elements of type ", printable(descr), "; expected <f4, <f8, <i4 or <i8");
  }
  void parse_shape() {
    take("(");
    while (!try_take(")")) {
      skip_space();
      std::int64_t extent = -1;
      auto const [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc() || extent < 0 || shape.size() == 32) refuse("at most 32 sizes in 0 … 2⁶³−1");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      shape.push_back(extent);
      if (try_take(",")) continue;
      if (shape.size() == 1) refuse("a comma after the only size");
      take(")");
      break;
    }
  }
  [[noreturn]] void refuse(char const* expected) const {
    fail<FileError>("[", where_, "] has a malformed .npy header; got ", printable(rest_.substr(0, 40)), "; expected ",
                    expected);
  }

  std::string_view rest_;
  std::string const& where_;
  unsigned seen_ = 0;
};

}  // namespace detail

/// Opens a .npy file; the result's `data` aliases it. Throws FileError on anything but
/// one little-endian C-ordered array that ends with the file.
[[nodiscard]] inline TensorEntry read_npy(std::filesystem::path const& path, FileAccess access = FileAccess::map) {
  auto const file = MappedFile::open(path, access);
  std::string const& where = file->path();
  std::string_view const text = file->text();
  if (text.size() < 10 || text.substr(0, 6) != detail::npy_magic)
    fail<FileError>("[", where, "] is not a .npy file, or cut short; got ", text.size(), " bytes");
  int const version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3 || text[7] != 0) {
    fail<FileError>("[", where, "] has the .npy version ", version, ".", static_cast<int>(text[7]),
                    "; expected 1.0, 2.0 or 3.0");
  }
  std::size_t const prefix = version == 1 ? 10 : 12;
  if (text.size() < prefix)
    fail<FileError>("[", where, "] is cut short; got ", text.size(), " bytes; expected a .npy header");
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, text.data() + 8, prefix - 8);
  if (header_size > text.size() - prefix)
    fail<FileError>("[", where, "] is cut short; got ", text.size(), " bytes; expected a header of ", header_size);
  detail::NpyHeader header(text.substr(prefix, header_size), where);

  auto const elements = checked_elements(header.shape);
  auto const bytes = elements ? checked_multiply(*elements, dtype_size(header.dtype)) : std::nullopt;
  std::size_t const available = text.size() - prefix - header_size;
  if (!bytes || *bytes != available) {
    fail<FileError>("[", where, "] has a size that does not fit its shape; got ", available,
                    " bytes of data; expected ", bytes ? std::to_string(*bytes) : "fewer than 2⁶³", " for ",
                    dtype_name(header.dtype), " ", shape_text(header.shape));
  }
  return TensorEntry{path.stem().string(),
                     header.dtype,
                     std::move(header.shape),
                     file->data() + prefix + header_size,
                     available,
                     file};
}

/// Writes an array as numpy.save does (version 1.0, data at a multiple of 64 bytes), atomically. `name` and `owner` are
/// not used.
inline void write_npy(std::filesystem::path const& path, TensorEntry const& array) {
  std::string_view descr;
  switch (array.dtype) {
    case Dtype::f32: descr = "<f4"; break;
    case Dtype::f64: descr = "<f8"; break;
    case Dtype::i32: descr = "<i4"; break;
    case Dtype::i64: descr = "<i8"; break;
    default:
      fail<FileError>("[", path.string(), "] cannot be written; got ", dtype_name(array.dtype),
                      "; expected float32, float64, int32 or int64");
  }
  auto const elements = checked_elements(array.shape);
  if (!elements || array.shape.size() > 32 || array.bytes % dtype_size(array.dtype) != 0 ||
      array.bytes / dtype_size(array.dtype) != *elements) {
    fail<ShapeError>("[", path.string(), "] cannot be written; got ", array.bytes, " bytes for ",
                     dtype_name(array.dtype), " ", shape_text(array.shape));
  }
  std::string header = cat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (");
  for (std::size_t i = 0; i < array.shape.size(); ++i) header += (i == 0 ? "" : ", ") + std::to_string(array.shape[i]);
  header += array.shape.size() == 1 ? ",), }" : "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  AtomicFile file(path);
  file.write(detail::npy_magic);
  char const prefix[4] = {1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  file.write(prefix, sizeof prefix);
  file.write(header);
  file.write(array.data, array.bytes);
  file.commit();
}

}  // namespace graft
