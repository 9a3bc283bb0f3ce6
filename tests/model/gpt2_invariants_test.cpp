#include <graft/models/gpt2.hpp>

#include "invariants_suite.hpp"

namespace invariants {
INSTANTIATE_TYPED_TEST_SUITE_P(Gpt2, Invariants, graft::Gpt2);
}
