/// @file
/// @brief One layer of a stack: its sublayers with norms, residuals and the strategy's hooks.
#pragma once

#include <utility>

#include <graft/models/cross_attention.hpp>

namespace graft {

/// Norm before: x + f(norm(x)) for every sublayer f; norm after: norm(x + f(x)). Shapes call the tokens that go on
/// "queries": all of them, or, in the main stack's last layer, those of each row from its first target to its last.
template <Architecture A, class State, class Scalar, class Device>
class Block {
 public:
  using Parts = ModelParts<A, State, Scalar, Device>;
  using Pass = StackPass<Scalar, Device>;
  using Value = Variable<Scalar, Device>;
  static constexpr bool after_sublayers = HasAfterSublayer<State, typename Parts::Number, Device>;
  static constexpr bool after_layers = HasAfterLayer<State, typename Parts::Number, Device>;

  /// @param again whether the result has been computed before and only its gradient is wanted: its value is unspecified
  /// then
  Block(Parts const& parts, LayerAddress at, bool again = false) : parts_(parts), at_(at), again_(again) {}

  /// `[tokens, width]` → `[queries, width]`, where `last` the targets' ones; `pass.out` tells the result's rows.
  [[nodiscard]] Value operator()(Value x, Pass& pass, bool last) const {
    x = self_attention(x, pass, last);  // [queries, width]
    if constexpr (A::stacks == StackKind::encoder_decoder)
      if (at_.stack == Stack::decoder) {
        Value const input = before(Site::cross_attention_norm, x);  // [queries, width]
        x = after(Sublayer::cross_attention, Site::cross_attention_norm, x, input,
                  CrossAttention<A, State, Scalar, Device>(parts_, at_)(input, pass, last),
                  pass.out);  // [queries, width]
      }
    Value const input = before(Site::feed_forward_norm, x);  // [queries, width]
    x = after(Sublayer::feed_forward, Site::feed_forward_norm, x, input, feed_forward(input, pass.out),
              pass.out);                          // [queries, width]
    return parts_.after_layer(at_, x, pass.out);  // [queries, width]
  }

 private:
  [[nodiscard]] Value self_attention(Value x, Pass& pass, bool last) const {
    Value input = before(Site::attention_norm, x), output;  // [tokens, width], [queries, width]
    SelfAttention<A, State, Scalar, Device> const attention(parts_, at_);
    if (last) {
      output = attention(input, pass, pass.last, pass.last_rows);  // [queries, width]
      x = gather_rows(x, pass.last.places);                        // [queries, width]
      // the hook sees what the queries saw
      if constexpr (after_sublayers) input = gather_rows(input, pass.last.places);  // [queries, width]
      pass.out = pass.last_rows;
    } else {
      output = attention(input, pass, pass.all, pass.out);  // [tokens, width]
    }
    return after(Sublayer::attention, Site::attention_norm, x, input, output, pass.out);  // [queries, width]
  }

  /// Whether a sum alone follows a layer's last product: then nothing of the layer's reverse pass reads it.
  static constexpr bool sum_follows = A::placement == NormPlacement::before && !after_sublayers && !after_layers;

  [[nodiscard]] Value feed_forward(Value const& x, Rows const& rows) const {
    Activation const activation = parts_.config().activation;
    SiteAddress const first{Site::feed_forward_up, at_}, second{Site::feed_forward_down, at_};
    if constexpr (A::feed_forward != FeedForwardKind::gated)
      if (parts_.unchanged(first) && parts_.unchanged(second))
        return parts_.weights.feed_forward(first, second, x, activation, !(sum_follows && again_));  // [queries, width]
    Value const up = parts_.project(first, x, rows);  // [queries, hidden]
    if constexpr (A::feed_forward == FeedForwardKind::gated) {
      Value const gate = parts_.project({Site::feed_forward_gate, at_}, x, rows);  // [queries, hidden]
      return down(gated(gate, up, activation), rows);  // [queries, hidden] → [queries, width]
    } else {
      return down(activate(up, activation), rows);  // [queries, hidden] → [queries, width]
    }
  }
  /// The layer's last product.
  [[nodiscard]] Value down(Value const& x, Rows const& rows) const {
    SiteAddress const site{Site::feed_forward_down, at_};
    if constexpr (sum_follows)
      if (again_) return parts_.project_again(site, x, rows);  // [queries, width]
    return parts_.project(site, x, rows);                      // [queries, width]
  }

  [[nodiscard]] Value before(Site norm, Value const& x) const {
    return A::placement == NormPlacement::before ? parts_.norm({norm, at_}, x) : x;  // [tokens or queries, width], as x
  }
  [[nodiscard]] Value after(Sublayer which, Site norm, Value const& x, Value const& input, Value const& output,
                            Rows const& rows) const {
    Value const sum = parts_.add_sublayer(at_, which, x, input, output, rows);          // [queries, width]
    return A::placement == NormPlacement::after ? parts_.norm({norm, at_}, sum) : sum;  // [queries, width]
  }

  Parts const& parts_;
  LayerAddress at_;
  bool again_;
};

}  // namespace graft
