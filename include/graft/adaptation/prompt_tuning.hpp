/// @file
/// @brief Prompt tuning (Lester et al. 2021): virtual tokens whose embeddings are trained, in front of the input.
#pragma once

#include <graft/adaptation/virtual_tokens.hpp>

namespace graft {

/// [E; X] runs through the frozen model, with E `[P, width]` trained.
struct PromptTuning {
  Index length = 20;  ///< P: virtual tokens
  /// normal, uniform, vocabulary (sampled), or words (a text's tokens, or class labels)
  Init init = Init::vocabulary;
  double init_deviation = 0.5;  ///< Lester's uniform start is ±0.5
  /// for words: a text has one token a word, a class label may have several (their mean is taken)
  std::vector<std::vector<Token>> init_words = {};
  /// with fewer words than P: sample the rest (Lester's class labels) instead of repeating them (PEFT's text)
  bool fill_from_vocabulary = false;
  Index init_sample = 5000;  ///< how many of the first tokens are sampled from
  /// PEFT keeps P·2 rows for an encoder–decoder and reads the first P; 2 keeps them too
  Index submodules = 1;
  Side side = Side::source;  ///< of an encoder–decoder
  Place place = Place::front;
  PositionPolicy positions = PositionPolicy::automatic;
  Pooling pooling = Pooling::first_virtual;  ///< of a classifier
  std::optional<Mlp> reparametrization = std::nullopt;

  static constexpr char const* name = "prompt_tuning";
  static constexpr char const* short_name = "prompt";
  static constexpr char const* summary = "prompt tuning: virtual tokens in front of the input";
  static constexpr double learning_rate = 3e-2;
  template <class Scalar, class Device>
  using State = VirtualTokensState<PromptTuning, Scalar, Device>;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visit_virtual_tokens(self, visitor);
    visitor("submodules", self.submodules,
            "2: keep P·2 rows, of which the first P are read, as PEFT does for an encoder–decoder");
  }
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    return virtual_tokens_read(*this, setting, model);
  }
  void check(ModelInfo const& model) const {
    check_virtual_tokens(*this, model);
    if (submodules < 1 || submodules > 2)
      fail<ConfigError>("[virtual tokens] got submodules ", submodules, "; expected 1 or 2");
  }
  /// What the programs start from.
  [[nodiscard]] static PromptTuning recommended() { return {.init_deviation = 0.02}; }
};

}  // namespace graft
