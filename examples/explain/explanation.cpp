#include "explanation.hpp"

#include <algorithm>

#include "support/text.hpp"

namespace explain {

using graft::AttentionKind, graft::Index, graft::SeenKind, graft::Stack;

char const* name_of(SeenKind kind) {
  switch (kind) {
    case SeenKind::prefix: return "prefix";
    case SeenKind::infix: return "infix";
    case SeenKind::virtual_token: return "virtual";
    case SeenKind::source: return "source";
    case SeenKind::target: return "target";
  }
  return "";
}
char const* name_of(Stack stack) { return stack == Stack::encoder ? "encoder" : "decoder"; }
std::string name_of(graft::AttentionMap const& map) {
  return map.kind == AttentionKind::cross ? "cross" : name_of(map.at.stack);
}
Stack keys_of(graft::AttentionMap const& map) {
  return map.kind == AttentionKind::cross ? Stack::encoder : map.at.stack;
}

std::string name_of(Explanation const& found, graft::SeenToken const& token, Stack stack) {
  if (token.kind != SeenKind::source && token.kind != SeenKind::target)
    return std::string(name_of(token.kind)) + " " + std::to_string(token.index);
  auto const& words = stack == Stack::encoder ? found.source_words : found.target_words;
  return words.at(static_cast<std::size_t>(token.index));
}

std::vector<SeenKind> kinds_of(std::vector<graft::SeenToken> const& tokens) {
  std::vector<SeenKind> kinds;
  for (auto kind : {SeenKind::prefix, SeenKind::infix, SeenKind::virtual_token, SeenKind::source, SeenKind::target})
    if (std::any_of(tokens.begin(), tokens.end(), [&](auto const& token) { return token.kind == kind; }))
      kinds.push_back(kind);
  return kinds;
}

namespace {

using Json = nlohmann::ordered_json;

Json words_json(std::vector<Word> const& words) {
  Json all = Json::array();
  for (auto const& word : words)
    all.push_back({{"token", word.near.token},
                   {"text", word.text},
                   {"cosine", word.near.cosine},
                   {"distance", word.near.distance}});
  return all;
}

Json attention_json(Explanation const& found, graft::AttentionMap const& map, bool weights) {
  auto const names = [&](std::vector<graft::SeenToken> const& tokens, Stack stack) {
    Json all = Json::array();
    for (auto const& token : tokens)
      all.push_back({{"kind", name_of(token.kind)}, {"text", name_of(found, token, stack)}});
    return all;
  };
  Json mass = Json::object();
  for (auto query : kinds_of(map.queries))
    for (auto key : kinds_of(map.keys))
      mass[name_of(query)][name_of(key)] = graft::mean_attention_mass(map, key, query);
  Json json{{"attention", name_of(map)},
            {"layer", map.at.layer},
            {"queries", names(map.queries, map.at.stack)},
            {"keys", names(map.keys, keys_of(map))},
            {"mass", mass}};
  if (!weights) return json;
  Json heads = Json::array();
  Index const queries = map.weights.shape()[1], keys = map.weights.shape()[2];
  for (Index h = 0; h < map.weights.shape()[0]; ++h) {
    Json rows = Json::array();
    for (Index q = 0; q < queries; ++q) {
      double const* const row = map.weights.data() + (h * queries + q) * keys;
      rows.push_back(std::vector<double>(row, row + keys));
    }
    heads.push_back(std::move(rows));
  }
  json["weights"] = std::move(heads);
  return json;
}

}  // namespace

Json to_json(Explanation const& found, bool weights) {
  auto const maybe = [](auto const& value) { return value ? Json(*value) : Json(); };
  Json json{{"model", found.model},        {"architecture", found.architecture},
            {"adapter", found.adapter},    {"strategy", found.strategy},
            {"source", found.source},      {"target", found.target},
            {"written", found.written},    {"loss", {{"adapted", maybe(found.loss)}, {"base", maybe(found.base_loss)}}},
            {"class", maybe(found.label)}, {"virtual_tokens", Json::array()},
            {"attention", Json::array()},  {"norms", Json::array()}};
  for (auto const& token : found.virtual_tokens)
    json["virtual_tokens"].push_back({{"stack", name_of(token.place.stack)},
                                      {"place", token.place.place == graft::Place::front ? "front" : "infix"},
                                      {"index", token.place.index},
                                      {"norm", token.place.words.norm},
                                      {"by_cosine", words_json(token.by_cosine)},
                                      {"by_distance", words_json(token.by_distance)}});
  for (auto const& map : found.attention) json["attention"].push_back(attention_json(found, map, weights));
  for (auto const& layer : found.norms)
    json["norms"].push_back({{"stack", name_of(layer.at.stack)},
                             {"layer", layer.at.layer},
                             {"adapted", layer.adapted},
                             {"base", layer.base},
                             {"change", layer.change}});
  return json;
}

std::string to_text(Explanation const& found) {
  std::string text = found.strategy + " on " + found.architecture + "\nsource: " + found.source + "\n";
  if (found.label)
    text += "class: " + std::to_string(*found.label) + "\n";
  else
    text += std::string(found.written ? "written: " : "target: ") + found.target + "\n";
  if (found.loss)
    text += "loss of the target: " + support::fixed(*found.loss, 4) + " with the adapter, " +
            support::fixed(*found.base_loss, 4) + " without\n";
  if (!found.virtual_tokens.empty()) text += "\nnearest words of virtual tokens: by cosine | by distance (L2)\n";
  for (auto const& token : found.virtual_tokens) {
    std::string const place = std::string(name_of(token.place.stack)) +
                              (token.place.place == graft::Place::front ? "" : " infix") + " " +
                              std::to_string(token.place.index);
    text += "  " + place + ":";
    for (auto const& word : token.by_cosine) text += " " + word.text + " " + support::fixed(word.near.cosine, 2);
    text += " |";
    for (auto const& word : token.by_distance) text += " " + word.text + " " + support::fixed(word.near.distance, 2);
    text += "\n";
  }
  text += "\nattention by layer, mean of heads and of queries\n";
  for (auto const& map : found.attention) {
    text += "  " + name_of(map) + " " + std::to_string(map.at.layer) + ":";
    for (auto query : kinds_of(map.queries)) {
      if (query != SeenKind::source && query != SeenKind::target) continue;
      text += std::string("  ") + name_of(query) + " →";
      for (auto key : kinds_of(map.keys)) {
        auto const heads = graft::mean_attention_mass(map, key, query);
        double sum = 0;
        for (double mass : heads) sum += mass / static_cast<double>(heads.size());
        text += std::string(" ") + name_of(key) + " " + support::fixed(sum, 3);
      }
    }
    text += "\n";
  }
  text += "\nstates by layer, median of tokens: norm with the adapter, without, relative change\n";
  for (auto const& layer : found.norms)
    text += std::string("  ") + name_of(layer.at.stack) + " " +
            (layer.at.layer < 0 ? "embeddings" : std::to_string(layer.at.layer)) + ": " +
            support::fixed(layer.adapted, 2) + " " + support::fixed(layer.base, 2) + " " +
            support::fixed(layer.change, 4) + "\n";
  return text;
}

}  // namespace explain
