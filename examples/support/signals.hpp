/// @file
/// @brief What SIGINT, SIGTERM and SIGHUP do to a program that works for long: the first ends it in order, the second
/// at once.
#pragma once

#include <signal.h>  // sigaction

#include <array>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <variant>

#include <graft/generate/settings.hpp>

namespace support {

namespace detail {

inline constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP};
inline std::sig_atomic_t volatile caught_signal = 0;

inline void catch_signal(int signal) {
  caught_signal = signal;
  for (int const one : ending_signals) ::signal(one, SIG_DFL);
}

}  // namespace detail

/// While it lives, a signal is noted in place of ending the program. Signals that were ignored before (nohup) stay
/// ignored.
class SignalWatch {
 public:
  SignalWatch() {
    struct sigaction action = {};
    action.sa_handler = detail::catch_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < before_.size(); ++i) {
      ::sigaction(detail::ending_signals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(detail::ending_signals[i], &action, nullptr);
    }
  }
  SignalWatch(SignalWatch const&) = delete;
  SignalWatch& operator=(SignalWatch const&) = delete;
  ~SignalWatch() {
    for (std::size_t i = 0; i < before_.size(); ++i) ::sigaction(detail::ending_signals[i], &before_[i], nullptr);
  }

  /// The signal that came, or 0.
  [[nodiscard]] static int caught() { return detail::caught_signal; }

 private:
  std::array<struct sigaction, detail::ending_signals.size()> before_{};
};

/// What a search that `ask_for_signals` is ended with.
class EndedBySignal : public std::runtime_error {
 public:
  EndedBySignal() : std::runtime_error("ended by a signal") {}
};

/// Has a search ask for signals with every token, and end with `EndedBySignal`.
template <class... Searches>
void ask_for_signals(std::variant<Searches...>& settings) {
  auto const ask = [] {
    if (SignalWatch::caught() != 0) throw EndedBySignal();
  };
  std::visit(
      [&](auto& search) {
        if constexpr (requires { search.on_token; })
          search.on_token = [ask](graft::Index, graft::Token) { ask(); };
        else
          search.processors.push_back([ask](graft::History const&, graft::Scores&) { ask(); });
      },
      settings);
}

}  // namespace support
