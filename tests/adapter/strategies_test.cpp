// What holds for every strategy: training moves the adapter alone, disabled is the base, and a saved adapter comes back
// bit for bit.
#include <cstring>

#include <gtest/gtest.h>

#include <graft/io/adapter.hpp>
#include <graft/ops/sum.hpp>
#include <graft/optim/adamw.hpp>

#include "generate/adaptations.hpp"
#include "io/temporary_folder.hpp"

namespace {

using namespace graft;
using graft::testing::random_base;

template <class T>
bool same_bits(Tensor<T> const& a, Tensor<T> const& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

Batch small_batch() {
  return pack({{{3, 1, 4, 1, 5}, {9, 2, 6}, 0}, {{5, 3}, {5, 8, 9, 7}, 1}, {{2, 7, 1}, {8, 2}, 2}});
}

template <class Model>
Tensor<double> logits_of(Model& model) {
  NoGrad no_grad;
  return model.logits(small_batch()).value();
}

/// All numbers of a base.
template <class Base>
std::vector<Tensor<double>> snapshot(Base const& base) {
  std::vector<Tensor<double>> all;
  for (auto const& site : base->info().sites)
    for (auto part : {Part::weight, Part::bias}) all.push_back(copy_weight(*base, site.address, part));
  return all;
}

template <class Model>
void train_a_little(Model& model, std::string const& name) {
  AdamW<double> optimizer(model.parameters(), {.weight_decay = 0.0});
  auto const batch = small_batch();
  for (int step = 0; step < 3; ++step) {
    auto const loss =
        weighted_sum(model.scores(batch).log_probability,
                     full(Shape{batch.rows.targets.size()}, -1.0 / static_cast<double>(batch.rows.targets.size())));
    backward(loss);
    std::vector<Tensor<double>> before;
    for (auto* parameter : model.parameters()) {
      EXPECT_TRUE(parameter->has_gradient()) << name << ": no gradient reaches " << parameter->name();
      before.push_back(clone(parameter->value()));
    }
    optimizer.step(0.01);
    for (std::size_t i = 0; i < before.size(); ++i) {
      auto const* parameter = model.parameters()[i];
      Index stuck = 0, moved = 0;
      for (Index k = 0; parameter->has_gradient() && k < before[i].size(); ++k) {
        bool const moves = parameter->value().data()[k] != before[i].data()[k];
        stuck += !moves && std::abs(parameter->gradient().data()[k]) > 1e-12;
        moved += moves;
      }
      EXPECT_EQ(stuck, 0) << name << ": numbers of " << parameter->name() << " that have a gradient and stay";
      EXPECT_GT(moved, 0) << name << ": " << parameter->name();
    }
    optimizer.clear_gradients();
  }
}

template <class Model>
void check_frozen_base(Model& model, std::string const& name) {
  auto const before = snapshot(model.base());
  auto plain = adapt(model.base(), NoAdaptation{});
  auto const base_logits = logits_of(plain);
  train_a_little(model, name);
  auto const after = snapshot(model.base());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(same_bits(before[i], after[i])) << name << ": the base changed";
  auto const trained = logits_of(model);
  EXPECT_FALSE(same_bits(trained, base_logits)) << name;
  model.enable(false);
  EXPECT_TRUE(same_bits(logits_of(model), base_logits)) << name << ": disabled is not the base";
  model.enable(true);
  EXPECT_TRUE(same_bits(logits_of(model), trained)) << name << ": enabled again is not what was trained";
}

template <class Model>
void check_round_trip(Model& model, std::string const& name) {
  using Adaptation = typename Model::adaptation_type;
  graft_test::TemporaryFolder const folder;
  save_adapter(model, folder / "first");
  EXPECT_EQ(adapter_kind(folder / "first"), Adaptation::name) << name;
  auto loaded = load_adapter<Adaptation>(model.base(), folder / "first");
  EXPECT_EQ(loaded.base(), model.base());
  EXPECT_TRUE(same_bits(logits_of(loaded), logits_of(model))) << name;
  auto const saved = adapter_tensors<Adaptation, double, Cpu>(model.state()),
             read = adapter_tensors<Adaptation, double, Cpu>(loaded.state());
  ASSERT_EQ(saved.size(), read.size()) << name;
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_EQ(saved[i].name, read[i].name);
    EXPECT_TRUE(same_bits(saved[i].values, read[i].values)) << name << ": " << saved[i].name;
  }
  save_adapter(loaded, folder / "second");
  using graft_test::contents_of;
  EXPECT_TRUE(contents_of(folder / "first" / "adapter_model.safetensors") ==
              contents_of(folder / "second" / "adapter_model.safetensors"))
      << name;
  auto const third = load_adapter<Adaptation>(model.base(), folder / "second");
  save_adapter(third, folder / "third");
  EXPECT_EQ(contents_of(folder / "second" / "adapter_config.json"),
            contents_of(folder / "third" / "adapter_config.json"))
      << name;
  auto const config = read_json(folder / "first" / "adapter_config.json");
  EXPECT_NE(config.contains("peft_type"), config.contains("graft_type")) << name;
  train_a_little(loaded, name + " (loaded)");  // what was loaded can be trained on
  EXPECT_FALSE(same_bits(logits_of(loaded), logits_of(model))) << name;
}

template <class Model>
void check(Model& model, std::string const& name) {
  if constexpr (!std::is_same_v<typename Model::adaptation_type, NoAdaptation>) {
    check_frozen_base(model, name);
    check_round_trip(model, name);
  }
}

bool written_for_peft(auto const& settings) {
  graft_test::TemporaryFolder const folder;
  save_adapter(adapt(random_base<Gpt2>(), settings), folder.path());
  return read_json(folder / "adapter_config.json").contains("peft_type");
}

}  // namespace

