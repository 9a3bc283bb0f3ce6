// The page of an explanation: one file that loads nothing.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "explanation.hpp"
#include "page_style.hpp"
#include "support/text.hpp"

namespace explain {

using graft::AttentionMap, graft::Index, graft::SeenKind;

namespace {

/// As text of a page and of its attributes.
std::string escaped(std::string const& text) {
  std::string result;
  for (char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
      result += c;
  }
  return result;
}

/// RFC 4648, as the script's atob reads it.
std::string base64(std::string const& bytes) {
  static constexpr char const* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63U];
  }
  return text;
}

std::string px(double value) { return support::fixed(value, 1); }

std::string text_html(Explanation const& found) {
  std::string html = "<h2>Text</h2>\n<p class=\"soft\">One box a token; a space is ␣, a line feed ↵. ";
  html += found.label     ? "The adapted model says class " + std::to_string(*found.label) + "."
          : found.written ? "Coloured: the target, as the adapted model writes it by greedy search."
                          : "Coloured: the target.";
  html += "</p>\n<div class=\"card\">";
  bool const one_row = std::none_of(found.attention.begin(), found.attention.end(),
                                    [](AttentionMap const& map) { return map.kind == graft::AttentionKind::cross; });
  for (auto const& word : found.source_words) html += "<span class=\"token\">" + escaped(word) + "</span>";
  for (std::size_t i = one_row ? found.source_words.size() : 0; i < found.target_words.size(); ++i)
    html += "<span class=\"token target\">" + escaped(found.target_words[i]) + "</span>";
  html += "</div>\n";
  if (found.loss)
    html += "<p class=\"soft\">Mean −log p of the target's tokens: " + support::fixed(*found.loss, 3) +
            " with the adapter, " + support::fixed(*found.base_loss, 3) + " without.</p>\n";
  return html;
}

std::string words_html(std::vector<Word> const& words, double graft::NearWord::* measure) {
  std::string html;
  for (auto const& word : words)
    html += "<span class=\"word\">" + escaped(word.text) + " <small>" + support::fixed(word.near.*measure, 2) +
            "</small></span>";
  return html;
}

std::string virtual_tokens_html(Explanation const& found) {
  std::string html = "<h2>Nearest words of virtual tokens</h2>\n";
  if (found.virtual_tokens.empty())
    return html +
           "<p class=\"soft\">This strategy has no virtual tokens. (Virtual keys and values of a prefix or an infix "
           "are "
           "no embeddings, so no word is near to them.)</p>\n";
  html +=
      "<p class=\"soft\">Among all embeddings of the vocabulary, as the base model reads them: by cosine of the "
      "angle (1: the same direction) and by Euclidean distance, L2 (0: the same vector). Words of a vocabulary are "
      "close together in length, so a long virtual token is far from all of them by distance.</p>\n<div "
      "class=\"card scroll\"><table>\n<tr><th>token</th><th>norm</th><th>by cosine</th><th>by distance "
      "(L2)</th></tr>\n";
  for (auto const& token : found.virtual_tokens)
    html += std::string("<tr><td>") + name_of(token.place.stack) +
            (token.place.place == graft::Place::front ? " " : " infix ") + std::to_string(token.place.index) +
            "</td><td class=\"number\">" + support::fixed(token.place.words.norm, 2) + "</td><td>" +
            words_html(token.by_cosine, &graft::NearWord::cosine) + "</td><td>" +
            words_html(token.by_distance, &graft::NearWord::distance) + "</td></tr>\n";
  return html + "</table></div>\n";
}

/// Layers down, heads across: how much of its attention a kind of query gives to a kind of key.
std::string mass_grid(std::vector<AttentionMap const*> const& layers, SeenKind query, SeenKind key) {
  double const size = 15, left = 26, top = 18;
  std::string cells;
  double sum = 0, count = 0;
  std::size_t heads = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    auto const mass = graft::mean_attention_mass(*layers[l], key, query);
    heads = std::max(heads, mass.size());
    double const y = top + size * static_cast<double>(l);
    if (layers.size() <= 12 || l % 5 == 0 || l + 1 == layers.size())
      cells += "<text class=\"tick\" x=\"20\" y=\"" + px(y + 11) + "\" text-anchor=\"end\">" +
               std::to_string(layers[l]->at.layer) + "</text>";
    for (std::size_t h = 0; h < mass.size(); ++h) {
      sum += mass[h], ++count;
      cells += "<rect class=\"cell\" x=\"" + px(left + size * static_cast<double>(h)) + "\" y=\"" + px(y) +
               "\" width=\"14\" height=\"14\" fill-opacity=\"" + support::fixed(std::min(mass[h], 1.0), 3) +
               "\"><title>layer " + std::to_string(layers[l]->at.layer) + ", head " + std::to_string(h) + ": " +
               support::fixed(mass[h], 3) + "</title></rect>\n";
    }
  }
  if (sum == 0) return "";  // what lies ahead is not seen
  double const width = size * static_cast<double>(heads), height = size * static_cast<double>(layers.size());
  std::string const pair = std::string(name_of(query)) + " → " + name_of(key);
  return "<div><h3>" + pair + " <span class=\"soft\">" + support::fixed(count > 0 ? sum / count : 0, 3) +
         "</span></h3><svg role=\"img\" aria-label=\"attention " + pair + "\" width=\"" + px(left + width + 2) +
         "\" height=\"" + px(top + height + 2) + "\"><text class=\"tick\" x=\"" + px(left) +
         "\" y=\"11\">heads</text><rect class=\"frame\" x=\"" + px(left - 1) + "\" y=\"" + px(top - 1) + "\" width=\"" +
         px(width + 1) + "\" height=\"" + px(height + 1) + "\"/>\n" + cells + "</svg></div>\n";
}

