/// @file
/// @brief `generate(model, tokenizer, text, settings)`: text in, text out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/data/template.hpp>
#include <graft/generate/end_tokens.hpp>
#include <graft/generate/generate.hpp>
#include <graft/text/tokenizer.hpp>

namespace graft {

/// The text of a generated sequence, without its end token and special tokens.
[[nodiscard]] inline std::string decode_text(Tokenizer const& tokenizer, Generated const& generated) {
  std::span<Token const> tokens = generated.tokens;
  if (generated.finished) tokens = tokens.first(tokens.size() - 1);
  return tokenizer.decode(tokens, true);
}

namespace detail {

/// Whether the model has parameters of an adaptation.
template <class Model>
[[nodiscard]] bool is_adapted(Model const& model) {
  if constexpr (requires { model.parameter_counts().trainable; })
    return model.parameter_counts().trainable > 0;
  else
    return true;
}

}  // namespace detail

/// The settings with the model's end tokens, where they name none; see `end_tokens`.
template <class Model, GenerationSettings Settings>
[[nodiscard]] Settings with_end_token(Model const& model, Tokenizer const& tokenizer, Settings settings) {
  if (settings.end_tokens.empty())
    settings.end_tokens = end_tokens(model.config(), tokenizer.special_tokens().eos, detail::is_adapted(model));
  return settings;
}

/// The best continuation of every prompt, which is read as `encode_source` gives it: in the special tokens of the
/// tokenizer's files, without a separator. Where the settings name no end token, the model's are it; see `end_tokens`.
template <class Model, GenerationSettings Settings>
[[nodiscard]] std::vector<std::string> generate(Model const& model, Tokenizer const& tokenizer,
                                                std::vector<std::string> const& prompts, Settings const& settings) {
  std::vector<std::vector<Token>> tokens;
  Template form = Template::of_model<Model>();
  form.separator.clear();
  for (auto const& prompt : prompts) tokens.push_back(encode_source(tokenizer, prompt, form));
  std::vector<std::string> texts;
  for (auto const& generated : generate(model, tokens, with_end_token(model, tokenizer, settings)))
    texts.push_back(decode_text(tokenizer, generated.front()));
  return texts;
}

/// The best continuation of one prompt.
template <class Model, GenerationSettings Settings>
[[nodiscard]] std::string generate(Model const& model, Tokenizer const& tokenizer, std::string_view prompt,
                                   Settings const& settings) {
  return generate(model, tokenizer, std::vector<std::string>{std::string(prompt)}, settings).front();
}

}  // namespace graft
