// Runs the targets without a fuzzing engine: on their seeds, and on changed copies of them, the same in every run.
//
//   fuzz_targets [--runs N] [--seed S] [--target NAME]... [FILE...]
//
// With files, these are the inputs, of one target (a finding of a long run is looked at so). An input that ends in
// anything but acceptance or a graft::Error is written to a file beside, named, and ends the program with status 1; so
// do more than two gigabytes, and ten seconds for one input.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <typeinfo>

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>

#include "mutate.hpp"
#include "target.hpp"

namespace {

struct Tally {
  std::size_t accepted = 0, refused = 0;
};

std::string const* running = nullptr;  // for the handler of signals
std::string running_name;

void keep(std::string const& name, std::string const& input) {
  std::string const file = "fuzz-" + name + "-finding";
  std::ofstream(file, std::ios::binary).write(input.data(), static_cast<std::streamsize>(input.size()));
  std::fprintf(stderr, "the input is in %s; look at it with: fuzz_targets --target %s %s\n", file.c_str(), name.c_str(),
               file.c_str());
}

extern "C" void on_signal(int number) {  // not safe after a crash in general, and good enough to keep the input
  std::fprintf(stderr, "%s: signal %d\n", running_name.c_str(), number);
  if (running) keep(running_name, *running);
  std::_Exit(1);
}

// Whether the outcome is one of those allowed.
bool run(fuzz::Target const& target, std::string const& input, Tally& tally) {
  running = &input;
  running_name = target.name;
  ::alarm(10);
  try {
    target.run(input);
    ++tally.accepted;
  } catch (graft::Error const& error) {
    ++tally.refused;
    if (std::string_view(error.what()).size() < 4000) return true;
    std::fprintf(stderr, "%s: a sentence of %zu bytes\n", target.name.c_str(), std::string_view(error.what()).size());
    keep(target.name, input);
    return false;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s: %s: %s\n", target.name.c_str(), typeid(error).name(), error.what());
    keep(target.name, input);
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 200;
  std::uint64_t seed = 1;
  std::vector<std::string> names, files;
  for (int i = 1; i < argc; ++i) {
    std::string const word = argv[i];
    if (word == "--runs" && i + 1 < argc)
      runs = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--seed" && i + 1 < argc)
      seed = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--target" && i + 1 < argc)
      names.push_back(argv[++i]);
    else
      files.push_back(word);
  }
  if (names.empty())
    for (auto const& target : fuzz::targets()) names.push_back(target.name);
#ifndef GRAFT_FUZZ_SANITIZED
  rlimit const bytes{std::size_t{2} << 30, std::size_t{2} << 30};
  ::setrlimit(RLIMIT_DATA, &bytes);
#endif
  for (int const signal : {SIGALRM, SIGSEGV, SIGABRT, SIGFPE, SIGBUS}) std::signal(signal, on_signal);
  graft::set_warning_handler({});
  for (auto const& name : names) {
    fuzz::Target const& target = fuzz::target(name);
    auto const start = std::chrono::steady_clock::now();
    Tally tally;
    if (!files.empty()) {
      for (auto const& file : files) {
        std::ifstream in(file, std::ios::binary);
        if (!run(target, {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}, tally)) return 1;
      }
    } else {
      auto const seeds = target.seeds();
      for (auto const& input : seeds)
        if (!run(target, input, tally)) return 1;
      if (tally.accepted == 0) return std::fprintf(stderr, "%s: none of its seeds is accepted\n", name.c_str()), 1;
      fuzz::Mutator mutator(seed);
      for (std::size_t i = 0; i < runs; ++i)
        if (!run(target, mutator.next(seeds), tally)) return 1;
    }
    std::printf("%-15s %zu accepted, %zu refused, %.1f s\n", name.c_str(), tally.accepted, tally.refused,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}
