// Training, evaluation and generation of whatever model, compiled once.
#include <graft/any/any_model.hpp>

#include <numeric>
#include <utility>

#include <nlohmann/json.hpp>

#include <graft/any/erased_model.hpp>
#include <graft/generate/generate.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/train/batches.hpp>
#include <graft/train/classify.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/trainer.hpp>

namespace graft::any {

struct AnyModel::Parts {
  std::unique_ptr<ErasedModel> model;
  std::unique_ptr<AdamW<float>> optimizer;  ///< of `step`
};

AnyModel::AnyModel(std::unique_ptr<ErasedModel> model) : parts_(std::make_unique<Parts>()) {
  parts_->model = std::move(model);
}
AnyModel::~AnyModel() = default;

ModelConfig const& AnyModel::config() const { return parts_->model->config(); }
nlohmann::json AnyModel::identity() const { return parts_->model->identity(); }
ParameterCounts AnyModel::parameter_counts() { return parts_->model->parameter_counts(); }
RowLimits AnyModel::row_limits() { return RowLimits(*parts_->model); }
std::vector<std::pair<std::string, Shape>> AnyModel::parameters() {
  std::vector<std::pair<std::string, Shape>> all;
  for (auto const* parameter : parts_->model->parameters())
    all.emplace_back(parameter->name(), parameter->value().shape());
  return all;
}

TrainingReport AnyModel::fit(Training const& settings, std::vector<TokenizedExample> training,
                             std::vector<TokenizedExample> validation) {
  return Trainer(settings).fit(*parts_->model, std::move(training), std::move(validation));
}

double AnyModel::step(std::vector<TokenizedExample> const& examples, double learning_rate, Index max_tokens) {
  auto& model = *parts_->model;
  auto& optimizer = parts_->optimizer;
  if (!optimizer) optimizer = std::make_unique<AdamW<float>>(model.parameters());
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
    loss += static_cast<double>(part.value().data()[0]);
  }
  optimizer->step(learning_rate);
  optimizer->clear_gradients();
  return loss;
}

double AnyModel::loss(std::vector<TokenizedExample> const& examples) { return evaluate_loss(*parts_->model, examples); }

Generations AnyModel::generate(std::vector<std::vector<Token>> const& prompts, GenerationSettings const& settings,
                               Index at_once) {
  auto& model = *parts_->model;
  if (model.info().classifies)
    fail<ConfigError>("[generate] got a ", config().architecture,
                      " model, which classifies; expected one that writes text; hint: the program classify");
  auto const write = [&](auto writing) {
    return std::visit([&](auto const& chosen) { return graft::generate(writing, prompts, chosen, at_once); }, settings);
  };
  return model.info().main().crosses ? write(Writing<true>(model)) : write(Writing<false>(model));
}

std::vector<Token> AnyModel::classify(std::vector<TokenizedExample> const& examples, Index at_once) {
  if (!parts_->model->info().classifies)
    fail<ConfigError>("[classify] got a ", config().architecture,
                      " model, which writes text; expected an encoder (bert, roberta)");
  return graft::classify(*parts_->model, examples, at_once);
}

Inspection AnyModel::inspect(TokenizedExample const& example, InspectSettings const& settings) const {
  Batch batch;
  parts_->model->append(batch, example);
  return parts_->model->inspect(batch, settings);
}
std::vector<VirtualTokenWords> AnyModel::nearest_words(Index count) const {
  return parts_->model->nearest_words(count);
}

void AnyModel::save(std::filesystem::path const& folder, AdapterOptions const& options) {
  parts_->model->save(folder, options);
}
void AnyModel::save_merged(std::filesystem::path const& folder) { parts_->model->save_merged(folder); }
ErasedModel& AnyModel::erased() { return *parts_->model; }

}  // namespace graft::any
