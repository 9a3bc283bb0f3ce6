// Prints the loss of a text, as the plain model and as graft compute it.
#include <cmath>
#include <cstdio>

#include <graft/io/load_pretrained.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "copy_model.hpp"
#include "support/program.hpp"

namespace {

template <graft::Architecture A>
void print_losses(graft::Base<A> const& base, std::vector<graft::Token> const& tokens) {
  auto const plain = reference::copy_model(base->config(), base->info(), [&](auto const& site, graft::Part part) {
    auto const weight = graft::copy_weight(*base, site.address, part);
    return weight.empty() ? graft::Tensor<double>() : graft::cast<double>(weight);
  });
  double const expected = reference::loss(plain, {{{tokens.begin(), tokens.end()}, 1}});
  auto const model = graft::adapt(base, graft::NoAdaptation{});
  auto const scores = model.scores(graft::pack({{{tokens[0]}, {tokens.begin() + 1, tokens.end()}}}));
  double sum = 0;
  for (graft::Index i = 0; i < scores.log_probability.value().size(); ++i)
    sum -= scores.log_probability.value().data()[i];
  double const loss = sum / static_cast<double>(tokens.size() - 1);
  support::print(graft::cat("plain ", expected, "\ngraft ", loss, "\n"));
}

}  // namespace

int main(int argc, char** argv) {
  std::string path, text;
  CLI::App app{
      "Prints the mean −log p of a text's tokens behind the first, as the plain model of this folder computes it and "
      "as "
      "graft does.\nExit status: 0, 1 (failed), 2 (usage).",
      "reference"};
  app.add_option("model", path, "GPT-2 or LLaMA: a Hugging Face folder or a GGUF file")->required();
  app.add_option("text", text, "At least two tokens")->required();
  return support::run_program(app, argc, argv, [&] {
    auto const tokens = graft::load_tokenizer(path).encode(text);
    if (tokens.size() < 2)
      graft::fail<graft::ConfigError>("[reference] got a text of ", tokens.size(),
                                      " tokens; expected at least two: the loss is taken on those behind the first");
    graft::visit_pretrained<graft::Gpt2, graft::Llama>(path, [&](auto base) { print_losses(std::move(base), tokens); });
  });
}
