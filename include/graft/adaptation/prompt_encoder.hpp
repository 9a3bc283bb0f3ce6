/// @file
/// @brief The network behind P-tuning's virtual tokens (Liu et al. 2021), dropped after training. Names are those of
/// PEFT's PromptEncoder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/dropout.hpp>
#include <graft/ops/lstm.hpp>

namespace graft {

/// What stands between the trained embeddings and the virtual tokens.
enum class PromptEncoderKind {
  mlp,   ///< Linear, ReLU, Linear, ReLU, Linear
  lstm,  ///< an LSTM in both directions, then Linear, ReLU, Linear: a token depends on those around it
};

/// Extents of a prompt encoder from `[rows, width]` to `[rows, width]`.
struct PromptEncoderShape {
  PromptEncoderKind kind = PromptEncoderKind::mlp;
  Index rows = 0, width = 0, hidden = 0, layers = 2;
  double dropout = 0.0;
};

/// `[rows, width]` of trainable numbers, behind an encoder or flat.
template <class Scalar, class Device>
class PromptEncoder {
 public:
  using Values = Tensor<Scalar, Device>;
  using Value = Variable<Scalar, Device>;

  PromptEncoder() = default;
  /// Flat numbers.
  explicit PromptEncoder(Tensor<Scalar> flat)
      : shape_{PromptEncoderKind::mlp, flat.rows(), flat.width()}, embedding_("embedding.weight", std::move(flat)) {}
  /// Embeddings start normal as torch.nn.Embedding's, linear maps and the LSTM uniform as torch's.
  PromptEncoder(PromptEncoderShape const& shape, RandomKey key)
      : shape_(shape),
        key_(key),
        embedding_("embedding.weight", normal<Scalar>(Shape{shape.rows, shape.width}, key.with("embedding"))) {
    Index const hidden = shape.hidden;
    if (shape.kind == PromptEncoderKind::lstm) {
      for (Index layer = 0; layer < shape.layers; ++layer) add_lstm(layer, layer == 0 ? shape.width : 2 * hidden);
      add_linear(0, 2 * hidden, 2 * hidden);
      add_linear(2, 2 * hidden, shape.width);
    } else {
      add_linear(0, shape.width, hidden);
      add_linear(2, hidden, hidden);
      add_linear(4, hidden, shape.width);
    }
  }

  [[nodiscard]] bool flat() const { return head_.empty(); }
  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all{&embedding_};
    for (auto* group : {&recurrent_, &head_})
      for (auto& parameter : *group) all.push_back(&parameter);
    return all;
  }
  /// The virtual tokens, recorded: `[rows, width]`. While training, the step addresses the dropout between the LSTM's
  /// layers.
  [[nodiscard]] Value compute(StepContext const& step = {}) const {
    Value x = embedding_.variable();
    if (!recurrent_.empty())
      x = lstm(x, lstm_layers(), [&](Value const& y, std::size_t layer) { return dropped(y, layer, step); });
    for (std::size_t i = 0; i < head_.size(); i += 2) {
      x = linear(x, head_[i].variable(), head_[i + 1].variable());
      if (i + 2 < head_.size()) x = relu(x);
    }
    return x;
  }
  /// Their numbers, as adapter files hold them.
  [[nodiscard]] Values values() const {
    NoGrad no_grad;
    return compute().value();
  }

 private:
  void add_linear(int place, Index in, Index out) {
    std::string const name = cat("mlp_head.", place);
    RandomKey const own = key_.with(name);
    head_.push_back({name + ".weight", linear_init<Scalar>(Shape{out, in}, in, own.with("weight"))});
    head_.push_back({name + ".bias", linear_init<Scalar>(Shape{out}, in, own.with("bias"))});
  }
  void add_lstm(Index layer, Index in) {
    Index const hidden = shape_.hidden;
    for (std::string const direction : {"", "_reverse"}) {
      auto const add = [&](std::string const& kind, Shape const& extents) {
        std::string const name = cat("lstm_head.", kind, "_l", layer, direction);
        recurrent_.push_back({name, linear_init<Scalar>(extents, hidden, key_.with(name))});  // ±1/√hidden, all of them
      };
      add("weight_ih", {4 * hidden, in}), add("weight_hh", {4 * hidden, hidden});
      add("bias_ih", {4 * hidden}), add("bias_hh", {4 * hidden});
    }
  }
  [[nodiscard]] std::vector<std::vector<LstmWeights<Scalar, Device>>> lstm_layers() const {
    std::vector<std::vector<LstmWeights<Scalar, Device>>> layers;
    auto const weights = [&](std::size_t first) {
      auto const at = [&](std::size_t i) { return recurrent_[first + i].variable(); };
      return LstmWeights<Scalar, Device>{at(0), at(1), at(2), at(3)};
    };
    for (std::size_t first = 0; first < recurrent_.size(); first += 8)
      layers.push_back({weights(first), weights(first + 4)});
    return layers;
  }
  [[nodiscard]] Value dropped(Value const& y, std::size_t layer, StepContext const& step) const {
    if (!step.training || shape_.dropout <= 0) return y;
    return graft::dropout(y, shape_.dropout, {0, y.rows()}, {step.step}, key_.with("dropout").with(layer));
  }

  PromptEncoderShape shape_;
  RandomKey key_;
  Parameter<Scalar, Device> embedding_;
  std::vector<Parameter<Scalar, Device>> recurrent_,
      head_;  ///< eight a layer of the LSTM; weight and bias of each linear map
};

}  // namespace graft
