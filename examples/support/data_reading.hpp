/// @file
/// @brief How files of examples are read, in the words of the command line.
#pragma once

#include <string>

#include <graft/data/data_options.hpp>

namespace support {

/// The values of the options `--format`, `--task` and so on, as texts: they can be written to a file and read back.
struct DataReading {
  std::string format = "auto", task, fields, linearize, language;
  bool good_texts = false;

  /// What readers take. @throws ConfigError for an unknown name or a malformed list of fields
  [[nodiscard]] graft::DataOptions options() const {
    graft::DataOptions options;
    options.format = graft::parse_data_format(format);
    options.task = task;
    if (!fields.empty()) options.fields = graft::parse_data_fields(fields);
    if (!linearize.empty()) options.linearization = graft::parse_linearization(linearize);
    options.good_texts = good_texts, options.language = language;
    return options;
  }

  /// Visits the values with the options' names.
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor const& visitor) {
    visitor("format", self.format), visitor("task", self.task), visitor("fields", self.fields);
    visitor("linearize", self.linearize), visitor("language", self.language), visitor("good_texts", self.good_texts);
  }
};

}  // namespace support
