// A row's result depends neither on the rows beside it nor on the number of threads. The models are large enough for
// every kernel to divide its work.
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "invariants.hpp"
#include "support/worst.hpp"

namespace {

using graft::BottleneckAdapter, graft::InfixTuning, graft::LoRA, graft::PrefixTuning, graft::PromptTuning;
using graft::Index, graft::Token;

template <class A>
graft::ModelConfig wide_config() {
  auto config = small::config<A>();
  config.vocabulary = 700;
  config.width = 96;
  config.heads = 6;
  config.kv_heads = A::fused_attention ? 6 : 2;
  config.head_dim = 16;
  config.inner = 200;
  config.layers = 2;
  config.positions = 160;
  config.inverse_frequency = graft::rotary_frequencies(config.head_dim);
  return config;
}

std::vector<graft::TokenizedExample> rows_of_all_lengths() {
  std::vector<graft::TokenizedExample> examples;
  std::vector<std::pair<int, int>> const lengths{{1, 1},   {70, 30}, {2, 7},    {33, 3}, {5, 64},
                                                 {16, 16}, {3, 1},   {100, 40}, {9, 12}};
  for (auto const& [source, target] : lengths) {
    graft::TokenizedExample example;
    example.id = examples.size();
    graft::RandomKey const key(77 + example.id);
    for (int i = 0; i < source; ++i)
      example.source.push_back(static_cast<Token>(key.below(static_cast<std::uint64_t>(i), 700)));
    for (int i = 0; i < target; ++i)
      example.target.push_back(static_cast<Token>(key.below(1000 + static_cast<std::uint64_t>(i), 700)));
    examples.push_back(example);
  }
  return examples;
}

template <class A, class Scalar, class Settings>
auto wide_model(Settings const& settings) {
  auto model = graft::adapt(small::base<A, Scalar>(4, wide_config<A>(), 0.1), settings, 2);
  small::disturb(model, 0.1);
  return model;
}

/// Each row alone against the row in the middle of others, in two orders.
template <class A, class Scalar, class Settings>
void ignores_neighbours(Settings const& settings, double tolerance) {
  auto model = wide_model<A, Scalar>(settings);
  auto examples = rows_of_all_lengths();
  std::map<std::uint64_t, graft::Tensor<Scalar>> alone;
  for (auto const& example : examples) alone.emplace(example.id, invariants::logits_of(model, graft::pack({example})));
  for (int order = 0; order < 2; ++order) {
    auto const batch = graft::pack(examples);
    auto const together = invariants::logits_of(model, batch);
    for (Index r = 0; r < batch.rows.count(); ++r) {
      auto const& single = alone.at(batch.rows.examples[static_cast<std::size_t>(r)]);
      double worst = 0, largest = 0;
      for (Index i = 0; i < single.size(); ++i) {
        worst = graft::testing::worse(worst, std::abs(static_cast<double>(single.data()[i]) -
                                                      static_cast<double>(together.row(batch.rows.begin(r))[i])));
        largest = std::max(largest, std::abs(static_cast<double>(single.data()[i])));
      }
      EXPECT_LE(worst / largest, tolerance) << "row of length " << batch.rows.length(r) << ", order " << order;
    }
    std::reverse(examples.begin(), examples.end());
  }
}

/// Loss, gradients and one AdamW step with 1, 3 and 8 threads.
template <class A, class Scalar, class Settings>
void ignores_threads(Settings const& settings) {
  auto& pool = graft::ThreadPool::global();
  int const before = pool.threads();
  std::vector<std::map<std::string, graft::Tensor<Scalar>>> trained;
  std::vector<graft::Tensor<Scalar>> logits;
  for (int threads : {1, 3, 8}) {
    pool.resize(threads);
    auto model = wide_model<A, Scalar>(settings);
    auto const batch = graft::pack(rows_of_all_lengths());
    invariants::train(model, batch, 2);
    trained.push_back(invariants::values_of(model));
    logits.push_back(invariants::logits_of(model, batch));
  }
  pool.resize(before);
  for (std::size_t k : {1U, 2U}) {
    EXPECT_TRUE(invariants::same_bits(logits[0], logits[k])) << "logits, " << (k == 1 ? 3 : 8) << " threads";
    for (auto const& [name, value] : trained[0])
      EXPECT_TRUE(invariants::same_bits(value, trained[k].at(name))) << name << ", " << (k == 1 ? 3 : 8) << " threads";
  }
}

auto const prefix_and_lora =
    graft::compose(PrefixTuning{.length = 7, .reparametrization = graft::Mlp{.hidden = 40}}, LoRA{.rank = 3});
auto const prompt_and_adapter = graft::compose(PromptTuning{.length = 6}, BottleneckAdapter{.bottleneck = 5});
InfixTuning const infix{.length = 9};

template <class A>
class Neighbours : public testing::Test {};
using Architectures = testing::Types<graft::Gpt2, graft::Llama>;
TYPED_TEST_SUITE(Neighbours, Architectures);

TYPED_TEST(Neighbours, InDouble) {
  ignores_neighbours<TypeParam, double>(prefix_and_lora, 1e-12);
  ignores_neighbours<TypeParam, double>(infix, 1e-12);
}
TYPED_TEST(Neighbours, InFloat) {
  ignores_neighbours<TypeParam, float>(prefix_and_lora, 1e-5);
  ignores_neighbours<TypeParam, float>(prompt_and_adapter, 1e-5);
  ignores_neighbours<TypeParam, float>(infix, 1e-5);
}
TYPED_TEST(Neighbours, Threads) {
  ignores_threads<TypeParam, float>(prefix_and_lora);
  ignores_threads<TypeParam, float>(prompt_and_adapter);
  ignores_threads<TypeParam, float>(infix);
  ignores_threads<TypeParam, double>(infix);
}

}  // namespace
