// Work that occurs again and again is started by graphs, in the order in which it was asked for.
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <graft/core/warning.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/tensor/work_together.hpp>

#include "device_testing.hpp"
#ifdef GRAFT_CUDA_EMULATED
#include <atomic>
#include <chrono>
#include <mutex>

#include <graft/kernels/cuda/launch.cuh>

#include "cuda_runtime.h"
#endif

namespace {

using namespace graft;
using Values = Tensor<float, Cuda>;
using Kernel = kernels::On<Cuda, kernels::Elementwise, float>;

class CudaGraphs : public graft::testing::DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped()) return;
    for (int i = 0; i < 3; ++i) run(1);  // a graph, unless GRAFT_CUDA_GRAPHS=0
    if (cuda_graph_use().launched == 0) GTEST_SKIP() << "GRAFT_CUDA_GRAPHS=0";
  }

  static constexpr Index size = 37;
  Values x = filled(1), y = filled(0);

  static Values filled(float value) {
    Values values(Shape{size});
    Kernel::fill(values.data(), value, size);
    return values;
  }
  /// y += factor · x, six times.
  void six_times(float factor) {
    for (int i = 0; i < 6; ++i) Kernel::add_scaled(std::as_const(x).data(), factor, y.data(), size);
  }
  void run(float factor) {
    WorkTogether<Cuda> const together;
    six_times(factor);
  }
  static float first(Values const& values) { return to_device<Cpu>(values).data()[0]; }
  /// What has been started since `before`.
  static kernels::cuda::GraphUse since(kernels::cuda::GraphUse const& before) {
    auto const now = cuda_graph_use();
    return {now.made - before.made, now.launched - before.launched, now.kernels - before.kernels,
            now.alone - before.alone};
  }
};

TEST_F(CudaGraphs, ARunBecomesOneWhenItOccursAgain) {
  Kernel::fill(y.data(), 0, size);
  auto const before = cuda_graph_use();
  run(2);
  EXPECT_EQ(since(before).made, 0U);
  EXPECT_EQ(since(before).alone, 6U);
  for (int i = 0; i < 4; ++i) run(2);
  EXPECT_EQ(since(before).made, 1U);
  EXPECT_EQ(since(before).launched, 4U);
  EXPECT_EQ(since(before).kernels, 24U);
  EXPECT_EQ(since(before).alone, 6U);
  EXPECT_EQ(first(y), 60) << "every run was computed once";
}

TEST_F(CudaGraphs, IsForItsOwnNumbersAndMemoryAlone) {
  run(3), run(3);
  auto const before = cuda_graph_use();
  run(4);  // another factor
  Values const other = std::exchange(y, filled(0));
  run(3);  // another result
  EXPECT_EQ(since(before).launched, 0U);
  EXPECT_EQ(first(y), 18);
}

TEST_F(CudaGraphs, ALongRunIsStartedInParts) {
  Kernel::fill(y.data(), 0, size);
  auto const before = cuda_graph_use();
  for (int times = 0; times < 3; ++times) {
    WorkTogether<Cuda> const together;
    for (int i = 0; i < 150; ++i) Kernel::add_scaled(std::as_const(x).data(), 1, y.data(), size);
  }
  EXPECT_EQ(since(before).kernels + since(before).alone, 450U);
  EXPECT_GE(since(before).launched, 5U) << "two parts of 64 are equal, so that the first time finds the second";
  EXPECT_EQ(first(y), 450);
}

TEST_F(CudaGraphs, CopiesUploadsAndMarksComeInOrder) {
  for (int times = 0; times < 4; ++times) {
    Kernel::fill(y.data(), 0, size);
    WorkTogether<Cuda> const together;
    six_times(1);
    EXPECT_EQ(first(y), 6) << "a download starts what was collected";
    six_times(1);
    auto const more = staged<Cuda>(Tensor<float>(Shape{size}));  // an upload
    six_times(1);
    Values copy(Shape{size});
    copy_async(y, copy);
    six_times(1);
    EXPECT_EQ(first(copy), 18);
    EXPECT_EQ(first(y), 24);
  }
}

TEST_F(CudaGraphs, MemoryThatIsLetGoIsUsedToTheEnd) {
  for (int times = 0; times < 4; ++times) {
    Kernel::fill(y.data(), 0, size);
    WorkTogether<Cuda> const together;
    for (int i = 0; i < 3; ++i) {
      auto const gone = filled(static_cast<float>(i));
      Kernel::add_scaled(gone.data(), 1, y.data(), size);
    }
    EXPECT_EQ(first(y), 3);
  }
}

