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

  std::vector<Scalar> row(rows, Scalar(1)), column(width, Scalar(1)), update(gradient.size());
  AdafactorFactors<graft::Cpu> const how{.keep = 0.9, .epsilon = 1e-30, .gradient_scale = nullptr};
  OnHost<Adafactor, Scalar>::adafactor_moments(gradient.data(), rows, width, how, row.data(), column.data());
  OnHost<Adafactor, Scalar>::adafactor_update(gradient.data(), row.data(), column.data(), rows, width, how,
                                              update.data());
  double squares = 0;
  OnHost<SumSquares, Scalar>::sum_squares(update.data(), size, &squares);
  OnHost<Adafactor, Scalar>::adafactor_apply(parameter.data(), update.data(), nullptr, size,
                                             {.rate = 0.01,
                                              .parameter_squares = nullptr,
                                              .update_squares = &squares,
                                              .epsilon = 1e-3,
                                              .threshold = 1,
                                              .beta1 = 0,
                                              .weight_decay = 0});
  print("adafactor", parameter);
  std::vector<Scalar> sums(2);
  OnHost<Sum, Scalar>::sum(gradient.data(), size, sums.data());
  OnHost<Sum, Scalar>::dot(gradient.data(), parameter.data(), size, &sums[1]);
  print("sum", sums);
  auto const narrow = normal<float>(size, 33);
  OnHost<Widen, Scalar>::widen(narrow.data(), update.data(), size);
  print("widen", update);
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
