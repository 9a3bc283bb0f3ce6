// What the tests of malformed tokenizers share: a text that is refused in one line.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace malformed {

/// `make(text)` throws an E of one short line, which begins with "[file] " and has `says`.
/// @param name of the case
template <class E, class Make>
void expect_error(Make const& make, std::string const& file, std::string const& text, std::string const& says,
                  std::string const& name) {
  try {
    (void)make(text);
    FAIL() << name << ": accepted";
  } catch (E const& error) {
    std::string const what = error.what();
    EXPECT_EQ(what.rfind("[" + file + "] ", 0), 0u) << name << ": " << what;
    EXPECT_NE(what.find(says), std::string::npos) << name << ": " << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << name << ": " << what;
    EXPECT_LT(what.size(), 600u) << name;
  }
}

}  // namespace malformed
