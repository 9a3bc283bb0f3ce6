// Attention weights of every architecture, precision and strategy: they sum to 1, and with the values they give what
// the attention operation gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <type_traits>
#include <vector>

#include <graft/adaptation/adapter_table.hpp>
#include <graft/adaptation/any_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/inspect/inspect.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

#include "model/small_model.hpp"

namespace {

using namespace graft;

template <class Model>
std::vector<TokenizedExample> examples_of(Model const& model) {
  auto examples = small::examples();
  if (model.info().classifies)
    for (auto& example : examples) example.target = {0};
  return examples;
}

/// Σ weights · values of every attention is the operation's own result. @return how many attentions there were
template <class Model>
int check_products(Model const& model, double tolerance) {
  using Scalar = typename Model::activation_type;
  NoGrad no_grad;
  int attentions = 0;
  typename Model::Observer observer;
  observer.every_query = true;
  observer.attention = [&](auto const& seen) {
    ++attentions;
    auto const expected = detail::host_numbers(
        attention<Scalar, Cpu>(seen.queries, seen.sources, std::make_shared<CheckedSegments const>(seen.segments),
                               seen.shape, seen.bias)
            .value());  // [queries, heads · head_dim]
    auto const& table = seen.segments.table();
    std::vector<Tensor<double>> values;  // [rows, kv_heads · head_dim] of every source
    for (auto const& source : seen.sources)
      values.push_back(detail::host_numbers(copy_columns(source.values, seen.shape.kv_width())));
    for (Index row = 0; row < table.rows(); ++row) {
      auto const keys = keys_of_row(table, row);
      auto const weights = attention_weights(seen, row);  // [heads, queries, keys]
      Index const queries = weights.shape()[1], count = weights.shape()[2];
      for (Index h = 0; h < seen.shape.heads; ++h)
        for (Index q = 0; q < queries; ++q) {
          double const* const p = weights.data() + (h * queries + q) * count;
          double sum = 0;
          for (Index k = 0; k < count; ++k) sum += p[k];
          ASSERT_NEAR(sum, 1, 1e-12);
          for (Index c = 0; c < seen.shape.head_dim; ++c) {
            double product = 0;
            for (Index k = 0; k < count; ++k) {
              auto const& key = keys[static_cast<std::size_t>(k)];
              product += p[k] * values[static_cast<std::size_t>(key.source)].row(
                                    key.row)[h / seen.shape.group() * seen.shape.head_dim + c];
            }
            ASSERT_NEAR(product, expected.row(table.first_query(row) + q)[h * seen.shape.head_dim + c], tolerance);
          }
        }
    }
  };
  static_cast<void>(model.hidden_states(model.pack(examples_of(model)), nullptr, &observer));
  return attentions;
}

template <class A>
class InspectedArchitecture : public testing::Test {
 protected:
  template <class Settings>
  static void check(Settings const& settings) {
    auto model = adapt(small::base<A, double>(), settings, 2);
    small::disturb(model);
    auto const& config = model.config();
    Index const own = config.layers * (Transformer<A, Settings, double>::has_encoder ? 2 : 1),
                encoders = config.encoder ? config.encoder->layers : 0;
    EXPECT_EQ(check_products(model, 1e-10), own + encoders);
    auto const found = inspect(model, model.pack(examples_of(model)));
    ASSERT_EQ(static_cast<Index>(found.attention.size()), (own + encoders) * 5);
    for (auto const& map : found.attention) {
      EXPECT_EQ(map.weights.shape(), (Shape{map.weights.shape()[0], static_cast<Index>(map.queries.size()),
                                            static_cast<Index>(map.keys.size())}));
      bool const reads = map.kind == AttentionKind::cross || map.at.stack == Stack::encoder;
      for (auto const& key : map.keys)  // whose tokens they are
        EXPECT_FALSE(reads && key.kind == SeenKind::target);
    }
    Index const embeddings = encoders > 0 ? 2 : 1;  // of every stack
    ASSERT_EQ(static_cast<Index>(found.states.size()), (config.layers + encoders + embeddings) * 5);
  }
};
using Architectures = testing::Types<Gpt2, Llama, T5, T5v11, Bart, Bert, Roberta>;
TYPED_TEST_SUITE(InspectedArchitecture, Architectures);

TYPED_TEST(InspectedArchitecture, WeightsGiveWhatAttentionGives) {
  this->check(compose(PromptTuning{.length = 2}, PrefixTuning{.length = 3}, LoRA{.rank = 2}));
  if constexpr (std::is_same_v<TypeParam, T5>) this->check(InfixTuning{.length = 2});
}

TEST(Inspection, InOtherPrecisions) {
  auto const base = small::base<Llama, float>();
  EXPECT_EQ(check_products(adapt(base, PrefixTuning{.length = 2}), 1e-5), 3);
  EXPECT_EQ(check_products(adapt<Bfloat16>(base, PrefixTuning{.length = 2}), 0.03), 3);
}

// Rows with adapters of their own see their own banks alone.
TEST(Inspection, RowsOfATable) {
  auto const base = small::base<Gpt2, double>();
  auto table = adapt(base, AdapterTable{});
  std::vector<Index> const ids{add_adapter(table, PrefixTuning{.length = 2}),
                               add_adapter(table, PrefixTuning{.length = 4})};
  auto examples = small::examples();
  examples.resize(3);
  examples[0].adapter = ids[0], examples[1].adapter = ids[1], examples[2].adapter = -1;
  auto const found = inspect(table, table.pack(examples));
  for (auto const& map : found.attention) {
    auto const keys =
        std::count_if(map.keys.begin(), map.keys.end(), [](auto const& key) { return key.kind == SeenKind::prefix; });
    EXPECT_EQ(keys, map.row == 0 ? 2 : map.row == 1 ? 4 : 0);
  }
}

}  // namespace
