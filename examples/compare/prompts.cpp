#include "prompts.hpp"

#include <string>

namespace compare {

namespace {

/// Examples spread over the training set as lines `source -> target`, as many as leave room.
std::string demonstrations(Task const& task, graft::Template const& form, Examples const& examples, graft::Tokenizer const& tokenizer,
                           Index positions) {
  std::string text;
  Index const room = positions / 2;
  auto const count = static_cast<std::size_t>(task.shots);
  for (std::size_t i = 0; i < count && i < examples.training.size(); ++i) {
    auto const& example = examples.training[i * examples.training.size() / count];
    std::string const longer = text + example.source + form.separator + form.target_prefix + example.target + "\n";
    if (static_cast<Index>(tokenizer.encode(longer).size()) > room) break;
    text = longer;
  }
  return text;
}

Prompts few_shot_prompts(Task const& task, graft::Template const& form, Examples const& examples, graft::Tokenizer const& tokenizer,
                         Index positions) {
  std::string const context = demonstrations(task, form, examples, tokenizer, positions);
  Prompts prompts;
  for (auto const& example : examples.validation)
    prompts.validation.push_back({tokenizer.encode(context + example.source + form.separator),
                                  tokenizer.encode(form.target_prefix + example.target + "\n"), prompts.validation.size()});
  for (auto const& example : examples.test) prompts.test.push_back(tokenizer.encode(context + example.source + form.separator));
  prompts.end_tokens = {tokenizer.encode(".\n").back()};
  if (auto const end = tokenizer.special_tokens().eos) prompts.end_tokens.push_back(*end);
  return prompts;
}

}  // namespace

Prompts make_prompts(Request const& request, Examples const& examples, graft::Tokenizer const& tokenizer, Index positions) {
  auto const& task = request.task;
  graft::Template form;
  form.separator = task.separator;
  if (request.method == few_shot) return few_shot_prompts(task, form, examples, tokenizer, positions);
  graft::TemplateEncoder const encoder(tokenizer, form, {task.max_source, task.max_target});
  Prompts prompts;
  if (is_trained(request.method)) prompts.training = encoder.encode(examples.training, prompts.cut);
  prompts.validation = encoder.encode(examples.validation, prompts.cut);
  for (auto const& example : examples.test) prompts.test.push_back(encoder.source(example.source));
  prompts.end_tokens = {encoder.end_token()};
  return prompts;
}

}  // namespace compare
