/// @file
/// @brief The generated data's domains: three to train on and one that appears only in tests.
#pragma once

#include <graft/data/generated/phrases.hpp>
#include <string>
#include <vector>

namespace graft::generated {

inline Domain restaurants() {
  Domain d;
  d.name = "restaurant";
  d.name_beginnings = {"The Golden",    "The Crooked", "The Silver", "The Blue",   "The Old",
                       "The Wandering", "The Hungry",  "The Royal",  "The Little", "The Copper"};
  d.name_endings = {"Lantern", "Anchor", "Spoon",  "Fox",  "Kettle", "Garden",
                    "Oak",     "Table",  "Barrel", "Swan", "Olive",  "Compass"};
  d.types = {"restaurant", "pub", "coffee shop", "bistro"};
  d.invitation = "try";
  d.wish = "looking for";
  Field food{"food",
             {},
             {{"{}"},
              {},
              {"serving {} food", "with {a} menu"},
              {"serves {} food", "offers {} dishes", "specialises in {} food"}},
             true};
  for (char const* kind : {"Italian", "Indian", "Japanese", "French", "Greek", "Mexican", "Thai", "Turkish", "Spanish"})
    food.values.push_back({kind, {}});
  Field price{"price",
              {{"cheap", {{"cheap", "inexpensive"}, {}, {"with cheap prices"}, {"is cheap", "has cheap prices"}}},
               {"moderate",
                {{"moderately priced"}, {}, {"with moderate prices"}, {"is moderately priced", "has moderate prices"}}},
               {"high", {{"high-priced", "expensive"}, {}, {"with high prices"}, {"is expensive", "has high prices"}}},
               {"less than £20", {}},
               {"more than £30", {}}},
              {{}, {}, {"with prices of {}"}, {"costs {} per person", "has a price range of {}"}}};
  Field rating{
      "customer rating",
      {},
      {{}, {}, {"with a customer rating of {}"}, {"has a customer rating of {}", "is rated {} by its customers"}}};
  for (char const* stars : {"1 out of 5", "3 out of 5", "4 out of 5", "5 out of 5"})
    rating.values.push_back({stars, {}});
  rating.values.push_back({"low",
                           {{"poorly rated"},
                            {},
                            {"with a low customer rating"},
                            {"has a low customer rating", "is poorly rated by its customers"}}});
  rating.values.push_back({"high",
                           {{"highly rated"},
                            {},
                            {"with a high customer rating"},
                            {"has a high customer rating", "is highly rated by its customers"}}});
  d.fields = {food, price, rating, area_field(), family_friendly_field(), near_field()};
  d.first_paired = 0;
  d.second_paired = 1;
  return d;
}

inline Domain hotels() {
  Domain d;
  d.name = "hotel";
  d.name_beginnings = {"Harbour", "Linden",   "Ashgrove", "Maple",     "Westfield", "Bellevue",
                       "Seaview", "Kingsley", "Orchard",  "Northgate", "Hazel"};
  d.name_endings = {"House", "Lodge", "Court", "Rooms", "Manor", "Retreat", "Palace", "Corner", "Villa"};
  d.types = {"hotel", "guest house", "hostel", "inn"};
  d.invitation = "stay at";
  d.wish = "looking for";
  Field stars{"stars", {}, {{"{}-star"}, {}, {"with {} stars"}, {"has {} stars", "is rated with {} stars"}}, true};
  for (char const* count : {"2", "3", "4", "5"}) stars.values.push_back({count, {}});
  Field price{"room price",
              {},
              {{},
               {},
               {"with rooms for {}", "with rooms at {}"},
               {"has rooms for {}", "charges {} for a room", "offers rooms at {}"}}};
  for (char const* amount :
       {"£45 a night", "£60 a night", "£75 a night", "£90 a night", "£120 a night", "£200 a night"})
    price.values.push_back({amount, {}});
  Field breakfast{
      "breakfast",
      {{"included",
        {{},
         {},
         {"with breakfast included"},
         {"includes breakfast in the price", "serves breakfast at no extra cost"}}},
       {"not included",
        {{}, {}, {"without breakfast"}, {"does not include breakfast in the price", "charges extra for breakfast"}}}}};
  Field pets{"pets",
             {{"allowed", {{"pet-friendly"}, {}, {}, {"allows pets", "welcomes guests with pets"}}},
              {"not allowed", {{}, {}, {}, {"does not allow pets", "asks its guests to leave pets at home"}}}}};
  Field parking{"parking",
                {{"free", {{}, {}, {"with free parking"}, {"has free parking", "offers free parking to its guests"}}},
                 {"paid", {{}, {}, {"with paid parking"}, {"has paid parking", "charges for parking"}}},
                 {"none", {{}, {}, {"without parking"}, {"has no parking", "does not offer parking"}}}}};
  d.fields = {stars, price, breakfast, pets, parking, area_field(), near_field()};
  d.first_paired = 1;
  d.second_paired = 5;
  return d;
}

inline Domain films() {
  Domain d;
  d.name = "film";
  d.name_beginnings = {"The Last",      "Beyond the",  "Letters from the", "A Winter by the", "Shadows of the",
                       "Return to the", "Song of the", "Under the",        "The Secret"};
  d.name_endings = {"Lighthouse", "Valley",  "Station", "River",   "Island",
                    "Border",     "Orchard", "Summer",  "Horizon", "Mountain"};
  d.types = {"thriller", "comedy", "drama", "documentary", "western"};
  d.invitation = "watch";
  d.wish = "in the mood for";
  Field year{"year", {}, {{"{}"}, {}, {"from {}", "released in {}"}, {"was released in {}", "came out in {}"}}, true};
  for (char const* y : {"1954", "1967", "1975", "1983", "1992", "1998", "2004", "2011", "2016", "2021"})
    year.values.push_back({y, {}});
  Field director{
      "director", {}, {{}, {}, {"by {}", "directed by {}"}, {"was directed by {}", "was made by the director {}"}}};
  for (char const* who : {"Anna Keller", "Tomás Rivera", "Mei Tanaka", "David Okafor", "Clara Novak", "James Whitlock",
                          "Sofia Lindqvist"})
    director.values.push_back({who, {}});
  Field lead{"lead role",
             {},
             {{},
              {},
              {"starring {}", "with {} in the lead role"},
              {"stars {}", "has {} in the lead role", "features {} in the lead role"}}};
  for (char const* who : {"Nadia Brooks", "Peter Hallam", "Lucía Moreno", "Victor Adeyemi", "Emma Sørensen",
                          "Ravi Kapoor", "Grace Bennett", "Leo Marchetti"})
    lead.values.push_back({who, {}});
  Field setting{"setting", {}, {{}, {}, {"set in {}"}, {"is set in {}", "takes place in {}"}}};
  for (char const* where : {"Lisbon", "Paris", "Cairo", "Chicago", "Kyoto", "Scotland", "Brazil", "Vienna"})
    setting.values.push_back({where, {}});
  Field length{"length", {}, {{}, {}, {}, {"runs for {}", "lasts {}", "is {} long"}}};
  for (char const* minutes : {"85 minutes", "94 minutes", "101 minutes", "112 minutes", "125 minutes", "140 minutes"})
    length.values.push_back({minutes, {}});
  Field reviews{"reviews", {}, {{}, {}, {"with {} reviews"}, {"received {} reviews", "was met with {} reviews"}}};
  for (char const* kind : {"positive", "mixed", "negative", "excellent"}) reviews.values.push_back({kind, {}});
  d.fields = {year, director, lead, setting, length, reviews};
  d.first_paired = 1;
  d.second_paired = 3;
  return d;
}

/// Never trained on. It shares area, near and family friendly with the others; its own fields can be worded from their
/// names and values.
inline Domain museums() {
  Domain d;
  d.name = "museum";
  d.name_beginnings = {"Ashford",   "Halden",   "Wexley", "Brampton", "Carlow",
                       "Thornbury", "Eastwick", "Lowell", "Penrose",  "Stanmore"};
  d.name_endings = {"Collection", "Hall", "Galleries", "Pavilion", "Archive", "Rotunda"};
  d.types = {"museum", "gallery", "heritage centre"};
  d.invitation = "visit";
  d.wish = "looking for";
  Field exhibits{"exhibits",
                 {},
                 {{},
                  {},
                  {"with a collection of {}", "dedicated to {}"},
                  {"shows {}", "displays a collection of {}", "is dedicated to {}"}}};
  for (char const* what : {"modern art", "Roman coins", "steam engines", "old maps", "Japanese prints",
                           "dinosaur fossils", "vintage cars", "medieval armour"})
    exhibits.values.push_back({what, {}});
  Field admission{"admission",
                  {{"free", {{}, {}, {"with free admission"}, {"has free admission", "is free to visit"}}},
                   {"£5", {}},
                   {"£8", {}},
                   {"£12", {}},
                   {"£15", {}}},
                  {{}, {}, {}, {"charges {} for admission", "costs {} to visit"}}};
  Field hours{"open", {}, {{}, {}, {"open {}"}, {"is open {}", "opens its doors {}"}}};
  for (char const* when :
       {"every day", "only at weekends", "from Tuesday to Sunday", "from Monday to Friday", "only in summer"})
    hours.values.push_back({when, {}});
  Field tours{"guided tours",
              {{"yes", {{}, {}, {"with guided tours"}, {"offers guided tours", "has guided tours"}}},
               {"no", {{}, {}, {"without guided tours"}, {"does not offer guided tours", "has no guided tours"}}}}};
  d.fields = {exhibits, admission, hours, tours, area_field(), family_friendly_field(), near_field()};
  d.first_paired = 0;
  d.second_paired = 1;
  return d;
}

/// Domains to train on.
inline std::vector<Domain> const& seen_domains() {
  static auto const& domains = *new std::vector<Domain>{restaurants(), hotels(), films()};  // never destroyed, as below
  return domains;
}

/// Domains that appear in tests only.
inline std::vector<Domain> const& unseen_domains() {
  static auto const& domains = *new std::vector<Domain>{museums()};
  return domains;
}

}  // namespace graft::generated
