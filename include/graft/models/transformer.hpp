/// @file
/// @brief The generic transformer: any architecture's table with any strategy's hooks, strung together from operations.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/models/plan.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/models/weights.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>

namespace graft {

/// A decoder over packed rows. `Adaptation`'s hooks are called where they exist; a disabled adaptation is the base model.
template <Architecture A, class Adaptation, class Scalar = float, class Device = Cpu>
class Transformer {
 public:
  using architecture = A;
  using adaptation_type = Adaptation;
  using scalar_type = Scalar;
  using device_type = Device;
  using Value = Variable<Scalar, Device>;
  using Values = Tensor<Scalar, Device>;
  using State = StateOf<Adaptation, Scalar, Device>;
  using Cache = CacheView<Scalar, Device>;

  Transformer(Base<A, Scalar, Device> base, Adaptation settings, State state)
      : base_(std::move(base)), settings_(std::move(settings)), state_(std::make_shared<State>(std::move(state))), weights_(*base_) {
    if constexpr (A::positions == PositionKind::rotary) rotary_ = RotaryTable<Scalar>(config().inverse_frequency);
  }

  [[nodiscard]] Base<A, Scalar, Device> const& base() const { return base_; }
  [[nodiscard]] ModelConfig const& config() const { return base_->config(); }
  [[nodiscard]] ModelInfo const& info() const { return base_->info(); }
  [[nodiscard]] Adaptation const& settings() const { return settings_; }
  [[nodiscard]] State& state() { return *state_; }
  [[nodiscard]] State const& state() const { return *state_; }
  /// Parameters that training changes.
  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return state_->parameters(); }
  [[nodiscard]] ParameterCounts parameter_counts() {
    ParameterCounts counts;
    for (auto const* parameter : parameters()) counts.trainable += parameter->value().size();
    counts.all = info().parameters() + (trained_roles_of<State>() ? 0 : counts.trainable);
    return counts;
  }
  /// While disabled, the model is the base model, bit for bit.
  void enable(bool on = true) { enabled_ = on; }
  [[nodiscard]] bool enabled() const { return enabled_; }

  /// States after the final norm at the targets of the batch: `[targets, width]`.
  [[nodiscard]] Value hidden_states(Batch const& batch, Cache const* cache = nullptr) {
    check(batch, cache);
    Pass pass = start(batch, cache);
    Value x = embed(batch, pass);
    int const layers = static_cast<int>(config().layers);
    for (int layer = 0; layer < layers; ++layer) x = block({Stack::decoder, layer}, x, pass, layer + 1 == layers);
    if (pass.out.targets.size() != x.rows()) x = gather_rows(x, pass.out.targets.at);
    return weights_.norm({Site::final_norm}, x, active());
  }
  /// Log-probabilities of the batch's labels; `[targets]` each.
  [[nodiscard]] TargetScores<Scalar, Device> scores(Batch const& batch) {
    if (batch.rows.targets.size() == 0) fail("[scores] got a batch without targets; expected at least one target token");
    return weights_.head_scores(hidden_states(batch), batch.rows.targets.labels, active());
  }
  /// Logits at the targets: `[targets, vocabulary]`. For generation and inspection; training never forms them.
  [[nodiscard]] Value logits(Batch const& batch, Cache const* cache = nullptr) { return weights_.head(hidden_states(batch, cache), active()); }

  /// Virtual tokens that join every row (and its cache): P of prompt tuning, 0 of most strategies.
  [[nodiscard]] Index virtual_tokens() {
    NoGrad no_grad;
    Index count = 0;
    for (auto const& tokens : announce({}).tokens) count += tokens.embeddings.rows();
    return count;
  }
  /// Positions that virtual tokens and keys take from the model's.
  [[nodiscard]] Index virtual_positions() {
    NoGrad no_grad;
    auto const plan = announce({});
    Index count = 0;
    for (auto const& tokens : plan.tokens) count += tokens.embeddings.rows();
    for (auto const& keys : plan.keys) count += keys.positions == PositionPolicy::shift ? keys.count : 0;
    return count;
  }
  /// Runs the adaptation's `prepare` for a generation: with the parameters as they are, nothing recorded.
  void prepare_inference() {
    NoGrad no_grad;
    (void)announce({});
    prepared_ = true;
  }
  /// From now on `prepare` runs every step again.
  void finish_inference() { prepared_ = false; }

