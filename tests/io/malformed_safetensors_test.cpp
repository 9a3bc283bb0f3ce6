#include <gtest/gtest.h>

#include <graft/io/safetensors_checkpoint.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "file_builders.hpp"
#include "malformed.hpp"

namespace {

using namespace graft_test;

auto const use = [](std::filesystem::path const& path, graft::FileAccess access) {
  graft::SafetensorsCheckpoint const checkpoint(path, access);
  for (auto const& name : checkpoint.names()) {
    auto const entry = checkpoint.entry(name);
    std::vector<float> values(entry.bytes / graft::dtype_size(entry.dtype));
    checkpoint.read(name, values.data());
  }
};

struct Case {
  char const* header;
  std::size_t data_bytes;
};

// GOOD: a well-formed tensor of 8 bytes.
#define GOOD R"("t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})"

Case const malformed_headers[] = {
    // Not JSON, or not an object.
    {"", 0},
    {"{", 0},
    {"}", 0},
    {"[]", 0},
    {"null", 0},
    {"7", 0},
    {"\"t\"", 0},
    {" {}", 0},
    {"\n{}", 0},
    {"{}x", 0},
    {"{}{}", 0},
    {"{},{}", 0},
    {"{" GOOD ",}", 8},
    {"{" GOOD, 8},
    {"{" GOOD "}}", 8},
    {"{'t':1}", 0},
    {"{" GOOD "} // comment", 8},
    {"{t:{}}", 0},
    {"{\"t\"}", 0},
    {"{\"t\":}", 0},
    {"{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0},
    {"{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0},
    {"\xef\xbb\xbf{}", 0},
    // A tensor that is no object of the three keys.
    {R"({"t":null})", 0},
    {R"({"t":[]})", 0},
    {R"({"t":1})", 0},
    {R"({"t":-1})", 0},
    {R"({"t":1.5})", 0},
    {R"({"t":"x"})", 0},
    {R"({"t":true})", 0},
    {R"({"t":{}})", 0},
    {R"({"t":{"dtype":"F32","shape":[2]}})", 8},
    {R"({"t":{"dtype":"F32","data_offsets":[0,8]}})", 8},
    {R"({"t":{"shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":{}}})", 8},
    {R"({"t":{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}})", 8},
    // Duplicates.
    {"{" GOOD "," GOOD "}", 8},
    {R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0074":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
     0},
    {R"({"t":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]}})", 8},
    {R"({"__metadata__":{},"__metadata__":{}})", 0},
    {R"({"__metadata__":{"a":"1","a":"2"}})", 0},
    // Metadata that is no object of strings.
    {R"({"__metadata__":null})", 0},
    {R"({"__metadata__":"x"})", 0},
    {R"({"__metadata__":["x"]})", 0},
    {R"({"__metadata__":{"a":1}})", 0},
    {R"({"__metadata__":{"a":null}})", 0},
    {R"({"__metadata__":{"a":{}}})", 0},
    {R"({"__metadata__":{"a":["b"]}})", 0},
    // dtype.
    {R"({"t":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"","shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":4,"shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":null,"shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":["F32"],"shape":[2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8},
    // Shape.
    {R"({"t":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":null,"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":{"0":2},"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[null],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[0],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}})",
     8},
    // Shape × dtype beyond 64 bits, chosen so that a wrapping product would fit.
    {R"({"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0},
    {R"({"t":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0},
    {R"({"t":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"U8","shape":[18446744073709551624],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"U8","shape":[1e400],"data_offsets":[0,8]}})", 8},
    {R"({"t":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}})", 0},
    {R"({"t":{"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]}})", 8},
    // Offsets.
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":8}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,"8"]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0.0,8.0]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}})", 12},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,0]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551612,4]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775808]}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":{"0":8}}})", 8},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":null}})", 8},
    // Holes, overlaps, bytes before, after, and missing.
    {"{" GOOD "}", 7},
    {"{" GOOD "}", 9},
    {"{" GOOD "}", 0},
    {"{}", 1},
    {R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12},
    {"{" GOOD R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8},
    {"{" GOOD R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12},
    {"{" GOOD R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}})", 20},
    {"{" GOOD R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})", 12},
    {"{" GOOD R"(,"u":{"dtype":"U8","shape":[0],"data_offsets":[9,9]}})", 8},
    {"{" GOOD R"(,"u":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})", 8},
};

