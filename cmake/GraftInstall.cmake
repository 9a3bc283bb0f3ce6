# Headers, the components' targets, and the sources of graft::compiled and graft::any, which are built where they are used.
include(CMakePackageConfigHelpers)
set(graft_package_folder "${CMAKE_INSTALL_DATADIR}/cmake/graft")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(FILES "${PROJECT_SOURCE_DIR}/cmake/gdb/graft_gdb.py" DESTINATION "${CMAKE_INSTALL_DATADIR}/graft/gdb")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/cmake/compiled" "${PROJECT_SOURCE_DIR}/cmake/any" DESTINATION "${graft_package_folder}" FILES_MATCHING PATTERN "*.cpp")
install(FILES "${PROJECT_SOURCE_DIR}/cmake/GraftDependencies.cmake" "${PROJECT_SOURCE_DIR}/cmake/GraftCompiled.cmake" "${PROJECT_SOURCE_DIR}/cmake/GraftKernels.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/GraftOptimization.cmake" "${PROJECT_SOURCE_DIR}/cmake/GraftDispatch.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/GraftAny.cmake"
        DESTINATION "${graft_package_folder}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/cmake/dispatch" DESTINATION "${graft_package_folder}")
install(FILES "${PROJECT_SOURCE_DIR}/cmake/GraftCuda.cmake" DESTINATION "${graft_package_folder}" OPTIONAL)

get_property(graft_components GLOBAL PROPERTY graft_components)
foreach(component IN LISTS graft_components)
  install(TARGETS graft_${component} EXPORT graft_${component})
  install(EXPORT graft_${component} NAMESPACE graft:: FILE graft_${component}.cmake DESTINATION "${graft_package_folder}")
endforeach()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/graftConfig.cmake.in" "${PROJECT_BINARY_DIR}/graftConfig.cmake"
                              INSTALL_DESTINATION "${graft_package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/graftConfigVersion.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/graftConfig.cmake" "${PROJECT_BINARY_DIR}/graftConfigVersion.cmake"
        DESTINATION "${graft_package_folder}")
