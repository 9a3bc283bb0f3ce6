/// @file
/// @brief What a search needs of a model: the logits that follow every live text.
#pragma once

#include <concepts>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/generate/drawn_tokens.hpp>
#include <graft/generate/top_tokens.hpp>
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
///
/// A session may also find the most probable tokens itself, as one of a model on a GPU does: `finds_top(count)` says
/// whether it does, and `start_top(count)` and `advance_top(parents, tokens, count)` give them in place of logits. Or
/// it may draw tokens itself: `draws()`, `start_drawn(draws)` and `advance_drawn(parents, tokens, draws)`.
template <class Session>
concept DecodingSession = requires(Session& session, Session const& fixed, std::vector<Index> const& parents,
                                   std::vector<Token> const& tokens) {
  typename Session::scalar_type;
  { fixed.prompts() } -> std::convertible_to<std::vector<std::vector<Token>> const&>;
  { session.start() } -> std::same_as<Tensor<typename Session::scalar_type>>;
  { session.advance(parents, tokens) } -> std::same_as<Tensor<typename Session::scalar_type>>;
};

/// A session that may find the most probable tokens itself.
template <class Session>
concept TopTokenSession =
    DecodingSession<Session> && requires(Session& session, Session const& fixed, std::vector<Index> const& parents,
                                         std::vector<Token> const& tokens, Index count) {
      { fixed.finds_top(count) } -> std::same_as<bool>;
      { session.start_top(count) } -> std::same_as<TopTokens<typename Session::scalar_type>>;
      { session.advance_top(parents, tokens, count) } -> std::same_as<TopTokens<typename Session::scalar_type>>;
    };

/// A session that may draw tokens itself.
template <class Session>
concept DrawingSession =
    DecodingSession<Session> && requires(Session& session, Session const& fixed, std::vector<Index> const& parents,
                                         std::vector<Token> const& tokens, Draws const& draws) {
      { fixed.draws() } -> std::same_as<bool>;
      { session.start_drawn(draws) } -> std::same_as<DrawnTokens>;
      { session.advance_drawn(parents, tokens, draws) } -> std::same_as<DrawnTokens>;
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
        }) {
    if constexpr (TopTokenSession<Session>) {
      finds_top_ = [](void const* s, Index count) { return static_cast<Session const*>(s)->finds_top(count); };
      start_top_ = [](void* s, Index count) { return static_cast<Session*>(s)->start_top(count); };
      advance_top_ = [](void* s, std::vector<Index> const& parents, std::vector<Token> const& tokens, Index count) {
        return static_cast<Session*>(s)->advance_top(parents, tokens, count);
      };
    }
    if constexpr (DrawingSession<Session>) {
      draws_ = [](void const* s) { return static_cast<Session const*>(s)->draws(); };
      start_drawn_ = [](void* s, Draws const& draws) { return static_cast<Session*>(s)->start_drawn(draws); };
      advance_drawn_ = [](void* s, std::vector<Index> const& parents, std::vector<Token> const& tokens,
                          Draws const& draws) {
        return static_cast<Session*>(s)->advance_drawn(parents, tokens, draws);
      };
    }
  }

  [[nodiscard]] std::vector<std::vector<Token>> const& prompts() const { return *prompts_; }
  [[nodiscard]] Tensor<Scalar> start() { return start_(session_); }
  [[nodiscard]] Tensor<Scalar> advance(std::vector<Index> const& parents, std::vector<Token> const& tokens) {
    return advance_(session_, parents, tokens);
  }
  [[nodiscard]] bool finds_top(Index count) const { return finds_top_ && finds_top_(session_, count); }
  [[nodiscard]] TopTokens<Scalar> start_top(Index count) { return start_top_(session_, count); }
  [[nodiscard]] TopTokens<Scalar> advance_top(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                              Index count) {
    return advance_top_(session_, parents, tokens, count);
  }
  [[nodiscard]] bool draws() const { return draws_ && draws_(session_); }
  [[nodiscard]] DrawnTokens start_drawn(Draws const& draws) { return start_drawn_(session_, draws); }
  [[nodiscard]] DrawnTokens advance_drawn(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                          Draws const& draws) {
    return advance_drawn_(session_, parents, tokens, draws);
  }

 private:
  void* session_;
  std::vector<std::vector<Token>> const* prompts_;
  Tensor<Scalar> (*start_)(void*);
  Tensor<Scalar> (*advance_)(void*, std::vector<Index> const&, std::vector<Token> const&);
  bool (*finds_top_)(void const*, Index) = nullptr;
  TopTokens<Scalar> (*start_top_)(void*, Index) = nullptr;
  TopTokens<Scalar> (*advance_top_)(void*, std::vector<Index> const&, std::vector<Token> const&, Index) = nullptr;
  bool (*draws_)(void const*) = nullptr;
  DrawnTokens (*start_drawn_)(void*, Draws const&) = nullptr;
  DrawnTokens (*advance_drawn_)(void*, std::vector<Index> const&, std::vector<Token> const&, Draws const&) = nullptr;
};

namespace detail {
/// The logits of `rows` texts as a session returned them, checked.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> checked_logits(Tensor<Scalar> logits, Index rows) {
  if (logits.shape().rank() != 2 || logits.rows() != rows || logits.width() < 1)
    fail<ShapeError>("[generate] got logits ", logits.shape(), " from the model; expected [", rows, ", vocabulary]");
  return logits;
}
/// The same of what a session finds itself.
template <class Scalar>
[[nodiscard]] TopTokens<Scalar> checked_top(TopTokens<Scalar> top, Index rows) {
  if (top.rows() != rows) fail<ShapeError>("[generate] got tokens for ", top.rows(), " texts; expected ", rows);
  return top;
}
[[nodiscard]] inline DrawnTokens checked_drawn(DrawnTokens drawn, Index texts) {
  if (drawn.texts() != texts)
    fail<ShapeError>("[generate] got drawn tokens for ", drawn.texts(), " texts; expected ", texts);
  return drawn;
}
}  // namespace detail

}  // namespace graft
