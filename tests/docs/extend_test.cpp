// The documentation's operation and strategy of one's own.
#include <graft/graft.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "docs/dora.hpp"
#include "docs/gate_columns.hpp"
#include "docs/loreft.hpp"
#include "docs/tiny_model.hpp"
#include "docs/vera.hpp"

namespace {

class Extend : public docs::Docs {};

template <class Scalar>
bool same_bits(graft::Tensor<Scalar> const& a, graft::Tensor<Scalar> const& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data());
}

graft::Batch small_batch() {
  return graft::pack({{.source = {5, 9, 3}, .target = {7, 2}}, {.source = {4, 4}, .target = {1, 8, 6}, .id = 1}});
}

TEST(OwnOperation, HasTheRightGradients) {
  //! [gradcheck]
  graft::Parameter<double> x("x", graft::normal<double>(graft::Shape{5, 3}, graft::RandomKey(1)));
  graft::Parameter<double> gate("gate", graft::normal<double>(graft::Shape{3}, graft::RandomKey(2)));
  auto const report = graft::gradcheck([&] { return gate_columns(x.variable(), gate.variable()); }, {x, gate});
  if (!report.passed) std::cerr << report.message << '\n';  // names the worst element, and both numbers
  //! [gradcheck]
  EXPECT_TRUE(report.passed) << report.message;
  graft::Variable<double> const frozen(gate.value());  // a constant gate, a constant x: each alone
  EXPECT_TRUE(graft::gradcheck([&] { return gate_columns(x.variable(), frozen); }, {x}).passed);
  EXPECT_TRUE(
      graft::gradcheck([&] { return gate_columns(graft::Variable<double>(x.value()), gate.variable()); }, {gate})
          .passed);
}

TEST(OwnOperation, EqualsItsCompositeReference) {
  graft::Variable<double> const x(graft::normal<double>(graft::Shape{5, 3}, graft::RandomKey(1)));
  graft::Variable<double> const gate(graft::normal<double>(graft::Shape{1, 3}, graft::RandomKey(2))),
      one(graft::full(graft::Shape{1, 3}, 1.0));
  //! [reference]
  auto const open =
      graft::scale(graft::add(graft::tanh(graft::scale(gate, 0.5)), one), 0.5);  // σ(g) = (1 + tanh(g/2)) / 2
  auto const reference = graft::scale_columns(x, open);
  auto const y = gate_columns(x, gate);
  double largest = 0;
  for (graft::Index i = 0; i < y.value().size(); ++i)
    largest = std::max(largest, std::abs(y.value().data()[i] - reference.value().data()[i]));  // below 1e-14
  //! [reference]
  EXPECT_LT(largest, 1e-14);
}

TEST(OwnOperation, GradcheckCatchesAWrongGradient) {
  graft::Parameter<double> x("x", graft::normal<double>(graft::Shape{4}, graft::RandomKey(1)));
  auto const wrong_square = [&] {
    auto const& v = x.variable();
    return graft::record(
        graft::multiply(graft::Variable<double>(v.value()), graft::Variable<double>(v.value())).value(),
        [v](graft::Tensor<double> const& dy) { v.slot()->accumulate(graft::clone(dy)); });
  };
  auto const report = graft::gradcheck(wrong_square, {x});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("input x"), std::string::npos) << report.message;
}

TEST(OwnOperation, AConstantPartIsOneForGradcheckToo) {
  auto const leaf = [](char const* name, graft::Shape const& shape) {
    return graft::Parameter<double>(name, graft::normal<double>(shape, graft::RandomKey(7).with(name)));
  };
  auto x = leaf("x", {5, 4}), a = leaf("a", {2, 4}), b = leaf("b", {3, 2}), m = leaf("m", {3});
  auto const w = graft::normal<double>(graft::Shape{3, 4}, graft::RandomKey(8));
  //! [constant gradcheck]
  auto const report =
      graft::gradcheck([&] { return dora(x.variable(), w, a.variable(), b.variable(), m.variable()); }, {x, a, b, m});
  if (!report.passed) std::cerr << report.message << '\n';
  //! [constant gradcheck]
  EXPECT_TRUE(report.passed);
  // and the constant matters: with the norm's own gradient, that of A is another
  auto const gradient_of_a = [&](bool constant) {
    auto const v = graft::add(graft::Variable<double>(w), graft::matmul(b.variable(), a.variable()));
    auto const norm = graft::power(graft::row_sums(graft::multiply(v, v)), 0.5);
    auto const scales = graft::divide(m.variable(), constant ? graft::detach(norm) : norm);
    a.clear_gradient();
    graft::backward(graft::sum(graft::scale_columns(graft::linear(x.variable(), v), scales)));
    return graft::clone(a.gradient());
  };
  a.clear_gradient();
  graft::backward(graft::sum(dora(x.variable(), w, a.variable(), b.variable(), m.variable())));
  auto const got = graft::clone(a.gradient());
  EXPECT_TRUE(same_bits(got, gradient_of_a(true)));
  EXPECT_GT(std::abs(got.data()[0] - gradient_of_a(false).data()[0]), 1e-3);
}

