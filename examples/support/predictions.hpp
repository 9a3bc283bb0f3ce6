/// @file
/// @brief The file of what a model says of the rows of a test, which keeps what is there when the work ends early.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <graft/data/text_line.hpp>
#include <graft/io/atomic_file.hpp>

#include "support/paths.hpp"

namespace support {

/// Puts what there is of an unfinished output under its name, or, where an earlier file stands there, which stays, under a free one beside
/// it; says so: "kept the outputs of the first 2 of 9 sources in …".
/// @param put takes the place, and whether it is beside an earlier file
template <class Put>
void keep_unfinished(std::string const& path, char const* what, std::size_t done, std::size_t count, std::string const& rows, Put const& put) {
  std::error_code missing;
  bool const beside = std::filesystem::is_regular_file(path, missing);
  std::string const place = beside ? free_name_beside(path) : path;
  put(place, beside);
  std::fprintf(stderr, "kept the %s of the first %zu of %zu %s in %s%s\n", what, done, count, rows.c_str(), place.c_str(),
               beside ? ", beside the earlier file, which is unchanged" : "");
}

/// A line a row, in order; a row that is never set (one that is skipped) has an empty one. With an empty path nothing is written.
class Predictions {
 public:
  /// @param rows what the rows are called in messages: "sources"
  Predictions(std::string path, std::size_t count, std::string rows)
      : path_(std::move(path)), lines_(count), rows_(std::move(rows)) {}
  void set(std::size_t row, std::string const& text) { lines_[row] = text, done_ = row + 1; }
  /// Rows up to the last that is set.
  [[nodiscard]] std::size_t done() const { return done_; }
  [[nodiscard]] std::size_t count() const { return lines_.size(); }
  void write() const {
    if (!path_.empty()) write_to(path_, lines_.size());
  }
  /// In place of `write`, when not all are there; says what is kept: beside an earlier file of the name.
  void keep() const {
    if (path_.empty() || done_ == 0) return;
    keep_unfinished(path_, "predictions", done_, lines_.size(), rows_, [&](std::string const& place, bool) { write_to(place, done_); });
  }

 private:
  void write_to(std::string const& path, std::size_t count) const {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += graft::escape_line(lines_[i]) + "\n";
    graft::write_file_atomic(path, all);
  }

  std::string path_;
  std::vector<std::string> lines_;
  std::string rows_;
  std::size_t done_ = 0;
};

}  // namespace support
