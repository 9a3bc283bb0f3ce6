#include "pool.hpp"

#include <chrono>
#include <list>
#include <thread>

#include "process.hpp"
#include "support/program.hpp"
#include "support/signals.hpp"

namespace compare {

namespace {

struct Running {
  Job const* job;
  Process process;
  double need_mib;
};

void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

void stop_after_a_signal() {
  if (int const signal = support::SignalWatch::caught()) throw support::Interrupted(signal, "ended by a signal");
}

/// Ends the jobs that have ended; whether there were any.
bool end_jobs(std::list<Running>& running) {
  bool any = false;
  for (auto one = running.begin(); one != running.end();) {
    auto const how = one->process.ended();
    if (!how) {
      ++one;
      continue;
    }
    any = true;
    if (!how->empty()) {  // a terminal sends its signal to all processes: ours may come a little later
      pause(100);
      stop_after_a_signal();
    }
    Job const& job = *one->job;
    one = running.erase(one);
    job.ended(*how);
  }
  return any;
}

}  // namespace

void run_jobs(std::vector<Job> const& jobs, PoolLimits const& limits,
              std::function<void(double need_mib)> const& wait_said) {
  std::list<Running> running;
  bool said = false;
  for (std::size_t next = 0; next < jobs.size() || !running.empty();) {
    stop_after_a_signal();
    bool changed = end_jobs(running);
    while (next < jobs.size() && static_cast<graft::Index>(running.size()) < limits.jobs) {
      double const need = jobs[next].need_mib();
      double all = need;
      for (auto const& one : running) all += one.need_mib;
      if (!running.empty() && all > limits.memory_mib) {
        if (!said) wait_said(need);
        said = true;
        break;
      }
      if (jobs[next].started) jobs[next].started();
      running.push_back({&jobs[next], Process(jobs[next].arguments, limits.threads), need});
      ++next;
      changed = true;
    }
    if (!changed) pause(5);
  }
}

}  // namespace compare