std::string mass_html(Explanation const& found) {
  std::string html =
      "<h2>Attention by layer and head</h2>\n<p class=\"soft\">Layers down, heads across. A cell is the part of its "
      "attention that a query gives to all keys of a kind, 0 (empty) to 1 (full colour), as the mean over the queries; "
      "beside the title, the mean of all cells. The parts of one query sum to 1. A pair without any attention has no "
      "grid: a causal model does not look ahead.</p>\n";
  for (char const* group : {"encoder", "decoder", "cross"}) {
    std::vector<AttentionMap const*> layers;
    std::vector<SeenKind> queries, keys;
    for (auto const& map : found.attention) {
      if (name_of(map) != group) continue;
      layers.push_back(&map);
      queries = kinds_of(map.queries);
      for (auto kind : kinds_of(map.keys))
        if (std::find(keys.begin(), keys.end(), kind) == keys.end()) keys.push_back(kind);
    }
    if (layers.empty()) continue;
    std::sort(keys.begin(), keys.end());
    html += std::string("<div class=\"card\"><h3>") +
            (std::string(group) == "cross" ? "the decoder's attention to the encoder" : std::string(group) + "'s own") +
            "</h3><div class=\"grids\">\n";
    for (auto query : queries)
      for (auto key : keys) html += mass_grid(layers, query, key);
    html += "</div></div>\n";
  }
  return html;
}

/// The weights of every head as bytes; of the mean of the heads where there are too many.
std::string maps_html(Explanation const& found) {
  constexpr Index most = 6'000'000;
  Index all = 0, means = 0;
  for (auto const& map : found.attention) {
    Index const one = map.weights.shape()[1] * map.weights.shape()[2];
    all += one * map.weights.shape()[0], means += one;
  }
  std::string html = "<h2>Attention token by token</h2>\n";
  if (means > most)
    return html + "<p class=\"soft\">Left out: the text is too long for a page (" + std::to_string(means) +
           " weights a head). --json --weights has them.</p>\n";
  html +=
      "<p class=\"soft\">Queries down, keys across; the opacity is the square root of the weight. Point at a cell "
      "for its number.";
  if (all > most) html += " The page has the mean of the heads alone, for the text is long; --json --weights has all.";
  auto json = nlohmann::ordered_json::array();
  for (auto const& map : found.attention) {
    Index const heads = map.weights.shape()[0], one = map.weights.shape()[1] * map.weights.shape()[2],
                kept = all > most ? 1 : heads;
    std::string bytes;
    for (Index i = 0; i < kept * one; ++i) {
      double weight = map.weights.data()[i];
      for (Index h = 1; kept < heads && h < heads; ++h) weight += map.weights.data()[h * one + i];
      if (kept < heads) weight /= static_cast<double>(heads);
      bytes += static_cast<char>(static_cast<unsigned char>(std::lround(255 * weight)));
    }
    nlohmann::ordered_json queries = nlohmann::ordered_json::array(), keys = queries;
    for (auto const& token : map.queries) queries.push_back(name_of(found, token, map.at.stack));
    for (auto const& token : map.keys) keys.push_back(name_of(found, token, keys_of(map)));
    json.push_back({{"name", name_of(map)},
                    {"layer", map.at.layer},
                    {"heads", kept},
                    {"queries", queries},
                    {"keys", keys},
                    {"data", base64(bytes)}});
  }
  std::string data = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace), safe;
  for (char c : data) safe += c == '<' ? "\\u003c" : std::string(1, c);  // no end of the script in a token
  return html +
         "</p>\n<div class=\"card\"><label>attention <select id=\"map\"></select></label><label>head <select "
         "id=\"head\"></select></label><p id=\"told\" class=\"soft\"></p><div class=\"scroll\"><canvas "
         "id=\"weights\"></canvas></div><noscript>The maps are drawn by a script, which is off.</noscript></div>\n"
         "<script type=\"application/json\" id=\"maps\">" +
         safe + "</script>\n<script>" + page_script + "</script>\n";
}

