#include "data.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_set>

#include <graft/core/error.hpp>
#include <graft/data/generated.hpp>
#include <graft/data/grouping.hpp>
#include <graft/text/printable.hpp>

#include "read_files.hpp"

namespace compare {

namespace {

Examples generated(Task const& task) {
  graft::GeneratedDataOptions options;
  options.training_rows = task.training_rows;
  options.validation_sources = task.validation_rows;
  options.seen_test_sources = options.unseen_test_sources = task.test_sources;
  options.seed = task.split_seed;
  auto data = graft::generate_data(options);
  std::string names;
  for (auto const& domain : data.unseen_domains) names += (names.empty() ? "" : ", ") + domain;
  auto const middle = data.test.begin() + static_cast<std::ptrdiff_t>(task.test_sources);
  TestSet seen{"seen", task.data, {data.test.begin(), middle}}, unseen{"unseen", task.data, {middle, data.test.end()}};
  return {std::move(data.training),
          std::move(data.validation),
          {std::move(seen), std::move(unseen)},
          "generated tables of restaurants, hotels and films; unseen in training: " + names};
}

/// At most `count` examples, drawn the same way every time; all for 0.
std::vector<graft::Example> at_most(std::vector<graft::Example> examples, std::size_t count, std::uint64_t seed) {
  return count > 0 && examples.size() > count ? graft::subsample(examples, count, seed) : examples;
}

/// Holds out some sources, never more than a third.
graft::ExampleSplit hold_out(std::vector<graft::Example> const& examples, std::size_t count, std::uint64_t seed) {
  auto const sources = static_cast<double>(graft::group_by_source(examples).size());
  return graft::split(examples, std::clamp(static_cast<double>(count) / sources, 1e-9, 1.0 / 3.0), seed);
}

/// Takes the rows out whose source one of `others` has.
void leave_out(std::vector<graft::Example>& rows, std::vector<graft::Example> const& others, Examples& result) {
  std::unordered_set<std::string> sources;
  for (auto const& example : others) sources.insert(example.source);
  auto const gone =
      std::remove_if(rows.begin(), rows.end(), [&](auto const& row) { return sources.contains(row.source); });
  result.left_out += static_cast<std::size_t>(rows.end() - gone);
  rows.erase(gone, rows.end());
}

/// The names of the classes that rows have; of a task, those that it has.
std::set<std::string> classes_of(FileReader const& reader, std::vector<graft::Example> const& rows) {
  auto const names = reader.classes();
  std::set<std::string> all(names.begin(), names.end());
  if (all.empty())
    for (auto const& row : rows) all.insert(row.target);
  return all;
}

/// @throws FileError for a class that no row of --data has: a head for it would never be trained
void check_classes(std::vector<graft::Example> const& rows, std::string const& file,
                   std::set<std::string> const& classes) {
  for (auto const& row : rows) {
    if (classes.contains(row.target)) continue;
    std::string known;
    std::size_t count = 0;
    for (auto const& name : classes)
      if (++count <= 20) known += (known.empty() ? "" : ", ") + graft::printable_name(name);
    graft::fail<graft::FileError>("[", file, "] line ", row.line, " has the class ",
                                  graft::printable(row.target.substr(0, 40)), "; expected one that --data has: ", known,
                                  count > 20 ? ", …" : "");
  }
}

/// "pairs.jsonl, task rte"
std::string description_of(Task const& task) {
  std::string text = std::filesystem::path(task.data).filename().string();
  if (!task.reading.task.empty()) text += ", task " + task.reading.task;
  if (!task.reading.fields.empty()) text += ", columns " + task.reading.fields;
  return text;
}

Examples from_files(Task const& task, bool classes) {
  FileReader reader(task.reading, classes);
  auto rows = reader.read(task.data);
  std::set<std::string> const known = classes ? classes_of(reader, rows) : std::set<std::string>();
  auto const read = [&](std::string const& file) {
    auto more = reader.read(file);
    if (classes) check_classes(more, file, known);
    return graft::group_by_source(more);
  };
  Examples result;
  for (auto const& test : task.tests) {
    auto all = read(test.file);
    leave_out(rows, all, result);
    std::size_t const most = test.name.empty() ? 2 * task.test_sources : task.test_sources;
    result.tests.push_back(
        {test.name.empty() ? "test" : test.name, test.file, at_most(std::move(all), most, task.split_seed)});
  }
  if (!task.validation.empty()) {
    auto all = read(task.validation);
    leave_out(rows, all, result);
    result.validation = at_most(std::move(all), task.validation_rows, task.split_seed);
  }
  if (rows.empty())
    graft::fail<graft::ConfigError>("[", task.data, "] has only sources that are tested",
                                    task.validation.empty() ? "" : " or validated on",
                                    " too; expected others to train on");
  if (task.tests.empty()) {
    auto parts = hold_out(rows, 2 * task.test_sources, task.split_seed);
    result.tests.push_back(
        {"test", task.data, at_most(graft::group_by_source(parts.held_out), 2 * task.test_sources, task.split_seed)});
    rows = std::move(parts.kept);
  }
  if (task.validation.empty()) {
    auto parts = hold_out(rows, task.validation_rows, task.split_seed + 1);
    result.validation = at_most(graft::group_by_source(parts.held_out), task.validation_rows, task.split_seed);
    rows = std::move(parts.kept);
  }
  result.training = at_most(std::move(rows), task.training_rows, task.split_seed);
  result.description = description_of(task);
  result.pairs = reader.pairs(), result.classes = reader.classes();
  return result;
}

}  // namespace

std::size_t Examples::tested() const {
  std::size_t count = 0;
  for (auto const& test : tests) count += test.examples.size();
  return count;
}

Examples make_examples(Task const& task, bool classes) {
  return task.data == "generated" ? generated(task) : from_files(task, classes);
}

}  // namespace compare
