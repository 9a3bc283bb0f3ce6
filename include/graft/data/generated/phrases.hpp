/// @file
/// @brief How the generated data talk about a field: the grammar's building blocks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::generated {

/// Ways to say one value. `{}` stands for the value, `{a}` for the value with its indefinite article.
struct Phrases {
  std::vector<std::string> adjectives;  ///< before the noun: "cheap"
  std::vector<std::string> places;      ///< after the noun, or in front of the sentence: "in the old town"
  std::vector<std::string> modifiers;   ///< after the noun only: "serving {} food"
  std::vector<std::string>
      verb_phrases;  ///< third person singular: "serves {} food"; never empty unless there are places
};

/// A value and, where the field's own phrases do not suit it, how to say it.
struct Value {
  std::string text;
  Phrases phrases{};
};

/// A field: its values and the phrases for those that bring none.
struct Field {
  std::string name;
  std::vector<Value> values;
  Phrases phrases{};
  bool classifying = false;  ///< its adjective stands next to the noun, without comma: "Italian", "1998"
};

/// A kind of thing: how it is called, what can be said of it, and what one does with it.
struct Domain {
  std::string name;
  std::vector<std::string> name_beginnings;  ///< combined with `name_endings` into the things' names
  std::vector<std::string> name_endings;
  std::vector<std::string> types;  ///< the nouns: "pub"
  std::string invitation;          ///< "try", "watch": what a reader is told to do with it
  std::string wish;                ///< "looking for", "in the mood for": what comes before it
  std::vector<Field> fields;       ///< in the order in which sources list them
  std::size_t first_paired =
      0;  ///< the two fields (places in `fields`) of which some pairs of values are held out for testing
  std::size_t second_paired = 1;
};

/// Fields that several domains share.
inline Field area_field() {
  return {
      "area",
      {{"city centre", {{}, {"in the city centre", "in the centre of the city"}, {}, {}}},
       {"riverside", {{}, {"in the riverside area", "by the riverside"}, {}, {}}},
       {"old town", {{}, {"in the old town", "in the old town area"}, {}, {}}},
       {"harbour", {{}, {"at the harbour", "in the harbour area"}, {}, {}}},
       {"university quarter", {{}, {"in the university quarter", "in the area of the university quarter"}, {}, {}}}}};
}

inline Field near_field() {
  std::vector<Value> landmarks;
  for (char const* name : {"Central Station", "Market Square", "Kingsway Bridge", "Victoria Park", "Café Marlow",
                           "Town Hall", "Queen Street Market", "Eastgate Theatre", "Clock Tower", "Rosewood Library",
                           "Millbrook Stadium", "Opera Garden"})
    landmarks.push_back({name, {}});
  return {"near", std::move(landmarks), {{}, {"near {}", "close to {}", "next to {}", "not far from {}"}, {}, {}}};
}

inline Field family_friendly_field() {
  return {
      "family friendly",
      {{"yes",
        {{"family-friendly", "child-friendly"},
         {},
         {},
         {"is family-friendly", "welcomes families with children", "is a good place for children"}}},
       {"no", {{}, {}, {}, {"is not family-friendly", "does not welcome children", "is not suitable for families"}}}}};
}

}  // namespace graft::generated
