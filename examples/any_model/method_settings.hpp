/// @file
/// @brief The settings of every strategy from those of the command line: the programs' one switch, which also tells
/// which of them a strategy reads.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/io/enum_names.hpp>
#include <graft/text/printable.hpp>

#include "method.hpp"

namespace any_model {

/// Hands out a method's settings and remembers which were asked for: one that was given and not asked for has no
/// effect.
class MethodReader {
 public:
  explicit MethodReader(Method const& method) : method_(method) {}
  template <class T>
  [[nodiscard]] T const& operator()(T Method::* setting) {
    read_.insert(&(method_.*setting));
    return method_.*setting;
  }
  /// Looks without counting as reading.
  [[nodiscard]] Method const& method() const { return method_; }
  /// Option names of the settings that were given and not read, and of those that were read.
  [[nodiscard]] SettingUse use() const {
    SettingUse use;
    each_setting(method_, [&](char const* option, auto const& setting) {
      bool given = false;
      if constexpr (requires { setting.has_value(); })
        given = setting.has_value();
      else
        given = !setting.empty();
      if (read_.contains(&setting))
        use.read.emplace_back(option);
      else if (given)
        use.unread.emplace_back(option);
    });
    return use;
  }

 private:
  Method const& method_;
  std::set<void const*> read_;
};

/// The enumerator that a method names in `field`.
template <graft::NamedEnum Enum>
[[nodiscard]] Enum named(std::string_view field, std::optional<std::string> const& name, Enum otherwise) {
  if (!name) return otherwise;
  if (auto const value = graft::enum_value<Enum>(*name)) return *value;
  graft::fail<graft::ConfigError>("[method] got ", field, " ", graft::printable(*name), "; expected one of ",
                                  graft::enum_choices<Enum>());
}

/// Whether it matters to a model at which position a virtual token or key stands: relative positions count from the
/// row's own tokens.
[[nodiscard]] inline bool has_positions(graft::ModelInfo const& model) {
  return std::none_of(model.sites.begin(), model.sites.end(),
                      [](graft::SiteInfo const& site) { return site.address.site == graft::Site::relative_bias; });
}

/// A bank of keys and values. An MLP starts at random numbers of its own: only words say otherwise.
template <class Settings>
[[nodiscard]] Settings bank_settings(MethodReader& m, bool mlp, graft::ModelInfo const& model) {
  constexpr bool infix = std::is_same_v<Settings, graft::InfixTuning>;
  Settings s;
  s.length = m(&Method::length).value_or(10);
  if (mlp) s.reparametrization = graft::Mlp{.hidden = m(&Method::hidden).value_or(512)};
  if (!mlp || m.method().init == "words") s.init = named("init", m(&Method::init), graft::Init::normal);
  s.init_deviation = 0.02;
  if (s.init == graft::Init::words)
    s.init_words = m(&Method::init_words);
  else if (!mlp)
    s.init_deviation = m(&Method::init_deviation).value_or(s.init_deviation);
  s.dropout = m(&Method::dropout).value_or(0.0);
  if (auto const& top = m(&Method::layers)) {
    int const count = model.main().layers;
    if (*top < 1 || *top > count)
      graft::fail<graft::ConfigError>("[method] got ", *top, " layers; expected 1 to ", count);
    for (int l = count - static_cast<int>(*top); l < count; ++l) s.layers.push_back(l);
  }
  bool const crosses =
      model.main().crosses;  // where an infix stands behind the encoder's states, which have no positions
  if (has_positions(model) && !(infix && crosses))
    s.positions = named("positions", m(&Method::positions), graft::PositionPolicy::automatic);
  if (!infix && crosses) s.scope = named("scope", m(&Method::scope), graft::PrefixScope::all);
  return s;
}
template <class Settings>
[[nodiscard]] Settings token_settings(MethodReader& m, graft::Index length, bool mlp, graft::ModelInfo const& model) {
  Settings s;
  s.length = m(&Method::length).value_or(length);
  if (mlp) s.reparametrization = graft::Mlp{.hidden = m(&Method::hidden).value_or(512)};
  s.init =
      named("init", m(&Method::init), m.method().init_words.empty() ? graft::Init::vocabulary : graft::Init::words);
  if (mlp && s.init == graft::Init::uniform)
    graft::fail<graft::ConfigError>(
        "[method] got init uniform for an MLP, whose input starts at normal numbers; expected normal, vocabulary or "
        "words");
  s.init_deviation = 0.02;
  if (s.init == graft::Init::words)
    s.init_words = m(&Method::init_words);
  else if (!mlp && s.init != graft::Init::vocabulary)
    s.init_deviation = m(&Method::init_deviation).value_or(s.init_deviation);
  if (has_positions(model)) s.positions = named("positions", m(&Method::positions), graft::PositionPolicy::automatic);
  if (model.main().crosses) s.side = named("side", m(&Method::side), graft::Side::source);
  s.place = named("place", m(&Method::place), graft::Place::front);
  return s;
}
inline graft::LoRA lora_settings(MethodReader& m) {
  return {.rank = m(&Method::rank).value_or(8),
          .alpha = m(&Method::alpha).value_or(16),
          .targets = m(&Method::targets),
          .dropout = m(&Method::dropout).value_or(0.0)};
}
inline graft::BottleneckAdapter adapter_settings(MethodReader& m) {
  graft::BottleneckAdapter s{.placement =
                                 named("placement", m(&Method::placement), graft::AdapterPlacement::between_layers)};
  if (auto const& share = m(&Method::share))
    s.share = *share;  // in place of the width
  else
    s.bottleneck = m(&Method::bottleneck).value_or(64);
  return s;
}
/// Names of the feed-forward's second product scale its inputs, as in the paper; others scale outputs.
inline graft::IA3 ia3_settings(MethodReader& m, graft::ModelInfo const& model) {
  graft::IA3 s;
  for (auto const& target : m(&Method::targets)) {
    bool const inner = std::any_of(model.sites.begin(), model.sites.end(), [&](graft::SiteInfo const& site) {
      return site.address.site == graft::Site::feed_forward_down && graft::names_module(target, site.name);
    });
    (inner ? s.feed_forward_targets : s.targets).push_back(target);
  }
  return s;
}
inline graft::ParallelAdapter parallel_settings(MethodReader& m) {
  return {.bottleneck = m(&Method::bottleneck).value_or(64)};
}
inline graft::TopLayers top_settings(MethodReader& m, graft::ModelInfo const& model) {
  return {.layers = m(&Method::layers).value_or(std::min(2, model.main().layers))};
}
/// Its encoder is an MLP, which has no dropout.
inline graft::PTuning p_tuning_settings(MethodReader& m) {
  return {.length = m(&Method::length).value_or(20), .hidden = m(&Method::hidden).value_or(0)};
}

/// Calls `f(settings)` with those of the strategy that the method names. @throws ConfigError where the model has no
/// such strategy
template <bool classifies, class F>
void visit_settings(MethodReader& m, graft::ModelInfo const& model, F const& f) {
  std::string const& name = m.method().name;
  if (name == "none") return f(graft::NoAdaptation{});
  if (name == "prefix" || name == "prefix_mlp")
    return f(bank_settings<graft::PrefixTuning>(m, name == "prefix_mlp", model));
  if (name == "prompt") return f(token_settings<graft::PromptTuning>(m, 20, false, model));
  if (name == "embedding") return f(token_settings<graft::EmbeddingOnly>(m, 10, true, model));
  if (name == "adapter") return f(adapter_settings(m));
  if (name == "lora") return f(lora_settings(m));
  if (name == "bitfit") return f(graft::BitFit{});
  if (name == "top_layers") return f(top_settings(m, model));
  if (name == "full") return f(graft::FullFineTuning{});
  if (name == "ia3") return f(ia3_settings(m, model));
  if (name == "p_tuning") return f(p_tuning_settings(m));
  if (name == "parallel_adapter") return f(parallel_settings(m));
  if constexpr (classifies) {
    if (name == "head") return f(graft::ClassificationHead{.labels = m.method().labels.value_or(0)});
    if (name == "infix" || name == "prefix_lora" || name == "mam")
      graft::fail<graft::ConfigError>("[method] got ", name, " for a ", model.architecture,
                                      " model; expected a strategy for classifiers",
                                      name == "infix" ? ": an infix stands between a source and a target" : "");
  } else {
    bool const mlp = (name == "infix" || name == "mam") && m(&Method::hidden).has_value();
    if (name == "infix") return f(bank_settings<graft::InfixTuning>(m, mlp, model));
    if (name == "prefix_lora") {
      auto prefix = bank_settings<graft::PrefixTuning>(m, false, model);
      return f(graft::compose(std::move(prefix), lora_settings(m)));
    }
    if (name == "mam") {
      auto prefix = bank_settings<graft::PrefixTuning>(m, mlp, model);
      return f(graft::mam(std::move(prefix), parallel_settings(m)));
    }
    if (name == "head")
      graft::fail<graft::ConfigError>("[method] got head for a ", model.architecture,
                                      " model; expected an encoder (bert, roberta)");
  }
  std::string names;
  for (auto const& info : method_infos()) names += (names.empty() ? "" : ", ") + std::string(info.name);
  graft::fail<graft::ConfigError>("[method] got ", graft::printable(name), "; expected one of ", names);
}

}  // namespace any_model
