// Models of every architecture with every strategy: trained and written with on the device, they come to what they
// come to on the host.
#include <cmath>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cuda/device_testing.hpp"
#include "family.hpp"
#include "model/small_model.hpp"
#include "outcome.hpp"

namespace {

using namespace graft;
using whole::Family, whole::Outcome, whole::Plan;
using graft::testing::relative_difference;

/// AdamW divides by √v + ε. ε is large here, because a gradient that is zero but for rounding, such as that of a key's
/// bias, would otherwise move a parameter by a whole step in whatever direction.
Training three_steps() {
  return {.steps = 3, .batch = 2, .learning_rate = 0.02, .clip = 0.5, .epsilon = 0.1, .progress = false};
}
Training with_adafactor() {
  Training training = three_steps();
  training.optimizer = OptimizerKind::adafactor;
  return training;
}
Training recomputing() {
  Training training = three_steps();
  training.recompute = true;
  return training;
}
Training accumulating() {
  Training training = three_steps();
  training.accumulate = 2;
  return training;
}
Training none() { return {.steps = 0}; }

struct Case {
  char const* choice;  ///< as `any::parse_choice` reads it
  Training training = three_steps();
  bool searches = false;     ///< beam search and sampling, too
  bool again = false;        ///< a second run on the device comes to the same bits
  bool in_double = false;    ///< among the `DoubleStrategies`
  bool in_bfloat16 = false;  ///< among the `Bfloat16Strategies`
};

std::vector<Case> const& cases() {
  static std::vector<Case> const all{
      {.choice = "none", .training = none(), .searches = true},
      {.choice = "prefix:length=3", .searches = true, .again = true, .in_double = true, .in_bfloat16 = true},
      {.choice = "prefix_mlp:length=3:reparametrization.hidden=5", .training = with_adafactor(), .in_double = true},
      {.choice = "prompt:length=3", .training = accumulating()},
      {.choice = "infix:length=2"},
      {.choice = "embedding:length=2"},
      {.choice = "p_tuning:length=3:hidden=5"},
      {.choice = "p_tuning:length=4:encoder=lstm:hidden=5:dropout=0.25", .again = true, .in_double = true},
      {.choice = "lora:rank=2:dropout=0.25",
       .training = recomputing(),
       .searches = true,
       .again = true,
       .in_double = true,
       .in_bfloat16 = true},
      {.choice = "ia3", .in_double = true},
      {.choice = "adapter:bottleneck=3", .in_double = true},
      {.choice = "parallel_adapter:bottleneck=3"},
      {.choice = "mam:length=2:bottleneck=3"},
      {.choice = "prefix_lora:length=2:rank=2"},
      {.choice = "bitfit"},
      {.choice = "top_layers:layers=1"},
      {.choice = "full", .again = true},
      {.choice = "head:restart=true"},
  };
  return all;
}

std::vector<std::unique_ptr<Family>> const& families() {
  static auto const all = [] {
    std::vector<std::unique_ptr<Family>> made;
    for (auto* make : {whole::gpt2, whole::llama, whole::t5, whole::t5_v1_1, whole::bart, whole::bert, whole::roberta})
      made.push_back(make());
    return made;
  }();
  return all;
}

/// Rows of various lengths; of a classifier one label each.
std::vector<TokenizedExample> examples(Family const& family) {
  auto all = small::examples();
  for (auto& example : all)
    if (family.info().classifies) example.target = {static_cast<Token>(example.id % 3)};
  return all;
}

template <class Scalar>
void expect_equal(Outcome<Scalar> const& got, Outcome<Scalar> const& expected, double tolerance) {
  ASSERT_EQ(got.losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < expected.losses.size(); ++i) {
    EXPECT_NEAR(got.losses[i], expected.losses[i], tolerance * expected.losses[i]) << "loss of step " << i;
    EXPECT_NEAR(got.norms[i], expected.norms[i], tolerance * expected.norms[i]) << "gradient's norm of step " << i;
  }
  ASSERT_EQ(got.parameters.size(), expected.parameters.size());
  for (std::size_t i = 0; i < expected.parameters.size(); ++i) {
    auto const& [name, values] = expected.parameters[i];
    EXPECT_EQ(got.parameters[i].first, name);
    ASSERT_EQ(got.parameters[i].second.shape(), values.shape()) << name;
    EXPECT_LE(relative_difference(got.parameters[i].second, values), tolerance) << name;
  }
  ASSERT_EQ(got.logits.shape(), expected.logits.shape());
  EXPECT_LE(relative_difference(got.logits, expected.logits), tolerance) << "logits";
  ASSERT_EQ(got.texts.size(), expected.texts.size());
  for (std::size_t search = 0; search < expected.texts.size(); ++search) {
    ASSERT_EQ(got.texts[search].size(), expected.texts[search].size());
    for (std::size_t p = 0; p < expected.texts[search].size(); ++p) {
      ASSERT_EQ(got.texts[search][p].size(), expected.texts[search][p].size());
      for (std::size_t t = 0; t < expected.texts[search][p].size(); ++t) {
        auto const &text = got.texts[search][p][t], &wanted = expected.texts[search][p][t];
        EXPECT_EQ(text.tokens, wanted.tokens) << "search " << search << ", prompt " << p << ", text " << t;
        EXPECT_NEAR(text.score, wanted.score, 10 * tolerance * (1 + std::abs(wanted.score)));
      }
    }
  }
}

template <class Scalar>
void expect_same_bits(Tensor<Scalar> const& a, Tensor<Scalar> const& b, std::string const& what) {
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)), 0) << what;
}
void expect_same_bits(Outcome<float> const& a, Outcome<float> const& b) {
  EXPECT_EQ(a.losses, b.losses);
  EXPECT_EQ(a.norms, b.norms);
  for (std::size_t i = 0; i < a.parameters.size(); ++i)
    expect_same_bits(a.parameters[i].second, b.parameters[i].second, a.parameters[i].first);
  expect_same_bits(a.logits, b.logits, "logits");
}