TEST(OwnOperation, RefusesOtherShapes) {
  graft::Variable<double> const x(graft::zeros<double>(graft::Shape{5, 3})),
      gate(graft::zeros<double>(graft::Shape{4}));
  EXPECT_THROW((void)gate_columns(x, gate), graft::ShapeError);
}

TEST_F(Extend, OwnStrategyStartsAsTheBase) {
  auto const base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, VeRA{.rank = 4});
  auto const adapted = model.logits(small_batch()).value();
  model.enable(false);
  EXPECT_TRUE(same_bits(adapted, model.logits(small_batch()).value()));
  graft::Tape::current().discard();
  EXPECT_EQ(model.parameter_counts().trainable, 3 * (2 * 4 + 32 + 16));
  auto fused = graft::adapt(graft::load_pretrained<graft::Gpt2>("gpt2"), VeRA{.rank = 4});
  EXPECT_EQ(fused.parameter_counts().trainable, 3 * (4 + 96));
  EXPECT_THROW((void)graft::adapt(base, VeRA{.rank = 0}), graft::ConfigError);
}

TEST_F(Extend, OwnStrategyHasTheRightGradients) {
  //! [model gradcheck]
  auto base = graft::load_pretrained<graft::Llama, double>("SmolLM2-135M");
  auto model = graft::adapt(base, VeRA{.rank = 4});
  graft::Batch const batch = small_batch();
  std::vector<graft::Parameter<double>> parameters;
  for (auto* parameter : model.parameters()) {
    graft::Tensor<double> value = parameter->mutable_value();
    for (graft::Index i = 0; i < value.size(); ++i)
      value.data()[i] += 0.3 * std::sin(1.0 + static_cast<double>(i));  // away from b = 0
    parameters.push_back(*parameter);                                   // a handle, no copy
  }
  auto const report = graft::gradcheck([&] { return model.scores(batch).log_probability; }, parameters);
  if (!report.passed) std::cerr << report.message << '\n';
  //! [model gradcheck]
  EXPECT_TRUE(report.passed) << report.message;
}

TEST_F(Extend, OwnStrategyTrainsSavesAndWrites) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto examples = graft::read_examples("trainset.csv");
  //! [use]
  auto model = graft::adapt(base, VeRA{.rank = 16});
  auto const report = graft::Trainer({.epochs = 5, .learning_rate = 5e-2}).fit(model, examples, tokenizer);
  graft::save_adapter(model, "vera");
  auto loaded = graft::load_adapter<VeRA>(base, "vera");
  auto mixed = graft::adapt(base, graft::compose(VeRA{.rank = 16}, graft::PrefixTuning{.length = 2}));
  //! [use]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  auto const wanted = model.parameters(), got = loaded.parameters();
  ASSERT_EQ(wanted.size(), got.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_TRUE(same_bits(wanted[i]->value(), got[i]->value())) << wanted[i]->name();
  graft::Greedy const greedy{.max_new_tokens = 5};
  EXPECT_EQ(graft::generate(model, tokenizer, "the", greedy), graft::generate(loaded, tokenizer, "the", greedy));
  EXPECT_EQ(mixed.parameters().size(), 3U * 2U * 2U + 1U);
}

/// max |R·Rᵀ − 1| over the layers.
template <class Model>
double distance_from_orthonormal(Model& model) {
  double largest = 0;
  auto const parameters = model.parameters();
  for (std::size_t i = 0; i < parameters.size(); i += 3) {  // R, W, b of each layer
    auto const& r = parameters[i]->value();
    auto const square = graft::linear(graft::Variable<float>(r), graft::Variable<float>(r)).value();
    for (graft::Index row = 0; row < square.rows(); ++row)
      for (graft::Index column = 0; column < square.width(); ++column)
        largest = std::max(largest, std::abs(static_cast<double>(square.row(row)[column]) - (row == column ? 1 : 0)));
  }
  return largest;
}

TEST_F(Extend, AHookAfterTheUpdateKeepsAMatrixOrthonormal) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto examples = graft::read_examples("trainset.csv");
  auto const before = graft::adapt(base, graft::NoAdaptation{}).logits(small_batch()).value();
  //! [on_update]
  auto model = graft::adapt(base, LoReFT{.rank = 4});
  graft::Training settings{.epochs = 5, .learning_rate = 2e-2};
  settings.on_update = [&](graft::Index) { model.state().orthonormalize(); };
  auto const report = graft::Trainer(settings).fit(model, examples, tokenizer);
  //! [on_update]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  EXPECT_LT(distance_from_orthonormal(model), 1e-5);
  auto free = graft::adapt(base, LoReFT{.rank = 4});
  auto const start = free.logits(small_batch()).value();
  for (graft::Index i = 0; i < start.size(); ++i) ASSERT_NEAR(start.data()[i], before.data()[i], 1e-4);
  settings.on_update = nullptr;
  (void)graft::Trainer(settings).fit(free, examples, tokenizer);
  EXPECT_GT(distance_from_orthonormal(free), 1e-3);
  graft::Tape::current().discard();
}

}  // namespace
