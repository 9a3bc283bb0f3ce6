/// @file
/// @brief The benchmark files of WebNLG (2017, 2020) and DART in XML, read with expat (component graft::xml).
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <graft/data/triples.hpp>
#include <graft/text/printable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <expat.h>

namespace graft::detail {

/// Collects entries from the parser's events:
///
///     <benchmark><entries>
///       <entry category="Airport" eid="Id1" size="1">
///         <modifiedtripleset><mtriple>subject | property | object</mtriple></modifiedtripleset>
///         <lex comment="good" lid="Id1" lang="en">A text.</lex>
///
/// Other elements are passed over; a `text` within a `lex` (the enriched files) stands for the lex's own text. Markup
/// within a text is refused, since the words in it would be lost.
class XmlTriples {
 public:
  static constexpr std::size_t deepest = 64;

  XmlTriples(std::string const& file, std::string_view text) : file_(file), parser_(XML_ParserCreate("UTF-8")) {
    if (!parser_) throw_no_memory();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(
        parser_.get(),
        [](void* self, char const* name, char const** attributes) {
          guarded(self, [&](XmlTriples& reader) { reader.begin(name, attributes); });
        },
        [](void* self, char const* name) { guarded(self, [&](XmlTriples& reader) { reader.end(name); }); });
    XML_SetCharacterDataHandler(parser_.get(), [](void* self, char const* part, int length) {
      guarded(self, [&](XmlTriples& reader) {
        if (reader.collects_) reader.text_.append(part, static_cast<std::size_t>(length));
      });
    });
    XML_SetEntityDeclHandler(parser_.get(), [](void* self, char const* name, int, char const*, int, char const*,
                                               char const*, char const*, char const*) {
      guarded(self, [&](XmlTriples& reader) {
        fail<FileError>(reader.where(), " defines the entity ", printable(name),
                        "; expected none: benchmark files have ",
                        "none, and entities within entities can fill the memory");
      });
    });
    parse(text);
  }

  [[nodiscard]] std::vector<TripleEntry> entries() && { return std::move(entries_); }

 private:
  struct Free {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };

  /// Exceptions must not go through the parser, which is C: they are kept until it has returned.
  template <class F>
  static void guarded(void* self, F const& act) noexcept {
    auto& reader = *static_cast<XmlTriples*>(self);
    if (reader.thrown_) return;
    try {
      act(reader);
    } catch (...) {
      reader.thrown_ = std::current_exception();
      XML_StopParser(reader.parser_.get(), XML_FALSE);
    }
  }

  [[noreturn]] void throw_no_memory() const {
    fail<FileError>("[", file_, "] cannot be parsed; got no memory for an XML parser; expected enough");
  }

  [[nodiscard]] std::size_t line() const { return static_cast<std::size_t>(XML_GetCurrentLineNumber(parser_.get())); }
  [[nodiscard]] std::string where() const { return cat("[", file_, "] line ", line()); }

  void parse(std::string_view text) {
    constexpr std::size_t piece = std::size_t{1} << 20;
    for (std::size_t at = 0;; at += piece) {
      std::size_t const count = std::min(piece, text.size() - std::min(at, text.size()));
      bool const last = at + count >= text.size();
      auto const status = XML_Parse(parser_.get(), count > 0 ? text.data() + at : "", static_cast<int>(count), last);
      if (thrown_) std::rethrow_exception(thrown_);
      if (status != XML_STATUS_OK)
        fail<FileError>(where(), ": malformed XML; got '", XML_ErrorString(XML_GetErrorCode(parser_.get())),
                        "'; expected a benchmark file of entries");
      if (last) return;
    }
  }

  [[nodiscard]] static std::string attribute(char const** attributes, std::string_view name) {
    for (; attributes[0] != nullptr; attributes += 2)
      if (name == attributes[0]) return attributes[1];
    return {};
  }

  void begin(std::string_view name, char const** attributes) {
    if (++depth_ > deepest) fail<FileError>(where(), " nests XML too deeply; expected at most ", deepest, " levels");
    if (depth_ == 1 && name != "benchmark")
      fail<FileError>(where(), ": no benchmark file; got the element ", printable(name), "; expected <benchmark>");
    bool const inside = !entries_.empty() && in_entry_;
    if (in_triple_ || in_text_ || (in_lex_ && !trim(text_).empty()))
      fail<FileError>(where(), ": the element ", printable(name), " within ", in_triple_ ? "a triple" : "a text",
                      "; expected text alone");
    if (name == "entry") {
      if (inside) fail<FileError>(where(), ": an entry within an entry; expected them one after another");
      in_entry_ = true;
      entries_.push_back({attribute(attributes, "eid"), attribute(attributes, "category"), {}, {}, line()});
    } else if (inside && name == "lex") {
      in_lex_ = collects_ = true;
      marked_ = false;
      lex_depth_ = depth_;
      text_.clear();
      entries_.back().texts.push_back({{}, attribute(attributes, "comment"), attribute(attributes, "lang")});
    } else if (inside && (name == "mtriple" || (in_lex_ && name == "text"))) {
      collects_ = true;
      (name == "mtriple" ? in_triple_ : in_text_) = true;
      text_.clear();
    } else {
      collects_ = false;
      marked_ = true;
    }
  }

  void end(std::string_view name) {
    --depth_;
    if (name == "entry") {
      in_entry_ = false;
    } else if (in_entry_ && name == "mtriple") {
      entries_.back().triples.push_back(parse_triple(text_, where()));
      in_triple_ = false;
    } else if (in_lex_ && (name == "text" || name == "lex")) {
      std::string& text = entries_.back().texts.back().text;
      bool const own = name == "lex" && !trim(text_).empty();
      if ((own && marked_) || (!trim(text).empty() && !trim(text_).empty()))
        fail<FileError>(where(), ": a lex of several parts, ", printable(trim(text_).substr(0, 40)),
                        " the last of them; expected one text");
      if (trim(text).empty()) text = std::exchange(text_, {});
      text_.clear();
      in_text_ = false;
      in_lex_ = name != "lex";
    }
    collects_ = in_lex_ && depth_ == lex_depth_;
  }

  std::string const& file_;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, Free> parser_;
  std::exception_ptr thrown_;
  std::vector<TripleEntry> entries_;
  std::string text_;  ///< of the element that is collected
  std::size_t depth_ = 0, lex_depth_ = 0;
  bool in_entry_ = false, in_lex_ = false, collects_ = false;
  bool in_text_ = false, in_triple_ = false;  ///< in a `text` of a `lex`, in an `mtriple`
  bool marked_ = false;                       ///< the `lex` has elements that are passed over
};

/// The entries of an XML file. @throws FileError with file and line for malformed XML, entity definitions, and
/// elements of another form
[[nodiscard]] inline std::vector<TripleEntry> xml_triple_entries(std::string_view text, std::string const& file) {
  return XmlTriples(file, text).entries();
}

}  // namespace graft::detail
