#include <graft/models/gpt2.hpp>

#include "runner.hpp"

static bool const registered64 = parity::add_runner<graft::Gpt2, double>("float64");
static bool const registered32 = parity::add_runner<graft::Gpt2, float>("float32");
