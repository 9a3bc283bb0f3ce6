# cmake -D COMPILER=… -D INCLUDE=… -D LISTED=… -D LISTED_NARROW=… -D SOURCE=… -P check_listed.cmake
# A listed kernel compiles; an unlisted scalar, an unlisted kernel and a target without a list stop the compiler at the static_assert.
# LISTED names one kernel for float, LISTED_NARROW two for float and bfloat16, one of which has no version for bfloat16.
function(compile expected)
  execute_process(COMMAND "${COMPILER}" -std=c++20 -fsyntax-only "-I${INCLUDE}" -DGRAFT_COMPILED ${ARGN} "${SOURCE}"
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(status EQUAL 0)
    set(result compiles)
  elseif(output MATCHES "graft_add_cuda\\(target KERNELS")
    set(result refused)
  elseif(output MATCHES "this kernel does not exist for bfloat16 or half")
    set(result "for wide numbers only")
  else()
    set(result "fails otherwise")
  endif()
  if(NOT result STREQUAL expected)
    message(FATAL_ERROR "${ARGN}: got '${result}'; expected '${expected}'\n${output}")
  endif()
endfunction()

compile(compiles -include "${LISTED}" -DSCALAR=float)
compile(refused -include "${LISTED}" -DSCALAR=double)
compile(refused -include "${LISTED}" -DSCALAR=float -DADD_BIAS)
compile(refused -DSCALAR=float)

compile(refused -include "${LISTED}" -DSCALAR=graft::bfloat16)
compile(compiles -include "${LISTED_NARROW}" -DSCALAR=graft::bfloat16)
compile(compiles -include "${LISTED_NARROW}" -DSCALAR=float -DSUM)
compile("for wide numbers only" -include "${LISTED_NARROW}" -DSCALAR=graft::bfloat16 -DSUM)
