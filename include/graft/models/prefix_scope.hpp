/// @file
/// @brief `with_scope`: the prefix of an encoder–decoder's decoder in the other of its two layouts.
#pragma once

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/models/adapt.hpp>

namespace graft {

/// The same prefix, flat, in the layout of `scope`: the model computes the same. From PEFT's layout to
/// `PrefixScope::decoder`, where every layer has numbers of its own that training may move apart, always; back where
/// layers that share a slot hold the same. Where there is one kind of attention, scopes are one.
/// @throws ConfigError for a prefix of three attentions, which is neither, and for layers that would share a slot and
/// differ
template <class Model>
[[nodiscard]] Model with_scope(Model model, PrefixScope scope) {
  static_assert(std::is_same_v<typename Model::adaptation_type, PrefixTuning>, "scopes are those of a prefix");
  PrefixTuning settings = model.settings();
  bool const several = model.info().main().crosses;
  if (several && (scope == PrefixScope::all) != (settings.scope == PrefixScope::all))
    fail<ConfigError>(
        "[with_scope] got a prefix of ",
        scope == PrefixScope::all ? "the decoder's self-attention" : "encoder, decoder and cross-attention",
        "; expected one of ", scope == PrefixScope::all ? "all three" : "the decoder's self-attention",
        ": neither can stand for the other");
  settings.scope = scope;
  settings.reparametrization.reset();
  settings.init = Init::normal;
  settings.init_words.clear();
  Model result = adapt<typename Model::precision>(model.base(), settings);
  auto const &from = model.state().banks(), &to = result.state().banks();
  for (std::size_t b = 0; b < to.size(); ++b) {
    auto const given = downloaded(from[b].matrix.values());  // [P, columns]
    auto values = zeros<typename Model::scalar_type>(to[b].matrix.shape());
    auto const each = [&](auto const& f) {  // of every layer's keys and values in every row
      for (std::size_t i = 0; i < to[b].layers.size(); ++i)
        for (Index kv = 0; kv < 2; ++kv)
          for (Index p = 0; p < given.rows(); ++p)
            f(given.row(p) + from[b].column(i, kv), values.row(p) + to[b].column(i, kv), to[b].layers[i]);
    };
    Index const width = to[b].width();
    each([&](auto const* read, auto* written, int) { std::copy_n(read, width, written); });
    each([&](auto const* read, auto const* written, int layer) {
      if (!std::equal(read, read + width, written))
        fail<ConfigError>(
            "[with_scope] got a prefix whose layer ", layer,
            " differs from another that shares its slot in PEFT's layout; expected the same numbers in both");
    });
    result.state().banks()[b].matrix.adopt(std::move(values));
  }
  return result;
}

}  // namespace graft
