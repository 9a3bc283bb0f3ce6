/// @file
/// @brief The generic transformer: any architecture's table with any strategy's hooks, strung together from operations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <graft/autograd/tape.hpp>
#include <graft/models/batch_checks.hpp>
#include <graft/models/compatible.hpp>
#include <graft/models/embed.hpp>
#include <graft/models/frozen_states.hpp>
#include <graft/models/run_layers.hpp>
#include <graft/nn/shared_rows.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/linear_cross_entropy.hpp>

namespace graft {

/// A decoder, an encoder, or both over packed rows. `Adaptation`'s hooks are called where
/// they exist; a disabled adaptation is the base model. In use a model is const: several threads may compute with one.
/// @tparam Scalar the activations' type, from which the precision policy follows (`PrecisionOf`): float, double or
/// bfloat16. Base, state, scores and logits have the type of the policy's parameters.
template <Architecture A, class Adaptation, class Scalar = float, class Device = Cpu>
class Transformer {
 public:
  static_assert(!Precision<Scalar>,
                "graft: a Transformer takes the type of its activations, such as bfloat16; see adapt<Bfloat16>");
  using precision = PrecisionOf<Scalar>;
  using scalar_type = ParameterOf<Scalar>;  ///< of parameters, scores and logits
  using activation_type = Scalar;
  static_assert(detail::compatible<A, Adaptation, scalar_type, Device>());

  using architecture = A;
  using adaptation_type = Adaptation;
  using device_type = Device;
  using Value = Variable<Scalar, Device>;
  using State = StateOf<Adaptation, scalar_type, Device>;
  using Cache = CacheView<Scalar, Device>;
  using Observer = PassObserver<Scalar, Device>;
  using Prepared = PreparedStep<State, scalar_type, Device>;
  static constexpr bool has_encoder = A::stacks == StackKind::encoder_decoder;
  static constexpr bool classifies = A::head == HeadKind::classifier;

  /// `seed` is what addresses the state's random numbers, where there is one: a training that is gone on with needs the
  /// same.
  Transformer(Base<A, scalar_type, Device> base, Adaptation settings, State state,
              std::optional<std::uint64_t> seed = std::nullopt)
      : Transformer(std::move(base), std::move(settings), std::make_shared<State>(std::move(state)), seed) {}
  /// With a state that other models have, too.
  Transformer(Base<A, scalar_type, Device> base, Adaptation settings, std::shared_ptr<State> state,
              std::optional<std::uint64_t> seed = std::nullopt)
      : base_(std::move(base)),
        settings_(std::move(settings)),
        state_(std::move(state)),
        weights_(*base_),
        seed_(seed) {
    if constexpr (A::positions == PositionKind::rotary) rotary_ = typename Parts::Rotary(config().inverse_frequency);
  }

