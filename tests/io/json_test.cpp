#include <gtest/gtest.h>

#include <graft/io/json.hpp>

#include <string>
#include <vector>

#include "temporary_folder.hpp"

namespace {

using graft::FileError;
using graft::json_at;
using graft::json_or;
using graft::JsonLimits;
using graft::parse_json;

std::string message(std::string const& text, JsonLimits const& limits = {}) {
  try {
    static_cast<void>(parse_json(text, "folder/config.json", limits));
  } catch (FileError const& error) {
    return error.what();
  }
  return "";
}

TEST(Json, ParsesAndReads) {
  graft_test::TemporaryFolder const folder;
  auto const json = graft::read_json(
      folder.put("c.json", R"({"n": 5, "x": 1e-5, "s": "t", "l": [1, 2], "b": true, "none": null, "o": {"k": -1}})"));
  EXPECT_EQ(json_at<int>("c", json, "n"), 5);
  EXPECT_EQ(json_at<double>("c", json, "x"), 1e-5);
  EXPECT_EQ(json_at<double>("c", json, "n"), 5.0);
  EXPECT_EQ(json_at<std::string>("c", json, "s"), "t");
  EXPECT_EQ(json_at<std::vector<std::int64_t>>("c", json, "l"), (std::vector<std::int64_t>{1, 2}));
  EXPECT_TRUE(json_at<bool>("c", json, "b"));
  EXPECT_EQ(json_or<int>("c", json, "none", 7), 7);
  EXPECT_EQ(json_or<int>("c", json, "absent", 8), 8);
  EXPECT_EQ(json_at<int>("c", json_at<nlohmann::json>("c", json, "o"), "k"), -1);
}

TEST(Json, WrongTypesNameFileAndKey) {
  auto const json =
      parse_json(R"({"s": "text", "big": 5000000000, "neg": -1, "x": 1.5, "n": null, "l": [1, "a"]})", "c.json");
  auto const refuses = [&](auto type, char const* key) {
    using T = decltype(type);
    try {
      static_cast<void>(json_at<T>("c.json", json, key));
    } catch (FileError const& error) {
      std::string const what = error.what();
      return what.find("c.json") != std::string::npos && what.find(key) != std::string::npos &&
             what.find("expected") != std::string::npos;
    }
    return false;
  };
  EXPECT_TRUE(refuses(int{}, "s"));
  EXPECT_TRUE(refuses(int{}, "big"));
  EXPECT_TRUE(refuses(unsigned{}, "neg"));
  EXPECT_TRUE(refuses(int{}, "x"));
  EXPECT_TRUE(refuses(int{}, "n"));
  EXPECT_TRUE(refuses(bool{}, "neg"));
  EXPECT_TRUE(refuses(std::string{}, "x"));
  EXPECT_TRUE(refuses(double{}, "s"));
  EXPECT_TRUE(refuses(std::vector<int>{}, "l"));
  EXPECT_TRUE(refuses(int{}, "missing"));
  EXPECT_THROW(static_cast<void>(json_at<int>("c", nlohmann::json(3), "k")), FileError);
  EXPECT_EQ(json_at<std::int64_t>("c", json, "big"), 5000000000);
}

TEST(Json, RefusesMalformedText) {
  for (char const* const text : {"", "{", "{\"a\":}", "[1,]", "nul", "{} {}", "{\"a\" 1}", "\"\\ud800\"", "\"\xff\"",
                                 "01", "[1e999]", "{\"a\":1,}", "'a'"}) {
    EXPECT_NE(message(text).find("folder/config.json"), std::string::npos) << text;
  }
  EXPECT_NE(message(std::string("{}\0{}", 5)), "");
}

TEST(Json, LimitsDepthValuesAndTokens) {
  EXPECT_EQ(message(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_NE(message(std::string(65, '[') + std::string(65, ']')).find("64"), std::string::npos);
  EXPECT_NE(message(std::string(10'000'000, '[')), "");
  EXPECT_EQ(message("\"" + std::string(100, '[') + "\\\"{{{\""), "");
  JsonLimits small;
  small.values = 10;
  EXPECT_EQ(message("[1,2,3,4,5,6,7]", small), "");
  EXPECT_NE(message("[1,2,3,4,5,6,7,8,9,10,11]", small), "");
  small.token = 20;
  EXPECT_NE(message("\"" + std::string(30, 'x') + "\"", small), "");
  EXPECT_NE(message(std::string(30, '1'), small), "");
  small.bytes = 5;
  EXPECT_NE(message("[1,2,3]", small), "");
}

TEST(Json, UniqueKeysOnRequest) {
  JsonLimits strict;
  strict.unique_keys = true;
  EXPECT_EQ(message(R"({"a": 1, "a": 2})"), "");
  EXPECT_NE(message(R"({"a": 1, "a": 2})", strict).find("twice"), std::string::npos);
  EXPECT_NE(message(R"({"x": [{"a": 1, "\u0061": 2}]})", strict), "");
  EXPECT_EQ(message(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]})", strict), "");
}

}  // namespace
