/// @file
/// @brief The merges of a byte-pair encoding, looked up by pair of ids.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/byte_hash.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace graft {

/// A merge: how early it was learned (smaller first) and the token that it makes.
struct Merge {
  std::uint32_t rank;
  Token merged;
};

/// (left, right) → Merge: open addressing with linear probing, 16 bytes a slot.
class MergeTable {
 public:
  MergeTable() : slots_(64) {}

  /// Sets the merge of a pair; a later one replaces an earlier one, as in Hugging Face's tokenizers.
  void insert(Token left, Token right, Merge merge) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow();
    Slot& slot = slots_[slot_of(key_of(left, right))];
    if (slot.key == free_key) ++used_;
    slot = {key_of(left, right), merge};
  }

  /// The merge of a pair of ids (≥ 0), or null.
  [[nodiscard]] Merge const* find(Token left, Token right) const noexcept {
    Slot const& slot = slots_[slot_of(key_of(left, right))];
    return slot.key == free_key ? nullptr : &slot.merge;
  }

  [[nodiscard]] std::size_t size() const noexcept { return used_; }

 private:
  static constexpr std::uint64_t free_key = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = free_key;
    Merge merge{};
  };

  [[nodiscard]] static std::uint64_t key_of(Token left, Token right) noexcept {
    return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
  }

  [[nodiscard]] std::size_t slot_of(std::uint64_t key) const noexcept {
    std::size_t const mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(detail::mix_bits(key)) & mask;
    while (slots_[slot].key != key && slots_[slot].key != free_key) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    std::vector<Slot> const old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (Slot const& slot : old)
      if (slot.key != free_key) slots_[slot_of(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace graft
