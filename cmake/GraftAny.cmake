# graft::any: strategies and architectures chosen at run time (include/graft/any/), in the build (and with the flags) of whoever links it, a
# source for each architecture. It stands on graft::compiled, graft::io and graft::text.
include_guard(GLOBAL)

function(graft_add_any folder)
  if(TARGET graft_any)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  add_library(graft_any STATIC EXCLUDE_FROM_ALL ${sources})
  add_library(graft::any ALIAS graft_any)
  target_link_libraries(graft_any PUBLIC graft::compiled graft::io graft::text)
  set_target_properties(graft_any PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # Strings operations together, whose kernels graft::compiled holds: more optimization costs minutes and gains nothing measurable.
  target_compile_options(graft_any PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
