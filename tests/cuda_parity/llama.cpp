#include <graft/models/llama.hpp>

#include "parity/runner.hpp"

static bool const registered64 = parity::add_runner<graft::Llama, double, graft::Cuda>("float64");
static bool const registered32 = parity::add_runner<graft::Llama, float, graft::Cuda>("float32");
