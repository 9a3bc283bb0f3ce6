#include "outcome.hpp"

#include <graft/generate/generate.hpp>
#include <graft/train/trainer.hpp>

#include "model/small_model.hpp"

namespace whole {

using namespace graft;

template <class Scalar, class Device>
TrainingReport train(any::ErasedTrainable<Scalar, Device>& model, Plan const& plan) {
  return Trainer(plan.training).fit(model, plan.examples);
}

template <class Scalar, class Device>
std::vector<Generations> texts(any::ErasedTransformer<Scalar, Device> const& model, Plan const& plan) {
  std::vector<std::vector<Token>> const prompts{{3, 14, 15, 9, 2}, {6, 5}, {8, 9, 7, 9, 3, 2, 3}};
  std::vector<Generations> all;
  auto const write = [&](auto const& writing) {
    all.push_back(generate(writing, prompts, Greedy{.max_new_tokens = 4, .adapters = plan.adapters}));
    if (!plan.searches) return;
    std::vector<std::vector<Token>> alike(3, std::vector<Token>(33, 4));  // all but the last token is computed once
    for (std::size_t p = 0; p < alike.size(); ++p) alike[p].back() = prompts[p].front();
    all.push_back(generate(writing, alike, Greedy{.max_new_tokens = 4, .adapters = plan.adapters}));
    all.push_back(generate(writing, prompts, BeamSearch{.max_new_tokens = 4, .adapters = plan.adapters, .beams = 3}));
    all.push_back(generate(writing, prompts,
                           Sampling{.max_new_tokens = 4,
                                    .adapters = plan.adapters,
                                    .temperature = 0.8,
                                    .top_k = 20,
                                    .seed = 3,
                                    .sequences = 2}));
    all.push_back(generate(writing, prompts,
                           Sampling{.max_new_tokens = 4,
                                    .adapters = plan.adapters,
                                    .temperature = 1.2,
                                    .top_p = 0.9,
                                    .min_p = 0.01,
                                    .seed = 4,
                                    .sequences = 2}));
  };
  if (model.info().main().crosses)
    write(any::Writing<true, Scalar, Device>(model));
  else if (!model.info().classifies)
    write(any::Writing<false, Scalar, Device>(model));
  return all;
}

template <class Scalar, class Device>
Generations sampled(any::ErasedTransformer<Scalar, Device> const& model, Sampling const& settings) {
  std::vector<std::vector<Token>> const prompts{{3, 14, 15}, {6, 5}};
  if (model.info().main().crosses) return generate(any::Writing<true, Scalar, Device>(model), prompts, settings);
  return generate(any::Writing<false, Scalar, Device>(model), prompts, settings);
}

template <class Scalar, class Device>
Outcome<Scalar> outcome(any::ErasedTransformer<Scalar, Device>& model, Plan const& plan) {
  Outcome<Scalar> result;
  if (plan.training.steps > 0)
    for (auto const& step : train<Scalar, Device>(model, plan).steps) {
      result.losses.push_back(step.loss);
      result.norms.push_back(step.gradient_norm);
    }
  for (auto const* parameter : model.parameters())
    result.parameters.emplace_back(parameter->name(), to_device<Cpu>(parameter->value()));
  Batch batch;
  for (auto const& example : plan.examples) model.append(batch, example);
  NoGrad const no_grad;
  result.logits = to_device<Cpu>(model.logits(model.info().classifies ? batch : small::every_token(batch)).value());
  result.texts = texts(model, plan);
  return result;
}

template TrainingReport train(any::ErasedTrainable<float, Cuda>&, Plan const&);  // of bfloat16, too
template Generations sampled(any::ErasedTransformer<float, Cuda> const&, Sampling const&);
template Outcome<float> outcome(any::ErasedTransformer<float, Cpu>&, Plan const&);
template Outcome<float> outcome(any::ErasedTransformer<float, Cuda>&, Plan const&);
template Outcome<double> outcome(any::ErasedTransformer<double, Cpu>&, Plan const&);
template Outcome<double> outcome(any::ErasedTransformer<double, Cuda>&, Plan const&);

}  // namespace whole
