/// @file
/// @brief Outputs and references on disk, in the E2E challenge's form.
#pragma once

#include <cstddef>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <graft/metrics/ngrams.hpp>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// System outputs and, for each, its references.
struct EvaluationSet {
  std::vector<std::string> hypotheses;
  ReferenceLists references;
};

/// One output a line (an empty line is an empty output).
/// @throws FileError when the file is missing, not UTF-8, or empty
[[nodiscard]] inline std::vector<std::string> read_hypotheses(std::filesystem::path const& path) {
  std::string const text = read_text_file(path);
  std::vector<std::string> hypotheses;
  for (TextLine const& line : split_lines(text)) hypotheses.emplace_back(line.text);
  if (hypotheses.empty()) fail<FileError>("[", path.string(), "] empty file; expected one output a line");
  return hypotheses;
}

/// Blocks of lines parted by empty lines: a block holds the references of one output. More empty lines than one part blocks as one does.
/// @throws FileError when the file is missing, not UTF-8, or without references
[[nodiscard]] inline ReferenceLists read_reference_blocks(std::filesystem::path const& path) {
  std::string const text = read_text_file(path);
  ReferenceLists blocks;
  bool open = false;
  for (TextLine const& line : split_lines(text)) {
    bool const empty = trim(line.text).empty();
    if (!empty && !open) blocks.emplace_back();
    if (!empty) blocks.back().emplace_back(line.text);
    open = !empty;
  }
  if (blocks.empty())
    fail<FileError>("[", path.string(), "] no references; got an empty file; expected blocks of lines parted by empty lines");
  return blocks;
}

/// Outputs with their references. A reference file without any empty line and with as many lines as there are outputs holds one reference a
/// line (as the E2E challenge's scripts take it).
/// @throws FileError as the two readers do, and when the counts do not match
[[nodiscard]] inline EvaluationSet read_evaluation_set(std::filesystem::path const& hypotheses, std::filesystem::path const& references) {
  EvaluationSet set{read_hypotheses(hypotheses), read_reference_blocks(references)};
  std::size_t const outputs = set.hypotheses.size();
  if (outputs > 1 && set.references.size() == 1 && set.references[0].size() == outputs) {
    ReferenceLists single;
    for (std::string& reference : set.references[0]) single.push_back({std::move(reference)});
    set.references = std::move(single);
  }
  if (set.references.size() != outputs)
    fail<FileError>("[", references.string(), "] references do not match the outputs; got ", set.references.size(),
                    " blocks of references for ", outputs, " outputs in ", hypotheses.string(),
                    "; expected one block for each output, blocks parted by an empty line");
  return set;
}

}  // namespace graft
