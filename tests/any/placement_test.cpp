// A program without a GPU's code computes on the host in float32, and says so where it is asked for something else.
#include <gtest/gtest.h>

#include <graft/any/any_model.hpp>

#include "support/refusals.hpp"

namespace {

using namespace graft::any;
using graft::testing::expect_within, graft::testing::message_of;

TEST(Placement, OfTheHostIsTheOnlyOneWithoutAGpu) {
  EXPECT_EQ(placements(), std::vector<Placement>{{}});
  EXPECT_NO_THROW(check({}));
  EXPECT_EQ(peak_bytes(DeviceKind::cpu), 0U);
}

TEST(Placement, OfAnotherKindIsRefusedBeforeTheModelIsRead) {
  std::string const model = "/nowhere";
  auto const on_gpu = [&] {
    //! [placement]
    Placement const where{DeviceKind::cuda, NumberKind::bf16};
    auto const base = load_base(model, where);  // refused at once where there is no GPU, or no code for it
    //! [placement]
    static_cast<void>(base);
  };
  expect_within(message_of<graft::ConfigError>(on_gpu), {"[device] got cuda", "graft::any_cuda"});
  Placement const narrow{DeviceKind::cpu, NumberKind::bf16};
  expect_within(message_of<graft::ConfigError>([&] { static_cast<void>(load_base("/nowhere", narrow)); }),
                {"[dtype] got bf16 on the cpu"});
}

TEST(Placement, HasWords) {
  EXPECT_EQ(to_string(Placement{DeviceKind::cuda, NumberKind::bf16}), "cuda, bf16");
  EXPECT_EQ(to_string(Placement{}), "cpu, fp32");
}

}  // namespace
