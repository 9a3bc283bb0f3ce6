// This source instantiates kernels and parser itself; main.cpp takes them from graft::compiled.
#include <graft/io/json.hpp>
#include <graft/kernels/elementwise.hpp>

#if defined(GRAFT_COMPILED) || defined(GRAFT_COMPILED_IO)
#error "this source is to see the headers' own definitions"
#endif

double twice(double value) {
  double result = 0;
  graft::kernels::On<graft::Cpu, graft::kernels::Elementwise, double>::scale(&value, 2.0, &result, 1);
  return result;
}

double number_in(char const* text) { return graft::json_at<double>("text", graft::parse_json(text, "text"), "number"); }
