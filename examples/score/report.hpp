/// @file
/// @brief What `score` says of the metrics: JSON, and the same as text.
#pragma once

#include <graft/metrics/bootstrap.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/text_metrics.hpp"

namespace scoring {

using support::Measured;

/// Scores under the metrics' names; with resamples, `intervals` with bounds; `left_out`; `items`.
[[nodiscard]] nlohmann::ordered_json report(Measured const& measured, graft::BootstrapOptions const& options);

/// The other system's score, the difference (first less second), its interval and p, for each metric.
[[nodiscard]] nlohmann::ordered_json comparison(Measured const& first, Measured const& second,
                                                graft::BootstrapOptions const& options);

/// Scores of the items of each domain, with the number of items. @param domains `[items]`
[[nodiscard]] nlohmann::ordered_json by_domain(Measured const& measured, std::vector<std::string> const& domains);

/// The report for a person.
[[nodiscard]] std::string as_text(nlohmann::ordered_json const& report, Measured const& measured);

}  // namespace scoring
