// Thrust's reduction on the host; takes temporary storage from the policy's allocator, as on a GPU.
#pragma once

#include "execution_policy.h"

namespace thrust {

template <class Policy, class Value>
Value reduce(Policy const& policy, Value const* first, Value const* last) {
  auto* const scratch = policy.allocator->allocate(64);
  Value sum{};
  {
    emulator::Access const access;
    for (; first != last; ++first) sum += *first;
  }
  policy.allocator->deallocate(scratch, 64);
  return sum;
}

}  // namespace thrust
