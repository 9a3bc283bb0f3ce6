# cmake -D COMPILER=… -D INCLUDES=… -D LISTED=… -D SOURCE=… -P check_transformer.cmake
# Models on a GPU compile: they ask for no kernel that the host alone has (cmake/GraftKernels.cmake), no loop of the host
# goes over device memory, and no tensor is on the wrong device.
cmake_minimum_required(VERSION 3.22)
set(includes "")
foreach(folder IN LISTS INCLUDES)
  list(APPEND includes -isystem "${folder}")
endforeach()
execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only -DGRAFT_COMPILED -DGRAFT_COMPILED_IO -DGRAFT_COMPILED_TEXT ${includes} -include "${LISTED}"
                        "${SOURCE}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "a model on a GPU does not compile; expected no error\n${output}")
endif()
