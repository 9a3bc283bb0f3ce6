/// @file
/// @brief BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019): an encoder with learned positions and token types, a
/// layer norm after each sublayer and after the embeddings, and a classification head on the first token's state.
#pragma once

#include <graft/models/architecture.hpp>

namespace graft {

namespace detail {
struct BertPolicies : ArchitectureDefaults {
  static constexpr StackKind stacks = StackKind::encoder;
  static constexpr NormPlacement placement = NormPlacement::after;
  static constexpr HeadKind head = HeadKind::classifier;
};
}  // namespace detail

/// logits = W·tanh(W_p·h₀ + b_p) + b; the pooler W_p belongs to the model.
struct Bert : detail::BertPolicies {
  static constexpr std::string_view model_type = "bert";

  static constexpr std::array sites{
      SiteSpec{Site::token_embedding, Role::embedding, "bert.embeddings.word_embeddings", Extent::vocabulary,
               Extent::width},
      SiteSpec{Site::pooler, Role::weight, "bert.pooler.dense", Extent::width, Extent::width, Presence::always},
      SiteSpec{Site::classifier, Role::head, "classifier", Extent::labels, Extent::width, Presence::always},
      SiteSpec{Site::position_embedding, Role::embedding, "bert.embeddings.position_embeddings", Extent::positions,
               Extent::width},
      SiteSpec{Site::token_type_embedding, Role::embedding, "bert.embeddings.token_type_embeddings",
               Extent::token_types, Extent::width},
      SiteSpec{Site::embedding_norm, Role::norm, "bert.embeddings.LayerNorm", Extent::width, Extent::none,
               Presence::always},
      SiteSpec{Site::query, Role::weight, "bert.encoder.layer.{}.attention.self.query", Extent::query, Extent::width,
               Presence::always},
      SiteSpec{Site::key, Role::weight, "bert.encoder.layer.{}.attention.self.key", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::value, Role::weight, "bert.encoder.layer.{}.attention.self.value", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::attention_output, Role::weight, "bert.encoder.layer.{}.attention.output.dense", Extent::width,
               Extent::query, Presence::always},
      SiteSpec{Site::attention_norm, Role::norm, "bert.encoder.layer.{}.attention.output.LayerNorm", Extent::width,
               Extent::none, Presence::always},
      SiteSpec{Site::feed_forward_up, Role::weight, "bert.encoder.layer.{}.intermediate.dense", Extent::inner,
               Extent::width, Presence::always},
      SiteSpec{Site::feed_forward_down, Role::weight, "bert.encoder.layer.{}.output.dense", Extent::width,
               Extent::inner, Presence::always},
      SiteSpec{Site::feed_forward_norm, Role::norm, "bert.encoder.layer.{}.output.LayerNorm", Extent::width,
               Extent::none, Presence::always},
  };
};

/// logits = W·tanh(W_d·h₀ + b_d) + b; both layers belong to the head. Positions start behind the padding token's.
struct Roberta : detail::BertPolicies {
  static constexpr std::string_view model_type = "roberta";

  static constexpr std::array sites{
      SiteSpec{Site::token_embedding, Role::embedding, "roberta.embeddings.word_embeddings", Extent::vocabulary,
               Extent::width},
      SiteSpec{Site::pooler, Role::head, "classifier.dense", Extent::width, Extent::width, Presence::always},
      SiteSpec{Site::classifier, Role::head, "classifier.out_proj", Extent::labels, Extent::width, Presence::always},
      SiteSpec{Site::position_embedding, Role::embedding, "roberta.embeddings.position_embeddings", Extent::positions,
               Extent::width},
      SiteSpec{Site::token_type_embedding, Role::embedding, "roberta.embeddings.token_type_embeddings",
               Extent::token_types, Extent::width},
      SiteSpec{Site::embedding_norm, Role::norm, "roberta.embeddings.LayerNorm", Extent::width, Extent::none,
               Presence::always},
      SiteSpec{Site::query, Role::weight, "roberta.encoder.layer.{}.attention.self.query", Extent::query, Extent::width,
               Presence::always},
      SiteSpec{Site::key, Role::weight, "roberta.encoder.layer.{}.attention.self.key", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::value, Role::weight, "roberta.encoder.layer.{}.attention.self.value", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::attention_output, Role::weight, "roberta.encoder.layer.{}.attention.output.dense", Extent::width,
               Extent::query, Presence::always},
      SiteSpec{Site::attention_norm, Role::norm, "roberta.encoder.layer.{}.attention.output.LayerNorm", Extent::width,
               Extent::none, Presence::always},
      SiteSpec{Site::feed_forward_up, Role::weight, "roberta.encoder.layer.{}.intermediate.dense", Extent::inner,
               Extent::width, Presence::always},
      SiteSpec{Site::feed_forward_down, Role::weight, "roberta.encoder.layer.{}.output.dense", Extent::width,
               Extent::inner, Presence::always},
      SiteSpec{Site::feed_forward_norm, Role::norm, "roberta.encoder.layer.{}.output.LayerNorm", Extent::width,
               Extent::none, Presence::always},
  };
};

}  // namespace graft
