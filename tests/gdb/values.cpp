// Values for the printers to show: the debugger stops in `stop`, and looks at what `main` has.
#include <vector>

#include <graft/autograd/variable.hpp>
#include <graft/core/dtype.hpp>

namespace {

int stopped = 0;

}  // namespace

__attribute__((noinline)) void stop() { ++stopped; }

int main() {
  using namespace graft;
  Shape const shape{2, 3};
  Shape const scalar;
  auto const few = tensor_of<float>(shape, std::vector<double>{1, 2.5, -3, 4, 5, 6});
  auto const many = full(Shape{3, 4, 5}, 0.1);
  auto const narrow = tensor_of<bfloat16>(Shape{2}, std::vector<float>{1.5F, -2});
  auto const halves = tensor_of<half>(Shape{2}, std::vector<float>{0.5F, 65504});
  auto const tokens = tensor_of<int>(Shape{3}, std::vector<int>{7, 8, -9});
  Tensor<float> const empty;
  Tensor<float, Cuda> const elsewhere =
      Tensor<float, Cuda>::alias(Shape{4, 2}, DevicePointer<float>(reinterpret_cast<float*>(16)), nullptr);
  Variable<float> const constant(few);
  Parameter<float> const parameter("lora_A.weight", few);
  Variable<float> const& tracked = parameter.variable();
  std::vector<Shape> const shapes{Shape{1}, Shape{4, 4}};
  stop();
  return static_cast<int>(shape.size() + scalar.size() + many.size() + narrow.size() + halves.size() + tokens.size() +
                          empty.size() + elsewhere.size() + constant.rows() + tracked.rows()) +
                     static_cast<int>(shapes.size()) + stopped >
                 0
             ? 0
             : 1;
}
