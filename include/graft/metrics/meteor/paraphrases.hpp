/// @file
/// @brief METEOR's paraphrase table, of which only the rows are kept whose words occur in the texts.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/metrics/tokenization.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace graft::detail {

/// Lines of a gzip file, one after the other.
class GzipLines {
 public:
  /// @throws FileError when the file is missing
  explicit GzipLines(std::filesystem::path const& path) : path_(path), file_(gzopen(path.c_str(), "rb"), &gzclose) {
    if (!file_) fail<FileError>("[", path.string(), "] cannot be read; expected a gzip file");
    gzbuffer(file_.get(), 1U << 18U);
  }
  /// The next line without its end, valid until the next call; nothing at the end of the file.
  /// @throws FileError when the file is damaged
  [[nodiscard]] std::optional<std::string_view> next() {
    for (;;) {
      std::size_t const end = buffer_.find('\n', start_);
      if (end != std::string::npos) return take(end);
      buffer_.erase(0, start_);
      start_ = 0;
      std::size_t const kept = buffer_.size();
      buffer_.resize(kept + (1U << 20U));
      int const got = gzread(file_.get(), buffer_.data() + kept, 1U << 20U);
      int state = Z_OK;
      gzerror(file_.get(), &state);
      if (got < 0 || (got == 0 && state != Z_OK))
        fail<FileError>("[", path_.string(), "] is damaged; expected a whole gzip file");
      buffer_.resize(kept + static_cast<std::size_t>(got));
      if (got == 0) return kept == 0 ? std::nullopt : std::optional(take(kept));
    }
  }

 private:
  /// The line that ends at `end`.
  [[nodiscard]] std::string_view take(std::size_t end) {
    std::string_view const line = std::string_view(buffer_).substr(start_, end - start_);
    start_ = std::min(end + 1, buffer_.size());
    return line;
  }

  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile_s*)> file_;
  std::string buffer_;
  std::size_t start_ = 0;
};

/// Phrases and what may stand for them, found by walking a tree of words.
class Paraphrases {
 public:
  Paraphrases() = default;
  /// Keeps the rows of `path` whose words all are in `words`, which maps a word to its number.
  /// @throws FileError when the file is missing, damaged or empty, or ends inside a row (probability, phrase,
  /// paraphrase)
  Paraphrases(std::filesystem::path const& path, std::unordered_map<std::string, std::int32_t> const& words) {
    GzipLines lines(path);
    std::vector<std::int32_t> phrase, other;
    bool empty = true;
    while (lines.next()) {
      empty = false;
      auto line = lines.next();
      bool kept = line && known(*line, words, phrase);
      if (line) line = lines.next();
      if (!line) fail<FileError>("[", path.string(), "] ends inside a row; expected three lines a row");
      if (kept && known(*line, words, other)) add(phrase, other);
    }
    if (empty) fail<FileError>("[", path.string(), "] is empty; expected METEOR's table of paraphrases");
  }

  void add(std::vector<std::int32_t> const& phrase, std::vector<std::int32_t> const& other) {
    std::uint32_t node = 0;
    for (std::int32_t const word : phrase) {
      auto const [place, fresh] = next_.try_emplace(edge(node, word), static_cast<std::uint32_t>(nodes_.size()));
      if (fresh) nodes_.emplace_back();
      node = place->second;
    }
    nodes_[node].push_back(other);
  }

  /// Calls `found(length, paraphrase)` for every phrase that begins at `start`, short ones first, then in the file's
  /// order.
  template <class Found>
  void visit(std::vector<std::int32_t> const& text, std::size_t start, Found found) const {
    std::uint32_t node = 0;
    for (std::size_t i = start; i < text.size(); ++i) {
      auto const place = next_.find(edge(node, text[i]));
      if (place == next_.end()) return;
      node = place->second;
      for (auto const& other : nodes_[node]) found(i - start + 1, other);
    }
  }

 private:
  static std::uint64_t edge(std::uint32_t node, std::int32_t word) {
    return (std::uint64_t{node} << 32U) | static_cast<std::uint32_t>(word);
  }
  /// True when all words of the line have numbers, which are written to `numbers`.
  static bool known(std::string_view line, std::unordered_map<std::string, std::int32_t> const& words,
                    std::vector<std::int32_t>& numbers) {
    numbers.clear();
    for (std::string const& word : split_ascii_white_space(line)) {
      auto const found = words.find(word);
      if (found == words.end()) return false;
      numbers.push_back(found->second);
    }
    return !numbers.empty();
  }

  std::unordered_map<std::uint64_t, std::uint32_t> next_;
  std::vector<std::vector<std::vector<std::int32_t>>> nodes_{1};
};

}  // namespace graft::detail
