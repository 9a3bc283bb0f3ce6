/// @file
/// @brief How a program's texts are searched for: its options, and what the checkpoint's generation configuration says
/// where there is no option.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <graft/core/warning.hpp>
#include <graft/generate/end_tokens.hpp>
#include <graft/generate/settings.hpp>
#include <graft/io/generation_config.hpp>
#include <graft/models/row_limits.hpp>

namespace support {

using graft::Index;
using graft::Token;
using GenerationSettings = std::variant<graft::Greedy, graft::Sampling, graft::BeamSearch>;

[[nodiscard]] inline Index max_new_of(GenerationSettings const& settings) {
  return std::visit([](auto const& chosen) { return chosen.max_new_tokens; }, settings);
}
[[nodiscard]] inline Index min_new_of(GenerationSettings const& settings) {
  return std::visit([](auto const& chosen) { return chosen.min_new_tokens; }, settings);
}

/// A search and how long its texts may be.
class Search {
 public:
  GenerationSettings settings;
  std::string taken;                      ///< what the generation configuration gave, for people; empty: nothing
  std::optional<Index> max_new, min_new;  ///< from options or the configuration
  std::optional<Index> max_length,
      min_length;  ///< the configuration's, where there is no number of new tokens: what the decoder reads first counts
  bool least_asked =
      false;  ///< whether min_new is an option's, which must not exceed the most; a configuration's ends there
  Index usual_max_new = 60;                         ///< where nobody says anything
  std::string where;                                ///< the configuration's file
  std::vector<Token> suppressed, first_suppressed;  ///< the configuration's, as it has them

  [[nodiscard]] bool beams() const { return std::holds_alternative<graft::BeamSearch>(settings); }
  [[nodiscard]] Index texts_per_prompt() const {
    if (auto const* sampling = std::get_if<graft::Sampling>(&settings)) return sampling->sequences;
    auto const* beam_search = std::get_if<graft::BeamSearch>(&settings);
    return beam_search ? beam_search->beams : 1;
  }
  /// Texts returned for a prompt.
  [[nodiscard]] Index sequences() const {
    if (auto const* sampling = std::get_if<graft::Sampling>(&settings)) return sampling->sequences;
    auto const* beam_search = std::get_if<graft::BeamSearch>(&settings);
    return beam_search ? beam_search->sequences : 1;
  }
  [[nodiscard]] std::vector<Token> const& end_tokens() const {
    return std::visit([](auto const& chosen) -> std::vector<Token> const& { return chosen.end_tokens; }, settings);
  }

  /// Adds what depends on the model. `own_end` is the tokenizer's end token, or that of an adapter's training.
  void complete(graft::ModelConfig const& config, std::optional<Token> own_end, bool adapted,
                graft::RowLimits const& limits) {
    auto const ends = graft::end_tokens(config, own_end, adapted);
    std::visit([&](auto& chosen) { chosen.end_tokens = ends; }, settings);
    for (auto const& word : std::visit([](auto const& chosen) { return chosen.bad_words; }, settings))
      for (Token token : word)
        if (token < 0 || token >= config.vocabulary)
          graft::fail<graft::ConfigError>("[", where, "] has the id ", token,
                                          " at the key bad_words_ids; expected 0 to ", config.vocabulary - 1,
                                          "; hint: --generation-defaults off");
    note_suppressed(suppressed, "suppress_tokens", config.vocabulary);
    note_suppressed(first_suppressed, "begin_suppress_tokens", config.vocabulary);
    read_first_ = config.encoder.has_value();
    limits_ = limits;
    if (ends != std::vector<Token>{own_end.value_or(-1)}) note("end tokens" + joined(ends));
  }

  /// New tokens that a prompt must leave room for; a text of limited length ends where the room does.
  [[nodiscard]] Index least_room() const { return max_new ? *max_new : max_length ? 1 : usual_max_new; }
  /// The settings for a prompt of so many tokens.
  [[nodiscard]] GenerationSettings for_prompt(Index length) const {
    Index const read = read_first_ ? 1 : length;
    Index most = max_new.value_or(usual_max_new);
    if (!max_new && max_length) {
      if (*max_length <= read)
        graft::fail<graft::ConfigError>("[", where, "] has max_length ", *max_length, ", and a prompt has ", read,
                                        " tokens; expected fewer; hint: --max-new");
      most = std::max<Index>(1, std::min(*max_length - read, limits_->longest_target(length)));
    }
    Index const least = min_new.value_or(min_length ? std::max<Index>(0, *min_length - read) : 0);
    auto result = settings;
    std::visit(
        [&](auto& chosen) {
          chosen.max_new_tokens = most, chosen.min_new_tokens = least_asked ? least : std::min(least, most);
        },
        result);
    return result;
  }

  void note(std::string const& what) { taken += (taken.empty() ? "" : ", ") + what; }

 private:
  [[nodiscard]] static std::string joined(std::vector<Token> const& tokens) {
    std::string text;
    for (Token token : tokens) text += " " + std::to_string(token);
    return text.empty() ? " none" : text;
  }

  /// Those that can come; the others are said.
  void note_suppressed(std::vector<Token> const& tokens, char const* key, Index vocabulary) {
    Index count = 0;
    for (Token token : tokens) {
      bool const can_come = token >= 0 && token < vocabulary;
      count += can_come;
      if (!can_come)
        graft::warn("[", where, "] has the id ", token, " at the key ", key, ", which is left out; expected 0 to ",
                    vocabulary - 1);
    }
    if (count > 0) note(graft::cat(count, " ", key));
  }

  bool read_first_ = false;
  std::optional<graft::RowLimits> limits_;
};

}  // namespace support
