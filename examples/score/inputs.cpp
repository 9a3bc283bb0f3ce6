#include "score/inputs.hpp"

#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace scoring {
namespace {

using Json = nlohmann::json;

bool is_json(std::string const& path) {
  std::string const extension = std::filesystem::path(path).extension().string();
  return extension == ".json" || extension == ".jsonl";
}

/// The items of a JSON file: a list, an object whose `values` is one (as GEM has it), or an object a line.
std::vector<Json> read_items(std::string const& path) {
  std::string const text = graft::read_text_file(path);
  std::vector<Json> items;
  auto const parse = [&](std::string_view part, std::string const& where) {
    Json value = Json::parse(part, nullptr, false);
    if (value.is_discarded())
      graft::fail<graft::FileError>("[", path, "]", where, " is not valid JSON; expected a list of items");
    return value;
  };
  if (std::filesystem::path(path).extension() == ".jsonl") {
    for (auto const& line : graft::split_lines(text))
      if (!graft::trim(line.text).empty()) items.push_back(parse(line.text, " line " + std::to_string(line.number)));
  } else {
    Json whole = parse(text, "");
    if (whole.is_object() && whole.contains("values")) whole = Json(whole["values"]);
    if (!whole.is_array())
      graft::fail<graft::FileError>("[", path, "] got a JSON ", whole.type_name(),
                                    "; expected a list, or an object with a list 'values'");
    items.assign(whole.begin(), whole.end());
  }
  if (items.empty()) graft::fail<graft::FileError>("[", path, "] no items; got an empty list; expected at least one");
  return items;
}

[[noreturn]] void refuse_item(std::string const& path, std::size_t number, char const* expected) {
  graft::fail<graft::FileError>("[", path, "] item ", number, ": got another form; expected ", expected);
}

std::vector<std::string> texts_of(Json const& item, std::string const& path, std::size_t number) {
  Json const* list = &item;
  if (item.is_object())
    for (char const* key : {"references", "targets", "target"})
      if (item.contains(key)) {
        list = &item[key];
        break;
      }
  std::vector<std::string> texts;
  if (list->is_string()) return {list->get<std::string>()};
  if (list->is_array())
    for (Json const& text : *list) {
      if (!text.is_string()) refuse_item(path, number, "texts");
      texts.push_back(text.get<std::string>());
    }
  if (texts.empty())
    refuse_item(path, number, "a text, a list of texts, or an object with 'references', 'targets' or 'target'");
  return texts;
}

/// One reference a line in each file; an empty line is none.
References read_line_files(std::vector<std::string> const& paths, std::size_t outputs, graft::Escapes escapes) {
  References references{graft::ReferenceLists(outputs), graft::ReferenceLists(outputs)};
  for (std::string const& path : paths) {
    auto const texts = graft::read_hypotheses(path, escapes);
    if (texts.size() != outputs)
      graft::fail<graft::FileError>("[", path, "] references do not match the outputs; got ", texts.size(),
                                    " lines for ", outputs,
                                    " outputs; expected one line for each output in each of several files");
    for (std::size_t i = 0; i < outputs; ++i) {
      references.with_empty[i].push_back(texts[i]);
      if (!graft::trim(texts[i]).empty()) references.lists[i].push_back(texts[i]);
    }
  }
  for (std::size_t i = 0; i < outputs; ++i)
    if (references.lists[i].empty())
      graft::fail<graft::FileError>(
          "[", paths.front(), "] line ", i + 1,
          " is empty in every file of references; expected at least one reference for each output");
  return references;
}

}  // namespace

std::vector<std::string> read_outputs(std::string const& path, graft::Escapes escapes) {
  if (!is_json(path)) return graft::read_hypotheses(path, escapes);
  std::vector<std::string> texts;
  for (Json const& item : read_items(path)) {
    Json const* text = &item;
    if (item.is_object() && item.contains("generated")) text = &item["generated"];
    if (!text->is_string()) refuse_item(path, texts.size() + 1, "a text, or an object with 'generated'");
    texts.push_back(text->get<std::string>());
  }
  return texts;
}

References read_references(std::vector<std::string> const& paths, std::string const& outputs_path,
                           std::vector<std::string> const& outputs, graft::Escapes escapes) {
  if (paths.size() > 1) return read_line_files(paths, outputs.size(), escapes);
  graft::ReferenceLists lists;
  if (is_json(paths[0])) {
    for (Json const& item : read_items(paths[0])) lists.push_back(texts_of(item, paths[0], lists.size() + 1));
    if (lists.size() != outputs.size())
      graft::fail<graft::FileError>("[", paths[0], "] references do not match the outputs; got ", lists.size(),
                                    " items for ", outputs.size(), " outputs; expected one item for each");
  } else {
    lists = graft::pair_reference_blocks(graft::read_reference_blocks(paths[0], escapes), outputs.size(), paths[0],
                                         outputs_path);
  }
  return {lists, lists};
}

std::vector<std::string> read_domains(std::string const& path, std::size_t outputs) {
  auto domains = graft::read_hypotheses(path, graft::Escapes::never);
  if (domains.size() != outputs)
    graft::fail<graft::FileError>("[", path, "] domains do not match the outputs; got ", domains.size(), " lines for ",
                                  outputs, " outputs; expected one line for each output");
  return domains;
}

}  // namespace scoring
