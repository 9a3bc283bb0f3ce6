#include <gtest/gtest.h>

#include <graft/io/atomic_file.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/mapped_file.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>

#include "temporary_folder.hpp"

namespace {

using graft::AtomicFile;
using graft::AtomicFolder;
using graft::FileAccess;
using graft::FileError;
using graft::MappedFile;
using graft_test::contents_of;
using graft_test::TemporaryFolder;
namespace fs = std::filesystem;

std::set<std::string> names_in(fs::path const& folder) {
  std::set<std::string> names;
  for (auto const& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

// Runs a piece of work in a process of its own with a limit on the size of files ("disk full") and returns its exit status.
template <class Work>
int with_file_size_limit(rlim_t bytes, Work work) {
  pid_t const child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit const limit = {bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int status = 3;
    try {
      work();
      status = 0;
    } catch (FileError const&) {
      status = 1;
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(MappedFile, ReadsTheSameEitherWay) {
  TemporaryFolder const folder;
  std::string const text(100000, 'x');
  auto const path = folder.put("a", text);
  for (auto const access : {FileAccess::map, FileAccess::read}) {
    auto const file = MappedFile::open(path, access);
    EXPECT_EQ(file->text(), text);
    file->discard(file->data(), file->size());
    EXPECT_EQ(file->text(), text);
  }
  EXPECT_EQ(MappedFile::open(folder.put("empty", ""))->size(), 0u);
}

TEST(MappedFile, OutlivesTheName) {
  TemporaryFolder const folder;
  auto const file = MappedFile::open(folder.put("a", "kept"));
  fs::remove(folder / "a");
  EXPECT_EQ(file->text(), "kept");
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  TemporaryFolder const folder;
  EXPECT_THROW(static_cast<void>(MappedFile::open(folder / "missing")), FileError);
  EXPECT_THROW(static_cast<void>(MappedFile::open(folder.path())), FileError);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(static_cast<void>(MappedFile::open(folder / "pipe")), FileError);  // and does not wait for a writer
}

TEST(AtomicFile, ReplacesOnlyOnCommit) {
  TemporaryFolder const folder;
  auto const path = folder.put("a", "old");
  {
    AtomicFile file(path);
    file.write("half of the n");
    EXPECT_EQ(contents_of(path), "old");
  }
  EXPECT_EQ(contents_of(path), "old");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"a"});
  graft::write_file_atomic(path, "new");
  EXPECT_EQ(contents_of(path), "new");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"a"});
}

TEST(AtomicFile, KeepsModeAndFollowsLinks) {
  TemporaryFolder const folder;
  auto const path = folder.put("a", "old");
  ::chmod(path.c_str(), 0640);
  fs::create_symlink("a", folder / "link");
  graft::write_file_atomic(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(contents_of(path), "new");
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AtomicFile, FullDiskLeavesTheOldFile) {
  TemporaryFolder const folder;
  auto const path = folder.put("a", "old");
  std::string const large(1 << 20, 'n');
  EXPECT_EQ(with_file_size_limit(1000, [&] { graft::write_file_atomic(path, large); }), 1);
  EXPECT_EQ(contents_of(path), "old");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"a"});
}

TEST(AtomicFile, SaysWhereItCannotWrite) {
  TemporaryFolder const folder;
  try {
    graft::write_file_atomic(folder / "no/such/folder/file", "x");
    FAIL();
  } catch (FileError const& error) {
    EXPECT_NE(std::string(error.what()).find("no/such/folder/file"), std::string::npos) << error.what();
  }
}

TEST(AtomicFolder, AppearsAsAWhole) {
  TemporaryFolder const folder;
  auto const target = folder / "x/adapter";
  {
    AtomicFolder staged(target);
    graft::write_file_atomic(staged.staging() / "config.json", "{}");
    EXPECT_FALSE(fs::exists(target));
  }
  EXPECT_TRUE(names_in(folder / "x").empty());
  AtomicFolder staged(target);
  graft::write_file_atomic(staged.staging() / "config.json", "{}");
  staged.commit();
  EXPECT_EQ(contents_of(target / "config.json"), "{}");
  EXPECT_EQ(names_in(folder / "x"), std::set<std::string>{"adapter"});
}

TEST(AtomicFolder, ReplacesItsFilesAndKeepsTheOthers) {
  TemporaryFolder const folder;
  fs::create_directories(folder / "a/sub");
  folder.put("a/README.md", "mine");
  folder.put("a/sub/data", "deep");
  folder.put("a/config.json", "old");
  AtomicFolder staged(folder / "a");
  graft::write_file_atomic(staged.staging() / "config.json", "new");
  graft::write_file_atomic(staged.staging() / "weights", "w");
  EXPECT_EQ(contents_of(folder / "a/config.json"), "old");
  staged.commit();
  EXPECT_EQ(names_in(folder / "a"), (std::set<std::string>{"README.md", "config.json", "sub", "weights"}));
  EXPECT_EQ(contents_of(folder / "a/config.json"), "new");
  EXPECT_EQ(contents_of(folder / "a/README.md"), "mine");
  EXPECT_EQ(contents_of(folder / "a/sub/data"), "deep");
}

TEST(AtomicFolder, TheCurrentFolderStaysTheCurrentFolder) {
  TemporaryFolder const folder;
  fs::create_directories(folder / "a");
  folder.put("a/config.json", "old");
  auto const before = fs::current_path();
  fs::current_path(folder / "a");
  {
    AtomicFolder staged(".");
    graft::write_file_atomic(staged.staging() / "config.json", "new");
    staged.commit();
  }
  EXPECT_EQ(contents_of("config.json"), "new");
  EXPECT_EQ(names_in("."), std::set<std::string>{"config.json"});
  fs::current_path(before);
}

TEST(AtomicFolder, FullDiskLeavesTheOldFolder) {
  TemporaryFolder const folder;
  fs::create_directories(folder / "a");
  folder.put("a/config.json", "old");
  int const status = with_file_size_limit(1000, [&] {
    AtomicFolder staged(folder / "a");
    graft::write_file_atomic(staged.staging() / "config.json", "new");
    graft::write_file_atomic(staged.staging() / "weights", std::string(1 << 20, 'w'));
    staged.commit();
  });
  EXPECT_EQ(status, 1);
  EXPECT_EQ(contents_of(folder / "a/config.json"), "old");
  EXPECT_EQ(names_in(folder / "a"), std::set<std::string>{"config.json"});
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"a"});
}

TEST(AtomicFolder, RefusesAFileAsTarget) {
  TemporaryFolder const folder;
  auto const path = folder.put("a", "file");
  EXPECT_THROW(AtomicFolder{path}, FileError);
  EXPECT_EQ(contents_of(path), "file");
}

// A writer that is killed at any time leaves one of the two consistent states.
TEST(AtomicFolder, KilledWritersLeaveOneOfTheTwoStates) {
  TemporaryFolder const folder;
  auto const target = folder / "a";
  auto const write = [&](std::string const& mark) {
    AtomicFolder staged(target);
    for (char const* const name : {"1", "2", "3"}) graft::write_file_atomic(staged.staging() / name, mark);
    staged.commit();
  };
  write("start");
  for (int round = 0; round < 60; ++round) {
    pid_t const child = ::fork();
    if (child == 0) {
      for (int i = 0;; ++i) write(std::to_string(i));
    }
    ::usleep(static_cast<useconds_t>(300 + 97 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    std::string const first = contents_of(target / "1");
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(contents_of(target / "2"), first);
    EXPECT_EQ(contents_of(target / "3"), first);
  }
}

}  // namespace
