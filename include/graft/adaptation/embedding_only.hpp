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
  template <class Scalar, class Device>
  using State = VirtualTokensState<EmbeddingOnly, Scalar, Device>;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visit_virtual_tokens(self, visitor);
  }
};

}  // namespace graft
