#include <graft/models/llama.hpp>

#include "reference_comparison.hpp"

namespace reference {
INSTANTIATE_TYPED_TEST_SUITE_P(Llama, PlainReference, graft::Llama);
}
