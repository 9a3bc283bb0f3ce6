#include "prompts.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>

#include <graft/data/template.hpp>
#include <graft/io/load_tokenizer.hpp>

#include "support/pair_tokens.hpp"
#include "support/template_file.hpp"
#include "support/text.hpp"

namespace compare {

namespace {

using Tokenizer = std::shared_ptr<graft::Tokenizer const>;

Tokenizer tokenizer_of(Task const& task) {
  return std::make_shared<graft::Tokenizer const>(graft::load_tokenizer(task.model));
}

/// Examples spread over the training set as lines `source -> target`, as many as leave room.
std::string demonstrations(Index shots, graft::Template const& form, Examples const& examples,
                           graft::Tokenizer const& tokenizer, Index positions) {
  std::string text;
  Index const room = positions / 2;
  auto const count = static_cast<std::size_t>(shots);
  for (std::size_t i = 0; i < count && i < examples.training.size(); ++i) {
    auto const& example = examples.training[i * examples.training.size() / count];
    std::string const longer = text + example.source + form.separator + form.target_prefix + example.target + "\n";
    if (static_cast<Index>(tokenizer.encode(longer).size()) > room) break;
    text = longer;
  }
  return text;
}

Prompts few_shot_prompts(Index shots, graft::Template const& form, Examples const& examples,
                         graft::Tokenizer const& tokenizer, Index positions) {
  std::string const context = demonstrations(shots, form, examples, tokenizer, positions);
  Prompts prompts;
  for (auto const& example : examples.validation)
    prompts.validation.push_back({graft::encode_source(tokenizer, context + example.source, form),
                                  graft::encode_continuation(tokenizer, form.target_prefix + example.target + "\n"),
                                  prompts.validation.size()});
  for (auto const& test : examples.tests) {
    auto& encoded = prompts.tests.emplace_back();
    for (auto const& example : test.examples)
      encoded.push_back({graft::encode_source(tokenizer, context + example.source, form), {}, 0});
  }
  prompts.end_tokens = {tokenizer.encode(".\n").back()};
  if (auto const end = tokenizer.special_tokens().eos) prompts.end_tokens.push_back(*end);
  return prompts;
}

/// A row with examples in the context.
Prompts shown_prompts(Request const& request, graft::Template const& form, Examples const& examples, Index positions) {
  auto const tokenizer = tokenizer_of(request.task);
  Index shots = request.task.shots;
  if (auto const* const own = request.strategy.find("shots"))  // a whole number: it was checked
    static_cast<void>(std::from_chars(own->data(), own->data() + own->size(), shots));
  auto prompts = few_shot_prompts(shots, form, examples, *tokenizer, positions);
  prompts.text = [tokenizer](std::vector<graft::Token> const& tokens) {
    return support::first_line(tokenizer->decode(tokens, true));
  };  // a line break ends it
  return prompts;
}

Prompts text_prompts(Request const& request, graft::AdapterTemplate const& form, Examples const& examples) {
  auto const& task = request.task;
  std::shared_ptr<support::PairTokens const> const tokens = support::pair_tokens(task.model, form, task.max_target);
  Prompts prompts;
  graft::Truncation cut;
  if (request.trains()) prompts.training = tokens->encode(examples.training, cut);
  prompts.validation = tokens->encode(examples.validation, cut);
  prompts.cut_sources = cut.sources, prompts.cut_targets = cut.targets;
  for (auto const& test : examples.tests) {
    auto& encoded = prompts.tests.emplace_back();
    for (auto const& example : test.examples)
      encoded.push_back({tokens->source(example.source, cut), {}, encoded.size()});
  }
  prompts.end_tokens = {*tokens->end_token()};  // targets are encoded: there is one
  prompts.text = [tokens](std::vector<graft::Token> const& written) { return tokens->text(written); };
  return prompts;
}

Prompts class_prompts(Request const& request, Examples const& examples) {
  auto const tokenizer = tokenizer_of(request.task);
  Prompts prompts;
  prompts.classes = class_names(examples);
  auto const longest =
      static_cast<std::size_t>(request.task.max_source.value_or(0) > 0 ? *request.task.max_source : 128);
  auto const encoded = [&](std::vector<graft::Example> const& some) {
    std::vector<graft::TokenizedExample> all;
    for (auto const& example : some) {
      auto const pair = examples.pairs.find(example.source);
      auto row = pair == examples.pairs.end()
                     ? tokenizer->encode_with_template(example.source, std::nullopt, longest)
                     : tokenizer->encode_with_template(pair->second.first, pair->second.second, longest);
      prompts.cut_sources += row.cut_tokens > 0;
      auto const at = std::find(prompts.classes.begin(), prompts.classes.end(), example.target);
      all.push_back({std::move(row.ids),
                     {static_cast<graft::Token>(at - prompts.classes.begin())},
                     all.size(),
                     std::vector<Index>(row.token_types.begin(), row.token_types.end())});
    }
    return all;
  };
  for (auto const& test : examples.tests) prompts.tests.push_back(encoded(test.examples));
  prompts.cut_sources = 0;
  if (request.trains()) prompts.training = encoded(examples.training);
  prompts.validation = encoded(examples.validation);
  return prompts;
}

}  // namespace

void check_lengths(Task const& task, Examples const& examples, Prompts const& prompts, graft::RowLimits const& limits) {
  auto const check = [&](std::vector<graft::Example> const& texts, std::string const& file, char const* part,
                         std::size_t i, std::optional<std::string> const& why,
                         std::optional<std::string> const& foreign) {
    if (!why && !foreign) return;
    std::string const where = texts[i].line > 0 ? graft::cat("[", file, "] line ", texts[i].line)
                                                : graft::cat("[", file, "] ", part, " example ", i + 1);
    if (foreign) graft::fail<graft::ConfigError>(where, " ", *foreign);
    graft::fail<graft::ConfigError>(where, " is too long for the model; ", *why,
                                    "; hint: --max-source and --max-target cut, --max-new is the room for new tokens");
  };
  for (std::size_t i = 0; i < prompts.training.size(); ++i)
    check(examples.training, task.data, "training", i, limits.excess(prompts.training[i]),
          limits.foreign_token(prompts.training[i]));
  std::string const& validated = task.validation.empty() ? task.data : task.validation;
  for (std::size_t i = 0; i < prompts.validation.size(); ++i)
    check(examples.validation, validated, "validation", i, limits.excess(prompts.validation[i]),
          limits.foreign_token(prompts.validation[i]));
  for (std::size_t t = 0; t < prompts.tests.size(); ++t)
    for (std::size_t i = 0; i < prompts.tests[t].size(); ++i)
      check(examples.tests[t].examples, examples.tests[t].file, "test", i,
            limits.excess(prompts.tests[t][i].source, prompts.classes.empty() ? task.max_new : 1),
            limits.foreign_token(prompts.tests[t][i].source, "source"));
}

std::vector<std::string> class_names(Examples const& examples) {
  if (!examples.classes.empty()) return examples.classes;
  std::set<std::string> names;
  auto const add = [&](std::vector<graft::Example> const& part) {
    for (auto const& example : part) {
      if (!example.target.empty()) names.insert(example.target);
      names.insert(example.references.begin(), example.references.end());
    }
  };
  add(examples.training), add(examples.validation);
  for (auto const& test : examples.tests) add(test.examples);
  std::size_t const most = 100;
  if (names.size() < 2 || names.size() > most)
    graft::fail<graft::ConfigError>("[data] has ", names.size(), " different targets; expected 2 to ", most,
                                    " classes for a classifier; hint: --data with text<TAB>class a line");
  return {names.begin(), names.end()};
}

graft::AdapterTemplate template_of(Task const& task, graft::ModelConfig const& config, graft::ModelInfo const& info,
                                   bool says) {
  return support::template_to_train(task.model, support::text_kind(task.model, config, info),
                                    {.separator = task.separator, .max_source = task.max_source}, says);
}

Prompts make_prompts(Request const& request, Examples const& examples, graft::ModelConfig const& config,
                     graft::ModelInfo const& info) {
  if (request.strategy.name == few_shot && (info.classifies || config.encoder))
    throw NotApplicable("examples in the context are for models that continue a text; a " + config.architecture +
                        " model does not");
  if (info.classifies) return class_prompts(request, examples);
  auto const form = template_of(request.task, config, info, false);
  return request.strategy.name == few_shot ? shown_prompts(request, form.form, examples, config.positions)
                                           : text_prompts(request, form, examples);
}

}  // namespace compare
