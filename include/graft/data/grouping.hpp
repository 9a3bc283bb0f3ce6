/// @file
/// @brief Examples regrouped: by source for evaluation, one row a text for training, and seeded parts of a set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <graft/data/example.hpp>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft {

/// One example for each distinct source, in order of first appearance, with the texts of all its rows as references
/// (repeated ones too). Where a file names its entries (`Example::id`), equal sources of two entries stay apart, as the
/// official scores of WebNLG and DART count them.
[[nodiscard]] inline std::vector<Example> group_by_source(std::vector<Example> const& examples) {
  std::vector<Example> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (Example const& example : examples) {
    std::string key = example.source;
    (key += '\0') += example.id;
    auto const [place, fresh] = places.try_emplace(std::move(key), groups.size());
    if (fresh) groups.push_back({example.source, example.target, {}, example.domain, example.line, example.id});
    auto& references = groups[place->second].references;
    if (example.references.empty())
      references.push_back(example.target);
    else
      references.insert(references.end(), example.references.begin(), example.references.end());
  }
  return groups;
}

/// One row for each reference of each example: training on all texts of a source.
[[nodiscard]] inline std::vector<Example> expand_references(std::vector<Example> const& examples) {
  std::vector<Example> rows;
  for (Example const& example : examples) {
    if (example.references.empty()) rows.push_back(example);
    for (std::string const& reference : example.references)
      rows.push_back({example.source, reference, {}, example.domain, example.line, example.id});
  }
  return rows;
}

/// `count` examples drawn without replacement, in their original order; the same for the same seed on every machine.
/// @throws ConfigError when there are fewer
[[nodiscard]] inline std::vector<Example> subsample(std::vector<Example> const& examples, std::size_t count,
                                                    std::uint64_t seed) {
  if (count > examples.size())
    fail<ConfigError>("[subsample] too many examples asked for; got ", count, "; expected at most ", examples.size());
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, RandomKey(seed).with("subsample"));
  order.resize(count);
  std::sort(order.begin(), order.end());
  std::vector<Example> chosen;
  chosen.reserve(count);
  for (std::size_t const i : order) chosen.push_back(examples[i]);
  return chosen;
}

/// Two parts of a set without a common source.
struct ExampleSplit {
  std::vector<Example> kept;
  std::vector<Example> held_out;
};

/// Holds out about `fraction` of the distinct sources (at least one) with all their rows; both parts keep the original
/// order.
/// @throws ConfigError when `fraction` is not between 0 and 1, or a part would be empty
[[nodiscard]] inline ExampleSplit split(std::vector<Example> const& examples, double fraction, std::uint64_t seed) {
  if (!(fraction > 0 && fraction < 1))
    fail<ConfigError>("[split] fraction to hold out; got ", fraction, "; expected more than 0 and less than 1");
  std::unordered_map<std::string, std::size_t> places;
  for (Example const& example : examples) places.try_emplace(example.source, places.size());
  std::size_t const sources = places.size();
  if (sources < 2)
    fail<ConfigError>("[split] too few distinct sources to hold any out; got ", sources, "; expected at least 2");
  std::vector<std::size_t> order(sources);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, RandomKey(seed).with("split"));
  auto const count =
      std::clamp<std::size_t>(static_cast<std::size_t>(fraction * static_cast<double>(sources) + 0.5), 1, sources - 1);
  std::vector<bool> out(sources, false);
  for (std::size_t i = 0; i < count; ++i) out[order[i]] = true;
  ExampleSplit parts;
  for (Example const& example : examples)
    (out[places.at(example.source)] ? parts.held_out : parts.kept).push_back(example);
  return parts;
}

}  // namespace graft
