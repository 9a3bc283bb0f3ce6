#include "process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <cstring>

#include <graft/core/error.hpp>

namespace compare {

namespace {

/// In the child; only calls that are allowed between fork and exec.
[[noreturn]] void become(char* const* arguments, pid_t parent) {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);  // it had ended before the line above
#else
  static_cast<void>(parent);
#endif
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execv("/proc/self/exe", arguments);
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

}  // namespace

std::string run_self(std::vector<std::string> const& arguments) {
  std::string program = "compare";
  std::vector<char*> pointers{program.data()};
  for (auto const& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));  // execv's signature; it does not write
  pointers.push_back(nullptr);
  pid_t const parent = ::getpid(), child = ::fork();
  if (child < 0) graft::fail("[compare] no process could be started; got: ", std::strerror(errno));
  if (child == 0) become(pointers.data(), parent);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) graft::fail("[compare] waiting for a process failed; got: ", std::strerror(errno));
  return describe(status);
}

}  // namespace compare
