// Runs every kernel of graft::compiled on numbers that are the same each time, and prints the results: by processor
// level they may differ in rounding alone. The first line is the level.
#include <graft/core/cpu_level.hpp>
#include <graft/kernels/adafactor.hpp>
#include <graft/kernels/adamw.hpp>
#include <graft/kernels/sum.hpp>
#include <graft/kernels/sum_squares.hpp>
#include <graft/kernels/widen.hpp>

#include <string>

#include "attention.hpp"
#include "products.hpp"
#include "rows.hpp"

namespace {

template <class Scalar>
void optimize() {
  using namespace graft::kernels;
  constexpr Index rows = 11, width = 67, size = rows * width;
  auto const gradient = normal<Scalar>(size, 30);
  auto parameter = normal<Scalar>(size, 31), first = normal<Scalar>(size, 32, 0.1);
  auto second = std::vector<Scalar>(gradient.size(), Scalar(0.5));
  AdamWFactors const factors{.keep = 0.999,
                             .blend_first = 0.1,
                             .keep_second = 0.999,
                             .blend_second = 0.001,
                             .step_size = 0.01,
                             .correction = 0.5,
                             .epsilon = 1e-8};
  OnHost<Adamw, Scalar>::adamw(parameter.data(), gradient.data(), first.data(), second.data(), size, factors, nullptr);
  print("adamw", parameter);

  std::vector<Scalar> row(rows, Scalar(1)), column(width, Scalar(1));
  OnHost<Adafactor, Scalar>::adafactor({{.parameter = parameter.data(),
                                         .gradient = gradient.data(),
                                         .row = row.data(),
                                         .column = column.data(),
                                         .second = nullptr,
                                         .first = nullptr,
                                         .rows = rows,
                                         .width = width,
                                         .keep = 0.9,
                                         .rate = 0.01}},
                                       {.epsilon1 = 1e-30,
                                        .epsilon2 = 1e-3,
                                        .clip_threshold = 1,
                                        .beta1 = 0,
                                        .weight_decay = 0,
                                        .scale_parameter = false},
                                       nullptr);
  print("adafactor", parameter);
  double squares = 0;
  OnHost<SumSquares, Scalar>::sum_squares(gradient.data(), size, &squares);
  std::vector<Scalar> sums{Scalar(0), Scalar(0), static_cast<Scalar>(squares)};
  OnHost<Sum, Scalar>::sum(gradient.data(), size, sums.data());
  OnHost<Sum, Scalar>::dot(gradient.data(), parameter.data(), size, &sums[1]);
  print("sum", sums);
  auto const narrow = normal<float>(size, 33);
  std::vector<Scalar> wide(gradient.size());
  OnHost<Widen, Scalar>::widen(narrow.data(), wide.data(), size);
  print("widen", wide);
}

template <class Scalar>
void run() {
  multiply<Scalar>();
  multiply_blocks<Scalar>();
  attend<Scalar>();
  go_along_rows<Scalar>();
  optimize<Scalar>();
}

}  // namespace

int main() {
  std::printf("%s\n", std::string(graft::cpu_level()).c_str());
  run<float>();
  run<double>();
}
