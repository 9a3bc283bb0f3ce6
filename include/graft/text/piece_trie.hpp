/// @file
/// @brief Which tokens begin a text: all of them in one walk.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/text/vocabulary.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// A radix tree (Morrison 1968) over tokens of a vocabulary: at most two nodes a token, whatever the tokens' lengths.
/// The texts stay in the vocabulary, which every call therefore names.
class PieceTrie {
 public:
  PieceTrie() = default;

  /// Longer tokens are refused (SentencePiece's limit too): a walk may take as many steps as the longest has bytes.
  static constexpr std::size_t longest_piece = 8000;

  /// @param ids tokens of `vocabulary`; empty ones are left out
  /// @param source name of the file, for errors
  /// @throws FileError for a token of `longest_piece` bytes or more
  PieceTrie(Vocabulary const& vocabulary, std::vector<Token> ids, std::string_view source) {
    for (Token const id : ids) {
      if (std::size_t const length = vocabulary.token(id)->size(); length >= longest_piece) {
        fail<FileError>("[", source, "] piece ", printable(*vocabulary.token(id)), " is too long; got ", length,
                        " bytes; expected fewer than ", longest_piece);
      }
    }
    std::erase_if(ids, [&](Token id) { return vocabulary.token(id)->empty(); });
    std::sort(ids.begin(), ids.end(), [&](Token a, Token b) { return *vocabulary.token(a) < *vocabulary.token(b); });
    add(Node{});
    struct Range {
      std::uint32_t node;
      std::size_t begin, end, depth;
    };
    std::deque<Range> open{{0, 0, ids.size(), 0}};
    for (; !open.empty(); open.pop_front()) {  // nodes in the order of their depth: a node's children lie together
      Range const range = open.front();
      auto const text = [&](std::size_t i) { return *vocabulary.token(ids[i]); };
      nodes_[range.node].first_child = static_cast<std::uint32_t>(nodes_.size());
      std::size_t begin = range.begin;
      if (begin < range.end && text(begin).size() == range.depth) ++begin;  // the token that ends at this node
      while (begin < range.end) {
        char const first = text(begin)[range.depth];
        std::size_t end = begin + 1;
        while (end < range.end && text(end)[range.depth] == first) ++end;
        std::size_t const depth = common_prefix(text(begin), text(end - 1), range.depth);
        bool const ends = text(begin).size() == depth;
        if (end - begin > 1) open.push_back({static_cast<std::uint32_t>(nodes_.size()), begin, end, depth});
        add(Node{ids[begin], ends ? ids[begin] : none, static_cast<std::uint32_t>(depth), 0, 0}, first);
        begin = end;
      }
      nodes_[range.node].child_count = static_cast<std::uint32_t>(nodes_.size()) - nodes_[range.node].first_child;
    }
  }

  [[nodiscard]] bool empty() const noexcept { return nodes_.size() < 2; }

  /// Calls `found(id, length)` for every token that `text` begins with, shortest first.
  template <class Found>
  void for_each_prefix(Vocabulary const& vocabulary, std::string_view text, Found&& found) const {
    if (empty()) return;
    std::size_t at = 0;
    for (Node const* node = nodes_.data(); at < text.size();) {
      void const* const hit = std::memchr(first_bytes_.data() + node->first_child, text[at], node->child_count);
      if (hit == nullptr) return;
      node = nodes_.data() + (static_cast<char const*>(hit) - first_bytes_.data());
      std::string_view const label = vocabulary.token(node->example)->substr(at, node->depth - at);
      if (label.size() > 1 && text.substr(at, label.size()) != label) return;
      at = node->depth;
      if (node->id != none) found(node->id, at);
    }
  }

  /// The longest token that `text` begins with and its length; length 0 if there is none.
  struct Longest {
    Token id;
    std::size_t length;
  };
  [[nodiscard]] Longest longest_prefix(Vocabulary const& vocabulary, std::string_view text) const {
    Longest best{0, 0};
    for_each_prefix(vocabulary, text, [&](Token id, std::size_t length) { best = {id, length}; });
    return best;
  }

 private:
  static constexpr Token none = -1;
  struct Node {
    Token example = none;     ///< a token that begins with all that leads here
    Token id = none;          ///< the token that ends here
    std::uint32_t depth = 0;  ///< bytes that lead here
    std::uint32_t first_child = 0, child_count = 0;
  };

  void add(Node node, char first = '\0') {
    nodes_.push_back(node);
    first_bytes_.push_back(first);
  }

  [[nodiscard]] static std::size_t common_prefix(std::string_view a, std::string_view b, std::size_t from) noexcept {
    while (from < a.size() && from < b.size() && a[from] == b[from]) ++from;
    return from;
  }

  std::vector<Node> nodes_;
  std::string first_bytes_;  ///< of each node's label
};

}  // namespace graft
