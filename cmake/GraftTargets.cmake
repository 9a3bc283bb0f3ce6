# graft::graft and its optional components. A component whose packages are missing is left out, and said so; the core is required.
include(GraftDependencies)
include(GraftCompiled)

# graft_component(NAME LINK libraries…): the INTERFACE target graft::NAME, exported on its own so that an installed tree needs no more than is asked for
function(graft_component name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_library(graft_${name} INTERFACE)
  add_library(graft::${name} ALIAS graft_${name})
  set_target_properties(graft_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(graft_${name} INTERFACE ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY graft_components ${name})
endfunction()

graft_find_dependencies(core QUIET)
if(graft_core_missing)
  message(FATAL_ERROR "${graft_core_missing}")
endif()
graft_component(graft LINK Eigen3::Eigen xtensor Threads::Threads)
target_compile_features(graft_graft INTERFACE cxx_std_20)
target_include_directories(graft_graft INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                                 "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

graft_find_dependencies(io QUIET)
if(graft_io_missing)
  message(STATUS "Left out: ${graft_io_missing}")
else()
  graft_component(io LINK graft::graft nlohmann_json::nlohmann_json)
endif()

graft_find_dependencies(text QUIET)
if(graft_text_missing)
  message(STATUS "Left out: ${graft_text_missing}")
else()
  graft_component(text LINK graft::graft ICU::uc)
endif()

if(GRAFT_CUDA)  # AUTO is true as well
  graft_find_dependencies(cuda QUIET)
  if(NOT graft_cuda_missing)
    graft_component(cuda LINK graft::graft CUDA::cudart CUDA::cublas)
    include(GraftCuda OPTIONAL)
  elseif(GRAFT_CUDA STREQUAL "AUTO")
    message(STATUS "Left out: ${graft_cuda_missing}")
  else()
    message(FATAL_ERROR "${graft_cuda_missing}; or configure with -DGRAFT_CUDA=OFF")
  endif()
endif()

graft_add_compiled("${PROJECT_SOURCE_DIR}/cmake/compiled")
if(TARGET graft_warnings)
  target_link_libraries(graft_compiled PRIVATE "$<BUILD_INTERFACE:graft_warnings>")
endif()
