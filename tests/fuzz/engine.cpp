// One target under clang's libFuzzer: fuzz_NAME [FOLDER OF INPUTS] [-max_total_time=3600 …]. Its seeds are written into
// the folder first.
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>

#include "target.hpp"

namespace {

fuzz::Target const& chosen() {
  static fuzz::Target const& target = fuzz::target(GRAFT_FUZZ_TARGET);
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  graft::set_warning_handler({});
  for (int i = 1; i < *argc; ++i)
    if (std::filesystem::is_directory((*argv)[i])) {
      int number = 0;
      for (auto const& seed : chosen().seeds())
        fuzz::put(std::filesystem::path((*argv)[i]) / ("seed-" + std::to_string(number++)), seed);
      break;
    }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  try {
    chosen().run({reinterpret_cast<char const*>(data), size});
  } catch (graft::Error const&) {  // anything else is a finding
  }
  return 0;
}
