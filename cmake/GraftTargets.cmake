# graft::graft and its optional components. A component whose packages are missing is left out, and said so; the core is required.
include(GraftDependencies)
include(GraftOptimization)
include(GraftCompiled)
include(GraftAny)
graft_check_optimization()

# graft_component(NAME LINK libraries…): the INTERFACE target graft::NAME, exported on its own so that an installed tree needs no more than is asked for
function(graft_component name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_library(graft_${name} INTERFACE)
  add_library(graft::${name} ALIAS graft_${name})
  set_target_properties(graft_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(graft_${name} INTERFACE ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY graft_components ${name})
endfunction()

# graft_optional_component(NAME LINK libraries…): the same, where its packages are found; else left out, and said so
macro(graft_optional_component name)
  graft_find_dependencies(${name} QUIET)
  if(graft_${name}_missing)
    message(STATUS "Left out: ${graft_${name}_missing}")
  else()
    graft_component(${name} ${ARGN})
  endif()
endmacro()

graft_find_dependencies(core QUIET)
if(graft_core_missing)
  message(FATAL_ERROR "${graft_core_missing}")
endif()
graft_component(graft LINK Eigen3::Eigen Threads::Threads)
target_compile_features(graft_graft INTERFACE cxx_std_20)
target_include_directories(graft_graft INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                                 "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
graft_apply_native(graft_graft)

graft_optional_component(xtensor LINK graft::graft xtensor)

graft_optional_component(io LINK graft::graft nlohmann_json::nlohmann_json)

graft_find_dependencies(xml QUIET)
if(graft_xml_missing OR graft_io_missing)
  message(STATUS "Left out: ${graft_xml_missing}${graft_io_missing}")
else()
  graft_component(xml LINK graft::io EXPAT::EXPAT)
  target_compile_definitions(graft_xml INTERFACE GRAFT_XML)
endif()

graft_optional_component(text LINK graft::graft ICU::uc)

graft_optional_component(onednn LINK graft::graft Onednn::dnnl)
if(TARGET graft_onednn)
  target_compile_definitions(graft_onednn INTERFACE GRAFT_ONEDNN)
endif()

if(TARGET graft::text)
  graft_optional_component(meteor LINK graft::text ZLIB::ZLIB Snowball::stemmer)
  if(TARGET graft_meteor)
    target_compile_definitions(graft_meteor INTERFACE GRAFT_METEOR)
  endif()
endif()

if(GRAFT_CUDA)  # AUTO is true as well
  graft_find_dependencies(cuda QUIET)
  if(NOT graft_cuda_missing)
    graft_component(cuda LINK graft::graft CUDA::cudart CUDA::cublas CUDA::cublasLt)
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
if(TARGET graft::io AND TARGET graft::text)
  graft_add_any("${PROJECT_SOURCE_DIR}/cmake/any")
endif()
