/// @file
/// @brief Comma-separated values as RFC 4180 has them.
#pragma once

#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/text/printable.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// A record and the line of the file on which it starts, counted from 1.
struct CsvRow {
  std::vector<std::string> fields;
  std::size_t line = 0;
};

namespace detail {

/// Reads records from front to back; keeps the line number for messages.
class CsvParser {
 public:
  CsvParser(std::string_view text, std::string_view file, char separator)
      : text_(text), file_(file), separator_(separator) {}

  [[nodiscard]] std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{{}, line_};
      do row.fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      while (take(separator_));
      end_of_row();
      if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(std::move(row));  // a blank line is no record
    }
    return rows;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string plain() {
    std::size_t const start = at_;
    for (; at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r'; ++at_)
      if (text_[at_] == '"')
        fail<FileError>("[", file_, "] line ", line_,
                        ": quote inside an unquoted field; expected the whole field in quotes and the quote doubled");
    return std::string(text_.substr(start, at_ - start));
  }

  std::string quoted() {
    std::size_t const first_line = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        field += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field += text_[++at_];
      } else {
        ++at_;
        return field;
      }
    }
    fail<FileError>("[", file_, "] line ", first_line,
                    ": quoted field has no end; got the end of the file; expected a closing quote");
  }

  void end_of_row() {
    if (at_ >= text_.size()) return;
    take('\r');
    if (take('\n'))
      ++line_;
    else if (at_ < text_.size())
      fail<FileError>("[", file_, "] line ", line_, ": text after a closing quote or a stray carriage return; got ",
                      printable(text_.substr(at_, 12)), "; expected '", separator_,
                      "' or a line break; quotes inside a field are doubled");
  }

  std::string_view text_;
  std::string_view file_;
  char separator_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace detail

/// The records of `text`: fields parted by `separator`, in double quotes where they hold a separator, a quote (doubled)
/// or a line break. Lines end with LF or CR LF; blank lines are skipped. @param file the name to use in messages
/// @throws FileError with file and line for broken quoting. Format: RFC 4180.
[[nodiscard]] inline std::vector<CsvRow> parse_csv(std::string_view text, std::string_view file, char separator = ',') {
  return detail::CsvParser(text, file, separator).rows();
}

}  // namespace graft
