// Which record a backward pass begins at, what it reaches, and what becomes of the rest.
#include "ops/op_testing.hpp"

#include <stdexcept>
#include <string>
#include <thread>

#include <graft/autograd/recompute.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/columns.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/sum.hpp>

namespace graft {
namespace {

using testing::leaf;
using testing::random;

/// Σ x², whose gradient is 2x.
Variable<double> squares(Variable<double> const& x) { return sum(multiply(x, x)); }

void expect_gradient(Parameter<double> const& x, double factor) {
  ASSERT_TRUE(x.has_gradient()) << x.name();
  for (Index i = 0; i < x.value().size(); ++i)
    EXPECT_DOUBLE_EQ(x.gradient().data()[i], factor * x.value().data()[i]) << x.name();
}

template <class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "no error";
}

class TapeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(Tape::current().size(), 0U); }
  void TearDown() override { Tape::current().discard(); }
  Parameter<double> a = leaf("a", {3}, 1), b = leaf("b", {3}, 2);
};

// tests/misuse/operand_without_tracked.cpp: a type that is neither does not compile.
static_assert(is_frozen<Tensor<double>> && is_frozen<FrozenMatrix<double>>);
static_assert(HasTracked<Variable<double>> && HasTracked<TrainableMatrix<double>> && HasTracked<Columns<double>>);
static_assert(!is_frozen<Variable<double>> && !is_frozen<TrainableMatrix<double>> && !is_frozen<Columns<double>>);
static_assert(!HasTracked<Parameter<double>> && !is_frozen<Parameter<double>>, "its variable is the operand");

TEST_F(TapeTest, OperandsOfSeveralTypesAnswerForTheirVariables) {
  Variable<double> const constant(random({2, 3}, 3));
  auto const x = multiply(leaf("x", {2, 3}, 4).variable(), constant);
  EXPECT_TRUE(needs_gradient(Columns<double>{x, 1}) && needs_gradient(constant, TrainableMatrix<double>{x}));
  EXPECT_FALSE(needs_gradient(Columns<double>{constant, 1}, constant.value(), FrozenMatrix<double>(constant.value())));
  NoGrad const no_grad;
  EXPECT_FALSE(needs_gradient(Columns<double>{x, 1}));
}

TEST_F(TapeTest, LossesInTurn) {
  auto const first = squares(a.variable()), second = squares(b.variable());
  backward(first);
  EXPECT_FALSE(b.has_gradient());
  backward(second);
  expect_gradient(a, 2);
  expect_gradient(b, 2);
  EXPECT_EQ(Tape::current().size(), 0U);
}

TEST_F(TapeTest, LossesInTheOppositeOrderAndInterleaved) {
  auto const x = multiply(a.variable(), a.variable()), y = multiply(b.variable(), b.variable());
  auto const first = sum(x), second = sum(y);
  backward(second);
  EXPECT_EQ(Tape::current().size(), 2U);
  backward(first);
  expect_gradient(a, 2);
  expect_gradient(b, 2);
}

TEST_F(TapeTest, LossesOfOneLeaf) {
  auto const first = squares(a.variable()), second = squares(a.variable());
  backward(first);
  backward(second);
  expect_gradient(a, 4);
}

TEST_F(TapeTest, SharedComputationIsRefused) {
  auto const x = multiply(a.variable(), a.variable());
  auto const first = sum(x), second = sum(scale(x, 3.0));
  backward(first);
  auto const message = message_of([&] { backward(second); });
  EXPECT_NE(message.find("[backward] reaches a computation that is no longer on the tape"), std::string::npos)
      << message;
  EXPECT_EQ(Tape::current().size(), 0U) << "what the refused pass had begun";
  a.clear_gradient();
  auto const y = multiply(a.variable(), a.variable());
  backward(add(sum(y), sum(scale(y, 3.0))));
  expect_gradient(a, 8);
}

TEST_F(TapeTest, TheSameLossTwiceIsRefused) {
  auto const loss = squares(a.variable());
  backward(loss);
  auto const message = message_of([&] { backward(loss); });
  EXPECT_NE(message.find("no longer on the tape"), std::string::npos) << message;
  expect_gradient(a, 2);
}

TEST_F(TapeTest, DiscardedLossIsRefused) {
  auto const loss = squares(a.variable());
  Tape::current().discard();
  EXPECT_NE(message_of([&] { backward(loss); }).find("no longer on the tape"), std::string::npos);
  EXPECT_FALSE(a.has_gradient());
}

TEST_F(TapeTest, AnotherThreadIsRefused) {
  auto const loss = squares(a.variable());
  std::string message;
  std::thread([&] { message = message_of([&] { backward(loss); }); }).join();
  EXPECT_NE(message.find("recorded on another thread"), std::string::npos) << message;
  backward(loss);
  expect_gradient(a, 2);

  Variable<double> orphan;
  std::thread([&] { orphan = squares(b.variable()); }).join();
  EXPECT_NE(message_of([&] { backward(orphan); }).find("recorded on another thread"), std::string::npos);
  EXPECT_NE(message_of([&] { backward(add(orphan, squares(a.variable()))); }).find("recorded on another thread"),
            std::string::npos);
}

