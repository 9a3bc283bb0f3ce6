/// @file
/// @brief The spaces that `clean_up_tokenization_spaces` takes out of decoded text.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <graft/core/replace_all.hpp>

namespace graft {

/// Takes spaces before punctuation and English contractions out of a text that comes in parts, as transformers does
/// with the whole text.
class SpaceCleanup {
 public:
  /// Adds `text` and returns what no later text can change any more.
  [[nodiscard]] std::string push(std::string_view text) {
    held_.append(text);
    std::size_t const end = settled(held_);
    std::string done = held_.substr(0, end);
    held_.erase(0, end);
    return clean(std::move(done));
  }

  /// What is left.
  [[nodiscard]] std::string finish() { return clean(std::exchange(held_, {})); }

 private:
  /// Every rule begins with a space, and only `" ' "` goes on to the next one: a text may be cut before a space that no
  /// `" '"` precedes.
  [[nodiscard]] static std::size_t settled(std::string_view text) noexcept {
    std::size_t end = text.rfind(' ');
    while (end != std::string_view::npos && end > 0 && text.substr(0, end).ends_with(" '"))
      end = text.rfind(' ', end - 1);
    return end == std::string_view::npos ? text.size() : end;
  }

  [[nodiscard]] static std::string clean(std::string text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 10> rules{{{" .", "."},
                                                                                   {" ?", "?"},
                                                                                   {" !", "!"},
                                                                                   {" ,", ","},
                                                                                   {" ' ", "'"},
                                                                                   {" n't", "n't"},
                                                                                   {" 'm", "'m"},
                                                                                   {" 's", "'s"},
                                                                                   {" 've", "'ve"},
                                                                                   {" 're", "'re"}}};
    for (auto const& [pattern, content] : rules) detail::replace_all(text, pattern, content);
    return text;
  }

  std::string held_;
};

}  // namespace graft
