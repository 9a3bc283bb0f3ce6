# What decides how fast a consumer's build is: a warning where it does not optimize, and the option GRAFT_NATIVE. Used by graft's own build, by
# FetchContent and by an installed graftConfig.cmake.
include_guard(GLOBAL)

option(GRAFT_NATIVE "Compile all that uses graft for the processor of this machine (-march=native): it may not run on others" OFF)

# The compiler's flags in this folder, of the build type too, as one text with a space before each.
function(graft_compiler_flags result)
  get_directory_property(options COMPILE_OPTIONS)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  string(REPLACE ";" " " flags " ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}} ${options}")
  set(${result} "${flags}" PARENT_SCOPE)
endfunction()

# Says once where nothing asks the compiler to optimize. An empty build type is an oversight and gets a warning; Debug or another type is a choice.
function(graft_check_optimization)
  get_property(said GLOBAL PROPERTY graft_optimization_checked)
  graft_compiler_flags(flags)
  if(said OR CMAKE_CONFIGURATION_TYPES OR flags MATCHES " -O")
    return()
  endif()
  set_property(GLOBAL PROPERTY graft_optimization_checked TRUE)
  if(CMAKE_BUILD_TYPE STREQUAL "")
    message(WARNING "[graft] got an empty CMAKE_BUILD_TYPE, so the compiler does not optimize and models run many times slower; expected Release; "
                    "configure with -DCMAKE_BUILD_TYPE=Release")
  else()
    message(STATUS "graft: the build type ${CMAKE_BUILD_TYPE} does not optimize here; models run many times faster with Release")
  endif()
endfunction()

# GRAFT_NATIVE for the target graft::graft or what it stands for: its users get the flag.
function(graft_apply_native target)
  if(NOT GRAFT_NATIVE)
    return()
  endif()
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-march=native GRAFT_HAS_MARCH_NATIVE)
  if(NOT GRAFT_HAS_MARCH_NATIVE)
    message(FATAL_ERROR "[GRAFT_NATIVE] got ON; expected a compiler that knows -march=native; configure with -DGRAFT_NATIVE=OFF")
  endif()
  target_compile_options(${target} INTERFACE "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-march=native>>")
endfunction()
