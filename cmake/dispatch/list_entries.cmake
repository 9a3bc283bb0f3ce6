# cmake -DENTRIES=base.entries;v3.entries;… -DOUTPUT=kernel_entries.inc -P list_entries.cmake
# Writes a line GRAFT_KERNEL(number, "name") for each kernel, whose names must be the same at every level.
cmake_policy(VERSION 3.22)

foreach(file IN LISTS ENTRIES)
  file(STRINGS "${file}" names)
  if(NOT DEFINED first)
    set(first "${names}")
  elseif(NOT names STREQUAL first)
    message(FATAL_ERROR "[graft] the levels' kernels differ: ${ENTRIES}")
  endif()
endforeach()
set(text "")
set(number 0)
foreach(name IN LISTS first)
  string(APPEND text "GRAFT_KERNEL(${number}, \"${name}\")\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