  [[nodiscard]] Base<A, scalar_type, Device> const& base() const { return base_; }
  [[nodiscard]] ModelConfig const& config() const { return base_->config(); }
  [[nodiscard]] ModelInfo const& info() const { return base_->info(); }
  [[nodiscard]] Adaptation const& settings() const { return settings_; }
  [[nodiscard]] std::optional<std::uint64_t> seed() const { return seed_; }
  [[nodiscard]] State& state() { return *state_; }
  [[nodiscard]] State const& state() const { return *state_; }
  /// The state itself, which copies of the model share. A const model gives it to be read; a copy of one may change it.
  [[nodiscard]] std::shared_ptr<State> shared_state() { return state_; }
  [[nodiscard]] std::shared_ptr<State const> shared_state() const { return state_; }
  /// Parameters that training changes.
  [[nodiscard]] std::vector<Parameter<scalar_type, Device>*> parameters() { return state_->parameters(); }
  [[nodiscard]] ParameterCounts parameter_counts() const {
    ParameterCounts counts;
    for (auto const* parameter : state_->parameters()) counts.trainable += parameter->value().size();
    counts.all = info().parameters() + counts.trainable;
    if constexpr (HasTrained<State>)  // copies of the base's are not counted twice
      for (auto const& site : info().sites) {
        if (site.tied) continue;
        if (state_->trained(site.address, Part::weight)) counts.all -= site.weights();
        if (site.bias && state_->trained(site.address, Part::bias)) counts.all -= site.out;
      }
    return counts;
  }
  /// How many layers training never changes: all below the lowest trained one, but for the main stack's last, which
  /// computes targets alone; and those of an encoder. Of a strategy that only adds to rows, all layers of an encoder to
  /// whose rows it adds nothing. Of others 0.
  [[nodiscard]] Index frozen_layers() const {
    Index frozen = frozen_layers_of(*state_, main_stack<A>);
    if constexpr (has_encoder) frozen += frozen_layers_of(*state_, Stack::encoder);
    return frozen;
  }
  /// Whether what rows hold before their insertion never changes: of a model with a decoder alone, where all that the
  /// strategy adds stands at the insertion (infix tuning). A pass then computes these tokens apart: always while
  /// `keep_frozen_states` keeps something, else where a tape records and they are at least 32. The backward pass needs
  /// their keys and values alone. Passes with a cache or an observer are not divided. False while disabled.
  [[nodiscard]] bool frozen_beginnings() const {
    if constexpr (may_begin_frozen)
      return enabled_ && all_at_insertion(additions());
    else
      return false;
  }
  /// Keeps from now on, in `bytes` at most, what the `frozen_layers()` compute of rows, and keys and values of
  /// `frozen_beginnings()`. A pass whose rows are all kept begins there. 0 keeps nothing. What was kept before is
  /// forgotten. Results are the same up to rounding. The base must not change meanwhile. Copies of the model share what
  /// is kept.
  void keep_frozen_states(std::size_t bytes) {
    frozen_states_ = bytes > 0 ? std::make_shared<FrozenStates<Scalar, Device>>(bytes) : nullptr;
  }
  /// Bytes that `keep_frozen_states` needs for this example: its numbers, and about 256 bytes for each row. 0 where
  /// nothing of it stays as it is. Equal rows of several examples are kept once.
  [[nodiscard]] std::size_t bytes_to_keep(TokenizedExample const& example) const {
    using Kept = FrozenStates<Scalar, Device>;
    auto const source = static_cast<Index>(example.source.size()), target = static_cast<Index>(example.target.size());
    std::size_t bytes = 0;
    if (frozen_beginnings()) return source > 1 ? Kept::bytes_of(source - 1, beginnings_width()) : 0;
    if (frozen_layers_of(*state_, main_stack<A>) > 0)
      bytes += Kept::bytes_of(has_encoder  ? std::max<Index>(1, target)
                              : classifies ? source
                                           : source + target,
                              info().width);
    if constexpr (has_encoder)
      if (frozen_layers_of(*state_, Stack::encoder) > 0) bytes += Kept::bytes_of(source, info().width);
    return bytes;
  }
  /// Bytes of what is kept.
  [[nodiscard]] std::size_t kept_bytes() const { return frozen_states_ ? frozen_states_->bytes() : 0; }
  /// While disabled, the model is the base model, bit for bit.
  void enable(bool on = true) { enabled_ = on; }
  [[nodiscard]] bool enabled() const { return enabled_; }

  /// Appends an example as a row of a batch for this model: source and target in one row of a decoder, the source in
  /// the encoder and the target in the decoder, or the source to be classified.
  void append(Batch& batch, TokenizedExample const& example) const {
    if constexpr (has_encoder) {
      append_encoder_decoder_row(batch, example, config().decoder_start);
    } else if constexpr (classifies) {
      append_classification_row(batch, example);
      if (config().position_offset > 0) skip_padding(batch, static_cast<Token>(config().position_offset - 1));
    } else {
      append_causal_row(batch, example);
    }
  }
  [[nodiscard]] Batch pack(std::vector<TokenizedExample> const& examples) const {
    Batch batch;
    for (auto const& example : examples) append(batch, example);
    return batch;
  }
  /// The same, but what examples have in common is computed once: what sources of a decoder begin with, and equal
  /// sources of an encoder. Targets stand in the order of the examples; rows that hold beginnings alone have none. Loss
  /// and gradients are the same up to rounding, unless dropout acts: examples with a common source share its mask.
  [[nodiscard]] Batch pack_shared(std::vector<TokenizedExample> const& examples) const {
    if constexpr (has_encoder)
      return pack_encoder_decoder_shared(examples, config().decoder_start);
    else if constexpr (classifies)
      return pack(examples);  // one row is one class
    else
      return pack_causal_shared(examples);
  }

