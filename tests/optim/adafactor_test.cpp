// Adafactor against transformers 5.24 (torch 2.15). The numbers come from:
//
//   a = torch.nn.Parameter(torch.tensor([0.5, -1.25, 2.0], dtype=dt))
//   b = torch.nn.Parameter(torch.tensor([[1.0, -0.75], [0.25, 0.5], [-2.0, 0.125]], dtype=dt))
//   o = transformers.optimization.Adafactor([a, b], lr=lr, weight_decay=wd, …)
//   for k in range(6):
//       a.grad = torch.tensor([0.3*(k-2), 0.01*k+0.02, -1.5+k*k*0.2], dtype=dt)
//       g = torch.tensor([[2.0-k, 0.125*(k+1)], [0.5, -0.25*k], [0.01*k-0.02, 3.0]], dtype=dt)
//       b.grad = None if k in (2, 4) else g
//       if lr is not None: o.param_groups[0]["lr"] = lr * (1 - k / 10)
//       o.step()
//   print(a.tolist(), b.tolist(), o.state[a], o.state[b])
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/optim/adafactor.hpp>
#include <graft/optim/schedule.hpp>

namespace {

using graft::AdafactorSettings;
using graft::Index;
using graft::Parameter;
using graft::Shape;
using graft::Tensor;
using Numbers = std::vector<double>;

template <class Scalar>
void set_gradient(Parameter<Scalar>& parameter, Numbers const& values) {
  parameter.clear_gradient();
  if (!values.empty())
    parameter.variable().slot()->accumulate(graft::tensor_of<Scalar>(parameter.value().shape(), values));
}

template <class Scalar>
struct TwoParameters {
  Parameter<Scalar> a{"a", graft::tensor_of<Scalar>(Shape{3}, Numbers{0.5, -1.25, 2.0})};
  Parameter<Scalar> b{"b", graft::tensor_of<Scalar>(Shape{3, 2}, Numbers{1.0, -0.75, 0.25, 0.5, -2.0, 0.125})};
  graft::ParameterList<Scalar> list() { return {&a, &b}; }
  void set_gradients(int k, double times = 1) {
    Numbers of_a{0.3 * (k - 2), 0.01 * k + 0.02, -1.5 + k * k * 0.2},
        of_b{2.0 - k, 0.125 * (k + 1), 0.5, -0.25 * k, 0.01 * k - 0.02, 3.0};
    for (auto* gradient : {&of_a, &of_b})
      for (double& g : *gradient) g *= times;
    set_gradient(a, of_a);
    set_gradient(b, k == 2 || k == 4 ? Numbers{} : of_b);
  }
};

template <class Scalar>
void expect_values(Tensor<Scalar> const& got, Numbers const& expected, double tolerance) {
  ASSERT_EQ(got.size(), static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(static_cast<double>(got.data()[i]), expected[i], tolerance * (1.0 + std::abs(expected[i])))
        << "element " << i;
}

struct Golden {
  AdafactorSettings settings;
  double learning_rate;
  Numbers a, b;
  std::string key;  ///< of a number kept for b
  Numbers kept;
};

std::vector<Golden> goldens() {
  Numbers const row{2.2055976423255244, 0.4680114721296137, 4.500206970037445};
  return {{{.weight_decay = 1e-5},
           0.3,
           {0.45243938354995394, -2.7195431143256763, 2.281203283113579},
           {0.7803370379016867, -0.9314536289966074, -1.094607746003173, 0.9985212640730952, -1.998498314664865,
            -0.7904730484404547},
           "exp_avg_sq_row",
           row},
          {{.decay = 0.6,
            .clip_threshold = 0.5,
            .beta1 = 0.9,
            .epsilon1 = 1e-6,
            .epsilon2 = 0.8,
            .weight_decay = 0.1,
            .scale_parameter = true},
           0.05,
           {0.49729724114837887, -1.2704607521782931, 1.9668323819305102},
           {0.9710766740783308, -0.7416751391296794, 0.21722120610795723, 0.4992849062060875, -1.9695760739545682,
            0.10432698346038007},
           "exp_avg",
           {0.0005343032427771071, 0.0013298480185262032, 0.008867522644559027, -0.0035246319176885977,
            -3.10609024093795e-06, 0.006153174161903011}},
          {{.scale_parameter = true, .relative_step = true},
           0.0,
           {0.48127733118176336, -1.3412311265690047, 2.00070571430657},
           {1.0049578254757077, -0.7586519535609215, 0.1964745958568814, 0.5252514797905085, -2.0000284704419,
            0.08685881247302633},
           "exp_avg_sq_col",
           {1.463271562993182, 3.319272493335207}},
          {{.relative_step = true, .warmup_init = true},
           0.0,
           {0.49998751138892644, -1.2500219319363526, 1.999991625130722},
           {1.0000077507295968, -0.7500026396567835, 0.24998797279231125, 0.5000083227657158, -2.0000000489286736,
            0.1249907003002666},
           "exp_avg_sq_row",
           row}};
}

template <class Scalar>
void follows_transformers(double tolerance, double gradient_scale = 1) {
  for (auto const& golden : goldens()) {
    SCOPED_TRACE(golden.learning_rate);
    TwoParameters<Scalar> model;
    graft::Adafactor<Scalar> optimizer(model.list(), golden.settings);
    for (int k = 0; k < 6; ++k) {
      model.set_gradients(k, 1 / gradient_scale);
      optimizer.step(golden.learning_rate * (1 - k / 10.0), gradient_scale);
    }
    expect_values(model.a.value(), golden.a, tolerance);
    expect_values(model.b.value(), golden.b, tolerance);
    expect_values(optimizer.state().at("b").values.at(golden.key), golden.kept, tolerance);
    EXPECT_EQ(optimizer.state().at("a").steps, 6);
    EXPECT_EQ(optimizer.state().at("b").steps, 4);  // steps without a gradient do not count
  }
}

TEST(Adafactor, FollowsTransformersInDouble) { follows_transformers<double>(1e-13); }
TEST(Adafactor, FollowsTransformersInFloat) { follows_transformers<float>(2e-6); }
TEST(Adafactor, ClippingWithinTheStepIsTheSame) { follows_transformers<double>(1e-13, 0.25); }

/// One parameter by the paper's formulas, in plain loops: a matrix, or a vector of one row.
struct ByFormulas {
  Index rows, width;
  bool matrix;
  Numbers values, row = Numbers(static_cast<std::size_t>(rows)), column = Numbers(static_cast<std::size_t>(width));

  void step(Numbers const& gradient, AdafactorSettings const& settings, double rate, double t) {
    double const keep = 1 - std::pow(t, -settings.decay);
    auto const at = [this](Index i, Index j) { return static_cast<std::size_t>(i * width + j); };
    Numbers row_means(row.size()), column_means(column.size());
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < width; ++j) {
        double const square = gradient[at(i, j)] * gradient[at(i, j)] + settings.epsilon1;
        row_means[static_cast<std::size_t>(i)] += square / static_cast<double>(width);
        column_means[static_cast<std::size_t>(j)] += square / static_cast<double>(rows);
      }
    double mean = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = keep * row[i] + (1 - keep) * row_means[i];
      mean += row[i] / static_cast<double>(rows);
    }
    for (std::size_t j = 0; j < column.size(); ++j) column[j] = keep * column[j] + (1 - keep) * column_means[j];
    Numbers update(values.size());
    double of_update = 0, of_values = 0;
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < width; ++j) {
        double const factor = matrix ? row[static_cast<std::size_t>(i)] / mean : 1.0;
        double const u = update[at(i, j)] =
            gradient[at(i, j)] / std::sqrt(factor * column[static_cast<std::size_t>(j)]);
        of_update += u * u / static_cast<double>(values.size());
        of_values += values[at(i, j)] * values[at(i, j)] / static_cast<double>(values.size());
      }
    if (settings.scale_parameter) rate *= std::max(settings.epsilon2, std::sqrt(of_values));
    double const divisor = std::max(1.0, std::sqrt(of_update) / settings.clip_threshold);
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] -= rate * (settings.weight_decay * values[k] + update[k] / divisor);
  }
};

