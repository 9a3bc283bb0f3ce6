/// @file
/// @brief Where frozen and trained weights meet: each use of a weight becomes the operation on a frozen type or, for
/// the roles that the strategy trains, on a trainable one.
#pragma once

#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/ops/cast.hpp>
#include <graft/ops/embedding.hpp>
#include <graft/ops/feed_forward.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/norm.hpp>

namespace graft {

/// The base's weights as a state sees them. The roles are known at compile time, the layers at run time. `Scalar` is
/// the activations' type; weights, trained or not, have that of the policy's parameters.
template <Architecture A, class State, class Scalar, class Device>
class WeightAccess {
 public:
  using Value = Variable<Scalar, Device>;
  using Number = ParameterOf<Scalar>;
  using Values = Tensor<Number, Device>;
  static constexpr Roles roles = trained_roles_of<State>();

  explicit WeightAccess(Pretrained<A, Number, Device> const& base) : base_(&base) {}

  /// x·Wᵀ + b at a site, `[tokens, in]` → `[tokens, out]`; `role` is its weight's. Without `computed` only its reverse
  /// pass is recorded.
  template <Role role = Role::weight>
  [[nodiscard]] Value linear(SiteAddress const& site, Value const& x, State const* state, bool computed = true) const {
    return with_matrix<role>(
        site, state, [&](auto const& w, auto const& b) { return graft::linear(x, w, b, computed); });  // [tokens, out]
  }
  /// Whether a site's matrix and bias are the base's own.
  [[nodiscard]] bool frozen([[maybe_unused]] SiteAddress const& site, [[maybe_unused]] State const* state) const {
    if constexpr (contains(roles, Role::weight))
      if (state && state->trained(site, Part::weight)) return false;
    if constexpr (contains(roles, Role::bias))
      if (state && state->trained(site, Part::bias)) return false;
    return true;
  }
  /// f(x·W₁ᵀ + b₁)·W₂ᵀ + b₂ of two frozen sites, `[tokens, in]` → `[tokens, out]`. Without `computed` only its reverse
  /// pass is recorded.
  [[nodiscard]] Value feed_forward(SiteAddress const& up, SiteAddress const& down, Value const& x, Activation f,
                                   bool computed) const {
    auto const &first = base_->at(up), &second = base_->at(down);
    return graft::feed_forward(x, first.matrix, first.bias, f, second.matrix, second.bias, computed);  // [tokens, out]
  }
  /// Logits `[targets, vocabulary]`, or `[targets, labels]` of a classifier, from h `[targets, width]`.
  [[nodiscard]] Variable<Number, Device> head(Value const& h, State const* state) const {
    return with_head(
        state, [&](auto const& w, auto const& b) { return graft::linear(cast<Number>(h), w, b); });  // [targets, out]
  }
  /// Scores `[targets]` of the labels, from h `[targets, width]`.
  [[nodiscard]] TargetScores<Number, Device> head_scores(Value const& h, std::vector<Token> const& labels,
                                                         State const* state) const {
    return with_head(state,
                     [&](auto const& w, auto const& b) { return linear_cross_entropy(h, w, labels, b); });  // [targets]
  }
  /// What the head tells apart: the vocabulary's tokens, or a classifier's labels.
  [[nodiscard]] Index classes(State const* state) const {
    return with_head(state, [](auto const& w, auto const&) { return w.out(); });
  }
  [[nodiscard]] Value norm(SiteAddress const& site, Value const& x, State const* state) const {
    auto const& frozen = base_->at(site);
    auto const apply = [&](auto const& gain, auto const& bias) {
      if constexpr (A::norm == NormKind::rms_norm)
        return rms_norm(x, gain, base_->config().norm_epsilon);  // [tokens, width]
      else
        return layer_norm(x, gain, bias, base_->config().norm_epsilon);  // [tokens, width]
    };
    return with_part<Role::norm>(site, Part::weight, frozen.gain, state, [&](auto const& gain) {
      return with_part<Role::bias>(site, Part::bias, frozen.bias, state,
                                   [&](auto const& bias) { return apply(gain, bias); });
    });
  }
  /// Rows of an embedding: `[ids, width]`.
  [[nodiscard]] Value embed(SiteAddress const& site, std::vector<Token> const& ids, State const* state) const {
    if constexpr (contains(roles, Role::embedding))
      if (auto const* table = state ? state->trained(site, Part::weight) : nullptr)
        return cast<Scalar>(embedding(*table, ids));
    auto const& table = base_->at(site).matrix;
    Values rows(Shape{static_cast<Index>(ids.size()), table.in()});  // [ids, width]
    table.rows(ids, rows.data());
    return rounded<Scalar, Device>(std::move(rows));  // [ids, width]
  }
  /// A whole embedding: `[rows, columns]`.
  [[nodiscard]] Variable<Number, Device> embedding_matrix(SiteAddress const& site, State const* state) const {
    if constexpr (contains(roles, Role::embedding))
      if (auto const* trained = state ? state->trained(site, Part::weight) : nullptr)
        return *trained;                    // [rows, columns]
    return base_->at(site).matrix.dense();  // [rows, columns]
  }

 private:
  /// Calls f with the trained variable if the state trains this part, else with the frozen tensor.
  template <Role role, class F>
  [[nodiscard]] auto with_part(SiteAddress const& site, Part part, Values const& frozen, State const* state,
                               F const& f) const {
    if constexpr (contains(roles, role))
      if (auto const* trained = state ? state->trained(site, part) : nullptr) return f(*trained);
    return f(frozen);
  }
  template <Role role, class F>
  [[nodiscard]] auto with_matrix(SiteAddress const& site, State const* state, F const& f) const {
    auto const& frozen = base_->at(site);
    return with_part<Role::bias>(site, Part::bias, frozen.bias, state, [&](auto const& bias) {
      if constexpr (contains(roles, role))
        if (auto const* trained = state ? state->trained(site, Part::weight) : nullptr)
          return f(TrainableMatrix<Number, Device>{*trained, frozen.matrix.layout()}, bias);  // W [out, in], b [out]
      return f(frozen.matrix, bias);                                                          // W [out, in], b [out]
    });
  }
  /// The matrix and bias that make logits. A tied head is the token embedding, trained or not; a classifier may be the
  /// strategy's alone.
  template <class F>
  [[nodiscard]] auto with_head(State const* state, F const& f) const {
    if constexpr (A::head == HeadKind::classifier) {
      bool const trained = [&] {
        if constexpr (contains(roles, Role::head))
          return state && state->trained({Site::classifier}, Part::weight) != nullptr;
        return false;
      }();
      if (!trained && base_->at({Site::classifier}).matrix.empty())
        fail<ConfigError>("[transformer] got a ", base_->config().architecture,
                          " model without a classification head; expected one; hint: train one, as in compose(…, "
                          "ClassificationHead{.labels = 2})");
      return with_matrix<Role::head>({Site::classifier}, state, f);
    } else if constexpr (has_site<A>(Site::head_bias)) {
      auto const with_bias = [&](auto const& w, auto const&) { return f(w, base_->at({Site::head_bias}).bias); };
      if (base_->config().tied_head) return with_matrix<Role::embedding>({Site::token_embedding}, state, with_bias);
      return with_matrix<Role::head>({Site::head}, state, with_bias);
    } else {
      if (base_->config().tied_head) return with_matrix<Role::embedding>({Site::token_embedding}, state, f);
      return with_matrix<Role::head>({Site::head}, state, f);
    }
  }

  Pretrained<A, Number, Device> const* base_;
};

}  // namespace graft