TEST(Strategies, TrainedAloneAndSavedBitwise) {
  graft::testing::each_adaptation<Gpt2>([](auto& model, std::string const& name) { check(model, name); });
}

TEST(Strategies, OtherSettings) {
  auto const run = [](auto const& settings, std::string const& name) {
    auto model = graft::testing::random_model<Gpt2>(settings);
    check_round_trip(model, name);
    if (name.find("MLP") == std::string::npos) {
      graft_test::TemporaryFolder const folder;
      save_adapter(model, folder.path());
      auto const read =
          read_adapter_settings<typename std::remove_reference_t<decltype(model)>::adaptation_type>(folder.path());
      bool const own = !AdapterFolder::open(folder.path()).is_peft();
      if (own) {
        EXPECT_EQ(settings_json(read), settings_json(settings)) << name;
      }
    }
  };
  run(InfixTuning{.length = 2,
                  .reparametrization = Mlp{.hidden = 5, .input = 3, .layer_norm = true},
                  .init = Init::words,
                  .init_words = {{3}, {4, 5}}},
      "infix from words, MLP with layer norm");
  run(EmbeddingOnly{.length = 2, .reparametrization = Mlp{.hidden = 4}}, "embedding-only, MLP");
  run(EmbeddingOnly{.length = 2,
                    .place = Place::infix,
                    .init = Init::words,
                    .init_words = {{7}},
                    .positions = PositionPolicy::keep},
      "embedding-only, infix, positions kept");
  run(BottleneckAdapter{.share = 0.1, .placement = AdapterPlacement::pfeiffer, .activation = Activation::relu},
      "adapter by its share");
  run(IA3{.targets = {"attn.c_proj"}, .feed_forward_targets = {"transformer.h.1.mlp.c_fc"}}, "(IA)³ of chosen modules");
  run(
      ParallelAdapter{
          .bottleneck = 2, .placement = ParallelPlacement::attention, .activation = Activation::gelu, .scale = 0.5},
      "parallel adapter beside attention");
  run(PTuning{.length = 3, .encoder = PromptEncoderKind::lstm, .hidden = 2, .dropout = 0.1, .submodules = 2},
      "P-tuning with rows to spare, MLP");
  run(compose(PTuning{.length = 3, .hidden = 2}, IA3{}), "P-tuning and (IA)³, MLP");
  run(LoRA{.rank = 3,
           .alpha = 4.5,
           .targets = {"attn.c_proj", "transformer.h.1.mlp.c_fc"},
           .dropout = 0.1,
           .rank_stabilized = true},
      "LoRA of chosen modules");
}

