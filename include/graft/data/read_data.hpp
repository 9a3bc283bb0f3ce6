/// @file
/// @brief What data/readers.hpp declares: from a file of any format to examples.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/detect_format.hpp>
#include <graft/data/e2e.hpp>
#include <graft/data/json_table.hpp>
#include <graft/data/json_triples.hpp>
#include <graft/data/known_columns.hpp>
#include <graft/data/nested_rows.hpp>
#include <graft/data/separated.hpp>
#include <graft/data/task_rows.hpp>
#include <graft/data/triples.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef GRAFT_XML
#include <graft/data/xml_triples.hpp>
#endif

namespace graft::detail {

/// The entries of a file of triples.
/// @throws FileError also where the program has no XML parser
[[nodiscard]] inline std::pair<std::vector<TripleEntry>, TripleSet> triple_entries(DataText const& data) {
  if (data.format == DataFormat::json) return json_triple_entries(data.text, data.file);
#ifdef GRAFT_XML
  std::vector<TripleEntry> entries = xml_triple_entries(data.text, data.file);
  TripleSet const set = triple_set_of(entries);
  return {std::move(entries), set};
#else
  fail<FileError>("[", data.file, "] is XML, which this program cannot read; got a build without expat; expected one ",
                  "with it; hint: install libexpat1-dev, configure again and link graft::xml, or take the JSON file");
#endif
}

/// The rows of a file of columns. @throws FileError for a file of another format
[[nodiscard]] inline std::vector<TableRow> data_table(DataText const& data, TableChoice const& choose,
                                                      JsonExpansion const& expand = {}) {
  switch (data.format) {
    case DataFormat::csv: return table_of_rows(parse_csv(data.text, data.file), data.file, choose);
    case DataFormat::tsv: return table_of_rows(tab_rows(data.text), data.file, choose);
    case DataFormat::jsonl: return jsonl_table(data.text, data.file, choose, expand);
    case DataFormat::json: return json_table(data.text, data.file, choose, expand);
    default: break;
  }
  fail<FileError>("[", data.file, "] has no columns; got ", data.format == DataFormat::xml ? "XML" : "source||text",
                  "; expected CSV, TSV, JSONL or JSON; hint: --format, or without --task and --fields");
}

/// A table's rows as sources and targets: columns source, target, domain, id.
/// @param one_line whether the texts' line breaks become spaces
[[nodiscard]] inline std::vector<Example> paired_examples(std::vector<TableRow>&& rows, std::string const& file,
                                                          bool one_line) {
  std::vector<Example> examples;
  for (TableRow& row : rows) {
    if (one_line) row.values[0] = join_lines(row.values[0]), row.values[1] = join_lines(row.values[1]);
    std::string const source(trim(row.values[0])), domain(trim(row.values[2])), id(trim(row.values[3]));
    row.more.insert(row.more.begin(), std::move(row.values[1]));
    for (std::string const& text : row.more) {
      std::string const target(trim(text));
      if (source.empty() || target.empty())
        fail<FileError>("[", file, "] line ", row.line, ": empty ", source.empty() ? "source" : "text",
                        "; expected a source and a target");
      examples.push_back({source, target, {}, domain, row.line, id});
    }
  }
  return examples;
}

/// The rows of a known task of which texts are to be written.
[[nodiscard]] inline std::vector<Example> task_examples(DataText const& data, Task const& task) {
  TaskRows reader(task, data.file);
  auto rows = data_table(data, [&](auto const& names) { return reader.plan(names); }, expansion_of(task, false));
  std::vector<Example> examples;
  for (TableRow& row : rows) {
    std::string const id = row.values.back();
    row.more.insert(row.more.begin(), row.values[reader.target()]);
    bool const text = task.kind == TaskKind::text;
    std::string const source = text ? reader.texts(row).text : reader.sentence(row);
    for (std::string const& one : row.more) {
      std::string target = join_lines(one);
      if (task.kind == TaskKind::label && task.name != "record")
        target = reader.label(one, row.line).value_or("");
      else if (task.kind == TaskKind::number)
        target = reader.number(one, row.line);
      if (target.empty())
        fail<FileError>("[", data.file, "] line ", row.line, " has no ", text ? "text" : "class",
                        " to learn; expected one; hint: is it a test file, whose classes are not published?");
      examples.push_back({source, std::move(target), {}, {}, row.line, id});
    }
  }
  return examples;
}

/// `read_examples`, once in graft::compiled.
template <class>
[[nodiscard]] std::vector<Example> read_data(std::filesystem::path const& path, DataOptions const& options) {
  Task const* const task = options.task.empty() ? nullptr : &task_named(options.task);
  if (task && options.fields.any())
    fail<ConfigError>("[data] got the task ", task->name,
                      " and fields; expected one of them: a task knows its columns");
  DataText const data = open_data(path, options.format);
  bool const of_triples = task && (task->name == "webnlg" || task->name == "dart");
  bool const triples = data.format == DataFormat::xml || of_triples ||
                       (data.format == DataFormat::json && !task && !options.fields.any() &&
                        holds_triples(std::string_view(data.text).substr(0, 4096)));
  if (!triples && (options.linearization || options.good_texts || !options.language.empty()))
    fail<ConfigError>("[", data.file, "] holds no triples; got a linearization, a language or a choice of good texts; ",
                      "expected none of them");
  if (triples) {
    if (data.format != DataFormat::xml && data.format != DataFormat::json)
      fail<FileError>("[", data.file,
                      "] is no file of triples; expected XML or JSON; hint: --format, or another --task");
    if ((task && !of_triples) || options.fields.any())
      fail<FileError>("[", data.file, "] holds triples; got ", task ? "another task" : "fields",
                      "; expected the task webnlg or dart, or none");
    auto const [entries, set] = triple_entries(data);
    TripleSet const as = !task ? set : task->name == "dart" ? TripleSet::dart : TripleSet::webnlg;
    return triple_examples(entries, as, data.file, options);
  }
  bool const e2e = task && task->name == "e2e";
  if (task && !e2e) return task_examples(data, *task);
  if (data.format == DataFormat::source_text && !options.fields.any() && !e2e)
    return source_text_examples(data.text, data.file);
  bool xsum = false;
  TableChoice const choose = [&](std::vector<std::string> const& names) {
    xsum = !options.fields.any() && is_xsum(names);
    return pair_plan(options, names, data.file);
  };
  std::vector<TableRow> table;
  if (data.format == DataFormat::csv || data.format == DataFormat::tsv) {
    auto rows = data.format == DataFormat::csv ? parse_csv(data.text, data.file) : tab_rows(data.text);
    auto const names = rows.empty() ? std::vector<std::string>{} : rows.front().fields;
    bool const meanings = !options.fields.any() && has_name(names, "mr") && has_name(names, "ref");
    if (e2e || meanings) return e2e_examples(rows, data.file);
    if (data.format == DataFormat::tsv && !options.fields.any() && !known_pair(names))
      return tsv_examples(data.text, data.file);
    table = table_of_rows(std::move(rows), data.file, choose);
  } else if (e2e) {
    fail<FileError>("[", data.file, "] is no file of the task e2e; expected CSV with the columns mr and ref");
  } else {
    table = data_table(data, choose);
  }
  return paired_examples(std::move(table), data.file, xsum);
}

/// `read_labelled`, once in graft::compiled.
template <class>
[[nodiscard]] std::vector<LabelledText> read_labels(std::filesystem::path const& path, DataOptions const& options) {
  Task const* const task = options.task.empty() ? nullptr : &task_named(options.task);
  if (task && options.fields.any())
    fail<ConfigError>("[data] got the task ", task->name,
                      " and fields; expected one of them: a task knows its columns");
  if (task && task->kind != TaskKind::label)
    fail<ConfigError>("[data] the task ", task->name,
                      task->kind == TaskKind::number ? " gives numbers" : " writes texts",
                      " and has no classes; expected a task of classes");
  if (options.linearization || options.good_texts || !options.language.empty())
    fail<ConfigError>("[data] got a linearization, a language or a choice of good texts; expected none of them for ",
                      "classes");
  DataText const data = open_data(path, options.format);
  std::vector<LabelledText> texts;
  if (task) {
    TaskRows reader(*task, data.file);
    for (TableRow const& row :
         data_table(data, [&](auto const& names) { return reader.plan(names); }, expansion_of(*task, true))) {
      texts.push_back(reader.texts(row));
      texts.back().label = reader.label(row.values[reader.target()], row.line);
    }
    return texts;
  }
  bool pair = false;
  TableChoice const choose = [&](std::vector<std::string> const& names) {
    return label_plan(options, names, data, pair);
  };
  for (TableRow& row : data_table(data, choose)) {
    std::string const label(trim(row.values[2]));
    LabelledText text{std::move(row.values[0]), {}, {}, std::move(row.values[3]), row.line, std::move(row.values[4])};
    if (pair) text.pair = std::move(row.values[1]);
    if (!label.empty()) text.label = label;
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace graft::detail