/// Sums of every length: rows shorter and longer than a vector register, and more of them than a thread takes.
TEST(Adafactor, FollowsItsFormulasForEveryShape) {
  for (AdafactorSettings const& settings : {AdafactorSettings{.clip_threshold = 0.8, .weight_decay = 0.05},
                                            AdafactorSettings{.clip_threshold = 50, .scale_parameter = true}}) {
    std::vector<std::unique_ptr<Parameter<double>>> owned;
    graft::ParameterList<double> list;
    std::vector<ByFormulas> expected;
    for (auto const& shape : {Shape{9001, 3}, Shape{3, 700}, Shape{70, 65}, Shape{1, 1}, Shape{20000}, Shape{1}}) {
      auto const value = graft::normal<double>(shape, graft::RandomKey(5).with(list.size()));
      bool const matrix = shape.rank() == 2;
      expected.push_back({matrix ? value.rows() : 1, matrix ? value.width() : value.size(), matrix,
                          Numbers(value.data(), value.data() + value.size())});
      owned.push_back(std::make_unique<Parameter<double>>(graft::cat("p", list.size()), value));
      list.push_back(owned.back().get());
    }
    graft::Adafactor<double> optimizer(list, settings);
    for (int t = 1; t <= 3; ++t) {
      for (std::size_t k = 0; k < list.size(); ++k) {
        auto const gradient = graft::normal<double>(
            list[k]->value().shape(), graft::RandomKey(6).with(k).with(static_cast<std::uint64_t>(t)), 0.1);
        set_gradient(*list[k], Numbers(gradient.data(), gradient.data() + gradient.size()));
        expected[k].step(Numbers(gradient.data(), gradient.data() + gradient.size()), settings, 0.1, t);
      }
      optimizer.step(0.1);
    }
    for (std::size_t k = 0; k < list.size(); ++k) {
      SCOPED_TRACE(list[k]->name());
      expect_values(list[k]->value(), expected[k].values, 1e-12);
      auto const& kept = optimizer.state().at(list[k]->name()).values;
      if (expected[k].matrix) expect_values(kept.at("exp_avg_sq_row"), expected[k].row, 1e-13);
      expect_values(kept.at(expected[k].matrix ? "exp_avg_sq_col" : "exp_avg_sq"), expected[k].column, 1e-13);
    }
  }
}

