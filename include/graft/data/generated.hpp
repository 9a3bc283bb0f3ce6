/// @file
/// @brief A data-to-text set that the library makes itself: for comparisons without a download, and for tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <graft/data/example.hpp>
#include <graft/data/generated/domains.hpp>
#include <graft/data/generated/realize.hpp>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace graft {

struct GeneratedDataOptions {
  std::size_t training_rows = 320;
  std::size_t training_references = 2;  ///< rows that share a source
  std::size_t validation_sources = 30;
  std::size_t seen_test_sources =
      30;  ///< of the trained domains, each with a pair of values that no training or validation source has
  std::size_t unseen_test_sources = 30;  ///< of a domain without training rows
  std::size_t references = 4;            ///< of each validation and test source
  std::uint64_t seed = 0;
};

/// Training rows have one target each; validation and test examples have references. `domain` is marked on all.
struct GeneratedData {
  std::vector<Example> training;
  std::vector<Example> validation;
  std::vector<Example> test;                ///< seen domains first, then unseen ones
  std::vector<std::string> unseen_domains;  ///< the domains that only the test has
};

namespace generated {

/// Pairs of values that training and validation never combine: a fifth, spread so that each value alone is trained.
inline bool is_held_out_pair(std::size_t first, std::size_t second, std::uint64_t seed) {
  return (first + second + seed % 5) % 5 == 0;
}

inline bool has_held_out_pair(Domain const& domain, Record const& record, std::uint64_t seed) {
  std::size_t const none = static_cast<std::size_t>(-1);
  std::size_t first = none, second = none;
  for (auto const& [place, choice] : record.facts) {
    if (place == domain.first_paired) first = choice;
    if (place == domain.second_paired) second = choice;
  }
  return first != none && second != none && is_held_out_pair(first, second, seed);
}

/// A name, a type and two to five facts, in the domain's order of fields.
inline Record make_record(Domain const& domain, RandomKey key) {
  Draws draws(key);
  Record record;
  record.name =
      draws.pick(domain.name_beginnings);  // a statement a draw: the order of operands would differ between compilers
  record.name += " " + draws.pick(domain.name_endings);
  record.type = draws.pick(domain.types);
  std::vector<std::size_t> places(domain.fields.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  draws.mix(places);
  places.resize(std::min<std::size_t>(2 + draws.below(4), places.size()));
  std::sort(places.begin(), places.end());
  for (std::size_t const place : places)
    record.facts.emplace_back(place, draws.below(domain.fields[place].values.size()));
  return record;
}

/// Up to `count` different texts for a record; few facts allow fewer than asked.
inline std::vector<std::string> make_texts(Domain const& domain, Record const& record, std::size_t count,
                                           RandomKey key) {
  std::vector<std::string> texts;
  for (std::uint64_t attempt = 0; attempt < 50 * count && texts.size() < count; ++attempt) {
    std::string text = realize(domain, record, key.with(attempt));
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts;
}

enum class Pairs { any, trained, held_out };

/// `count` examples with sources that are not in `used` (to which they are added), domains in turn.
inline std::vector<Example> make_part(std::vector<Domain> const& domains, std::size_t count, std::size_t references,
                                      Pairs pairs, std::unordered_set<std::string>& used,
                                      GeneratedDataOptions const& options, std::string const& part) {
  RandomKey const key = RandomKey(options.seed).with("generated data").with(part);
  std::vector<Example> examples;
  std::size_t const most_attempts = 1000 + 200 * count;
  for (std::uint64_t attempt = 0; examples.size() < count; ++attempt) {
    if (attempt == most_attempts)
      fail<ConfigError>("[generate_data] not enough different ", part, " sources; got ", examples.size(), "; expected ",
                        count, "; ask for fewer");
    Domain const& domain = domains[examples.size() % domains.size()];
    Record const record = make_record(domain, key.with(attempt));
    if (pairs != Pairs::any && has_held_out_pair(domain, record, options.seed) != (pairs == Pairs::held_out)) continue;
    std::string source = linearize(domain, record);
    if (!used.insert(source).second) continue;
    auto texts = make_texts(domain, record, references, key.with(attempt).with("texts"));
    std::string target = texts.front();
    examples.push_back({std::move(source), std::move(target), std::move(texts), domain.name});
  }
  return examples;
}

/// `generate_data`, once in graft::compiled.
template <class = void>
[[nodiscard]] GeneratedData make_data(GeneratedDataOptions const& options) {
  if (options.training_rows == 0 || options.training_references == 0 || options.references == 0)
    fail<ConfigError>("[generate_data] nothing to make; got ", options.training_rows, " training rows, ",
                      options.training_references, " training references, ", options.references,
                      " references; expected at least 1 of each");
  std::unordered_set<std::string> used;
  GeneratedData data;
  std::size_t const sources = (options.training_rows + options.training_references - 1) / options.training_references;
  std::size_t missing = options.training_rows;
  auto const& seen = seen_domains();
  for (Example const& example :
       make_part(seen, sources, options.training_references, Pairs::trained, used, options, "training"))
    for (std::string const& text : example.references)
      if (missing > 0) {
        data.training.push_back({example.source, text, {}, example.domain});
        --missing;
      }
  if (missing > 0)
    fail<ConfigError>("[generate_data] a record has fewer different texts; got ", options.training_references,
                      " training references; expected fewer");
  data.validation =
      make_part(seen, options.validation_sources, options.references, Pairs::trained, used, options, "validation");
  data.test = make_part(seen, options.seen_test_sources, options.references, Pairs::held_out, used, options, "test");
  auto unseen = make_part(unseen_domains(), options.unseen_test_sources, options.references, Pairs::any, used, options,
                          "unseen test");
  data.test.insert(data.test.end(), unseen.begin(), unseen.end());
  for (auto const& domain : unseen_domains()) data.unseen_domains.push_back(domain.name);
  return data;
}
#ifdef GRAFT_COMPILED
extern template GeneratedData make_data<>(GeneratedDataOptions const&);
#endif

}  // namespace generated

/// Tables of restaurants, hotels and films (trained) and museums (unseen) with texts about them; 23 fields in all,
/// sources linearized as `name : X | Type : Y | …`. Texts differ in the role each fact takes (adjective, place,
/// modifier, verb phrase), in aggregation, order and sentence pattern, and say every fact. No source occurs in two
/// parts; the seen test's sources combine values that training never does. The same options give the same data on every
/// machine.
/// @throws ConfigError when a count is 0, or more different sources are asked for than the tables make
[[nodiscard]] inline GeneratedData generate_data(GeneratedDataOptions const& options = {}) {
  return generated::make_data(options);
}

}  // namespace graft