TEST_F(TapeTest, ExceptionInAForwardLeavesOthersAlone) {
  auto const outer = squares(a.variable());
  auto const failing = [&] {
    auto const y = multiply(b.variable(), b.variable());
    if (y.rows() > 0) throw std::runtime_error("in the middle");
    return sum(y);
  };
  EXPECT_THROW((void)failing(), std::runtime_error);
  backward(outer);
  expect_gradient(a, 2);
  EXPECT_FALSE(b.has_gradient());
  EXPECT_EQ(Tape::current().size(), 0U) << "nobody holds what the failed forward recorded";
}

TEST_F(TapeTest, ExceptionInABackwardEndsThatPassAlone) {
  auto const other = squares(b.variable());
  auto const y = multiply(a.variable(), a.variable());
  auto const loss =
      sum(record(y.value(), [slot = y.slot()](Tensor<double> const&) { throw std::runtime_error("in the middle"); }));
  EXPECT_THROW(backward(loss), std::runtime_error);
  backward(other);
  expect_gradient(b, 2);
  EXPECT_FALSE(a.has_gradient());
}

TEST_F(TapeTest, RecordsThatNobodyHoldsAreFreed) {
  for (int i = 0; i < 20000; ++i) (void)squares(a.variable());  // an evaluation without NoGrad
  EXPECT_LT(Tape::current().size(), 5000U);
  auto const held = squares(b.variable());
  for (int i = 0; i < 20000; ++i) (void)squares(a.variable());
  backward(held);
  expect_gradient(b, 2);
  EXPECT_EQ(Tape::current().size(), 0U);
}

TEST_F(TapeTest, RecordingsNest) {
  auto const outer = squares(a.variable());
  {
    NoGrad const no_grad;
    Recording const inner;
    backward(squares(b.variable()));
    auto const forgotten = squares(b.variable());
    EXPECT_TRUE(forgotten.tracked());
    EXPECT_EQ(Tape::current().size(), 4U);
  }
  EXPECT_EQ(Tape::current().size(), 2U);
  EXPECT_TRUE(Tape::current().recording());
  expect_gradient(b, 2);
  backward(outer);
  expect_gradient(a, 2);
}

TEST_F(TapeTest, ARecordMayRecordAndGoBackItself) {
  // y = x² through a record that computes its own gradient by a recording of its own, within a chain on both sides.
  auto const x = scale(a.variable(), 2.0);
  auto const y = record(multiply(x, x).value(), [x](Tensor<double> dy) {
    Recording const inner;
    Variable<double> const again(x.value(), std::make_shared<GradientSlot<double, Cpu>>());
    auto const bystander = squares(again);
    backward_from(multiply(again, again), std::move(dy), inner.first());
    EXPECT_TRUE(bystander.tracked());
    x.slot()->accumulate(again.slot()->take());
  });
  backward(sum(scale(y, 3.0)));  // 3·(2a)² = 12·a²
  expect_gradient(a, 24);
  EXPECT_EQ(Tape::current().size(), 0U);
}

TEST_F(TapeTest, WhatARecordSeedsBelowItselfWaitsForItsTurn) {
  auto const waiting = squares(b.variable());
  auto const y = multiply(a.variable(), a.variable());
  auto const odd = record(y.value(), [waiting, slot = y.slot()](Tensor<double> dy) {
    backward(waiting);
    slot->accumulate(std::move(dy));
  });
  backward(sum(odd));
  expect_gradient(a, 2);
  expect_gradient(b, 2);
}

TEST_F(TapeTest, RecomputingKeepsTheInputAlone) {
  auto const f = [w = b.variable()](Variable<double> const& x) { return multiply(tanh(multiply(x, w)), x); };
  auto const plain = gradcheck([&] { return recompute(scale(a.variable(), 2.0), f); }, {a, b});
  EXPECT_TRUE(plain.passed) << plain.message;
  auto const y = recompute(scale(a.variable(), 2.0), f);
  EXPECT_EQ(Tape::current().size(), 2U);
  backward(sum(y));
  EXPECT_TRUE(a.has_gradient() && b.has_gradient());
  auto const constant = recompute(Variable<double>(a.value()), [](Variable<double> const& x) { return scale(x, 2.0); });
  EXPECT_FALSE(constant.tracked());
  b.clear_gradient();
  backward(sum(recompute(Variable<double>(a.value()), f)));
  EXPECT_TRUE(b.has_gradient()) << "of a parameter behind a constant";
}

TEST_F(TapeTest, RecomputingNests) {
  auto const inner = [](Variable<double> const& x) { return multiply(x, x); };
  auto const outer = [inner](Variable<double> const& x) { return recompute(recompute(x, inner), inner); };
  auto const report = gradcheck([&] { return recompute(a.variable(), outer); }, {a});
  EXPECT_TRUE(report.passed) << report.message;
}

}  // namespace
}  // namespace graft
