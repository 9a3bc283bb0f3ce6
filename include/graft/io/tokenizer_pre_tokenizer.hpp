/// @file
/// @brief The pre-tokenizer and the `Metaspace` settings of tokenizer.json.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/text/metaspace.hpp>
#include <graft/text/pre_tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace graft::detail {

/// `Split` with a known pattern, its matches as words.
[[nodiscard]] inline PreTokenizerStep read_split(std::string const& source, nlohmann::json const& step) {
  auto const pattern = step.find("pattern");
  if (pattern == step.end() || !pattern->is_object())
    fail<FileError>("[", source, "] Split has no pattern; expected {\"Regex\": …}");
  if (!pattern->contains("Regex"))
    unsupported(source, "Split pattern", pattern->begin() == pattern->end() ? "{}" : pattern->begin().key(), "Regex");
  auto const regex = json_at<std::string>(source, *pattern, "Regex");
  auto const found = find_split_pattern(regex);
  if (!found) {
    fail<ConfigError>(
        "[", source, "] Split pattern is not a known one; got ", printable(regex),
        "; expected the regular expression of GPT-2, Llama 3 or Qwen 2; hint: other expressions are never run");
  }
  auto const behavior = json_at<std::string>(source, step, "behavior");
  bool const inverted = json_or<bool>(source, step, "invert", false);
  if (behavior != (inverted ? "Removed" : "Isolated"))
    unsupported(source, "behavior of Split", behavior, "Isolated, or Removed with invert");
  return split_step(*found);
}

/// `Metaspace` of a pre-tokenizer or decoder, in the old spelling (`add_prefix_space`) or the new one
/// (`prepend_scheme`).
struct MetaspaceSettings {
  PrefixSpace prefix = PrefixSpace::always;
  bool split = true;
};

[[nodiscard]] inline MetaspaceSettings read_metaspace(std::string const& source, nlohmann::json const& component) {
  auto const replacement = json_or<std::string>(source, component, "replacement", std::string(metaspace));
  if (replacement != metaspace) unsupported(source, "replacement of Metaspace", replacement, "\"▁\" (U+2581)");
  bool const add = json_or<bool>(source, component, "add_prefix_space", true);
  auto const scheme = json_or<std::string>(source, component, "prepend_scheme", add ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never")
    unsupported(source, "prepend_scheme of Metaspace", scheme, "always, first or never");
  if (!add && scheme != "never") {
    fail<FileError>("[", source, "] Metaspace contradicts itself; got add_prefix_space false and prepend_scheme ",
                    printable(scheme), "; expected \"never\"");
  }
  return {scheme == "always"  ? PrefixSpace::always
          : scheme == "first" ? PrefixSpace::first
                              : PrefixSpace::never,
          json_or<bool>(source, component, "split", true)};
}

inline void add_metaspace_steps(MetaspaceSettings settings, std::vector<PreTokenizerStep>& steps) {
  steps.push_back(PreTokenizerStep::metaspaces);
  if (settings.prefix == PrefixSpace::always) steps.push_back(PreTokenizerStep::metaspace_prefix);
  if (settings.prefix == PrefixSpace::first) steps.push_back(PreTokenizerStep::metaspace_prefix_first);
  if (settings.split) steps.push_back(PreTokenizerStep::split_metaspace);
}

/// The steps, and whether the last of them is `ByteLevel`, which spells bytes: nothing may follow it.
struct ReadPreTokenizer {
  PreTokenizer steps;
  bool byte_level = false;
};

[[nodiscard]] inline ReadPreTokenizer read_pre_tokenizer(std::string const& source, nlohmann::json const& root) {
  if (is_absent(root, "pre_tokenizer")) return {};
  std::vector<PreTokenizerStep> steps;
  bool spelled = false;
  for (auto const* const step : flattened(source, root["pre_tokenizer"], "pretokenizers")) {
    constexpr auto known =
        "a Sequence of Digits, Split, WhitespaceSplit, BertPreTokenizer, Metaspace and a last ByteLevel";
    std::string const type = component_type(source, *step);
    if (spelled) unsupported(source, "pre-tokenizer after ByteLevel", type, known);
    if (type == "Digits") {
      steps.push_back(json_or<bool>(source, *step, "individual_digits", false) ? PreTokenizerStep::digits
                                                                               : PreTokenizerStep::digit_runs);
    } else if (type == "Split") {
      steps.push_back(read_split(source, *step));
    } else if (type == "WhitespaceSplit") {
      steps.push_back(PreTokenizerStep::whitespace);
    } else if (type == "BertPreTokenizer") {
      steps.push_back(PreTokenizerStep::bert);
    } else if (type == "Metaspace") {
      add_metaspace_steps(read_metaspace(source, *step), steps);
    } else if (type == "ByteLevel") {
      if (json_or<bool>(source, *step, "add_prefix_space", true)) steps.push_back(PreTokenizerStep::prefix_space);
      if (json_or<bool>(source, *step, "use_regex", true)) steps.push_back(PreTokenizerStep::split_gpt2);
      spelled = true;
    } else {
      unsupported(source, "pre-tokenizer", type, known);
    }
  }
  return {PreTokenizer(std::move(steps)), spelled};
}

}  // namespace graft::detail