  /// What the adaptation computes once a step, as a value: with the parameters as they are, recorded where a tape is
  /// recording. Several passes may read one, as a generation's do; the functions below without one prepare their own.
  [[nodiscard]] Prepared prepare(StepContext const& context = {}) const {
    StepContext sorted = context;
    std::sort(sorted.adapters.begin(), sorted.adapters.end());
    return prepare_step<scalar_type, Device>(active(), sorted);
  }

  /// States after the last layer (and final norm, if there is one) at the targets of the batch: `[targets, width]`.
  [[nodiscard]] Value hidden_states(Batch const& batch, Cache const* cache = nullptr,
                                    Observer const* observer = nullptr) const {
    check(batch, cache);
    return states(batch, prepare(context_of(batch.rows)), cache, observer);
  }
  [[nodiscard]] Value hidden_states(Batch const& batch, Prepared const& prepared, Cache const* cache = nullptr,
                                    Observer const* observer = nullptr) const {
    check(batch, prepared, cache);
    return states(batch, prepared, cache, observer);
  }
  /// Log-probabilities of the batch's labels; `[targets]` each.
  [[nodiscard]] TargetScores<scalar_type, Device> scores(Batch const& batch) const {
    if (batch.rows.targets.size() == 0)
      fail("[scores] got a batch without targets; expected at least one target token");
    check(batch, nullptr);
    detail::check_labels(batch.rows.targets, weights_.classes(active().get()));
    Prepared const prepared = prepare(context_of(batch.rows));
    return weights_.head_scores(head_input(states(batch, prepared, nullptr, nullptr), batch.rows, prepared),
                                batch.rows.targets.labels, prepared.state.get());
  }
  /// Logits at the targets: `[targets, vocabulary]`, or `[targets, labels]` of a classifier. For
  /// generation and inspection; training never forms a vocabulary's.
  [[nodiscard]] Variable<scalar_type, Device> logits(Batch const& batch, Cache const* cache = nullptr) const {
    check(batch, cache);
    return head(batch, prepare(context_of(batch.rows)), cache);
  }
  [[nodiscard]] Variable<scalar_type, Device> logits(Batch const& batch, Prepared const& prepared,
                                                     Cache const* cache = nullptr) const {
    check(batch, prepared, cache);
    return head(batch, prepared, cache);
  }
  /// Keys and values of cross-attention for the batch's sources, for generation: `[source tokens,
  /// kv_heads · head_dim]` of every decoder layer, and each row's extent.
  [[nodiscard]] std::pair<KeyValueCache<Scalar, Device>, std::vector<CacheExtent>> encode_sources(
      Batch const& batch) const requires(has_encoder) {
    NoGrad no_grad;
    detail::check_source_rows<A>(batch, config());
    check_adapters(batch.source);
    return encode_sources(batch, prepare({.adapters = adapters_of(batch.source)}));
  }
  [[nodiscard]] std::pair<KeyValueCache<Scalar, Device>, std::vector<CacheExtent>> encode_sources(
      Batch const& batch, Prepared const& prepared) const requires(has_encoder) {
    NoGrad no_grad;
    detail::check_source_rows<A>(batch, config());
    detail::check_prepared(batch.source, prepared, active().get());
    Parts const parts = this->parts(prepared);
    auto const source = encode(parts, batch, nullptr);  // states [source tokens, width]
    KeyValueCache<Scalar, Device> cache;
    for (int layer = 0; layer < static_cast<int>(config().layers); ++layer) {
      auto const own = CrossAttention<A, State, Scalar, Device>(parts, {Stack::decoder, layer}).keys_values(source);
      cache.layers.push_back({own.keys.x.value(), own.values.x.value()});  // [source tokens, kv_heads · head_dim] each
    }
    return {std::move(cache), extents_of(source.rows)};
  }

  /// What the adaptation adds to rows; nothing is computed.
  [[nodiscard]] Additions additions() const {
    Additions additions;
    if constexpr (HasAnnounce<State>)
      if (enabled_) state_->announce(additions);
    return additions;
  }
  /// Virtual tokens that join a row of the main stack (and its cache): P of prompt tuning, 0 of most strategies.
  [[nodiscard]] Index virtual_tokens(Index adapter = 0) const {
    return additions().token_count(main_stack<A>, adapter);
  }
  /// What rows of a stack need of the model's positions, virtual tokens and keys included.
  [[nodiscard]] RowReach row_reach(Stack stack = main_stack<A>, Index adapter = 0) const {
    return reach_of(additions(), stack, adapter);
  }
  /// Whether rows may name this adapter: any, unless the strategy holds several (see `AdapterTable`).
  [[nodiscard]] bool has_adapter(Index adapter) const {
    if constexpr (HasAdapters<State>)
      if (enabled_) return state_->has_adapter(adapter);
    return true;
  }

