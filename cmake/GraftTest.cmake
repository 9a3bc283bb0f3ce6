# graft_test(NAME name SOURCES files… LABELS labels… [LINK targets…] [TIMEOUT seconds] [HEADERS_ONLY] [OWN_HEADERS] [RUN_SERIAL] [NEEDS_GPU])
# makes the GoogleTest program test_<name> and registers it, whole, with ctest. It links graft::compiled, unless HEADERS_ONLY.
# NEEDS_GPU: it is built when it is asked for, and counts as skipped, unless GRAFT_GPU_TESTS.
# OWN_HEADERS: its flags change what headers are, so that it cannot share the precompiled ones.
# Labels: unit, parity, tokenizer, real, malformed, faults, headers, cuda, peft, consumer, docs. A program whose tests were all skipped counts as skipped.
#
# graft_script_test(NAME name LABELS labels… COMMAND command… [TIMEOUT seconds] [RUN_SERIAL])
# registers a command; exit status 77 means skipped, and a line "[graft] skipped: why" says why.
find_package(GTest 1.11 CONFIG QUIET)
if(NOT GTest_FOUND)
  message(FATAL_ERROR "graft's tests need GoogleTest 1.11 or newer; install libgtest-dev, set GTest_DIR, or configure with -DGRAFT_TESTS=OFF")
endif()

add_library(graft_test_main STATIC "${PROJECT_SOURCE_DIR}/tests/support/main.cpp")
target_link_libraries(graft_test_main PUBLIC GTest::gtest PRIVATE graft::compiled graft_warnings)
# What is slow to run is in graft::compiled; the tests themselves take 1.7 times as long to compile at -O1.
set(graft_test_optimization "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O0>")
target_compile_options(graft_test_main PRIVATE "${graft_test_optimization}")
# What most tests include is read once for all of them. Not all of graft.hpp: a source pays for every template that an inline function it sees
# names, and so the whole would cost small tests more than they gain. Clang would want the same macros everywhere.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_precompile_headers(graft_test_main PRIVATE <gtest/gtest.h> <nlohmann/json.hpp> <graft/models/adapt.hpp>)
endif()

set(graft_has_gpu OFF)
if(EXISTS "/dev/nvidiactl")
  set(graft_has_gpu ON)
endif()
option(GRAFT_GPU_TESTS "Build and run the tests that need an NVIDIA GPU" ${graft_has_gpu})

set(graft_test_labels unit parity tokenizer real malformed faults headers cuda peft consumer docs)

# The properties that both kinds share; expects the callers' parsed arguments.
macro(graft_register_test)
  foreach(label IN LISTS arg_LABELS)
    if(NOT label IN_LIST graft_test_labels)
      message(FATAL_ERROR "test ${arg_NAME}: unknown label '${label}'; expected one of ${graft_test_labels}")
    endif()
  endforeach()
  if(NOT arg_LABELS OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "test ${arg_NAME}: got '${arg_UNPARSED_ARGUMENTS}'; expected LABELS, some of ${graft_test_labels}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  set_tests_properties(${arg_NAME} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 RUN_SERIAL ${arg_RUN_SERIAL})
endmacro()

function(graft_test)
  cmake_parse_arguments(arg "HEADERS_ONLY;OWN_HEADERS;RUN_SERIAL;NEEDS_GPU" "NAME;TIMEOUT" "SOURCES;LABELS;LINK" ${ARGN})
  set(program test_${arg_NAME})
  add_executable(${program} ${arg_SOURCES})
  target_include_directories(${program} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${program} PRIVATE "GRAFT_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
  target_link_libraries(${program} PRIVATE graft_test_main graft::graft ${arg_LINK} graft_warnings)
  if(arg_HEADERS_ONLY)
    target_compile_options(${program} PRIVATE "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O1>")
  else()
    target_link_libraries(${program} PRIVATE graft::compiled)
    target_compile_options(${program} PRIVATE "${graft_test_optimization}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT arg_OWN_HEADERS)
      target_precompile_headers(${program} REUSE_FROM graft_test_main)
    endif()
  endif()
  if(arg_NEEDS_GPU AND NOT GRAFT_GPU_TESTS)
    set_target_properties(${program} PROPERTIES EXCLUDE_FROM_ALL ON)
    set(program sh -c "echo '[graft] skipped: no NVIDIA GPU was here when the build was configured (GRAFT_GPU_TESTS=OFF)'; exit 77")
  endif()
  add_test(NAME ${arg_NAME} COMMAND ${program})
  graft_register_test()
endfunction()

function(graft_script_test)
  cmake_parse_arguments(arg "RUN_SERIAL" "NAME;TIMEOUT" "LABELS;COMMAND" ${ARGN})
  add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND})
  graft_register_test()
endfunction()
