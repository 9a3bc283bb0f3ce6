#include "data.hpp"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include <graft/data/generated.hpp>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>

namespace compare {

namespace {

Examples generated(Task const& task) {
  graft::GeneratedDataOptions options;
  options.training_rows = task.training_rows;
  options.validation_sources = task.validation_rows;
  options.seen_test_sources = options.unseen_test_sources = task.test_sources;
  options.seed = task.seed;
  auto data = graft::generate_data(options);
  std::string unseen;
  for (auto const& domain : data.unseen_domains) unseen += (unseen.empty() ? "" : ", ") + domain;
  return {std::move(data.training), std::move(data.validation), std::move(data.test), task.test_sources,
          "generated tables of restaurants, hotels and films; unseen in training: " + unseen};
}

/// At most `count` examples, drawn the same way every time.
std::vector<graft::Example> at_most(std::vector<graft::Example> examples, std::size_t count, std::uint64_t seed) {
  return examples.size() > count ? graft::subsample(examples, count, seed) : examples;
}

/// Holds out some sources, never more than a third.
graft::ExampleSplit hold_out(std::vector<graft::Example> const& examples, std::size_t count, std::uint64_t seed) {
  auto const sources = static_cast<double>(graft::group_by_source(examples).size());
  return graft::split(examples, std::clamp(static_cast<double>(count) / sources, 1e-9, 1.0 / 3.0), seed);
}

Examples from_files(Task const& task) {
  auto rows = graft::read_examples(task.data);
  Examples result;
  if (task.test.empty()) {
    auto parts = hold_out(rows, 2 * task.test_sources, task.seed);
    result.test = graft::group_by_source(parts.held_out);
    rows = std::move(parts.kept);
  } else {
    result.test = graft::group_by_source(graft::read_examples(task.test));
    std::unordered_set<std::string> tested;
    for (auto const& example : result.test) tested.insert(example.source);
    rows.erase(std::remove_if(rows.begin(), rows.end(), [&](auto const& row) { return tested.contains(row.source); }),
               rows.end());
    if (rows.empty())
      graft::fail<graft::ConfigError>("[", task.data,
                                      "] has only sources that are tested too; expected others to train on");
  }
  result.test = at_most(std::move(result.test), 2 * task.test_sources, task.seed);
  result.seen = result.test.size();
  auto parts = hold_out(rows, task.validation_rows, task.seed + 1);
  result.validation = at_most(graft::group_by_source(parts.held_out), task.validation_rows, task.seed);
  result.training = at_most(std::move(parts.kept), task.training_rows, task.seed);
  result.description = std::filesystem::path(task.data).filename().string();
  return result;
}

}  // namespace

Examples make_examples(Task const& task) { return task.data == "generated" ? generated(task) : from_files(task); }

}  // namespace compare
