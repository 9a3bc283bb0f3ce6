/// @file
/// @brief What a search needs of a model: the logits that follow every live text.
#pragma once

#include <concepts>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// A decoding in progress, constructed for prompts of any lengths. It knows nothing of how
/// tokens are chosen, and a search knows nothing of caches.
/// - `prompts()`: the tokens that every text begins with, as logits processors are to see them.
/// - `start()`: logits `[prompts, vocabulary]` after each prompt; called once, first.
/// - `advance(parents, tokens)`: logits `[tokens.size(), vocabulary]`, where text i continues row `parents[i]` of the
///   previous call with `tokens[i]`. Rows may be dropped, repeated and reordered: finished texts leave
///   the batch, and beams branch.
/// The caller may overwrite the logits it was given.
template <class Session>
concept DecodingSession = requires(Session& session, Session const& fixed, std::vector<Index> const& parents,
                                   std::vector<Token> const& tokens) {
  typename Session::scalar_type;
  { fixed.prompts() } -> std::convertible_to<std::vector<std::vector<Token>> const&>;
  { session.start() } -> std::same_as<Tensor<typename Session::scalar_type>>;
  { session.advance(parents, tokens) } -> std::same_as<Tensor<typename Session::scalar_type>>;
};

/// A view of a session whose type is forgotten: searches are compiled once for all models, not once for each.
template <class Scalar>
class AnySession {
 public:
  using scalar_type = Scalar;

  template <DecodingSession Session>
  explicit AnySession(Session& session)
      : session_(&session),
        prompts_(&std::as_const(session).prompts()),
        start_([](void* s) { return static_cast<Session*>(s)->start(); }),
        advance_([](void* s, std::vector<Index> const& parents, std::vector<Token> const& tokens) {
          return static_cast<Session*>(s)->advance(parents, tokens);
        }) {}

  [[nodiscard]] std::vector<std::vector<Token>> const& prompts() const { return *prompts_; }
  [[nodiscard]] Tensor<Scalar> start() { return start_(session_); }
  [[nodiscard]] Tensor<Scalar> advance(std::vector<Index> const& parents, std::vector<Token> const& tokens) {
    return advance_(session_, parents, tokens);
  }

 private:
  void* session_;
  std::vector<std::vector<Token>> const* prompts_;
  Tensor<Scalar> (*start_)(void*);
  Tensor<Scalar> (*advance_)(void*, std::vector<Index> const&, std::vector<Token> const&);
};

namespace detail {
/// The logits of `rows` texts as a session returned them, checked.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> checked_logits(Tensor<Scalar> logits, Index rows) {
  if (logits.shape().rank() != 2 || logits.rows() != rows || logits.width() < 1)
    fail<ShapeError>("[generate] got logits ", logits.shape(), " from the model; expected [", rows, ", vocabulary]");
  return logits;
}
}  // namespace detail

}  // namespace graft
