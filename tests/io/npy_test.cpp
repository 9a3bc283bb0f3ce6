#include <gtest/gtest.h>

#include <graft/io/npy.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "file_builders.hpp"
#include "temporary_folder.hpp"

namespace {

using graft::Dtype;
using graft::TensorEntry;
using graft_test::TemporaryFolder;

// numpy.save of numpy.arange(6, dtype='<f4').reshape(2, 3)
std::string const header_of_numpy = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

template <class T>
TensorEntry entry_of(std::vector<T> const& values, std::vector<std::int64_t> shape) {
  return {"",
          graft::dtype_of<T>,
          std::move(shape),
          reinterpret_cast<std::byte const*>(values.data()),
          values.size() * sizeof(T),
          nullptr};
}

TEST(Npy, WritesWhatNumpyWrites) {
  TemporaryFolder const folder;
  std::vector<float> const values = {0, 1, 2, 3, 4, 5};
  graft::write_npy(folder / "a.npy", entry_of(values, {2, 3}));
  std::string expected = std::string("\x93NUMPY\x01\0\x76\0", 10) + header_of_numpy;
  expected.append(127 - expected.size(), ' ');
  expected += "\n" + graft_test::bytes_of_all(values);
  EXPECT_EQ(graft_test::contents_of(folder / "a.npy"), expected);
}

template <class T>
void round_trip(std::vector<T> const& values, std::vector<std::int64_t> const& shape) {
  TemporaryFolder const folder;
  graft::write_npy(folder / "a.npy", entry_of(values, shape));
  auto const read = graft::read_npy(folder / "a.npy");
  EXPECT_EQ(read.dtype, graft::dtype_of<T>);
  EXPECT_EQ(read.shape, shape);
  ASSERT_EQ(read.bytes, values.size() * sizeof(T));
  EXPECT_TRUE(values.empty() || std::memcmp(read.data, values.data(), read.bytes) == 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data) % 64, 0u);
}

TEST(Npy, RoundTrips) {
  round_trip<float>({1.5f, -2, 3}, {3});
  round_trip<double>({1e300, -0.0, 3, 4}, {2, 1, 2});
  round_trip<std::int32_t>({-1}, {});
  round_trip<std::int64_t>({}, {0, 7});
}

TEST(Npy, ReadsTheOtherVersionsAndSpellings) {
  TemporaryFolder const folder;
  for (char const version : {'\x02', '\x03'}) {
    std::string const text = "{\"shape\": (2,), 'fortran_order': False,\n 'descr': '<i8'}  \n";
    auto const path = folder.put("v.npy", std::string("\x93NUMPY") + version + '\0' +
                                              graft_test::bytes_of(static_cast<std::uint32_t>(text.size())) + text +
                                              graft_test::bytes_of_all<std::int64_t>({5, -6}));
    auto const read = graft::read_npy(path, graft::FileAccess::read);
    EXPECT_EQ(read.dtype, Dtype::i64);
    std::vector<double> values(2);
    graft::convert_values(read.dtype, read.data, 2, values.data());
    EXPECT_EQ(values, (std::vector<double>{5, -6}));
  }
}

TEST(Npy, RefusesToWriteWhatDoesNotFit) {
  TemporaryFolder const folder;
  std::vector<float> const values = {1, 2, 3};
  EXPECT_THROW(graft::write_npy(folder / "a.npy", entry_of(values, {4})), graft::ShapeError);
  EXPECT_THROW(graft::write_npy(folder / "a.npy", entry_of(values, {-3})), graft::ShapeError);
  EXPECT_THROW(graft::write_npy(folder / "a.npy", entry_of(std::vector<std::uint8_t>{1}, {1})), graft::FileError);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
}

}  // namespace
