# cmake -D COMPILER=… -D ROOT=… -P check_missing.cmake
# Each kernel without code for a GPU exists on the host, and is refused there by its name; all others are declared for every device.
include("${ROOT}/cmake/GraftKernels.cmake")

function(compile kernel device expected)
  graft_pascal_case(${kernel} name)
  string(CONCAT text "#include <graft/kernels/${kernel}.hpp>\n"
                     "using Used = graft::kernels::On<graft::${device}, graft::kernels::${name}, float>;\n"
                     "static_assert(sizeof(Used) > 0);\n")
  set(source "${CMAKE_CURRENT_BINARY_DIR}/missing_kernel.cpp")
  file(WRITE "${source}" "${text}")
  execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only "-I${ROOT}/include" -DGRAFT_COMPILED "${source}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(status EQUAL 0)
    set(result compiles)
  elseif(output MATCHES "the kernel ${name} does not exist for this device yet")
    set(result missing)
  elseif(output MATCHES "graft_add_cuda\\(target KERNELS")
    set(result unlisted)
  else()
    set(result "fails otherwise")
  endif()
  if(NOT result STREQUAL expected)
    message(FATAL_ERROR "${kernel} for ${device}: got '${result}'; expected '${expected}'\n${output}")
  endif()
endfunction()

get_property(everywhere GLOBAL PROPERTY graft_kernels_everywhere)
get_property(host_only GLOBAL PROPERTY graft_kernels_host)
foreach(kernel IN LISTS host_only)
  compile(${kernel} Cpu compiles)
  compile(${kernel} Cuda missing)
endforeach()
foreach(kernel IN LISTS everywhere)
  compile(${kernel} Cpu compiles)
  compile(${kernel} Cuda unlisted)
endforeach()
message("without code for a GPU: ${host_only}")