 private:
  /// What one step carries through the layers.
  struct Pass {
    PlannedRows planned;
    Rows out;  ///< the rows of the activation at hand: all tokens, then those of the last layer's queries
    VirtualPlan<Scalar, Device> plan;
    Cache const* cache = nullptr;
    std::vector<CachedRow> const& cached() const {
      static std::vector<CachedRow> const none;
      return cache ? cache->rows : none;
    }
  };

  [[nodiscard]] State* active() const { return enabled_ ? state_.get() : nullptr; }

  void check(Batch const& batch, Cache const* cache) const {
    if (static_cast<Index>(batch.tokens.size()) != batch.rows.tokens())
      fail<ShapeError>("[transformer] got ", batch.tokens.size(), " tokens; expected ", batch.rows.tokens(), " as the rows' offsets say");
    if (cache && static_cast<Index>(cache->rows.size()) != batch.rows.count())
      fail<ShapeError>("[transformer] got cache entries for ", cache->rows.size(), " rows; expected ", batch.rows.count());
    for (std::size_t i = 0; i < batch.tokens.size(); ++i)
      if (batch.tokens[i] < 0 || batch.tokens[i] >= config().vocabulary)
        fail("[transformer] got token ", batch.tokens[i], " at place ", i, " of the batch; expected 0 to ", config().vocabulary - 1, "; hint: does the tokenizer belong to the model?");
  }

  [[nodiscard]] VirtualPlan<Scalar, Device> announce(StepContext const& context) {
    VirtualPlan<Scalar, Device> plan;
    if (!enabled_) return plan;
    if constexpr (HasPrepare<State>)
      if (!prepared_) state_->prepare(context);
    if constexpr (HasPlan<State, Scalar, Device>) state_->plan(plan);
    return plan;
  }

  [[nodiscard]] Pass start(Batch const& batch, Cache const* cache) {
    Pass pass;
    pass.cache = cache;
    pass.plan = announce({batch.rows.step, batch.rows.training});
    pass.planned = plan_rows(batch.rows, pass.plan, pass.cached());
    pass.out = pass.planned.rows;
    for (Index position : pass.out.positions)
      if (position >= config().positions)
        fail("[transformer] got a row that reaches position ", position, "; expected at most ", config().positions - 1, ", the model's last; hint: shorten the prompt, or the virtual tokens");
    return pass;
  }

  [[nodiscard]] Value embed(Batch const& batch, Pass const& pass) {
    Value x = weights_.embed(Site::token_embedding, batch.tokens, active());
    if (!pass.plan.tokens.empty()) {
      std::vector<Value> sources{x};
      for (auto const& tokens : pass.plan.tokens) sources.push_back(tokens.embeddings);
      x = assemble_rows(sources, pass.planned.assembly);
    }
    if constexpr (A::positions == PositionKind::learned) {
      std::vector<Token> positions(pass.out.positions.begin(), pass.out.positions.end());
      x = add(x, weights_.embed(Site::position_embedding, positions, active()));
    }
    return x;
  }

  /// x + attention(norm(x)), then x + feed_forward(norm(x)), with the hooks around each.
  [[nodiscard]] Value block(LayerAddress at, Value x, Pass& pass, bool last) {
    QueryRange queries = last ? target_queries(pass.out) : all_queries(pass.out);
    Value normed = weights_.norm({Site::attention_norm, at}, x, active());
    auto const [q, sources, rows_of_queries] = queries_keys_values(at, normed, pass, queries);
    if (last) {
      if constexpr (HasAfterSublayer<State, Scalar, Device>) normed = gather_rows(normed, queries.packed(pass.out));  // the hook sees what the queries saw
      x = gather_rows(x, queries.packed(pass.out));
      pass.out = rows_of_queries;
    }
    Value attended = attend(at, q, sources, queries, pass);
    attended = project({Site::attention_output, at}, attended, pass.out);
    x = add(x, after_sublayer(at, Sublayer::attention, x, normed, attended, pass.out));
    Value const inner = weights_.norm({Site::feed_forward_norm, at}, x, active());
    x = add(x, after_sublayer(at, Sublayer::feed_forward, x, inner, feed_forward(at, inner, pass.out), pass.out));
    if constexpr (HasAfterLayer<State, Scalar, Device>)
      if (active()) x = state_->after_layer(at, x, pass.out);
    return x;
  }

  using Source = AttentionSource<Scalar, Device>;
  struct Projections {
    Columns<Scalar, Device> query;
    Source own;
    Rows rows_of_queries;
  };

