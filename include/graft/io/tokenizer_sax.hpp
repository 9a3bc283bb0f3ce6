/// @file
/// @brief Reading tokenizer files in bounded memory: vocabulary and merges go straight into their tables, the small
/// rest into a tree.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/json.hpp>
#include <graft/text/merge_list.hpp>
#include <graft/text/vocabulary.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// What a tokenizer's JSON file holds.
struct TokenizerJson {
  nlohmann::json rest;    ///< everything but the two tables
  Vocabulary vocabulary;  ///< `model.vocab`, or a whole vocab.json
  MergeList merges;       ///< `model.merges`
  std::vector<double>
      scores;  ///< of each id, where `model.vocab` is a list of pieces with scores, as Unigram models have it
  bool has_vocabulary = false, has_merges = false, has_scores = false;
};

namespace detail {

/// Which file is read: where its vocabulary stands.
enum class TokenizerFile { tokenizer_json, vocab_json };

/// The handler of nlohmann-json's event parser. Limits: 64 levels, `value_limit` values outside the tables, no key
/// twice.
class TokenizerJsonHandler : public nlohmann::json::json_sax_t {
 public:
  TokenizerJsonHandler(TokenizerFile kind, std::string source, TokenizerJson& out)
      : kind_(kind), source_(std::move(source)), out_(out) {}

  using Json = nlohmann::json;
  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(std::int64_t value) override {
    return table_ == Table::pieces ? score(static_cast<double>(value)) : scalar(value);
  }
  bool number_float(double value, std::string const&) override {
    return table_ == Table::pieces ? score(value) : scalar(value);
  }
  bool string(std::string& value) override {
    if (table_ == Table::pieces) return piece(std::move(value));
    if (table_ != Table::merges) return scalar(std::move(value));
    if (depth_ == table_depth_ + 1) {
      pair_.push_back(std::move(value));
      if (pair_.size() > 2) bad_merge();
    } else {
      out_.merges.add_line(value, source_);
    }
    return true;
  }
  bool binary(Json::binary_t&) override { return scalar(nullptr); }
  bool number_unsigned(std::uint64_t value) override {
    if (table_ == Table::pieces) return score(static_cast<double>(value));
    if (table_ != Table::vocabulary) return scalar(value);
    out_.vocabulary.add(key_, value > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(value), source_);
    return true;
  }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override {
    enter();
    if (table_ == Table::merges) bad_merge();
    if (table_ == Table::vocabulary) bad_id();
    if (table_ == Table::pieces) bad_piece();
    bool const vocabulary = kind_ == TokenizerFile::vocab_json ? depth_ == 1 : in_model() && key_ == "vocab";
    if (vocabulary) return begin_table(Table::vocabulary, out_.has_vocabulary);
    return open(Json::object());
  }
  bool start_array(std::size_t) override {
    enter();
    if (table_ == Table::vocabulary) bad_id();
    if (table_ == Table::pieces) {
      if (depth_ != table_depth_ + 1) bad_piece();
      pair_.clear(), scored_ = false;
      return true;
    }
    if (table_ == Table::merges) {
      if (depth_ != table_depth_ + 1) bad_merge();
      pair_.clear();
      return true;
    }
    if (in_model() && key_ == "merges") return begin_table(Table::merges, out_.has_merges);
    if (in_model() && key_ == "vocab") return begin_table(Table::pieces, out_.has_scores);
    return open(Json::array());
  }
  bool end_object() override { return leave(); }
  bool end_array() override {
    if (table_ == Table::pieces && depth_ == table_depth_ + 1 && !scored_) bad_piece();
    if (table_ == Table::merges && depth_ == table_depth_ + 1) {
      if (pair_.size() != 2) bad_merge();
      out_.merges.add(pair_[0], pair_[1]);
    }
    return leave();
  }
  [[noreturn]] bool parse_error(std::size_t position, std::string const&,
                                nlohmann::detail::exception const& error) override {
    fail<FileError>("[", source_, "] is malformed JSON, or cut short, at byte ", position,
                    "; got: ", json_reason(error));
  }

 private:
  enum class Table { none, vocabulary, merges, pieces };
  static constexpr std::size_t depth_limit = 64, value_limit = std::size_t{1} << 18;

