#include <graft/models/llama.hpp>

#include "invariants_suite.hpp"

namespace invariants {
INSTANTIATE_TYPED_TEST_SUITE_P(Llama, Invariants, graft::Llama);
}
