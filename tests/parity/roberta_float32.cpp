#include <graft/models/bert.hpp>

#include "runner.hpp"

static bool const registered = parity::add_runner<graft::Roberta, float>("float32");
