# The target docs, and what the test of the documentation needs: graft_doxygen_command, empty where Doxygen is not installed.
find_program(DOXYGEN_EXECUTABLE doxygen)
find_package(Python3 COMPONENTS Interpreter QUIET)
find_path(DOXYGEN_AWESOME_FOLDER doxygen-awesome.css PATH_SUFFIXES share/doxygen-awesome-css)
mark_as_advanced(DOXYGEN_EXECUTABLE DOXYGEN_AWESOME_FOLDER)

set(graft_doxygen_command "")
if(DOXYGEN_EXECUTABLE AND Python3_Interpreter_FOUND)
  set(DOXYGEN_STYLE "${PROJECT_SOURCE_DIR}/docs/doxygen/style.css")
  if(DOXYGEN_AWESOME_FOLDER)
    set(DOXYGEN_STYLE "${DOXYGEN_AWESOME_FOLDER}/doxygen-awesome.css ${DOXYGEN_AWESOME_FOLDER}/doxygen-awesome-sidebar-only.css \
      ${PROJECT_SOURCE_DIR}/docs/doxygen/style.css")
  endif()
  set(DOXYGEN_OUTPUT "${PROJECT_BINARY_DIR}/docs")
  file(MAKE_DIRECTORY "${DOXYGEN_OUTPUT}")
  configure_file("${PROJECT_SOURCE_DIR}/docs/Doxyfile.in" "${PROJECT_BINARY_DIR}/Doxyfile" @ONLY)
  set(graft_doxygen_command "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/docs/doxygen/run.py" "${DOXYGEN_EXECUTABLE}" "${PROJECT_BINARY_DIR}/Doxyfile"
                            "${PROJECT_SOURCE_DIR}" "${DOXYGEN_OUTPUT}")
  if(GRAFT_DOCS OR graft_top_level)
    add_custom_target(docs COMMAND ${graft_doxygen_command} COMMENT "Documentation: ${DOXYGEN_OUTPUT}/html/index.html" VERBATIM)
  endif()
elseif(GRAFT_DOCS)
  message(FATAL_ERROR "GRAFT_DOCS needs doxygen and Python; install doxygen and python3, or configure with -DGRAFT_DOCS=OFF")
endif()
