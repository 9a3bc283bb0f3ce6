// Fills the plain model with the numbers of one that graft has loaded: the names of the sites say where each belongs.
#pragma once

#include <functional>

#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>

#include "model.hpp"

namespace reference {

// A graft tensor as a matrix; a vector becomes one row.
inline Matrix matrix_of(graft::Tensor<double> const& tensor) {
  using Stored = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  bool const vector = tensor.shape().rank() == 1;
  return Eigen::Map<Stored const>(tensor.data(), vector ? 1 : tensor.rows(), vector ? tensor.size() : tensor.width());
}

inline Curve curve_of(graft::Activation activation) {
  switch (activation) {
    case graft::Activation::gelu: return Curve::gelu;
    case graft::Activation::gelu_tanh: return Curve::gelu_tanh;
    case graft::Activation::silu: return Curve::silu;
    case graft::Activation::relu: return Curve::relu;
    case graft::Activation::tanh: return Curve::tanh;
    default: break;
  }
  graft::fail<graft::ConfigError>(
      "[reference] got an activation that the plain model lacks; expected gelu, gelu_tanh, "
      "silu, relu or tanh");
}

// The linear map of a site; null where the site is none.
inline Linear* linear_at(Model& m, graft::SiteAddress const& address) {
  using graft::Site;
  if (address.site == Site::pooler) return &m.pooler;
  if (address.site == Site::classifier) return &m.classifier;
  if (address.at.layer < 0) return nullptr;
  Block& block = m.blocks[static_cast<std::size_t>(address.at.layer)];
  switch (address.site) {
    case Site::query_key_value: return &block.query_key_value;
    case Site::query: return &block.query;
    case Site::key: return &block.key;
    case Site::value: return &block.value;
    case Site::attention_output: return &block.output;
    case Site::feed_forward_up: return &block.up;
    case Site::feed_forward_gate: return &block.gate;
    case Site::feed_forward_down: return &block.down;
    default: return nullptr;
  }
}
inline Norm* norm_at(Model& m, graft::SiteAddress const& address) {
  using graft::Site;
  if (address.site == Site::embedding_norm) return &m.embedding_norm;
  if (address.site == Site::final_norm) return &m.final_norm;
  if (address.at.layer < 0) return nullptr;
  Block& block = m.blocks[static_cast<std::size_t>(address.at.layer)];
  if (address.site == Site::attention_norm) return &block.attention_norm;
  return address.site == Site::feed_forward_norm ? &block.feed_forward_norm : nullptr;
}
inline Matrix* table_at(Model& m, graft::SiteAddress const& address) {
  using graft::Site;
  if (address.site == Site::token_embedding) return &m.tokens;
  if (address.site == Site::position_embedding) return &m.positions;
  if (address.site == Site::token_type_embedding) return &m.token_types;
  return address.site == Site::head ? &m.head : nullptr;
}

// What is stored at a site; empty where there is none.
using Stored = std::function<graft::Tensor<double>(graft::SiteInfo const&, graft::Part)>;

// The plain model of these numbers. Refuses what it has no line for.
inline Model copy_model(graft::ModelConfig const& config, graft::ModelInfo const& info, Stored const& stored) {
  Model m;
  m.config.kind = info.architecture == "gpt2" ? Kind::gpt2 : info.classifies ? Kind::bert : Kind::llama;
  bool const plain = config.scaled_attention && !config.layer_scaled_attention && config.embedding_scale == 1 &&
                     config.head_scale == 1 && !config.encoder;
  if (!plain)
    graft::fail<graft::ConfigError>("[reference] got a ", info.architecture,
                                    " model that scales attention, embeddings or states, or has an encoder and a "
                                    "decoder; expected one like GPT-2, LLaMA or BERT");
  m.config.heads = static_cast<int>(config.heads);
  m.config.kv_heads = static_cast<int>(config.kv_heads);
  m.config.head_dim = static_cast<int>(config.head_dim);
  m.config.epsilon = config.norm_epsilon;
  m.config.frequencies = config.inverse_frequency;
  m.config.curve = curve_of(config.activation);
  m.config.position_offset = static_cast<int>(config.position_offset);
  m.blocks.resize(static_cast<std::size_t>(config.layers));
  for (auto const& site : info.sites) {
    if (site.tied) continue;
    auto const weight = stored(site, graft::Part::weight);
    if (weight.empty()) continue;
    Matrix const numbers = matrix_of(weight);
    Row const bias = site.bias ? Row(matrix_of(stored(site, graft::Part::bias))) : Row();
    if (auto* const linear = linear_at(m, site.address)) {
      linear->weight = site.layout == graft::Layout::in_out ? Matrix(numbers.transpose()) : numbers;  // [out, in]
      linear->bias = bias;
    } else if (auto* const norm = norm_at(m, site.address)) {
      norm->gain = numbers, norm->bias = bias;  // [C] each
    } else if (auto* const table = table_at(m, site.address)) {
      *table = numbers;  // [rows, C]
    }
  }
  if (config.tied_head) m.head = m.tokens;  // [V, C]
  return m;
}

}  // namespace reference
