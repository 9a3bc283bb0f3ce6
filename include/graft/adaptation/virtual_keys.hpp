/// @file
/// @brief What prefix and infix tuning share: a bank of trainable keys and values for every chosen layer.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/adaptation/bank_rows.hpp>
#include <graft/adaptation/key_bank.hpp>
#include <graft/ops/dropout.hpp>

namespace graft {

template <Place place, class Scalar, class Device>
class VirtualKeysState;

/// Settings of a bank of virtual keys and values; `PrefixTuning` and `InfixTuning` are this at their places.
template <Place place>
struct VirtualKeys {
  Index length = 10;                                    ///< P: virtual tokens
  std::optional<Mlp> reparametrization = std::nullopt;  ///< train through an MLP; none for a flat bank
  /// normal, uniform, or words (activations of real words; an MLP is pre-fitted to them)
  Init init = Init::normal;
  double init_deviation = 1.0;                      ///< of flat random numbers; PEFT's is 1
  std::vector<std::vector<Token>> init_words = {};  ///< tokens of the words for `Init::words`
  bool embed_words_as_input = false;  ///< with an MLP: start its input at the words' embeddings instead of pre-fitting
  double dropout = 0.0;               ///< on the bank, while training
  std::vector<int> layers = {};       ///< the layers (of each stack) that get a bank; empty for all
  PositionPolicy positions = PositionPolicy::automatic;
  PrefixScope scope = PrefixScope::all;  ///< of a prefix in an encoder–decoder

  static constexpr bool needs_target = place == Place::infix;
  static constexpr char const* name = place == Place::front ? "prefix_tuning" : "infix_tuning";
  static constexpr char const* short_name = place == Place::front ? "prefix" : "infix";
  static constexpr char const* summary = place == Place::front
                                             ? "prefix tuning, flat: keys and values before every layer's first token"
                                             : "infix tuning: keys and values between source and target";
  static constexpr double learning_rate = 8e-2;
  static constexpr bool for_classifiers = !needs_target;
  template <class Scalar, class Device>
  using State = VirtualKeysState<place, Scalar, Device>;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("length", self.length, "P, the number of virtual tokens");
    visitor("reparametrization", self.reparametrization,
            "train the bank through an MLP, which is dropped when the adapter is saved; none for a flat bank");
    visitor("init", self.init,
            "normal or uniform random numbers, or the activations of words (an MLP is fitted to them before training)");
    visitor("init_deviation", self.init_deviation, "size of flat random numbers; PEFT's is 1");
    visitor("init_words", self.init_words, "tokens of the words to start from, repeated until there are P");
    visitor("embed_words_as_input", self.embed_words_as_input,
            "with an MLP: start its input at the words' embeddings instead of fitting it to their activations");
    visitor("dropout", self.dropout, "on the bank, while training");
    visitor("layers", self.layers, "the layers (of each stack) that get a bank; none given for all of them");
    visitor(
        "positions", self.positions,
        "shift: real tokens' positions start at P; keep: they stay as they are without a bank; automatic keeps them "
        "in an encoder–decoder with learned positions and shifts everywhere else");
    visitor("scope", self.scope,
            "of a prefix in an encoder–decoder: all three attentions, the decoder's self-attention, or that in PEFT's "
            "layout");
  }
  /// Whether a setting has an effect beside the others on a model. An MLP starts at random numbers of its own: only
  /// words say otherwise. An infix in cross-attention stands behind the encoder's states, which have no positions.
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    bool const mlp = reparametrization.has_value(), words = init == Init::words, crosses = model.main().crosses;
    if (setting == "init") return !mlp || words;
    if (setting == "init_deviation") return !mlp && !words;
    if (setting == "init_words") return words;
    if (setting == "embed_words_as_input") return mlp && words;
    if (setting == "reparametrization.input") return !(words && embed_words_as_input);
    if (setting == "positions") return counts_positions(model) && !(needs_target && crosses);
    if (setting == "scope") return !needs_target && crosses;
    return true;
  }
  /// @throws ConfigError for settings that no model, or not this one, can have
  void check(ModelInfo const& model) const {
    if (length < 1) fail<ConfigError>("[virtual keys] got length ", length, "; expected at least 1");
    if (init == Init::vocabulary)
      fail<ConfigError>(
          "[virtual keys] got init vocabulary; expected normal, uniform or words; hint: words with sampled tokens");
    if (!(dropout >= 0 && dropout < 1))
      fail<ConfigError>("[virtual keys] got dropout ", dropout, "; expected 0 or more, and less than 1");
    if (reparametrization) reparametrization->check();
    (void)key_banks<float, Cpu>(model, place, scope, layers);  // refuses layers that the model lacks
  }
  /// What the programs start from: a flat bank starts closer to the base model than PEFT's.
  [[nodiscard]] static VirtualKeys recommended() { return {.init_deviation = 0.02}; }
};

