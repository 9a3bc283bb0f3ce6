/// @file
/// @brief The post-processor of tokenizer.json: special tokens around a text or a pair.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/text/special_tokens.hpp>
#include <graft/text/text_template.hpp>
#include <graft/text/vocabulary.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace graft::detail {

[[nodiscard]] inline Token template_id(std::string const& source, std::int64_t id) {
  if (id < 0 || id >= Vocabulary::id_limit)
    fail<FileError>("[", source, "] post_processor has an id out of range; got ", id, "; expected 0 to ",
                    Vocabulary::id_limit - 1);
  return static_cast<Token>(id);
}

/// `["[SEP]", 102]`.
[[nodiscard]] inline Token read_named_id(std::string const& source, nlohmann::json const& component, char const* key) {
  auto const pair = component.find(key);
  if (pair == component.end() || !pair->is_array() || pair->size() != 2 || !(*pair)[0].is_string() ||
      !(*pair)[1].is_number_integer())
    fail<FileError>("[", source, "] post_processor's ", key, " has the wrong type; expected [\"token\", id]");
  return template_id(source, (*pair)[1].is_number_unsigned() && (*pair)[1].get<std::uint64_t>() > INT64_MAX
                                 ? -1
                                 : (*pair)[1].get<std::int64_t>());
}

/// One side of `TemplateProcessing`; `texts` is how many texts it has, each of them once.
[[nodiscard]] inline std::vector<TextTemplate::Part> read_template_parts(std::string const& source,
                                                                         nlohmann::json const& component,
                                                                         char const* key, int texts) {
  nlohmann::json const& list = member(source, component, key);
  if (!list.is_array())
    fail<FileError>("[", source, "] post_processor's ", key, " is not a list; got ", json_excerpt(list));
  std::vector<TextTemplate::Part> parts;
  int first = 0, second = 0;
  for (auto const& entry : list) {
    bool const special = entry.is_object() && entry.contains("SpecialToken");
    nlohmann::json const& part = member(source, entry, special ? "SpecialToken" : "Sequence");
    auto const id = json_at<std::string>(source, part, "id");
    Token const type = template_id(source, json_or<std::int64_t>(source, part, "type_id", 0));
    if (special) {
      nlohmann::json const& named = member(source, member(source, component, "special_tokens"), id);
      for (auto const token : json_at<std::vector<std::int64_t>>(source, named, "ids"))
        parts.push_back(TextTemplate::special(template_id(source, token), type));
    } else if (id == "A" || id == "B") {
      ++(id == "A" ? first : second);
      parts.push_back(id == "A" ? TextTemplate::first(type) : TextTemplate::second(type));
    } else {
      fail<FileError>("[", source, "] post_processor names an unknown text; got ", printable(id),
                      "; expected \"A\" or \"B\"");
    }
    if (parts.size() > 256)
      fail<FileError>("[", source, "] post_processor's ", key, " is too long; expected at most 256 tokens");
  }
  if (first != 1 || second != texts - 1) {
    fail<FileError>("[", source, "] post_processor's ", key, " does not name each text once; got ", first, " of A and ",
                    second, " of B; expected 1 and ", texts - 1);
  }
  return parts;
}

/// The post-processor. BERT's and RoBERTa's also say which tokens separate and classify.
inline void read_post_processor(std::string const& source, nlohmann::json const& root, TextTemplate& text_template,
                                SpecialTokens& special) {
  if (is_absent(root, "post_processor")) return;
  bool seen = false;
  for (auto const* const member : flattened(source, root["post_processor"], "processors")) {
    std::string const type = component_type(source, *member);
    if (type == "ByteLevel") continue;  // it moves offsets only
    if (seen) unsupported(source, "post_processor", "a second " + type, "one");
    seen = true;
    if (type == "TemplateProcessing") {
      auto single = read_template_parts(source, *member, "single", 1);
      text_template = is_absent(*member, "pair")
                          ? TextTemplate(std::move(single), TextTemplate().pair())
                          : TextTemplate(std::move(single), read_template_parts(source, *member, "pair", 2));
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      Token const cls = read_named_id(source, *member, "cls"), sep = read_named_id(source, *member, "sep");
      special.cls = cls, special.sep = sep;
      text_template = type == "BertProcessing" ? TextTemplate::bert(cls, sep) : TextTemplate::roberta(cls, sep);
    } else {
      unsupported(source, "post_processor", type, "TemplateProcessing, BertProcessing, RobertaProcessing or ByteLevel");
    }
  }
}

}  // namespace graft::detail
