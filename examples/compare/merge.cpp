#include "merge.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <graft/core/warning.hpp>

#include "naming.hpp"
#include "support/text.hpp"

namespace compare {

namespace {

/// A study without the places of its files: what decides its numbers, but for the program.
Json content_of(Study const& study) {
  Task task = study.task;
  task.model.clear(), task.validation = task.validation.empty() ? "" : "a file";
  if (task.data != "generated") task.data = "a file";
  for (auto& test : task.tests) test.file.clear();
  Json files = study.files;
  files.erase("program");
  return {{"task", to_json(task)}, {"files", nlohmann::json(files)}};
}

/// What a study may differ from others in, for titles.
std::vector<std::pair<std::string, std::string>> facts_of(Study const& study) {
  Task const& task = study.task;
  auto const name = [](std::string const& path) { return std::filesystem::path(path).filename().string(); };
  std::string tests;
  for (auto const& test : task.tests) tests += (tests.empty() ? "" : "+") + name(test.file);
  return {{"model", name(task.model)},
          {"data", name(task.data)},
          {"validation", name(task.validation)},
          {"test", tests},
          {"format", task.reading.format},
          {"task", task.reading.task},
          {"fields", task.reading.fields},
          {"linearize", task.reading.linearize},
          {"language", task.reading.language},
          {"good_texts", task.reading.good_texts ? "true" : ""},
          {"rows", std::to_string(study.training)},
          {"validation_rows", std::to_string(study.validation)},
          {"epochs", task.steps > 0 ? "" : std::to_string(task.epochs)},
          {"steps", task.steps > 0 ? std::to_string(task.steps) : ""},
          {"batch", std::to_string(task.batch)},
          {"max_new", std::to_string(task.max_new)},
          {"max_source", std::to_string(task.max_source.value_or(0))},
          {"max_target", std::to_string(task.max_target)},
          {"shots", std::to_string(task.shots)},
          {"separator", task.separator.value_or("")},
          {"recompute", task.recompute ? "true" : "false"},
          {"share_sources", task.share_sources ? "true" : "false"},
          {"device", to_string(task.placement.device)},
          {"dtype", to_string(task.placement.numbers)},
          {"split_seed", std::to_string(task.split_seed)}};
}

/// " [epochs=3]" for each study: the facts in which not all studies agree; the folder's name where these are the same.
std::vector<std::string> differences_of(std::vector<Study> const& studies) {
  std::vector<std::string> texts(studies.size());
  if (studies.size() < 2) return texts;
  std::vector<std::vector<std::pair<std::string, std::string>>> facts;
  for (auto const& study : studies) facts.push_back(facts_of(study));
  for (std::size_t f = 0; f < facts.front().size(); ++f) {
    bool const same = std::all_of(facts.begin(), facts.end(), [&](auto const& one) { return one[f] == facts[0][f]; });
    for (std::size_t s = 0; s < studies.size() && !same; ++s)
      if (auto const& [name, value] = facts[s][f]; !value.empty())
        texts[s] += (texts[s].empty() ? "" : ", ") + name + "=" + value;
  }
  for (std::size_t s = 0; s < studies.size(); ++s)
    if (texts[s].empty() || std::count(texts.begin(), texts.end(), texts[s]) > 1)
      texts[s] += (texts[s].empty() ? "" : ", ") + studies[s].name;
  for (auto& text : texts) text = " [" + text + "]";
  return texts;
}

bool same_examples(TestSet const& one, TestSet const& other) {
  return std::equal(one.examples.begin(), one.examples.end(), other.examples.begin(), other.examples.end(),
                    [](auto const& a, auto const& b) { return a.source == b.source && a.references == b.references; });
}

class Merger {
 public:
  void add(Report report, std::string const& folder) {
    if (all_.studies.empty()) all_.classes = report.classes;
    if (report.classes != all_.classes)
      graft::fail<graft::ConfigError>("[", folder, "] is of a ", report.classes ? "classifier" : "model that writes",
                                      ", and ", first_, " is not; expected reports with the same metrics");
    if (first_.empty()) {
      first_ = folder;
      all_.choice.names.clear();
    }
    for (auto const& name : report.choice.names)
      if (auto& names = all_.choice.names; std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
    std::vector<std::size_t> tests, studies;
    for (auto& test : report.tests) tests.push_back(place_of(std::move(test), folder));
    for (auto& study : report.studies) studies.push_back(place_of(std::move(study)));
    for (auto& row : report.rows) {
      for (auto& run : row.runs) {
        std::vector<std::vector<std::string>> outputs(all_.tests.size());
        for (std::size_t t = 0; t < run.outputs.size(); ++t) outputs[tests[t]] = std::move(run.outputs[t]);
        run.outputs = std::move(outputs);
      }
      row.study = studies[row.study];
      add(std::move(row), folder);
    }
  }

  Report end() {
    auto const differences = differences_of(all_.studies);
    std::vector<RowSpec> specs;
    for (auto const& row : all_.rows) specs.push_back(row.spec);
    auto const titles = titles_of(specs);
    std::map<std::string, int> known;
    for (std::size_t r = 0; r < all_.rows.size(); ++r) {
      Row& row = all_.rows[r];
      row.title = titles[r] + differences[row.study];
      for (auto& run : row.runs) run.outputs.resize(all_.tests.size());
      ++known[row.title];
    }
    for (Row& row : all_.rows)  // rates that --tune chose
      if (known[row.title] > 1) row.title += " learning_rate=" + support::compact(row.learning_rate);
    return std::move(all_);
  }

 private:
  std::size_t place_of(TestSet test, std::string const& folder) {
    for (std::size_t t = 0; t < all_.tests.size(); ++t) {
      if (all_.tests[t].name != test.name) continue;
      if (same_examples(all_.tests[t], test)) return t;
      graft::fail<graft::ConfigError>("[", folder, "] has other examples in its test set ", test.name, " than ", first_,
                                      "; expected the same, or another name; hint: --test NAME=FILE, --split-seed");
    }
    all_.tests.push_back(std::move(test));
    return all_.tests.size() - 1;
  }

  std::size_t place_of(Study study) {
    Json const content = content_of(study);
    for (std::size_t s = 0; s < all_.studies.size(); ++s) {
      if (content_of(all_.studies[s]) != content) continue;
      if (nlohmann::json(all_.studies[s].files.value("program", Json())) !=
          nlohmann::json(study.files.value("program", Json())))
        graft::warn("[", study.name, "] was made by another build of this program than ", all_.studies[s].name,
                    "; its rows are taken for the same");
      return s;
    }
    all_.studies.push_back(std::move(study));
    return all_.studies.size() - 1;
  }

  void add(Row row, std::string const& folder) {
    auto const [place, fresh] = rows_.try_emplace(
        std::tuple(row.study, to_string(canonical(row.spec.strategy)), row.learning_rate), all_.rows.size());
    if (fresh) {
      all_.rows.push_back(std::move(row));
      return;
    }
    Row* const same = &all_.rows[place->second];
    for (auto& other : same->runs) other.outputs.resize(all_.tests.size());
    for (auto& run : row.runs) {
      auto const twin =
          std::find_if(same->runs.begin(), same->runs.end(), [&](Run const& other) { return other.seed == run.seed; });
      if (twin == same->runs.end())
        same->runs.push_back(std::move(run));
      else if (twin->failed())
        *twin = std::move(run);
      else if (!run.failed() && (twin->validation_loss != run.validation_loss || twin->outputs != run.outputs) &&
               !run.has_no_results())
        graft::fail<graft::ConfigError>("[", folder, "] has ", row.title, " with seed ", run.seed,
                                        " too, and other results; expected each seed once, or the same results");
    }
    std::sort(same->runs.begin(), same->runs.end(), [](Run const& a, Run const& b) { return a.seed < b.seed; });
  }

  Report all_;
  std::map<std::tuple<std::size_t, std::string, double>, std::size_t> rows_;  // by study, strategy and rate
  std::string first_;
};

}  // namespace

Report merge(std::vector<std::filesystem::path> const& folders) {
  Merger merger;
  for (auto const& folder : folders) merger.add(read_report(folder / "report.json"), folder.string());
  return merger.end();
}

}  // namespace compare
