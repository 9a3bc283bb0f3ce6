// Frozen matrices that oneDNN multiplies: the numbers of graft's own products, up to the order of sums.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <graft/adaptation/lora.hpp>
#include <graft/core/numbers.hpp>
#include <graft/weights/onednn.hpp>
#include <graft/weights/to_device.hpp>

#include "model/small_model.hpp"
#include "support/worst.hpp"

#include <graft/models/llama.hpp>

namespace {

using namespace graft;

template <class Stored>
Tensor<Stored> numbers(Shape const& shape) {
  auto const wide = normal<float>(shape, RandomKey(7));
  Tensor<Stored> result(shape);
  for (Index i = 0; i < wide.size(); ++i) result.data()[i] = Stored(wide.data()[i]);
  return result;
}
double worst_of(Tensor<float> const& a, Tensor<float> const& b) {
  double worst = 0, largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    worst = graft::testing::worse(worst, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
    largest = std::max(largest, std::abs(static_cast<double>(b.data()[i])));
  }
  return worst / largest;
}
template <class Stored>
bool usable() {
  return graft::detail::OnednnProduct::has_kernel(OnednnStorage<Stored>::type);
}

template <class Stored>
class Onednn : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!usable<Stored>()) GTEST_SKIP() << "oneDNN has no kernel for these numbers on this processor";
  }
};
using Both = ::testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(Onednn, Both);

TYPED_TEST(Onednn, MultipliesAsGraftDoes) {
  for (auto const& [outputs, inputs] :
       std::vector<std::pair<Index, Index>>{{1, 1}, {7, 33}, {64, 48}, {130, 257}, {576, 192}}) {
    Index const out = outputs, in = inputs;
    for (Layout const layout : {Layout::out_in, Layout::in_out})
      for (Index const rows : {1, 2, 13, 70, 300}) {
        auto const w = numbers<TypeParam>(layout == Layout::out_in ? Shape{out, in} : Shape{in, out});
        OnednnStorage<TypeParam> const theirs(clone(w), layout);
        PackedStorage<TypeParam, float> const ours(clone(w), layout);
        auto const x = normal<float>(Shape{rows, in}, RandomKey(1)), g = normal<float>(Shape{rows, out}, RandomKey(2));
        for (float const beta : {0.F, 1.F, -2.F}) {
          auto const product = [&](MatrixStorage<float> const& storage, bool forward) {
            auto y = full(Shape{rows, forward ? out : in}, 0.5F);
            forward ? storage.times_transposed(x.data(), rows, y.data(), beta)
                    : storage.times(g.data(), rows, y.data(), beta);
            return y;
          };
          for (bool const forward : {true, false})
            EXPECT_LE(worst_of(product(theirs, forward), product(ours, forward)), 1e-5)
                << out << "×" << in << ", rows " << rows << ", beta " << beta << ", forward " << forward;
        }
      }
  }
}
TYPED_TEST(Onednn, IsWhatWasStored) {
  for (Layout const layout : {Layout::out_in, Layout::in_out}) {
    auto const w = numbers<TypeParam>(layout == Layout::out_in ? Shape{20, 33} : Shape{33, 20});
    OnednnStorage<TypeParam> const storage(clone(w), layout);
    auto const before = storage.dense();
    auto const part = storage.outputs(5, 12);
    EXPECT_EQ(part->out(), 7);
    std::vector<float> x(33, 1.F), y(20), dx(33);
    for (int times = 0; times < 2; ++times) {
      storage.times_transposed(x.data(), 1, y.data(), 0.F);
      auto const after = storage.dense();
      EXPECT_EQ(std::memcmp(before.data(), after.data(), static_cast<std::size_t>(before.size()) * 4), 0);
      std::vector<float> own(7);
      storage.outputs(5, 12)->times_transposed(x.data(), 1, own.data(), 0.F);
      for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], y[5 + i], 1e-4);
      storage.times(y.data(), 1, dx.data(), 0.F);
      std::vector<Token> const ids{3, 0, 19};
      Tensor<float> rows(Shape{3, 33});
      storage.rows(ids, rows.data());
      for (Index i = 0; i < 33; ++i)
        EXPECT_EQ(rows.row(0)[i], static_cast<float>(layout == Layout::out_in ? w.row(3)[i] : w.row(i)[3]));
    }
    EXPECT_THROW((void)storage.outputs(5, 21), ShapeError);
  }
}
TYPED_TEST(Onednn, ServesSeveralThreads) {
  auto const w = numbers<TypeParam>(Shape{64, 96});
  OnednnStorage<TypeParam> const storage(clone(w), Layout::out_in);
  auto const x = normal<float>(Shape{9, 96}, RandomKey(3));
  std::vector<Tensor<float>> results(6, Tensor<float>());
  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&] {
      result = Tensor<float>(Shape{9, 64});
      for (int i = 0; i < 20; ++i) storage.times_transposed(x.data(), 9, result.data(), 0.F);
    });
  for (auto& thread : threads) thread.join();
  for (auto const& result : results) EXPECT_LE(worst_of(result, results[0]), 1e-5);
}

