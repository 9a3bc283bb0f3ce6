/// @file
/// @brief Words a record in one of many ways: choice of roles, aggregation, clause order, sentence pattern.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/core/random.hpp>
#include <graft/data/generated/phrases.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::generated {

/// Draws from a key one number after the other.
class Draws {
 public:
  explicit Draws(RandomKey key) : key_(key) {}
  [[nodiscard]] std::size_t below(std::size_t bound) { return static_cast<std::size_t>(key_.below(counter_++, bound)); }
  [[nodiscard]] bool chance(double probability) { return key_.uniform(counter_++) < probability; }
  template <class T>
  [[nodiscard]] T const& pick(std::vector<T> const& items) {
    return items[below(items.size())];
  }
  template <class T>
  void mix(std::vector<T>& items) {
    graft::shuffle(items, key_.with(counter_++));
  }

 private:
  RandomKey key_;
  std::uint64_t counter_ = 0;
};

/// A thing to describe: fields by their places in the domain, each with the place of its value.
struct Record {
  std::string name;
  std::string type;
  std::vector<std::pair<std::size_t, std::size_t>> facts;
};

inline bool starts_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

/// "a pub", "an inn": the first letter decides, which is right for every word in the tables.
inline std::string with_article(std::string const& phrase) {
  return (std::string_view("aeiouAEIOU").find(phrase[0]) != std::string_view::npos ? "an " : "a ") + phrase;
}

inline std::string fill(std::string form, std::string const& value) {
  if (auto const at = form.find("{a}"); at != std::string::npos) return form.replace(at, 3, with_article(value));
  if (auto const at = form.find("{}"); at != std::string::npos) form.replace(at, 2, value);
  return form;
}

inline std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

/// "a", "a and b", "a, b and c"
inline std::string enumerate(std::vector<std::string> const& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i)
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  return text;
}

/// The parts of a description before they are put into sentences.
struct Plan {
  std::string noun;                       ///< with its adjectives: "cheap Italian pub"
  std::vector<std::string> places;        ///< at most two
  std::string modifier;                   ///< at most one, or empty
  std::vector<std::string> verb_phrases;  ///< the rest

  [[nodiscard]] std::string after_noun(std::size_t first_place = 0) const {
    std::string text;
    for (std::size_t i = first_place; i < places.size(); ++i) text += " " + places[i];
    return modifier.empty() ? text : text + " " + modifier;
  }
  [[nodiscard]] std::vector<std::string> take_verb_phrases(std::size_t most) {
    auto const end = verb_phrases.begin() + static_cast<std::ptrdiff_t>(std::min(most, verb_phrases.size()));
    std::vector<std::string> taken(verb_phrases.begin(), end);
    verb_phrases.erase(verb_phrases.begin(), end);
    return taken;
  }
};

/// Gives each fact one of the roles that its phrases allow.
inline Plan plan_roles(Domain const& domain, Record const& record, Draws& draws) {
  Plan plan;
  std::string adjective, classifier;
  auto facts = record.facts;
  draws.mix(facts);
  for (auto const& [place, choice] : facts) {
    Field const& field = domain.fields[place];
    Value const& value = field.values[choice];
    bool const own = !value.phrases.places.empty() || !value.phrases.verb_phrases.empty();
    Phrases const& say = own ? value.phrases : field.phrases;
    std::string& before = field.classifying ? classifier : adjective;
    if (!say.adjectives.empty() && before.empty() && draws.chance(0.5)) {
      before = fill(draws.pick(say.adjectives), value.text);
    } else if (!say.places.empty()) {
      std::string const where = fill(draws.pick(say.places), value.text);
      if (plan.places.size() < 2 && draws.chance(0.7))
        plan.places.push_back(where);
      else
        plan.verb_phrases.push_back((draws.chance(0.6) ? "is located " : "can be found ") + where);
    } else if (!say.modifiers.empty() && plan.modifier.empty() && draws.chance(0.35)) {
      plan.modifier = fill(draws.pick(say.modifiers), value.text);
    } else {
      plan.verb_phrases.push_back(fill(draws.pick(say.verb_phrases), value.text));
    }
  }
  plan.noun = adjective + (adjective.empty() ? "" : " ") + classifier + (classifier.empty() ? "" : " ") + record.type;
  return plan;
}

