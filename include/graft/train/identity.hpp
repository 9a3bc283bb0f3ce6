/// @file
/// @brief What a checkpoint is a checkpoint of, and the one sentence that refuses another.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/checksum.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/base_configuration.hpp>
#include <graft/io/json.hpp>
#include <graft/nn/rows.hpp>
#include <graft/optim/optimizer.hpp>
#include <graft/text/printable.hpp>
#include <graft/train/training.hpp>

namespace graft::detail {

/// A checksum of the tokens of all examples, in order, with their types, adapters and ids.
[[nodiscard]] inline std::string data_checksum(std::vector<TokenizedExample> const& examples) {
  std::uint64_t sum = examples.size();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    auto const& example = examples[i];
    for (auto const* tokens : {&example.source, &example.target})
      sum = checksum(tokens->data(), tokens->size() * sizeof(Token), sum + tokens->size());
    if (!example.token_types.empty())
      sum = checksum(example.token_types.data(), example.token_types.size() * sizeof(Index), sum);
    if (example.adapter != 0) sum = checksum(&example.adapter, sizeof example.adapter, sum);
    if (example.id != i) sum = checksum(&example.id, sizeof example.id, sum);  // which addresses its dropout
  }
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

/// Everything that decides the numbers of a training; `model` is what `model_identity` gives, `objective` names one
/// that is not the default. What a hook after the update does cannot be known, but whether there is one.
template <class Scalar, class Device>
[[nodiscard]] nlohmann::json training_identity(Training const& t, Index total_steps,
                                               ParameterList<Scalar, Device> const& parameters,
                                               std::vector<TokenizedExample> const& training,
                                               std::vector<TokenizedExample> const& validation,
                                               nlohmann::json const& model = nlohmann::json::object(),
                                               std::string const& objective = {}) {
  nlohmann::json shapes = nlohmann::json::object();
  for (auto const* parameter : parameters)
    shapes[parameter->name()] = cat(dtype_name(dtype_of<Scalar>), " ", parameter->value().shape());
  nlohmann::json identity{{"parameters", shapes},
                          {"settings",
                           {{"total steps", total_steps},
                            {"batch", t.batch},
                            {"accumulate", t.accumulate},
                            {"max_tokens", t.max_tokens},
                            {"drop_last", t.drop_last},
                            {"learning_rate", t.learning_rate},
                            {"warmup_steps", t.warmup_steps},
                            {"warmup_ratio", t.warmup_ratio},
                            {"schedule", schedule_name(t.schedule)},
                            {"weight_decay", t.weight_decay},
                            {"clip", t.clip},
                            {"beta1", t.betas[0]},
                            {"beta2", t.betas[1]},
                            {"epsilon", t.epsilon},
                            {"seed", t.seed},
                            {"validate_every", t.validate_every},
                            {"patience", t.patience},
                            {"training examples", data_checksum(training)},
                            {"validation examples", data_checksum(validation)}}}};
  if (t.share_sources) identity["settings"]["share_sources"] = true;
  if (t.min_delta != 0.0) identity["settings"]["min_delta"] = t.min_delta;
  if (t.on_update) identity["settings"]["on_update"] = true;
  if (!objective.empty()) identity["settings"]["objective"] = objective;
  if (t.optimizer == OptimizerKind::adafactor) {
    auto const& a = t.adafactor;
    identity["settings"].update({{"optimizer", "adafactor"},
                                 {"decay", a.decay},
                                 {"clip_threshold", a.clip_threshold},
                                 {"adafactor's beta1", a.beta1},
                                 {"epsilon1", a.epsilon1},
                                 {"epsilon2", a.epsilon2},
                                 {"scale_parameter", a.scale_parameter},
                                 {"relative_step", a.relative_step},
                                 {"warmup_init", a.warmup_init}});
  }
  identity.update(model);
  return identity;
}

/// A value as a message shows it.
[[nodiscard]] inline std::string identity_text(nlohmann::json const& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > 120 ? text.substr(0, 120) + "…" : text;
}

/// The values of a part under the paths to them: settings.reparametrization.hidden.
[[nodiscard]] inline std::map<std::string, nlohmann::json> identity_values(nlohmann::json const& part,
                                                                           std::string const& path = {}) {
  if (!part.is_object()) return {{path, part}};
  std::map<std::string, nlohmann::json> values;
  for (auto const& [key, value] : part.items())
    values.merge(identity_values(value, path.empty() ? key : path + "." + key));
  return values;
}

/// Where the values of the base's configuration stand among those of the part "base".
inline constexpr std::string_view configuration_path = "configuration.";

/// The optimizer of an identity, which names AdamW by naming no other.
[[nodiscard]] inline std::string optimizer_of(nlohmann::json const& identity) {
  auto const settings = identity.find("settings");
  if (settings == identity.end() || !settings->is_object() || !settings->contains("optimizer")) return "adamw";
  auto const& name = settings->at("optimizer");
  return name.is_string() ? name.get<std::string>() : identity_text(name);
}

/// The type of the activations; empty where an earlier version has not noted it.
[[nodiscard]] inline std::string activations_of(nlohmann::json const& identity) {
  auto const precision = identity.find("precision");
  if (precision == identity.end()) return {};
  auto const name = precision->is_object() ? precision->find("activations") : precision->end();
  return name != precision->end() && name->is_string() ? name->get<std::string>() : identity_text(*precision);
}

/// @throws ConfigError with the first difference
inline void check_identity(std::string const& folder, nlohmann::json const& saved, nlohmann::json const& wanted) {
  auto const differs = [&](char const* part, char const* of_what, char const* kind = "") {
    auto const found = saved.find(part);
    if (found == saved.end() && wanted.contains(part)) {
      warn("[", folder, "] does not say which ", part,
           " it was made with; got a checkpoint of an earlier version; it is gone on with unchecked");
      return;
    }
    auto const theirs = found == saved.end() ? std::map<std::string, nlohmann::json>{} : identity_values(*found);
    auto const ours =
        wanted.contains(part) ? identity_values(wanted.at(part)) : std::map<std::string, nlohmann::json>{};
    auto const refuse = [&](std::string const& name, std::string const& got, std::string const& expected) {
      fail<ConfigError>("[", folder, "] is a checkpoint ", of_what, "; got ", kind, printable_name(name), " ", got,
                        "; expected ", expected, "; nothing was changed");
    };
    for (auto const& [key, value] : ours) {
      if (key.starts_with(configuration_path)) continue;  // compared as numbers, and unknown to earlier versions
      auto const other = theirs.find(key);
      if (other == theirs.end() || other->second != value)
        refuse(key, other == theirs.end() ? "none" : identity_text(other->second), identity_text(value));
    }
    for (auto const& [key, value] : theirs)
      if (!key.starts_with(configuration_path) && !ours.contains(key)) refuse(key, identity_text(value), "none");
  };
  if (!saved.is_object())
    fail<FileError>("[", folder, "] holds a checkpoint without an identity; expected one that this library wrote");
  differs("parameters", "of another model", "parameter ");
  differs("strategy", "of a training with other settings of the strategy");
  differs("adapters", "of a training with other settings of a table's adapter", "adapter ");
  if (auto const got = optimizer_of(saved), expected = optimizer_of(wanted);
      got != expected)  // before the settings of either
    fail<ConfigError>("[", folder, "] is a checkpoint of a training with other settings or data; got optimizer ",
                      printable_name(got), "; expected ", expected, "; nothing was changed");
  differs("settings", "of a training with other settings or data");
  auto const configuration_of = [](nlohmann::json const& identity) {
    auto const base = identity.find("base");
    bool const known = base != identity.end() && base->is_object() && base->contains("configuration");
    return known ? base->at("configuration") : nlohmann::json();
  };
  if (auto const other = configured_difference(configuration_of(wanted), configuration_of(saved)))
    fail<ConfigError>("[", folder, "] is a checkpoint over a base of another configuration; got ",
                      printable_name(other->name), " ", identity_text(other->other), "; expected ",
                      identity_text(other->got), "; nothing was changed");
  differs("base", "over another base model");
  auto const got = activations_of(saved), expected = activations_of(wanted);
  if (!got.empty() && !expected.empty() && got != expected)
    fail<ConfigError>("[", folder, "] is a checkpoint of a training over activations in other numbers; got ",
                      printable_name(got), "; expected ", expected, "; nothing was changed");
}

}  // namespace graft::detail
