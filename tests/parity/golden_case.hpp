/// @file
/// @brief One golden case as the fixture generator writes it: a folder with case.json and expected.safetensors (or
/// base.safetensors).
#pragma once

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/io/json.hpp>
#include <graft/io/safetensors_checkpoint.hpp>
#include <graft/nn/rows.hpp>
#include <graft/tensor/tensor.hpp>

#include "support/worst.hpp"

namespace parity {

using graft::Index;
using graft::Token;

/// Expected numbers in float64, and the batch they are of.
struct GoldenCase {
  std::filesystem::path folder;  ///< `<architecture>/<method>`, or `<architecture>` for the base model
  nlohmann::json json;
  std::string architecture, method;
  std::map<std::string, graft::Tensor<double>> tensors;

  [[nodiscard]] std::filesystem::path model() const {
    return (method == "none" ? folder : folder.parent_path()) / "model";
  }
  [[nodiscard]] bool has(std::string const& name) const { return tensors.contains(name); }
  [[nodiscard]] graft::Tensor<double> const& at(std::string const& name) const {
    auto const found = tensors.find(name);
    if (found == tensors.end()) graft::fail("[", folder.string(), "] lacks the expected tensor ", name);
    return found->second;
  }
  [[nodiscard]] Index rows() const { return at("input_ids").rows(); }
  [[nodiscard]] Index length(Index row) const {
    auto const& mask = at("attention_mask");
    double sum = 0;
    for (Index i = 0; i < mask.width(); ++i) sum += mask.row(row)[i];
    return static_cast<Index>(sum);
  }
  /// Before which token infix activations stand.
  [[nodiscard]] Index insertion(Index row) const {
    if (json.contains("insert_at")) return json.at("insert_at").at(static_cast<std::size_t>(row)).get<Index>();
    return std::max<Index>(0, length(row) / 2 - 1);
  }
};

inline GoldenCase read_case(std::filesystem::path const& folder) {
  GoldenCase golden;
  golden.folder = folder;
  golden.json = graft::read_json(folder / "case.json");
  golden.architecture = golden.json.at("arch").get<std::string>();
  golden.method = golden.json.at("method").get<std::string>();
  graft::SafetensorsFile const file(folder / (golden.method == "none" ? "base.safetensors" : "expected.safetensors"));
  for (auto const& entry : file.entries()) {
    std::vector<Index> shape(entry.shape.begin(), entry.shape.end());
    graft::Tensor<double> tensor{graft::Shape(shape)};
    graft::convert_values(entry.dtype, entry.data, static_cast<std::size_t>(tensor.size()), tensor.data());
    golden.tensors.emplace(entry.name, std::move(tensor));
  }
  return golden;
}

/// The real tokens of a row.
inline std::vector<Token> tokens_of(GoldenCase const& golden, Index row) {
  double const* const ids = golden.at("input_ids").row(row);
  return {ids, ids + golden.length(row)};
}

/// The case's rows for a classifier, or for an encoder–decoder whose decoder begins with `start`.
inline graft::Batch batch_of_sources(GoldenCase const& golden, bool classifies, Token start) {
  graft::Batch batch;
  auto const& labels = golden.at("labels");
  for (Index r = 0; r < golden.rows(); ++r) {
    graft::TokenizedExample example{tokens_of(golden, r), {}, static_cast<std::uint64_t>(r)};
    for (Index i = 0; i < labels.size() / labels.rows() && labels.data()[r * (labels.size() / labels.rows()) + i] >= 0;
         ++i)
      example.target.push_back(static_cast<Token>(labels.data()[r * (labels.size() / labels.rows()) + i]));
    classifies ? graft::append_classification_row(batch, example)
               : graft::append_encoder_decoder_row(batch, example, start);
  }
  return batch;
}

/// The case's rows for a causal model, with the loss's targets (labels that count) or with every token as one, for
/// logits.
inline graft::Batch causal_batch_of(GoldenCase const& golden, bool every_token) {
  graft::Batch batch;
  auto const &ids = golden.at("input_ids"), &labels = golden.at("labels");
  for (Index r = 0; r < golden.rows(); ++r) {
    Index const begin = batch.rows.tokens(), length = golden.length(r);
    for (Index i = 0; i < length; ++i) {
      batch.tokens.push_back(static_cast<Token>(ids.row(r)[i]));
      batch.rows.positions.push_back(i);
      double const next = i + 1 < length ? labels.row(r)[i + 1] : -100;
      if (!every_token && next < 0) continue;
      batch.rows.targets.at.push_back(begin + i);
      if (!every_token) batch.rows.targets.labels.push_back(static_cast<Token>(next));
    }
    batch.rows.insertion.push_back(golden.insertion(r));
    batch.rows.examples.push_back(static_cast<std::uint64_t>(r));
    batch.rows.offsets.push_back(begin + length);
  }
  return batch;
}

/// max|a − b| / max(max|b|, floor)
template <class Scalar>
double difference(graft::Tensor<Scalar> const& got, graft::Tensor<double> const& expected, double floor = 0) {
  if (got.size() != expected.size()) graft::fail("[parity] got ", got.shape(), "; expected ", expected.shape());
  double worst = 0, largest = floor;
  for (Index i = 0; i < got.size(); ++i) {
    double const error = std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]);
    worst = graft::testing::worse(worst, error);
    largest = std::max(largest, std::abs(expected.data()[i]));
  }
  return worst / (largest > 0 ? largest : 1);
}

}  // namespace parity
