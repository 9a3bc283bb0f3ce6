/// @file
/// @brief The one template behind `AnyModel`: training, evaluation and generation of whatever model, compiled once for
/// each device and type of numbers.
#pragma once

#include <memory>
#include <numeric>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/any/any_model.hpp>
#include <graft/any/erased_model.hpp>
#include <graft/any/placement_of.hpp>
#include <graft/generate/generate.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/train/batches.hpp>
#include <graft/train/classify.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/trainer.hpp>

namespace graft::any {

template <class Activation, class Device>
class AnyModelOf final : public AnyModel {
  using Model = ErasedModelOf<Activation, Device>;

 public:
  explicit AnyModelOf(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  Placement placement() const override { return placement_of<Activation, Device>; }
  ModelConfig const& config() const override { return model_->config(); }
  nlohmann::json identity() const override { return model_->identity(); }
  ParameterCounts parameter_counts() override { return model_->parameter_counts(); }
  RowLimits row_limits() override { return RowLimits(*model_); }
  std::vector<std::pair<std::string, Shape>> parameters() override {
    std::vector<std::pair<std::string, Shape>> all;
    for (auto const* parameter : model_->parameters()) all.emplace_back(parameter->name(), parameter->value().shape());
    return all;
  }

  TrainingReport fit(Training const& settings, std::vector<TokenizedExample> training,
                     std::vector<TokenizedExample> validation) override {
    return Trainer(settings).fit(*model_, std::move(training), std::move(validation));
  }
  double step(std::vector<TokenizedExample> const& examples, double learning_rate, Index max_tokens) override {
    auto& model = *model_;
    if (!optimizer_) optimizer_ = std::make_unique<Optimizer>(model.parameters());
    std::vector<Index> all(examples.size());
    std::iota(all.begin(), all.end(), Index{0});
    double targets = 0, loss = 0;
    for (auto const& example : examples) targets += static_cast<double>(example.target.size());
    for (auto const& pass :
         divide_by_length(all, row_lengths(examples), static_cast<Index>(examples.size()), max_tokens)) {
      Batch batch = pack_selected(model, examples, pass);
      batch.rows.training = true;
      auto const part = token_loss(model.scores(batch), batch.rows.targets, targets);
      backward(part);
      loss += static_cast<double>(*downloaded(part.value()).data());
    }
    optimizer_->step(learning_rate);
    optimizer_->clear_gradients();
    return loss;
  }
  double loss(std::vector<TokenizedExample> const& examples) override { return evaluate_loss(*model_, examples); }

  Generations generate(std::vector<std::vector<Token>> const& prompts, GenerationSettings const& settings,
                       Index at_once) override {
    auto& model = *model_;
    if (model.info().classifies)
      fail<ConfigError>("[generate] got a ", config().architecture,
                        " model, which classifies; expected one that writes text; hint: the program classify");
    auto const write = [&](auto writing) {
      return std::visit([&](auto const& chosen) { return graft::generate(writing, prompts, chosen, at_once); },
                        settings);
    };
    return model.info().main().crosses ? write(Writing<true, Activation, Device>(model))
                                       : write(Writing<false, Activation, Device>(model));
  }
  std::vector<Token> classify(std::vector<TokenizedExample> const& examples, Index at_once) override {
    if (!model_->info().classifies)
      fail<ConfigError>("[classify] got a ", config().architecture,
                        " model, which writes text; expected an encoder (bert, roberta)");
    return graft::classify(*model_, examples, at_once);
  }

  Inspection inspect(TokenizedExample const& example, InspectSettings const& settings) const override {
    Batch batch;
    model_->append(batch, example);
    return model_->inspect(batch, settings);
  }
  std::vector<VirtualTokenWords> nearest_words(Index count) const override { return model_->nearest_words(count); }
  void save(std::filesystem::path const& folder, AdapterOptions const& options) override {
    model_->save(folder, options);
  }
  void save_merged(std::filesystem::path const& folder) override { model_->save_merged(folder); }

  [[nodiscard]] Model& model() { return *model_; }

 private:
  using Optimizer = AdamW<ParameterOf<Activation>, Device>;

  std::unique_ptr<Model> model_;
  std::unique_ptr<Optimizer> optimizer_;  ///< of `step`
};

template <class Activation, class Device>
std::unique_ptr<AnyModel> make_model(std::unique_ptr<ErasedModelOf<Activation, Device>> model) {
  return std::make_unique<AnyModelOf<Activation, Device>>(std::move(model));
}

template <class Activation, class Device>
ErasedModelOf<Activation, Device>& erased_as(AnyModel& model) {
  auto* const found = dynamic_cast<AnyModelOf<Activation, Device>*>(&model);
  if (!found)
    fail<ConfigError>("[erased_as] got a model on ", to_string(model.placement()), "; expected one on ",
                      to_string(placement_of<Activation, Device>));
  return found->model();
}

}  // namespace graft::any
