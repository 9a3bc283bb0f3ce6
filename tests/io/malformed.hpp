// What every malformed file must meet: the library's exception, naming the file, at a bounded cost in memory, however
// the file is reached.
#pragma once

#include <gtest/gtest.h>

#include <graft/core/error.hpp>
#include <graft/io/mapped_file.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "temporary_folder.hpp"

namespace graft_test {

// Bytes from operator new that are in use now, and the most since the last reset (allocation_counter.cpp).
std::size_t allocated_bytes();
std::size_t most_allocated_bytes();
void reset_most_allocated_bytes();

enum class Outcome { accepted, refused, wrong };

// Runs `use(path, access)`; anything but acceptance or a FileError that names the file, within 2 × file + 64 MB, is a
// failure.
template <class Use>
Outcome outcome(std::filesystem::path const& path, graft::FileAccess access, std::string const& what, Use const& use) {
  auto const size =
      std::filesystem::is_regular_file(path) ? static_cast<std::size_t>(std::filesystem::file_size(path)) : 0;
  std::size_t const before = allocated_bytes();
  reset_most_allocated_bytes();
  Outcome result = Outcome::accepted;
  try {
    use(path, access);
  } catch (graft::FileError const& error) {
    std::string const message = error.what();
    result = message.find(path.string()) != std::string::npos ? Outcome::refused : Outcome::wrong;
    EXPECT_NE(result, Outcome::wrong) << what << ": the message does not name the file: " << message;
    EXPECT_LT(message.size(), 2000u) << what;
  } catch (std::exception const& error) {
    ADD_FAILURE() << what << ": got " << typeid(error).name() << ": " << error.what();
    result = Outcome::wrong;
  }
  EXPECT_LE(most_allocated_bytes() - before, 2 * size + (std::size_t{64} << 20)) << what;
  return result;
}

template <class Use>
void expect_refused(TemporaryFolder const& folder, std::string const& what, std::string const& bytes, Use const& use) {
  auto const path = folder.put("malformed.file", bytes);
  for (auto const access : {graft::FileAccess::map, graft::FileAccess::read}) {
    EXPECT_EQ(outcome(path, access, what, use), Outcome::refused) << what;
  }
}

// Cuts a valid file at every byte: each part must be refused.
template <class Use>
void expect_every_cut_refused(std::string const& bytes, Use const& use) {
  TemporaryFolder const folder;
  auto const path = folder.put("cut.file", bytes);
  ASSERT_EQ(outcome(path, graft::FileAccess::map, "the whole file", use), Outcome::accepted);
  for (std::size_t length = bytes.size(); length-- > 0;) {
    std::filesystem::resize_file(path, length);
    for (auto const access : {graft::FileAccess::map, graft::FileAccess::read}) {
      EXPECT_EQ(outcome(path, access, "cut at byte " + std::to_string(length), use), Outcome::refused) << length;
    }
  }
}

// Changes every byte in several ways and returns how many changes were refused. A changed weight is still a valid file,
// so acceptance is allowed; a crash or another exception is not.
template <class Use>
std::size_t refused_of_changed_bytes(std::string const& bytes, Use const& use) {
  TemporaryFolder const folder;
  auto const path = folder.put("changed.file", bytes);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  auto const set = [&file](std::size_t at, unsigned value) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(static_cast<unsigned char>(value)));
    file.flush();
  };
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned const old = static_cast<unsigned char>(bytes[i]);
    for (unsigned const changed : {0u, 255u, old ^ 1u, old ^ 128u, old + 1u, old - 1u}) {
      set(i, changed);
      refused +=
          outcome(path, graft::FileAccess::map, "byte " + std::to_string(i) + " changed", use) == Outcome::refused;
    }
    set(i, old);
  }
  return refused;
}

}  // namespace graft_test
