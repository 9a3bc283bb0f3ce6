/// @file
/// @brief What all of Hugging Face PEFT's adapter configurations share (as PEFT 0.21.2 writes them).
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <graft/io/adapter_folder.hpp>
#include <graft/io/peft/keys.hpp>
#include <graft/io/peft/task.hpp>
#include <graft/nn/model_info.hpp>

namespace graft {

/// How PEFT writes a strategy. A specialization has
/// - `type`: the peft_type; `tensor_prefix`: what PEFT's names have before graft's;
/// - `can_express(settings, model)`: whether PEFT's format has these settings (else graft's own is written);
/// - `config(settings, state, model)`: the keys beside those of `peft_config`;
/// - `settings(folder)`: settings from a folder; training-only ones that PEFT does not keep take their defaults;
/// - `check(folder, model)`: refuses (FileError) an adapter of another model, as far as its configuration tells.
template <class Adaptation>
struct PeftFormat;

template <class Adaptation>
concept HasPeftFormat = requires { PeftFormat<Adaptation>::type; };

namespace detail {

/// The keys of every configuration; the caller says the task where it is another.
[[nodiscard]] inline nlohmann::json peft_config(char const* type) {
  return {{"auto_mapping", nullptr},  {"inference_mode", true}, {"modules_to_save", nullptr}, {"peft_type", type},
          {"peft_version", "0.21.2"}, {"revision", nullptr},    {"task_type", "CAUSAL_LM"}};
}

/// Refuses an adapter whose configuration names another size than the model's; a missing size is not looked at.
inline void check_size(AdapterFolder const& folder, ModelInfo const& model, char const* key, Index expected) {
  auto const got = json_or<std::int64_t>(folder.config_path, folder.config, key, expected);
  if (got != expected)
    fail<FileError>("[", folder.config_path, "] is an adapter of another model; got ", key, " ", got, "; expected ",
                    expected, " for this ", model.architecture, " model");
}

/// A size that must be there and positive.
[[nodiscard]] inline Index positive_size(AdapterFolder const& folder, char const* key) {
  auto const got = json_at<std::int64_t>(folder.config_path, folder.config, key);
  if (got < 1)
    fail<FileError>("[", folder.config_path, "] has an impossible ", key, "; got ", got, "; expected at least 1");
  return got;
}

/// A number that may be missing, for PEFT's default. Null, with which PEFT cannot compute, is refused by name.
template <class Number>
[[nodiscard]] Number number_or(AdapterFolder const& folder, char const* key, Number fallback) {
  return folder.config.contains(key) ? json_at<Number>(folder.config_path, folder.config, key) : fallback;
}

/// PEFT's name of a tensor that graft calls `name`.
template <HasPeftFormat Adaptation>
[[nodiscard]] std::string peft_name(std::string const& name) {
  if constexpr (requires { PeftFormat<Adaptation>::tensor_name(name); })
    return PeftFormat<Adaptation>::tensor_name(name);
  else
    return PeftFormat<Adaptation>::tensor_prefix + name;
}

/// Refuses trained copies of modules other than a classification head.
inline void refuse_modules(AdapterFolder const& folder) {
  if (!folder.has_head()) refuse_set(folder, {"modules_to_save"});
}

/// Refuses an adapter of another task. @throws FileError
inline void check_task(AdapterFolder const& folder, ModelInfo const& model) {
  std::string const expected = peft_task(model),
                    task = json_or<std::string>(folder.config_path, folder.config, "task_type", expected);
  if (task != expected)
    fail<FileError>("[", folder.config_path, "] has the task_type ", printable(task), "; expected ", expected,
                    " for this ", model.architecture, " model");
}

}  // namespace detail

}  // namespace graft
