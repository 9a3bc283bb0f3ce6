# graft::compiled: the raw-pointer kernels instantiated once for float and double (sources generated from the list of GraftKernels.cmake), the
# operations, row plans and states that most models share (folders ops, models, adaptation), and what is slow to compile of the components that
# are there (folders io and text), in the build (and with the flags) of whoever links it. GRAFT_COMPILED and its like make headers declare
# only; they never change the body of a function, so that programs may mix both kinds of source.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/GraftKernels.cmake")

function(graft_add_compiled folder)
  if(TARGET graft_compiled)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp" "${folder}/adaptation/*.cpp" "${folder}/ops/*.cpp" "${folder}/models/*.cpp")
  graft_generate_instantiations("${CMAKE_CURRENT_BINARY_DIR}/graft_compiled" sources)
  add_library(graft_compiled STATIC EXCLUDE_FROM_ALL ${sources})
  add_library(graft::compiled ALIAS graft_compiled)
  target_link_libraries(graft_compiled PUBLIC graft::graft)
  target_compile_definitions(graft_compiled PUBLIC GRAFT_COMPILED)
  if(TARGET graft::io)
    file(GLOB sources CONFIGURE_DEPENDS "${folder}/io/*.cpp")
    target_sources(graft_compiled PRIVATE ${sources})
    target_link_libraries(graft_compiled PRIVATE graft::io)
    target_compile_definitions(graft_compiled PUBLIC GRAFT_COMPILED_IO)
    if(TARGET graft::xml)  # seen by the one source that reads XML, and by the linker
      set_source_files_properties("${folder}/io/examples.cpp" PROPERTIES COMPILE_DEFINITIONS GRAFT_XML)
      target_link_libraries(graft_compiled PUBLIC EXPAT::EXPAT)
    endif()
    if(TARGET graft::text)
      file(GLOB sources CONFIGURE_DEPENDS "${folder}/text/*.cpp")
      target_sources(graft_compiled PRIVATE ${sources})
      target_link_libraries(graft_compiled PRIVATE graft::text)
      target_compile_definitions(graft_compiled PUBLIC GRAFT_COMPILED_TEXT)
    endif()
  endif()
  set_target_properties(graft_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # g++ vectorizes loops with a choice of two numbers only where no floating-point exception may be trapped, which nothing here does.
  target_compile_options(graft_compiled PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-trapping-math>)
endfunction()
