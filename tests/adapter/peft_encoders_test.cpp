// Adapters of encoder–decoders and classifiers that graft writes, loaded by PEFT itself: the same logits, and what is
// not PEFT's is refused.
#include <cstdlib>

#include <gtest/gtest.h>

#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/io/adapter.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/t5.hpp>

#include "io/temporary_folder.hpp"
#include "peft_python.hpp"

namespace {

using namespace graft;
using peft_python::entry_of;
namespace fs = std::filesystem;

/// An adapter as after training, its folder and the logits at every target: of the decoder's tokens, or of the classes.
template <Architecture A, class Adaptation>
void write_case(Base<A, double> const& base, fs::path const& folder, Adaptation const& settings) {
  auto model = adapt(base, settings, 3);
  for (auto* parameter : model.parameters()) {
    auto value = parameter->mutable_value();
    auto const noise = normal<double>(value.shape(), RandomKey(8).with(parameter->name()), 0.2);
    for (Index i = 0; i < value.size(); ++i) value.data()[i] += noise.data()[i];
  }
  AdapterOptions options;
  options.base_model = "";
  save_adapter(model, folder, options);
  Batch batch;
  if constexpr (A::head == HeadKind::classifier)
    model.append(batch, {{3, 1, 4, 1, 5, 9, 2, 6}, {1}, 0});
  else
    model.append(batch, {{3, 1, 4, 1, 5, 9, 2, 6}, {7, 8, 5, 4}, 0});
  NoGrad no_grad;
  save_safetensors(folder / "logits.safetensors", {entry_of("logits", model.logits(batch).value())});
}

template <Architecture A>
void write_sequence_to_sequence(fs::path const& folder) {
  auto const base = load_pretrained<A, double>(folder / "model");
  write_case(base, folder / "accepted" / "prefix",
             PrefixTuning{.length = 3, .positions = PositionPolicy::shift, .scope = PrefixScope::peft_decoder});
  write_case(base, folder / "accepted" / "prompt",
             PromptTuning{.length = 4, .submodules = 2, .positions = PositionPolicy::shift});
  write_case(base, folder / "accepted" / "lora", LoRA{.rank = 2});
  write_case(base, folder / "accepted" / "ia3", IA3{});
  write_case(base, folder / "accepted" / "p_tuning", PTuning{.length = 3, .hidden = 5});
  write_case(base, folder / "refused" / "three_way_prefix", PrefixTuning{.length = 3});
  write_case(base, folder / "refused" / "infix", InfixTuning{.length = 3});
}

template <Architecture A>
void write_classifier(fs::path const& folder) {
  auto const base = load_pretrained<A, double>(folder / "model");
  ClassificationHead const head{};
  write_case(base, folder / "accepted" / "prefix", compose(PrefixTuning{.length = 3}, head));
  write_case(base, folder / "accepted" / "prompt", compose(PromptTuning{.length = 4}, head));
  write_case(base, folder / "accepted" / "lora", compose(LoRA{.rank = 2}, head));
  write_case(base, folder / "accepted" / "ia3", compose(IA3{}, head));
  write_case(base, folder / "accepted" / "p_tuning", compose(PTuning{.length = 3, .hidden = 5}, head));
  write_case(base, folder / "refused" / "adapter", compose(BottleneckAdapter{.bottleneck = 4}, head));
}

}  // namespace

TEST(PeftEncoders, LoadsWhatGraftWrites) {
  std::string python, why;
  if (!peft_python::find(python, why)) GTEST_SKIP() << why;
  graft_test::TemporaryFolder const root;
  ASSERT_EQ(peft_python::run(python, "peft_models.py", root.path(), root / "log"), 0)
      << graft_test::contents_of(root / "log");
  write_sequence_to_sequence<T5>(root / "t5");
  write_sequence_to_sequence<T5v11>(root / "t5_v1_1");
  write_sequence_to_sequence<Bart>(root / "bart");
  write_classifier<Bert>(root / "bert");
  write_classifier<Roberta>(root / "roberta");
  int const status = peft_python::run(python, "peft_check.py", root.path(), root / "log");
  std::string const log = graft_test::contents_of(root / "log");
  EXPECT_EQ(status, 0) << log;
  EXPECT_NE(log.find("33 adapters checked"), std::string::npos) << log;
}
