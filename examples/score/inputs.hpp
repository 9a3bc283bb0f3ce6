/// @file
/// @brief What `score` reads: outputs, references in several forms, and the items' domains.
#pragma once

#include <filesystem>
#include <graft/metrics/evaluation_files.hpp>
#include <string>
#include <vector>

#include "support/text_metrics.hpp"

namespace scoring {

/// Outputs: one a line, or a list in a JSON file (`.json`, `.jsonl`): texts, or objects with `generated`.
[[nodiscard]] std::vector<std::string> read_outputs(std::string const& path, graft::Escapes escapes);

using support::References;

/// References for `outputs` outputs. One text file: blocks parted by empty lines, or one a line. Several text files:
/// one reference a line in each, and an empty line where an output has no further one. A JSON file: texts, lists of
/// texts, or objects with `references`, `targets` or `target`.
/// @throws FileError when the references do not match the outputs
[[nodiscard]] References read_references(std::vector<std::string> const& paths, std::string const& outputs_path,
                                         std::vector<std::string> const& outputs, graft::Escapes escapes);

/// The domain of each output, one a line. @throws FileError when there are more or fewer than `outputs`
[[nodiscard]] std::vector<std::string> read_domains(std::string const& path, std::size_t outputs);

}  // namespace scoring
