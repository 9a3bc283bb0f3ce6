/// @file
/// @brief The beams of one prompt: what stays alive, what is finished, and when it is over. No model and no other
/// prompt is in sight.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <graft/generate/beam_candidates.hpp>
#include <graft/generate/log_sum_exp.hpp>
#include <graft/generate/result.hpp>
#include <graft/generate/settings.hpp>

namespace graft::detail {

/// A live hypothesis.
struct Beam {
  std::vector<Token> tokens = {};  ///< prompt and text
  double score = 0;                ///< Σ log p
  Index row = 0;                   ///< of the last logits
};

/// Beam search for one prompt, step by step, as transformers' `_beam_search` does it for each prompt of a batch.
class PromptBeams {
 public:
  /// `row` is the prompt's place in the session.
  PromptBeams(std::vector<Token> prompt, Index row, BeamSearch const& settings)
      : settings_(&settings),
        limits_(limits_of(settings)),
        number_(settings.first_prompt + row),
        prompt_length_(static_cast<Index>(prompt.size())) {
    live_.push_back({std::move(prompt), 0.0, row});
  }

  [[nodiscard]] std::vector<Beam>& live() { return live_; }
  [[nodiscard]] std::vector<Beam> const& live() const { return live_; }
  [[nodiscard]] History history(Beam const& beam) const { return {beam.tokens, prompt_length_, number_}; }

  /// Candidates considered at each step: so many that `beams` stay alive even if every end token of every beam is among
  /// them.
  [[nodiscard]] static std::size_t candidates(BeamSearch const& settings) {
    return static_cast<std::size_t>(settings.beams) * std::max<std::size_t>(2, 1 + settings.end_tokens.size());
  }

  /// Takes the step's best candidates, best first. Afterwards `live()` holds the beams to go on with, none when the
  /// prompt is done; their `row` is their parent's.
  void advance(std::vector<BeamCandidate> const& candidates) {
    if (candidates.empty() && finished_.empty()) fail_all_forbidden(number_, generated_);
    ++generated_;
    auto const beams = static_cast<std::size_t>(settings_->beams);
    bool const last = generated_ == settings_->max_new_tokens;
    std::vector<Beam> next;
    for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
      auto const& candidate = candidates[rank];
      bool const end = ends_text(limits_, candidate.token);
      if ((end || last) && rank < beams)
        finish(candidate, end);  // one that ends below rank `beams` is neither finished nor continued
      if (!(end || last) && next.size() < beams) next.push_back(continued(candidate));
    }
    std::stable_sort(finished_.begin(), finished_.end(),
                     [](Generated const& a, Generated const& b) { return a.score > b.score; });
    if (finished_.size() > beams) finished_.resize(beams);
    live_ = std::move(next);
    if (over()) live_.clear();
  }

  /// The best finished texts.
  [[nodiscard]] std::vector<Generated> results() const {
    auto const count = std::min(finished_.size(), static_cast<std::size_t>(settings_->sequences));
    return {finished_.begin(), finished_.begin() + static_cast<Index>(count)};
  }

 private:
  [[nodiscard]] Beam continued(BeamCandidate const& candidate) const {
    auto const& parent = live_[static_cast<std::size_t>(candidate.beam)];
    Beam beam{parent.tokens, candidate.score, parent.row};
    beam.tokens.push_back(candidate.token);
    return beam;
  }
  void finish(BeamCandidate const& candidate, bool ended) {
    auto tokens = continued(candidate).tokens;
    tokens.erase(tokens.begin(), tokens.begin() + prompt_length_);
    finished_.push_back({std::move(tokens), normalised(candidate.score, generated_), ended});
  }
  [[nodiscard]] double normalised(double score, Index length) const {
    return score / std::pow(static_cast<double>(length), settings_->length_penalty);
  }

  /// Whether nothing better is to come, by the rule of `early_stopping`.
  [[nodiscard]] bool over() const {
    if (live_.empty()) return true;
    if (finished_.size() < static_cast<std::size_t>(settings_->beams)) return false;
    if (settings_->early_stopping == EarlyStopping::when_full) return true;
    bool const longest = settings_->early_stopping == EarlyStopping::never && settings_->length_penalty > 0;
    return normalised(live_.front().score, longest ? settings_->max_new_tokens : generated_) <= finished_.back().score;
  }

  BeamSearch const* settings_;
  Limits limits_;
  Index number_, prompt_length_, generated_ = 0;
  std::vector<Beam> live_;           ///< best first
  std::vector<Generated> finished_;  ///< best first, at most `beams`
};

}  // namespace graft::detail
