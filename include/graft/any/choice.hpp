/// @file
/// @brief A strategy that is chosen at run time, with its settings as text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/types.hpp>
#include <graft/nn/model_info.hpp>

namespace graft::any {

/// A strategy's name and its settings by name. A setting in another has both names with a dot between them
/// (`reparametrization.hidden`). One of a composition's part has the part's name before it (`lora.rank` of
/// `prefix_lora`); without that name it is given to every part that has it. On a classifier the settings of the head
/// that is trained beside the strategy are `head.labels`, `head.restart` and `head.init_deviation`.
///
/// `init_text` may stand for `init=words` with `init_words`: `encode_words` puts the words' tokens in its place.
struct Choice {
  std::string strategy = "prefix";                                 ///< a name of `strategies()`
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name and value, in the order given
  std::optional<Index> labels = std::nullopt;  ///< classes that the data have, for a classifier's head (default: the
                                               ///< model's)
  std::uint64_t seed = 0;                      ///< addresses the random start of the parameters

  friend bool operator==(Choice const&, Choice const&) = default;
};

/// What is known of one setting; all of it derives from the strategy's `visit`.
struct SettingInfo {
  std::string name;                  ///< as in `Choice::settings`
  std::string type;                  ///< what values are: "a whole number", "true or false", …
  std::string fallback;              ///< the value that holds where none is given, as text
  std::string help;                  ///< one sentence
  std::vector<std::string> choices;  ///< the enumerators' names, of an enumeration
};

/// What is known of one strategy.
struct StrategyInfo {
  std::string name, summary;
  double learning_rate = 0;  ///< suits it on small data
  std::vector<SettingInfo> settings;
};

/// Those that `load_base` offers, in the order of the list (`graft/any/strategies.hpp`).
[[nodiscard]] std::vector<StrategyInfo> const& strategies();
/// @throws ConfigError that lists the names
[[nodiscard]] StrategyInfo const& strategy_info(std::string_view name);
/// Whether a strategy of this name is offered for a model: an infix stands between a source and a target, which a
/// classifier lacks; only a classifier has a head.
[[nodiscard]] bool exists(std::string_view strategy, ModelInfo const& model);

/// Reads `lora`, `lora:rank=4` or `lora:rank=4:alpha=8:targets=q_proj+v_proj`: `:` stands before each setting, `=`
/// between its name and its value, `+` between the elements of a list. A backslash before `:` or a backslash makes it
/// part of the value. Neither names nor values are looked at: see `check`.
/// @throws ConfigError for a text of another form
[[nodiscard]] Choice parse_choice(std::string_view text);
/// The same form; `parse_choice` reads it back. `labels` and `seed` are not in it.
[[nodiscard]] std::string to_string(Choice const& choice);
/// `name=value`, as `--set` of the programs takes it. @throws ConfigError for a text of another form
[[nodiscard]] std::pair<std::string, std::string> parse_assignment(std::string_view text);

/// Checks everything that can be checked before anything is computed: the strategy exists for the model, every setting
/// is known, is given once, has a value of its type and range, and has an effect beside the others on this model.
/// @throws ConfigError, one sentence
void check(Choice const& choice, ModelInfo const& model);

/// Which of a strategy's settings have an effect on a model beside those that are given, and which given ones do not.
struct SettingUse {
  std::vector<std::string> read;    ///< names of `StrategyInfo::settings`
  std::vector<std::string> unread;  ///< names as they were given
};
/// @throws ConfigError as `check`, but for settings without effect
[[nodiscard]] SettingUse setting_use(Choice const& choice, ModelInfo const& model);
/// The given setting without which `unread` would have an effect; empty if there is none.
[[nodiscard]] std::string replaced_by(Choice const& choice, std::string const& unread, ModelInfo const& model);
/// The names by which a given setting of a choice is known among `StrategyInfo::settings`: those of the parts, of a
/// composition; empty for an unknown one. @throws ConfigError for an unknown strategy
[[nodiscard]] std::vector<std::string> full_names(std::string_view strategy, std::string_view setting);

/// Tokens of a text, as a model's tokenizer gives them.
using Encode = std::function<std::vector<Token>(std::string const&)>;
/// Puts `init=words` and `init_words`, a word for each token, in the place of `init_text`. @throws ConfigError for a
/// text without tokens
void encode_words(Choice& choice, Encode const& encode);

}  // namespace graft::any