 private:
  using Parts = ModelParts<A, State, Scalar, Device>;
  using Pass = StackPass<Scalar, Device>;
  static constexpr bool may_begin_frozen =
      A::stacks == StackKind::decoder && only_adds_to_rows<State, scalar_type, Device>;

  [[nodiscard]] Parts parts(Prepared const& prepared) const { return {*base_, weights_, rotary_, prepared}; }

  /// The adapters that rows name, ascending, where the strategy has several.
  [[nodiscard]] static std::vector<Index> adapters_of(Rows const& rows) {
    std::vector<Index> adapters;
    if constexpr (HasAdapters<State>) {
      adapters = rows.adapter.empty() ? std::vector<Index>{0} : rows.adapter;
      std::sort(adapters.begin(), adapters.end());
      adapters.erase(std::unique(adapters.begin(), adapters.end()), adapters.end());
    }
    return adapters;
  }
  [[nodiscard]] static StepContext context_of(Rows const& rows) {
    return {rows.step, rows.training, adapters_of(rows)};
  }

  /// The state that hooks are called of; null while the adaptation is disabled.
  [[nodiscard]] std::shared_ptr<State const> active() const { return enabled_ ? state_ : nullptr; }

  void check(Batch const& batch, Cache const* cache) const {
    detail::check_batch<A>(batch, config(), cache);
    check_adapters(batch.rows);
  }
  void check(Batch const& batch, Prepared const& prepared, Cache const* cache) const {
    detail::check_batch<A>(batch, config(), cache);
    detail::check_prepared(batch.rows, prepared, active().get());
  }
  void check_adapters([[maybe_unused]] Rows const& rows) const {
    if constexpr (HasAdapters<State>)
      detail::check_adapters(rows, [this](Index adapter) { return has_adapter(adapter); });
  }

