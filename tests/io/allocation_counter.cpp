// operator new that counts, for the bound on what a malformed file may make a reader allocate.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "malformed.hpp"

namespace {

std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> most{0};

void* counted(std::size_t size) noexcept {
  void* const block = std::malloc(std::max<std::size_t>(size, 1));
  if (block == nullptr) return nullptr;
  std::size_t const now = in_use.fetch_add(::malloc_usable_size(block)) + ::malloc_usable_size(block);
  std::size_t seen = most.load();
  while (seen < now && !most.compare_exchange_weak(seen, now)) {
  }
  return block;
}

void release(void* block) noexcept {
  if (block == nullptr) return;
  in_use.fetch_sub(::malloc_usable_size(block));
  std::free(block);
}

}  // namespace

std::size_t graft_test::allocated_bytes() { return in_use.load(); }
std::size_t graft_test::most_allocated_bytes() { return most.load(); }
void graft_test::reset_most_allocated_bytes() { most.store(in_use.load()); }

void* operator new(std::size_t size) {
  void* const block = counted(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, std::nothrow_t const&) noexcept { return counted(size); }
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept { return counted(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, std::nothrow_t const&) noexcept { release(block); }
void operator delete[](void* block, std::nothrow_t const&) noexcept { release(block); }
