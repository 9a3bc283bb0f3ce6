/// @file
/// @brief What prompt tuning and embedding-only tuning share: trainable embeddings that join every row and run through
/// the frozen model.
#pragma once

#include <algorithm>
#include <optional>
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
  visitor("length", self.length);
  visitor("side", self.side);
  visitor("place", self.place);
  visitor("reparametrization", self.reparametrization);
  visitor("init", self.init);
  visitor("init_deviation", self.init_deviation);
  visitor("init_words", self.init_words);
  visitor("fill_from_vocabulary", self.fill_from_vocabulary);
  visitor("init_sample", self.init_sample);
  visitor("positions", self.positions);
  visitor("pooling", self.pooling);
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
    if (settings.length < 1)
      fail<ConfigError>("[virtual tokens] got length ", settings.length, "; expected at least 1");
    if (settings.side == Side::both && !model.main().crosses)
      fail<ConfigError>("[virtual tokens] got both sides in a model of one stack; expected source or target");
    if (model.main().crosses && settings.side == Side::target && settings.place == Place::infix)
      fail<ConfigError>(
          "[virtual tokens] got the infix place on the target side; expected the front, since a decoder's rows hold no "
          "source");
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
    if constexpr (requires { settings.submodules; }) {
      if (settings.submodules < 1 || settings.submodules > 2)
        fail<ConfigError>("[virtual tokens] got submodules ", settings.submodules, "; expected 1 or 2");
      return settings.submodules;
    }
    return 1;
  }

  Settings settings_;
  Stack source_, target_;
  bool pooled_;
  ReparametrizedMatrix<Scalar, Device> embeddings_;
};

}  // namespace graft
