/// @file
/// @brief Texts with classes as rows of tokens, and the classes' numbers.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <graft/data/readers.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/nn/rows.hpp>
#include <graft/text/printable.hpp>

namespace support {

/// A file of texts with classes; read once, for it may be a pipe. No file, no texts.
struct ClassTexts {
  std::string file;
  std::vector<graft::LabelledText> texts;

  ClassTexts() = default;
  ClassTexts(std::string path, graft::DataOptions const& options)
      : file(std::move(path)),
        texts(file.empty() ? std::vector<graft::LabelledText>{} : graft::read_labelled(file, options)) {}

  [[nodiscard]] std::string where(std::size_t row) const { return graft::cat("[", file, "] line ", texts[row].line); }
  [[nodiscard]] bool has_labels() const {
    return std::any_of(texts.begin(), texts.end(), [](auto const& text) { return text.label.has_value(); });
  }
};

/// A class in single quotes, cut where it is long.
[[nodiscard]] inline std::string quoted_class(std::string const& label) {
  std::string shown = graft::printable(label);
  shown.front() = shown.back() = '\'';
  return shown;
}

/// A class that is named by a number, from 0 to 999999.
[[nodiscard]] inline std::optional<graft::Token> class_number(std::string const& label) {
  if (label.empty() || label.size() > 6 || label.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  graft::Token number = 0;
  std::from_chars(label.data(), label.data() + label.size(), number);
  return number;
}

/// A whole number that numbers no class, as 1000000 and -1.
[[nodiscard]] inline bool is_other_number(std::string const& label) {
  std::size_t const first = label.starts_with('-') ? 1 : 0;
  return label.size() > first && label.find_first_not_of("0123456789", first) == std::string::npos &&
         !class_number(label);
}

/// The classes by name; without names, files have their numbers.
class ClassNames {
 public:
  explicit ClassNames(std::vector<std::string> names = {}) : names_(std::move(names)) {}

  /// The names of the training rows, in the order of their bytes; none where the rows have numbers.
  /// @throws FileError for rows of which some have numbers and some names, for other numbers, and for a single name
  [[nodiscard]] static ClassNames learned(ClassTexts const& training) {
    std::set<std::string> names;
    std::size_t numbers = 0, first_name = 0;
    for (std::size_t i = 0; i < training.texts.size(); ++i) {
      if (!training.texts[i].label) continue;  // said where it is asked for
      if (is_other_number(*training.texts[i].label))
        graft::fail<graft::FileError>(training.where(i), " has the class ", quoted_class(*training.texts[i].label),
                                      "; expected a number from 0 to 999999, or a name");
      if (class_number(*training.texts[i].label))
        ++numbers;
      else if (names.insert(*training.texts[i].label).second && names.size() == 1)
        first_name = i;
    }
    if (names.empty()) return ClassNames();
    std::string const& first = *training.texts[first_name].label;
    bool const heads = first_name == 0 && (first == "label" || first == "class" || first == "target");
    if (numbers > 0 || heads)
      graft::fail<graft::FileError>(training.where(first_name), " has the class ", quoted_class(first), "; expected ",
                                    heads ? "a class" : "a number from 0 to 999999, as other rows have",
                                    "; hint: --header, if that line names the columns");
    if (names.size() < 2)
      graft::fail<graft::FileError>(training.where(first_name), " has the class ", quoted_class(first),
                                    ", and no row has another; expected at least two classes");
    return ClassNames({names.begin(), names.end()});
  }

  [[nodiscard]] bool named() const { return !names_.empty(); }
  [[nodiscard]] std::vector<std::string> const& names() const { return names_; }
  [[nodiscard]] std::string name(graft::Token number) const {
    auto const place = static_cast<std::size_t>(number);
    return place < names_.size() ? names_[place] : std::to_string(number);
  }
  /// @throws FileError for a class that is not among the names, or no number
  [[nodiscard]] graft::Token number(std::string const& label, std::string const& where) const {
    if (!named()) {
      if (auto const number = class_number(label)) return *number;
      graft::fail<graft::FileError>(where, " has the class ", quoted_class(label),
                                    "; expected a number from 0 to 999999; hint: --header, if that line names the "
                                    "columns");
    }
    auto const found = std::find(names_.begin(), names_.end(), label);
    if (found != names_.end()) return static_cast<graft::Token>(found - names_.begin());
    std::string known;
    for (std::size_t i = 0; i < names_.size() && i < 20; ++i)
      known += (i > 0 ? ", " : "") + graft::printable_name(names_[i]);
    graft::fail<graft::FileError>(where, " has the class ", quoted_class(label),
                                  "; expected one that training has: ", known, names_.size() > 20 ? ", …" : "");
  }

 private:
  std::vector<std::string> names_;
};

/// Rows as tokens, with their lines.
struct ClassRows {
  std::string file;
  std::vector<graft::TokenizedExample> examples;
  std::vector<std::size_t> lines;
  bool labelled = true;  ///< false: no row has a class, as the published test files; the examples have class 0
};

/// @param cut counts tokens beyond the maximum length
/// @param rows only the first so many; 0: all
/// @param may_lack_labels whether a file without any class will do
/// @throws FileError for a row without a class, or with an unknown one
inline ClassRows class_rows(ClassTexts const& texts, ClassNames const& names, graft::Tokenizer const& tokenizer,
                            std::size_t max_length, std::size_t& cut, std::size_t rows, bool may_lack_labels) {
  ClassRows result{texts.file, {}, {}};
  if (texts.file.empty()) return result;
  result.labelled = !may_lack_labels || texts.has_labels();
  for (std::size_t i = 0; i < texts.texts.size() && (rows == 0 || i < rows); ++i) {
    graft::LabelledText const& text = texts.texts[i];
    if (!text.label && result.labelled)
      graft::fail<graft::FileError>(
          texts.where(i), " has no class; expected one",
          texts.has_labels() ? "" : "; hint: is it a test file, whose classes are not given?");
    graft::Token const number = text.label ? names.number(*text.label, texts.where(i)) : 0;
    auto encoded = tokenizer.encode_with_template(text.text, text.pair, max_length);
    cut += encoded.cut_tokens;
    result.lines.push_back(text.line);
    result.examples.push_back({std::move(encoded.ids),
                               {number},
                               i,
                               std::vector<graft::Index>(encoded.token_types.begin(), encoded.token_types.end())});
  }
  return result;
}

}  // namespace support
