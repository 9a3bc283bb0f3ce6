# graft::any: strategies and architectures chosen at run time (include/graft/any/), in the build (and with the flags) of whoever links it, a
# source for each architecture. It stands on graft::compiled, graft::io and graft::text.
include_guard(GLOBAL)

# An architecture's source in cmake/any, and its type.
set_property(GLOBAL PROPERTY graft_architecture_types gpt2=Gpt2 llama=Llama t5=T5 t5_v1_1=T5v11 bart=Bart bert=Bert roberta=Roberta)
set_property(GLOBAL PROPERTY graft_architectures gpt2 llama t5 t5_v1_1 bart bert roberta)
get_property(graft_all GLOBAL PROPERTY graft_architectures)
set(GRAFT_ARCHITECTURES "${graft_all}" CACHE STRING "Architectures of graft::any, each compiled with every strategy: fewer build sooner")

function(graft_add_any folder)
  if(TARGET graft_any)
    return()
  endif()
  get_property(known GLOBAL PROPERTY graft_architecture_types)
  set(types "")
  set(sources "${folder}/any_model.cpp" "${folder}/choice.cpp")
  foreach(architecture IN LISTS GRAFT_ARCHITECTURES)
    set(entry "${known}")
    list(FILTER entry INCLUDE REGEX "^${architecture}=")
    if(NOT entry)
      get_property(known GLOBAL PROPERTY graft_architectures)
      list(JOIN known ", " known)
      message(FATAL_ERROR "[GRAFT_ARCHITECTURES] got '${architecture}'; expected some of ${known}, parted by ;")
    endif()
    string(REGEX REPLACE "^.*=" "" type "${entry}")
    list(APPEND types "${type}")
    list(APPEND sources "${folder}/${architecture}.cpp")
  endforeach()
  if(NOT types)
    message(FATAL_ERROR "[GRAFT_ARCHITECTURES] got no architecture; expected some, such as -DGRAFT_ARCHITECTURES=llama")
  endif()
  list(REMOVE_DUPLICATES types)
  list(REMOVE_DUPLICATES sources)
  list(JOIN types ", " types)
  set(load "${CMAKE_CURRENT_BINARY_DIR}/graft_any/load.cpp")
  file(CONFIGURE OUTPUT "${load}" @ONLY CONTENT "// The one place where a checkpoint's model_type becomes a type.
#include <graft/any/bases.hpp>
#include <graft/io/load_pretrained.hpp>

std::unique_ptr<graft::any::AnyBase> graft::any::load_base(std::filesystem::path const& path) {
  return visit_pretrained<@types@>(path, [](auto base) { return wrap_base(std::move(base)); });
}
")
  add_library(graft_any STATIC EXCLUDE_FROM_ALL ${sources} "${load}")
  add_library(graft::any ALIAS graft_any)
  target_link_libraries(graft_any PUBLIC graft::compiled graft::io graft::text)
  set_target_properties(graft_any PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # Strings operations together, whose kernels graft::compiled holds: more optimization costs minutes and gains nothing measurable.
  target_compile_options(graft_any PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
