# graft_programs([PREFIX text]): every NAME.cpp of this folder, with the sources of a folder NAME/ where there is one, becomes the program NAME;
# a folder NAME/ of sources alone does too. The targets are called PREFIX + NAME.
find_package(CLI11 CONFIG QUIET)
if(NOT TARGET CLI11::CLI11)
  find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp)
  if(NOT CLI11_INCLUDE_DIR)
    message(FATAL_ERROR "graft's programs need CLI11; install libcli11-dev, set CLI11_INCLUDE_DIR, or configure with "
                        "-DGRAFT_EXAMPLES=OFF -DGRAFT_BENCHMARKS=OFF")
  endif()
  add_library(CLI11::CLI11 INTERFACE IMPORTED)
  target_include_directories(CLI11::CLI11 INTERFACE "${CLI11_INCLUDE_DIR}")
endif()

# Every architecture with every strategy behind a run-time interface, compiled once for all programs.
file(GLOB any_model_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/any_model/*.cpp")
add_library(graft_any_model STATIC EXCLUDE_FROM_ALL ${any_model_sources})
target_include_directories(graft_any_model PUBLIC "${PROJECT_SOURCE_DIR}/examples")
# Strings operations together, whose kernels graft::compiled holds: more optimization costs minutes and gains nothing measurable.
target_compile_options(graft_any_model PRIVATE $<$<CONFIG:Release>:-O1>)
target_link_libraries(graft_any_model PUBLIC graft::compiled graft::io graft::text)
if(TARGET graft_warnings)
  target_link_libraries(graft_any_model PRIVATE graft_warnings)
endif()

function(graft_programs)
  cmake_parse_arguments(arg "" "PREFIX" "" ${ARGN})
  file(GLOB single CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" *.cpp)
  file(GLOB several CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" */*.cpp)
  foreach(source IN LISTS single several)
    string(REGEX REPLACE "(/.*|\\.cpp)$" "" name "${source}")
    if(name STREQUAL any_model)  # a library, above
      continue()
    endif()
    set(program "${arg_PREFIX}${name}")
    if(NOT TARGET ${program})
      add_executable(${program})
      set_target_properties(${program} PROPERTIES OUTPUT_NAME "${name}")
      target_include_directories(${program} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
      target_compile_options(${program} PRIVATE $<$<CONFIG:Release>:-O1>)  # glue, as above
      target_link_libraries(${program} PRIVATE graft_any_model CLI11::CLI11)
      if(TARGET graft_warnings)
        target_link_libraries(${program} PRIVATE graft_warnings)
      endif()
    endif()
    target_sources(${program} PRIVATE "${source}")
  endforeach()
endfunction()
