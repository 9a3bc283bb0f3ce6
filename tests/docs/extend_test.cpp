// The documentation's operation and strategy of one's own.
#include <graft/graft.hpp>

#include <algorithm>

#include "docs/ia3.hpp"
#include "docs/tiny_model.hpp"

namespace {

class Extend : public docs::Docs {};

template <class Scalar>
bool same_bits(graft::Tensor<Scalar> const& a, graft::Tensor<Scalar> const& b) {
  return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data());
}

graft::Batch small_batch() { return graft::pack({{.source = {5, 9, 3}, .target = {7, 2}}, {.source = {4, 4}, .target = {1, 8, 6}, .id = 1}}); }

TEST(OwnOperation, HasTheRightGradients) {
  //! [gradcheck]
  graft::Parameter<double> x("x", graft::normal<double>(graft::Shape{5, 3}, graft::RandomKey(1)));
  graft::Parameter<double> gain("gain", graft::normal<double>(graft::Shape{3}, graft::RandomKey(2)));
  auto const report = graft::gradcheck([&] { return scale_columns(x.variable(), gain.variable()); }, {x, gain});
  EXPECT_TRUE(report.passed) << report.message;
  //! [gradcheck]
  graft::Variable<double> const frozen(gain.value());  // a constant gain, a constant x: each alone
  EXPECT_TRUE(graft::gradcheck([&] { return scale_columns(x.variable(), frozen); }, {x}).passed);
  EXPECT_TRUE(graft::gradcheck([&] { return scale_columns(graft::Variable<double>(x.value()), gain.variable()); }, {gain}).passed);
}

TEST(OwnOperation, EqualsItsCompositeReference) {
  graft::Variable<double> const x(graft::normal<double>(graft::Shape{5, 3}, graft::RandomKey(1)));
  graft::Variable<double> const gain(graft::normal<double>(graft::Shape{1, 3}, graft::RandomKey(2)));
  //! [reference]
  std::vector<std::pair<int, graft::Index>> const first_row(static_cast<std::size_t>(x.rows()), {0, 0});
  auto const reference = graft::multiply(x, graft::assemble_rows<double, graft::Cpu>({gain}, first_row));
  //! [reference]
  EXPECT_TRUE(same_bits(scale_columns(x, gain).value(), reference.value()));
}

TEST(OwnOperation, GradcheckCatchesAWrongGradient) {
  graft::Parameter<double> x("x", graft::normal<double>(graft::Shape{4}, graft::RandomKey(1)));
  auto const wrong_square = [&] {
    auto const& v = x.variable();
    return graft::record(graft::multiply(graft::Variable<double>(v.value()), graft::Variable<double>(v.value())).value(),
                         [v](graft::Tensor<double> const& dy) { v.slot()->accumulate(graft::clone(dy)); });
  };
  auto const report = graft::gradcheck(wrong_square, {x});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("input x"), std::string::npos) << report.message;
}

TEST(OwnOperation, RefusesOtherShapes) {
  graft::Variable<double> const x(graft::zeros<double>(graft::Shape{5, 3})), gain(graft::zeros<double>(graft::Shape{4}));
  EXPECT_THROW((void)scale_columns(x, gain), graft::ShapeError);
}

TEST_F(Extend, OwnStrategyStartsAsTheBase) {
  auto const base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, IA3{});
  auto const adapted = model.logits(small_batch()).value();
  model.enable(false);
  EXPECT_TRUE(same_bits(adapted, model.logits(small_batch()).value()));
  graft::Tape::current().discard();
  EXPECT_EQ(model.parameter_counts().trainable, 3 * (16 + 16 + 48));
  EXPECT_THROW((void)graft::adapt(graft::load_pretrained<graft::Gpt2>("gpt2"), IA3{}), graft::ConfigError);
}

TEST_F(Extend, OwnStrategyHasTheRightGradients) {
  //! [model gradcheck]
  auto base = graft::load_pretrained<graft::Llama, double>("SmolLM2-135M");
  auto model = graft::adapt(base, IA3{});
  graft::Batch const batch = small_batch();
  std::vector<graft::Parameter<double>> parameters;
  for (auto* parameter : model.parameters()) parameters.push_back(*parameter);  // handles, no copies
  auto const report = graft::gradcheck([&] { return model.scores(batch).log_probability; }, parameters);
  EXPECT_TRUE(report.passed) << report.message;
  //! [model gradcheck]
}

TEST_F(Extend, OwnStrategyTrainsSavesAndWrites) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto examples = graft::read_examples("trainset.csv");
  //! [use]
  auto model = graft::adapt(base, IA3{});
  auto const report = graft::Trainer({.epochs = 5, .learning_rate = 1e-2}).fit(model, examples, tokenizer);
  graft::save_adapter(model, "ia3");
  auto loaded = graft::load_adapter<IA3>(base, "ia3");
  auto mixed = graft::adapt(base, graft::compose(IA3{.feed_forward = false}, graft::LoRA{.rank = 2}));
  //! [use]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  auto const wanted = model.parameters(), got = loaded.parameters();
  ASSERT_EQ(wanted.size(), got.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(same_bits(wanted[i]->value(), got[i]->value())) << wanted[i]->name();
  graft::Greedy const greedy{.max_new_tokens = 5};
  EXPECT_EQ(graft::generate(model, tokenizer, "the", greedy), graft::generate(loaded, tokenizer, "the", greedy));
  EXPECT_EQ(mixed.parameters().size(), 3U * 2U + 3U * 2U * 2U);
}

}  // namespace
