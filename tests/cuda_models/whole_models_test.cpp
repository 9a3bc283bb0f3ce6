// Models of every architecture with every strategy: trained and written with on the device, they come to what they
// come to on the host.
#include <algorithm>
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
using graft::testing::relative_difference;
using whole::Family, whole::Outcome, whole::Plan;

/// AdamW divides by √v + ε. ε is large here, because a gradient that is zero but for rounding, such as that of a key's
/// bias, would otherwise move a parameter by a whole step in whatever direction. The steps are small: the gradients of
/// a model of random weights grow by several times with steps that are ten times larger, and what is rounded with them.
Training three_steps() {
  return {.steps = 3, .batch = 2, .learning_rate = 0.002, .clip = 0.5, .epsilon = 0.1, .progress = false};
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
Training sharing() {
  Training training = three_steps();
  training.batch = 6, training.share_sources = true;
  return training;
}
/// So many sources that what stands before an infix is computed apart.
Training together() {
  Training training = three_steps();
  training.batch = 11;  // 42 tokens stand there
  return training;
}
Training none() { return {.steps = 0}; }

struct Case {
  char const* choice;  ///< as `any::parse_choice` reads it
  Training training = three_steps();
  bool searches = false;  ///< beam search and sampling, too
  bool again = false;     ///< a second run on the device comes to the same bits
};

std::vector<Case> const& cases() {
  static std::vector<Case> const all{
      {.choice = "none", .training = none(), .searches = true},
      {.choice = "prefix:length=3", .searches = true, .again = true},
      {.choice = "prefix_mlp:length=3:reparametrization.hidden=5", .training = with_adafactor()},
      {.choice = "prompt:length=3", .training = accumulating()},
      {.choice = "infix:length=2", .training = sharing(), .again = true},
      {.choice = "infix:length=3", .training = together(), .again = true},
      {.choice = "embedding:length=2"},
      {.choice = "p_tuning:length=3:hidden=5"},
      {.choice = "p_tuning:length=4:encoder=lstm:hidden=5:dropout=0.25", .again = true},
      {.choice = "lora:rank=2:dropout=0.25", .training = recomputing(), .searches = true, .again = true},
      {.choice = "ia3"},
      {.choice = "adapter:bottleneck=3"},
      {.choice = "parallel_adapter:bottleneck=3"},
      {.choice = "mam:length=2:bottleneck=3"},
      {.choice = "prefix_lora:length=2:rank=2"},
      {.choice = "bitfit"},
      {.choice = "top_layers:layers=1"},
      {.choice = "full", .training = sharing(), .again = true},
      {.choice = "head:restart=true"},
  };
  return all;
}

std::vector<std::unique_ptr<Family>> const& families() {
  static auto const all = [] {
    std::vector<std::unique_ptr<Family>> made;
    for (auto* make : {whole::gpt2, whole::llama, whole::t5, whole::t5_v1_1, whole::bart, whole::bert})
      made.push_back(make());
    return made;
  }();
  return all;
}

/// Rows of various lengths; of a classifier one label each.
/// @param again whether every source has a second target, and the longest a third
std::vector<TokenizedExample> examples(Family const& family, bool again) {
  auto all = small::examples();
  for (std::size_t i = 0, count = all.size(); again && i < count; ++i)
    for (std::size_t k = 0; k < (all[i].source.size() > 8 ? 2 : 1); ++k) {
      all.push_back(all[i]);
      all.back().id += 20 + k;
      all.back().target = {static_cast<Token>(5 + k), static_cast<Token>(7 + i)};
    }
  for (auto& example : all)
    if (family.info().classifies) example.target = {static_cast<Token>(example.id % 3)};
  return all;
}

/// Numbers differ by `tolerance` of their tensor's largest at most.
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
    EXPECT_TRUE(got.parameters[i].first.ends_with(name))
        << got.parameters[i].first << ", " << name;  // 0.NAME in a table
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
    choice.seed = 5;
    if (family.info().classifies) plan.training.share_sources = false;
  }
  Case const& of = cases()[GetParam().at];
  Family const& family = *families()[GetParam().family];
  any::Choice choice = any::parse_choice(of.choice);
  Plan plan{of.training, examples(family, of.training.batch > 2), of.searches};
};