  /// `[targets, width]`.
  [[nodiscard]] Value states(Batch const& batch, Prepared const& prepared, Cache const* cache,
                             Observer const* observer) const {
    Parts const parts = this->parts(prepared);
    EncoderStates<Scalar, Device> source;
    if constexpr (has_encoder)
      if (!cache) source = encode(parts, batch, observer);  // states [source tokens, width]
    if constexpr (may_begin_frozen)
      if (!cache && !observer && parts.state && acts_at_insertion(parts))
        if (auto const divided = divide_at_insertion(batch); divided && worth_dividing(*divided))
          return states_after(parts, *divided);
    Pass pass = start(parts, main_stack<A>, batch.rows, cache, observer);
    pass.source = &source;
    return states_at_targets(parts, batch, pass);  // [targets, width]
  }
  /// `[targets, width]` of a pass that has begun.
  [[nodiscard]] Value states_at_targets(Parts const& parts, Batch const& batch, Pass& pass) const {
    Value const x = run(parts, batch, batch.tokens, pass);              // [queries, width]
    return finish(parts, main_stack<A>, gather_rows(x, pass.targets));  // [targets, width]
  }
  /// Whether nothing that the strategy adds to this pass stands before the insertion. It may give banks that it did not
  /// announce, so those of every layer are looked at as well.
  [[nodiscard]] bool acts_at_insertion(Parts const& parts) const {
    return all_at_insertion(parts.prepared.additions) &&
           every_bank(parts, main_stack<A>, [](auto const& bank) { return bank.place == Place::infix; });
  }
  /// Whether a condition holds of all banks that self-attention of a stack's layers is given.
  template <class Condition>
  [[nodiscard]] bool every_bank(Parts const& parts, Stack stack, Condition const& condition) const {
    for (int layer = 0; layer < static_cast<int>(parts.stack(stack).layers); ++layer) {
      auto const banks = parts.banks({stack, layer}, AttentionKind::self);
      if (!std::all_of(banks.begin(), banks.end(), condition)) return false;
    }
    return true;
  }
  /// Whether beginnings are computed apart: where they may be kept, or need no place on the tape. Fewer tokens would
  /// not pay for going through all weights once more.
  [[nodiscard]] bool worth_dividing(DividedBatch const& divided) const {
    constexpr Index least_tokens = 32;
    return frozen_states_ || (Tape::current().recording() && divided.before.rows.tokens() >= least_tokens);
  }
  /// `[targets, width]` of rows whose beginnings are constants.
  [[nodiscard]] Value states_after(Parts const& parts, DividedBatch const& divided) const {
    using Kept = FrozenStates<Scalar, Device>;
    Batch const &before = divided.before, &after = divided.after;
    auto const compute = [&] { return keys_values_of(before); };
    auto const beginnings =
        std::make_shared<FrozenBeginnings<Scalar, Device> const>(  // [tokens, layers · 2 · kv_width]
            frozen_states_ ? frozen_states_->states(before.rows, Kept::keys(before.rows, before.tokens, Stack::decoder),
                                                    beginnings_width(), compute)
                           : compute(),
            divided);
    Pass pass = start(parts, main_stack<A>, after.rows, nullptr, nullptr, beginnings);
    return states_at_targets(parts, after, pass);  // [targets, width]
  }
  /// What all layers' attention uses of a decoder's rows in the base model: `[tokens, layers · 2 · kv_width]`, of each
  /// layer the keys, then the values.
  [[nodiscard]] Tensor<Scalar, Device> keys_values_of(Batch const& batch) const {
    NoGrad const no_grad;
    Index const width = config().kv_width();
    Tensor<Scalar, Device> all(Shape{batch.rows.tokens(), beginnings_width()});
    Observer observer;
    observer.keys_values = [&](LayerAddress at, AttentionKind, auto const& keys, auto const& values) {
      Index column = 2 * at.layer * width;
      for (auto const* own : {&keys, &values}) {
        kernels::On<Device, kernels::Gather, Scalar>::copy_columns(
            own->read(), nullptr, {all.data() + column, all.width()}, nullptr, all.rows(), width);
        column += width;
      }
    };
    Prepared const of_the_base{};
    Parts const parts = this->parts(of_the_base);
    Pass pass = start(parts, main_stack<A>, batch.rows, nullptr, &observer);
    // there are no targets: of the last layer only keys and values are computed
    static_cast<void>(run_layers(base_, parts, embed_rows(parts, batch.tokens, pass), pass));
    return all;
  }
  [[nodiscard]] Index beginnings_width() const { return 2 * info().main().layers * config().kv_width(); }

  [[nodiscard]] Variable<scalar_type, Device> head(Batch const& batch, Prepared const& prepared,
                                                   Cache const* cache) const {
    // [targets, width] → [targets, vocabulary or labels]
    return weights_.head(head_input(states(batch, prepared, cache, nullptr), batch.rows, prepared),
                         prepared.state.get());
  }

  [[nodiscard]] Pass start(Parts const& parts, Stack stack, Rows const& rows, Cache const* cache,
                           Observer const* observer,
                           std::shared_ptr<FrozenBeginnings<Scalar, Device> const> beginnings = nullptr) const {
    Pass pass;
    pass.stack = stack;
    pass.cache = cache;
    pass.observer = observer;
    pass.beginnings = std::move(beginnings);
    Additions const& additions = parts.prepared.additions;
    pass.layout = lay_out_rows(rows, additions, stack, pass.continued());
    share_addresses(pass.layout.rows);
    if constexpr (HasAdapters<State>)
      if (parts.state) pass.layout.rows.groups = groups_of(pass.layout.rows);
    pass.out = pass.layout.rows;
    detail::check_reach(pass.out.positions, config(), stack);
    if (cache) {
      detail::check_room(*cache, pass.out);
      detail::check_past(*cache, pass.layout.rows, pass.layout.earlier_tokens);
    }
    upload_arrays(pass, pass.stack == main_stack<A>, A::positions == PositionKind::rotary);
    if constexpr (A::positions == PositionKind::relative) {
      Index keys = 0;
      for (Index r = 0; r < rows.count(); ++r) keys = std::max(keys, additions.key_count(stack, rows.adapter_of(r)));
      // the matrix: [buckets, heads]
      pass.bias = relative_bias<Scalar>(weights_.embedding_matrix({Site::relative_bias, {stack, -1}}, parts.state),
                                        pass.layout, keys, pass.causal(), config().relative);
    }
    return pass;
  }

