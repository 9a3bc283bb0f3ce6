#include <graft/ops/composite/lstm.hpp>
#include <graft/ops/lstm.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::message_of;
using testing::random;

/// An LSTM's parameters, in torch's order of names, and as the operation wants them.
template <class Scalar>
struct Network {
  std::vector<Parameter<Scalar>> parameters;
  std::vector<std::vector<LstmWeights<Scalar>>> layers;

  Network(int depth, int directions, Index in, Index hidden) {
    std::uint64_t seed = 100;
    for (int layer = 0; layer < depth; ++layer) {
      std::vector<LstmWeights<Scalar>> both;
      for (int d = 0; d < directions; ++d) {
        auto const add = [&](std::string const& name, Shape const& shape) {
          parameters.push_back(
              {name + std::to_string(layer) + (d ? "_reverse" : ""), normal<Scalar>(shape, RandomKey(seed++), 0.4)});
          return parameters.back().variable();
        };
        auto const w = add("weight_ih_l", {4 * hidden, layer == 0 ? in : directions * hidden}),
                   u = add("weight_hh_l", {4 * hidden, hidden});
        auto const b = add("bias_ih_l", {4 * hidden}), c = add("bias_hh_l", {4 * hidden});
        both.push_back({w, u, b, c});
      }
      layers.push_back(both);
    }
  }
};

struct Size {
  int depth, directions;
  Index steps, in, hidden;
};
std::vector<Size> const sizes{{1, 1, 1, 3, 2}, {1, 1, 5, 3, 4}, {1, 2, 1, 2, 3}, {1, 2, 4, 5, 3},
                              {2, 2, 6, 3, 2}, {3, 1, 3, 2, 5}, {3, 2, 7, 4, 1}};

TEST(Lstm, EqualsItsComposition) {
  for (auto const& s : sizes) {
    SCOPED_TRACE(cat(s.depth, " layers, ", s.directions, " directions, ", s.steps, " steps"));
    Network<double> network(s.depth, s.directions, s.in, s.hidden);
    Parameter<double> x("x", random({s.steps, s.in}, 1));
    std::vector<Parameter<double>*> leaves{&x};
    for (auto& p : network.parameters) leaves.push_back(&p);
    testing::expect_same(
        leaves, [&] { return lstm(x.variable(), network.layers); },
        [&] { return composite::lstm(x.variable(), network.layers); }, 1e-13);
  }
}

TEST(Lstm, Gradients) {
  for (auto const& s : sizes) {
    Network<double> network(s.depth, s.directions, s.in, s.hidden);
    Parameter<double> x("x", random({s.steps, s.in}, 1));
    auto inputs = network.parameters;
    if (s.steps == 1)  // no step sees an earlier one: nothing depends on the recurrent matrices
      std::erase_if(inputs, [](auto const& p) { return p.name().starts_with("weight_hh"); });
    inputs.push_back(x);
    auto const report = gradcheck([&] { return lstm(x.variable(), network.layers); }, inputs);
    EXPECT_TRUE(report.passed) << report.message;
    for (auto& p : network.parameters) p.clear_gradient();
    auto const alone = gradcheck([&] { return lstm(Variable<double>(x.value()), network.layers); }, {inputs.front()});
    EXPECT_TRUE(alone.passed) << alone.message;
    for (auto& p : network.parameters) p.clear_gradient();
  }
}

TEST(Lstm, OneStepLeavesTheRecurrentWeightsAlone) {
  Network<double> network(1, 2, 3, 2);
  Variable<double> const x(random({1, 3}, 1));
  testing::backward_from(lstm(x, network.layers));
  for (auto const& p : network.parameters) {
    if (!p.name().starts_with("weight_hh")) continue;
    for (Index i = 0; i < p.gradient().size(); ++i) EXPECT_EQ(p.gradient().data()[i], 0.0);
  }
}

/// An LSTM whose reverse pass looks at the last output alone.
TEST(Lstm, GradcheckCatchesForgottenSteps) {
  Network<double> network(1, 1, 2, 2);
  Tensor<double> const x = random({3, 2}, 1);
  auto const wrong = [&] {
    Tensor<double> y(Shape{3, 2});
    detail::LstmDirection<double, Cpu> const pass(x, network.layers[0][0], false, y, 0);
    return record(y, [=](Tensor<double> const& dy) {
      Tensor<double> last = zeros<double>(dy.shape());
      std::copy_n(dy.row(2), 2, last.row(2));
      (void)pass.backward(last);
    });
  };
  auto const report = gradcheck(wrong, network.parameters);
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("_l0 at element"), std::string::npos) << report.message;
}

TEST(Lstm, Between) {
  Network<double> network(3, 2, 3, 2);
  Variable<double> const x(random({4, 3}, 1));
  std::vector<std::size_t> seen;
  auto const y = lstm(x, network.layers, [&](Variable<double> const& v, std::size_t layer) {
    seen.push_back(layer);
    return scale(v, 2.0);
  });
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1}));
  auto const by_hand = lstm_layer(
      scale(lstm_layer(scale(lstm_layer(x, network.layers[0]), 2.0), network.layers[1]), 2.0), network.layers[2]);
  EXPECT_EQ(std::memcmp(y.value().data(), by_hand.value().data(), static_cast<std::size_t>(y.value().size()) * 8), 0);
}

TEST(Lstm, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    Network<Scalar> network(2, 2, 48, 40);
    Parameter<Scalar> x("x", normal<Scalar>(Shape{20, 48}, RandomKey(1)));
    auto const y = lstm(x.variable(), network.layers);
    testing::backward_from(y);
    std::vector<Tensor<Scalar>> all{y.value(), x.gradient()};
    for (auto const& p : network.parameters) all.push_back(p.gradient());
    return all;
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-4);
}

TEST(Lstm, Errors) {
  Network<double> network(1, 2, 3, 2);
  Variable<double> const four(random({2, 4}, 1)), three(random({2, 3}, 1)), flat(random({3}, 1));
  EXPECT_NE(message_of<ShapeError>([&] { (void)lstm(four, network.layers); }).find("expected [4·hidden, 4]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)lstm(flat, network.layers); }).find("input of shape [3]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)lstm_layer(three, {}); }).find("0 directions"), std::string::npos);
}

}  // namespace
}  // namespace graft
