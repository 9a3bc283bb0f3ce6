#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace compare {

namespace {

/// A coordinate; a tenth of a pixel is enough.
std::string px(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string short_number(double value) {
  char text[32];
  if (value >= 1e9)
    std::snprintf(text, sizeof text, "%gG", value / 1e9);
  else if (value >= 1e6)
    std::snprintf(text, sizeof text, "%gM", value / 1e6);
  else if (value >= 1e4)
    std::snprintf(text, sizeof text, "%gk", value / 1e3);
  else
    std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

std::string colour(int series) { return "c" + std::to_string(series); }

}  // namespace

double label_width(std::string const& text) {
  constexpr double letter = 7.2;  // of a wide font, as DejaVu Sans
  return letter * static_cast<double>(std::count_if(
                      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string escaped(std::string const& text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

double Axis::place(double value) const {
  double const at = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return std::clamp(at, 0.0, 1.0);
}

std::vector<std::pair<double, std::string>> Axis::ticks() const {
  std::vector<std::pair<double, std::string>> ticks;
  if (!marks.empty()) {
    for (double value : marks) ticks.emplace_back(value, short_number(value));
    return ticks;
  }
  if (logarithmic) {
    for (double value = std::pow(10.0, std::ceil(std::log10(low) - 1e-9)); value <= high * 1.001; value *= 10)
      ticks.emplace_back(value, short_number(value));
    return ticks;
  }
  double const rough = (high - low) / 6, power = std::pow(10.0, std::floor(std::log10(rough)));
  double const step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  int const digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  for (double n = std::ceil(low / step - 1e-9) + 0.0; n * step <= high + 1e-9 * step; ++n) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, n * step);
    ticks.emplace_back(n * step, digits > 0 ? text : short_number(std::round(n * step)));
  }
  return ticks;
}

Axis axis_around(std::vector<double> const& values, std::string title, bool logarithmic) {
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (double value : values)
    if (std::isfinite(value) && !(logarithmic && value <= 0)) low = std::min(low, value), high = std::max(high, value);
  if (!(low <= high)) low = logarithmic ? 1 : 0, high = logarithmic ? 10 : 1;
  if (logarithmic) {
    return {low / 2.5, high * 2.5, std::move(title), true};
  }
  double const room = high > low ? 0.06 * (high - low) : 1;
  return {low >= 0 ? std::max(0.0, low - room) : low - room, high + room, std::move(title), false};
}

Axis axis_through(std::vector<double> const& values, std::string title) {
  std::vector<double> places = values;
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  double least = HUGE_VAL, most = 0;
  for (std::size_t i = 1; i < places.size(); ++i) {
    least = std::min(least, places[i] - places[i - 1]);
    most = std::max(most, places[i] - places[i - 1]);
  }
  bool const logarithmic = places.front() > 0 && most > 3 * least;
  Axis axis = axis_around(values, std::move(title), logarithmic);
  if (logarithmic) {
    double const room = std::pow(places.back() / places.front(), 0.05);
    axis.low = places.front() / room, axis.high = places.back() * room;
  }
  constexpr double apart = 0.07;  // of the axis
  double last = -1;
  for (double value : places) {
    if (axis.place(value) < last + apart) continue;
    if (places.size() > 10 && !logarithmic) break;  // round numbers are easier to read
    axis.marks.push_back(value);
    last = axis.place(value);
  }
  return axis;
}

Plot::Plot(Axis x, Axis y, double width, double height, double right_margin)
    : x_(std::move(x)), y_(std::move(y)), width_(width), height_(height), right_(right_margin) {}

void Plot::line(std::vector<std::pair<double, double>> const& points, int series, std::string const& name, bool named) {
  std::string path;
  double last_x = 0, last_y = 0;
  for (auto const& [x, y] : points) {
    if (!std::isfinite(y)) continue;
    last_x = at_x(x), last_y = at_y(y);
    path += (path.empty() ? "M" : "L") + px(last_x) + " " + px(last_y);
  }
  if (path.empty()) return;
  body_ += "<path class=\"line " + std::string(named ? "" : "thin ") + colour(series) + "\" d=\"" + path +
           "\"><title>" + escaped(name) + "</title></path>\n";
  if (named) ends_.push_back({last_x, last_y, series, name, last_x, last_y});
}

void Plot::error_bar(double x, double low, double high, int series) {
  if (!std::isfinite(x) || !std::isfinite(low) || !std::isfinite(high)) return;
  double const at = at_x(x), from = at_y(low), to = at_y(high);
  std::string const left_end = px(at - 4);
  body_ += "<path class=\"bar " + colour(series) + "\" d=\"M" + left_end + " " + px(from) + "h8M" + left_end + " " +
           px(to) + "h8M" + px(at) + " " + px(from) + "V" + px(to) + "\"/>\n";
  taken_.push_back({at - 4, to, at + 4, from});
}

void Plot::dot(double x, double y, int series, bool filled, std::string const& tip) {
  if (!std::isfinite(x) || !std::isfinite(y)) return;
  double const cx = at_x(x), cy = at_y(y);
  body_ += "<circle class=\"" + std::string(filled ? "dot " : "ring ") + colour(series) + "\" cx=\"" + px(cx) +
           "\" cy=\"" + px(cy) + "\" r=\"" + px(radius_) + "\"><title>" + escaped(tip) + "</title></circle>\n";
  taken_.push_back({cx - radius_ - 1, cy - radius_ - 1, cx + radius_ + 1, cy + radius_ + 1});
}

bool Plot::is_free(Box const& box) const {
  if (box.x0 < left || box.x1 > width_ - 2 || box.y0 < 2 || box.y1 > height_ - bottom) return false;
  return std::none_of(taken_.begin(), taken_.end(), [&](Box const& other) {
    return box.x0 < other.x1 && other.x0 < box.x1 && box.y0 < other.y1 && other.y0 < box.y1;
  });
}

void Plot::name_dot(double x, double y, int series, std::string const& name) {
  if (!std::isfinite(x) || !std::isfinite(y)) return;
  double const cx = at_x(x), cy = at_y(y), w = label_width(name);
  Box best{cx + 9, cy - 7, cx + 9 + w, cy + 7};
  for (double distance : {0.0, 14.0, 28.0, 42.0}) {
    std::vector<Box> const places{{cx + 9, cy - 7 - distance, cx + 9 + w, cy + 7 - distance},
                                  {cx - 9 - w, cy - 7 - distance, cx - 9, cy + 7 - distance},
                                  {cx + 9, cy - 7 + distance, cx + 9 + w, cy + 7 + distance},
                                  {cx - 9 - w, cy - 7 + distance, cx - 9, cy + 7 + distance},
                                  {cx - w / 2, cy - 22 - distance, cx + w / 2, cy - 8 - distance},
                                  {cx - w / 2, cy + 8 + distance, cx + w / 2, cy + 22 + distance}};
    auto const found = std::find_if(places.begin(), places.end(), [&](Box const& box) { return is_free(box); });
    if (found == places.end()) continue;
    best = *found;
    break;
  }
  taken_.push_back(best);
  body_ += "<text class=\"name " + colour(series) + "\" x=\"" + px(best.x0) + "\" y=\"" + px(best.y0 + 11) + "\">" +
           escaped(name) + "</text>\n";
}

void Plot::link(double x0, double y0, double x1, double y1, int series) {
  if (!std::isfinite(y0) || !std::isfinite(y1)) return;
  body_ += "<path class=\"link " + colour(series) + "\" d=\"M" + px(at_x(x0)) + " " + px(at_y(y0)) + "L" +
           px(at_x(x1)) + " " + px(at_y(y1)) + "\"/>\n";
}

void Plot::level(double y, int series, std::string const& text) {
  if (!std::isfinite(y)) return;
  double const at = at_y(y), end = width_ - right_, w = label_width(text);
  Box best{end - w, at - 16, end, at - 2};
  for (Box const& box : {best, Box{end - w, at + 2, end, at + 16}, Box{end - 2 * w - 12, at - 16, end - w - 12, at - 2},
                         Box{left + 6, at - 16, left + 6 + w, at - 2}})
    if (is_free(box)) {
      best = box;
      break;
    }
  taken_.push_back(best);
  body_ += "<path class=\"level " + colour(series) + "\" d=\"M" + px(left) + " " + px(at) + "H" + px(end) +
           "\"/>\n<text class=\"name " + colour(series) + "\" x=\"" + px(best.x0) + "\" y=\"" + px(best.y0 + 11) +
           "\">" + escaped(text) + "</text>\n";
}

std::string Plot::frame() const {
  std::string text;
  double const base = height_ - bottom, end = width_ - right_;
  for (auto const& [value, name] : y_.ticks()) {
    double const y = at_y(value);
    text += "<path class=\"grid\" d=\"M" + px(left) + " " + px(y) + "H" + px(end) +
            "\"/><text class=\"tick\" text-anchor=\"end\" x=\"" + px(left - 7) + "\" y=\"" + px(y + 4) + "\">" + name +
            "</text>\n";
  }
  for (auto const& [value, name] : x_.ticks()) {
    double const x = at_x(value);
    if (x_.logarithmic) text += "<path class=\"grid\" d=\"M" + px(x) + " " + px(top) + "V" + px(base) + "\"/>";
    text += "<path class=\"axis\" d=\"M" + px(x) + " " + px(base) +
            "v4\"/><text class=\"tick\" text-anchor=\"middle\" x=\"" + px(x) + "\" y=\"" + px(base + 18) + "\">" +
            name + "</text>\n";
  }
  text += "<path class=\"axis\" d=\"M" + px(left) + " " + px(base) + "H" + px(end) + "\"/>\n";
  text += "<text class=\"title\" text-anchor=\"middle\" x=\"" + px((left + end) / 2) + "\" y=\"" + px(height_ - 8) +
          "\">" + escaped(x_.title) + "</text>\n";
  text += "<text class=\"title\" text-anchor=\"middle\" transform=\"translate(14 " + px((top + base) / 2) +
          ") rotate(-90)\">" + escaped(y_.title) + "</text>\n";
  return text;
}

/// Names at the lines' right ends, moved apart from the top down, and back up where they left the plot.
std::string Plot::end_labels() const {
  auto labels = ends_;
  std::sort(labels.begin(), labels.end(), [](Label const& a, Label const& b) { return a.y < b.y; });
  constexpr double apart = 15;
  for (std::size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + apart);
  double limit = height_ - bottom - 2;
  for (std::size_t i = labels.size(); i-- > 0;) {
    labels[i].y = std::min(labels[i].y, limit);
    limit = labels[i].y - apart;
  }
  std::string text;
  double const x = width_ - right_ + 10;
  for (auto const& label : labels) {
    text += "<path class=\"leader " + colour(label.series) + "\" d=\"M" + px(label.end_x + 1) + " " + px(label.end_y) +
            "L" + px(x - 2) + " " + px(label.y) + "\"/><text class=\"name " + colour(label.series) + "\" x=\"" + px(x) +
            "\" y=\"" + px(label.y + 4) + "\">" + escaped(label.text) + "</text>\n";
  }
  return text;
}

std::string Plot::svg(std::string const& description) const {
  return "<svg viewBox=\"0 0 " + px(width_) + " " + px(height_) + "\" role=\"img\" aria-label=\"" +
         escaped(description) + "\">\n" + frame() + body_ + end_labels() + "</svg>\n";
}

}  // namespace compare