TEST(MalformedSafetensors, EveryHeaderIsRefused) {
  static_assert(std::size(malformed_headers) >= 100);
  TemporaryFolder const folder;
  expect_every_cut_refused(safetensors_bytes("{" GOOD "}", std::string(8, 'd')), use);  // and GOOD itself is fine
  for (auto const& one : malformed_headers)
    expect_refused(folder, one.header, safetensors_bytes(one.header, std::string(one.data_bytes, 'd')), use);
}

TEST(MalformedSafetensors, HeaderSizesThatLie) {
  TemporaryFolder const folder;
  std::string const header = "{" GOOD "}";
  for (std::uint64_t const size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{header.size() - 1}, std::uint64_t{header.size() + 1},
        std::uint64_t{header.size() + 8}, std::uint64_t{header.size() + 9}, std::uint64_t{100'000'000},
        std::uint64_t{100'000'001}, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0},
        ~std::uint64_t{0} - 7}) {
    expect_refused(folder, "header size " + std::to_string(size), bytes_of(size) + header + std::string(8, 'd'), use);
  }
  expect_refused(folder, "empty", "", use);
  expect_refused(folder, "zero byte in the header", safetensors_bytes(std::string("{}\0\0\0\0\0\0", 8), ""), use);
  expect_refused(folder, "zero byte and a second header", safetensors_bytes(std::string("{}\0{}", 5), ""), use);
}

TEST(MalformedSafetensors, BombsAreRefusedCheaply) {
  TemporaryFolder const folder;
  std::string const many(4'000'000, '[');
  expect_refused(folder, "deep arrays", safetensors_bytes("{\"t\":" + many, ""), use);
  std::string objects = "{";
  for (int i = 0; i < 1'000'000; ++i) objects += "\"t\":{";
  expect_refused(folder, "deep objects", safetensors_bytes(objects, ""), use);
  std::string ones;
  for (int i = 0; i < 5'000'000; ++i) ones += "1,";
  expect_refused(folder, "long shape",
                 safetensors_bytes("{\"t\":{\"dtype\":\"U8\",\"shape\":[" + ones + "1],\"data_offsets\":[0,1]}}", "d"),
                 use);
  expect_refused(folder, "long name", safetensors_bytes("{\"" + std::string(20'000'000, 'n') + "\":{}}", ""), use);
  expect_refused(folder, "long number", safetensors_bytes("{\"t\":" + std::string(20'000'000, '1') + "}", ""), use);
  std::string tensors;
  for (int i = 0; i < 400'000; ++i)
    tensors += "\"" + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},";
  expect_refused(folder, "many tensors", safetensors_bytes("{" + tensors + "\"t\":1}", "d"), use);
  std::string metadata;
  for (int i = 0; i < 400'000; ++i) metadata += "\"" + std::to_string(i) + "\":\"\",";
  expect_refused(folder, "much metadata", safetensors_bytes("{\"__metadata__\":{" + metadata + "\"t\":\"\"}}", ""),
                 use);
  expect_refused(folder, "many empty objects", safetensors_bytes("{\"t\":{}" + std::string(10'000'000, '{') + "}", ""),
                 use);
}

std::string one_kilobyte() {
  std::string header =
      R"({"__metadata__":{"format":"pt"},"embedding":{"dtype":"F32","shape":[16,8],"data_offsets":[0,512]},)"
      R"("norm":{"dtype":"BF16","shape":[8],"data_offsets":[512,528]},"scalar":{"dtype":"F64","shape":[],"data_offsets":[528,536]},)"
      R"("empty":{"dtype":"I64","shape":[0,4],"data_offsets":[536,536]},"ids":{"dtype":"I32","shape":[5],"data_offsets":[536,556]},)"
      R"("mask":{"dtype":"BOOL","shape":[4],"data_offsets":[556,560]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  return safetensors_bytes(header, std::string(560, '\1'));
}

TEST(MalformedSafetensors, CutAtEveryByte) { expect_every_cut_refused(one_kilobyte(), use); }

TEST(MalformedSafetensors, EveryByteChanged) {
  std::string const file = one_kilobyte();
  EXPECT_GT(refused_of_changed_bytes(file, use), 500u);
}

}  // namespace
