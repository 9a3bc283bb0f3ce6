/// @file
/// @brief Which examples are too long for a model, before the first of them is computed: refused, cut or left out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/models/row_limits.hpp>

namespace graft {

/// What happens to an example that the model has too few positions for.
enum class TooLong {
  refuse,  ///< an error that names it
  cut,     ///< its source loses tokens before its kept end; where that is not enough, its target loses its end
  skip,    ///< it is left out
};

/// What `fit_rows` did.
struct FittedRows {
  Index cut = 0, skipped = 0;
  std::vector<std::size_t> kept;  ///< indices, in the list as it was, of the examples that are left
};

namespace detail {

/// Shortens one example to what fits; whether that was possible.
inline bool cut_row(TokenizedExample& example, RowLimits const& limits, Index kept_end) {
  auto const size = [](std::vector<Token> const& tokens) { return static_cast<Index>(tokens.size()); };
  Index const wanted = std::max(limits.longest_source(size(example.target)), kept_end + 1);
  if (Index const excess = size(example.source) - wanted; excess > 0) {
    auto const cut = [&](auto& list) { list.erase(list.end() - kept_end - excess, list.end() - kept_end); };
    cut(example.source);
    if (!example.token_types.empty()) cut(example.token_types);
  }
  if (Index const room = limits.longest_target(size(example.source));
      size(example.target) > room && limits.excess(example))
    example.target.resize(static_cast<std::size_t>(std::max<Index>(0, room)));
  return !limits.excess(example);
}

}  // namespace detail

/// Holds every example against the model's limits.
/// @param kept_end tokens at a source's end that cutting leaves: a separator, an end token
/// @param where names an example by its index, as the beginning of a sentence: `[train.tsv] line 7`
/// @throws ConfigError for an example without source tokens; one that is too long, where that is refused or cutting
/// cannot help; and if none is left
template <class Where>
FittedRows fit_rows(std::vector<TokenizedExample>& examples, RowLimits const& limits, TooLong how, Index kept_end,
                    Where const& where) {
  FittedRows result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (examples[i].source.empty())
      fail<ConfigError>(
          where(i), " has no source tokens; expected at least one; hint: a separator, a beginning token, or a text");
    if (auto const why = limits.excess(examples[i])) {
      if (how == TooLong::refuse)
        fail<ConfigError>(where(i), " is too long for the model; ", *why,
                          "; hint: shorten it, or cut or leave out what is too long");
      if (how == TooLong::skip) {
        ++result.skipped;
        continue;
      }
      if (!detail::cut_row(examples[i], limits, kept_end))
        fail<ConfigError>(where(i), " is too long for the model, and cutting leaves nothing of it; ", *why,
                          "; hint: fewer virtual tokens");
      ++result.cut;
    }
    result.kept.push_back(i);
    if (next != i) examples[next] = std::move(examples[i]);
    ++next;
  }
  if (next == 0 && !examples.empty())
    fail<ConfigError>(where(0),
                      " and all others are too long for the model; expected at least one that fits; hint: cut them, or "
                      "fewer virtual tokens");
  examples.resize(next);
  return result;
}

namespace detail {

/// What is wrong with a prompt of so many tokens, as `RowLimits::excess`.
[[nodiscard]] inline std::string prompt_excess(RowLimits const& limits, std::size_t tokens, Index new_tokens) {
  std::string const room = cat(", as the model has ", limits.positions(), " positions for them and virtual tokens");
  if (Index const longest = limits.longest_source(new_tokens); static_cast<Index>(tokens) > longest)
    return cat("got ", tokens, " tokens; expected at most ", longest, " before up to ", new_tokens, " new ones", room);
  return cat("got up to ", new_tokens, " new tokens; expected at most ",
             limits.longest_target(static_cast<Index>(tokens)), room);
}

}  // namespace detail

/// The same of prompts that may become longer by `new_tokens`, which cutting leaves alone.
/// @throws ConfigError for an empty prompt, and as `fit_rows`
template <class Where>
FittedRows fit_prompts(std::vector<std::vector<Token>>& prompts, RowLimits const& limits, Index new_tokens, TooLong how,
                       Index kept_end, Where const& where) {
  FittedRows result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto& prompt = prompts[i];
    if (prompt.empty())
      fail<ConfigError>(
          where(i),
          " is an empty prompt; expected at least one token; hint: a separator, a beginning token, or a text");
    if (limits.excess(prompt, new_tokens)) {
      std::string const why = detail::prompt_excess(limits, prompt.size(), new_tokens);
      if (how == TooLong::refuse)
        fail<ConfigError>(where(i), " is too long for the model; ", why,
                          "; hint: shorten it, write fewer new tokens, or cut or leave out what is too long");
      if (how == TooLong::skip) {
        ++result.skipped;
        continue;
      }
      Index const excess =
          static_cast<Index>(prompt.size()) - std::max(limits.longest_source(new_tokens), kept_end + 1);
      if (excess > 0) prompt.erase(prompt.end() - kept_end - excess, prompt.end() - kept_end);
      if (limits.excess(prompt, new_tokens))
        fail<ConfigError>(where(i), " is too long for the model, and cutting leaves nothing of it; ", why,
                          "; hint: fewer new or virtual tokens");
      ++result.cut;
    }
    result.kept.push_back(i);
    if (next != i) prompts[next] = std::move(prompt);
    ++next;
  }
  prompts.resize(next);
  return result;
}

}  // namespace graft
