/// @file
/// @brief What the benchmarks share: rows of token ids, and what the process has used.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/io/json.hpp>
#include <graft/nn/rows.hpp>

namespace benchmark_support {

/// `{"eos": id, "rows": [{"source_ids": […], "target_ids": […]}, …]}`
struct TokenRows {
  graft::Token eos = -1;
  std::vector<graft::TokenizedExample> rows;

  /// `count` rows from the `batch`-th batch on, cut at the end of the file as the peer cuts them.
  [[nodiscard]] std::vector<graft::TokenizedExample> batch(std::size_t number, std::size_t count) const {
    std::size_t const first = number * count % rows.size();
    return {rows.begin() + static_cast<std::ptrdiff_t>(first),
            rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), first + count))};
  }
};

inline TokenRows read_token_rows(std::filesystem::path const& path) {
  auto const json = graft::read_json(path);
  TokenRows result;
  result.eos = graft::json_at<std::int32_t>(path.string(), json, "eos");
  for (auto const& row : json.at("rows"))
    result.rows.push_back({row.at("source_ids").get<std::vector<graft::Token>>(),
                           row.at("target_ids").get<std::vector<graft::Token>>(), result.rows.size()});
  if (result.rows.empty()) graft::fail<graft::FileError>("[", path.string(), "] got no rows; expected at least one");
  return result;
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Processor time of the whole process, user and system, in seconds.
inline double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto const seconds = [](timeval const& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The most memory this process has held, in MiB.
inline long peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t const middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace benchmark_support
