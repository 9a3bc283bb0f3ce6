/// @file
/// @brief `adapt(base, strategy)`: a model that shares the base's frozen weights and trains the strategy's own.
#pragma once

#include <concepts>
#include <utility>

#include <graft/adaptation/check_numbers.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/models/transformer.hpp>

namespace graft {

/// The base as strategies' initialisers may use it.
template <Architecture A, class Scalar, class Device>
[[nodiscard]] BaseAccess<Scalar, Device> access(Base<A, Scalar, Device> const& base) {
  BaseAccess<Scalar, Device> access;
  access.weight = [base](SiteAddress const& site, Part part) { return copy_weight(*base, site, part); };
  access.embed = [base](std::vector<Token> const& tokens) {
    auto const& table = base->at({Site::token_embedding}).matrix;
    for (Token token : tokens)
      if (token < 0 || token >= table.out()) fail("[init] got token ", token, "; expected 0 to ", table.out() - 1);
    Tensor<Scalar, Device> rows(Shape{static_cast<Index>(tokens.size()), table.in()});
    table.rows(tokens, rows.data());
    NoGrad no_grad;
    double const factor = base->config().embedding_scale;
    return downloaded(factor == 1 ? rows : scale(Variable<Scalar, Device>(rows), factor).value());
  };
  access.keys_values = [base](std::vector<Token> const& tokens) {
    NoGrad no_grad;
    using Model = Transformer<A, NoAdaptation, Scalar, Device>;
    Model const model(base, {}, {NoAdaptation{}, base->info(), {}, RandomKey()});
    Batch batch;
    model.append(batch, {tokens, {}, 0});
    if constexpr (Model::has_encoder) {  // the decoder reads them too
      batch.tokens = tokens;
      batch.rows = batch.source;
    }
    batch.rows.targets.at = {batch.rows.tokens() - 1};
    std::vector<LayerKeysValues<Scalar>> result;
    PassObserver<Scalar, Device> observer;
    observer.keys_values = [&](LayerAddress at, AttentionKind kind, auto const& keys, auto const& values) {
      Index const width = base->info().stack(at.stack).kv_width();
      result.push_back({at, kind, downloaded(copy_columns(keys, width)), downloaded(copy_columns(values, width))});
    };
    (void)model.hidden_states(batch, nullptr, &observer);
    return result;
  };
  return access;
}

/// A model of this base with this strategy; `seed` addresses the random start of its parameters. `P` is the precision
/// it computes in: `adapt<Bfloat16>(base, LoRA{})`. The base's numbers have the type of the policy's parameters, so
/// models in Float32 and in Bfloat16 may share one.
template <Precision P, Architecture A, class Scalar, class Device, class Adaptation>
[[nodiscard]] Transformer<A, Adaptation, ActivationOf<P>, Device> adapt(
    std::shared_ptr<Pretrained<A, Scalar, Device> const> const& base, Adaptation settings, std::uint64_t seed = 0) {
  static_assert(std::same_as<PrecisionOf<ActivationOf<P>>, PrecisionOf<P>>,
                "graft: the precisions are Float32, Double and Bfloat16");
  static_assert(std::same_as<Scalar, ParameterOf<P>>,
                "graft: Float32 and Bfloat16 need a base of float, Double one of double");
  check_numbers(settings);
  StateOf<Adaptation, Scalar, Device> state(settings, base->info(), access<A, Scalar, Device>(base),
                                            RandomKey(seed).with("adaptation"));
  return {base, std::move(settings), std::move(state), seed};
}
/// The same in the precision of the base's numbers: Float32 or Double.
template <class Adaptation, Architecture A, class Scalar, class Device>
requires(!Precision<Adaptation>) [[nodiscard]] Transformer<A, Adaptation, Scalar, Device> adapt(
    std::shared_ptr<Pretrained<A, Scalar, Device> const> const& base, Adaptation settings, std::uint64_t seed = 0) {
  return adapt<PrecisionOf<Scalar>>(base, std::move(settings), seed);
}

/// A model that computes in another precision with the same base and the same adapter: both see what is trained in
/// either. So a loaded adapter gets one: `with_precision<Bfloat16>(load_adapter<LoRA>(base, folder))`.
template <Precision P, Architecture A, class Adaptation, class Scalar, class Device>
[[nodiscard]] Transformer<A, Adaptation, ActivationOf<P>, Device> with_precision(
    Transformer<A, Adaptation, Scalar, Device> model) {
  static_assert(std::same_as<ParameterOf<Scalar>, ParameterOf<P>>,
                "graft: Float32 and Bfloat16 share parameters; Double has others");
  Transformer<A, Adaptation, ActivationOf<P>, Device> result(model.base(), model.settings(), model.shared_state(),
                                                             model.seed());
  result.enable(model.enabled());
  return result;
}

}  // namespace graft
