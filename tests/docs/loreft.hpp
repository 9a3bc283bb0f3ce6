// A strategy with a matrix that must stay orthonormal, as docs/training.md explains it: LoReFT (Wu et al. 2024), here
// at every token.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/ops/arithmetic.hpp>
#include <graft/ops/matmul.hpp>

//! [loreft strategy]
/// h + Rᵀ·(W·h + b − R·h) after every layer. The rows of R `[rank, width]` are orthonormal. W `[rank, width]` starts as
/// R and b `[rank]` as 0, so the model starts as the base.
struct LoReFT {
  graft::Index rank = 4;

  static constexpr char const* name = "loreft";
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("rank", self.rank);
  }
};

template <class Scalar, class Device>
class LoReFT::State {
 public:
  using Value = graft::Variable<Scalar, Device>;
  using Parameter = graft::Parameter<Scalar, Device>;

  State(LoReFT const& settings, graft::ModelInfo const& model, graft::BaseAccess<Scalar, Device> const&,
        graft::RandomKey key) {
    using graft::Shape;
    graft::Index const rank = settings.rank;
    if (rank < 1 || rank > model.width)
      graft::fail<graft::ConfigError>("[loreft] got rank ", rank, "; expected 1 to the model's width ", model.width);
    for (int layer = 0; layer < model.main().layers; ++layer) {
      auto const start = graft::normal<Scalar>(Shape{rank, model.width}, key.with(static_cast<std::uint64_t>(layer)));
      std::string const in = "layers." + std::to_string(layer);
      layers_.push_back(
          {{in + ".r", start}, {in + ".w", graft::clone(start)}, {in + ".b", graft::zeros<Scalar>({rank})}});
    }
    orthonormalize();
    for (auto& layer : layers_) layer.w.assign(layer.r.value());
  }

  [[nodiscard]] std::vector<Parameter*> parameters() {
    std::vector<Parameter*> all;
    for (auto& layer : layers_) all.insert(all.end(), {&layer.r, &layer.w, &layer.b});
    return all;
  }
  [[nodiscard]] Value after_layer(graft::LayerAddress at, Value const& h, graft::Rows const&) const {
    Layer const& layer = layers_[static_cast<std::size_t>(at.layer)];
    Value const& r = layer.r.variable();
    auto const change = subtract(linear(h, layer.w.variable(), layer.b.variable()), linear(h, r));  // [tokens, rank]
    return add(h, matmul(change, r));                                                               // [tokens, width]
  }
  /// Makes the rows of every R orthonormal again, one after the other (Gram & Schmidt).
  void orthonormalize() {
    for (auto& layer : layers_) {
      auto r = layer.r.mutable_value();
      for (graft::Index i = 0; i < r.rows(); ++i) {
        for (graft::Index k = 0; k < i; ++k)
          subtract_share(r.row(i), dot(r.row(i), r.row(k), r.width()), r.row(k), r.width());
        Scalar const length = std::sqrt(dot(r.row(i), r.row(i), r.width()));
        for (graft::Index j = 0; j < r.width(); ++j) r.row(i)[j] /= length;
      }
    }
  }

 private:
  struct Layer {
    Parameter r, w, b;
  };
  static Scalar dot(Scalar const* a, Scalar const* b, graft::Index size) {
    Scalar sum = 0;
    for (graft::Index j = 0; j < size; ++j) sum += a[j] * b[j];
    return sum;
  }
  static void subtract_share(Scalar* row, Scalar share, Scalar const* of, graft::Index size) {
    for (graft::Index j = 0; j < size; ++j) row[j] -= share * of[j];
  }

  std::vector<Layer> layers_;
};
//! [loreft strategy]