/// A model on the device has the strategy itself, or a table with it alone. On the host a classifier trains its head
/// beside a strategy; a table does not.
TEST_P(WholeModels, TrainAndWriteAsOnTheHost) {
  bool const alone = family.by_itself(choice);
  auto const on_device = [&] { return alone ? family.on_device(choice) : family.table_on_device({choice}); };
  auto const expected = alone || !family.info().classifies ? outcome(family.on_host(choice)->erased(), plan)
                                                           : outcome(*family.table_on_host({choice}), plan);
  auto const got = outcome(*on_device(), plan);
  expect_equal(got, expected, 1e-5);
  if (of.again) expect_same_bits(outcome(*on_device(), plan), got);
}

class OfOtherNumbers : public WholeModels {};
TEST_P(OfOtherNumbers, TrainAndWriteAsOnTheHost) {
  auto const expected = outcome(*family.double_on_host({choice}), plan);
  expect_equal(outcome(*family.double_on_device({choice}), plan), expected, 1e-10);
  auto const narrow = family.bfloat16_on_device({choice});
  auto const steps = train<float, Cuda>(*narrow, plan).steps;
  for (std::size_t i = 0; i < steps.size(); ++i)
    EXPECT_NEAR(steps[i].loss, expected.losses[i], 2e-2 * expected.losses[i]) << "in bfloat16, step " << i;
}

/// Rows of three adapters and of none in one batch, in training and in generation.
class WholeTables : public WholeModels {};
TEST_P(WholeTables, TrainAndWriteAsOnTheHost) {
  whole::Choices adapters;
  for (char const* text : {"prefix:length=2", "lora:rank=2", "adapter:bottleneck=3"})
    adapters.push_back(any::parse_choice(text));
  plan.adapters = {2, -1, 0};
  plan.searches = true;
  plan.training = three_steps();
  plan.training.batch = 5;  // all of them: a step of a row without an adapter would have nothing to train
  for (std::size_t i = 0; i < plan.examples.size(); ++i) plan.examples[i].adapter = static_cast<Index>(i % 4) - 1;
  auto const expected = outcome(*family.table_on_host(adapters), plan);
  expect_equal(outcome(*family.table_on_device(adapters), plan), expected, 1e-5);
}

/// The pairs of families and cases that `wanted` says yes to.
template <class Wanted>
std::vector<Which> pairs(Wanted const& wanted) {
  std::vector<Which> all;
  for (std::size_t f = 0; f < families().size(); ++f)
    for (std::size_t c = 0; c < cases().size(); ++c)
      if (auto const choice = any::parse_choice(cases()[c].choice);
          any::exists(choice.strategy, families()[f]->info()) && wanted(*families()[f], choice))
        all.push_back({f, c});
  return all;
}
bool fits_a_table(any::Choice const& choice) {
  auto const& all = {"none", "bitfit", "top_layers", "full", "head"};
  return std::none_of(all.begin(), all.end(), [&](char const* name) { return choice.strategy == name; });
}
bool trains_something(Family const& family, any::Choice const& choice) {
  return choice.strategy != "bitfit" || (family.name() != "t5" && family.name() != "t5_v1_1");  // they have no biases
}
std::string name_of(::testing::TestParamInfo<Which> const& which) {
  std::string name = families()[which.param.family]->name() + "_" + cases()[which.param.at].choice;
  std::erase_if(name, [](char c) { return c == '.'; });
  for (char& c : name)
    if (c == ':' || c == '=') c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Every, WholeModels,
                         ::testing::ValuesIn(pairs([](Family const& family, any::Choice const& choice) {
                           return trains_something(family, choice) &&
                                  (fits_a_table(choice) || family.by_itself(choice));
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Every, OfOtherNumbers,
                         ::testing::ValuesIn(pairs([](Family const& family, any::Choice const& choice) {
                           return family.in_other_numbers() && fits_a_table(choice);
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Every, WholeTables, ::testing::ValuesIn(pairs([](Family const&, any::Choice const& choice) {
                           return choice.strategy == "prompt";  // one case a family; it gives its training alone
                         })),
                         name_of);

}  // namespace
