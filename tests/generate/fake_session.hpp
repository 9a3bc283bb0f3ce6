// Decoding sessions without a model: the logits are a function of the tokens so far.
#pragma once

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/generate/session.hpp>

namespace graft::testing {

using Tokens = std::vector<Token>;
using Language = std::function<std::vector<double>(Tokens const&)>;  ///< logits of the token that follows

/// Logits that depend on every token so far; `end_bias` makes token 0 more or less likely.
inline Language random_language(std::uint64_t seed, Index vocabulary, double end_bias = 0, double spread = 2) {
  return [=](Tokens const& tokens) {
    auto key = RandomKey(seed);
    for (Token token : tokens) key = key.with(static_cast<std::uint64_t>(token));
    std::vector<double> logits;
    for (Index v = 0; v < vocabulary; ++v)
      logits.push_back(spread * key.normal(static_cast<std::uint64_t>(v)) + (v == 0 ? end_bias : 0));
    return logits;
  };
}

template <class Scalar = double>
class FakeSession {
 public:
  using scalar_type = Scalar;

  FakeSession(Language language, std::vector<Tokens> prompts)
      : language_(std::move(language)), prompts_(std::move(prompts)) {}

  [[nodiscard]] std::vector<Tokens> const& prompts() const { return prompts_; }
  [[nodiscard]] Tensor<Scalar> start() {
    rows_ = prompts_;
    return logits();
  }
  [[nodiscard]] Tensor<Scalar> advance(std::vector<Index> const& parents, std::vector<Token> const& tokens) {
    if (parents.size() != tokens.size() || tokens.empty())
      fail("[fake session] got ", parents.size(), " parents and ", tokens.size(), " tokens");
    std::vector<Tokens> next;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      next.push_back(rows_.at(static_cast<std::size_t>(parents[i])));
      next.back().push_back(tokens[i]);
    }
    rows_ = std::move(next);
    batch_sizes.push_back(rows_.size());
    return logits();
  }

  std::vector<std::size_t> batch_sizes;  ///< rows of every `advance`

 private:
  [[nodiscard]] Tensor<Scalar> logits() const {
    std::vector<double> values;
    for (auto const& row : rows_) {
      auto const one = language_(row);
      values.insert(values.end(), one.begin(), one.end());
    }
    auto const rows = static_cast<Index>(rows_.size());
    return tensor_of<Scalar>(Shape{rows, static_cast<Index>(values.size()) / rows}, values);
  }

  Language language_;
  std::vector<Tokens> prompts_, rows_;
};

static_assert(DecodingSession<FakeSession<float>> && DecodingSession<FakeSession<double>>);

/// Log-probabilities of the token that follows, computed plainly.
inline std::vector<double> log_probabilities(Language const& language, Tokens const& tokens) {
  auto values = language(tokens);
  double sum = 0;
  for (double z : values) sum += std::exp(z);
  for (double& z : values) z -= std::log(sum);
  return values;
}

template <class Settings>
[[nodiscard]] auto generate_alone(Language const& language, Tokens const& prompt, Settings const& settings) {
  FakeSession<double> session(language, {prompt});
  return decode(session, settings).at(0);
}

}  // namespace graft::testing
