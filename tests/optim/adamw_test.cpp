// AdamW and clipping against torch 2.15. The numbers come from:
//
//   a = torch.nn.Parameter(torch.tensor([0.5, -1.25, 2.0], dtype=dt))
//   b = torch.nn.Parameter(torch.tensor([[1.0, -0.75]], dtype=dt))
//   o = torch.optim.AdamW([a, b], lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)
//   s = get_linear_schedule_with_warmup(o, 2, 6)
//   for k in range(6):
//       a.grad = torch.tensor([0.3*(k-2), 0.01*k, -1.5+k*k*0.2], dtype=dt)
//       b.grad = None if k in (2, 4) else torch.tensor([[2.0-k, 0.125*(k+1)]], dtype=dt)
//       print(torch.nn.utils.clip_grad_norm_([a, b], 1.0), a.grad.tolist()); o.step(); s.step()
//   print(a.tolist(), b.tolist(), o.state[a]['exp_avg'].tolist())
//   print(o.state[b]['exp_avg_sq'].tolist(), o.state[b]['step'])
#include <gtest/gtest.h>

#include <cmath>
#include <graft/core/thread_pool.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>
#include <graft/optim/schedule.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

using graft::Index;
using graft::Parameter;
using graft::Shape;
using graft::Tensor;

constexpr graft::AdamWSettings settings{0.8, 0.95, 1e-3, 0.1};
std::vector<double> const norms{2.574028943116219, 1.686001186239203,  0.7002856560004638,
                                1.196202324023825, 1.8032193432857804, 4.756574397610112};
std::vector<std::vector<double>> const clipped{{-0.23309752149721188, 0.0, -0.5827438037430297},
                                               {-0.1779357123309431, 0.005931190411031437, -0.7710547534340869},
                                               {0.0, 0.02, -0.7},
                                               {0.25079348466517454, 0.025079348466517454, 0.2507934846651746},
                                               {0.3327380384954486, 0.022182535899696574, 0.9427577757371045},
                                               {0.18921175946295204, 0.010511764414608448, 0.7358235090225913}};

template <class Scalar>
void set_gradient(Parameter<Scalar>& parameter, std::vector<double> const& values) {
  parameter.clear_gradient();
  if (!values.empty())
    parameter.variable().slot()->accumulate(graft::tensor_of<Scalar>(parameter.value().shape(), values));
}

