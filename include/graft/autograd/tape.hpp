/// @file
/// @brief Reverse-mode differentiation: a tape of recorded operations, gone through backwards
/// once, each freed (with what it saved) as soon as it has run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <graft/core/host_pool.hpp>

namespace graft {

/// The operations recorded on this thread, in order. Each has a number; `backward` begins at its loss's own and runs
/// the records that gradients reach. A record that nobody can reach any more, because no variable and no later record
/// holds its result, is freed on the way.
class Tape {
 public:
  using Number = std::uint64_t;  ///< numbers of a thread's records rise from 1 on

  /// One recorded operation.
  class Record {
   public:
    Record() = default;
    Record(Record const&) = delete;
    Record& operator=(Record const&) = delete;
    virtual ~Record() = default;
    static void* operator new(std::size_t bytes) { return HostPool::global().take_bytes(bytes); }
    static void operator delete(void* record) { HostPool::global().release(record); }
    [[nodiscard]] virtual bool reached() const = 0;    ///< whether its result has received a gradient
    [[nodiscard]] virtual bool reachable() const = 0;  ///< whether somebody else holds its result
    virtual void run() = 0;                            ///< passes the gradient on to its inputs
  };

  static Tape& current() {
    thread_local Tape tape;
    return tape;
  }

  [[nodiscard]] bool recording() const { return recording_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// The number that the next record gets.
  [[nodiscard]] Number next() const { return next_; }

  Number record(std::unique_ptr<Record> record) {
    if (entries_.size() >= sweep_at_) sweep();
    entries_.push_back({next_, std::move(record)});
    return next_++;
  }
  /// Runs what gradients reach from the record `last` down to `first`, last first; each record is destroyed before the
  /// next one runs. Where one throws, all that were still to run are destroyed.
  void run(Number last, Number first = 0) {
    first = std::max(first, floor_);
    try {
      for (std::size_t i = entries_.size(); i-- > 0 && entries_[i].number >= first;) {
        Entry& entry = entries_[i];
        if (entry.number <= last && entry.record->reached())
          run_one(std::move(entry.record));
        else if (!entry.record->reachable())
          entry.record.reset();
      }
    } catch (...) {
      for (std::size_t i = entries_.size(); i-- > 0 && entries_[i].number >= first;)
        if (entries_[i].record && entries_[i].record->reached()) entries_[i].record.reset();
      compact(first);
      throw;
    }
    compact(first);
  }
  /// Forgets the records from number `first` on without running them.
  void discard(Number first = 0) {
    while (!entries_.empty() && entries_.back().number >= std::max(first, floor_)) entries_.pop_back();
  }

 private:
  friend class NoGrad;
  friend class Recording;

  struct Entry {
    Number number;
    std::unique_ptr<Record> record;
  };
  /// While a record runs, what it records and goes back through itself is above the floor: the rest waits for its turn.
  class Floor {
   public:
    explicit Floor(Tape& tape) : tape_(tape), before_(std::exchange(tape.floor_, tape.next_)) {}
    Floor(Floor const&) = delete;
    Floor& operator=(Floor const&) = delete;
    ~Floor() { tape_.floor_ = before_; }

   private:
    Tape& tape_;
    Number before_;
  };

  void run_one(std::unique_ptr<Record> record) {
    Floor const floor(*this);
    record->run();
  }
  /// Frees what nobody can reach. Doing so each time the tape has doubled keeps it short
  /// for programs that record what they never go back through.
  void sweep() {
    for (std::size_t i = entries_.size(); i-- > 0 && entries_[i].number >= floor_;)
      if (!entries_[i].record->reachable()) entries_[i].record.reset();
    compact(floor_);
    sweep_at_ = 2 * entries_.size() + 1024;
  }
  /// Removes the emptied entries from number `first` on; below it, a run that called this one still counts on its
  /// places.
  void compact(Number first) {
    auto const begin = std::lower_bound(entries_.begin(), entries_.end(), first,
                                        [](Entry const& entry, Number number) { return entry.number < number; });
    entries_.erase(std::remove_if(begin, entries_.end(), [](Entry const& entry) { return entry.record == nullptr; }),
                   entries_.end());
  }

  bool recording_ = true;
  Number next_ = 1, floor_ = 0;
  std::size_t sweep_at_ = 1024;
  std::vector<Entry> entries_;
};

/// While it lives, operations on this thread record nothing.
class NoGrad {
 public:
  NoGrad() : before_(std::exchange(Tape::current().recording_, false)) {}
  ~NoGrad() { Tape::current().recording_ = before_; }
  NoGrad(NoGrad const&) = delete;
  NoGrad& operator=(NoGrad const&) = delete;

 private:
  bool before_;
};

/// A recording within whatever else is recorded on this thread: while it lives, operations record, even inside a
/// `NoGrad`; what it recorded and nobody went back through is forgotten at its end, be that a return or an exception.
/// Recordings nest.
class Recording {
 public:
  Recording() : first_(Tape::current().next()), before_(std::exchange(Tape::current().recording_, true)) {}
  ~Recording() {
    Tape::current().discard(first_);
    Tape::current().recording_ = before_;
  }
  Recording(Recording const&) = delete;
  Recording& operator=(Recording const&) = delete;
  /// The number of its first record.
  [[nodiscard]] Tape::Number first() const { return first_; }

 private:
  Tape::Number first_;
  bool before_;
};

}  // namespace graft
