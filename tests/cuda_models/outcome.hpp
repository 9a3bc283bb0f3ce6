// What becomes of a model by a short training, and what it writes then.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <graft/any/erased_transformer.hpp>
#include <graft/generate/result.hpp>
#include <graft/generate/settings.hpp>
#include <graft/train/training.hpp>

namespace whole {

struct Plan {
  graft::Training training;  ///< without steps: none
  std::vector<graft::TokenizedExample> examples;
  bool searches = false;                    ///< beam search and sampling, too
  std::vector<graft::Index> adapters = {};  ///< of the three prompts, in a table
};

/// All of it on the host.
template <class Scalar>
struct Outcome {
  std::vector<double> losses, norms;  ///< of every step
  std::vector<std::pair<std::string, graft::Tensor<Scalar>>> parameters;
  graft::Tensor<Scalar> logits;           ///< at every token; of a classifier, of every row
  std::vector<graft::Generations> texts;  ///< of greedy search, beam search and sampling
};

template <class Scalar, class Device>
[[nodiscard]] graft::TrainingReport train(graft::any::ErasedTrainable<Scalar, Device>& model, Plan const& plan);

/// Texts after two prompts.
template <class Scalar, class Device>
[[nodiscard]] graft::Generations sampled(graft::any::ErasedTransformer<Scalar, Device> const& model,
                                         graft::Sampling const& settings);

template <class Scalar, class Device>
[[nodiscard]] Outcome<Scalar> outcome(graft::any::ErasedTransformer<Scalar, Device>& model, Plan const& plan);

}  // namespace whole