TEST(Adafactor, MemoryOfAMatrixIsItsRowsAndColumns) {
  TwoParameters<double> model;
  graft::Adafactor<double> optimizer(model.list());
  model.set_gradients(0);
  optimizer.step(0.1);
  auto const& kept = optimizer.state().at("b").values;
  EXPECT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept.at("exp_avg_sq_row").shape(), (Shape{3}));
  EXPECT_EQ(kept.at("exp_avg_sq_col").shape(), (Shape{2}));
  EXPECT_EQ(optimizer.state().at("a").values.at("exp_avg_sq").shape(), (Shape{3}));
}

TEST(Adafactor, AZeroGradientChangesNothing) {
  TwoParameters<float> model;
  graft::Adafactor<float> optimizer(model.list());
  set_gradient(model.a, Numbers(3, 0.0)), set_gradient(model.b, Numbers(6, 0.0));
  optimizer.step(0.3);
  expect_values(model.a.value(), {0.5, -1.25, 2.0}, 0.0);
  expect_values(model.b.value(), {1.0, -0.75, 0.25, 0.5, -2.0, 0.125}, 0.0);
}

TEST(Adafactor, ContinuesFromItsStateBitwise) {
  for (double const beta1 : {0.0, 0.9}) {
    TwoParameters<float> whole, parts;
    AdafactorSettings const settings{.beta1 = beta1, .weight_decay = 1e-2, .scale_parameter = true};
    graft::Adafactor<float> one(whole.list(), settings), before(parts.list(), settings), after(parts.list(), settings);
    for (int k = 0; k < 6; ++k) {
      whole.set_gradients(k), parts.set_gradients(k);
      one.step(0.1);
      if (k == 3) {
        graft::OptimizerState<float> copy;
        for (auto const& [name, state] : before.state()) {
          copy[name].steps = state.steps;
          for (auto const& [key, value] : state.values) copy[name].values[key] = graft::clone(value);
        }
        after.restore(std::move(copy));
      }
      (k < 3 ? before : after).step(0.1);
    }
    for (Index i = 0; i < 3; ++i) EXPECT_EQ(whole.a.value().data()[i], parts.a.value().data()[i]);
    for (Index i = 0; i < 6; ++i) EXPECT_EQ(whole.b.value().data()[i], parts.b.value().data()[i]);
  }
}

TEST(Adafactor, RefusesForeignStatesAndSettings) {
  TwoParameters<double> model;
  graft::Adafactor<double> optimizer(model.list());
  graft::OptimizerState<double> other_rule, other_shape;
  other_rule["a"].values = {{"exp_avg", graft::zeros<double>({3})}, {"exp_avg_sq", graft::zeros<double>({3})}};
  other_shape["b"].values = {{"exp_avg_sq_row", graft::zeros<double>({2})},
                             {"exp_avg_sq_col", graft::zeros<double>({3})}};
  EXPECT_THROW(optimizer.restore(other_rule), graft::ConfigError);
  EXPECT_THROW(optimizer.restore(other_shape), graft::ConfigError);
  for (auto const& bad : {AdafactorSettings{.decay = -1}, AdafactorSettings{.clip_threshold = 0},
                          AdafactorSettings{.beta1 = 1}, AdafactorSettings{.epsilon1 = NAN},
                          AdafactorSettings{.weight_decay = -1}, AdafactorSettings{.warmup_init = true}})
    EXPECT_THROW(graft::Adafactor<double>(model.list(), bad), graft::ConfigError);
}

TEST(Adafactor, SameBitsForAnyNumberOfThreads) {
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    graft::ThreadPool::global().resize(threads);
    Parameter<float> matrix("w", graft::normal<float>(Shape{301, 257}, graft::RandomKey(1))),
        vector("v", graft::normal<float>(Shape{40000}, graft::RandomKey(3)));
    matrix.variable().slot()->accumulate(graft::normal<float>(Shape{301, 257}, graft::RandomKey(2)));
    vector.variable().slot()->accumulate(graft::normal<float>(Shape{40000}, graft::RandomKey(4)));
    graft::Adafactor<float> optimizer({&matrix, &vector}, {.scale_parameter = true});
    for (int k = 0; k < 3; ++k) optimizer.step(1e-2);
    results.emplace_back(matrix.value().data(), matrix.value().data() + matrix.value().size());
    results.back().insert(results.back().end(), vector.value().data(), vector.value().data() + vector.value().size());
  }
  graft::ThreadPool::global().resize(2);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
