#include <gtest/gtest.h>
#include <graft/data/generated.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using graft::Example;
using graft::GeneratedData;
using graft::GeneratedDataOptions;

std::vector<std::pair<std::string, std::string>> facts_of(std::string const& source) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (std::size_t start = 0; start < source.size();) {
    std::size_t const end = std::min(source.find(" | ", start), source.size()), colon = source.find(" : ", start);
    facts.emplace_back(source.substr(start, colon - start), source.substr(colon + 3, end - colon - 3));
    start = end + 3;
  }
  return facts;
}

std::vector<std::string> texts_of(std::vector<Example> const& examples) {
  std::vector<std::string> texts;
  for (auto const& example : examples) {
    texts.push_back(example.target);
    texts.insert(texts.end(), example.references.begin(), example.references.end());
  }
  return texts;
}

std::uint64_t fingerprint(GeneratedData const& data) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (auto const* part : {&data.training, &data.validation, &data.test})
    for (auto const& example : *part) {
      std::string all = example.source + "\n" + example.target + "\n" + example.domain;
      for (auto const& reference : example.references) all += "\n" + reference;
      for (char const c : all) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
  return hash;
}

TEST(GeneratedData, HasTheSizesAskedFor) {
  auto const data = graft::generate_data();
  EXPECT_EQ(data.training.size(), 320U);
  EXPECT_EQ(data.validation.size(), 30U);
  EXPECT_EQ(data.test.size(), 60U);
  for (auto const& example : data.training) EXPECT_TRUE(example.references.empty());
  for (auto const* part : {&data.validation, &data.test})
    for (auto const& example : *part) {
      EXPECT_EQ(example.references.size(), 4U);
      EXPECT_EQ(example.target, example.references.front());
      EXPECT_EQ(std::set<std::string>(example.references.begin(), example.references.end()).size(), 4U);
    }
  GeneratedDataOptions odd;
  odd.training_rows = 7;
  odd.training_references = 3;
  odd.unseen_test_sources = 0;
  EXPECT_EQ(graft::generate_data(odd).training.size(), 7U);
  EXPECT_EQ(graft::generate_data(odd).test.size(), 30U);
}

// The number was computed with g++ 12 and clang 14 on x86-64: another compiler or machine must come to the same data.
TEST(GeneratedData, IsTheSameEverywhereAndFollowsItsSeed) {
  GeneratedDataOptions other;
  other.seed = 1;
  EXPECT_EQ(fingerprint(graft::generate_data()), fingerprint(graft::generate_data()));
  EXPECT_NE(fingerprint(graft::generate_data()), fingerprint(graft::generate_data(other)));
  EXPECT_EQ(fingerprint(graft::generate_data()), 17952080845115080531ULL);
}

TEST(GeneratedData, PartsShareNoSourceAndTestsCombineValuesThatTrainingNeverDoes) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    GeneratedDataOptions options;
    options.seed = seed;
    auto const data = graft::generate_data(options);
    std::set<std::string> trained, validated, domains;
    std::set<std::pair<std::pair<std::string, std::string>, std::pair<std::string, std::string>>> pairs;
    std::set<std::pair<std::string, std::string>> values;
    for (auto const* part : {&data.training, &data.validation})
      for (auto const& example : *part) {
        (part == &data.training ? trained : validated).insert(example.source);
        if (part == &data.training) domains.insert(example.domain);
        auto const facts = facts_of(example.source);
        for (auto const& a : facts) {
          values.insert(a);
          for (auto const& b : facts) pairs.insert({a, b});
        }
      }
    for (auto const& source : validated) EXPECT_EQ(trained.count(source), 0U);
    for (auto const& example : data.test) {
      EXPECT_EQ(trained.count(example.source) + validated.count(example.source), 0U);
      bool const unseen = std::count(data.unseen_domains.begin(), data.unseen_domains.end(), example.domain) != 0;
      EXPECT_NE(unseen, domains.count(example.domain) != 0) << example.domain;
      if (unseen) continue;
      auto const facts = facts_of(example.source);
      bool fresh = false;  // a pair of values, neither of them a name, that never occurs together elsewhere
      for (auto const& a : facts)
        for (auto const& b : facts)
          fresh = fresh || (a.first != "name" && b.first != "name" && pairs.count({a, b}) == 0);
      EXPECT_TRUE(fresh) << example.source;
    }
  }
}

TEST(GeneratedData, HasManyFieldsAndFewTextsAlike) {
  auto const data = graft::generate_data();
  std::set<std::string> fields, trained_fields, beginnings, texts;
  for (auto const* part : {&data.training, &data.test})
    for (auto const& example : *part)
      for (auto const& [field, value] : facts_of(example.source)) {
        fields.insert(field);
        if (part == &data.training) trained_fields.insert(field);
      }
  EXPECT_GE(trained_fields.size(), 8U);
  EXPECT_GE(fields.size(), 20U);
  for (auto const& example : data.training) {
    std::string form = example.target;  // the surface form: the text without the record's values
    for (auto const& [field, value] : facts_of(example.source))
      for (std::size_t at = form.find(value); at != std::string::npos; at = form.find(value))
        form.replace(at, value.size(), "_");
    texts.insert(form);
  }
  EXPECT_GT(texts.size(), 240U) << "of 320 training texts";
}

// Each fact must be recoverable: these fields' values stand in the text as they are.
TEST(GeneratedData, TextsSayTheFacts) {
  auto const data = graft::generate_data();
  for (auto const* part : {&data.training, &data.validation, &data.test})
    for (auto const& example : *part)
      for (auto const& text : texts_of({example}))
        for (auto const& [field, value] : facts_of(example.source)) {
          static std::set<std::string> const verbatim = {"name",       "Type",     "food",     "near",   "stars",
                                                         "room price", "year",     "director", "length", "setting",
                                                         "lead role",  "exhibits", "open",     "reviews"};
          if (verbatim.count(field) != 0) {
            EXPECT_NE(text.find(value), std::string::npos) << field << " : " << value << "\n" << text;
          }
        }
}

TEST(GeneratedData, TextsAreWellFormed) {
  GeneratedDataOptions many;
  many.training_rows = 2000;
  auto const data = graft::generate_data(many);
  std::vector<std::string> texts = texts_of(data.training);
  for (auto const& text : texts_of(data.test)) texts.push_back(text);
  for (auto const& text : texts) {
    for (std::string_view const bad : {"{", "}", "  ", " .", " ,", "..", ",,", " a a ", " a an ", " a e", " a i",
                                       " a o", " an b", " an c", " an h", " an p", " an t"})
      EXPECT_EQ(text.find(bad), std::string::npos) << "'" << bad << "' in: " << text;
    EXPECT_EQ(text.back(), '.');
    EXPECT_TRUE(text[0] >= 'A' && text[0] <= 'Z') << text;
  }
}

TEST(GeneratedData, SaysWhatCannotBeMade) {
  GeneratedDataOptions none;
  none.training_rows = 0;
  EXPECT_THROW((void)graft::generate_data(none), graft::ConfigError);
  GeneratedDataOptions greedy;
  greedy.training_rows = 4000;
  greedy.training_references = 4000;
  EXPECT_THROW((void)graft::generate_data(greedy), graft::ConfigError);
}

}  // namespace
