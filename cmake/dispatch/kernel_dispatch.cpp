// The kernels' names where graft::compiled holds them for several processor levels. Each is a jump to an address in a
// table, which is set before main: to the highest level that the processor has, or to the one that GRAFT_CPU names.
// Before that, and on old processors, kernels are those of the build's own flags ("base").
#include <cpuid.h>

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <graft/core/cpu_level.hpp>
#include <graft/core/environment.hpp>

extern "C" {
using GraftKernel = void (*)();

#define GRAFT_KERNEL(number, name)                           \
  void graft_kernel_##number##_base() __asm__(name ".base"); \
  void graft_kernel_##number##_v3() __asm__(name ".v3");     \
  void graft_kernel_##number##_v4() __asm__(name ".v4");
#include "kernel_entries.inc"
#undef GRAFT_KERNEL

#define GRAFT_KERNEL(number, name) graft_kernel_##number##_base,
extern GraftKernel graft_kernels[];
[[gnu::visibility("hidden"), gnu::used]] GraftKernel graft_kernels[] = {
#include "kernel_entries.inc"
};
#undef GRAFT_KERNEL
}

#define GRAFT_KERNEL(number, name)                              \
  __asm__(".hidden " name ".base, " name ".v3, " name           \
          ".v4\n"                                               \
          ".pushsection .text.graft_kernels,\"ax\",@progbits\n" \
          ".globl " name                                        \
          "\n"                                                  \
          ".type " name                                         \
          ", @function\n"                                       \
          ".p2align 4\n" name                                   \
          ":\n"                                                 \
          ".cfi_startproc\n"                                    \
          "endbr64\n"                                           \
          "jmp *graft_kernels+8*" #number                       \
          "(%rip)\n"                                            \
          ".cfi_endproc\n"                                      \
          ".size " name ", .-" name                             \
          "\n"                                                  \
          ".popsection\n");
#include "kernel_entries.inc"
#undef GRAFT_KERNEL

namespace {

constexpr std::size_t kernel_count = sizeof(graft_kernels) / sizeof(graft_kernels[0]);

#define GRAFT_KERNEL(number, name) graft_kernel_##number##_v3,
constexpr GraftKernel kernels_v3[] = {
#include "kernel_entries.inc"
};
#undef GRAFT_KERNEL
#define GRAFT_KERNEL(number, name) graft_kernel_##number##_v4,
constexpr GraftKernel kernels_v4[] = {
#include "kernel_entries.inc"
};
#undef GRAFT_KERNEL

/// Whether the processor has all that a level's code may use. The compiler's built-in tests, which look at the
/// operating system too, know some of it in newer versions only; the rest is asked of the processor.
bool has_v3() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_F16C) || !(c & bit_MOVBE)) return false;
  if (!__get_cpuid(0x80000001U, &a, &b, &c, &d) || !(c & bit_LZCNT)) return false;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/// The level that GRAFT_CPU asks for, where the processor has it; else `highest`, said in a warning.
int asked_level(int highest) {
  char const* const text = std::getenv("GRAFT_CPU");
  if (!text) return highest;
  std::string_view const asked(text);
  char const* const names[] = {"", "the level of the build's flags", "v2", "v3", "v4"};
  int const level = asked == "v2" ? 2 : asked == "v3" ? 3 : asked == "v4" ? 4 : 0;
  if (level == 0)
    graft::warn("[GRAFT_CPU] is not understood; got ", graft::detail::shown(asked), "; expected v2, v3 or v4; using ",
                names[highest]);
  if (level > highest)
    graft::warn("[GRAFT_CPU] got ", asked, "; expected a level that this processor has; using ", names[highest]);
  return level == 0 || level > highest ? highest : level;
}

__attribute__((constructor(101))) void choose_kernels() {
  __builtin_cpu_init();
  int const level = asked_level(has_v4() ? 4 : has_v3() ? 3 : 2);
  if (level >= 3)
    for (std::size_t i = 0; i < kernel_count; ++i) graft_kernels[i] = level == 4 ? kernels_v4[i] : kernels_v3[i];
  graft::detail::dispatched_level = level >= 3 ? level : graft::detail::level_of_flags;
}

}  // namespace
