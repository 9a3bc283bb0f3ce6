#include "runner.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include <graft/io/atomic_file.hpp>
#include <graft/io/json.hpp>
#include <graft/train/progress.hpp>

#include "estimate.hpp"
#include "memory.hpp"
#include "naming.hpp"
#include "pool.hpp"
#include "process.hpp"
#include "stamp.hpp"
#include "support/program.hpp"
#include "support/signals.hpp"
#include "support/text.hpp"
#include "worker.hpp"

namespace compare {

namespace {

/// A number as short as it can be told from others.
std::string exact(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string name_of(Request const& request) {
  if (!request.trains()) return slug_of(request.strategy);
  std::string const seed = request.seed == 0 ? "" : "-seed" + std::to_string(request.seed);
  return slug_of(request.strategy) + "-" + exact(request.learning_rate) + seed;
}

/// A run to be made, of a row, and where it is kept.
struct Work {
  std::size_t row;
  Request request;
  std::filesystem::path file, request_file;
  Json stamp;
};

class Runner {
 public:
  Runner(Settings const& settings, std::vector<double> const& guesses)
      : settings_(settings), guesses_(guesses), folder_(settings.out / "rows"), estimate_(settings.task) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error)
      graft::fail<graft::FileError>("[", settings.out.string(),
                                    "] cannot be used for the results; got: ", error.message(),
                                    "; expected a folder or a new name");
    tried_.resize(settings.rows.size());
    titles_ = titles_of(settings.rows);
    limits_.jobs = settings.jobs;
    limits_.threads = std::max<Index>(1, own_threads() / settings.jobs);
    limits_.memory_mib = settings.memory_mib > 0 ? settings.memory_mib : free_memory_mib();
    for (std::size_t row = 0; row < settings.rows.size(); ++row) {
      bool const trains = is_trained(settings.rows[row].strategy.name);
      total_ += trains && settings.tuned[row] ? 2 + settings.seeds.size() : trains ? settings.seeds.size() : 1;
    }
  }

  std::vector<Row> run() {
    support::SignalWatch const watch;
    try {
      make(first_works());
      make(works_with_the_best_rate());
    } catch (support::Interrupted const& end) {
      throw support::Interrupted(
          end.signal(), graft::cat("ended by signal ", end.signal(), "; ", done_, " of ", total_,
                                   " runs are finished and kept in ", folder_.string(),
                                   settings_.fresh ? "; the same command without --fresh goes on with the others"
                                                   : "; the same command goes on with the others"));
    }
    std::vector<Row> rows;
    for (std::size_t row = 0; row < settings_.rows.size(); ++row) rows.push_back(row_of(row));
    return rows;
  }

 private:
  Work work(std::size_t row, double rate, std::uint64_t seed) const {
    Work work{row, {settings_.task, settings_.rows[row].strategy, rate, seed}, {}, {}, {}};
    if (!work.request.trains()) work.request.learning_rate = 0, work.request.seed = 0;
    std::string const name = name_of(work.request);
    work.file = folder_ / (name + ".json"), work.request_file = folder_ / (name + ".request.json");
    for (auto const& file : {work.file, work.request_file}) graft::check_output_file(file);
    work.stamp = stamp_of(work.request);
    return work;
  }

  /// All runs, but those that wait for the best learning rate.
  std::vector<Work> first_works() const {
    std::vector<Work> works;
    for (std::size_t row = 0; row < settings_.rows.size(); ++row) {
      double const rate = settings_.learning_rates[row];
      if (!is_trained(settings_.rows[row].strategy.name))
        works.push_back(work(row, 0, 0));
      else if (settings_.tuned[row])
        for (double one : {rate, rate / 3, rate * 3}) works.push_back(work(row, one, settings_.seeds.front()));
      else
        for (auto seed : settings_.seeds) works.push_back(work(row, rate, seed));
    }
    return works;
  }
  std::vector<Work> works_with_the_best_rate() const {
    std::vector<Work> works;
    for (std::size_t row = 0; row < settings_.rows.size(); ++row)
      if (settings_.tuned[row])
        for (std::size_t i = 1; i < settings_.seeds.size(); ++i)
          works.push_back(work(row, best_of(tried_[row]).learning_rate, settings_.seeds[i]));
    return works;
  }

