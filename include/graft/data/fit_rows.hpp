/// @file
/// @brief Which examples are too long for a model, before the first of them is computed: refused, cut or left out.
/// Tokens that the model lacks are refused.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
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

/// The two lists that are fitted: rows and prompts. What is said of one that is empty or too long.
struct FitWords {
  char const* empty;       ///< "[file] line 7" has before it
  char const* too_long;    ///< hint where that is refused
  char const* nothing_of;  ///< hint where cutting cannot help
};

[[nodiscard]] inline std::vector<Token> const& source_of(TokenizedExample const& example) { return example.source; }
[[nodiscard]] inline std::vector<Token> const& source_of(std::vector<Token> const& prompt) { return prompt; }

/// Refuses, cuts or leaves out; the items that stay move together. `excess(item, i)` is what is wrong with the i-th, if
/// anything; `cut(item, i)` shortens it as far as it can.
template <class Item, class Where, class Excess, class Cut>
FittedRows fit(std::vector<Item>& items, RowLimits const& limits, TooLong how, FitWords const& words,
               Where const& where, Excess const& excess, Cut const& cut) {
  FittedRows result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (source_of(items[i]).empty())
      fail<ConfigError>(where(i), words.empty, "; hint: a separator, a beginning token, or a text");
    if (std::optional<std::string> const why = excess(items[i], i)) {
      if (how == TooLong::refuse)
        fail<ConfigError>(where(i), " is too long for the model; ", *why, "; hint: ", words.too_long,
                          ", or cut or leave out what is too long");
      if (how == TooLong::skip) {
        ++result.skipped;
        continue;
      }
      cut(items[i], i);
      if (excess(items[i], i))
        fail<ConfigError>(where(i), " is too long for the model, and cutting leaves nothing of it; ", *why,
                          "; hint: ", words.nothing_of);
      ++result.cut;
    }
    if (auto const why = limits.foreign_token(items[i])) fail<ConfigError>(where(i), " ", *why);
    if (std::size_t const next = result.kept.size(); next != i) items[next] = std::move(items[i]);
    result.kept.push_back(i);
  }
  items.resize(result.kept.size());
  return result;
}

/// Removes from each list the same tokens: those before the last `kept_end`, until at most `longest` are left.
template <class... Lists>
void cut_before_end(Index longest, Index kept_end, std::vector<Token>& tokens, Lists&... parallel) {
  Index const excess = static_cast<Index>(tokens.size()) - std::max(longest, kept_end + 1);
  if (excess <= 0) return;
  auto const cut = [&](auto& list) {
    if (!list.empty()) list.erase(list.end() - kept_end - excess, list.end() - kept_end);
  };
  cut(tokens);
  (cut(parallel), ...);
}

}  // namespace detail

/// Holds every example against the model's limits.
/// @param kept_end tokens at a source's end that cutting leaves: a separator, an end token
/// @param where names an example by its index, as the beginning of a sentence: `[train.tsv] line 7`
/// @throws ConfigError for an example without source tokens; one that is too long, where that is refused or cutting
/// cannot help; one with a token that the model's vocabulary lacks; and if none is left
template <class Where>
FittedRows fit_rows(std::vector<TokenizedExample>& examples, RowLimits const& limits, TooLong how, Index kept_end,
                    Where const& where) {
  bool const any = !examples.empty();
  auto result = detail::fit(
      examples, limits, how, {" has no source tokens; expected at least one", "shorten it", "fewer virtual tokens"},
      where, [&](TokenizedExample const& example, std::size_t) { return limits.excess(example); },
      [&](TokenizedExample& example, std::size_t) {
        auto& source = example.source;
        auto& target = example.target;
        detail::cut_before_end(limits.longest_source(static_cast<Index>(target.size()), example.adapter), kept_end,
                               source, example.token_types);
        Index const room =
            std::max<Index>(0, limits.longest_target(static_cast<Index>(source.size()), example.adapter));
        if (static_cast<Index>(target.size()) > room && limits.excess(example))
          target.resize(static_cast<std::size_t>(room));
      });
  if (any && examples.empty())
    fail<ConfigError>(where(0),
                      " and all others are too long for the model; expected at least one that fits; hint: cut them, or "
                      "fewer virtual tokens");
  return result;
}

/// The same of prompts that may become longer by `new_tokens`, which cutting leaves alone.
/// @param adapters which adapter of an `AdapterTable` each prompt has, whose virtual tokens it has; empty for 0 in all.
/// Whoever leaves prompts out keeps those of `FittedRows::kept`
/// @throws ConfigError for an empty prompt, adapters that are not one for each prompt, and as `fit_rows`, except that
/// none may be left
template <class Where>
FittedRows fit_prompts(std::vector<std::vector<Token>>& prompts, RowLimits const& limits, Index new_tokens, TooLong how,
                       Index kept_end, Where const& where, std::vector<Index> const& adapters = {}) {
  if (!adapters.empty() && adapters.size() != prompts.size())
    fail<ConfigError>("[generate] got adapters of ", adapters.size(), " prompts; expected ", prompts.size(),
                      ", or none for 0 in all");
  auto const adapter_of = [&](std::size_t i) { return adapters.empty() ? 0 : adapters[i]; };
  return detail::fit(
      prompts, limits, how,
      {" is an empty prompt; expected at least one token", "shorten it, write fewer new tokens",
       "fewer new or virtual tokens"},
      where,
      [&](std::vector<Token> const& prompt, std::size_t i) {
        return limits.excess(prompt, new_tokens, nullptr, adapter_of(i));
      },
      [&](std::vector<Token>& prompt, std::size_t i) {
        detail::cut_before_end(limits.longest_source(new_tokens, adapter_of(i)), kept_end, prompt);
      });
}

}  // namespace graft
