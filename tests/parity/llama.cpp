#include <graft/models/llama.hpp>

#include "runner.hpp"

static bool const registered64 = parity::add_runner<graft::Llama, double>("float64");
static bool const registered32 = parity::add_runner<graft::Llama, float>("float32");
