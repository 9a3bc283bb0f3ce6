#include <graft/ops/activation.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/lstm.hpp>
#include <graft/ops/residual.hpp>

#include "ops/op_testing.hpp"
#include "support/worst.hpp"

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
          parameters.push_back({name + std::to_string(layer) + (d ? "_reverse" : ""), normal<Scalar>(shape, RandomKey(seed++), 0.4)});
          return parameters.back().variable();
        };
        auto const w = add("weight_ih_l", {4 * hidden, layer == 0 ? in : directions * hidden}), u = add("weight_hh_l", {4 * hidden, hidden});
        auto const b = add("bias_ih_l", {4 * hidden}), c = add("bias_hh_l", {4 * hidden});
        both.push_back({w, u, b, c});
      }
      layers.push_back(both);
    }
  }
};

/// σ(x) by operations that exist.
Variable<double> sigmoid(Variable<double> const& x) {
  return scale(add(tanh(scale(x, 0.5)), Variable<double>(full(x.shape(), 1.0))), 0.5);
}
/// Row `gate` of W's four blocks.
Variable<double> block(Variable<double> const& w, Index gate, Index hidden) { return slice_rows(w, gate * hidden, (gate + 1) * hidden); }
/// A place that copies a column range: x·Sᵀ for a constant S of zeros and ones.
Variable<double> place(Variable<double> const& x, Index width, Index first) {
  Tensor<double> select = zeros<double>(Shape{width, x.width()});
  for (Index j = 0; j < x.width(); ++j) select.row(first + j)[j] = 1;
  return linear(x, FrozenMatrix<double>(select));
}

/// One layer, step by step, gate by gate.
Variable<double> composite_layer(Variable<double> const& x, std::vector<LstmWeights<double>> const& directions) {
  Index const steps = x.rows(), hidden = directions[0].recurrent.width();
  Variable<double> all;
  for (std::size_t d = 0; d < directions.size(); ++d) {
    auto const& w = directions[d];
    Variable<double> h(zeros<double>(Shape{1, hidden})), c = h;
    std::vector<Variable<double>> outputs(static_cast<std::size_t>(steps));
    for (Index k = 0; k < steps; ++k) {
      Index const t = d == 1 ? steps - 1 - k : k;
      auto const part = [&](Index gate) {
        return add(linear(slice_rows(x, t, t + 1), block(w.input, gate, hidden), block(w.input_bias, gate, hidden)),
                   linear(h, block(w.recurrent, gate, hidden), block(w.recurrent_bias, gate, hidden)));
      };
      auto const i = sigmoid(part(0)), f = sigmoid(part(1)), g = tanh(part(2)), o = sigmoid(part(3));
      c = add(multiply(f, c), multiply(i, g));
      h = multiply(o, tanh(c));
      outputs[static_cast<std::size_t>(t)] = h;
    }
    std::vector<std::pair<int, Index>> map;
    for (Index t = 0; t < steps; ++t) map.emplace_back(static_cast<int>(t), 0);
    auto const y = place(assemble_rows(outputs, map), static_cast<Index>(directions.size()) * hidden, static_cast<Index>(d) * hidden);
    all = d == 0 ? y : add(all, y);
  }
  return all;
}
Variable<double> composite(Variable<double> x, std::vector<std::vector<LstmWeights<double>>> const& layers) {
  for (auto const& layer : layers) x = composite_layer(x, layer);
  return x;
}

struct Size {
  int depth, directions;
  Index steps, in, hidden;
};
std::vector<Size> const sizes{{1, 1, 1, 3, 2}, {1, 1, 5, 3, 4}, {1, 2, 1, 2, 3}, {1, 2, 4, 5, 3}, {2, 2, 6, 3, 2}, {3, 1, 3, 2, 5}, {3, 2, 7, 4, 1}};

TEST(Lstm, EqualsItsCompositeReference) {
  for (auto const& s : sizes) {
    SCOPED_TRACE(cat(s.depth, " layers, ", s.directions, " directions, ", s.steps, " steps"));
    Network<double> network(s.depth, s.directions, s.in, s.hidden);
    Parameter<double> x("x", random({s.steps, s.in}, 1));
    auto const run = [&](auto const& op) {
      auto const y = op(x.variable(), network.layers);
      testing::backward_from(y);
      std::vector<Tensor<double>> all{y.value(), clone(x.gradient())};
      x.clear_gradient();
      for (auto& p : network.parameters) {
        all.push_back(p.has_gradient() ? clone(p.gradient()) : Tensor<double>());
        p.clear_gradient();
      }
      return all;
    };
    auto const got = run([](auto const& a, auto const& w) { return lstm(a, w); }), wanted = run(composite);
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      ASSERT_EQ(got[k].shape(), wanted[k].shape()) << k;
      double largest = 0, worst = 0;
      for (Index e = 0; e < wanted[k].size(); ++e) {
        worst = testing::worse(worst, std::abs(got[k].data()[e] - wanted[k].data()[e]));
        largest = std::max(largest, std::abs(wanted[k].data()[e]));
      }
      EXPECT_LE(worst, 1e-13 * std::max(largest, 1e-3)) << "result " << k;
    }
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
  auto const by_hand = lstm_layer(scale(lstm_layer(scale(lstm_layer(x, network.layers[0]), 2.0), network.layers[1]), 2.0), network.layers[2]);
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
  EXPECT_NE(message_of<ShapeError>([&] { (void)lstm(four, network.layers); }).find("expected [4·hidden, 4]"), std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)lstm(flat, network.layers); }).find("input of shape [3]"), std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)lstm_layer(three, {}); }).find("0 directions"), std::string::npos);
}

}  // namespace
}  // namespace graft
