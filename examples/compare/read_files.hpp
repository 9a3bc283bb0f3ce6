/// @file
/// @brief Reads files of examples: of texts to be written, or of classes to be told apart.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <graft/data/labelled.hpp>

#include "data.hpp"

namespace compare {

/// Reads all files of a comparison in the same way.
///
/// - Of a model that writes, a row is a source and its target, as `finetune` reads them.
/// - Of a classifier with a task, with fields, or with columns that are named as a text and its class, a row is what
///   `classify` reads: a text, or two of a pair, and a class. Two texts are one source for splits and reports, joined
///   by " | "; `pairs` has them apart. Any other file is read as a model that writes has it: the target is the class.
class FileReader {
 public:
  FileReader(support::DataReading const& reading, bool classes) : options_(reading.options()), classes_(classes) {}

  /// One row for each text or class. @throws FileError and ConfigError as the library's readers, and for a row without
  /// a class
  std::vector<graft::Example> read(std::string const& file);

  /// Of all files read so far.
  [[nodiscard]] std::unordered_map<std::string, TextPair> const& pairs() const { return pairs_; }
  /// The task's, in the order of their numbers; none where no task is named, or no classifier reads.
  [[nodiscard]] std::vector<std::string> classes() const;

 private:
  /// What `classify` reads; nothing where neither options nor columns say that it holds classes.
  [[nodiscard]] std::optional<std::vector<graft::LabelledText>> labelled(std::string const& file) const;
  std::string source_of(graft::LabelledText const& text);

  graft::DataOptions options_;
  bool classes_;
  std::unordered_map<std::string, TextPair> pairs_;
};

}  // namespace compare