  void enter() {
    if (++depth_ > depth_limit)
      fail<FileError>("[", source_, "] JSON is nested too deeply; got more than ", depth_limit, " levels");
  }
  /// Whether a value that opens now is a member of the root's `model`.
  [[nodiscard]] bool in_model() const {
    return kind_ == TokenizerFile::tokenizer_json && depth_ == 3 && model_depth_ == 2;
  }

  /// The text of a scored piece, which must come first.
  bool piece(std::string value) {
    if (depth_ != table_depth_ + 1 || !pair_.empty()) bad_piece();
    pair_.push_back(std::move(value));
    return true;
  }
  /// Its score, which completes it.
  bool score(double value) {
    if (depth_ != table_depth_ + 1 || pair_.size() != 1 || scored_) bad_piece();
    out_.vocabulary.add(pair_.front(), out_.vocabulary.size(), source_);
    out_.scores.push_back(value);
    return scored_ = true;
  }

  bool begin_table(Table table, bool& seen) {
    if (seen || (table == Table::vocabulary && out_.has_scores) || (table == Table::pieces && out_.has_vocabulary))
      fail<FileError>("[", source_, "] key ", printable(key_), " occurs twice; expected once");
    seen = true;
    table_ = table;
    table_depth_ = depth_;
    return true;
  }

  bool leave() {
    if (table_ == Table::none) open_.pop_back();
    if (depth_ == table_depth_) table_ = Table::none, table_depth_ = 0;
    if (depth_ == model_depth_) model_depth_ = 0;
    --depth_;
    return true;
  }

  bool open(Json container) {
    if (depth_ == 2 && key_ == "model" && container.is_object()) model_depth_ = 2;
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool scalar(Json value) {
    if (table_ == Table::vocabulary) bad_id();
    if (table_ == Table::merges) bad_merge();
    if (table_ == Table::pieces) bad_piece();
    if (table_ == Table::none) place(std::move(value));
    return true;
  }

  Json* place(Json value) {
    if (++values_ > value_limit)
      fail<FileError>("[", source_, "] is too large; got more than ", value_limit,
                      " values outside vocabulary and merges");
    if (open_.empty()) return &(out_.rest = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    if (parent.contains(key_)) fail<FileError>("[", source_, "] key ", printable(key_), " occurs twice; expected once");
    return &(parent[key_] = std::move(value));
  }

  [[noreturn]] void bad_id() const {
    fail<FileError>("[", source_, "] id of token ", printable(key_),
                    " has the wrong type or is negative; expected an integer from 0 on");
  }
  [[noreturn]] void bad_piece() const {
    fail<FileError>("[", source_, "] piece ", out_.scores.size(), " has the wrong type; expected [\"piece\", score]");
  }
  [[noreturn]] void bad_merge() const {
    fail<FileError>("[", source_, "] merge ", out_.merges.size(),
                    " has the wrong type; expected \"left right\" or [\"left\", \"right\"]");
  }

  TokenizerFile kind_;
  std::string source_;
  TokenizerJson& out_;
  std::string key_;
  std::vector<std::string> pair_;
  bool scored_ = false;      ///< whether the scored piece being read has its score
  std::vector<Json*> open_;  ///< containers being filled; a parent does not grow while its child is open
  Table table_ = Table::none;
  std::size_t depth_ = 0, table_depth_ = 0, model_depth_ = 0, values_ = 0;
};

}  // namespace detail

/// Reads one file's text. `source` names it in errors.
/// @throws FileError for malformed JSON, more than 64 levels, a key twice, or tables with wrong types
[[nodiscard]] inline TokenizerJson parse_tokenizer_json(std::string_view text, std::string const& source,
                                                        detail::TokenizerFile kind) {
  if (std::size_t const zero = text.find('\0'); zero != std::string_view::npos)  // the parser would take it for the end
    fail<FileError>("[", source, "] is not JSON; got a zero byte at offset ", zero);
  TokenizerJson out;
  detail::TokenizerJsonHandler handler(kind, source, out);
  detail::read_json_events(text, handler);
  if (kind != detail::TokenizerFile::vocab_json && !out.rest.is_object())
    fail<FileError>("[", source, "] is not a JSON object; got ", out.rest.type_name(), "; expected {…}");
  if (kind == detail::TokenizerFile::vocab_json && !out.has_vocabulary)
    fail<FileError>("[", source, "] is not a vocabulary; got ", out.rest.type_name(), "; expected {\"token\": id, …}");
  return out;
}

}  // namespace graft
