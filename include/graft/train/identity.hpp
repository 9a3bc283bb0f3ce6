/// @file
/// @brief What a checkpoint is a checkpoint of, and the one sentence that refuses another.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <graft/core/dtype.hpp>
#include <graft/io/json.hpp>
#include <graft/nn/rows.hpp>
#include <graft/optim/optimizer.hpp>
#include <graft/train/checksum.hpp>
#include <graft/train/training.hpp>

namespace graft::detail {

/// A checksum of the tokens of all examples, in order.
[[nodiscard]] inline std::string data_checksum(std::vector<TokenizedExample> const& examples) {
  std::uint64_t sum = examples.size();
  for (auto const& example : examples)
    for (auto const* tokens : {&example.source, &example.target}) sum = checksum(tokens->data(), tokens->size() * sizeof(Token), sum + tokens->size());
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

/// Everything that decides the numbers of a training, but the base model.
template <class Scalar, class Device>
[[nodiscard]] nlohmann::json training_identity(Training const& t, Index total_steps, ParameterList<Scalar, Device> const& parameters,
                                               std::vector<TokenizedExample> const& training, std::vector<TokenizedExample> const& validation) {
  nlohmann::json shapes = nlohmann::json::object();
  for (auto const* parameter : parameters) shapes[parameter->name()] = cat(dtype_name(dtype_of<Scalar>), " ", parameter->value().shape());
  nlohmann::json identity{{"parameters", shapes},
          {"settings",
           {{"total steps", total_steps}, {"batch", t.batch}, {"accumulate", t.accumulate}, {"max_tokens", t.max_tokens}, {"drop_last", t.drop_last},
            {"learning_rate", t.learning_rate}, {"warmup_steps", t.warmup_steps}, {"warmup_ratio", t.warmup_ratio}, {"schedule", schedule_name(t.schedule)},
            {"weight_decay", t.weight_decay}, {"clip", t.clip}, {"beta1", t.betas[0]}, {"beta2", t.betas[1]}, {"epsilon", t.epsilon}, {"seed", t.seed},
            {"validate_every", t.validate_every}, {"patience", t.patience}, {"training examples", data_checksum(training)}, {"validation examples", data_checksum(validation)}}}};
  if (t.optimizer == OptimizerKind::adafactor) {
    auto const& a = t.adafactor;
    identity["settings"].update({{"optimizer", "adafactor"}, {"decay", a.decay}, {"clip_threshold", a.clip_threshold}, {"adafactor's beta1", a.beta1}, {"epsilon1", a.epsilon1},
                                 {"epsilon2", a.epsilon2}, {"scale_parameter", a.scale_parameter}, {"relative_step", a.relative_step}, {"warmup_init", a.warmup_init}});
  }
  return identity;
}

/// @throws ConfigError with the first difference
inline void check_identity(std::string const& folder, nlohmann::json const& saved, nlohmann::json const& wanted) {
  auto const differs = [&](char const* part, auto const& refuse) {
    auto const theirs = json_at<nlohmann::json>(folder, saved, part), ours = wanted.at(part);
    for (auto const& [key, value] : ours.items())
      if (!theirs.contains(key) || theirs.at(key) != value) refuse(key, theirs.contains(key) ? theirs.at(key).dump() : "none", value.dump());
    for (auto const& [key, value] : theirs.items())
      if (!ours.contains(key)) refuse(key, value.dump(), std::string("none"));
  };
  differs("parameters", [&](std::string const& name, std::string const& got, std::string const& expected) {
    fail<ConfigError>("[", folder, "] is a checkpoint of another model; got parameter ", printable(name), " ", got, "; expected ", expected, "; nothing was changed");
  });
  differs("settings", [&](std::string const& name, std::string const& got, std::string const& expected) {
    fail<ConfigError>("[", folder, "] is a checkpoint of a training with other settings or data; got ", name, " ", got, "; expected ", expected, "; nothing was changed");
  });
}

}  // namespace graft::detail
