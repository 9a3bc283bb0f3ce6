#include <graft/models/llama.hpp>

#include "runner.hpp"

static bool const registered = parity::add_runner<graft::Llama, double>("float64");
