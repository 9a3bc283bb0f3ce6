# The one list of kernels. Each is declared in graft/kernels/<name>.hpp as a struct template over a device and a scalar, <Name><Device, Scalar>, so that its
# instantiations need no signatures: graft::compiled has them for the host (kernels/cpu/<name>.hpp), graft_add_cuda for a GPU (kernels/cuda/<name>.cuh).
include_guard(GLOBAL)

# Those with code for every device, and those with none but the host's (tests/cuda asks for each on a GPU: it must be refused by name; no model on a
# GPU asks for one).
set_property(GLOBAL PROPERTY graft_kernels_everywhere activation adafactor adamw arithmetic attention bias blocks cross_entropy dropout elementwise gather lstm matmul norm rotary sample_tokens scale_columns softmax sum sum_squares top_tokens widen)
set_property(GLOBAL PROPERTY graft_kernels_host packed)
# Those that are for bfloat16 too, and cast, which is for bfloat16 alone. (The host widens what it multiplies, normalizes, turns and attends to.)
set_property(GLOBAL PROPERTY graft_kernels_bfloat16 activation attention bias blocks cast elementwise gather matmul norm rotary)

# sum_squares → SumSquares
function(graft_pascal_case text result)
  string(REPLACE "_" ";" words "${text}")
  set(joined "")
  foreach(word IN LISTS words)
    string(SUBSTRING "${word}" 0 1 initial)
    string(SUBSTRING "${word}" 1 -1 rest)
    string(TOUPPER "${initial}" initial)
    string(APPEND joined "${initial}${rest}")
  endforeach()
  set(${result} "${joined}" PARENT_SCOPE)
endfunction()

# Writes the host's instantiations, a source a kernel, and appends their names to the list in `variable`. With DISPATCHED, products are one entry for
# all levels, and what chooses them (Matmul::function) is left to matmul_choice.cpp, as a program has one choice.
function(graft_generate_instantiations folder variable)
  cmake_parse_arguments(arg "DISPATCHED" "" "" ${ARGN})
  get_property(everywhere GLOBAL PROPERTY graft_kernels_everywhere)
  get_property(host GLOBAL PROPERTY graft_kernels_host)
  get_property(narrow GLOBAL PROPERTY graft_kernels_bfloat16)
  set(sources ${${variable}})  # before any variable of this function may have that name
  set(all ${everywhere} ${host} ${narrow})
  list(REMOVE_DUPLICATES all)
  foreach(kernel IN LISTS all)
    graft_pascal_case(${kernel} name)
    set(text "#include <graft/kernels/cpu/${kernel}.hpp>\n\n")
    set(scalars "")
    if(kernel IN_LIST everywhere OR kernel IN_LIST host)
      set(scalars float double)
    endif()
    if(kernel IN_LIST narrow AND NOT kernel MATCHES "^(attention|blocks|matmul|norm|rotary)$")
      list(APPEND scalars graft::bfloat16)
    endif()
    foreach(scalar IN LISTS scalars)
      if(arg_DISPATCHED AND kernel STREQUAL "matmul")
        string(APPEND text "template void graft::kernels::cpu::matmul(graft::kernels::Product<${scalar}> const&);\n")
      else()
        string(APPEND text "template struct graft::kernels::${name}<graft::Cpu, ${scalar}>;\n")
      endif()
    endforeach()
    file(CONFIGURE OUTPUT "${folder}/${kernel}.cpp" CONTENT "${text}" @ONLY)
    list(APPEND sources "${folder}/${kernel}.cpp")
  endforeach()
  set(${variable} "${sources}" PARENT_SCOPE)
endfunction()
