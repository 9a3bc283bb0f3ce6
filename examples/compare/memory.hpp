/// @file
/// @brief How many processes fit into memory side by side.
#pragma once

#include <map>
#include <string>

#include "settings.hpp"

namespace compare {

/// Memory that processes started now can have, in MiB: what the system says is available, within the limit of the
/// control group. Infinity where the system does not say.
double free_memory_mib();

/// What a process of a row will need at most. A strategy that a finished run measured needs what the largest of its
/// runs did; the first one of a strategy is guessed from its parameters, and from how far earlier guesses were off.
class MemoryNeed {
 public:
  void add(Strategy const& strategy, double guess_mib, double peak_mib);
  [[nodiscard]] double mib(Strategy const& strategy, double guess_mib) const;

 private:
  std::map<std::string, double> measured_;  // of each strategy's name, measured / guessed
  double off_ = 1;                          // the greatest ratio of all
};

/// The first guess: the model's file, parameters that are trained with gradients and the optimizer's two moments, and
/// room for the program and a batch.
double guessed_mib(double model_bytes, Index trainable);

/// Bytes of a model's files. 0 where they cannot be counted.
double model_bytes(std::string const& model);

}  // namespace compare
