// The public data sets that some tests read: GRAFT_DATA, or ../shared/data beside the repository.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

inline std::filesystem::path shared_data() {
  char const* const set = std::getenv("GRAFT_DATA");
  return set != nullptr ? std::filesystem::path(set)
                        : std::filesystem::path(GRAFT_SOURCE_DIR) / ".." / "shared" / "data";
}

// Skips the test, and says why, where the default folder is absent; a GRAFT_DATA that leads nowhere fails.
#define GRAFT_NEEDS_DATA(folder)                                                                 \
  do {                                                                                           \
    if (!std::filesystem::is_directory(shared_data() / (folder))) {                              \
      ASSERT_EQ(std::getenv("GRAFT_DATA"), nullptr)                                              \
          << "GRAFT_DATA is set, but " << (shared_data() / (folder)) << " is no folder";         \
      GTEST_SKIP() << "no folder " << (shared_data() / (folder)).string() << "; set GRAFT_DATA"; \
    }                                                                                            \
  } while (false)
