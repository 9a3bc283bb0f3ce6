/// @file
/// @brief Bounded reading of protocol buffers' wire format: nothing is used before it is known to lie in the message.
#pragma once

#include <graft/core/error.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace graft::detail {

/// Reads the fields of one message in order (https://protobuf.dev/programming-guides/encoding).
class ProtobufCursor {
 public:
  enum class Wire : std::uint8_t { varint = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };

  /// @param bytes the message
  /// @param offset where it begins in the file, for errors
  ProtobufCursor(std::string_view bytes, std::string const& where, std::size_t offset = 0)
      : bytes_(bytes), where_(where), offset_(offset) {}

  [[nodiscard]] bool at_end() const noexcept { return position_ == bytes_.size(); }
  [[nodiscard]] std::uint64_t field() const noexcept { return field_; }

  /// Reads the next field's number and type; its value must be read or skipped next.
  void next() {
    begin_ = position_;
    std::uint64_t const tag = varint("a field's tag");
    field_ = tag >> 3;
    auto const type = static_cast<unsigned>(tag & 7u);
    if (field_ == 0 || field_ >= (std::uint64_t{1} << 29) || (type != 0 && type != 1 && type != 2 && type != 5)) {
      fail<FileError>("[", where_, "] is no protocol buffer; got field ", field_, " of wire type ", type, " at byte ",
                      offset_ + begin_, "; expected wire type 0, 1, 2 or 5");
    }
    wire_ = static_cast<Wire>(type);
  }

  void skip() {
    switch (wire_) {
      case Wire::varint: (void)varint("a number"); return;
      case Wire::eight_bytes: (void)take(8, "a number"); return;
      case Wire::bytes: (void)take(varint("a length"), "a field"); return;
      case Wire::four_bytes: (void)take(4, "a number");
    }
  }

  [[nodiscard]] std::string_view bytes(char const* what) {
    expect(Wire::bytes, what);
    return take(varint("a length"), what);
  }

  /// The message in a field of this one.
  [[nodiscard]] ProtobufCursor message(char const* what) {
    std::string_view const inner = bytes(what);
    return {inner, where_, offset_ + static_cast<std::size_t>(inner.data() - bytes_.data())};
  }

  [[nodiscard]] float single(char const* what) {
    expect(Wire::four_bytes, what);
    std::string_view const raw = take(4, what);
    std::uint32_t bits = 0;
    for (std::size_t i = 4; i-- > 0;) bits = (bits << 8) | static_cast<unsigned char>(raw[i]);
    return std::bit_cast<float>(bits);
  }

  [[nodiscard]] std::uint64_t number(char const* what) {
    expect(Wire::varint, what);
    return varint(what);
  }
  [[nodiscard]] bool boolean(char const* what) { return number(what) != 0; }

 private:
  void expect(Wire wire, char const* what) const {
    if (wire_ == wire) return;
    fail<FileError>("[", where_, "] has ", what, " of the wrong wire type at byte ", offset_ + begin_, "; got ",
                    static_cast<unsigned>(wire_), "; expected ", static_cast<unsigned>(wire));
  }

  [[nodiscard]] std::string_view take(std::uint64_t count, char const* what) {
    std::size_t const left = bytes_.size() - position_;
    if (count > left) {
      fail<FileError>("[", where_, "] is cut short or lies about a length: ", what, " needs ", count, " bytes at byte ",
                      offset_ + position_, "; got ", left, " more in the message");
    }
    std::string_view const taken = bytes_.substr(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  /// Seven bits a byte, lowest first; the highest bit says that more follow.
  [[nodiscard]] std::uint64_t varint(char const* what) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      auto const byte = static_cast<unsigned char>(take(1, what).front());
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail<FileError>("[", where_, "] is no protocol buffer; got ", what, " of more than 64 bits at byte ",
                    offset_ + position_);
  }

  std::string_view bytes_;
  std::string const& where_;
  std::size_t offset_, position_ = 0, begin_ = 0;
  std::uint64_t field_ = 0;
  Wire wire_ = Wire::varint;
};

}  // namespace graft::detail
