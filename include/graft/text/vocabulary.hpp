/// @file
/// @brief A two-way table between tokens and their ids.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/byte_hash.hpp>
#include <graft/text/printable.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// Tokens and their ids. All texts lie in one buffer and the hash table holds 4-byte indices, so that a vocabulary
/// takes hardly more memory than the file it came from. Ids may have gaps.
class Vocabulary {
 public:
  /// Ids from here on are refused: the largest published vocabularies have about a million tokens, and the table by id
  /// is dense.
  static constexpr Token id_limit = Token{1} << 22;

  /// Adds a token. `source` names the file in errors.
  /// @throws FileError for a repeated token, a repeated id, or an id outside [0, id_limit).
  void add(std::string_view token, std::int64_t id, std::string_view source) {
    if (id < 0 || id >= id_limit)
      fail<FileError>("[", source, "] id of token ", printable(token), " is out of range; got ", id, "; expected 0 to ",
                      id_limit - 1);
    if (token.size() > UINT32_MAX - texts_.size())
      fail<FileError>("[", source, "] vocabulary is too large; got more than 4 GiB of tokens");
    if (entries_.size() * 2 >= slots_.size()) grow();
    auto const number = static_cast<std::uint32_t>(entries_.size() + 1);  // 0 marks a free slot
    std::uint32_t& slot = slots_[slot_of(token)];
    if (slot != 0) {
      fail<FileError>("[", source, "] token ", printable(token), " occurs twice; got ids ", entries_[slot - 1].id,
                      " and ", id, "; expected one");
    }
    auto const place = static_cast<std::size_t>(id);
    if (place >= by_id_.size()) by_id_.resize(place + 1, 0);
    if (by_id_[place] != 0) {
      fail<FileError>("[", source, "] id ", id, " is given twice; got ", printable(text(by_id_[place])), " and ",
                      printable(token), "; expected distinct ids");
    }
    entries_.push_back(
        {static_cast<std::uint32_t>(texts_.size()), static_cast<std::uint32_t>(token.size()), static_cast<Token>(id)});
    texts_.append(token);
    slot = by_id_[place] = number;
  }

  /// The id of a token, if it is there.
  [[nodiscard]] std::optional<Token> find(std::string_view token) const noexcept {
    if (slots_.empty()) return std::nullopt;
    std::uint32_t const number = slots_[slot_of(token)];
    return number == 0 ? std::nullopt : std::optional<Token>(entries_[number - 1].id);
  }

  /// The token of an id, if it is there; the view lives as long as the vocabulary is not changed.
  [[nodiscard]] std::optional<std::string_view> token(Token id) const noexcept {
    if (id < 0 || id >= size() || by_id_[static_cast<std::size_t>(id)] == 0) return std::nullopt;
    return text(by_id_[static_cast<std::size_t>(id)]);
  }

  /// One more than the largest id.
  [[nodiscard]] Token size() const noexcept { return static_cast<Token>(by_id_.size()); }

 private:
  struct Entry {
    std::uint32_t begin, length;
    Token id;
  };

  [[nodiscard]] std::string_view text(std::uint32_t number) const noexcept {
    return std::string_view(texts_).substr(entries_[number - 1].begin, entries_[number - 1].length);
  }

  /// The slot that holds `token`, or the free one where it would go (linear probing in a power of two).
  [[nodiscard]] std::size_t slot_of(std::string_view token) const noexcept {
    std::size_t const mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(detail::hash_bytes(token)) & mask;
    while (slots_[slot] != 0 && text(slots_[slot]) != token) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto const number = static_cast<std::uint32_t>(i + 1);
      slots_[slot_of(text(number))] = number;
    }
  }

  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  ///< number of an entry (its index + 1), or 0
  std::vector<std::uint32_t> by_id_;  ///< likewise
};

}  // namespace graft
