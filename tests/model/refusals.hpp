// What a refusal says.
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <string>

namespace graft::testing {

/// The message of the error that `f` must throw.
template <class Error>
std::string message_of(std::function<void()> const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  } catch (std::exception const& error) {
    ADD_FAILURE() << "another kind of error: " << error.what();
    return {};
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace graft::testing
