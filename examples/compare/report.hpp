/// @file
/// @brief The two reports: JSON for programs, a self-contained page for people.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "data.hpp"
#include "row.hpp"
#include "table.hpp"

namespace compare {

struct Report {
  Settings const& settings;
  Examples const& examples;
  std::vector<Row> const& rows;

  [[nodiscard]] bool has_unseen() const { return examples.seen < examples.test.size(); }
  /// Whether the model is a classifier.
  [[nodiscard]] bool has_classes() const {
    return std::any_of(rows.begin(), rows.end(), [](Row const& row) {
      return row.together.accuracy == row.together.accuracy && row.together.bleu != row.together.bleu;
    });
  }
  [[nodiscard]] Test test() const { return {has_unseen(), has_classes()}; }
};

/// Settings, rows with curves and outputs, and the test inputs with their references.
Json report_json(Report const& report);

/// A page without anything from elsewhere: table, plots as inline SVG, samples; for light and dark screens.
std::string report_html(Report const& report);

}  // namespace compare