TEST_F(CudaGraphs, ProductsBelongToThem) {
  auto const a = to_device<Cuda>(normal<float>(Shape{5, 7}, RandomKey(1), 1)),
             b = to_device<Cuda>(normal<float>(Shape{7, 4}, RandomKey(2), 1));
  Values c(Shape{5, 4});
  std::vector<Tensor<float>> results;
  auto const before = cuda_graph_use();
  for (int times = 0; times < 4; ++times) {
    {
      WorkTogether<Cuda> const together;
      for (int i = 0; i < 3; ++i) {
        Kernel::fill(c.data(), 1, c.size());
        kernels::On<Cuda, kernels::Matmul, float>::matmul(
            {5, 4, 7, a.data(), 7, kernels::Read::plain, b.data(), 4, kernels::Read::plain, 1, c.data(), 4});
      }
    }
    results.push_back(to_device<Cpu>(c));
  }
  EXPECT_EQ(since(before).launched, 3U);
  for (Index i = 0; i < 20; ++i) EXPECT_EQ(results[3].data()[i], results[0].data()[i]) << i;
}

TEST_F(CudaGraphs, ThreadsAddToTheSameRun) {
  Kernel::fill(y.data(), 0, size);
  {
    WorkTogether<Cuda> const together;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([&] { run(1); });
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(first(y), 24);
}

#ifdef GRAFT_CUDA_EMULATED
/// Work of the host's own, in place of kernels.
struct Order {
  std::mutex mutex;
  std::vector<int> numbers;
  std::atomic<bool> begun{false};
} order;
struct Note {
  int number, milliseconds;
  void operator()(cudaStream_t) const {
    order.begun = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    std::lock_guard<std::mutex> const lock(order.mutex);
    order.numbers.push_back(number);
  }
};

/// While a thread ends its scope, and its run is on the way, others ask for more.
TEST_F(CudaGraphs, NothingOvertakesARunThatIsBeingStarted) {
  auto& queue = kernels::Queue<Cuda>::current();
  for (int times = 0; times < 50; ++times) {
    order.numbers.clear();
    order.begun = false;
    std::thread first([&] {
      WorkTogether<Cuda> const together;
      queue.ask(Note{1, 3});
    });
    while (!order.begun) std::this_thread::yield();
    queue.ask(Note{2, 0});
    std::this_thread::sleep_for(std::chrono::milliseconds(times % 4));
    queue.ask(Note{3, 0});
    first.join();
    (void)queue.stream();
    ASSERT_EQ(order.numbers, (std::vector<int>{1, 2, 3})) << times;
  }
}

/// Of another device, which a thread has made its own meanwhile.
TEST_F(CudaGraphs, AreStartedOnTheQueuesDevice) {
  int seen = -1;
  struct See {
    int* device;
    void operator()(cudaStream_t) const { (void)cudaGetDevice(device); }
  };
  {
    WorkTogether<Cuda> const together;
    kernels::Queue<Cuda>::current().ask(See{&seen});
    (void)cudaSetDevice(1);
  }
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(emulator::device, 1);
  (void)cudaSetDevice(0);
}

TEST_F(CudaGraphs, GoWhereTheDeviceHasNoMemoryLeft) {
  for (int i = 0; i < 3; ++i) run(7);
  EXPECT_THROW((void)Values(Shape{Index{1} << 40}), MemoryError);
  auto const before = cuda_graph_use();
  run(7), run(7), run(7);
  EXPECT_EQ(since(before).made, 1U) << "made again";
  EXPECT_EQ(since(before).launched, 3U);
}

/// Runs last: from a failure on, the process does without graphs.
TEST_F(CudaGraphs, WithoutThemEverythingIsStartedOneByOneAndSaid) {
  std::string said;
  auto const before_handler = set_warning_handler([&](std::string const& sentence) {
    said = sentence;
    (void)cuda_graph_use();  // a handler may ask the queue
  });
  Kernel::fill(y.data(), 0, size);
  emulator::refuses_capture = true;
  for (int i = 0; i < 3; ++i) run(5);
  emulator::refuses_capture = false;
  for (int i = 0; i < 3; ++i) run(5);
  EXPECT_EQ(first(y), 180);
  set_warning_handler(before_handler);
  EXPECT_NE(said.find("no graph of them could be made: cudaStreamEndCapture reported"), std::string::npos) << said;
}
#endif

}  // namespace
