/// @file
/// @brief What every program does alike: the command line, exit statuses, and where output goes.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <graft/core/error.hpp>

#include "support/products.hpp"

namespace support {

/// Options that contradict each other: exit status 2, like those that the parser refuses.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A signal that a program ended in order for: exit status 128 + its number.
class Interrupted : public std::runtime_error {
 public:
  Interrupted(int signal, std::string const& sentence) : std::runtime_error(sentence), signal_(signal) {}
  [[nodiscard]] int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

/// Opens /dev/null in the place of standard input, output and error where they are closed, before a file gets their
/// number and with it what is meant for them. It is opened the other way round, so that writing to a closed standard
/// output still fails.
inline void hold_standard_descriptors() {
  for (int const descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0) {
      int const opened =
          ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free number: this one
      static_cast<void>(opened);
    }
}

[[noreturn]] inline void refuse_standard_output() {
  graft::fail<graft::FileError>(
      "[standard output] cannot be written; expected a terminal, a pipe that is read, or room on the disk");
}

/// Writes to standard output at once, so that a reader sees lines as they come.
inline void print(std::string_view text) {
  bool const written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) refuse_standard_output();
}

/// The sentence for whatever was thrown. Everything that graft throws has its own; what else comes out of a library
/// below it is worded here, without its text.
[[nodiscard]] inline std::string sentence_of(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (graft::Error const& error) {
    return error.what();
  } catch (std::bad_alloc const&) {
    return "[memory] the system has no more memory for this program; expected enough; hint: a smaller batch or model, "
           "fewer threads "
           "(GRAFT_NUM_THREADS), or a "
           "higher limit (ulimit -v)";
  } catch (std::length_error const&) {
    return "[memory] got a size that no memory can hold; expected a smaller one; hint: a smaller batch, length or file";
  } catch (...) {
    return "[internal] an error without a sentence of its own came up; expected none; hint: report the command and its "
           "files";
  }
}

/// The sentence for an option without its value, or given more often than it can be.
[[nodiscard]] inline std::string mismatch_sentence(CLI::ArgumentMismatch const& error) {
  std::string const text = error.what(), name = text.substr(0, text.find(':'));
  if (text.find("At Most") != std::string::npos)
    return name + " is given more than once; expected one value; leave the others out";
  return name + " got no value; expected one behind it";
}

/// Parses the command line and runs `body`. Exit status: 0, 1 (failed, with a sentence on standard error), 2 (usage),
/// 128 + the number of a signal that it was ended by in order.
template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body const& body) {
  hold_standard_descriptors();
  std::signal(SIGPIPE,
              SIG_IGN);  // a reader of the messages that goes away must not end a training; writing says what is wrong
  try {
    try {
      app.parse(argc, argv);
    } catch (CLI::ArgumentMismatch const& error) {
      throw UsageError(mismatch_sentence(error));
    } catch (CLI::ParseError const& error) {
      if (app.exit(error) != 0) return 2;
      if (!std::cout.flush()) refuse_standard_output();  // of --help
      return 0;
    }
    choose_products();
    body();
  } catch (UsageError const& error) {
    std::fprintf(stderr, "%s\nRun with --help for more information.\n", error.what());
    return 2;
  } catch (Interrupted const& end) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), end.what());
    return 128 + end.signal();
  } catch (...) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), sentence_of(std::current_exception()).c_str());
    return 1;
  }
  return 0;
}

}  // namespace support