/// Banks of virtual keys and values: one for the self-attention of a decoder or an encoder, three for a prefix of both
/// (see `PrefixScope`).
template <Place place, class Scalar, class Device>
class VirtualKeysState {
 public:
  using BankOfKeys = KeyBank<Scalar, Device>;

  VirtualKeysState(VirtualKeys<place> const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base,
                   RandomKey key)
      : settings_(settings),
        key_(key),
        banks_(key_banks<Scalar, Device>(model, place, settings.scope, settings.layers)) {
    settings.check(model);
    for (auto const& bank : banks_)
      require_memory(
          cat("[virtual keys] length ", settings_.length),
          static_cast<double>(settings_.length) * (static_cast<double>(bank.columns()) * sizeof(Scalar) + 4));
    settings_.positions = resolve(settings.positions, model);
    bool const words = settings.init == Init::words, fitted = words && !settings.embed_words_as_input;
    auto const activations = fitted ? base.keys_values(word_tokens()) : std::vector<LayerKeysValues<Scalar>>{};
    for (auto& bank : banks_) {
      RandomKey const own = bank.name.empty() ? key : key.with(bank.name);
      Tensor<Scalar> const start =
          fitted ? bank.from_activations(activations, settings.length) : random_start(bank, own);
      Tensor<Scalar> input;
      if (words && !fitted && settings.reparametrization)
        input = embed_words(settings.init_words, settings.length, base);
      bank.matrix =
          ReparametrizedMatrix<Scalar, Device>(start, settings.reparametrization, bank.width(), own, std::move(input));
      if (!bank.name.empty()) bank.matrix.prefix_names(bank.name + ".");
      if (fitted && bank.matrix.has_mlp()) bank.matrix.fit(start);
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& bank : banks_)
      for (auto* parameter : bank.matrix.parameters()) all.push_back(parameter);
    return all;
  }
  struct Step {
    std::vector<BankRows<Scalar, Device>> banks;  ///< `[P, columns]` of each

    void bank_rows(BankRowsList<Scalar, Device>& list) {
      for (auto& bank : banks) list.push_back(&bank);
    }
  };
  [[nodiscard]] Step prepare(StepContext const& context) const {
    Step step;
    for (auto const& bank : banks_) {
      step.banks.push_back({bank.matrix.compute(), settings_.length});
      if (!context.training || settings_.dropout <= 0) continue;
      auto& matrix = step.banks.back().matrix;
      RandomKey const own = bank.name.empty() ? key_ : key_.with(bank.name);
      matrix = graft::dropout(matrix, settings_.dropout, {0, matrix.rows()}, {context.step}, own.with("dropout"));
    }
    return step;
  }
  void announce(Additions& additions) const {
    for (auto const& bank : banks_)
      if (bank.kind == AttentionKind::self)
        additions.keys.push_back({settings_.length, bank.stack.stack, place, settings_.positions});
  }
  void virtual_keys_values(LayerAddress at, AttentionKind kind, BankList<Scalar, Device>& banks,
                           Step const& step) const {
    for (std::size_t b = 0; b < banks_.size(); ++b)
      if (auto const i = banks_[b].find(at, kind); i >= 0) {
        auto const layer = static_cast<std::size_t>(i);
        auto const& [matrix, count, begin] = step.banks[b];
        banks.push_back({.keys = {matrix, banks_[b].column(layer, 0)},
                         .values = {matrix, banks_[b].column(layer, 1)},
                         .count = count,
                         .place = place,
                         .begin = begin});
      }
  }

  /// The banks, for files.
  [[nodiscard]] std::vector<BankOfKeys>& banks() { return banks_; }

 private:
  [[nodiscard]] Tensor<Scalar> random_start(BankOfKeys const& bank, RandomKey key) const {
    double const d = settings_.init_deviation;
    Shape const shape{settings_.length, bank.columns()};
    return settings_.init == Init::uniform ? uniform<Scalar>(shape, key.with("bank"), -d, d)
                                           : normal<Scalar>(shape, key.with("bank"), d);
  }
  /// The words' tokens, in order, repeated to P.
  [[nodiscard]] std::vector<Token> word_tokens() const {
    std::vector<Token> tokens, repeated;
    for (auto const& word : settings_.init_words) tokens.insert(tokens.end(), word.begin(), word.end());
    if (tokens.empty())
      fail<ConfigError>("[virtual keys] got no words; expected at least one token in init_words for init words");
    for (Index i = 0; i < settings_.length; ++i)
      repeated.push_back(tokens[static_cast<std::size_t>(i) % tokens.size()]);
    return repeated;
  }

  VirtualKeys<place> settings_;
  RandomKey key_;
  std::vector<BankOfKeys> banks_;
};

#ifdef GRAFT_COMPILED
extern template class VirtualKeysState<Place::front, float, Cpu>;
extern template class VirtualKeysState<Place::front, double, Cpu>;
extern template class VirtualKeysState<Place::infix, float, Cpu>;
extern template class VirtualKeysState<Place::infix, double, Cpu>;
#endif

}  // namespace graft
