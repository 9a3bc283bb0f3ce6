#include <graft/models/gpt2.hpp>

#include "fixture_cases.hpp"

static bool const registered = adapter_fixtures::add_runners<graft::Gpt2>();
