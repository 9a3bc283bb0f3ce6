/// @file
/// @brief Embedding-only tuning (Li & Liang 2021, §7.2): virtual embeddings, at the
/// prefix or the infix place, run through the frozen model.
#pragma once

#include <graft/adaptation/virtual_tokens.hpp>

namespace graft {

/// The ablation of prefix-tuning that trains only the embedding layer's part of the prefix. At the front and without an
/// MLP it is prompt tuning and shares its code; the papers differ in the start (here normal numbers or words) and in
/// the optional MLP and infix place.
struct EmbeddingOnly {
  Index length = 10;         ///< P: virtual tokens
  Side side = Side::source;  ///< of an encoder–decoder
  Place place = Place::front;
  std::optional<Mlp> reparametrization = std::nullopt;
  Init init = Init::vocabulary;
  double init_deviation = 0.02;
  std::vector<std::vector<Token>> init_words = {};
  bool fill_from_vocabulary = false;
  Index init_sample = 5000;
  PositionPolicy positions = PositionPolicy::automatic;
  Pooling pooling = Pooling::first_virtual;  ///< of a classifier

  static constexpr char const* name = "embedding_only";
  static constexpr char const* short_name = "embedding";
  static constexpr char const* summary = "embedding-only: virtual embeddings (with an MLP) through the frozen model";
  static constexpr double learning_rate = 5e-3;
  template <class Scalar, class Device>
  using State = VirtualTokensState<EmbeddingOnly, Scalar, Device>;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visit_virtual_tokens(self, visitor);
  }
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    return virtual_tokens_read(*this, setting, model);
  }
  void check(ModelInfo const& model) const { check_virtual_tokens(*this, model); }
  /// What the programs start from: the paper trains the embeddings through an MLP.
  [[nodiscard]] static EmbeddingOnly recommended() { return {.reparametrization = Mlp{}}; }
};

}  // namespace graft
