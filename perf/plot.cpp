#include "perf/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <limits>
#include <set>
#include <stdexcept>
#include <string_view>

namespace troupe::perf {
namespace {

constexpr double width = 640;
constexpr double height = 400;
constexpr double left = 76;
constexpr double right = 92;  // for the names of the curves
constexpr double top = 40;
constexpr double bottom = 52;
constexpr double line_height = 15;

struct looks {
  const char* colour;
  const char* dash;
};

constexpr std::array<looks, 4> looks_of{
    {{"#0b5394", ""}, {"#38761d", "7 3"}, {"#b45309", "2 3"}, {"#6b21a8", "9 3 2 3"}}};

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  std::array<char, 600> line{};
  va_list values;
  va_start(values, format);
  std::vsnprintf(line.data(), line.size(), format, values);
  va_end(values);
  return line.data();
}

std::string escaped(std::string_view plain) {
  std::string safe;
  for (const char c : plain) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

/// 1,000 with a comma; below 1 as short as it goes.
std::string number_text(double value) {
  if (value < 1'000) {
    return text("%g", value);
  }
  const auto thousands = static_cast<long>(std::lround(value));
  return thousands < 1'000'000
             ? text("%ld,%03ld", thousands / 1'000, thousands % 1'000)
             : text("%ld,%03ld,%03ld", thousands / 1'000'000, thousands / 1'000 % 1'000, thousands % 1'000);
}

/// From a value to a place on the paper, by its logarithm.
class axis {
 public:
  axis(double low, double high, double from, double to)
      : low_(std::log10(low)), high_(std::log10(high)), from_(from), to_(to) {}

  double operator()(double value) const { return from_ + (to_ - from_) * (std::log10(value) - low_) / (high_ - low_); }

 private:
  double low_;
  double high_;
  double from_;
  double to_;
};

struct range {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;

  void add(double value) {
    if (!(value > 0) || !std::isfinite(value)) {
      throw std::invalid_argument{"a value that is not above 0 has no place on an axis of logarithms"};
    }
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// 1, 2 and 5 times the powers of ten, from the last at or below `low` to the first at or above `high`.
std::vector<double> ticks_around(const range& values) {
  std::vector<double> ticks;
  for (double power = std::pow(10, std::floor(std::log10(values.low)) - 1); power <= values.high * 10; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      ticks.push_back(power * factor);
    }
  }
  constexpr double rounding = 1e-9;
  while (ticks.size() > 2 && ticks[1] <= values.low * (1 + rounding)) {
    ticks.erase(ticks.begin());
  }
  while (ticks.size() > 2 && ticks[ticks.size() - 2] >= values.high * (1 - rounding)) {
    ticks.pop_back();
  }
  return ticks;
}

std::string mark_at(std::size_t which, double x, double y) {
  const char* const colour = looks_of.at(which).colour;
  switch (which) {
    case 0:
      return text("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x, y, colour);
    case 1:
      return text(
          "<rect x=\"%.1f\" y=\"%.1f\" width=\"8\" height=\"8\" fill=\"#ffffff\" stroke=\"%s\" stroke-width=\"2\"/>\n",
          x - 4,
          y - 4,
          colour);
    case 2:
      return text("<path d=\"M%.1f %.1f l5 9 h-10 z\" fill=\"%s\"/>\n", x, y - 6, colour);
    default:
      return text("<path d=\"M%.1f %.1f l5 5 l-5 5 l-5 -5 z\" fill=\"#ffffff\" stroke=\"%s\" stroke-width=\"2\"/>\n",
                  x,
                  y - 5,
                  colour);
  }
}

std::string words(double x, double y, const char* anchor, const std::string& what, const char* more = "") {
  return text("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y, anchor, more) + escaped(what) + "</text>\n";
}

std::string rule(double x1, double y1, double x2, double y2, const char* colour) {
  return text("<path d=\"M%.1f %.1f L%.1f %.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2, colour);
}

/// Where the names go: beside the ends of their curves, moved apart where they would touch.
std::vector<double> heights_of_names(const plot& shown, const axis& y) {
  std::vector<std::size_t> by_height(shown.curves.size());
  for (std::size_t i = 0; i < by_height.size(); ++i) {
    by_height[i] = i;
  }
  std::vector<double> heights;
  for (const auto& each : shown.curves) {
    heights.push_back(y(each.points.back().y));
  }
  std::sort(by_height.begin(), by_height.end(), [&](auto a, auto b) { return heights[a] < heights[b]; });
  for (std::size_t i = 1; i < by_height.size(); ++i) {
    auto& below = heights[by_height[i]];
    below = std::max(below, heights[by_height[i - 1]] + line_height);
  }
  return heights;
}

std::string drawn(const curve& each, std::size_t which, const axis& x, const axis& y) {
  std::string path;
  std::string marks;
  for (const auto& at : each.points) {
    path += text("%s%.1f %.1f ", path.empty() ? "M" : "L", x(at.x), y(at.y));
    marks += mark_at(which, x(at.x), y(at.y));
  }
  path.pop_back();
  const auto& look = looks_of.at(which);
  return "<path d=\"" + path + "\" fill=\"none\" stroke-width=\"2\"" +
         text(" stroke=\"%s\" stroke-dasharray=\"%s\"/>\n", look.colour, *look.dash == '\0' ? "none" : look.dash) +
         marks;
}

}  // namespace

std::string svg_of(const plot& shown) {
  range xs;
  range ys;
  std::set<double> places;
  for (const auto& each : shown.curves) {
    for (const auto& at : each.points) {
      xs.add(at.x);
      ys.add(at.y);
      places.insert(at.x);
    }
  }
  const auto ticks = ticks_around(ys);
  const axis x{xs.low, xs.high, left + 14, width - right - 14};
  const axis y{ticks.front(), ticks.back(), height - bottom, top};
  std::string svg = text(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\""
      " font-family=\"sans-serif\" font-size=\"12\" fill=\"#222222\" role=\"img\">\n",
      width,
      height,
      width,
      height);
  svg += "<title>" + escaped(shown.title) + "</title>\n";
  svg += text("<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n", width, height);
  svg += words(left, 22, "start", shown.title, " font-size=\"14\" font-weight=\"bold\"");
  for (const double tick : ticks) {
    svg += rule(left, y(tick), width - right, y(tick), "#dddddd");
    svg += words(left - 8, y(tick) + 4, "end", number_text(tick));
  }
  for (const double place : places) {
    svg += rule(x(place), height - bottom, x(place), height - bottom + 5, "#222222");
    svg += words(x(place), height - bottom + 19, "middle", number_text(place));
  }
  svg += rule(left, top, left, height - bottom, "#222222");
  svg += rule(left, height - bottom, width - right, height - bottom, "#222222");
  svg += words((left + width - right) / 2, height - 12, "middle", shown.x_label);
  const double middle = (top + height - bottom) / 2;
  svg += words(16, middle, "middle", shown.y_label, text(" transform=\"rotate(-90 16 %.1f)\"", middle).c_str());
  const auto heights = heights_of_names(shown, y);
  for (std::size_t i = 0; i < shown.curves.size(); ++i) {
    svg += drawn(shown.curves[i], i, x, y);
    svg += words(width - right + 2,
                 heights[i] + 4,
                 "start",
                 shown.curves[i].name,
                 text(" fill=\"%s\"", looks_of.at(i).colour).c_str());
  }
  return svg + "</svg>\n";
}

void write_svg(const std::filesystem::path& file, const plot& shown) {
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  std::ofstream out{file};
  out << svg_of(shown) << std::flush;
  if (!out) {
    throw std::runtime_error{"cannot write " + file.string()};
  }
}

}  // namespace troupe::perf
