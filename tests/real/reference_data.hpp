// Where the reference data of the tests on real models lies. A variable that is set and leads nowhere is a failure; an
// absent default skips.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace real {

/// The folder or file that `variable` names, or `fallback` below the repository's neighbour ../shared.
inline std::filesystem::path reference(char const* variable, std::string const& fallback) {
  char const* const set = std::getenv(variable);
  return set != nullptr ? std::filesystem::path(set)
                        : std::filesystem::path(GRAFT_SOURCE_DIR) / ".." / "shared" / fallback;
}

}  // namespace real

// Skips the test, and says why, unless `path` is there.
#define GRAFT_NEEDS(path, variable)                                                                   \
  do {                                                                                                \
    if (!std::filesystem::exists(path)) {                                                             \
      ASSERT_EQ(std::getenv(variable), nullptr) << variable << " is set, but there is no " << (path); \
      GTEST_SKIP() << "no " << (path).string() << "; set " << (variable);                             \
    }                                                                                                 \
  } while (false)
