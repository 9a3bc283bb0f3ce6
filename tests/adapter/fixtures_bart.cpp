#include <graft/models/bart.hpp>

#include "fixture_cases.hpp"

static bool const registered = adapter_fixtures::add_runners<graft::Bart>();
