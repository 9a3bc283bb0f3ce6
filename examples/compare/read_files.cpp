#include "read_files.hpp"

#include <algorithm>

#include <graft/data/readers.hpp>

namespace compare {

std::vector<graft::Example> FileReader::read(std::string const& file) {
  if (!classes_) return graft::read_examples(file, options_);
  auto const texts = labelled(file);
  if (!texts) return graft::read_examples(file, options_);
  bool const unlabelled =
      std::none_of(texts->begin(), texts->end(), [](auto const& text) { return text.label.has_value(); });
  std::vector<graft::Example> examples;
  for (auto const& text : *texts) {
    if (!text.label)
      graft::fail<graft::FileError>("[", file, "] line ", text.line, " has no class; expected one",
                                    unlabelled ? "; hint: is it a test file, whose classes are not given?" : "");
    examples.push_back({source_of(text), *text.label, {}, text.domain, text.line, text.id});
  }
  return examples;
}

std::vector<std::string> FileReader::classes() const {
  if (!classes_ || options_.task.empty()) return {};
  return graft::class_names(graft::task_named(options_.task));
}

std::optional<std::vector<graft::LabelledText>> FileReader::labelled(std::string const& file) const {
  bool const of_triples = options_.linearization || options_.good_texts || !options_.language.empty();
  if (!options_.task.empty() || options_.fields.any() || of_triples) return graft::read_labelled(file, options_);
  for (char const* name : {"label", "class", "gold_label"}) {
    auto named = options_;
    named.fields.label = name;  // with it, the text's column must be named, too
    try {
      return graft::read_labelled(file, named);
    } catch (graft::FileError const&) {
      continue;  // it has no such columns
    }
  }
  return std::nullopt;
}

std::string FileReader::source_of(graft::LabelledText const& text) {
  if (!text.pair) return text.text;
  TextPair const pair{text.text, *text.pair};
  for (std::string bars = "|";; bars += "|") {  // more of them where the same text comes of another pair
    std::string const source = text.text + " " + bars + " " + *text.pair;
    if (pairs_.try_emplace(source, pair).first->second == pair) return source;
  }
}

}  // namespace compare