/// " that serves French food and is cheap", or nothing when no verb phrase is left, the coin says so, or a modifier
/// would take the clause for itself ("with a collection of old maps that is cheap").
inline std::string relative_clause(Plan& plan, Draws& draws) {
  if (plan.verb_phrases.empty() || !plan.modifier.empty() || draws.chance(0.3)) return "";
  return " that " + enumerate(plan.take_verb_phrases(1 + draws.below(2)));
}

/// The first sentence introduces the thing by name and type; it uses up the plan's noun, places and modifier.
inline std::string first_sentence(Domain const& domain, Record const& record, Plan& plan, Draws& draws) {
  std::string const thing = with_article(plan.noun), after = plan.after_noun(), called = " called " + record.name;
  bool const placed = !plan.places.empty(), speaks = !plan.verb_phrases.empty(), modified = !plan.modifier.empty();
  std::size_t const pattern = draws.below(8);
  if (pattern == 0 && placed) {
    std::string const rest = plan.after_noun(1);
    return capitalized(plan.places[0]) + ", there is " + thing + (modified ? called + rest : rest + called) +
           relative_clause(plan, draws) + ".";
  }
  if (pattern == 1 && placed) {
    std::string const start = "Located " + plan.places[0] + ", " + record.name + " is " + thing + plan.after_noun(1);
    return start + relative_clause(plan, draws) + ".";
  }
  if (pattern == 2 && speaks)
    return record.name + ", " + thing + after + ", " + enumerate(plan.take_verb_phrases(1 + draws.below(2))) + ".";
  if (pattern == 3)
    return "There is " + thing + (modified ? called + after : after + called) + relative_clause(plan, draws) + ".";
  if (pattern == 4)
    return "If you are " + domain.wish + " " + thing + after + ", " + domain.invitation + " " + record.name + ".";
  if (pattern == 5 && speaks) {
    std::string const said = enumerate(plan.take_verb_phrases(1 + draws.below(2)));
    return record.name + " " + said + ". It is " + thing + after + ".";
  }
  if (pattern == 6 && speaks && !modified)
    return "The " + plan.noun + called + after + " " + enumerate(plan.take_verb_phrases(1 + draws.below(3))) + ".";
  return record.name + " is " + thing + after + relative_clause(plan, draws) + ".";
}

/// What is left is said in further sentences of one to three verb phrases. @param may_add an "also" fits here
inline std::string further_sentence(Record const& record, Plan& plan, Draws& draws, bool may_add) {
  auto said = plan.take_verb_phrases(1 + draws.below(3));
  std::string& first = said[0];
  bool const negative = starts_with(first, "does not") || starts_with(first, "is not") || starts_with(first, "has no");
  if (may_add && !negative) {
    bool const auxiliary = starts_with(first, "is ") || starts_with(first, "was ") || starts_with(first, "can ");
    std::size_t const verb = auxiliary ? first.find(' ') : 0;
    first = auxiliary ? first.substr(0, verb) + " also" + first.substr(verb) : "also " + first;
    return " It " + enumerate(said) + ".";
  }
  std::size_t const subject = draws.below(6);
  return " " + (subject == 0 ? record.name : subject == 1 ? "The " + record.type : "It") + " " + enumerate(said) + ".";
}

/// One text that says every fact of the record.
inline std::string realize(Domain const& domain, Record const& record, RandomKey key) {
  Draws draws(key);
  Plan plan = plan_roles(domain, record, draws);
  std::string text = first_sentence(domain, record, plan, draws);
  for (std::size_t sentence = 2; !plan.verb_phrases.empty(); ++sentence)
    text += further_sentence(record, plan, draws, sentence == 3 && draws.chance(0.5));
  return text;
}

/// `name : X | Type : Y | …`, as E2E rows are linearized.
inline std::string linearize(Domain const& domain, Record const& record) {
  std::string source = "name : " + record.name + " | Type : " + record.type;
  for (auto const& [place, choice] : record.facts)
    source += " | " + domain.fields[place].name + " : " + domain.fields[place].values[choice].text;
  return source;
}

}  // namespace graft::generated