template <class Scalar>
void expect_values(Tensor<Scalar> const& got, std::vector<double> const& expected, double tolerance) {
  ASSERT_EQ(got.size(), static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(static_cast<double>(got.data()[i]), expected[i], tolerance * (1.0 + std::abs(expected[i])))
        << "element " << i;
}

template <class Scalar>
struct TwoParameters {
  Parameter<Scalar> a{"a", graft::tensor_of<Scalar>(Shape{3}, std::vector<double>{0.5, -1.25, 2.0})};
  Parameter<Scalar> b{"b", graft::tensor_of<Scalar>(Shape{1, 2}, std::vector<double>{1.0, -0.75})};
  graft::ParameterList<Scalar> list() { return {&a, &b}; }
  void set_gradients(int k) {
    set_gradient(a, {0.3 * (k - 2), 0.01 * k, -1.5 + k * k * 0.2});
    set_gradient(b, k == 2 || k == 4 ? std::vector<double>{} : std::vector<double>{2.0 - k, 0.125 * (k + 1)});
  }
};

double learning_rate(int k) { return 0.01 * graft::schedule_factor(graft::Schedule::linear, k, 2, 6); }

template <class Scalar>
void follows_torch(bool fused_clipping, double tolerance) {
  TwoParameters<Scalar> model;
  graft::AdamW<Scalar> optimizer(model.list(), settings);
  for (int k = 0; k < 6; ++k) {
    model.set_gradients(k);
    double const norm =
        fused_clipping ? graft::gradient_norm(model.list()) : graft::clip_gradient_norm(model.list(), 1.0);
    EXPECT_NEAR(norm, norms[static_cast<std::size_t>(k)], tolerance * norm);
    if (!fused_clipping) expect_values(model.a.gradient(), clipped[static_cast<std::size_t>(k)], tolerance);
    optimizer.step(learning_rate(k), fused_clipping ? graft::clip_coefficient(norm, 1.0) : 1.0);
    optimizer.clear_gradients();
    EXPECT_FALSE(model.a.has_gradient());
  }
  expect_values(model.a.value(), {0.5066281001005151, -1.2700819355638029, 2.0127198913574604}, tolerance);
  expect_values(model.b.value(), {0.9936715798322131, -0.762248720857979}, tolerance);
  auto const& state = optimizer.state();
  expect_values(state.at("a").values.at("exp_avg"), {0.09332923136601236, 0.01139559834905907, 0.15707200863617368},
                tolerance);
  expect_values(state.at("b").values.at("exp_avg_sq"), {0.09484041942659106, 0.010635306415283586}, tolerance);
  EXPECT_EQ(state.at("a").steps, 6);
  EXPECT_EQ(state.at("b").steps, 4);  // steps without a gradient do not count
}

TEST(AdamW, FollowsTorchInDouble) { follows_torch<double>(false, 1e-14); }
TEST(AdamW, FollowsTorchInFloat) { follows_torch<float>(false, 1e-6); }
TEST(AdamW, ClippingWithinTheStepIsTheSame) {
  follows_torch<double>(true, 1e-14);
  follows_torch<float>(true, 1e-6);
}

TEST(AdamW, ParameterWithoutGradientStays) {
  TwoParameters<double> model;
  graft::AdamW<double> optimizer(model.list(), settings);
  set_gradient(model.a, {1, 1, 1});
  optimizer.step(0.1);
  expect_values(model.b.value(), {1.0, -0.75}, 0.0);  // no decay either
  EXPECT_EQ(optimizer.state().count("b"), 0u);
}

TEST(AdamW, ContinuesFromItsStateBitwise) {
  TwoParameters<float> whole, parts;
  graft::AdamW<float> one(whole.list(), settings), before(parts.list(), settings), after(parts.list(), settings);
  for (int k = 0; k < 6; ++k) {
    whole.set_gradients(k), parts.set_gradients(k);
    one.step(learning_rate(k));
    if (k == 3) {
      graft::OptimizerState<float> copy;
      for (auto const& [name, state] : before.state()) {
        copy[name].steps = state.steps;
        for (auto const& [key, value] : state.values) copy[name].values[key] = graft::clone(value);
      }
      after.restore(std::move(copy));
    }
    (k < 3 ? before : after).step(learning_rate(k));
  }
  for (Index i = 0; i < 3; ++i) EXPECT_EQ(whole.a.value().data()[i], parts.a.value().data()[i]);
  for (Index i = 0; i < 2; ++i) EXPECT_EQ(whole.b.value().data()[i], parts.b.value().data()[i]);
}

TEST(AdamW, RefusesForeignStatesAndSettings) {
  TwoParameters<double> model;
  graft::AdamW<double> optimizer(model.list(), settings);
  graft::OptimizerState<double> other_name, other_shape, other_rule;
  other_name["c"].values = {{"exp_avg", graft::zeros<double>({3})}, {"exp_avg_sq", graft::zeros<double>({3})}};
  other_shape["a"].values = {{"exp_avg", graft::zeros<double>({2})}, {"exp_avg_sq", graft::zeros<double>({3})}};
  other_rule["a"].values = {{"exp_avg", graft::zeros<double>({3})}, {"row", graft::zeros<double>({3})}};
  EXPECT_THROW(optimizer.restore(other_name), graft::ConfigError);
  EXPECT_THROW(optimizer.restore(other_shape), graft::ConfigError);
  EXPECT_THROW(optimizer.restore(other_rule), graft::ConfigError);
  EXPECT_THROW(graft::AdamW<double>(model.list(), {1.0, 0.9, 1e-8, 0.0}), graft::ConfigError);
  EXPECT_THROW(graft::AdamW<double>(model.list(), {0.9, 0.999, -1e-8, 0.0}), graft::ConfigError);
  EXPECT_THROW(graft::AdamW<double>({&model.a, &model.a}, settings), graft::ConfigError);
}

TEST(AdamW, SameBitsForAnyNumberOfThreads) {
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    graft::ThreadPool::global().resize(threads);
    Parameter<float> parameter("w", graft::normal<float>(Shape{301, 257}, graft::RandomKey(1)));
    parameter.variable().slot()->accumulate(graft::normal<float>(Shape{301, 257}, graft::RandomKey(2)));
    graft::AdamW<float> optimizer({&parameter});
    for (int k = 0; k < 3; ++k)
      optimizer.step(1e-2, graft::clip_coefficient(graft::gradient_norm(optimizer.parameters()), 1.0));
    results.emplace_back(parameter.value().data(), parameter.value().data() + parameter.value().size());
  }
  graft::ThreadPool::global().resize(2);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