/// A family's place among `families()`, and a case's among `cases()`.
struct Which {
  std::size_t family, at;
};

class WholeModels : public ::testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    std::string const why = cuda_unavailable();
    if (!why.empty()) GTEST_SKIP() << why;
  }
  [[nodiscard]] static Family const& family() { return *families()[GetParam().family]; }
};

TEST_P(WholeModels, TrainAndWriteAsOnTheHost) {
  Case const& c = cases()[GetParam().at];
  auto choice = any::parse_choice(c.choice);
  choice.seed = 5;
  Plan const plan{c.training, examples(family()), c.searches};
  auto const host = family().on_host(choice);
  auto const expected = outcome(host->erased(), plan);
  auto const got = outcome(*family().on_device(choice), plan);
  expect_equal(got, expected, 1e-5);
  if (c.again) expect_same_bits(outcome(*family().on_device(choice), plan), got);
  if (c.in_double && family().in_double()) {
    SCOPED_TRACE("in double");
    expect_equal(outcome(*family().double_on_device(choice), plan), outcome(*family().double_on_host(choice), plan),
                 1e-10);
  }
  if (c.in_bfloat16 && family().in_bfloat16()) {
    auto const model = family().bfloat16_on_device(choice);
    auto const steps = train<float, Cuda>(*model, plan).steps;
    for (std::size_t i = 0; i < steps.size(); ++i)
      EXPECT_NEAR(steps[i].loss, expected.losses[i], 2e-2 * expected.losses[i]) << "in bfloat16, step " << i;
  }
}

std::vector<Which> all_pairs() {
  std::vector<Which> all;
  for (std::size_t f = 0; f < families().size(); ++f)
    for (std::size_t c = 0; c < cases().size(); ++c) {
      auto const& info = families()[f]->info();
      std::string const strategy = any::parse_choice(cases()[c].choice).strategy;
      bool const biases = info.architecture != "t5" && info.architecture != "t5_v1_1";
      if (any::exists(strategy, info) && (strategy != "bitfit" || biases)) all.push_back({f, c});
    }
  return all;
}
std::string name_of(::testing::TestParamInfo<Which> const& which) {
  std::string name = families()[which.param.family]->name() + "_" + cases()[which.param.at].choice;
  std::erase_if(name, [](char c) { return c == '.'; });
  for (char& c : name)
    if (c == ':' || c == '=') c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Every, WholeModels, ::testing::ValuesIn(all_pairs()), name_of);

/// Rows of three adapters and of none in one batch, in training and in generation.
class WholeTables : public WholeModels {};
TEST_P(WholeTables, TrainAndWriteAsOnTheHost) {
  Plan plan{three_steps(), examples(family()), true, {2, -1, 0}};
  plan.training.batch = 5;  // all of them: a step of a row without an adapter would have nothing to train
  for (std::size_t i = 0; i < plan.examples.size(); ++i) plan.examples[i].adapter = static_cast<Index>(i % 4) - 1;
  auto const expected = outcome(*family().table_on_host(), plan);
  expect_equal(outcome(*family().table_on_device(), plan), expected, 1e-5);
}
std::vector<Which> all_families() {
  std::vector<Which> all;
  for (std::size_t f = 0; f < families().size(); ++f) all.push_back({f, 0});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Every, WholeTables, ::testing::ValuesIn(all_families()),
                         [](auto const& which) { return families()[which.param.family]->name(); });

}  // namespace
