/// @file
/// @brief P-tuning (Liu et al. 2021): virtual tokens in front of the input, trained through a small network.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include <graft/adaptation/pooling.hpp>
#include <graft/adaptation/prompt_encoder.hpp>
#include <graft/ops/gather.hpp>

namespace graft {

/// [encoder(E); X] runs through the frozen model, with E `[P, width]` and the encoder trained. The tokens stand before
/// the input of the encoder where the model has one, else of the decoder; real tokens' positions follow theirs.
struct PTuning {
  Index length = 20;  ///< P: virtual tokens
  PromptEncoderKind encoder = PromptEncoderKind::mlp;
  Index hidden = 0;      ///< width inside the encoder, of one direction of an LSTM; 0 for the model's width
  Index layers = 2;      ///< of an LSTM
  double dropout = 0.0;  ///< between the layers of an LSTM, while training
  /// E has P times so many rows, of which the model reads the first P; 0 for PEFT's number: 2 for an encoder–decoder,
  /// else 1
  Index submodules = 0;
  Pooling pooling = Pooling::first_virtual;  ///< of a classifier
  /// train the virtual tokens themselves: adapters are loaded so, because files do not hold the encoder
  bool flat = false;

  static constexpr char const* name = "p_tuning";
  static constexpr char const* summary = "P-tuning: virtual tokens through an MLP that is dropped after training";
  static constexpr double learning_rate = 1e-3;
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("length", self.length, "P, the number of virtual tokens");
    visitor("encoder", self.encoder,
            "the network behind the virtual tokens: an MLP of three layers, or an LSTM in both directions");
    visitor("hidden", self.hidden, "width inside the encoder (of one direction of an LSTM); 0 for the model's width");
    visitor("layers", self.layers, "how many layers an LSTM has");
    visitor("dropout", self.dropout, "between the layers of an LSTM, while training");
    visitor("submodules", self.submodules,
            "1 or 2: E has this times P rows, and the model reads the first P; 0 for PEFT's number, which is 2 for an "
            "encoder–decoder and else 1");
    visitor("pooling", self.pooling, "which state a classifier reads");
    visitor("flat", self.flat,
            "train the virtual tokens themselves, without an encoder; loaded adapters are flat, because files do not "
            "hold the encoder");
  }
  /// Whether a setting has an effect beside the others on a model.
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    bool const lstm = !flat && encoder == PromptEncoderKind::lstm;
    if (setting == "encoder" || setting == "hidden") return !flat;
    if (setting == "layers") return lstm;
    if (setting == "dropout") return lstm && layers > 1;
    if (setting == "pooling") return model.classifies;
    return true;
  }
  /// @throws ConfigError for settings that no model can have
  void check(ModelInfo const&) const {
    auto const require = [](char const* what, auto value, bool good, char const* expected) {
      if (!good) fail<ConfigError>("[p_tuning] got ", what, " ", value, "; expected ", expected);
    };
    Index const many = std::numeric_limits<Index>::max() / 4;
    require("length", length, length >= 1 && length <= many, "at least 1");
    require("hidden", hidden, hidden >= 0, "at least 1, or 0 for the model's width");
    require("layers", layers, layers >= 1, "at least 1");
    require("dropout", dropout, dropout >= 0 && dropout < 1, "0 or more, and less than 1");
    require("submodules", submodules, submodules >= 0 && submodules <= 2, "1 or 2, or 0 for PEFT's number");
  }
};

template <class Scalar, class Device>
class PTuning::State {
 public:
  using Values = Tensor<Scalar, Device>;

  State(PTuning const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const&, RandomKey key)
      : settings_(settings),
        stack_(model.input().stack),
        pooled_(model.classifies && settings.pooling == Pooling::first_virtual) {
    settings.check(model);
    if (settings_.submodules == 0) settings_.submodules = model.main().crosses ? 2 : 1;
    Index const rows = settings_.length * settings_.submodules;
    if (settings_.flat)
      encoder_ = PromptEncoder<Scalar, Device>(normal<Scalar>(Shape{rows, model.width}, key.with("embedding")));
    else
      encoder_ = {{settings_.encoder, rows, model.width, settings_.hidden > 0 ? settings_.hidden : model.width,
                   settings_.layers, settings_.dropout},
                  key};
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return encoder_.parameters(); }
  struct Step {
    Variable<Scalar, Device> tokens;  ///< `[P, width]`
  };
  [[nodiscard]] Step prepare(StepContext const& context) const {
    auto const all = encoder_.compute(context);
    return {settings_.submodules > 1 ? slice_rows(all, 0, settings_.length) : all};
  }
  void announce(Additions& additions) const {
    additions.tokens.push_back({settings_.length, stack_, Place::front, PositionPolicy::shift, pooled_});
  }
  void virtual_tokens(EmbeddingList<Scalar, Device>& embeddings, Step const& step) const {
    embeddings.push_back(step.tokens);
  }

  /// The virtual tokens (all of E's rows), for files.
  [[nodiscard]] PromptEncoder<Scalar, Device>& embeddings() { return encoder_; }
  /// The settings with `submodules` resolved.
  [[nodiscard]] PTuning const& settings() const { return settings_; }
  [[nodiscard]] Stack stack() const { return stack_; }

 private:
  PTuning settings_;
  Stack stack_;
  bool pooled_;
  PromptEncoder<Scalar, Device> encoder_;
};

}  // namespace graft
