// Weighted sums of adapters, against sums computed here in double from the matrices.
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include <graft/io/adapter.hpp>
#include <graft/models/combine.hpp>
#include <graft/models/merge.hpp>

#include "generate/random_model.hpp"
#include "io/temporary_folder.hpp"

namespace {

using namespace graft;
using graft::testing::disturb;
using graft::testing::random_base;
using Matrix = std::vector<double>;
using Weights = std::vector<std::pair<std::string, double>>;

template <Architecture A, class Adaptation>
auto trained(Base<A, double> const& base, Adaptation const& settings, std::uint64_t seed) {
  auto model = adapt(base, settings, seed);
  disturb(model, seed);
  return model;
}

/// What a LoRA model adds to every weight, `[out, in]`, by the module's name.
template <class Model>
std::map<std::string, Matrix> changes(Model model) {
  std::map<std::string, Matrix> all;
  for (auto const& unit : model.state().units()) {
    auto const &a = unit.a.value(), &b = unit.b.value();
    auto& change = all[model.info().find(unit.site)->name];
    for (Index o = 0; o < b.rows(); ++o)
      for (Index i = 0; i < a.width(); ++i) {
        double sum = 0;
        for (Index k = 0; k < a.rows(); ++k) sum += b.row(o)[k] * a.row(k)[i];
        change.push_back(model.settings().scale() * sum);
      }
  }
  return all;
}

template <class Model>
std::map<std::string, Matrix> weighted_changes(AdapterSet<Model> const& set, Weights const& weights) {
  std::map<std::string, Matrix> sum;
  for (auto const& [name, weight] : weights)
    for (auto const& [module, change] : changes(set.at(name))) {
      auto& into = sum[module];
      into.resize(change.size());
      for (std::size_t i = 0; i < change.size(); ++i) into[i] += weight * change[i];
    }
  return sum;
}

double norm(Matrix const& m) {
  double sum = 0;
  for (double const x : m) sum += x * x;
  return std::sqrt(sum);
}
Matrix minus(Matrix a, Matrix const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b.at(i);
  return a;
}

void expect_same(std::map<std::string, Matrix> const& got, std::map<std::string, Matrix> const& expected,
                 double bound) {
  ASSERT_EQ(got.size(), expected.size());
  for (auto const& [module, change] : expected) {
    ASSERT_TRUE(got.contains(module)) << module;
    EXPECT_LE(norm(minus(got.at(module), change)), bound * norm(change)) << module;
  }
}

/// Two adapters that differ in rank, scale and targets.
template <Architecture A>
auto different(Base<A, double> const& base, std::vector<std::string> const& more) {
  AdapterSet<Transformer<A, LoRA, double, Cpu>> set;
  set.add("red", trained(base, LoRA{.rank = 2, .alpha = 5}, 3));
  set.add("blue", trained(base, LoRA{.rank = 3, .alpha = 2, .targets = more, .rank_stabilized = true}, 4));
  return set;
}

Weights const weights{{"red", 0.7}, {"blue", -0.3}};

template <class Model>
std::vector<double> logits_of(Model& model) {
  NoGrad no_grad;
  auto const values = model.logits(pack({{{3, 1, 4}, {1, 5}, 0}})).value();
  return {values.data(), values.data() + values.size()};
}

std::string message(std::function<void()> const& call) {
  try {
    call();
  } catch (ConfigError const& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST(Combine, CatIsTheWeightedSum) {
  auto const check = [](auto const& set) {
    auto const cat = combine(set, weights, {.combination = Combination::cat});
    EXPECT_EQ(cat.settings().rank, 5);
    EXPECT_EQ(cat.settings().scale(), 1);
    expect_same(changes(cat), weighted_changes(set, weights), 1e-14);
  };
  check(different(random_base<Gpt2>(), {"c_attn", "mlp.c_proj"}));
  check(different(random_base<Llama>(), {"v_proj", "down_proj"}));
}

TEST(Combine, MergedWeightsAreTheBasesPlusTheWeightedSum) {
  auto const base = random_base<Llama>();
  auto const set = different(base, {"v_proj", "down_proj"});
  auto const expected = weighted_changes(set, weights);
  for (CombineSettings const settings : {CombineSettings{Combination::cat, 0}, CombineSettings{Combination::svd, 5}}) {
    auto combined = combine(set, weights, settings);
    auto const merged = merge(combined);
    for (auto const& site : base->info().sites) {
      if (site.role != Role::weight) continue;
      auto const before = base->at(site.address).matrix.dense(), after = merged->at(site.address).matrix.dense();
      for (Index i = 0; i < before.size(); ++i) {
        double const change = expected.contains(site.name) ? expected.at(site.name)[static_cast<std::size_t>(i)] : 0;
        ASSERT_NEAR(after.data()[i], before.data()[i] + change, 1e-12) << site.name;
      }
    }
    auto plain = adapt(merged, NoAdaptation{});
    auto const a = logits_of(combined), b = logits_of(plain);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-10);
  }
}

TEST(Combine, SvdOfTheWholeRankIsTheSum) {
  auto const set = different(random_base<Llama>(), {"v_proj", "down_proj"});
  expect_same(changes(combine(set, weights, {.combination = Combination::svd, .rank = 5})),
              weighted_changes(set, weights), 1e-12);
  Weights const same{{"red", 0.25}, {"red", 0.75}};  // dependent matrices
  expect_same(changes(combine(set, same)), changes(set.at("red")), 1e-12);
}

TEST(Combine, SvdKeepsTheLargestSingularValues) {
  auto const base = random_base<Llama>();
  auto const set = different(base, {"q_proj", "v_proj"});
  auto const sum = weighted_changes(set, weights);
  double before = 0;
  for (auto const& [module, change] : sum) before += norm(change) * norm(change);
  for (Index rank = 1; rank <= 5; ++rank) {
    auto truncated = combine(set, weights, {.rank = rank});
    EXPECT_EQ(truncated.settings().rank, rank);
    auto const kept = changes(truncated);
    double remaining = 0;
    for (auto const& [module, change] : sum) {
      auto const rest = minus(change, kept.at(module));
      double inner = 0;  // what is left out is orthogonal to what is kept
      for (std::size_t i = 0; i < rest.size(); ++i) inner += rest[i] * kept.at(module)[i];
      EXPECT_NEAR(inner, 0, 1e-10 * norm(change) * norm(change)) << module;
      remaining += norm(rest) * norm(rest);
    }
    EXPECT_LT(remaining, before) << rank;
    before = remaining;
    for (auto const& unit :
         truncated.state().units()) {  // B's columns are orthogonal and fall, A's rows are orthonormal
      auto const &a = unit.a.value(), &b = unit.b.value();
      double last = std::numeric_limits<double>::infinity();
      for (Index j = 0; j < rank; ++j)
        for (Index k = 0; k <= j; ++k) {
          double aa = 0, bb = 0;
          for (Index i = 0; i < a.width(); ++i) aa += a.row(j)[i] * a.row(k)[i];
          for (Index o = 0; o < b.rows(); ++o) bb += b.row(o)[j] * b.row(o)[k];
          EXPECT_NEAR(aa, j == k ? 1 : 0, 1e-12);
          if (j == k) {
            EXPECT_LE(bb, last);
            last = bb;
          } else {
            EXPECT_NEAR(bb, 0, 1e-10);
          }
        }
    }
  }
  EXPECT_LT(before, 1e-20) << "the whole rank leaves nothing";
  EXPECT_EQ(combine(set, weights).settings().rank, 3) << "without a rank, the largest";
}

TEST(Combine, LinearMixesTheMatrices) {
  auto const base = random_base<Gpt2>();
  AdapterSet<Transformer<Gpt2, LoRA, double, Cpu>> set;
  set.add("red", trained(base, LoRA{.rank = 2, .alpha = 5}, 3));
  set.add("blue", trained(base, LoRA{.rank = 2, .alpha = 3}, 4));
  auto linear = combine(set, weights, {.combination = Combination::linear});
  EXPECT_EQ(linear.settings().rank, 2);
  EXPECT_EQ(linear.settings().scale(), 1);
  double const red = std::sqrt(0.7 * 2.5), blue = std::sqrt(0.3 * 1.5);
  for (std::size_t i = 0; i < linear.state().units().size(); ++i) {
    auto const &got = linear.state().units()[i], &r = set.at("red").state().units()[i],
               &b = set.at("blue").state().units()[i];
    for (Index k = 0; k < got.a.value().size(); ++k)
      EXPECT_NEAR(got.a.value().data()[k], red * r.a.value().data()[k] - blue * b.a.value().data()[k], 1e-14);
    for (Index k = 0; k < got.b.value().size(); ++k)
      EXPECT_NEAR(got.b.value().data()[k], red * r.b.value().data()[k] + blue * b.b.value().data()[k], 1e-14);
  }
  expect_same(changes(combine(set, {{"red", 1}}, {.combination = Combination::linear})), changes(set.at("red")), 1e-14);
}

TEST(Combine, VectorsOfIA3) {
  auto const base = random_base<Llama>();
  AdapterSet<Transformer<Llama, IA3, double, Cpu>> set;
  set.add("red", trained(base, IA3{}, 3));
  set.add("blue", trained(base, IA3{}, 4));
  auto sum = combine(set, weights);
  for (std::size_t i = 0; i < sum.parameters().size(); ++i)
    for (Index k = 0; k < sum.parameters()[i]->value().size(); ++k)
      EXPECT_NEAR(sum.parameters()[i]->value().data()[k],
                  0.7 * set.at("red").parameters()[i]->value().data()[k] -
                      0.3 * set.at("blue").parameters()[i]->value().data()[k],
                  1e-14);
  EXPECT_NE(message([&] { (void)combine(set, weights, {.combination = Combination::cat}); }).find("expected linear"),
            std::string::npos);
  set.add("green", trained(base, IA3{.targets = {"k_proj", "v_proj"}}, 5));
  EXPECT_NE(message([&] { (void)combine(set, {{"red", 1}, {"green", 1}}); }).find("different modules"),
            std::string::npos);
}

TEST(Combine, TheAdaptersStayAsTheyAreAndTheSumIsSaved) {
  auto const base = random_base<Gpt2>();
  auto set = different(base, {"c_attn", "mlp.c_proj"});
  auto const red = changes(set.at("red")), blue = changes(set.at("blue"));
  set.add("both", combine(set, weights, {.combination = Combination::cat}));
  EXPECT_EQ(changes(set.at("red")), red);
  EXPECT_EQ(changes(set.at("blue")), blue);
  graft_test::TemporaryFolder const folder;
  save_adapters(set, folder.path());
  auto loaded = load_adapters<LoRA>(base, folder.path());
  EXPECT_EQ(logits_of(loaded.at("both")), logits_of(set.at("both")));
  EXPECT_EQ(changes(combine(loaded, weights, {.combination = Combination::cat})), changes(set.at("both")));
}

TEST(Combine, RefusesWhatHasNoSum) {
  auto const set = different(random_base<Gpt2>(), {"c_attn"});
  auto const says = [&](Weights const& given, CombineSettings const& settings, std::string const& text) {
    std::string const got = message([&] { (void)combine(set, given, settings); });
    EXPECT_NE(got.find(text), std::string::npos) << got;
  };
  says({}, {}, "expected at least one name");
  says({{"red", 1}, {"green", 1}}, {}, "got the name green; expected one of: red, blue");
  says({{"red", std::numeric_limits<double>::quiet_NaN()}}, {}, "the weight nan for red");
  says(weights, {.combination = Combination::linear}, "ranks 2 and 3");
  says(weights, {.rank = 6}, "expected 1 to 5");
  says(weights, {.rank = -1}, "expected 1 to 5");
  says(weights, {.combination = Combination::cat, .rank = 4}, "for svd alone");
}