/// Lines over layers; the first point is the embeddings.
std::string layer_plot(std::string const& title, std::vector<std::pair<char const*, std::vector<double>>> const& lines,
                       std::vector<char const*> const& names) {
  double const left = 56, right = 470, top = 14, bottom = 200;
  double low = 0, high = 0, least = INFINITY;
  std::size_t points = 1;
  for (auto const& [style, values] : lines)
    for (double value : values) {
      points = std::max(points, values.size()), high = std::max(high, value);
      if (value > 0) least = std::min(least, value);
    }
  bool const logarithmic = high > 50 * least;
  if (high <= 0) high = 1;
  if (logarithmic) low = least;
  auto const y_of = [&](double value) {
    double const part = logarithmic ? std::log(std::max(value, low) / low) / std::log(high / low) : value / high;
    return bottom - (bottom - top) * part;
  };
  auto const x_of = [&](std::size_t i) {
    return left + (right - left) * static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(1, points - 1));
  };
  std::string svg = "<svg class=\"wide\" viewBox=\"0 0 480 236\" role=\"img\" aria-label=\"" + title +
                    "\"><rect class=\"frame\" x=\"56\" y=\"14\" width=\"414\" height=\"186\"/>";
  for (int i = 0; i <= 4; ++i) {
    double const part = i / 4.0, value = logarithmic ? low * std::pow(high / low, part) : high * part;
    svg += "<text class=\"tick\" text-anchor=\"end\" x=\"50\" y=\"" + px(y_of(value) + 4) + "\">" +
           support::compact(value) + "</text>";
  }
  std::size_t const step = std::max<std::size_t>(1, points / 10);
  for (std::size_t i = 0; i < points; i += step)
    svg += "<text class=\"tick\" text-anchor=\"middle\" x=\"" + px(x_of(i)) + "\" y=\"216\">" +
           (i == 0 ? std::string("emb.") : std::to_string(i - 1)) + "</text>";
  svg += "<text class=\"tick\" text-anchor=\"middle\" x=\"263\" y=\"232\">after layer</text>";
  for (std::size_t n = 0; n < lines.size(); ++n) {
    auto const& [style, values] = lines[n];
    std::string path;
    for (std::size_t i = 0; i < values.size(); ++i) path += (i ? "L" : "M") + px(x_of(i)) + " " + px(y_of(values[i]));
    svg += std::string("<path class=\"") + style + "\" d=\"" + path + "\"/><text class=\"" + style +
           "\" x=\"64\" y=\"" + px(30 + 16 * static_cast<double>(n)) + "\">" + names[n] + "</text>";
  }
  return "<div class=\"card\"><h3>" + title + "</h3>" + svg + "</svg></div>\n";
}

std::string norms_html(Explanation const& found) {
  std::string html =
      "<h2>States by layer</h2>\n<p class=\"soft\">Over the text's own tokens, virtual ones left out; the median of "
      "the "
      "tokens. Norm: √Σx² of the residual behind each layer. Change: ‖with − without the adapter‖ / ‖without‖.</p>\n";
  for (char const* stack : {"encoder", "decoder"}) {
    std::vector<double> adapted, base, change;
    for (auto const& layer : found.norms) {
      if (std::string(name_of(layer.at.stack)) != stack) continue;
      adapted.push_back(layer.adapted), base.push_back(layer.base), change.push_back(layer.change);
    }
    if (adapted.empty()) continue;
    html += "<div class=\"pair\">" +
            layer_plot(std::string(stack) + ": norm of the states", {{"adapted", adapted}, {"base", base}},
                       {"with the adapter", "without"}) +
            layer_plot(std::string(stack) + ": relative change", {{"adapted", change}}, {"by the adapter"}) +
            "</div>\n";
  }
  return html;
}

}  // namespace

std::string to_html(Explanation const& found) {
  std::string const name = std::filesystem::path(found.model).filename().string(),
                    title = found.strategy + " on " + (name.empty() ? found.model : name);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped(title) + "</title>\n<style>" + page_style + "</style>\n</head>\n<body>\n<main>\n<h1>" +
         escaped(title) + "</h1>\n<p class=\"soft\">What the adapter " + escaped(found.adapter) + " does inside the " +
         escaped(found.architecture) + " model " + escaped(found.model) + ", on one text.</p>\n" + text_html(found) +
         virtual_tokens_html(found) + mass_html(found) + norms_html(found) + maps_html(found) +
         "</main>\n</body>\n</html>\n";
}

}  // namespace explain
