#include <graft/models/gpt2.hpp>

#include "runner.hpp"

static bool const registered = parity::add_runner<graft::Gpt2, double>("float64");
