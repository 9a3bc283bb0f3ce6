/// @file
/// @brief Bounded reading of GGUF's header: nothing is used before it is known to lie in the file.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/gguf_types.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace graft::detail {

class GgufCursor {
 public:
  GgufCursor(std::span<std::byte const> bytes, std::string const& where) : bytes_(bytes), where_(where) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }

  /// Steps over `count` bytes and returns where they begin.
  std::byte const* take(std::uint64_t count, char const* what) {
    if (count > remaining()) {
      fail<FileError>("[", where_, "] is cut short or lies about a length: ", what, " needs ", count, " bytes at byte ",
                      position_, "; got ", remaining(), " more in the file");
    }
    std::byte const* const at = bytes_.data() + position_;
    position_ += static_cast<std::size_t>(count);
    return at;
  }

  template <class T>
  T number(char const* what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what), sizeof(T));
    return value;
  }

  /// A count of things of at least `least` bytes each: bounded by what is left of the file before anything is allocated
  /// for it.
  std::uint64_t count(std::size_t least, std::uint64_t most, char const* what) {
    auto const value = number<std::uint64_t>(what);
    if (value > remaining() / least || value > most) {
      fail<FileError>("[", where_, "] has an impossible ", what, "; got ", value, " in a file with ", remaining(),
                      " more bytes; expected at most ", remaining() / least < most ? remaining() / least : most);
    }
    return value;
  }

  std::string_view string(char const* what) {
    auto const length = number<std::uint64_t>(what);
    return {reinterpret_cast<char const*>(take(length, what)), static_cast<std::size_t>(length)};
  }

  GgufType value_type(std::string_view key) {
    auto const type = number<std::uint32_t>("a value's type");
    if (type >= gguf_type_count)
      fail<FileError>("[", where_, "] has a value of unknown type at the key ", printable(key), "; got type ", type,
                      "; expected 0 … 12");
    return static_cast<GgufType>(type);
  }

  /// Steps over `count` values of a type, checking strings' lengths, nested arrays and booleans.
  void skip(GgufType type, std::uint64_t count, std::string_view key, int depth) {
    if (type == GgufType::string) {
      for (std::uint64_t i = 0; i < count; ++i) string("a string");
    } else if (type == GgufType::array) {
      if (depth == 8)
        fail<FileError>("[", where_, "] nests arrays too deeply at the key ", printable(key),
                        "; expected at most 8 levels");
      for (std::uint64_t i = 0; i < count; ++i) {
        GgufType const inner = value_type(key);
        skip(inner, array_count(inner), key, depth + 1);
      }
    } else {
      // `count` is at most the bytes left divided by the element's size, so the product does not overflow.
      std::byte const* const at = take(count * gguf_type_size(type), "a value");
      if (type != GgufType::boolean) return;
      for (std::uint64_t i = 0; i < count; ++i) {
        if (at[i] > std::byte{1})
          fail<FileError>("[", where_, "] has a boolean that is neither 0 nor 1 at the key ", printable(key));
      }
    }
  }

  std::uint64_t array_count(GgufType element) {
    std::size_t const least = element == GgufType::string  ? 8
                              : element == GgufType::array ? 12
                                                           : gguf_type_size(element);
    return count(least, ~std::uint64_t{0}, "array length");
  }

 private:
  std::span<std::byte const> bytes_;
  std::string const& where_;
  std::size_t position_ = 0;
};

}  // namespace graft::detail
