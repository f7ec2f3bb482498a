# OUT: a C++ file with VERSION and what git says of SOURCE; "unknown" without git.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --tags
  OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
if(failed OR NOT commit MATCHES "^[-._/A-Za-z0-9]+$")
  set(commit unknown)
endif()
set(text "#include \"simnet/program/shipped.hpp\"\n\nnamespace kith::simnet {\n
std::string_view program_commit() { return \"${commit}\"; }
std::string_view program_version() { return \"${VERSION}\"; }\n
}  // namespace kith::simnet\n")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
