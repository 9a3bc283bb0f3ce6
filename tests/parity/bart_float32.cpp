#include <graft/models/bart.hpp>

#include "runner.hpp"

static bool const registered = parity::add_runner<graft::Bart, float>("float32");
