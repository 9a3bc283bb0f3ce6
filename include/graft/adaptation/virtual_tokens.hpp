/// @file
/// @brief What prompt tuning and embedding-only tuning share: trainable embeddings that join every row and run through
/// the frozen model.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <graft/adaptation/pooling.hpp>
#include <graft/adaptation/reparametrization.hpp>
#include <graft/ops/gather.hpp>

namespace graft {

/// Which rows of an encoder–decoder virtual tokens join; elsewhere there is one kind of row.
enum class Side {
  source,  ///< the encoder's
  target,  ///< the decoder's, before its start token
  both,    ///< each its own: `[2·P, width]`, the encoder's first
};

/// Visits the settings that all strategies of virtual tokens have; their aggregates differ in order, in defaults and in
/// what is added.
template <class Self, class Visitor>
void visit_virtual_tokens(Self& self, Visitor& visitor) {
  visitor("length", self.length, "P, the number of virtual tokens");
  visitor(
      "side", self.side,
      "of an encoder–decoder: source (the encoder's rows), target (the decoder's, before its start token), or both, "
      "each with tokens of its own");
  visitor("place", self.place, "front, or infix: before the last source token");
  visitor("reparametrization", self.reparametrization,
          "train the tokens through an MLP, which is dropped when the adapter is saved");
  visitor("init", self.init,
          "normal or uniform random numbers, embeddings of tokens sampled from the vocabulary, or those of words");
  visitor("init_deviation", self.init_deviation, "size of random numbers");
  visitor("init_words", self.init_words,
          "tokens of the words to start from, repeated until there are P; of a word of several tokens their mean");
  visitor("fill_from_vocabulary", self.fill_from_vocabulary,
          "with fewer words than P: sample the rest (Lester's class labels) instead of repeating them (PEFT's text)");
  visitor("init_sample", self.init_sample, "how many of the vocabulary's first tokens are sampled from");
  visitor("positions", self.positions,
          "shift: real tokens' positions follow the virtual ones; keep: they stay as they are without them; automatic "
          "keeps them in an encoder–decoder with learned positions and shifts everywhere else");
  visitor("pooling", self.pooling,
          "of a classifier: the head reads the first virtual token's state (as PEFT) or the first real token's (as "
          "P-tuning v2)");
}

/// Whether a setting has an effect beside the others on a model. Words and sampled tokens give an MLP its input, whose
/// width is theirs; other inputs start at normal numbers of their own.
template <class Settings>
[[nodiscard]] bool virtual_tokens_read(Settings const& s, std::string_view setting, ModelInfo const& model) {
  bool const mlp = s.reparametrization.has_value(), words = s.init == Init::words;
  bool const sampled = s.init == Init::vocabulary;
  if (setting == "init_deviation") return !mlp && !words && !sampled;
  if (setting == "init_words" || setting == "fill_from_vocabulary") return words;
  if (setting == "init_sample") return sampled || (words && s.fill_from_vocabulary);
  if (setting == "reparametrization.input") return !words && !sampled;
  if (setting == "positions") return counts_positions(model);
  if (setting == "side") return model.main().crosses;
  if (setting == "pooling") return model.classifies;
  return true;
}

/// @throws ConfigError for settings that no model, or not this one, can have
template <class Settings>
void check_virtual_tokens(Settings const& s, ModelInfo const& model) {
  if (s.length < 1) fail<ConfigError>("[virtual tokens] got length ", s.length, "; expected at least 1");
  if (s.side == Side::both && !model.main().crosses)
    fail<ConfigError>("[virtual tokens] got both sides in a model of one stack; expected source or target");
  if (model.main().crosses && s.side == Side::target && s.place == Place::infix)
    fail<ConfigError>(
        "[virtual tokens] got the infix place on the target side; expected the front, since a decoder's rows hold no "
        "source");
  if (s.reparametrization && s.init == Init::uniform)
    fail<ConfigError>(
        "[virtual tokens] got init uniform for an MLP, whose input starts at normal numbers; expected normal, "
        "vocabulary or words");
  if (s.init_sample < 1) fail<ConfigError>("[virtual tokens] got init_sample ", s.init_sample, "; expected at least 1");
  if (s.reparametrization) s.reparametrization->check();
}

/// `[P, width]` virtual embeddings of a strategy that has these settings.
template <class Settings, class Scalar, class Device>
class VirtualTokensState {
 public:
  VirtualTokensState(Settings const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base,
                     RandomKey key)
      : settings_(settings),
        source_(model.input().stack),
        target_(model.main().stack),
        pooled_(model.classifies && settings.pooling == Pooling::first_virtual) {
    settings_.positions = resolve(settings.positions, model);
    settings.check(model);
    Tensor<Scalar> const start = start_values(model, base, key);
    bool const from_words = settings.init == Init::words || settings.init == Init::vocabulary;
    embeddings_ = ReparametrizedMatrix<Scalar, Device>(
        start, settings.reparametrization, model.width, key,
        from_words && settings.reparametrization ? clone(start) : Tensor<Scalar>());
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return embeddings_.parameters(); }
  struct Step {
    Variable<Scalar, Device> embeddings;  ///< all sides' rows
  };
  [[nodiscard]] Step prepare(StepContext const&) const { return {embeddings_.compute()}; }
  void announce(Additions& additions) const {
    if (settings_.side != Side::target)
      additions.tokens.push_back({settings_.length, source_, settings_.place, settings_.positions, pooled_});
    if (settings_.side != Side::source)
      additions.tokens.push_back({settings_.length, target_,
                                  settings_.side == Side::both ? Place::front : settings_.place, settings_.positions,
                                  pooled_});
  }
  void virtual_tokens(EmbeddingList<Scalar, Device>& embeddings, Step const& step) const {
    if (settings_.side != Side::target) embeddings.push_back(part(step, 0));
    if (settings_.side != Side::source) embeddings.push_back(part(step, settings_.side == Side::both ? 1 : 0));
  }

