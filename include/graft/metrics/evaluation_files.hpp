/// @file
/// @brief Outputs and references on disk, in the E2E challenge's form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/ngrams.hpp>
#include <graft/text/printable.hpp>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// System outputs and, for each, its references.
struct EvaluationSet {
  std::vector<std::string> hypotheses;
  ReferenceLists references;
};

/// What a backslash in a file of one text a line means.
enum class Escapes : std::uint8_t {
  automatic,  ///< `always` where every backslash of the file begins an escape, else `never`; which of them it was, a
              ///< warning says
  always,     ///< the escapes of `escape_line`, as graft's programs write them; a backslash that begins none is refused
  never       ///< itself
};

namespace detail {

/// The texts that a file's lines stand for.
[[nodiscard]] inline std::vector<std::string> line_texts(std::filesystem::path const& path,
                                                         std::vector<TextLine> const& lines, Escapes escapes) {
  std::vector<std::string> as_given, read;
  TextLine const* plain = nullptr;  // the first line with a backslash that begins no escape
  std::size_t with_backslash = 0;
  for (TextLine const& line : lines) {
    as_given.emplace_back(line.text);
    with_backslash += line.text.find('\\') != std::string_view::npos;
    auto text = unescape_line(line.text);
    if (!text && !plain) plain = &line;
    read.push_back(std::move(text).value_or(std::string()));
  }
  if (with_backslash == 0 || escapes == Escapes::never) return as_given;
  std::string const where = plain ? cat(", for one in line ", plain->number, " begins no escape") : std::string();
  if (escapes == Escapes::always && plain)
    fail<FileError>("[", path.string(), "] has a backslash that begins no escape; got line ", plain->number, ": ",
                    printable(plain->text), "; expected \\\\, \\n, \\r or \\u with four digits");
  if (escapes == Escapes::automatic)
    warn("[", path.string(), "] has backslashes in ", with_backslash, " lines, which are read as ",
         plain ? "they stand" : "escapes of line breaks and backslashes", where,
         "; hint: score --escapes (outputs) and --reference-escapes settle it");
  return plain ? as_given : read;
}

}  // namespace detail

/// One output a line (an empty line is an empty output).
/// @throws FileError when the file is missing, not UTF-8, or empty, and for backslashes that are not what `escapes`
/// says
[[nodiscard]] inline std::vector<std::string> read_hypotheses(std::filesystem::path const& path,
                                                              Escapes escapes = Escapes::automatic) {
  std::string const text = read_text_file(path);
  std::vector<std::string> hypotheses = detail::line_texts(path, split_lines(text), escapes);
  if (hypotheses.empty()) fail<FileError>("[", path.string(), "] empty file; expected one output a line");
  return hypotheses;
}

/// Blocks of lines parted by empty lines: a block holds the references of one output. More empty lines than one part
/// blocks as one does.
/// @throws FileError when the file is missing, not UTF-8, or without references, and for backslashes that are not what
/// `escapes` says
[[nodiscard]] inline ReferenceLists read_reference_blocks(std::filesystem::path const& path,
                                                          Escapes escapes = Escapes::automatic) {
  std::string const text = read_text_file(path);
  auto const lines = split_lines(text);
  auto texts = detail::line_texts(path, lines, escapes);
  ReferenceLists blocks;
  bool open = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bool const empty = trim(lines[i].text).empty();
    if (!empty && !open) blocks.emplace_back();
    if (!empty) blocks.back().push_back(std::move(texts[i]));
    open = !empty;
  }
  if (blocks.empty())
    fail<FileError>("[", path.string(),
                    "] no references; got an empty file; expected blocks of lines parted by empty lines");
  return blocks;
}

/// The blocks of `references`, one for each of `outputs` outputs. A single block of as many lines as there are outputs
/// holds one reference a line (as the E2E challenge's scripts take it).
/// @throws FileError when the counts do not match
[[nodiscard]] inline ReferenceLists pair_reference_blocks(ReferenceLists blocks, std::size_t outputs,
                                                          std::filesystem::path const& references,
                                                          std::filesystem::path const& hypotheses) {
  if (outputs > 1 && blocks.size() == 1 && blocks[0].size() == outputs) {
    ReferenceLists single;
    for (std::string& reference : blocks[0]) single.push_back({std::move(reference)});
    blocks = std::move(single);
  }
  if (blocks.size() != outputs)
    fail<FileError>("[", references.string(), "] references do not match the outputs; got ", blocks.size(),
                    " blocks of references for ", outputs, " outputs in ", hypotheses.string(),
                    "; expected one block for each output, blocks parted by an empty line");
  return blocks;
}

/// Outputs with their references, which `pair_reference_blocks` pairs.
/// @throws FileError as the readers do, and when the counts do not match
[[nodiscard]] inline EvaluationSet read_evaluation_set(std::filesystem::path const& hypotheses,
                                                       std::filesystem::path const& references,
                                                       Escapes of_hypotheses = Escapes::automatic,
                                                       Escapes of_references = Escapes::automatic) {
  EvaluationSet set{read_hypotheses(hypotheses, of_hypotheses), {}};
  set.references = pair_reference_blocks(read_reference_blocks(references, of_references), set.hypotheses.size(),
                                         references, hypotheses);
  return set;
}

}  // namespace graft