  /// q, k and v of a layer, after rotary positions; in the last layer q only for the queries.
  [[nodiscard]] Projections queries_keys_values(LayerAddress at, Value const& normed, Pass const& pass, QueryRange const& queries) {
    Rows const& rows = pass.out;
    Rows const query_rows = queries.all ? rows : restrict_rows(rows, queries);
    if constexpr (A::fused_attention) {
      Value const fused = project({Site::query_key_value, at}, normed, rows);
      Index const width = config().query_width(), kv = config().kv_width();
      Value const q = queries.all ? fused : gather_rows(fused, queries.packed(rows));
      return {{q, 0}, {{fused, width}, {fused, width + kv}}, query_rows};
    } else {
      Value const query_input = queries.all ? normed : gather_rows(normed, queries.packed(rows));
      Value q = project({Site::query, at}, query_input, query_rows);
      Value k = project({Site::key, at}, normed, rows);
      Value const v = project({Site::value, at}, normed, rows);
      if constexpr (A::positions == PositionKind::rotary) {
        q = rotary(q, query_rows.positions, rotary_);
        k = rotary(k, rows.positions, rotary_);
      }
      return {{q, 0}, {{k, 0}, {v, 0}}, query_rows};
    }
  }

  [[nodiscard]] Value attend(LayerAddress at, Columns<Scalar, Device> const& q, Source const& own, QueryRange const& queries, Pass const& pass) {
    BankList<Scalar, Device> banks;
    if constexpr (HasVirtualKeysValues<State, Scalar, Device>)
      if (active()) state_->virtual_keys_values(at, AttentionKind::self, banks);
    std::vector<Source> sources{own};
    if (pass.cache) {
      auto& layer = pass.cache->cache->layers[static_cast<std::size_t>(at.layer)];
      sources.push_back({{Value(layer.keys), 0}, {Value(layer.values), 0}});
    }
    for (auto const& bank : banks) sources.push_back({bank.keys, bank.values});
    auto const plan = plan_attention(pass.planned, queries, banks, pass.cached());
    AttentionShape const shape{config().heads, config().kv_heads, config().head_dim, 1.0 / std::sqrt(static_cast<double>(config().head_dim))};
    Value attended = attention(q, sources, plan, shape);
    if (pass.cache) remember(at, own, pass);
    return attended;
  }

  /// Writes the batch's keys and values into the cache.
  void remember(LayerAddress at, Source const& own, Pass const& pass) {
    auto& layer = pass.cache->cache->layers[static_cast<std::size_t>(at.layer)];
    Rows const& rows = pass.planned.rows;
    Index const width = config().kv_width();
    auto const copy = [&](Columns<Scalar, Device> const& from, Values& to) {
      for (Index r = 0; r < rows.count(); ++r)
        for (Index i = 0; i < rows.length(r); ++i)
          std::copy_n(from.x.value().row(rows.begin(r) + i) + from.first, width, to.row(pass.cache->rows[static_cast<std::size_t>(r)].append + i));
    };
    copy(own.keys, layer.keys);
    copy(own.values, layer.values);
  }

  [[nodiscard]] Value feed_forward(LayerAddress at, Value const& x, Rows const& rows) {
    Value const up = project({Site::feed_forward_up, at}, x, rows);
    if constexpr (A::feed_forward == FeedForwardKind::gated) {
      Value const gate = project({Site::feed_forward_gate, at}, x, rows);
      return project({Site::feed_forward_down, at}, gated(gate, up, config().activation), rows);
    } else {
      return project({Site::feed_forward_down, at}, activate(up, config().activation), rows);
    }
  }

  /// A linear map of the base, and what the strategy makes of it.
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Rows const& rows) {
    auto const linear = [&](Value const& input) { return weights_.linear(site, input, active()); };
    if constexpr (HasProject<State, Scalar, Device>)
      if (active()) return state_->project(site, x, linear, rows);
    return linear(x);
  }

  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const& residual, Value const& input, Value output, Rows const& rows) {
    if constexpr (HasAfterSublayer<State, Scalar, Device>)
      if (active()) return state_->after_sublayer(at, which, residual, input, output, rows);
    return output;
  }

  Base<A, Scalar, Device> base_;
  Adaptation settings_;
  std::shared_ptr<State> state_;
  WeightAccess<A, State, Scalar, Device> weights_;
  std::conditional_t<A::positions == PositionKind::rotary, RotaryTable<Scalar>, std::monostate> rotary_;
  bool enabled_ = true, prepared_ = false;
};

}  // namespace graft