  [[nodiscard]] ReparametrizedMatrix<Scalar, Device>& embeddings() { return embeddings_; }
  /// Replaces the embeddings by a file's `[P, width]`.
  void adopt(Tensor<Scalar> flat) { embeddings_.adopt(std::move(flat)); }

 private:
  /// The P rows of a side.
  [[nodiscard]] Variable<Scalar, Device> part(Step const& step, Index number) const {
    Index const first = number * settings_.length;
    return step.embeddings.rows() == settings_.length ? step.embeddings
                                                      : slice_rows(step.embeddings, first, first + settings_.length);
  }
  [[nodiscard]] Tensor<Scalar> start_values(ModelInfo const& model, BaseAccess<Scalar, Device> const& base,
                                            RandomKey key) const {
    Index const rows = settings_.length * std::max<Index>(submodules(settings_), settings_.side == Side::both ? 2 : 1);
    Shape const shape{rows, model.width};
    require_memory(cat("[virtual tokens] length ", settings_.length),
                   static_cast<double>(rows) * (static_cast<double>(model.width) * sizeof(Scalar) + 64));
    double const d = settings_.init_deviation;
    switch (settings_.init) {
      case Init::normal: return normal<Scalar>(shape, key.with("tokens"), d);
      case Init::uniform: return uniform<Scalar>(shape, key.with("tokens"), -d, d);
      case Init::vocabulary:
        return embed_words(sample_vocabulary(rows, model.vocabulary, settings_.init_sample, key), rows, base);
      case Init::words: break;
    }
    auto words = settings_.init_words;
    if (settings_.fill_from_vocabulary && static_cast<Index>(words.size()) < settings_.length) {
      auto const sampled = sample_vocabulary(settings_.length, model.vocabulary, settings_.init_sample, key);
      words.insert(words.end(), sampled.begin(),
                   sampled.begin() + (settings_.length - static_cast<Index>(words.size())));
    }
    return embed_words(words, rows, base);
  }

  static Index submodules(Settings const& settings) {
    if constexpr (requires { settings.submodules; })
      return settings.submodules;
    else
      return 1;
  }

  Settings settings_;
  Stack source_, target_;
  bool pooled_;
  ReparametrizedMatrix<Scalar, Device> embeddings_;
};

}  // namespace graft