  /// `[queries, width]` of a stack's last layer.
  [[nodiscard]] Value run(Parts const& parts, Batch const& batch, std::vector<Token> const& tokens, Pass& pass) const {
    if constexpr (only_trains_weights<State, scalar_type, Device> || only_adds_to_rows<State, scalar_type, Device>)
      if (int const frozen = kept_layers(parts, pass); frozen > 0) {
        Tensor<Scalar, Device> const x = frozen_states_->states(  // [tokens, width]
            pass.layout.rows, keys_of(batch, pass.stack), info().width, [&] {
              NoGrad const no_grad;
              Pass below = pass;
              return run_layers(base_, parts, embed_rows(parts, tokens, below), below, 0, frozen).value();
            });
        return run_layers(base_, parts, Value(x), pass, frozen);  // [tokens, width] → [queries, width]
      }
    return run_layers(base_, parts, embed_rows(parts, tokens, pass), pass);  // [tokens, width] → [queries, width]
  }
  /// How many layers of the pass' stack need no computing where their states are kept.
  [[nodiscard]] int kept_layers(Parts const& parts, Pass const& pass) const {
    if (!frozen_states_ || !parts.state || pass.cache || pass.observer || pass.beginnings) return 0;
    auto const frozen = static_cast<int>(frozen_layers_of(*parts.state, pass.stack));
    if constexpr (only_adds_to_rows<State, scalar_type, Device>)
      if (frozen > 0 && !every_bank(parts, pass.stack, [](auto const&) { return false; })) return 0;
    return frozen;
  }
  [[nodiscard]] Index frozen_layers_of(State const& state, Stack stack) const {
    Index const frozen = graft::frozen_layers<scalar_type, Device>(info(), state, stack);
    return stack == main_stack<A> ? std::min(frozen, info().main().layers - Index{1}) : frozen;
  }
  [[nodiscard]] static auto keys_of(Batch const& batch, Stack stack) {
    using Kept = FrozenStates<Scalar, Device>;
    if constexpr (has_encoder) {
      auto const of_sources = Kept::keys(batch.source, batch.source_tokens, Stack::encoder);
      if (stack == Stack::encoder) return of_sources;
      std::vector<typename Kept::Key> of;
      for (Index r = 0; r < batch.rows.count(); ++r)
        of.push_back(of_sources[static_cast<std::size_t>(batch.source_row(r))]);
      return Kept::keys(batch.rows, batch.tokens, stack, of);
    } else {
      return Kept::keys(batch.rows, batch.tokens, stack);
    }
  }
  /// The shape of x, `[targets, width]` or `[source tokens, width]`.
  [[nodiscard]] Value finish(Parts const& parts, Stack stack, Value const& x) const {
    if constexpr (has_site<A>(Site::final_norm)) return parts.norm({Site::final_norm, {stack, -1}}, x);
    return x;
  }
  [[nodiscard]] EncoderStates<Scalar, Device> encode(Parts const& parts, Batch const& batch,
                                                     Observer const* observer) const {
    Rows rows = batch.source;
    join_step(rows, batch.rows);
    Pass pass = start(parts, Stack::encoder, rows, nullptr, observer);
    Value const states = run(parts, batch, batch.source_tokens, pass);                  // [source tokens, width]
    return {finish(parts, Stack::encoder, states), pass.layout.rows, batch.source_of};  // [source tokens, width]
  }

  /// What the head reads, `[targets, width]`: the states, scaled (T5), or of a classifier tanh(W·h + b).
  [[nodiscard]] Value head_input(Value const& states, Rows const& rows, Prepared const& prepared) const {
    if constexpr (classifies) {
      constexpr Role role = role_of<A>(Site::pooler);
      return graft::tanh(
          parts(prepared).template project<role>({Site::pooler}, states, rows_of_targets(rows)));  // [targets, width]
    } else {
      return config().head_scale == 1.0 ? states : scale(states, config().head_scale);  // [targets, width]
    }
  }

  Base<A, scalar_type, Device> base_;
  Adaptation settings_;
  std::shared_ptr<State> state_;
  WeightAccess<A, State, Scalar, Device> weights_;
  std::optional<std::uint64_t> seed_;
  typename Parts::Rotary rotary_;
  std::shared_ptr<FrozenStates<Scalar, Device>> frozen_states_;  ///< null where nothing is kept
  bool enabled_ = true;
};

}  // namespace graft
