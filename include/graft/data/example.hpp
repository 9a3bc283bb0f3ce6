/// @file
/// @brief What a model is trained and evaluated on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace graft {

/// A source text and what should be written for it.
///
/// Readers give one row a target (`references` empty): training wants those. `group_by_source` turns rows into one
/// example for each entry (rows of one source and one id) with all its texts as references: generation and BLEU want
/// those. `expand_references` goes back.
struct Example {
  std::string source;
  std::string target;                   ///< the text to learn; of a grouped example, the first reference
  std::vector<std::string> references;  ///< all accepted texts of a grouped example
  std::string domain;                   ///< what kind of thing the source describes; empty where the data do not say
  std::size_t line = 0;  ///< where it begins in the file that it was read from, for messages; 0 where it was in none
  std::string id{};      ///< the file's name for its entry, of which this is one text; empty where the file names none
};

}  // namespace graft
