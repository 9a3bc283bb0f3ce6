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

void Estimate::add(Strategy const& strategy, Run const& run) {
  if (run.has_no_results()) return;
  auto& [seconds, runs] = own_[strategy.name];
  seconds += run.seconds, runs += 1;
  train_seconds_ += run.train_seconds;
  train_weight_ += factor_of(strategy.name);
  if (strategy.name == few_shot) return;  // its contexts are long; it says little about the others
  other_seconds_ += run.seconds - run.train_seconds;
  others_ += 1;
  if (strategy.name != none || task_.validation_rows == 0) return;
  double const examples = task_.steps > 0
                              ? static_cast<double>(task_.steps * task_.batch)
                              : static_cast<double>(task_.epochs) * static_cast<double>(task_.training_rows);
  guess_ = 1.5 * run.validation_seconds * examples / static_cast<double>(task_.validation_rows);
}

std::optional<double> Estimate::seconds(std::vector<std::string> const& strategies) const {
  if (others_ == 0) return std::nullopt;
  double const training = train_weight_ > 0 ? train_seconds_ / train_weight_ : guess_, other = other_seconds_ / others_;
  double sum = 0;
  for (auto const& name : strategies) {
    auto const own = own_.find(name);
    sum += own != own_.end() ? own->second.first / own->second.second
                             : factor_of(name) * training + (name == few_shot ? 3 : 1) * other;
  }
  return sum;
}

}  // namespace compare