  /// The run with the lowest validation loss.
  static Run const& best_of(std::vector<Run> const& runs) {
    auto const loss = [](Run const& run) {
      return run.has_no_results() || std::isnan(run.validation_loss) ? HUGE_VAL : run.validation_loss;
    };
    return *std::min_element(runs.begin(), runs.end(), [&](Run const& a, Run const& b) { return loss(a) < loss(b); });
  }

  Row row_of(std::size_t number) const {
    Row row;
    row.spec = settings_.rows[number], row.title = titles_[number];
    auto const& tried = tried_[number];
    if (!settings_.tuned[number]) {
      row.runs = tried;
    } else {  // the rates come first
      std::vector<Run> const rates(tried.begin(), tried.begin() + 3);
      for (auto const& run : rates) row.tuning.emplace_back(run.learning_rate, run.validation_loss);
      row.runs.push_back(best_of(rates));
      row.runs.insert(row.runs.end(), tried.begin() + 3, tried.end());
    }
    row.learning_rate = row.runs.front().learning_rate;
    return row;
  }

  /// The finished run in the file, where it is one of the very same request.
  static std::optional<Run> finished(Work const& work) {
    try {
      std::error_code missing;
      if (!std::filesystem::exists(work.file, missing)) return std::nullopt;
      std::string const where = work.file.string();
      auto const json = graft::read_json(work.file);
      if (graft::json_at<nlohmann::json>(where, json, "stamp") != nlohmann::json(work.stamp)) return std::nullopt;
      Run run = run_from_json(where, graft::json_at<nlohmann::json>(where, json, "run"));
      return run.failed() ? std::nullopt : std::optional<Run>(std::move(run));
    } catch (graft::Error const&) {  // damaged: made anew
      return std::nullopt;
    }
  }

  /// Makes the runs that are not there, and adds all to those that were tried, in order.
  void make(std::vector<Work> const& works) {
    std::vector<Run> runs(works.size());
    std::vector<std::size_t> missing, twins(works.size());  // of each the first with the same request
    std::map<std::filesystem::path, std::size_t> known;
    for (std::size_t i = 0; i < works.size(); ++i) {
      twins[i] = known.try_emplace(works[i].file, i).first->second;
      if (twins[i] != i) continue;
      auto run = settings_.fresh ? std::nullopt : finished(works[i]);
      if (!run) {
        missing.push_back(i);
        continue;
      }
      announce(works[i], "taken over from an earlier run");
      add(works[i], *run);
      runs[i] = std::move(*run);
    }
    std::vector<Job> jobs;
    std::size_t begun = 0;
    for (std::size_t i : missing) {
      Work const& one = works[i];
      jobs.push_back({{worker_option(settings_.jobs > 1), one.request_file.string(), one.file.string()},
                      [this, &one] { return need_.mib(one.request.strategy, guesses_[one.row]); },
                      [this, &one, &works, &missing, &begun] {
                        begin(one, time_left(works, missing, begun));
                        ++begun;
                      },
                      [this, &one, &run = runs[i]](std::string const& how) { run = end(one, how); }});
    }
    try {
      run_jobs(jobs, limits_, [this](double need) { say_waiting(need); });
    } catch (...) {
      std::error_code ignored;
      for (std::size_t i : missing) {
        std::filesystem::remove(works[i].request_file, ignored);
        if (!ended_.contains(works[i].file) && finished(works[i])) ++done_;  // between its end and our noticing
      }
      throw;
    }
    for (std::size_t i = 0; i < works.size(); ++i) {
      if (twins[i] != i) {
        announce(works[i], "the same as of another row");
        add(works[i], runs[twins[i]]);
      }
      tried_[works[i].row].push_back(runs[twins[i]]);
    }
  }

