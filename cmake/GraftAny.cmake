# graft::any: strategies and architectures chosen at run time (include/graft/any/), in the build (and with the flags) of whoever links it, a
# source for each architecture. It stands on graft::compiled, graft::io and graft::text. graft::any_cuda is the same for GPUs, too.
include_guard(GLOBAL)

# An architecture's source in cmake/any, and its type.
set_property(GLOBAL PROPERTY graft_architecture_types gpt2=Gpt2 llama=Llama t5=T5 t5_v1_1=T5v11 bart=Bart bert=Bert roberta=Roberta)
set_property(GLOBAL PROPERTY graft_architectures gpt2 llama t5 t5_v1_1 bart bert roberta)
get_property(graft_all GLOBAL PROPERTY graft_architectures)
set(GRAFT_ARCHITECTURES "${graft_all}" CACHE STRING "Architectures of graft::any, each compiled with every strategy: fewer build sooner")

# Sets in the caller's scope: types, the types of architectures in a list, and sources, those that name them.
function(graft_architectures_of architectures types sources)
  get_property(known GLOBAL PROPERTY graft_architecture_types)
  set(found "")
  foreach(architecture IN LISTS architectures)
    set(entry "${known}")
    list(FILTER entry INCLUDE REGEX "^${architecture}=")
    if(NOT entry)
      get_property(known GLOBAL PROPERTY graft_architectures)
      list(JOIN known ", " known)
      message(FATAL_ERROR "[GRAFT_ARCHITECTURES] got '${architecture}'; expected some of ${known}, parted by ;")
    endif()
    string(REGEX REPLACE "^.*=" "" type "${entry}")
    list(APPEND found "${type}")
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "[GRAFT_ARCHITECTURES] got no architecture; expected some, such as -DGRAFT_ARCHITECTURES=llama")
  endif()
  list(REMOVE_DUPLICATES found)
  list(REMOVE_DUPLICATES architectures)
  set(${types} "${found}" PARENT_SCOPE)
  set(${sources} "${architectures}" PARENT_SCOPE)
endfunction()

# What is compiled once, whatever the device (graft_any_core), and graft::any.
function(graft_add_any folder)
  if(TARGET graft_any)
    return()
  endif()
  set_property(GLOBAL PROPERTY graft_any_folder "${folder}")
  graft_architectures_of("${GRAFT_ARCHITECTURES}" types names)
  list(TRANSFORM names PREPEND "${folder}/")
  list(TRANSFORM names APPEND .cpp)
  list(JOIN types ", " types)
  set(load "${CMAKE_CURRENT_BINARY_DIR}/graft_any/load.cpp")
  file(CONFIGURE OUTPUT "${load}" @ONLY CONTENT "// The one place where a checkpoint's model_type becomes a type.
#include <graft/any/bases.hpp>
#include <graft/io/load_pretrained.hpp>

std::unique_ptr<graft::any::AnyBase> graft::any::load_base(std::filesystem::path const& path, Placement const& placement) {
  check(placement);
  return visit_pretrained<@types@>(path, [](auto base) { return wrap_base(std::move(base)); });
}
")
  add_library(graft_any_core STATIC EXCLUDE_FROM_ALL "${folder}/any_model.cpp" "${folder}/choice.cpp" "${folder}/placement.cpp" ${names})
  add_library(graft_any STATIC EXCLUDE_FROM_ALL "${folder}/host.cpp" "${load}")
  add_library(graft::any ALIAS graft_any)
  target_link_libraries(graft_any_core PUBLIC graft::compiled graft::io graft::text)
  target_link_libraries(graft_any PUBLIC graft_any_core)
  graft_compile_as_glue(graft_any_core)
  graft_compile_as_glue(graft_any)
endfunction()

# Strings operations together, whose kernels graft::compiled holds: more optimization costs minutes and gains nothing measurable.
function(graft_compile_as_glue target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(TARGET graft_warnings)
    target_link_libraries(${target} PRIVATE "$<BUILD_INTERFACE:graft_warnings>")
  endif()
endfunction()

# graft_add_any_cuda(): graft::any_cuda, to be linked in place of graft::any, whose models also run on an NVIDIA GPU, in float32 or over bfloat16
# activations. At file scope, as graft_add_cuda.
macro(graft_add_any_cuda)
  if(NOT TARGET graft::cuda)
    message(FATAL_ERROR "graft_add_any_cuda() needs the component cuda; hint: find_package(graft COMPONENTS any cuda), and the CUDA Toolkit")
  endif()
  graft_define_any_cuda(graft_any_cuda "${GRAFT_ARCHITECTURES}")
  add_library(graft::any_cuda ALIAS graft_any_cuda)
  graft_add_cuda(graft_any_cuda SCALARS float bfloat16)
endmacro()

# graft_define_any_cuda(target architectures): the same as a library of this name, without the kernels themselves.
function(graft_define_any_cuda target architectures)
  get_property(folder GLOBAL PROPERTY graft_any_folder)
  graft_architectures_of("${architectures}" types names)
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${target}")
  set(sources "${folder}/cuda.cpp")
  set(declared "")
  foreach(type IN LISTS types)
    foreach(numbers float bfloat16)
      set(source "${generated}/${type}_${numbers}.cpp")
      set(defined "template std::unique_ptr<AnyBase> on_cuda<${type}, ${numbers}>(Base<${type}> const&);")
      string(APPEND declared "extern ${defined}\n")
      file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT "#include <graft/any/bases.hpp>
#include <graft/any/on_cuda.hpp>

namespace graft::any {
@defined@
}
")
      list(APPEND sources "${source}")
    endforeach()
  endforeach()
  list(JOIN types ", " types)
  file(CONFIGURE OUTPUT "${generated}/load.cpp" @ONLY CONTENT "// The one place where a checkpoint's model_type becomes a type.
#include <graft/any/bases.hpp>
#include <graft/any/on_cuda.hpp>
#include <graft/io/load_pretrained.hpp>

namespace graft::any {

@declared@
std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path, Placement const& placement) {
  check(placement);
  return visit_pretrained<@types@>(path, [&]<Architecture A>(Base<A> base) -> std::unique_ptr<AnyBase> {
    if (placement.device == DeviceKind::cpu) return wrap_base(std::move(base));
    return placement.numbers == NumberKind::bf16 ? on_cuda<A, bfloat16>(base) : on_cuda<A, float>(base);
  });
}

}
")
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${sources} "${generated}/load.cpp")
  target_link_libraries(${target} PUBLIC graft_any_core)
  graft_compile_as_glue(${target})
endfunction()
