/// @file
/// @brief What happens to a text before it is divided.
#pragma once

#include <graft/text/bert_normalizer.hpp>
#include <graft/text/chars_map.hpp>
#include <graft/text/grapheme.hpp>
#include <graft/text/normal_form.hpp>
#include <graft/text/sentencepiece_normalizer.hpp>
#include <graft/text/split_pattern.hpp>
#include <graft/text/text_place.hpp>
#include <graft/text/unicode_class.hpp>
#include <graft/text/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace graft {

/// Steps of a normalizer, by the names of Hugging Face's tokenizers.
namespace normalizing {

/// Each character in lower case.
struct Lowercase {
  [[nodiscard]] std::string operator()(std::string_view text) const { return lowercase_characters(text); }
};

/// Without marks; composed characters keep theirs unless NFD or NFKD comes before.
struct StripAccents {
  [[nodiscard]] std::string operator()(std::string_view text) const { return strip_marks(text); }
};

/// Without white space at its ends.
struct Strip {
  bool left = true, right = true;

  [[nodiscard]] std::string operator()(std::string_view text) const {
    std::size_t begin = left ? detail::run_end(text, 0, CharClass::space) : 0, end = text.size();
    while (right && end > begin) {
      Utf8Char const last = detail::utf8_before(text, end);
      if (char_class(last.code) != CharClass::space) break;
      end -= last.bytes;
    }
    return std::string(text.substr(begin, end - begin));
  }
};

/// Something before a text that is not empty.
struct Prepend {
  std::string content;
  [[nodiscard]] std::string operator()(std::string_view text) const {
    return text.empty() ? std::string() : content + std::string(text);
  }
};

/// One text by another.
struct Replace {
  std::string pattern, content;

  [[nodiscard]] std::string operator()(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at; (at = text.find(pattern)) != std::string_view::npos; text.remove_prefix(at + pattern.size()))
      out.append(text.substr(0, at)).append(content);
    return out.append(text);
  }
};

/// Runs of two and more spaces: the regular expression ` {2,}`.
struct ReplaceSpaceRuns {
  std::string content;

  [[nodiscard]] std::string operator()(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const end = std::min(text.find_first_not_of(' ', at), text.size());
      end - at >= 2 ? out.append(content) : out.append(text.substr(at, std::max<std::size_t>(end - at, 1)));
      at = std::max(end, at + 1);
    }
    return out;
  }
};

/// SentencePiece's rules as Hugging Face's tokenizers apply them: to a short grapheme cluster as a whole if a rule
/// begins it, else to each character by itself.
struct Precompiled {
  std::shared_ptr<CharsMap const> chars_map;

  [[nodiscard]] std::string operator()(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      std::string_view const cluster = text.substr(at, grapheme_end(text, at) - at);
      at += cluster.size();
      auto const whole = cluster.size() < 6 ? chars_map->shortest(cluster) : std::nullopt;
      if (whole) {
        out.append(whole->replacement);
        continue;
      }
      for (std::size_t i = 0; i < cluster.size();) {
        std::string_view const character = cluster.substr(i, utf8_at(cluster, i).bytes);
        auto const match = chars_map->shortest(character);
        out.append(match ? match->replacement : character);
        i += character.size();
      }
    }
    return out;
  }
};

using Step = std::variant<NormalForm, Lowercase, StripAccents, Strip, Prepend, Replace, ReplaceSpaceRuns, Precompiled,
                          BertNormalizer, SentencePieceNormalizer>;

}  // namespace normalizing

/// A chain of steps; without any, a text stays as it is.
class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<normalizing::Step> steps) : steps_(std::move(steps)) {}
  Normalizer(NormalForm form) {  // NOLINT(google-explicit-constructor): a form is a normalizer
    if (form != NormalForm::none) steps_.emplace_back(form);
  }

  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

  /// @param text well-formed UTF-8
  [[nodiscard]] std::string operator()(std::string_view text, TextPlace place = TextPlace::begins) const {
    std::string current(text);
    for (auto const& step : steps_)
      current = std::visit([&](auto const& apply) { return run(apply, current, place); }, step);
    return current;
  }

  /// Where what is left of `text` stands: not where the text begins if white space has been stripped before it.
  [[nodiscard]] TextPlace place_after(std::string_view text, TextPlace place) const noexcept {
    if (place != TextPlace::begins || text.empty() || char_class(utf8_at(text, 0).code) != CharClass::space)
      return place;
    bool const strips = std::any_of(steps_.begin(), steps_.end(), [](normalizing::Step const& step) {
      auto const* const strip = std::get_if<normalizing::Strip>(&step);
      return strip != nullptr && strip->left;
    });
    return strips ? TextPlace::inside : place;
  }

  /// Whether a text that begins gets a space of its own which a text that continues another does not.
  [[nodiscard]] bool puts_space_before() const noexcept {
    return std::any_of(steps_.begin(), steps_.end(), [](normalizing::Step const& step) {
      if (auto const* const pieces = std::get_if<SentencePieceNormalizer>(&step))
        return pieces->prefix != PrefixSpace::never && !pieces->whitespace_as_suffix;
      return std::holds_alternative<normalizing::Prepend>(step);
    });
  }

 private:
  template <class Apply>
  [[nodiscard]] static std::string run(Apply const& apply, std::string_view text, TextPlace place) {
    bool const continues = place == TextPlace::continues;
    if constexpr (std::is_same_v<Apply, NormalForm>) {
      return normalize(apply, text);
    } else if constexpr (std::is_same_v<Apply, SentencePieceNormalizer>) {
      return apply(text, place);
    } else if constexpr (std::is_same_v<Apply, normalizing::Prepend>) {
      return continues ? std::string(text) : apply(text);
    } else if constexpr (std::is_same_v<Apply, normalizing::Strip>) {
      return normalizing::Strip{apply.left && !continues, apply.right}(text);
    } else {
      return apply(text);
    }
  }

  std::vector<normalizing::Step> steps_;
};

}  // namespace graft
