#include <gtest/gtest.h>

#include <graft/io/safetensors.hpp>
#include <graft/io/safetensors_writer.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "file_builders.hpp"
#include "temporary_folder.hpp"

namespace {

using graft::Dtype;
using graft::FileAccess;
using graft::SafetensorsFile;
using graft::TensorEntry;
using graft_test::from_hex;
using graft_test::safetensors_bytes;
using graft_test::TemporaryFolder;

// safetensors.torch.save (0.8.0) of eight dtypes, an empty tensor, a scalar, and a name that needs escaping.
char const* const written_by_hugging_face =
    "e0010000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c2269223a7b226474797065223a22493634"
    "222c227368617065223a"
    "5b31"
    "5d2c22646174615f6f666673657473223a5b302c385d7d2c2264223a7b226474797065223a22463634222c227368617065223a5b315d2c2264"
    "6174615f6f6666736574"
    "7322"
    "3a5b382c31365d7d2c2262223a7b226474797065223a22463332222c227368617065223a5b322c325d2c22646174615f6f666673657473223a"
    "5b31362c33325d7d2c22"
    "7a22"
    "3a7b226474797065223a22463332222c227368617065223a5b302c335d2c22646174615f6f666673657473223a5b33322c33325d7d2c226122"
    "3a7b226474797065223a"
    "2242"
    "463136222c227368617065223a5b325d2c22646174615f6f666673657473223a5b33322c33365d7d2c2268223a7b226474797065223a224631"
    "36222c22736861706522"
    "3a5b"
    "5d2c22646174615f6f666673657473223a5b33362c33385d7d2c2275223a7b226474797065223a225538222c227368617065223a5b315d2c22"
    "646174615f6f66667365"
    "7473"
    "223a5b33382c33395d7d2c22c3a95c225c6e223a7b226474797065223a22424f4f4c222c227368617065223a5b335d2c22646174615f6f6666"
    "73657473223a5b33392c"
    "3432"
    "5d7d7d202007000000000000009a9999999999b93f0000803f000000400000404000008040c03f00c0003809010001";

std::vector<double> values_of(TensorEntry const& entry) {
  std::vector<double> values(entry.bytes / graft::dtype_size(entry.dtype));
  graft::convert_values(entry.dtype, entry.data, values.size(), values.data());
  return values;
}

TEST(Safetensors, ReadsWhatHuggingFaceWrote) {
  TemporaryFolder const folder;
  auto const path = folder.put("a.safetensors", from_hex(written_by_hugging_face));
  for (auto const access : {FileAccess::map, FileAccess::read}) {
    SafetensorsFile const file(path, access);
    EXPECT_EQ(file.entries().size(), 8u);
    EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
    EXPECT_EQ(values_of(file.at("b")), (std::vector<double>{1, 2, 3, 4}));
    EXPECT_EQ(file.at("b").shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ(values_of(file.at("a")), (std::vector<double>{1.5, -2}));
    EXPECT_EQ(file.at("a").dtype, Dtype::bf16);
    EXPECT_EQ(values_of(file.at("h")), std::vector<double>{0.5});
    EXPECT_TRUE(file.at("h").shape.empty());
    EXPECT_EQ(values_of(file.at("d")), std::vector<double>{0.1});
    EXPECT_EQ(values_of(file.at("i")), std::vector<double>{7});
    EXPECT_EQ(values_of(file.at("u")), std::vector<double>{9});
    EXPECT_EQ(values_of(file.at("\xc3\xa9\"\n")), (std::vector<double>{1, 0, 1}));
    EXPECT_EQ(file.at("z").shape, (std::vector<std::int64_t>{0, 3}));
    EXPECT_EQ(file.find("q"), nullptr);
    EXPECT_THROW(static_cast<void>(file.at("q")), graft::FileError);
    for (auto const& entry : file.entries()) EXPECT_TRUE(entry.aligned()) << entry.name;
  }
}

TEST(Safetensors, WritesTheSameBytesAsHuggingFace) {
  TemporaryFolder const folder;
  SafetensorsFile const file(folder.put("a.safetensors", from_hex(written_by_hugging_face)));
  std::vector<TensorEntry> reversed(file.entries().rbegin(), file.entries().rend());
  graft::save_safetensors(folder / "b.safetensors", reversed, file.metadata());
  EXPECT_EQ(graft_test::contents_of(folder / "b.safetensors"), from_hex(written_by_hugging_face));
}

TEST(Safetensors, TensorsOutliveTheFile) {
  TemporaryFolder const folder;
  TensorEntry entry;
  {
    SafetensorsFile const file(folder.put("a.safetensors", from_hex(written_by_hugging_face)));
    entry = file.at("b");
  }
  EXPECT_EQ(values_of(entry), (std::vector<double>{1, 2, 3, 4}));
}

TEST(Safetensors, ReadsUnalignedAndUnorderedFiles) {
  TemporaryFolder const folder;
  std::string const header =
      R"({"b":{"shape":[1],"data_offsets":[1,5],"dtype":"F32"},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})";
  SafetensorsFile const file(
      folder.put("a.safetensors", safetensors_bytes(header, "\xff" + graft_test::bytes_of(2.5f))));
  EXPECT_EQ(values_of(file.at("a")), std::vector<double>{-1});
  EXPECT_EQ(values_of(file.at("b")), std::vector<double>{2.5});
}

TEST(Safetensors, AcceptsNoTensorsAndZeroSizes) {
  TemporaryFolder const folder;
  EXPECT_TRUE(SafetensorsFile(folder.put("a", safetensors_bytes("{}", ""))).entries().empty());
  SafetensorsFile const file(folder.put(
      "b",
      safetensors_bytes(
          R"({"x":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"y":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"z":{"dtype":"I64","shape":[5,0],"data_offsets":[0,0]}})",
          graft_test::bytes_of(1.0f))));
  EXPECT_EQ(file.at("x").bytes, 0u);
  EXPECT_EQ(file.at("z").shape, (std::vector<std::int64_t>{5, 0}));
}

TEST(Safetensors, RefusesToWriteNonsenseAndKeepsTheOldFile) {
  TemporaryFolder const folder;
  auto const path = folder.put("a.safetensors", "old");
  std::vector<float> const values = {1, 2};
  TensorEntry const good{"x", Dtype::f32, {2}, reinterpret_cast<std::byte const*>(values.data()), 8, nullptr};
  TensorEntry wrong = good;
  wrong.shape = {3};
  EXPECT_THROW(graft::save_safetensors(path, {wrong}), graft::ShapeError);
  EXPECT_THROW(graft::save_safetensors(path, {good, good}), graft::ShapeError);
  wrong = good;
  wrong.name = "__metadata__";
  EXPECT_THROW(graft::save_safetensors(path, {wrong}), graft::ShapeError);
  wrong.name = "\xff";
  EXPECT_THROW(graft::save_safetensors(path, {wrong}), graft::FileError);
  EXPECT_EQ(graft_test::contents_of(path), "old");
}

}  // namespace
