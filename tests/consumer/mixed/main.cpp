#include <graft/io/json.hpp>
#include <graft/kernels/elementwise.hpp>

#if !defined(GRAFT_COMPILED) || !defined(GRAFT_COMPILED_IO) || !defined(GRAFT_COMPILED_TEXT)
#error "graft::compiled must say what it holds: kernels and, with graft::io and graft::text, file readers"
#endif

double twice(double value);
double number_in(char const* text);

int main() {
  double const value = 21;
  double result = 0;
  graft::kernels::On<graft::Cpu, graft::kernels::Elementwise, double>::scale(&value, 2.0, &result, 1);
  char const* const text = R"({"number": 2.5})";
  bool const same_number = graft::json_at<double>("text", graft::parse_json(text, "text"), "number") == number_in(text);
  return result == twice(value) && result == 42 && same_number ? 0 : 1;
}
