// Which strategies go with which architectures: the table of docs/architectures.md is made here and compared.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/compatible.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

#include "model/small_model.hpp"

namespace {

/// "yes", or the number of the footnote.
template <class A, class Settings>
std::string cell(Settings const& settings) {
  if constexpr (graft::needs_target<Settings>() && A::stacks == graft::StackKind::encoder) {
    return "– ²";
  } else {
    static_assert(graft::detail::compatible<A, Settings, double, graft::Cpu>());
    try {
      auto const base = small::base<A, double>();
      (void)graft::StateOf<Settings, double, graft::Cpu>(
          settings, base->info(), graft::access<A, double, graft::Cpu>(base), graft::RandomKey());
      return "yes";
    } catch (graft::ConfigError const& error) {
      std::string const why = error.what();
      return why.find("without biases") != std::string::npos ? "– ¹" : why;
    }
  }
}

template <class Settings>
std::string row(std::string const& page, std::string const& name, Settings const& settings) {
  using namespace graft;
  return "| [" + name + "](strategies/" + page + ".md) | " + cell<Gpt2>(settings) + " | " + cell<Llama>(settings) +
         " | " + cell<T5>(settings) + " | " + cell<T5v11>(settings) + " | " + cell<Bart>(settings) + " | " +
         cell<Bert>(settings) + " | " + cell<Roberta>(settings) + " |\n";
}

std::string matrix() {
  using namespace graft;
  return "| | GPT-2 | LLaMA | T5 | T5 1.1 | BART | BERT | RoBERTa |\n|-|-|-|-|-|-|-|-|\n" +
         row("prefix_tuning", "prefix", PrefixTuning{.length = 2}) +
         row("prefix_tuning", "prefix + MLP", PrefixTuning{.length = 2, .reparametrization = Mlp{.hidden = 3}}) +
         row("prompt_tuning", "prompt", PromptTuning{.length = 2}) + row("p_tuning", "P-tuning", PTuning{.length = 2}) +
         row("infix_tuning", "infix", InfixTuning{.length = 2}) +
         row("embedding_only", "embedding-only", EmbeddingOnly{.length = 2}) + row("lora", "LoRA", LoRA{.rank = 2}) +
         row("ia3", "(IA)³", IA3{}) +
         row("bottleneck_adapter", "bottleneck adapter", BottleneckAdapter{.bottleneck = 2}) +
         row("parallel_adapter", "parallel adapter", ParallelAdapter{.bottleneck = 2}) +
         row("bitfit", "BitFit", BitFit{}) + row("top_layers", "top layers", TopLayers{.layers = 1}) +
         row("full_fine_tuning", "full fine-tuning", FullFineTuning{});
}

TEST(Matrix, StandsInTheDocumentation) {
  std::ifstream file(std::string(GRAFT_SOURCE_DIR) + "/docs/architectures.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string const begin = "<!-- matrix -->\n", end = "<!-- end of matrix -->";
  auto const first = text.str().find(begin), last = text.str().find(end);
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(last, std::string::npos);
  EXPECT_EQ(text.str().substr(first + begin.size(), last - first - begin.size()), matrix())
      << "put this table into docs/architectures.md";
}

}  // namespace
