# What kith-sim carries: the shipped scenarios, and the commit it was built from.
function(kith_program_data)
  set(out ${CMAKE_BINARY_DIR}/generated/simnet/program)
  file(MAKE_DIRECTORY ${out})
  file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/simnet/scenarios/*.toml)
  add_custom_command(OUTPUT ${out}/shipped_texts.cpp
    DEPENDS ${scenarios} ${CMAKE_SOURCE_DIR}/.cmake/write_shipped.cmake
    COMMAND ${CMAKE_COMMAND} -DOUT=${out}/shipped_texts.cpp "-DFILES=${scenarios}"
            -P ${CMAKE_SOURCE_DIR}/.cmake/write_shipped.cmake
    VERBATIM)
  # Asked of git at each build; the file changes only when the answer does.
  add_custom_target(kith_commit BYPRODUCTS ${out}/commit.cpp
    COMMAND ${CMAKE_COMMAND} -DOUT=${out}/commit.cpp -DSOURCE=${CMAKE_SOURCE_DIR}
            -DVERSION=${PROJECT_VERSION} -P ${CMAKE_SOURCE_DIR}/.cmake/write_commit.cmake
    VERBATIM)
  target_sources(kith_simnet_program PRIVATE ${out}/shipped_texts.cpp ${out}/commit.cpp)
  set_source_files_properties(${out}/shipped_texts.cpp ${out}/commit.cpp PROPERTIES
    SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(kith_simnet_program kith_commit)
endfunction()