  void begin(Work const& work, std::string const& note) {
    announce(work, note);
    std::error_code ignored;
    std::filesystem::remove(work.file, ignored);
    graft::write_file_atomic(work.request_file, work.stamp.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  Run end(Work const& work, std::string failure) {
    std::error_code ignored;
    ended_.insert(work.file);
    std::filesystem::remove(work.request_file, ignored);
    std::string const where = work.file.string();
    if (failure.empty() && !std::filesystem::exists(work.file, ignored)) failure = "the process left no result";
    Run run;
    if (failure.empty())
      run = run_from_json(where, graft::json_at<nlohmann::json>(where, graft::read_json(work.file), "run"));
    run.seed = work.request.seed, run.learning_rate = work.request.learning_rate;
    if (!failure.empty()) run.error = failure;
    report(work, run);
    add(work, run);
    return run;
  }

  void add(Work const& work, Run const& run) {
    if (!run.failed()) ++done_;
    estimate_.add(work.request.strategy, run);
    if (settings_.task.placement.device == graft::any::DeviceKind::cpu)  // else the peak is not the host's
      need_.add(work.request.strategy, guesses_[work.row], run.peak_memory_mib);
  }

  /// "LoRA rank=4, seed 1, learning rate 0.002"
  std::string what(Work const& work) const {
    std::string text = titles_[work.row];
    if (!work.request.trains()) return text;
    if (settings_.seeds.size() > 1) text += ", seed " + std::to_string(work.request.seed);
    return text + ", learning rate " + support::compact(work.request.learning_rate);
  }
  void announce(Work const& work, std::string const& note) {
    std::fprintf(stderr, "[%zu/%zu] %s  (%s)\n", ++announced_, total_, what(work).c_str(), note.c_str());
  }
  std::string time_left(std::vector<Work> const& works, std::vector<std::size_t> const& missing,
                        std::size_t begun) const {
    std::vector<std::string> strategies;
    for (std::size_t i = begun; i < missing.size(); ++i) strategies.push_back(works[missing[i]].request.strategy.name);
    auto const seconds = estimate_.seconds(strategies);
    if (!seconds) return "time left is known after this row";
    auto const at_once =
        static_cast<double>(std::min<std::size_t>(static_cast<std::size_t>(settings_.jobs), strategies.size()));
    return "about " + graft::clock_time(*seconds / at_once) + " left in all";
  }
  void say_waiting(double need) const {
    std::fprintf(stderr, "      fewer than %lld processes at once: the next may need %.0f MiB, and all may have %.0f\n",
                 static_cast<long long>(settings_.jobs), need, limits_.memory_mib);
  }
  void report(Work const& work, Run const& run) const {
    std::string const whose = settings_.jobs > 1 ? what(work) + ": " : "";
    if (run.failed())
      std::fprintf(stderr, "      %sfailed: %s\n", whose.c_str(), run.error.c_str());
    else if (run.has_no_results())
      std::fprintf(stderr, "      %sn/a: %s\n", whose.c_str(), run.not_applicable.c_str());
    else
      std::fprintf(stderr, "      %svalidation loss %.4f, %s\n", whose.c_str(), run.validation_loss,
                   graft::clock_time(run.seconds).c_str());
  }

  Settings const& settings_;
  std::vector<double> const& guesses_;
  std::filesystem::path folder_;
  Estimate estimate_;
  MemoryNeed need_;
  PoolLimits limits_;
  std::vector<std::string> titles_;
  std::vector<std::vector<Run>> tried_;    // of each row: of all rates with the first seed, then of the other seeds
  std::set<std::filesystem::path> ended_;  // that were waited for
  std::size_t total_ = 0, done_ = 0, announced_ = 0;
};

}  // namespace

std::vector<Row> make_rows(Settings const& settings, std::vector<double> const& guesses) {
  return Runner(settings, guesses).run();
}

}  // namespace compare
