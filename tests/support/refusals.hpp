// What a refusal says.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace graft::testing {

/// The message of the `Error` that `f` must throw.
template <class Error, class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing of this kind was thrown";
  return {};
}

/// Whether a message has every one of the parts.
inline void expect_within(std::string const& text, std::vector<std::string> const& parts) {
  for (auto const& part : parts) EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' in: " << text;
}

}  // namespace graft::testing
