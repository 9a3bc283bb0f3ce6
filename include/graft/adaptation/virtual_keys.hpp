/// @file
/// @brief What prefix and infix tuning share: a bank of trainable keys and values for every chosen layer.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <graft/adaptation/reparametrization.hpp>
#include <graft/ops/dropout.hpp>

namespace graft {

template <Place place, class Scalar, class Device>
class VirtualKeysState;

/// Settings of a bank of virtual keys and values; `PrefixTuning` and `InfixTuning` are this at their places.
template <Place place>
struct VirtualKeys {
  Index length = 10;                                    ///< P: virtual tokens
  std::optional<Mlp> reparametrization = std::nullopt;  ///< train through an MLP; none for a flat bank
  Init init = Init::normal;                             ///< normal, uniform, or words (activations of real words; an MLP is pre-fitted to them)
  double init_deviation = 1.0;                          ///< of flat random numbers; PEFT's is 1
  std::vector<std::vector<Token>> init_words = {};      ///< tokens of the words for `Init::words`
  bool embed_words_as_input = false;                    ///< with an MLP: start its input at the words' embeddings instead of pre-fitting
  double dropout = 0.0;                                 ///< on the bank, while training
  std::vector<int> layers = {};                         ///< the layers that get a bank; empty for all
  PositionPolicy positions = PositionPolicy::shift;

  static constexpr char const* name = place == Place::front ? "prefix_tuning" : "infix_tuning";
  template <class Scalar, class Device>
  using State = VirtualKeysState<place, Scalar, Device>;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("length", self.length);
    visitor("reparametrization", self.reparametrization);
    visitor("init", self.init);
    visitor("init_deviation", self.init_deviation);
    visitor("init_words", self.init_words);
    visitor("embed_words_as_input", self.embed_words_as_input);
    visitor("dropout", self.dropout);
    visitor("layers", self.layers);
    visitor("positions", self.positions);
  }
};

/// Virtual keys and values `[P, 2·L·D]` of a decoder: column (2l + kv)·D + h·d + i holds layer l, kv 0 = key, 1 = value, head h, component i.
template <Place place, class Scalar, class Device>
class VirtualKeysState {
 public:
  using Values = Tensor<Scalar, Device>;

  VirtualKeysState(VirtualKeys<place> const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base, RandomKey key)
      : settings_(settings), stack_(model.stack(Stack::decoder)), key_(key) {
    check();
    layers_ = settings.layers;
    for (int l = 0; settings.layers.empty() && l < stack_.layers; ++l) layers_.push_back(l);
    std::sort(layers_.begin(), layers_.end());
    bool const words = settings.init == Init::words;
    Values start = words && !settings.embed_words_as_input ? word_activations(base) : random_start();
    Values input = words && settings.embed_words_as_input && settings.reparametrization ? embed_words(settings.init_words, settings.length, base) : Values();
    bank_ = ReparametrizedMatrix<Scalar, Device>(start, settings.reparametrization, stack_.kv_width(), key, std::move(input));
    if (words && bank_.has_mlp() && !settings.embed_words_as_input) bank_.fit(start);
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return bank_.parameters(); }
  void prepare(StepContext const& step) {
    computed_ = bank_.compute();
    if (step.training && settings_.dropout > 0) computed_ = graft::dropout(computed_, settings_.dropout, {0, computed_.rows()}, {step.step}, key_.with("dropout"));
  }
  void plan(VirtualPlan<Scalar, Device>& plan) const { plan.keys.push_back({settings_.length, Stack::decoder, place, settings_.positions}); }
  void virtual_keys_values(LayerAddress at, AttentionKind, BankList<Scalar, Device>& banks) const {
    auto const found = std::find(layers_.begin(), layers_.end(), at.layer);
    if (at.stack != Stack::decoder || found == layers_.end()) return;
    Index const column = 2 * (found - layers_.begin()) * stack_.kv_width();
    banks.push_back({{computed_, column}, {computed_, column + stack_.kv_width()}, settings_.length, place});
  }

  /// The bank and its layers, for files.
  [[nodiscard]] ReparametrizedMatrix<Scalar, Device>& bank() { return bank_; }
  [[nodiscard]] std::vector<int> const& layers() const { return layers_; }
  [[nodiscard]] StackInfo const& stack() const { return stack_; }
  /// Replaces the bank's numbers by a file's `[P, 2·L·D]`.
  void adopt(Values flat) { bank_.adopt(std::move(flat)); }

 private:
  void check() const {
    if (settings_.length < 1) fail<ConfigError>("[virtual keys] got length ", settings_.length, "; expected at least 1");
    if (settings_.init == Init::vocabulary) fail<ConfigError>("[virtual keys] got init vocabulary; expected normal, uniform or words; hint: words with sampled tokens");
    if (!(settings_.dropout >= 0 && settings_.dropout < 1)) fail<ConfigError>("[virtual keys] got dropout ", settings_.dropout, "; expected 0 or more, and less than 1");
    for (int layer : settings_.layers) {
      if (layer < 0 || layer >= stack_.layers) fail<ConfigError>("[virtual keys] got layer ", layer, "; expected 0 to ", stack_.layers - 1);
      if (std::count(settings_.layers.begin(), settings_.layers.end(), layer) > 1) fail<ConfigError>("[virtual keys] got layer ", layer, " twice; expected each once");
    }
  }
  [[nodiscard]] Shape bank_shape() const { return {settings_.length, 2 * static_cast<Index>(layers_.size()) * stack_.kv_width()}; }
  [[nodiscard]] Values random_start() const {
    double const d = settings_.init_deviation;
    return settings_.init == Init::uniform ? uniform<Scalar>(bank_shape(), key_.with("bank"), -d, d) : normal<Scalar>(bank_shape(), key_.with("bank"), d);
  }
  /// Keys and values that the base computes for the words' tokens, in order, repeated to P.
  [[nodiscard]] Values word_activations(BaseAccess<Scalar, Device> const& base) const {
    std::vector<Token> tokens;
    for (auto const& word : settings_.init_words) tokens.insert(tokens.end(), word.begin(), word.end());
    if (tokens.empty()) fail<ConfigError>("[virtual keys] got no words; expected at least one token in init_words for init words");
    std::vector<Token> repeated;
    for (Index i = 0; i < settings_.length; ++i) repeated.push_back(tokens[static_cast<std::size_t>(i) % tokens.size()]);
    auto const activations = base.keys_values(repeated);
    Values start(bank_shape());
    Index const width = stack_.kv_width();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      auto const& [keys, values] = activations[static_cast<std::size_t>(layers_[i])];
      for (Index p = 0; p < settings_.length; ++p) {
        std::copy_n(keys.row(p), width, start.row(p) + 2 * static_cast<Index>(i) * width);
        std::copy_n(values.row(p), width, start.row(p) + (2 * static_cast<Index>(i) + 1) * width);
      }
    }
    return start;
  }

  VirtualKeys<place> settings_;
  StackInfo stack_;
  RandomKey key_;
  std::vector<int> layers_;
  ReparametrizedMatrix<Scalar, Device> bank_;
  Variable<Scalar, Device> computed_;
};

}  // namespace graft
