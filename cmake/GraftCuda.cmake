# graft_add_cuda(target [KERNELS names…] [SCALARS types…] [INCLUDE files.cuh…])
#
# Compiles the target's CUDA kernels: one generated source, the only one that nvcc sees. Each kernel is a struct template over a
# device and a scalar.
#   KERNELS  graft's own by the name of their file in graft/kernels/cuda/ (default: all of them); others by their full name, such as app::Swish,
#            and with what they are for where that is not float and double: app::Swish<float,bfloat16>
#   SCALARS  what each is instantiated for, some of float, double, bfloat16 (default: all); for bfloat16 only those kernels that have a version for it
#   INCLUDE  files that define the other kernels, for nvcc
# A kernel or scalar that the target uses and that is not listed fails a static_assert.
#
# To be called at file scope, not in a function, because it enables the language CUDA. CMAKE_CUDA_ARCHITECTURES is 80 and 90 unless it is set.
include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/GraftKernels.cmake")

macro(graft_add_cuda target)
  graft_prepare_cuda()
  enable_language(CUDA)
  graft_compile_cuda(${target} ${ARGN})
endmacro()

# What enable_language(CUDA) looks at, unless the project has decided.
macro(graft_prepare_cuda)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80 90)
  endif()
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX} AND CUDAToolkit_NVCC_EXECUTABLE)
    set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}")
  endif()
  if(NOT CMAKE_CUDA_HOST_COMPILER AND NOT DEFINED ENV{CUDAHOSTCXX})
    set(CMAKE_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}")
  endif()
  if(NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER AND CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
  endif()
endmacro()

# The objects come from a target of their own, which has graft's include folder and neither Eigen's nor xtensor's, and whose language the
# target and those that link it need not know.
function(graft_compile_cuda target)
  graft_generate_cuda(${target} ${ARGN})
  add_library(${target}_cuda OBJECT "${CMAKE_CURRENT_BINARY_DIR}/${target}_cuda.cu")
  set_target_properties(${target}_cuda PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set_target_properties(${target}_cuda PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON)
  else()  # CMake before 3.26 does not know that nvcc has C++20; with these properties it adds no standard of its own
    set_property(TARGET ${target}_cuda PROPERTY CUDA_STANDARD)
    set_property(TARGET ${target}_cuda PROPERTY CUDA_EXTENSIONS ON)
    target_compile_options(${target}_cuda PRIVATE -std=c++20)
  endif()
  target_compile_options(${target}_cuda PRIVATE --threads=2)  # architectures side by side
  get_target_property(folders graft::graft INTERFACE_INCLUDE_DIRECTORIES)
  target_include_directories(${target}_cuda PRIVATE ${folders})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_cuda>)
  target_link_libraries(${target} PUBLIC graft::cuda)
endfunction()

# Writes <target>_cuda.cu, the instantiations, and <target>_cuda_listed.hpp, which says the same to the host's compiler ahead of every source.
function(graft_generate_cuda target)
  cmake_parse_arguments(arg "" "" "KERNELS;SCALARS;INCLUDE" ${ARGN})
  get_property(own GLOBAL PROPERTY graft_kernels_everywhere)
  get_property(narrow GLOBAL PROPERTY graft_kernels_bfloat16)
  set(all ${own} ${narrow})
  list(REMOVE_DUPLICATES all)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "graft_add_cuda(${target}): got '${arg_UNPARSED_ARGUMENTS}'; expected KERNELS, SCALARS, INCLUDE and their values")
  endif()
  if(NOT arg_KERNELS)
    set(arg_KERNELS ${all})
  endif()
  if(NOT arg_SCALARS)
    set(arg_SCALARS float double bfloat16)
  endif()
  foreach(scalar IN LISTS arg_SCALARS)
    if(NOT scalar MATCHES "^(float|double|bfloat16)$")
      message(FATAL_ERROR "graft_add_cuda(${target}): got the scalar '${scalar}'; expected some of float, double, bfloat16")
    endif()
  endforeach()
  set(wide ${arg_SCALARS})
  list(REMOVE_ITEM wide bfloat16)

  set(includes "#include <graft/kernels/cuda/loops.cuh>\n")
  set(definitions "")
  set(list "")
  graft_instantiate_cuda(graft::kernels::cuda Runtime graft::Cuda)
  foreach(file IN LISTS arg_INCLUDE)
    get_filename_component(file "${file}" ABSOLUTE)
    string(APPEND includes "#include \"${file}\"\n")
  endforeach()
  foreach(kernel IN LISTS arg_KERNELS)
    if(kernel MATCHES "^([A-Za-z_][A-Za-z0-9_:]*)::([A-Za-z_][A-Za-z0-9_]*)(<([A-Za-z0-9_:, ]+)>)?$")
      set(namespace "${CMAKE_MATCH_1}")
      set(name "${CMAKE_MATCH_2}")
      string(REGEX MATCHALL "[A-Za-z0-9_:]+" scalars "${CMAKE_MATCH_4}")
      if(NOT scalars)
        set(scalars ${wide})
      endif()
    elseif(kernel IN_LIST all)
      string(APPEND includes "#include <graft/kernels/cuda/${kernel}.cuh>\n")
      set(namespace "graft::kernels")
      graft_pascal_case(${kernel} name)
      set(scalars "")
      if(kernel IN_LIST own)
        set(scalars ${wide})
      endif()
      if(kernel IN_LIST narrow AND "bfloat16" IN_LIST arg_SCALARS)
        list(APPEND scalars bfloat16)
      endif()
    else()
      message(FATAL_ERROR "graft_add_cuda(${target}): got the kernel '${kernel}'; expected some of '${all}', or the full name of a struct template "
                          "such as app::Swish, which a file of INCLUDE defines")
    endif()
    foreach(scalar IN LISTS scalars)
      string(REGEX REPLACE "^bfloat16$" "graft::bfloat16" scalar "${scalar}")
      graft_instantiate_cuda(${namespace} ${name} "graft::Cuda, ${scalar}")
    endforeach()
  endforeach()

  set(listed "${CMAKE_CURRENT_BINARY_DIR}/${target}_cuda_listed.hpp")
  file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${target}_cuda.cu" CONTENT "${includes}\n${definitions}" @ONLY)
  file(CONFIGURE OUTPUT "${listed}" CONTENT "#pragma once\n#include <graft/kernels/cuda_listed.hpp>\n${list}" @ONLY)
  get_target_property(type ${target} TYPE)
  set(scope PUBLIC)
  if(type STREQUAL "EXECUTABLE")
    set(scope PRIVATE)
  elseif(type STREQUAL "INTERFACE_LIBRARY")
    set(scope INTERFACE)
  endif()
  target_compile_options(${target} ${scope} "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include \"${listed}\">>")
endfunction()

# Appends namespace::name<arguments> to the caller's definitions, and that it is listed to its list, once however many such headers a source sees.
macro(graft_instantiate_cuda namespace name arguments)
  string(APPEND definitions "template struct ${namespace}::${name}<${arguments}>;\n")
  string(MAKE_C_IDENTIFIER "GRAFT_CUDA_LISTED_${namespace}_${name}_${arguments}" guard)
  string(REGEX REPLACE "[^,]+" "class" parameters "${arguments}")
  string(APPEND list "#ifndef ${guard}\n#define ${guard}\nnamespace ${namespace} {\ntemplate <${parameters}>\nstruct ${name};\n}\ntemplate <>\n"
                     "inline constexpr bool graft::kernels::cuda::is_listed<${namespace}::${name}<${arguments}>> = true;\n#endif\n")
endmacro()
