# cmake -DJOINER=ld -DOBJCOPY=… -DOBJDUMP=… -DLEVEL=v3 -DOBJECTS=a.o;b.o -DOUTPUT=path -P join_level.cmake
# Joins the kernels' objects of one processor level into OUTPUT.o and lists the kernels' names in OUTPUT.entries.
#
# In OUTPUT.o every function carries the level in its name (".v3" at its end) and is local, but for the kernels. So no other code can be linked to one.
# Data that a program may have once only stay as they are: pools, flags of threads, their guards, and the types of exceptions. Data of the kernels
# themselves (thread-local buffers, whose alignment differs from level to level) and of Eigen are local, as are constants and virtual tables.
cmake_policy(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status ERROR_VARIABLE message OUTPUT_VARIABLE output)
  if(status)
    message(FATAL_ERROR "[graft] a tool for the kernels of level ${LEVEL} failed: ${ARGN}: ${message}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

get_filename_component(folder "${OUTPUT}" DIRECTORY)
file(MAKE_DIRECTORY "${folder}")
run("${JOINER}" -r --force-group-allocation -o "${OUTPUT}.joined.o" ${OBJECTS})
run("${OBJDUMP}" -t "${OUTPUT}.joined.o")

# value, seven flags (the first two: local, global, weak; the last: F a function, O an object), section, size, perhaps visibility, name
string(REGEX MATCHALL "[^\n]+" lines "${output}")
set(kernel "^_ZN5graft7kernels([0-9]+[A-Za-z]+INS_3CpuE([fd]|NS_8bfloat16E)E|3cpu6matmulI[fd]E)")
set(renamed "")
set(global "")
set(entries "")
foreach(line IN LISTS lines)
  if(NOT line MATCHES "^[0-9a-f]+ ([lgu! ])([w ])....([FO ]) ([^\t]+)\t[0-9a-f]+ +(\\.hidden |\\.internal |\\.protected )?([^ ]+)$")
    continue()
  endif()
  set(binding "${CMAKE_MATCH_1}${CMAKE_MATCH_2}")
  set(type "${CMAKE_MATCH_3}")
  set(section "${CMAKE_MATCH_4}")
  set(name "${CMAKE_MATCH_6}")
  if(section STREQUAL "*UND*" OR name STREQUAL section)
    continue()
  elseif(type STREQUAL "F")
    list(APPEND renamed "${name} ${name}.${LEVEL}")
    if(name MATCHES "${kernel}" AND NOT binding MATCHES "l")
      list(APPEND global "${name}.${LEVEL}")
      list(APPEND entries "${name}")
    endif()
  elseif(NOT binding MATCHES "l")
    set(shared FALSE)
    if(section MATCHES "^\\.(t?bss|t?data)" AND NOT section MATCHES "^\\.data\\.rel\\.ro" AND
       NOT name MATCHES "^(_ZGV|_)Z+NK?(5graft7kernels|5Eigen)|^DW\\.ref\\.")
      set(shared TRUE)
    endif()
    if(shared OR name MATCHES "^_ZT[IS][^Z]")  # not of types within a function
      list(APPEND global "${name}")
    endif()
  endif()
endforeach()
list(REMOVE_DUPLICATES renamed)
list(SORT entries)
if(NOT entries)
  message(FATAL_ERROR "[graft] the objects of level ${LEVEL} hold no kernel: ${OBJECTS}")
endif()

foreach(list renamed global entries)
  list(JOIN ${list} "\n" text)
  file(WRITE "${OUTPUT}.${list}" "${text}\n")
endforeach()
run("${OBJCOPY}" "--redefine-syms=${OUTPUT}.renamed" "${OUTPUT}.joined.o" "${OUTPUT}.named.o")
run("${OBJCOPY}" "--keep-global-symbols=${OUTPUT}.global" "${OUTPUT}.named.o" "${OUTPUT}.o")
file(REMOVE "${OUTPUT}.joined.o" "${OUTPUT}.named.o")
