/// @file
/// @brief Metadata values of a GGUF file, decoded on demand.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/gguf_types.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace graft {

/// A metadata value where it stands in the file; its extent was checked when the file was opened.
struct GgufValue {
  std::string_view key;
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;  ///< of an array; otherwise `type`
  std::uint64_t count = 1;
  std::byte const* data = nullptr;
};

namespace detail {

inline constexpr std::uint64_t most_gguf_elements =
    std::uint64_t{1} << 20;  // of an array decoded into memory; the largest vocabularies have 2¹⁸

template <class T>
struct GgufElement {
  using type = T;
  static constexpr bool array = false;
};
template <class T>
struct GgufElement<std::vector<T>> {
  using type = T;
  static constexpr bool array = true;
};

template <class Stored>
[[nodiscard]] Stored gguf_load(std::byte const*& at) {
  Stored value;
  std::memcpy(&value, at, sizeof(Stored));
  at += sizeof(Stored);
  return value;
}

template <class T>
[[nodiscard]] constexpr char const* gguf_kind() {
  if constexpr (std::is_same_v<T, bool>)
    return "bool";
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return "an integer of at most 63 bits";
  else if constexpr (std::is_same_v<T, double>)
    return "a number";
  else
    return "string";
}

/// Decodes one element and steps `at` over it; false if the stored type is of another kind or the number does not fit.
template <class T>
[[nodiscard]] bool gguf_decode(GgufType stored, std::byte const*& at, T& out) {
  auto const number = [&out](auto value) {
    using Stored = decltype(value);
    if constexpr (std::is_same_v<T, std::int64_t> && std::is_integral_v<Stored>) {
      if (!std::in_range<std::int64_t>(value)) return false;
      out = static_cast<std::int64_t>(value);
      return true;
    } else if constexpr (std::is_same_v<T, double>) {
      out = static_cast<double>(value);
      return true;
    } else {
      return false;
    }
  };
  switch (stored) {
    case GgufType::u8: return number(gguf_load<std::uint8_t>(at));
    case GgufType::i8: return number(gguf_load<std::int8_t>(at));
    case GgufType::u16: return number(gguf_load<std::uint16_t>(at));
    case GgufType::i16: return number(gguf_load<std::int16_t>(at));
    case GgufType::u32: return number(gguf_load<std::uint32_t>(at));
    case GgufType::i32: return number(gguf_load<std::int32_t>(at));
    case GgufType::u64: return number(gguf_load<std::uint64_t>(at));
    case GgufType::i64: return number(gguf_load<std::int64_t>(at));
    case GgufType::f32: return number(gguf_load<float>(at));
    case GgufType::f64: return number(gguf_load<double>(at));
    case GgufType::boolean:
      if constexpr (std::is_same_v<T, bool>) out = gguf_load<std::uint8_t>(at) != 0;
      return std::is_same_v<T, bool>;
    case GgufType::string:
      if constexpr (std::is_same_v<T, std::string>) {
        auto const length = static_cast<std::size_t>(gguf_load<std::uint64_t>(at));
        out.assign(reinterpret_cast<char const*>(at), length);
        at += length;
      }
      return std::is_same_v<T, std::string>;
    case GgufType::array: return false;
  }
  return false;
}

template <class T>
[[nodiscard]] T gguf_value_as(GgufValue const& value, std::string const& where) {
  using Element = typename GgufElement<T>::type;
  auto const refuse = [&] {
    fail<FileError>("[", where, "] has a wrong value at the metadata key ", printable(value.key), "; got ",
                    value.type == GgufType::array ? "array of " : "", gguf_type_name(value.element), "; expected ",
                    GgufElement<T>::array ? "array of " : "", gguf_kind<Element>());
  };
  if (GgufElement<T>::array != (value.type == GgufType::array)) refuse();
  std::byte const* at = value.data;
  if constexpr (GgufElement<T>::array) {
    if (value.count > most_gguf_elements) {
      fail<FileError>("[", where, "] has too long an array at the metadata key ", printable(value.key), "; got ",
                      value.count, "; expected at most ", most_gguf_elements);
    }
    T out;
    out.reserve(static_cast<std::size_t>(value.count));
    for (std::uint64_t i = 0; i < value.count; ++i) {
      Element element{};
      if (!gguf_decode(value.element, at, element)) refuse();
      out.push_back(std::move(element));
    }
    return out;
  } else {
    T out{};
    if (!gguf_decode(value.element, at, out)) refuse();
    return out;
  }
}

}  // namespace detail

}  // namespace graft
