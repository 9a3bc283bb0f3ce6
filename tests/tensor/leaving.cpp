// Ends while other threads compute: their work is cut off, nothing is destroyed under it, and the exit status is 0.
// ThreadSanitizer watches this program.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include <graft/core/warning.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/sum.hpp>

namespace {

std::atomic<int> rounds{0};

void compute(std::uint64_t seed) {
  using namespace graft;
  Parameter<float> weight("w", normal<float>(Shape{96, 64}, RandomKey(seed)));
  Variable<float> const x(normal<float>(Shape{128, 64}, RandomKey(seed + 1)));
  for (;;) {
    backward(mean_squared_error(tanh(linear(x, weight.variable())), zeros<float>(Shape{128, 96})));
    weight.clear_gradient();
    warn("[leaving] round ", rounds++ % 100);
  }
}

}  // namespace

int main() {
  graft::set_warning_handler([](std::string const&) {});
  std::thread(compute, 1).detach();
  std::thread(compute, 3).detach();
  while (rounds < 20) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::puts("leaving");
  return 0;
}
