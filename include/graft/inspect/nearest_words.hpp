/// @file
/// @brief Which words lie nearest to virtual tokens, in the model's table of embeddings.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include <graft/inspect/attention_weights.hpp>
#include <graft/inspect/near_words.hpp>
#include <graft/models/transformer.hpp>

namespace graft {

/// The `count` tokens of the vocabulary nearest to each of the vectors `[vectors, width]`, by cosine and by distance.
/// Embeddings are taken as the model reads them: the base's table, scaled where the model scales it. Of equally near
/// tokens the one with the smaller number comes first.
/// @throws ShapeError for vectors of another width
template <Architecture A, class Scalar, class Device>
[[nodiscard]] std::vector<NearWords> nearest_words(Pretrained<A, Scalar, Device> const& base,
                                                   Tensor<double> const& vectors, Index count) {
  auto const& table = base.at({Site::token_embedding}).matrix;
  Index const width = table.in(), vocabulary = table.out();
  if (vectors.width() != width)
    fail<ShapeError>("[nearest_words] got vectors of shape ", vectors.shape(), "; expected [vectors, ", width, "]");
  auto const size = [](double const* x, Index n) { return std::sqrt(std::inner_product(x, x + n, x, 0.0)); };
  std::vector<NearWords> found(static_cast<std::size_t>(vectors.rows()));
  for (Index i = 0; i < vectors.rows(); ++i) found[static_cast<std::size_t>(i)].norm = size(vectors.row(i), width);
  auto const keep = [&](std::vector<NearWord>& best, NearWord const& word, auto const& nearer) {
    auto const place = std::upper_bound(best.begin(), best.end(), word, nearer);
    if (static_cast<Index>(place - best.begin()) >= count) return;
    best.insert(place, word);
    if (static_cast<Index>(best.size()) > count) best.pop_back();
  };

  Index const at_once = 1024;
  for (Index first = 0; first < vocabulary; first += at_once) {
    std::vector<Token> ids(static_cast<std::size_t>(std::min(at_once, vocabulary - first)));
    std::iota(ids.begin(), ids.end(), static_cast<Token>(first));
    Tensor<Scalar, Device> stored(Shape{static_cast<Index>(ids.size()), width});
    table.rows(ids, stored.data());
    Tensor<double> embeddings = detail::host_numbers(stored);  // [ids, width]
    for (Index e = 0; e < embeddings.rows(); ++e) {
      double* const embedding = embeddings.row(e);
      for (Index k = 0; k < width; ++k) embedding[k] *= base.config().embedding_scale;
      double const norm = size(embedding, width);
      for (Index i = 0; i < vectors.rows(); ++i) {
        auto& words = found[static_cast<std::size_t>(i)];
        double const* const x = vectors.row(i);
        double const product = std::inner_product(x, x + width, embedding, 0.0), both = norm * words.norm;
        double squares = 0;
        for (Index k = 0; k < width; ++k) squares += (x[k] - embedding[k]) * (x[k] - embedding[k]);
        NearWord const word{ids[static_cast<std::size_t>(e)], both > 0 ? product / both : 0.0, std::sqrt(squares)};
        keep(words.by_cosine, word, [](auto const& a, auto const& b) { return a.cosine > b.cosine; });
        keep(words.by_distance, word, [](auto const& a, auto const& b) { return a.distance < b.distance; });
      }
    }
  }
  return found;
}

/// The words nearest to every virtual token of the model's strategy, in the order in which it announces them; none
/// where it has no virtual tokens, as with a prefix (whose keys and values are no embeddings) or LoRA.
template <Architecture A, class Adaptation, class Scalar, class Device>
[[nodiscard]] std::vector<VirtualTokenWords> nearest_words(Transformer<A, Adaptation, Scalar, Device> const& model,
                                                           Index count) {
  NoGrad no_grad;
  auto const prepared = model.prepare();
  std::vector<VirtualTokenWords> all;
  for (std::size_t g = 0; g < prepared.tokens.size(); ++g) {
    auto const& group = prepared.additions.tokens[g];
    auto const found =
        nearest_words(*model.base(), detail::host_numbers(prepared.tokens[g].value()), count);  // of [count, width]
    for (std::size_t i = 0; i < found.size(); ++i)
      all.push_back({group.stack, group.place, group.adapter, static_cast<Index>(i), found[i]});
  }
  return all;
}

}  // namespace graft
