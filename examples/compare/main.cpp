// Compares strategies of adaptation on one model and one task: a table, report.json and report.html.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include <graft/any/any_model.hpp>
#include <graft/core/presence.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/path_lock.hpp>

#include "checks.hpp"
#include "command_line.hpp"
#include "merge.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "stamp.hpp"
#include "support/option_rules.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"
#include "table.hpp"
#include "worker.hpp"

namespace {

using namespace compare;

void check_outputs(Settings const& s) {
  std::error_code failed;
  std::filesystem::create_directories(s.out, failed);
  if (failed && !graft::is_there(s.out))  // writing into what is there says what is wrong
    graft::fail<graft::FileError>("[", s.out.string(), "] cannot be made; got: ", failed.message(),
                                  "; expected a folder, or permission to make one; hint: --out");
  for (char const* name : {"report.json", "report.html"}) graft::check_output_file(s.out / name);
  if (!s.csv.empty()) graft::check_output_file(s.csv);
}

void write(Report const& report, Settings const& s) {
  Json const json = report_json(report);
  graft::write_file_atomic(s.out / "report.json", json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  graft::write_file_atomic(s.out / "report.html", report_html(report));
  if (!s.csv.empty()) graft::write_file_atomic(s.csv, report_csv(report));
  std::string const table = "\n" + plain_table(report) + "\nreport: " + (s.out / "report.html").string() + ", " +
                            (s.out / "report.json").string() + (s.csv.empty() ? "" : ", " + s.csv.string()) + "\n";
  if (s.json) {
    std::fprintf(stderr, "%s", table.c_str());
    support::print(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    support::print(table);
  }
}

/// Ends the program where rows failed; @param all only where nothing else is there to be reported
void fail_for(std::vector<Row> const& rows, bool all) {
  auto const failed = std::count_if(rows.begin(), rows.end(), [](Row const& row) { return row.failures() > 0; });
  bool const nothing =
      std::all_of(rows.begin(), rows.end(), [](Row const& row) { return row.failures() == row.runs.size(); });
  if (failed == 0 || (all && !nothing)) return;
  auto const first = std::find_if(rows.begin(), rows.end(), [](Row const& row) { return row.failures() > 0; });
  graft::fail(failed, " of ", rows.size(), " rows failed; the first said: ", error_of(*first));
}

void say_data(CommandLine const& line, Examples const& examples) {
  auto const& s = line.settings;
  if (line.training_rows && *line.training_rows > examples.training.size())
    graft::warn("[compare] got --rows ", *line.training_rows, ", which leaves nothing out; ", s.task.data, " has ",
                examples.training.size(), " besides those of validation and test");
  if (examples.left_out > 0)
    graft::warn("[compare] ", examples.left_out, " rows of ", s.task.data,
                " have a source of --test or --validation; they are not trained on");
  std::string sets;
  for (auto const& test : examples.tests)
    if (examples.tests.size() > 1) sets += graft::cat(sets.empty() ? " (" : ", ", test.name, " ", test.examples.size());
  std::fprintf(stderr, "%zu rows; %zu training, %zu validation and %zu test examples%s (%s)\n", s.rows.size(),
               examples.training.size(), examples.validation.size(), examples.tested(),
               (sets + (sets.empty() ? "" : ")")).c_str(), examples.description.c_str());
}

void run(CLI::App const& app, CommandLine& line) {
  settle(app, line);
  line.device.check();
  auto& s = line.settings;
  check_files(s);
  if (!graft::is_there(s.task.model))
    graft::fail<graft::FileError>("[", s.task.model,
                                  "] no such file or folder; expected a Hugging Face folder or a GGUF file");
  Examples examples;
  std::vector<double> guesses;
  {  // rows are made by other processes: the model is not kept
    auto const base = graft::any::load_base(s.task.model);
    examples = make_examples(s.task, base->info().classifies);  // says at once what is wrong with the data
    guesses = check_model(app, s, examples, *base);
  }
  say_data(line, examples);
  check_outputs(s);
  graft::PathLock const lock(s.out);
  Report report;
  report.rows = make_rows(s, guesses);
  fail_for(report.rows, true);  // a report of nothing would replace one of an earlier run
  auto const out = s.out.has_filename() ? s.out : s.out.parent_path();
  report.studies.push_back({s.task, files_of(s.task), out.filename().string(), examples.description,
                            examples.training.size(), examples.validation.size(), s.quick});
  report.tests = examples.tests, report.against = s.against, report.choice = s.metrics;
  report.classes =
      std::any_of(report.rows.begin(), report.rows.end(), [](Row const& row) { return row.first().classes; });
  evaluate(report);
  write(report, s);
  fail_for(report.rows, false);
}

void run_merge(CLI::App const& app, CommandLine& line) {
  auto& s = line.settings;
  for (auto const* option : app.get_options())
    if (std::string const name = option->get_name(); option->count() > 0 && name != "--merge" && name != "--out" &&
                                                     name != "--csv" && name != "--json" && name != "--against" &&
                                                     name != "--metrics" && name != "--meteor-data")
      throw support::UsageError(name + " has no effect with --merge, which trains nothing; leave it out");
  std::vector<std::filesystem::path> folders(line.merged.begin(), line.merged.end());
  std::vector<support::NamedPath> inputs;
  for (auto const& folder : folders) inputs.push_back({"--merge", folder.string()});
  std::vector<support::NamedPath> outputs{{"--out", s.out.string()}};
  if (!s.csv.empty()) outputs.push_back({"--csv", s.csv.string()});
  support::check_apart(inputs, outputs);
  Report report = merge(folders);
  report.against = s.against;
  if (report.classes)
    support::refuse_given(app, {"--metrics", "--meteor-data"}, "on reports of classifiers, which have accuracy alone");
  if (line.metrics.empty()) line.metrics = report.choice.names;
  settle_metrics(app, line);
  report.choice = s.metrics;
  if (support::given(app, "--against") &&
      std::none_of(report.rows.begin(), report.rows.end(), [&](Row const& row) { return row.title == s.against; }))
    throw support::UsageError("--against got " + s.against + "; expected a row's name in the merged table");
  check_outputs(s);
  graft::PathLock const lock(s.out);
  evaluate(report);
  write(report, s);
}

}  // namespace

int main(int argc, char** argv) {
  support::hold_standard_descriptors();
  for (bool const quiet : {false, true})
    if (argc == 4 && std::string_view(argv[1]) == worker_option(quiet)) return run_worker(argv[2], argv[3], !quiet);
  CommandLine line;
  CLI::App app{
      "Compares strategies of adapting a pretrained language model on one task, with the same data, steps and seeds "
      "for all: what each trains, costs and reaches.\n"
      "Prints a table and writes report.html and report.json. Exit status: 0, 1 (failed), 2 (usage), 128 + the number "
      "of a signal (what is finished is kept).",
      "compare"};
  add_options(app, line);
  return support::run_program(app, argc, argv, [&] {
    if (line.merged.empty())
      run(app, line);
    else
      run_merge(app, line);
  });
}
