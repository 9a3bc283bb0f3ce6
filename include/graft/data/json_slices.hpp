/// @file
/// @brief A large JSON text, value by value: each is parsed alone, so that memory holds one of them, and errors name
/// its line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/text/printable.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::detail {

/// A value's text and the line on which it begins, counted from 1.
struct JsonSlice {
  std::string_view text;
  std::size_t line = 0;
};

/// Goes through a JSON text from front to back. What stands inside a slice is checked when it is parsed.
class JsonScanner {
 public:
  static constexpr std::size_t deepest = 64;

  JsonScanner(std::string_view text, std::string const& file, std::size_t line = 1)
      : text_(text), file_(file), line_(line) {}

  [[nodiscard]] std::size_t line() const { return line_; }
  /// The next character that is no white space; a zero byte at the end.
  [[nodiscard]] char next() {
    for (; at_ < text_.size(); ++at_) {
      char const c = text_[at_];
      if (c == '\n') ++line_;
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return c;
    }
    return '\0';
  }
  /// Goes over `c`, if it is next.
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  /// @throws FileError if `c` is not next
  void expect(char c) {
    if (!take(c))
      fail<FileError>("[", file_, "] line ", line_, ": malformed JSON; got ",
                      at_ < text_.size() ? printable(text_.substr(at_, 12)) : "the end of the file", "; expected '", c,
                      "'");
  }

  /// The text of the next value: brackets closed, strings ended.
  [[nodiscard]] JsonSlice value() {
    char const first = next();
    std::size_t const start = at_, line = line_;
    if (first == '{' || first == '[') {
      std::size_t depth = 0;
      do {
        if (at_ >= text_.size())
          fail<FileError>("[", file_, "] line ", line, ": the JSON value that begins here has no end; got the end of ",
                          "the file; hint: the file is cut off");
        char const c = text_[at_];
        if (c == '"') {
          skip_string();
          continue;
        }
        if (c == '\n') ++line_;
        if ((c == '{' || c == '[') && ++depth > deepest)
          fail<FileError>("[", file_, "] line ", line_, " nests JSON too deeply; expected at most ", deepest,
                          " levels");
        if (c == '}' || c == ']') --depth;
        ++at_;
      } while (depth > 0);
    } else if (first == '"') {
      skip_string();
    } else {
      at_ = std::min(text_.find_first_of(",]}: \t\r\n", at_), text_.size());
    }
    return {text_.substr(start, at_ - start), line};
  }

 private:
  void skip_string() {
    std::size_t const line = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return;
      }
    }
    fail<FileError>("[", file_, "] line ", line,
                    ": the JSON string that begins here has no end; got the end of the file");
  }

  std::string_view text_;
  std::string const& file_;
  std::size_t at_ = 0;
  std::size_t line_;
};

/// Refuses an object with two values of one name, of which a parser silently keeps the last.
class JsonNames {
 public:
  explicit JsonNames(std::string where) : where_(std::move(where)) {}

  bool operator()(int /*depth*/, nlohmann::json::parse_event_t event, nlohmann::json const& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end) open_.pop_back();
    if (event != Event::key || !value.is_string()) return true;
    auto const& name = value.get_ref<std::string const&>();
    if (!open_.back().insert(name).second)
      fail<FileError>(where_, " has two fields ", printable(name), " in one object; expected each name once");
    return true;
  }

 private:
  std::string where_;
  std::vector<std::unordered_set<std::string>> open_;  ///< the names in each object that is not at its end
};

/// @throws FileError with file and line for a text that is no JSON value, and for an object with a name twice
[[nodiscard]] inline nlohmann::json parse_slice(JsonSlice const& slice, std::string const& file) {
  JsonScanner scanner(slice.text, file, slice.line);  // depth, before the parser builds anything
  if (scanner.next() != '\0') static_cast<void>(scanner.value());
  try {
    return nlohmann::json::parse(slice.text.begin(), slice.text.end(),
                                 JsonNames(cat("[", file, "] line ", slice.line)));
  } catch (nlohmann::json::exception const& error) {
    auto const* const parse = dynamic_cast<nlohmann::json::parse_error const*>(&error);
    std::size_t const at = parse ? std::min<std::size_t>(parse->byte, slice.text.size()) : 0;
    auto const breaks = std::count(slice.text.begin(), slice.text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    fail<FileError>("[", file, "] line ", slice.line + static_cast<std::size_t>(breaks), ": malformed JSON; got ",
                    slice.text.empty() ? "nothing" : "text that JSON does not allow", parse ? cat(" at byte ", at) : "",
                    "; expected one value");
  }
}

/// Calls `each` with the slices of the array that `scanner` stands at.
template <class Each>
void each_element(JsonScanner& scanner, Each const& each) {
  scanner.expect('[');
  if (scanner.take(']')) return;
  do each(scanner.value());
  while (scanner.take(','));
  scanner.expect(']');
}

/// Calls `each(key, scanner)` for the members of the object that `scanner` stands at; `each` goes over the value.
template <class Each>
void each_member(JsonScanner& scanner, std::string const& file, Each const& each) {
  scanner.expect('{');
  if (scanner.take('}')) return;
  do {
    JsonSlice const key = scanner.value();
    nlohmann::json const name = parse_slice(key, file);
    if (!name.is_string())
      fail<FileError>("[", file, "] line ", key.line, ": malformed JSON; expected a key in quotes");
    scanner.expect(':');
    each(name.get_ref<std::string const&>(), scanner);
  } while (scanner.take(','));
  scanner.expect('}');
}

/// Calls `each` with every element of the file's list: of a top-level array, or of the array `entries` or `data` of a
/// top-level object.
/// @throws FileError for another JSON text, and for anything behind it
template <class Each>
void each_listed(std::string_view text, std::string const& file, Each const& each) {
  JsonScanner scanner(text, file);
  bool found = false;
  if (scanner.next() == '{') {
    each_member(scanner, file, [&](std::string const& key, JsonScanner& at) {
      if ((key == "entries" || key == "data") && at.next() == '[') {
        found = true;
        each_element(at, each);
      } else {
        static_cast<void>(at.value());
      }
    });
  } else if (scanner.next() == '[') {
    found = true;
    each_element(scanner, each);
  }
  if (!found)
    fail<FileError>("[", file, "] line ", scanner.line(),
                    ": no list of examples; expected a JSON array of objects, or an object with the array entries or "
                    "data; hint: is it JSONL, one object a line?");
  if (scanner.next() != '\0')
    fail<FileError>("[", file, "] line ", scanner.line(), ": text after the end of the JSON value; expected none; ",
                    "hint: is it JSONL, one object a line?");
}

}  // namespace graft::detail
