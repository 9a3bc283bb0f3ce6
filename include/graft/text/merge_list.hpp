/// @file
/// @brief The merges of a byte-pair encoding as a file lists them, and the table made of them.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/merge_table.hpp>
#include <graft/text/vocabulary.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace graft {

/// The merges as a file lists them, by rank: pairs of texts, since their ids may not be known yet when they are read.
/// All lie in one buffer, each text behind its length, so that they take no more memory than the file.
class MergeList {
 public:
  void add(std::string_view left, std::string_view right) {
    append(left);
    append(right);
    ++size_;
  }

  /// Adds a merge written as its two tokens with one space between: `"Ġ t"`. `source` names the file in errors.
  void add_line(std::string_view line, std::string_view source) {
    std::size_t const space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      fail<FileError>("[", source, "] merge ", size_, " is not a pair; got ", printable(line),
                      "; expected two tokens with one space between");
    }
    add(line.substr(0, space), line.substr(space + 1));
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Calls `merge(left, right)` for each, in order.
  template <class Each>
  void for_each(Each&& merge) const {
    for (std::string_view rest = texts_; !rest.empty();) {
      std::string_view const left = take(rest);
      merge(left, take(rest));
    }
  }

 private:
  /// Seven bits of the length a byte, lowest first; the highest bit says that more follow.
  void append(std::string_view text) {
    std::size_t length = text.size();
    for (; length >= 0x80; length >>= 7)
      texts_.push_back(static_cast<char>(static_cast<unsigned char>(0x80 | (length & 0x7F))));
    texts_.push_back(static_cast<char>(length));
    texts_.append(text);
  }

  [[nodiscard]] static std::string_view take(std::string_view& rest) noexcept {
    std::size_t length = 0, used = 0;
    for (unsigned char byte = 0x80; (byte & 0x80) != 0; ++used) {
      byte = static_cast<unsigned char>(rest[used]);
      length |= static_cast<std::size_t>(byte & 0x7F) << (7 * used);
    }
    std::string_view const text = rest.substr(used, length);
    rest.remove_prefix(used + length);
    return text;
  }

  std::string texts_;
  std::size_t size_ = 0;
};

/// The merges by pair of ids. `source` names the file in errors.
/// @throws FileError for a merge whose texts are not in the vocabulary
[[nodiscard]] inline MergeTable make_merge_table(MergeList const& merges, Vocabulary const& vocabulary,
                                                 std::string_view source) {
  if (merges.size() >= UINT32_MAX) fail<FileError>("[", source, "] has too many merges; got ", merges.size());
  MergeTable table;
  std::uint32_t rank = 0;
  std::string merged;
  merges.for_each([&](std::string_view left, std::string_view right) {
    merged.assign(left).append(right);
    auto const a = vocabulary.find(left), b = vocabulary.find(right), both = vocabulary.find(merged);
    if (!a || !b || !both) {
      fail<FileError>("[", source, "] merge ", rank, " refers to a token that is not in the vocabulary; got ",
                      printable(left), " + ", printable(right), "; expected ",
                      printable(!a   ? left
                                : !b ? right
                                     : std::string_view(merged)),
                      " to be a token");
    }
    table.insert(*a, *b, {rank++, *both});
  });
  return table;
}

}  // namespace graft
