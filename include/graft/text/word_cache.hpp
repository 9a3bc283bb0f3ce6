/// @file
/// @brief A bounded memory of recent words and their tokens: natural text repeats its words.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/byte_hash.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// A direct-mapped cache from words to token ids: one megabyte, one cache line a word; a newer word displaces the older
/// one in its slot.
class WordCache {
 public:
  static constexpr std::size_t longest_word = 22, most_tokens = 8;

  WordCache() : slots_(slot_count) {}

  [[nodiscard]] static bool fits(std::string_view word) noexcept {
    return !word.empty() && word.size() <= longest_word;
  }

  /// Appends the tokens of `word` and returns true, if they are remembered.
  [[nodiscard]] bool append(std::string_view word, std::uint64_t hash, std::vector<Token>& out) const {
    Slot const& slot = slots_[hash % slot_count];
    if (slot.length != word.size() || std::memcmp(slot.word.data(), word.data(), word.size()) != 0) return false;
    out.insert(out.end(), slot.tokens.begin(), slot.tokens.begin() + slot.count);
    return true;
  }

  /// Remembers the tokens of `word`, if they are few enough.
  void remember(std::string_view word, std::uint64_t hash, std::span<Token const> tokens) noexcept {
    if (tokens.size() > most_tokens) return;
    Slot& slot = slots_[hash % slot_count];
    slot.length = static_cast<std::uint8_t>(word.size());
    slot.count = static_cast<std::uint8_t>(tokens.size());
    std::memcpy(slot.word.data(), word.data(), word.size());
    std::copy(tokens.begin(), tokens.end(), slot.tokens.begin());
  }

 private:
  static constexpr std::size_t slot_count = 16384;
  struct alignas(64) Slot {
    std::uint8_t length = 0, count = 0;  ///< length 0: free
    std::array<char, longest_word> word;
    std::array<Token, most_tokens> tokens;
  };
  std::vector<Slot> slots_;
};

/// Caches that concurrent encodes borrow, one each: a lock per call instead of one per word.
class WordCachePool {
 public:
  /// A borrowed cache; it goes back when the lease ends.
  class Lease {
   public:
    explicit Lease(WordCachePool& pool) : pool_(pool), cache_(pool.take()) {}
    ~Lease() { pool_.give(std::move(cache_)); }
    Lease(Lease const&) = delete;
    Lease& operator=(Lease const&) = delete;
    [[nodiscard]] WordCache& operator*() noexcept { return *cache_; }

   private:
    WordCachePool& pool_;
    std::unique_ptr<WordCache> cache_;
  };

 private:
  static constexpr std::size_t most_idle = 16;

  [[nodiscard]] std::unique_ptr<WordCache> take() {
    {
      std::lock_guard const lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<WordCache> cache = std::move(idle_.back());
        idle_.pop_back();
        return cache;
      }
      idle_.reserve(most_idle);  // so that giving back cannot throw
    }
    return std::make_unique<WordCache>();
  }

  void give(std::unique_ptr<WordCache> cache) noexcept {
    std::lock_guard const lock(mutex_);
    if (idle_.size() < most_idle) idle_.push_back(std::move(cache));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> idle_;
};

}  // namespace graft
