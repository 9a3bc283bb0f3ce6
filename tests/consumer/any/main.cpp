// A program outside graft that chooses architecture and strategy at run time: it loads a base, adapts it as a text
// says, trains a step, saves, and loads what it saved. usage: consumer MODEL [CHOICE]; without a model it writes one.
#include <graft/any/any_model.hpp>
#include <graft/any/bases.hpp>
#include <graft/io/model_config.hpp>
#include <graft/io/save_pretrained.hpp>

#include <cmath>
#include <filesystem>
#include <iostream>

namespace {

/// A tiny GPT-2 of random weights.
void write_model(std::filesystem::path const& folder) {
  nlohmann::json const config{{"model_type", "gpt2"}, {"vocab_size", 11}, {"n_embd", 8}, {"n_layer", 2},
                              {"n_head", 2},          {"n_positions", 32}};  // as config.json has it
  auto base = std::make_shared<graft::Pretrained<graft::Gpt2>>(graft::model_config(config, "config.json"));
  base->configuration = config.dump();  // what save_pretrained writes
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto& weights = base->mutable_at(site.address);
    bool const turned = site.layout == graft::Layout::in_out;
    if (site.role == graft::Role::norm)
      weights.gain = graft::full(graft::Shape{site.out}, 1.0F);
    else
      weights.matrix = {graft::normal<float>(turned ? graft::Shape{site.in, site.out} : graft::Shape{site.out, site.in},
                                             graft::RandomKey(0).with(site.name), 0.2),
                        site.layout};
    if (site.bias) weights.bias = graft::zeros<float>(graft::Shape{site.out});
  }
  graft::save_pretrained(graft::Base<graft::Gpt2>(base), folder);
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path const model = argc > 1 ? argv[1] : "consumer_model", adapter = "consumer_adapter";
  if (argc < 2) write_model(model);
  auto const choice = graft::any::parse_choice(argc > 2 ? argv[2] : "lora:rank=2:rank_stabilized=true");
  auto const base = graft::any::load_base(model);
  graft::any::check(choice, base->info());
  auto const adapted = base->adapt(choice);
  std::vector<graft::TokenizedExample> const examples{{{1, 2, 3}, {4, 5}}, {{6, 7}, {8}, 1}};
  double const before = adapted->loss(examples);
  for (int step = 0; step < 3; ++step) static_cast<void>(adapted->step(examples, 1e-2, 0));
  double const after = adapted->loss(examples);
  adapted->save(adapter);
  double const loaded = base->load(adapter)->loss(examples);
  std::cout << graft::any::to_string(choice) << ": " << before << " → " << after << ", loaded " << loaded << "\n";
  try {
    graft::any::check(graft::any::parse_choice("lora:rnk=2"), base->info());
    return 1;
  } catch (graft::ConfigError const& error) {
    std::cout << error.what() << "\n";
  }
  return after < before && std::abs(loaded - after) < 1e-5 ? 0 : 1;
} catch (graft::Error const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
