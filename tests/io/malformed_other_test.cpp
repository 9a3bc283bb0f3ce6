#include <gtest/gtest.h>

#include <graft/io/json.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/open_checkpoint.hpp>

#include <string>
#include <vector>

#include "file_builders.hpp"
#include "malformed.hpp"

namespace {

using namespace graft_test;

auto const use_npy = [](std::filesystem::path const& path, graft::FileAccess access) {
  auto const array = graft::read_npy(path, access);
  std::vector<double> values(array.bytes / graft::dtype_size(array.dtype));
  graft::convert_values(array.dtype, array.data, values.size(), values.data());
};

std::string npy_bytes(std::string const& header, std::size_t data_bytes) {
  return std::string("\x93NUMPY\x01\0", 8) + bytes_of(static_cast<std::uint16_t>(header.size())) + header +
         std::string(data_bytes, 'd');
}

TEST(MalformedNpy, EveryHeaderIsRefused) {
  TemporaryFolder const folder;
  std::string const descr = "'descr': '<f4', ";
  std::string const order = "'fortran_order': False, ";
  std::string const shape = "'shape': (2,), ";
  ASSERT_EQ(outcome(folder.put("good", npy_bytes("{" + descr + order + shape + "}\n", 8)), graft::FileAccess::map,
                    "good", use_npy),
            Outcome::accepted);
  std::vector<std::string> const headers = {
      "",
      "{",
      "}",
      "{}",
      "[]",
      "{" + descr + order + "}",
      "{" + order + shape + "}",
      "{" + descr + shape + "}",
      "{" + descr + descr + order + shape + "}",
      "{" + descr + order + shape + shape + "}",
      "{" + descr + order + shape + "'x': 1}",
      "{" + descr + order + shape + "} x",
      "{" + descr + order + shape,
      "{" + descr + order + shape + "}}",
      "{'descr': '>f4', " + order + shape + "}",
      "{'descr': '|O', " + order + shape + "}",
      "{'descr': '<f2', " + order + shape + "}",
      "{'descr': [('a', '<f4')], " + order + shape + "}",
      "{'descr': '<f4, " + order + shape + "}",
      "{" + descr + "'fortran_order': True, " + shape + "}",
      "{" + descr + "'fortran_order': 0, " + shape + "}",
      "{" + descr + order + "'shape': (2), }",
      "{" + descr + order + "'shape': 2, }",
      "{" + descr + order + "'shape': [2], }",
      "{" + descr + order + "'shape': (-2,), }",
      "{" + descr + order + "'shape': (3,), }",
      "{" + descr + order + "'shape': (1,), }",
      "{" + descr + order + "'shape': (), }",
      "{" + descr + order + "'shape': (2,,), }",
      "{" + descr + order + "'shape': (2, 'x'), }",
      "{" + descr + order + "'shape': (2.0,), }",
      "{" + descr + order + "'shape': (2",
      "{" + descr + order + "'shape': (4294967296, 4294967296), }",
      "{" + descr + order + "'shape': (4611686018427387906,), }",
      "{" + descr + order + "'shape': (99999999999999999999,), }",
      "{" + descr + order + "'shape': (4294967296, 4294967296, 0), }",
      "{" + descr + order + "'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2), }",
      "{descr: '<f4', " + order + shape + "}",
      "{" + descr + " " + descr + "}",
      std::string(60000, '{')};
  for (auto const& header : headers) expect_refused(folder, header.substr(0, 100), npy_bytes(header, 8), use_npy);
  expect_refused(folder, "fewer bytes", npy_bytes("{" + descr + order + shape + "}", 7), use_npy);
  expect_refused(folder, "more bytes", npy_bytes("{" + descr + order + shape + "}", 9), use_npy);
  std::string wrong = npy_bytes("{" + descr + order + shape + "}", 8);
  wrong[6] = 4;
  expect_refused(folder, "version 4", wrong, use_npy);
  wrong[6] = 1;
  wrong[7] = 1;
  expect_refused(folder, "version 1.1", wrong, use_npy);
}

TEST(MalformedNpy, CutAndChanged) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 32), }";
  header.append(117 - header.size(), ' ');
  std::string const file = npy_bytes(header + "\n", 768);
  expect_every_cut_refused(file, use_npy);
  EXPECT_GT(refused_of_changed_bytes(file, use_npy), 100u);
}

auto const use_json = [](std::filesystem::path const& path, graft::FileAccess) {
  static_cast<void>(graft::read_json(path));
};

TEST(MalformedJson, Bombs) {
  TemporaryFolder const folder;
  expect_refused(folder, "arrays", std::string(10'000'000, '['), use_json);
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  expect_refused(folder, "objects", objects, use_json);
  expect_refused(folder, "string", "\"" + std::string(30'000'000, 'a'), use_json);
  expect_refused(folder, "empty", "", use_json);
  expect_every_cut_refused(
      R"({"model_type": "llama", "layers": [1, 2.5, -3e4], "nested": {"a": null, "b": [true, false, "\u00e9\n"]}})",
      use_json);
}

TEST(MalformedIndex, IsRefused) {
  TemporaryFolder const folder;
  folder.put("s.safetensors", safetensors_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "dddd"));
  auto const use_folder = [](std::filesystem::path const& path, graft::FileAccess access) {
    static_cast<void>(graft::open_checkpoint(path, access));
  };
  auto const outcome_of = [&](std::string const& index) {
    folder.put("model.safetensors.index.json", index);
    return outcome(folder.path(), graft::FileAccess::map, index.substr(0, 200), use_folder);
  };
  EXPECT_EQ(outcome_of(R"({"weight_map":{"a":"s.safetensors"}})"), Outcome::accepted);
  for (char const* const index : {"",
                                  "{}",
                                  "[]",
                                  "null",
                                  R"({"weight_map":{}})",
                                  R"({"weight_map":[]})",
                                  R"({"weight_map":null})",
                                  R"({"weight_map":"s.safetensors"})",
                                  R"({"weight_map":{"a":1}})",
                                  R"({"weight_map":{"a":null}})",
                                  R"({"weight_map":{"a":["s.safetensors"]}})",
                                  R"({"weight_map":{"b":"s.safetensors"}})",
                                  R"({"weight_map":{"a":"s.safetensors","b":"s.safetensors"}})",
                                  R"({"weight_map":{"a":"s.safetensors","a":"s.safetensors"}})",
                                  R"({"weight_map":{"a":"S.safetensors"}})",
                                  R"({"weight_map":{"a":"./s.safetensors"}})",
                                  R"({"weight_map":{"a":"/etc/passwd"}})",
                                  R"({"weight_map":{"a":"../../etc/passwd"}})",
                                  R"({"weight_map":{"a":"model.safetensors.index.json"}})",
                                  R"({"weight_map":{"a":""}})"}) {
    EXPECT_EQ(outcome_of(index), Outcome::refused) << index;
  }
  std::string many = R"({"weight_map":{)";
  for (int i = 0; i < 400'000; ++i) many += "\"" + std::to_string(i) + "\":1,";
  EXPECT_EQ(outcome_of(many + "\"a\":1}}"), Outcome::refused);
}

}  // namespace
