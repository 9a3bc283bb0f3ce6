#include <gtest/gtest.h>

#include <graft/io/atomic_file.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/path_lock.hpp>

#include <fcntl.h>
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

// Runs a piece of work in a process of its own with a limit on the size of files ("disk full") and returns its exit
// status.
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

// The text of the error that a piece of work ends with.
template <class Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (FileError const& error) {
    return error.what();
  }
  return "accepted";
}

TEST(AtomicFile, WritesThroughStreams) {
  TemporaryFolder const folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", folder / "link");
  for (char const* const name : {"pipe", "link"}) {
    int const reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    graft::check_output_file(folder / name);
    graft::write_file_atomic(folder / name, "through");
    char got[16] = {};
    EXPECT_EQ(::read(reader, got, sizeof got), 7);
    EXPECT_STREQ(got, "through");
    ::close(reader);
    EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
  }
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"link", "pipe"}));
}

TEST(AtomicFile, APipeThatNobodyReadsIsAnError) {
  TemporaryFolder const folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  int const reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  AtomicFile file(folder / "pipe");
  ::close(reader);
  EXPECT_NE(refusal([&] { file.write("nobody"); }).find("Broken pipe"), std::string::npos);
}

TEST(AtomicFile, RefusesWhatIsNeitherFileNorStream) {
  TemporaryFolder const folder;
  fs::create_directory(folder / "folder");
  fs::create_symlink("loop", folder / "loop");
  for (auto const& [name, says] : {std::pair("folder", "is a folder"), {"loop", "is a loop of symbolic links"}}) {
    EXPECT_NE(refusal([&, name = name] { graft::write_file_atomic(folder / name, "x"); }).find(says), std::string::npos)
        << name;
    EXPECT_NE(refusal([&, name = name] { graft::check_output_file(folder / name); }).find(says), std::string::npos)
        << name;
  }
  EXPECT_NE(refusal([&] { AtomicFolder const file(folder / "loop"); }).find("is a loop of symbolic links"),
            std::string::npos);
  EXPECT_TRUE(fs::is_symlink(folder / "loop"));
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"folder", "loop"}));
}

TEST(AtomicFile, WritesWhatALinkWillPointTo) {
  TemporaryFolder const folder;
  fs::create_symlink("later", folder / "link");
  graft::write_file_atomic(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(contents_of(folder / "later"), "new");
}

TEST(AtomicFolder, MessagesNameTheTarget) {
  TemporaryFolder const folder;
  ::signal(SIGXFSZ, SIG_DFL);  // which a write must not raise
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit const limit = {1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::string const message = refusal([&] {
    AtomicFolder staged(folder / "a");
    graft::write_file_atomic(staged.staging() / "weights", std::string(1 << 20, 'w'));
  });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_NE(message.find("[" + (folder / "a/weights").string() + "] cannot be written; got: File too large"),
            std::string::npos)
      << message;
  EXPECT_EQ(message.find(".graft-tmp-"), std::string::npos) << message;
}

// A number that no process has.
pid_t dead_process() {
  pid_t const child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

TEST(Temporaries, OfKilledWritersAreRemovedAndOthersStay) {
  TemporaryFolder const folder;
  std::string const dead = graft::cat(".graft-tmp-", dead_process(), "-3"),
                    living = graft::cat(".graft-tmp-", ::getppid(), "-3");
  folder.put(dead, "half");
  fs::create_directories(folder / (dead + "1/inner"));
  folder.put(living, "half");
  folder.put(".graft-tmp-x", "mine");
  AtomicFile const writing(folder / "new");
  EXPECT_EQ(names_in(folder.path()).count(dead), 0u);
  graft::detail::remove_abandoned(folder.path());  // finds that this process's own is being written
  EXPECT_EQ(names_in(folder.path()).count(dead + "1"), 0u);
  EXPECT_EQ(names_in(folder.path()).count(living), 1u);
  EXPECT_EQ(names_in(folder.path()).count(".graft-tmp-x"), 1u);
  EXPECT_EQ(names_in(folder.path()).size(), 3u);
}

TEST(PathLock, HoldsAPathForOneWriter) {
  TemporaryFolder const folder;
  fs::create_symlink("run", folder / "link");
  {
    graft::PathLock const lock(folder / "run");
    for (char const* const same : {"run", "link", "run/", "./run"}) {
      std::string const message = refusal([&] { graft::PathLock const second(folder / same); });
      EXPECT_NE(message.find("is being written by another process"), std::string::npos) << message;
      EXPECT_NE(message.find(std::to_string(::getpid())), std::string::npos) << message;
    }
    graft::PathLock const other(folder / "other");
  }
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"link"});
  graft::PathLock const again(folder / "run");
}

TEST(AtomicFolder, MessagesNameTheTargetOfAFolderInAFolder) {
  TemporaryFolder const folder;
  AtomicFolder outer(folder / "a");
  std::string const message = refusal([&] {
    AtomicFolder inner(outer.staging() / "b");
    graft::write_file_atomic(inner.staging() / "missing/weights", "w");
  });
  EXPECT_NE(message.find("[" + (folder / "a/b/missing/weights").string() + "]"), std::string::npos) << message;
  EXPECT_EQ(message.find(".graft-tmp-"), std::string::npos) << message;
}

TEST(PathLock, FallsWithItsProcess) {
  TemporaryFolder const folder;
  pid_t const child = ::fork();
  if (child == 0) {
    graft::PathLock const lock(folder / "run");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{".graft-lock-run"});
  {
    graft::PathLock const lock(folder / "run");
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
  folder.put(".graft-lock-killed", "1");
  folder.put(".graft-lock-notes", std::string(100, 'n'));  // none of ours
  graft::PathLock const held(folder / "run");
  graft::detail::remove_abandoned(folder.path());
  EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{".graft-lock-notes", ".graft-lock-run"}));
}

}  // namespace
