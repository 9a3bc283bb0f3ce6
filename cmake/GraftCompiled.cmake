# graft::compiled: the raw-pointer kernels instantiated once for float and double, in the build (and with the flags) of whoever links it.
# GRAFT_COMPILED makes the kernel headers declare only; it never changes the body of a function, so that programs may mix both kinds of source.
include_guard(GLOBAL)

function(graft_add_compiled folder)
  if(TARGET graft_compiled)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  add_library(graft_compiled STATIC EXCLUDE_FROM_ALL ${sources})
  add_library(graft::compiled ALIAS graft_compiled)
  target_link_libraries(graft_compiled PUBLIC graft::graft)
  target_compile_definitions(graft_compiled PUBLIC GRAFT_COMPILED)
  set_target_properties(graft_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # g++ vectorizes loops with a choice of two numbers only where no floating-point exception may be trapped, which nothing here does.
  target_compile_options(graft_compiled PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-trapping-math>)
endfunction()
