#include "runner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include <graft/io/atomic_file.hpp>
#include <graft/io/json.hpp>
#include <graft/train/progress.hpp>

#include "estimate.hpp"
#include "process.hpp"
#include "support/method_options.hpp"
#include "support/text.hpp"

namespace compare {

namespace {

double learning_rate_of(Settings const& settings, std::string const& method) {
  if (!is_trained(method)) return 0;
  auto const own = settings.learning_rates.find(method);
  return own == settings.learning_rates.end() ? graft::any::strategy_info(method).learning_rate : own->second;
}

/// The rates to try for a row: around the table's with --tune.
std::vector<double> rates_of(Settings const& settings, std::string const& method) {
  double const rate = learning_rate_of(settings, method);
  if (!settings.tune || !is_trained(method) || settings.learning_rates.contains(method)) return {rate};
  return {rate, rate / 3, rate * 3};
}

class Runner {
 public:
  explicit Runner(Settings const& settings)
      : settings_(settings), folder_(settings.out / "rows"), estimate_(settings.task) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error)
      graft::fail<graft::FileError>("[", settings.out.string(),
                                    "] cannot be used for the results; got: ", error.message(),
                                    "; expected a folder or a new name");
    for (auto const& method : settings.methods)
      for (double rate : rates_of(settings, method)) requests_.push_back({settings.task, method, rate});
    for (auto const& request : requests_)  // before the first row is made
      for (char const* end : {".json", ".request.json"}) graft::check_output_file(file_of(request, end));
  }

  std::vector<Row> run() {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      Row row = make(i);
      estimate_.add(row);
      if (!rows.empty() && rows.back().method == row.method)
        merge(rows.back(), std::move(row));
      else
        rows.push_back(std::move(row));
    }
    auto const base = std::find_if(rows.begin(), rows.end(), [](Row const& row) { return row.method == none; });
    for (Row& row : rows)
      row.above_none = base != rows.end() && !base->has_no_results() && is_trained(row.method) &&
                       !row.has_no_results() && !(row.validation_loss < base->validation_loss);
    return rows;
  }

 private:
  /// Keeps the row with the better validation loss and notes both rates.
  static void merge(Row& best, Row other) {
    if (best.tuning.empty()) best.tuning.emplace_back(best.learning_rate, best.validation_loss);
    auto tuning = best.tuning;
    tuning.emplace_back(other.learning_rate, other.validation_loss);
    if (!other.failed() && (best.failed() || other.validation_loss < best.validation_loss)) best = std::move(other);
    best.tuning = std::move(tuning);
  }

  std::filesystem::path file_of(Request const& request, char const* end) const {
    std::string const rate = is_trained(request.method) ? "-" + support::compact(request.learning_rate) : "";
    return folder_ / (request.method + rate + end);
  }

  /// The finished row of an earlier run, where it is one of the very same request.
  std::optional<Row> finished(std::filesystem::path const& file, Json const& stamp) const {
    try {
      std::error_code missing;
      if (settings_.fresh || !std::filesystem::exists(file, missing)) return std::nullopt;
      auto const json = graft::read_json(file);
      if (graft::json_at<nlohmann::json>(file.string(), json, "stamp") != nlohmann::json(stamp)) return std::nullopt;
      Row row = row_from_json(file.string(), graft::json_at<nlohmann::json>(file.string(), json, "row"));
      return row.failed() ? std::nullopt : std::optional<Row>(std::move(row));
    } catch (graft::Error const&) {  // damaged: made anew
      return std::nullopt;
    }
  }

  Row make(std::size_t number) {
    Request const& request = requests_[number];
    Json const stamp = stamp_of(request);
    auto const file = file_of(request, ".json"), request_file = file_of(request, ".request.json");
    if (auto row = finished(file, stamp)) {
      announce(number, "taken over from an earlier run");
      return std::move(*row);
    }
    announce(number, time_left(number));
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    graft::write_file_atomic(request_file, stamp.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
    std::string failure = run_self({"--worker", request_file.string(), file.string()});
    std::filesystem::remove(request_file, ignored);
    Row row;
    if (failure.empty() && !std::filesystem::exists(file, ignored)) failure = "the process left no result";
    if (failure.empty())
      row = row_from_json(file.string(), graft::json_at<nlohmann::json>(file.string(), graft::read_json(file), "row"));
    row.method = request.method, row.learning_rate = request.learning_rate;
    if (!failure.empty()) row.error = failure;
    report(row);
    return row;
  }

  void announce(std::size_t number, std::string const& note) const {
    Request const& request = requests_[number];
    std::string const rate =
        is_trained(request.method) ? ", learning rate " + support::compact(request.learning_rate) : "";
    std::fprintf(stderr, "[%zu/%zu] %s%s  (%s)\n", number + 1, requests_.size(), title_of(request.method).c_str(),
                 rate.c_str(), note.c_str());
  }
  std::string time_left(std::size_t number) const {
    std::vector<std::string> methods;
    for (std::size_t i = number; i < requests_.size(); ++i)
      if (!finished(file_of(requests_[i], ".json"), stamp_of(requests_[i]))) methods.push_back(requests_[i].method);
    auto const seconds = estimate_.seconds(methods);
    return seconds ? "about " + graft::clock_time(*seconds) + " left in all" : "time left is known after this row";
  }
  static void report(Row const& row) {
    if (row.failed())
      std::fprintf(stderr, "      failed: %s\n", row.error.c_str());
    else if (row.has_no_results())
      std::fprintf(stderr, "      n/a: %s\n", row.not_applicable.c_str());
    else if (std::isnan(row.together.bleu))
      std::fprintf(stderr, "      validation loss %.4f, accuracy %.1f %%, %s\n", row.validation_loss,
                   row.together.accuracy, graft::clock_time(row.seconds).c_str());
    else
      std::fprintf(stderr, "      validation loss %.4f, BLEU %.1f, %s\n", row.validation_loss, row.together.bleu,
                   graft::clock_time(row.seconds).c_str());
  }

  Settings const& settings_;
  std::filesystem::path folder_;
  Estimate estimate_;
  std::vector<Request> requests_;
};

}  // namespace

std::vector<Row> make_rows(Settings const& settings) { return Runner(settings).run(); }

}  // namespace compare
