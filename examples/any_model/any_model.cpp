// Training, evaluation and generation of whatever model, compiled once.
#include "any_model.hpp"

#include <numeric>
#include <utility>

#include <graft/generate/generate.hpp>
#include <graft/io/enum_names.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/train/batches.hpp>
#include <graft/train/classify.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/trainer.hpp>

#include "erased_model.hpp"
#include "method_settings.hpp"

namespace any_model {

struct AnyModel::Parts {
  std::unique_ptr<ErasedModel> model;
  std::unique_ptr<graft::AdamW<float>> optimizer;  ///< of `step`
};

AnyModel::AnyModel(std::unique_ptr<ErasedModel> model) : parts_(std::make_unique<Parts>()) {
  parts_->model = std::move(model);
}
AnyModel::~AnyModel() = default;

graft::ModelConfig const& AnyModel::config() const { return parts_->model->config(); }
graft::ParameterCounts AnyModel::parameter_counts() { return parts_->model->parameter_counts(); }
graft::RowLimits AnyModel::row_limits() { return graft::RowLimits(*parts_->model); }
std::vector<std::pair<std::string, graft::Shape>> AnyModel::parameters() {
  std::vector<std::pair<std::string, graft::Shape>> all;
  for (auto const* parameter : parts_->model->parameters())
    all.emplace_back(parameter->name(), parameter->value().shape());
  return all;
}

graft::TrainingReport AnyModel::fit(graft::Training const& settings, std::vector<graft::TokenizedExample> training,
                                    std::vector<graft::TokenizedExample> validation) {
  return graft::Trainer(settings).fit(*parts_->model, std::move(training), std::move(validation));
}

double AnyModel::step(std::vector<graft::TokenizedExample> const& examples, double learning_rate,
                      graft::Index max_tokens) {
  auto& model = *parts_->model;
  auto& optimizer = parts_->optimizer;
  if (!optimizer) optimizer = std::make_unique<graft::AdamW<float>>(model.parameters());
  std::vector<graft::Index> all(examples.size());
  std::iota(all.begin(), all.end(), graft::Index{0});
  double targets = 0, loss = 0;
  for (auto const& example : examples) targets += static_cast<double>(example.target.size());
  for (auto const& pass : graft::divide_by_length(all, graft::row_lengths(examples),
                                                  static_cast<graft::Index>(examples.size()), max_tokens)) {
    graft::Batch batch = graft::pack_selected(model, examples, pass);
    batch.rows.training = true;
    auto const part = graft::token_loss(model.scores(batch), batch.rows.targets, targets);
    graft::backward(part);
    loss += static_cast<double>(part.value().data()[0]);
  }
  optimizer->step(learning_rate);
  optimizer->clear_gradients();
  return loss;
}

double AnyModel::loss(std::vector<graft::TokenizedExample> const& examples) {
  return graft::evaluate_loss(*parts_->model, examples);
}

graft::Generations AnyModel::generate(std::vector<std::vector<graft::Token>> const& prompts,
                                      GenerationSettings const& settings, graft::Index at_once) {
  auto& model = *parts_->model;
  if (model.info().classifies)
    graft::fail<graft::ConfigError>(
        "[generate] got a ", config().architecture,
        " model, which classifies; expected one that writes text; hint: the program classify");
  auto const write = [&](auto writing) {
    return std::visit([&](auto const& chosen) { return graft::generate(writing, prompts, chosen, at_once); }, settings);
  };
  return model.info().main().crosses ? write(Writing<true>(model)) : write(Writing<false>(model));
}

std::vector<graft::Token> AnyModel::classify(std::vector<graft::TokenizedExample> const& examples,
                                             graft::Index at_once) {
  if (!parts_->model->info().classifies)
    graft::fail<graft::ConfigError>("[classify] got a ", config().architecture,
                                    " model, which writes text; expected an encoder (bert, roberta)");
  return graft::classify(*parts_->model, examples, at_once);
}

graft::Inspection AnyModel::inspect(graft::TokenizedExample const& example,
                                    graft::InspectSettings const& settings) const {
  graft::Batch batch;
  parts_->model->append(batch, example);
  return parts_->model->inspect(batch, settings);
}
std::vector<graft::VirtualTokenWords> AnyModel::nearest_words(graft::Index count) const {
  return parts_->model->nearest_words(count);
}

void AnyModel::save(std::filesystem::path const& folder, graft::AdapterOptions const& options) {
  parts_->model->save(folder, options);
}
void AnyModel::save_merged(std::filesystem::path const& folder) { parts_->model->save_merged(folder); }

SettingUse setting_use(Method const& method, graft::ModelInfo const& model) {
  MethodReader reader(method);
  auto const ignore = [](auto const&) {};
  model.classifies ? visit_settings<true>(reader, model, ignore) : visit_settings<false>(reader, model, ignore);
  return reader.use();
}

template <class Enum>
static std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (auto const& value : graft::EnumNames<Enum>::values) names.emplace_back(value.second);
  return names;
}

MethodChoices const& method_choices() {
  static MethodChoices const choices{names_of<graft::Init>(),        names_of<graft::AdapterPlacement>(),
                                     names_of<graft::PrefixScope>(), names_of<graft::PositionPolicy>(),
                                     names_of<graft::Side>(),        names_of<graft::Place>()};
  return choices;
}

}  // namespace any_model
