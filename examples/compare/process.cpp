#include "process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/core/thread_pool.hpp>

namespace compare {

namespace {

/// In the child; only calls that are allowed between fork and exec.
[[noreturn]] void become(char* const* arguments, char* const* variables, pid_t parent) {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);  // it had ended before the line above
#else
  static_cast<void>(parent);
#endif
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execve("/proc/self/exe", arguments, variables);
  ::_exit(127);
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) {
    int const signal = WTERMSIG(status);
    return graft::cat("the process was ended by signal ", signal, " (", ::strsignal(signal), ")",
                      signal == SIGKILL ? "; hint: that is how the system ends a process when memory runs out" : "");
  }
  if (WEXITSTATUS(status) == 0) return "";
  return graft::cat("the process ended with status ", WEXITSTATUS(status));
}

/// This process's environment with another number of threads.
std::vector<std::string> environment(graft::Index threads) {
  constexpr std::string_view name = "GRAFT_NUM_THREADS=";
  std::vector<std::string> variables{std::string(name) + std::to_string(threads)};
  for (char** variable = environ; *variable; ++variable)
    if (!std::string_view(*variable).starts_with(name)) variables.emplace_back(*variable);
  return variables;
}

/// As exec takes them; it does not write to them.
std::vector<char*> pointers(std::vector<std::string> const& texts) {
  std::vector<char*> result;
  for (auto const& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

Process::Process(std::vector<std::string> const& arguments, graft::Index threads) {
  std::vector<std::string> all{"compare"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto const variables = environment(threads);
  auto const argument_list = pointers(all), variable_list = pointers(variables);
  pid_t const parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) graft::fail("[compare] no process could be started; got: ", std::strerror(errno));
  if (child_ == 0) become(argument_list.data(), variable_list.data(), parent);
}

Process::Process(Process&& other) noexcept : child_(std::exchange(other.child_, -1)) {}

Process::~Process() {
  if (child_ < 0) return;
  ::kill(child_, SIGTERM);
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
}

std::optional<std::string> Process::ended() {
  int status = 0;
  pid_t const found = ::waitpid(child_, &status, WNOHANG);
  if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
  if (found < 0) graft::fail("[compare] waiting for a process failed; got: ", std::strerror(errno));
  child_ = -1;
  return describe(status);
}

graft::Index own_threads() { return graft::ThreadPool::global().threads(); }

}  // namespace compare