TEST(Strategies, PeftsFormatWherePeftHasOne) {
  EXPECT_TRUE(written_for_peft(PrefixTuning{.length = 2, .reparametrization = Mlp{.hidden = 3}, .dropout = 0.1}));
  EXPECT_TRUE(written_for_peft(PrefixTuning{.length = 2, .layers = {0, 1, 2}}));
  EXPECT_FALSE(written_for_peft(PrefixTuning{.length = 2, .layers = {1, 2}}));
  EXPECT_FALSE(written_for_peft(PrefixTuning{.length = 2, .positions = PositionPolicy::keep}));
  EXPECT_TRUE(written_for_peft(PromptTuning{.length = 2}));
  EXPECT_FALSE(written_for_peft(PromptTuning{.length = 2, .positions = PositionPolicy::keep}));
  EXPECT_FALSE(written_for_peft(PromptTuning{.length = 2, .place = Place::infix}));
  EXPECT_TRUE(written_for_peft(LoRA{.rank = 2}));
  EXPECT_TRUE(written_for_peft(IA3{}));
  EXPECT_TRUE(written_for_peft(PTuning{.length = 2}));
  EXPECT_FALSE(written_for_peft(ParallelAdapter{.bottleneck = 2}));
  EXPECT_FALSE(written_for_peft(InfixTuning{.length = 2}));
  EXPECT_FALSE(written_for_peft(EmbeddingOnly{.length = 2}));
}

TEST(Strategies, LoRASettingsComeBackFromPeft) {
  graft_test::TemporaryFolder const folder;
  save_adapter(adapt(random_base<Llama>(), LoRA{.rank = 3, .alpha = 4.5, .dropout = 0.1, .rank_stabilized = true}),
               folder.path());
  auto const read = read_adapter_settings<LoRA>(folder.path());
  EXPECT_EQ(read.rank, 3);
  EXPECT_EQ(read.alpha, 4.5);
  EXPECT_EQ(read.dropout, 0.1);
  EXPECT_TRUE(read.rank_stabilized);
  EXPECT_EQ(read.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
  EXPECT_FALSE(read_json(folder / "adapter_config.json").at("fan_in_fan_out").get<bool>());
}

TEST(Strategies, IA3NamesItsModulesForPeft) {
  auto const names = [](auto const& base, IA3 const& settings) {
    graft_test::TemporaryFolder const folder;
    save_adapter(adapt(base, settings), folder.path());
    auto const config = read_json(folder / "adapter_config.json");
    return config.at("target_modules").dump() + " " + config.at("feedforward_modules").dump();
  };
  EXPECT_EQ(names(random_base<Gpt2>(), {}), R"(["c_attn","mlp.c_proj"] ["mlp.c_proj"])")
      << "c_proj alone would mean attention's too";
  EXPECT_EQ(names(random_base<Llama>(), {}), R"(["k_proj","v_proj","down_proj"] ["down_proj"])");
  EXPECT_EQ(names(random_base<Llama>(), {.targets = {"q_proj"}, .feed_forward_targets = {"up_proj"}}),
            R"(["q_proj","up_proj"] ["up_proj"])");
}

TEST(Strategies, VisitedByKind) {
  graft_test::TemporaryFolder const folder;
  auto const base = random_base<Gpt2>();
  save_adapter(adapt(base, InfixTuning{.length = 2}), folder.path());
  std::string seen;
  visit_adapter<PrefixTuning, InfixTuning, LoRA>(base, folder.path(), [&](auto const& model) {
    seen = std::remove_cvref_t<decltype(model)>::adaptation_type::name;
  });
  EXPECT_EQ(seen, "infix_tuning");
  EXPECT_THROW((visit_adapter<PrefixTuning, LoRA>(base, folder.path(), [](auto const&) {})), FileError);
}

TEST(Strategies, CompositionsAreVisitedByTheirParts) {
  graft_test::TemporaryFolder const folder;
  auto const base = random_base<Gpt2>();
  using WithLoRA = Composed<PrefixTuning, LoRA>;
  using Mam = Composed<PrefixTuning, ParallelAdapter>;
  save_adapter(adapt(base, mam({.length = 2}, {.bottleneck = 3})), folder.path());
  bool seen = false;
  visit_adapter<WithLoRA, Mam>(base, folder.path(), [&](auto const& model) {
    seen = std::is_same_v<typename std::remove_cvref_t<decltype(model)>::adaptation_type, Mam>;
  });
  EXPECT_TRUE(seen);
  try {
    visit_adapter<LoRA, WithLoRA>(base, folder.path(), [](auto const&) {});
    ADD_FAILURE() << "accepted";
  } catch (FileError const& error) {
    EXPECT_NE(std::string(error.what()).find("expected one of lora, composed(prefix_tuning, lora)"), std::string::npos)
        << error.what();
  }
}
