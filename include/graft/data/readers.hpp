/// @file
/// @brief Reads examples from files: E2E, WebNLG, DART, XSUM, the tasks of GLUE and SuperGLUE, and CSV, TSV, JSONL and
/// JSON with named columns. Needs graft::io (nlohmann-json); XML needs graft::xml (expat) too.
#pragma once

#include <filesystem>
#include <graft/data/data_options.hpp>
#include <graft/data/e2e.hpp>
#include <graft/data/example.hpp>
#include <graft/data/labelled.hpp>
#include <graft/data/separated.hpp>
#include <graft/data/tasks.hpp>
#include <graft/data/text_file.hpp>
#include <string>
#include <vector>

#ifndef GRAFT_COMPILED_IO
#include <graft/data/read_data.hpp>
#endif

namespace graft {

#ifdef GRAFT_COMPILED_IO
namespace detail {
template <class>
[[nodiscard]] std::vector<Example> read_data(std::filesystem::path const& path, DataOptions const& options);
template <class>
[[nodiscard]] std::vector<LabelledText> read_labels(std::filesystem::path const& path, DataOptions const& options);
extern template std::vector<Example> read_data<void>(std::filesystem::path const&, DataOptions const&);
extern template std::vector<LabelledText> read_labels<void>(std::filesystem::path const&, DataOptions const&);
}  // namespace detail
#endif

/// Rows `source||text` (the prefix-tuning paper's files); white space around both is dropped.
/// @throws FileError with file and line for a row without exactly one `||`, and for a file without rows
[[nodiscard]] inline std::vector<Example> read_source_text(std::filesystem::path const& path) {
  return detail::source_text_examples(read_text_file(path), path.string());
}

/// Rows source, tab, target, without quoting; a first line `source<TAB>target` is a header. White space around both is
/// dropped.
/// @throws FileError with file and line for a row without exactly one tab, and for a file without rows
[[nodiscard]] inline std::vector<Example> read_tsv(std::filesystem::path const& path) {
  return detail::tsv_examples(read_text_file(path), path.string());
}

/// Examples of a file in any of the known formats, a row for each text (`group_by_source` collects those of an entry).
///
/// The format is found by the extension (`.csv`, `.tsv`, `.json`, `.jsonl`, `.xml`), else by the first line that is not
/// blank; what the columns hold by their names, `options.fields` or `options.task`. A task of classes gives the texts
/// with their columns' names as source and the class's name as target: text to text, as T5 is trained. The file is read
/// once: a pipe will do. Formats, tasks and choices: docs/files.md.
/// @throws FileError with file and line for a malformed row, a missing column (with those that there are), a format
/// that cannot be told; ConfigError for options that contradict each other or the file
[[nodiscard]] inline std::vector<Example> read_examples(std::filesystem::path const& path,
                                                        DataOptions const& options = {}) {
  return detail::read_data<void>(path, options);
}

/// Texts and their classes of a file of any format but XML and `source||text`. Without fields and task, a file whose
/// header names a text and a label is read by it, and another has the text in its first column and the class in its
/// second.
/// @throws FileError and ConfigError as `read_examples`, and for a task that has no classes
[[nodiscard]] inline std::vector<LabelledText> read_labelled(std::filesystem::path const& path,
                                                             DataOptions const& options = {}) {
  return detail::read_labels<void>(path, options);
}

}  // namespace graft
