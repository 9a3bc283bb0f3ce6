/// @file
/// @brief Line and scatter plots as SVG. Colours are CSS classes, so that the page decides them for light and dark.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace compare {

/// Text as it may stand in HTML and SVG.
std::string escaped(std::string const& text);

struct Axis {
  double low = 0, high = 1;
  std::string title;
  bool logarithmic = false;
  std::vector<double> marks = {};  ///< where it is marked; none: at round numbers
  /// Places and texts of its marks.
  [[nodiscard]] std::vector<std::pair<double, std::string>> ticks() const;
  /// 0 at `low`, 1 at `high`.
  [[nodiscard]] double place(double value) const;
};

/// An axis around values, with a little room at both ends.
Axis axis_around(std::vector<double> const& values, std::string title, bool logarithmic = false);
/// An axis through the values of a setting, marked at them: logarithmic where their distances grow.
Axis axis_through(std::vector<double> const& values, std::string title);
/// The width of a text of the labels, about.
double label_width(std::string const& text);

/// A drawing with two axes. Series have numbers, which choose the CSS classes c0, c1, …
class Plot {
 public:
  Plot(Axis x, Axis y, double width, double height, double right_margin);
  /// A line with its name at its right end; names are moved apart. A line that is not named is thin; a pointer shows
  /// its name.
  void line(std::vector<std::pair<double, double>> const& points, int series, std::string const& name,
            bool named = true);
  /// From `low` to `high`, with short strokes at both ends. Nothing where one is not known.
  void error_bar(double x, double low, double high, int series);
  /// Dots that come now are small: for plots with very many.
  void use_small_dots() { radius_ = 3; }
  /// A dot, hollow or filled, with the text that a pointer shows.
  void dot(double x, double y, int series, bool filled, std::string const& tip);
  /// A name near a dot, where it covers neither dots nor names.
  void name_dot(double x, double y, int series, std::string const& name);
  /// A thin line between two points.
  void link(double x0, double y0, double x1, double y1, int series);
  /// A dashed line across the plot with a text at its right end.
  void level(double y, int series, std::string const& text);
  [[nodiscard]] std::string svg(std::string const& description) const;

 private:
  struct Label {
    double x, y;
    int series;
    std::string text;
    double end_x, end_y;
  };
  struct Box {
    double x0, y0, x1, y1;
  };

  [[nodiscard]] double at_x(double x) const { return left + x_.place(x) * inner_width(); }
  [[nodiscard]] double at_y(double y) const { return top + (1 - y_.place(y)) * inner_height(); }
  [[nodiscard]] double inner_width() const { return width_ - left - right_; }
  [[nodiscard]] double inner_height() const { return height_ - top - bottom; }
  [[nodiscard]] std::string frame() const;
  [[nodiscard]] std::string end_labels() const;
  [[nodiscard]] bool is_free(Box const& box) const;

  static constexpr double left = 56, top = 14, bottom = 44;
  Axis x_, y_;
  double width_, height_, right_, radius_ = 5;
  std::string body_;
  std::vector<Label> ends_;
  std::vector<Box> taken_;
};

}  // namespace compare
