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
  Placement const cuda{DeviceKind::cuda, NumberKind::bf16}, narrow{DeviceKind::cpu, NumberKind::bf16};
  expect_within(message_of<graft::ConfigError>([&] { static_cast<void>(load_base("/nowhere", cuda)); }),
                {"[device] got cuda", "graft::any_cuda"});
  expect_within(message_of<graft::ConfigError>([&] { static_cast<void>(load_base("/nowhere", narrow)); }), {"[dtype] got bf16 on the cpu"});
}

TEST(Placement, HasWords) {
  EXPECT_EQ(to_string(Placement{DeviceKind::cuda, NumberKind::bf16}), "cuda, bf16");
  EXPECT_EQ(to_string(Placement{}), "cpu, fp32");
}

}  // namespace
