# Kernels for several levels of the x86-64 processor in one program, which takes the highest that its processor has (docs/performance.md).
#
# The same sources are compiled for the build's own flags and, again, for the levels v3 (AVX2, FMA) and v4 (AVX-512). Inline functions of Eigen and of
# the C++ library have one name at every level, so the linker might give a function with AVX to any caller. Therefore the objects of a level are joined
# into one in which every function but the kernels is local (dispatch/join_level.cmake). A kernel's own name is a jump to the level in use
# (dispatch/kernel_dispatch.cpp).
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/GraftOptimization.cmake")

set(GRAFT_DISPATCH AUTO CACHE STRING "Kernels of graft::compiled for several processor levels: AUTO (where the build allows), ON, OFF")
set_property(CACHE GRAFT_DISPATCH PROPERTY STRINGS AUTO ON OFF)
set_property(GLOBAL PROPERTY graft_levels base v3 v4)

# GNU's linker and its tools, which carry out the joining.
function(graft_find_binutils)
  find_program(GRAFT_JOINER NAMES "${CMAKE_CXX_LIBRARY_ARCHITECTURE}-ld.bfd" ld.bfd "${CMAKE_LINKER}" ld)
  mark_as_advanced(GRAFT_JOINER)
  if(GRAFT_JOINER AND CMAKE_OBJCOPY AND CMAKE_OBJDUMP)
    execute_process(COMMAND "${GRAFT_JOINER}" --help OUTPUT_VARIABLE help ERROR_QUIET)
    execute_process(COMMAND "${CMAKE_OBJCOPY}" --version OUTPUT_VARIABLE objcopy ERROR_QUIET)
    execute_process(COMMAND "${CMAKE_OBJDUMP}" --version OUTPUT_VARIABLE objdump ERROR_QUIET)
    if(help MATCHES "force-group-allocation" AND objcopy MATCHES "GNU" AND objdump MATCHES "GNU")
      set(graft_has_binutils TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Why this build has kernels for its own flags only, or nothing where it can have more.
function(graft_dispatch_obstacle result)
  set(${result} "" PARENT_SCOPE)
  graft_compiler_flags(flags)
  graft_find_binutils()
  if(GRAFT_NATIVE)
    set(${result} "GRAFT_NATIVE is ON" PARENT_SCOPE)
  elseif(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(${result} "it is for Linux on x86-64 alone" PARENT_SCOPE)
  elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
    set(${result} "it needs g++ or clang" PARENT_SCOPE)
  elseif(CMAKE_CONFIGURATION_TYPES)
    set(${result} "the generator has several build types" PARENT_SCOPE)
  elseif(flags MATCHES " -m(arch|cpu|avx|fma|bmi|x32|32)")
    set(${result} "the compiler's flags choose a processor" PARENT_SCOPE)
  elseif(flags MATCHES " -fsanitize")
    set(${result} "sanitizers are on" PARENT_SCOPE)
  elseif(flags MATCHES " (-flto|-fprofile|--coverage)" OR CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    set(${result} "the linker is to optimize or the program to be profiled" PARENT_SCOPE)
  elseif(NOT CMAKE_BUILD_TYPE STREQUAL "" AND NOT flags MATCHES " -O[1-9sgf]")
    set(${result} "the build type ${CMAKE_BUILD_TYPE} does not optimize" PARENT_SCOPE)
  elseif(flags MATCHES " -O0")
    set(${result} "the compiler's flags have -O0" PARENT_SCOPE)
  elseif(NOT graft_has_binutils)
    set(${result} "it needs GNU binutils: ld with --force-group-allocation, objcopy, objdump" PARENT_SCOPE)
  endif()
endfunction()

# Sets `result` to whether kernels are dispatched here; GRAFT_DISPATCH=ON fails where they cannot be.
function(graft_decide_dispatch result)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT GRAFT_DISPATCH)  # AUTO is true as well
    return()
  endif()
  graft_dispatch_obstacle(obstacle)
  if(NOT obstacle)
    set(${result} TRUE PARENT_SCOPE)
  elseif(GRAFT_DISPATCH STREQUAL "AUTO")
    message(STATUS "graft::compiled: kernels for the flags of this build alone, as ${obstacle}")
  else()
    message(FATAL_ERROR "[GRAFT_DISPATCH] got ON; expected a build whose kernels can be compiled for several processors, but ${obstacle}; "
                        "configure with -DGRAFT_DISPATCH=AUTO")
  endif()
endfunction()

# Adds the kernels of `sources`, for every level, to graft_compiled.
function(graft_dispatch_kernels)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/graft_compiled/levels")
  get_property(levels GLOBAL PROPERTY graft_levels)
  foreach(level IN LISTS levels)
    set(target graft_kernels_${level})
    add_library(${target} OBJECT EXCLUDE_FROM_ALL ${ARGN})
    target_link_libraries(${target} PRIVATE graft::graft)
    target_compile_definitions(${target} PRIVATE GRAFT_COMPILED)
    graft_optimize_kernels(${target})
    if(NOT level STREQUAL "base")
      target_compile_options(${target} PRIVATE -march=x86-64-${level})
    endif()
    if(level STREQUAL "v4")  # as for processors by name: loops that widen Q8_0 blocks took 16 % more time with 512 bits, others no less
      target_compile_options(${target} PRIVATE -mprefer-vector-width=256)
    endif()
    # Unique symbols cannot become local.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD ${GRAFT_UNITY} UNITY_BUILD_BATCH_SIZE 5)
    set(output "${folder}/graft_kernels_${level}")
    add_custom_command(
      OUTPUT "${output}.o" "${output}.entries"
      COMMAND "${CMAKE_COMMAND}" "-DJOINER=${GRAFT_JOINER}" "-DOBJCOPY=${CMAKE_OBJCOPY}" "-DOBJDUMP=${CMAKE_OBJDUMP}" -DLEVEL=${level}
              "-DOUTPUT=${output}" "-DOBJECTS=$<JOIN:$<TARGET_OBJECTS:${target}>,$<SEMICOLON>>" -P "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch/join_level.cmake"
      DEPENDS ${target} $<TARGET_OBJECTS:${target}> "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch/join_level.cmake"
      COMMENT "Joining the kernels for the processor level ${level}" VERBATIM)
    list(APPEND objects "${output}.o")
    list(APPEND entries "${output}.entries")
  endforeach()
  add_custom_command(
    OUTPUT "${folder}/kernel_entries.inc"
    COMMAND "${CMAKE_COMMAND}" "-DENTRIES=${entries}" "-DOUTPUT=${folder}/kernel_entries.inc" -P "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch/list_entries.cmake"
    DEPENDS ${entries} "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch/list_entries.cmake"
    COMMENT "Listing the kernels" VERBATIM)
  set_source_files_properties(${objects} PROPERTIES GENERATED TRUE EXTERNAL_OBJECT TRUE)
  set(dispatch "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch/kernel_dispatch.cpp")
  set_source_files_properties("${dispatch}" PROPERTIES OBJECT_DEPENDS "${folder}/kernel_entries.inc" INCLUDE_DIRECTORIES "${folder}")
  target_sources(graft_compiled PRIVATE ${objects} "${dispatch}" "${folder}/kernel_entries.inc")
endfunction()
