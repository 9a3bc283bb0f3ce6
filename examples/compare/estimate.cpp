#include "estimate.hpp"

#include <algorithm>

namespace compare {

namespace {

/// Cost of a training step relative to a frozen model with something trained at the bottom (forward, and backward
/// through activations alone).
double factor_of(std::string const& method) {
  if (!is_trained(method)) return 0;
  if (method == "full") return 1.8;
  if (method == "top_layers") return 0.8;
  if (method == "prompt" || method == "embedding" || method == "prefix_lora") return 1.2;
  return 1;
}

}  // namespace

void Estimate::add(Row const& row) {
  if (row.has_no_results()) return;
  double const factor = factor_of(row.method);
  train_seconds_ += row.train_seconds;
  train_weight_ += factor;
  if (row.method == few_shot) return;  // its contexts are long; it says little about the others
  other_seconds_ += rest_of(row);
  others_ += 1;
  if (row.method != none || task_.validation_rows == 0) return;
  double const examples = task_.steps > 0
                              ? static_cast<double>(task_.steps * task_.batch)
                              : static_cast<double>(task_.epochs) * static_cast<double>(task_.training_rows);
  guess_ = 1.5 * row.validation_seconds * examples / static_cast<double>(task_.validation_rows);
}

std::optional<double> Estimate::seconds(std::vector<std::string> const& methods) const {
  if (others_ == 0) return std::nullopt;
  double const training = train_weight_ > 0 ? train_seconds_ / train_weight_ : guess_, other = other_seconds_ / others_;
  double sum = 0;
  for (auto const& method : methods) sum += factor_of(method) * training + (method == few_shot ? 3 : 1) * other;
  return sum;
}

}  // namespace compare
