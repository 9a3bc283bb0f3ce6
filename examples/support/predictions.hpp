/// @file
/// @brief The file of what a model says of the rows of a test, which keeps what is there when the work ends early.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <graft/data/text_line.hpp>
#include <graft/io/atomic_file.hpp>

#include "support/unfinished.hpp"

namespace support {

/// A line a row, in order; a row that is never set (one that is skipped) has an empty one. With an empty path nothing
/// is written.
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
    keep_unfinished_outputs(path_, "predictions", done_, lines_.size(), rows_,
                            [&](std::string const& place, bool) { write_to(place, done_); });
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
