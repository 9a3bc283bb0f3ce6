// What `graft::inspect` shows of a model against the plain model, which keeps its softmax and its states.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include <graft/inspect/inspect.hpp>

#include "reference/model.hpp"

namespace reference {

/// Every weight of every layer, head, row and query, and every state, within 1e-10.
template <class Strategy>
void check_inspection(Strategy const& model, Model const& plain, std::vector<Text> const& texts,
                      graft::Batch const& batch) {
  auto const found = graft::inspect(model, batch);
  auto const heads = static_cast<std::size_t>(plain.config.heads);
  ASSERT_EQ(found.attention.size(), plain.blocks.size() * texts.size());
  ASSERT_EQ(found.states.size(), (plain.blocks.size() + 1) * texts.size());
  std::vector<Trace> traces(texts.size());
  for (std::size_t row = 0; row < texts.size(); ++row) static_cast<void>(states(plain, texts[row], &traces[row]));
  for (auto const& map : found.attention)
    for (std::size_t h = 0; h < heads; ++h) {
      Matrix const& expected = traces[static_cast<std::size_t>(map.row)]
                                   .attention[static_cast<std::size_t>(map.at.layer) * heads + h];  // [T, P + T + I]
      graft::Index const queries = expected.rows(), keys = expected.cols();
      ASSERT_EQ(map.weights.shape(), (graft::Shape{plain.config.heads, queries, keys}));
      for (graft::Index q = 0; q < queries; ++q) {
        double sum = 0;
        for (graft::Index k = 0; k < keys; ++k) {
          double const weight = map.weights.data()[(static_cast<graft::Index>(h) * queries + q) * keys + k];
          sum += weight;
          ASSERT_NEAR(weight, expected(q, k), 1e-10)
              << "row " << map.row << ", layer " << map.at.layer << ", head " << h << ", query " << q << ", key " << k;
        }
        ASSERT_NEAR(sum, 1, 1e-12);
      }
    }
  for (auto const& layer : found.states) {
    Matrix const& expected =
        traces[static_cast<std::size_t>(layer.row)].states[static_cast<std::size_t>(layer.at.layer + 1)];  // [T, C]
    ASSERT_EQ(layer.states.shape(), (graft::Shape{expected.rows(), expected.cols()}));
    double const largest = expected.cwiseAbs().maxCoeff();
    for (graft::Index t = 0; t < layer.states.rows(); ++t)
      for (graft::Index c = 0; c < layer.states.width(); ++c)
        ASSERT_NEAR(layer.states.row(t)[c], expected(t, c), 1e-10 * largest) << "behind layer " << layer.at.layer;
  }
}

}  // namespace reference
