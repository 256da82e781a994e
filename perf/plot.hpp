// A picture of curves as SVG: axes in powers of ten, every curve with a mark and a dash of its own and its name beside its
// end, so that it can be read without colour.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::perf {

struct point {
  double x = 0;  ///< Above 0, as y.
  double y = 0;
};

struct curve {
  std::string name;
  std::vector<point> points;  ///< By x. At least one.
};

struct plot {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<curve> curves;  ///< At most as many as there are marks: four.
};

/// The file as text. The numbers below the x axis are those of the points.
std::string svg_of(const plot& shown);

/// Throws where the file cannot be written. The folder is made.
void write_svg(const std::filesystem::path& file, const plot& shown);

}  // namespace troupe::perf
