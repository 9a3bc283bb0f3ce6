#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <graft/io/gguf_checkpoint.hpp>
#include <graft/io/open_checkpoint.hpp>

#include "../io/file_builders.hpp"
#include "../io/temporary_folder.hpp"

namespace {

using namespace graft_test;
using graft::FileError;
using graft::GgufCheckpoint;

/// The tiny LLaMA in two files: its first three tensors with the metadata, and the others.
struct Split {
  GgufSpec whole = tiny_llama(), first = whole, second;
  Split() {
    second.tensors.assign(whole.tensors.begin() + 3, whole.tensors.end());
    first.tensors.resize(3);
    for (auto* part : {&first, &second}) {
      part->set(gguf_u32("split.count", 2));
      part->set(gguf_u32("split.no", part == &second ? 1 : 0));
      part->set(gguf_u32("split.tensors.count", static_cast<std::uint32_t>(whole.tensors.size())));
    }
  }
};

TEST(GgufSplit, PartsAreOneModel) {
  TemporaryFolder const folder;
  Split const split;
  GgufCheckpoint const whole(folder.put("whole.gguf", split.whole.bytes()));
  auto const path = folder.put("a-00001-of-00002.gguf", split.first.bytes());
  static_cast<void>(folder.put("a-00002-of-00002.gguf", split.second.bytes()));
  GgufCheckpoint const parts(path);
  ASSERT_EQ(parts.names(), whole.names());
  EXPECT_EQ(parts.config(), whole.config());
  for (auto const& name : whole.names()) {
    auto const entry = whole.entry(name);
    ASSERT_EQ(parts.entry(name).shape, entry.shape);
    std::vector<float> expected(entry.bytes / sizeof(float)), got(expected.size());
    whole.read(name, expected.data());
    parts.read(name, got.data());
    EXPECT_EQ(got, expected) << name;
  }
}

TEST(GgufSplit, AFolderOfPartsIsRefusedWithTheFirst) {
  TemporaryFolder const folder;
  Split const split;
  static_cast<void>(folder.put("a-00002-of-00002.gguf", split.second.bytes()));
  static_cast<void>(folder.put("a-00001-of-00002.gguf", split.first.bytes()));
  auto const message = [](auto const& open) {
    try {
      open();
    } catch (FileError const& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  std::string const hint =
      "; hint: a GGUF model is given by its file, here a-00001-of-00002.gguf, the first of its parts";
  EXPECT_TRUE(message([&] { static_cast<void>(graft::open_checkpoint(folder.path())); }).ends_with(hint));

  TemporaryFolder const single, none;
  static_cast<void>(single.put("whole.gguf", split.whole.bytes()));
  EXPECT_TRUE(message([&] { static_cast<void>(graft::open_checkpoint(single.path())); }).ends_with("here whole.gguf"));
  EXPECT_TRUE(message([&] {
                static_cast<void>(graft::open_checkpoint(none.path()));
              }).ends_with("model.safetensors.index.json"));
}

TEST(GgufSplit, RefusesMissingAndForeignParts) {
  TemporaryFolder const folder;
  Split split;
  auto const open = [&](char const* name, GgufSpec const& first) {
    return GgufCheckpoint(folder.put(name, first.bytes())).names();
  };
  EXPECT_THROW(static_cast<void>(open("a-00001-of-00002.gguf", split.first)), FileError);   // no second
  EXPECT_THROW(static_cast<void>(open("a.gguf", split.first)), FileError);                  // a name without a number
  EXPECT_THROW(static_cast<void>(open("a-00002-of-00002.gguf", split.second)), FileError);  // not the first
  EXPECT_EQ(open("a-00001-of-00002.gguf", split.first).size(), split.whole.tensors.size());
  auto const with_second = [&](GgufSpec const& second) {
    static_cast<void>(folder.put("a-00002-of-00002.gguf", second.bytes()));
    return open("a-00001-of-00002.gguf", split.first);
  };
  auto wrong = split.second;
  wrong.set(gguf_u32("split.count", 3));
  EXPECT_THROW(static_cast<void>(with_second(wrong)), FileError);
  wrong = split.second;
  wrong.set(gguf_u32("split.no", 0));
  EXPECT_THROW(static_cast<void>(with_second(wrong)), FileError);
  wrong = split.second;
  wrong.set(gguf_u32("split.tensors.count", 5));
  EXPECT_THROW(static_cast<void>(with_second(wrong)), FileError);
  wrong = split.second;
  wrong.tensors.push_back(split.whole.tensors[0]);  // twice
  EXPECT_THROW(static_cast<void>(with_second(wrong)), FileError);
  wrong = split.second;
  wrong.tensors.pop_back();
  EXPECT_THROW(static_cast<void>(with_second(wrong)), FileError);
}

TEST(GgufSplit, PartsAreNamedByTheFirst) {
  using graft::gguf_parts;
  EXPECT_EQ(
      gguf_parts("d/a-00001-of-00003.gguf"),
      (std::vector<std::string>{"d/a-00001-of-00003.gguf", "d/a-00002-of-00003.gguf", "d/a-00003-of-00003.gguf"}));
  for (std::string const name :
       {"a.gguf", "a-00002-of-00003.gguf", "a-00001-of-3.gguf", "a-00001-of-00001.gguf", "a-00001-of-00003.bin"})
    EXPECT_EQ(gguf_parts(name), std::vector<std::string>{name});
}

}  // namespace
