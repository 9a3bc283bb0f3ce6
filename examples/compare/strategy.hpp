/// @file
/// @brief A row's strategy as text: its name and settings by name. All that this program knows of strategies stands
/// here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {
struct ModelInfo;
}
namespace graft::any {
class AnyBase;
class AnyModel;
}  // namespace graft::any

namespace compare {

using graft::Index;

/// The rows of a comparison that are not strategies.
inline constexpr char const* none = "none";
inline constexpr char const* few_shot = "few_shot";

/// "lora" with {"rank", "4"}; `none` and `few_shot` count as strategies here.
struct Strategy {
  std::string name;
  std::vector<std::pair<std::string, std::string>> settings;  ///< in the order given

  /// The value of a setting; null where it is not given.
  [[nodiscard]] std::string const* find(std::string_view setting) const;
  [[nodiscard]] bool operator==(Strategy const&) const = default;
};

inline bool is_trained(std::string_view name) { return name != none && name != few_shot; }

/// "lora:rank=4:alpha=8" as name and settings, as `graft::any::parse_choice` reads it. @throws ConfigError where it has
/// another form
Strategy parse_strategy(std::string_view text);
/// The same form again.
std::string to_string(Strategy const& strategy);
/// Settings in the order of their names, without those that say what holds anyhow: equal for strategies that are the
/// same.
Strategy canonical(Strategy const& strategy);
/// A setting's value: the given one, else what holds without it; empty for an unknown setting.
std::string value_of(Strategy const& strategy, std::string const& setting);

/// Names of all strategies, and of `few_shot`.
std::vector<std::string> strategy_names();
/// The name in tables.
std::string title_of(std::string const& name);
/// What it does, in a few words.
std::string summary_of(std::string const& name);
/// The learning rate that suits it on small data; 0 without training.
double default_learning_rate(std::string const& name);

/// Whether a model has it at all.
bool exists(Strategy const& strategy, graft::ModelInfo const& model);
/// Whether it adds virtual tokens or keys, so that rows may be too long for the model.
bool lengthens_rows(Strategy const& strategy);
/// @throws ConfigError for a name or setting that is not known, and for a value that a setting cannot have
void check(Strategy const& strategy, graft::ModelInfo const& model);
/// The same as far as no model is needed.
void check(Strategy const& strategy);

/// Puts the words' tokens in the place of the setting `init_text`, where it is given.
/// @param model the folder or file with the tokenizer
Strategy with_words(Strategy const& strategy, std::string const& model);

/// The model with this strategy, or as it is for `none` and `few_shot`.
/// @param labels classes of a classifier
std::unique_ptr<graft::any::AnyModel> adapt(graft::any::AnyBase const& base, Strategy const& strategy,
                                            std::uint64_t seed, std::optional<Index> labels);

}  // namespace compare