TYPED_TEST(Onednn, HasTheSameBitsForAnyNumberOfThreads) {
  auto const w = numbers<TypeParam>(Shape{300, 200});
  auto const x = normal<float>(Shape{333, 200}, RandomKey(3)), g = normal<float>(Shape{333, 300}, RandomKey(4));
  auto const products = [&](int threads) {
    ThreadPool::global().resize(threads);
    OnednnStorage<TypeParam> const storage(clone(w), Layout::out_in);
    Tensor<float> y(Shape{333, 300}), dx(Shape{333, 200});
    storage.times_transposed(x.data(), 333, y.data(), 0.F);
    storage.times(g.data(), 333, dx.data(), 0.F);
    return std::pair(y, dx);
  };
  int const before = ThreadPool::global().threads();
  auto const [y, dx] = products(1);
  for (int const threads : {2, 3}) {
    auto const [other_y, other_dx] = products(threads);
    EXPECT_EQ(std::memcmp(y.data(), other_y.data(), static_cast<std::size_t>(y.size()) * 4), 0);
    EXPECT_EQ(std::memcmp(dx.data(), other_dx.data(), static_cast<std::size_t>(dx.size()) * 4), 0);
  }
  ThreadPool::global().resize(before);
}
TYPED_TEST(Onednn, ComputesInAChildOfFork) {
  auto const w = numbers<TypeParam>(Shape{256, 256});
  OnednnStorage<TypeParam> const storage(clone(w), Layout::out_in);
  auto const x = normal<float>(Shape{256, 256}, RandomKey(3));
  Tensor<float> y(Shape{256, 256});
  storage.times_transposed(x.data(), 256, y.data(), 0.F);
  pid_t const child = ::fork();
  if (child == 0) {
    ::alarm(60);
    Tensor<float> again(Shape{256, 256});
    storage.times_transposed(x.data(), 256, again.data(), 0.F);
    ::_exit(std::memcmp(y.data(), again.data(), static_cast<std::size_t>(y.size()) * 4) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}
TYPED_TEST(Onednn, StaysWhatItIsOnAnotherDevice) {
  FrozenMatrix<float> const matrix(
      std::make_shared<OnednnStorage<TypeParam> const>(numbers<TypeParam>({20, 30}), Layout::out_in));
  std::vector<float> y(20), x(30, 1.F);
  matrix.times_transposed(x.data(), 1, y.data());
  auto const copy = to_device<Cpu>(matrix);
  EXPECT_EQ(copy.storage()->name(), matrix.storage()->name());
  EXPECT_EQ(copy.storage()->bytes(), matrix.storage()->bytes());
}

TEST(Bfloat16Terms, AddUpToTheFloat) {
  std::vector<float> x{0.F, 1.F, -3.1415926F, 3.4028235e38F, -1e-30F, 1.F + 0x1p-23F, 123456.789F};
  graft::detail::Bfloat16Terms const terms(x.data(), static_cast<Index>(x.size()));
  EXPECT_EQ(terms.size(), 3);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(static_cast<float>(terms[0][i]) + (static_cast<float>(terms[1][i]) + static_cast<float>(terms[2][i])),
              x[i]);
  std::vector<float> const short_ones{1.F, -0.5F, 256.F};
  EXPECT_EQ(graft::detail::Bfloat16Terms(short_ones.data(), 3).size(), 1);
  std::vector<float> const strange{INFINITY, -INFINITY, NAN};
  graft::detail::Bfloat16Terms const of_strange(strange.data(), 3);
  EXPECT_EQ(of_strange.size(), 1);
  EXPECT_EQ(static_cast<float>(of_strange[0][1]), -INFINITY);
  EXPECT_TRUE(std::isnan(static_cast<float>(of_strange[0][2])));
}

/// A model whose matrices are oneDNN's has the losses and gradients of one whose matrices are graft's.
TYPED_TEST(Onednn, GivesAModelTheSameGradients) {
  auto const gradients = [](bool theirs) {
    auto base = std::make_shared<Pretrained<Llama, float>>(*small::base<Llama, float>());
    use_onednn({.float32 = theirs, .bfloat16 = theirs});
    for (auto const& site : base->info().sites) {
      auto& matrix = base->mutable_at(site.address).matrix;
      if (site.tied || matrix.empty()) continue;
      auto const wide = matrix.dense();
      Tensor<TypeParam> stored(wide.shape());
      for (Index i = 0; i < wide.size(); ++i) stored.data()[i] = TypeParam(wide.data()[i]);
      matrix = for_products<float>(std::move(stored), site.layout);
    }
    use_onednn({});
    auto model = adapt(Base<Llama, float>(base), LoRA{.rank = 2});
    small::disturb(model);
    auto const loss = small::loss(model, model.pack(small::examples()));
    backward(loss);
    std::vector<Tensor<float>> found{loss.value()};
    for (auto* parameter : model.parameters()) found.push_back(clone(parameter->gradient()));
    return found;
  };
  auto const got = gradients(true), expected = gradients(false);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LE(worst_of(got[i], expected[i]), 2e-5) << i;
}

TEST(Onednn, IsUsedWhereItIsFaster) {
  auto const used = use_onednn();
  EXPECT_FALSE(used.float32);
  bool const has_amx = std::ifstream("/proc/cpuinfo") && [] {
    std::ifstream file("/proc/cpuinfo");
    std::string const all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    return all.find("amx_bf16") != std::string::npos;
  }();
  if (!std::getenv("ONEDNN_MAX_CPU_ISA")) {
    EXPECT_TRUE(has_amx || !used.bfloat16);  // a kernel may keep a processor's matrix units from programs
  }
  EXPECT_EQ((OtherProducts<bfloat16, float>::maker().load() != nullptr), used.bfloat16);
  use_onednn({});
  EXPECT_EQ((OtherProducts<bfloat16, float>::maker().load()), nullptr);
}

}  // namespace
