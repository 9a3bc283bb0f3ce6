// tokens TOKENIZER [--template] [--skip]: reads a text, a list of ids or an example {"source": …, "target": …} a line,
// as JSON; writes the roles, then a line {"ids": …, "text": …} each, for an example {"source": ids, "target": ids
// without the end}, of a template without separator.
#include <graft/data/template.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/text/stream_decoder.hpp>

#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Json = nlohmann::json;
using graft::Token;

std::string streamed(graft::Tokenizer const& tokenizer, std::vector<Token> const& ids, bool skip) {
  graft::StreamDecoder stream(tokenizer, skip);
  std::string text;
  for (Token const id : ids) text += stream.push(id);
  return text + stream.finish();
}

Json answer(graft::Tokenizer const& tokenizer, Json const& asked, bool with_template, bool skip) {
  if (asked.is_object()) {
    graft::TemplateEncoder const encoder(tokenizer, graft::Template{.separator = "", .end_token = Token{0}});
    graft::Example texts;
    texts.source = asked.at("source"), texts.target = asked.at("target");
    graft::Truncation cut;
    auto example = encoder.encode({texts}, cut).front();
    example.target.pop_back();
    return {{"source", example.source}, {"target", example.target}};
  }
  std::vector<Token> ids;
  if (asked.is_array()) {
    ids = asked.get<std::vector<Token>>();
  } else {
    auto const text = asked.get<std::string>();
    ids = with_template ? tokenizer.encode_with_template(text).ids : tokenizer.encode(text);
  }
  return {{"ids", ids}, {"text", tokenizer.decode(ids, skip)}, {"streamed", streamed(tokenizer, ids, skip)}};
}

}  // namespace

int main(int count, char** arguments) try {
  bool with_template = false, skip = false;
  for (int i = 2; i < count; ++i) {
    std::string_view const option = arguments[i];
    with_template = with_template || option == "--template";
    skip = skip || option == "--skip";
  }
  graft::Tokenizer const tokenizer = graft::load_tokenizer(arguments[1]);
  auto const& special = tokenizer.special_tokens();
  auto const shown = [](std::optional<Token> id) { return id ? Json(*id) : Json(); };
  std::cout << Json{{"bos", shown(special.bos)},
                    {"eos", shown(special.eos)},
                    {"pad", shown(special.pad)},
                    {"size", tokenizer.vocabulary_size()}}
            << '\n';
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(tokenizer, Json::parse(line), with_template, skip) << '\n';
} catch (std::exception const& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
