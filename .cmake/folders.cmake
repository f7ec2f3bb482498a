# One library a folder: every .cpp in it, found by globbing, so that a new file needs no edit here.
add_library(kith_pch OBJECT ${CMAKE_SOURCE_DIR}/.cmake/pch.cpp)
target_link_libraries(kith_pch PUBLIC kith_flags)
target_precompile_headers(kith_pch PRIVATE ${CMAKE_SOURCE_DIR}/.cmake/pch.hpp)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(kith_flags INTERFACE -fpch-preprocess)
else()
  target_compile_options(kith_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

function(kith_target_name folder out)
  string(REPLACE "/" "_" name ${folder})
  set(${out} ${name} PARENT_SCOPE)
endfunction()

# kith_folder(net/wire LINK kith_net_crypto ...). CAPNP in LINK generates code from the folder's schemas; ASIO and BEAST
# mark the folders that may include those headers (they define the separate-compilation macros).
function(kith_folder folder)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  kith_target_name(${folder} name)
  set(target kith_${name})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  set(link ${ARG_LINK})
  list(REMOVE_ITEM link CAPNP ASIO BEAST)
  set(generated)
  if("CAPNP" IN_LIST ARG_LINK)
    file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.capnp)
    if(schemas)
      set(out ${CMAKE_BINARY_DIR}/generated/${folder})
      file(MAKE_DIRECTORY ${out})
      foreach(schema ${schemas})
        get_filename_component(file ${schema} NAME)
        add_custom_command(OUTPUT ${out}/${file}.c++ ${out}/${file}.h DEPENDS ${schema}
          COMMAND ${KITH_CAPNP} compile -oc++:${out} --src-prefix=${CMAKE_SOURCE_DIR}/${folder}
                  ${schema})
        list(APPEND generated ${out}/${file}.c++)
      endforeach()
      set_source_files_properties(${generated} PROPERTIES
        COMPILE_OPTIONS
        "-Wno-conversion;-Wno-shadow;-Wno-pedantic;-include;${CMAKE_SOURCE_DIR}/schema/kith/capnp_compat.hpp"
        SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endif()
  if(NOT sources AND NOT generated)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE kith_flags ${link})
    return()
  endif()
  add_library(${target} STATIC ${sources} ${generated})
  target_link_libraries(${target} PUBLIC kith_flags ${link})
  target_precompile_headers(${target} REUSE_FROM kith_pch)
  if(generated)
    target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/generated/${folder})
  endif()
  if("ASIO" IN_LIST ARG_LINK OR "BEAST" IN_LIST ARG_LINK)
    target_compile_definitions(${target} PUBLIC
      BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
      BOOST_ASIO_HAS_CO_AWAIT)
  endif()
endfunction()

# A program is the main.cpp (or NAME_main.cpp) of a folder.
function(kith_program program folder)
  set(main ${CMAKE_SOURCE_DIR}/${folder}/main.cpp)
  if(EXISTS ${main})
    kith_target_name(${folder} name)
    add_executable(${program} ${main})
    target_link_libraries(${program} PRIVATE kith_${name})
    target_precompile_headers(${program} REUSE_FROM kith_pch)
  endif()
endfunction()

# What a folder's tests link to beside the folder itself.
set(KITH_TEST_LINK_net_base kith_simnet)
set(KITH_TEST_LINK_net_host kith_simnet kith_net_asio)
set(KITH_TEST_LINK_net_asio kith_net_asio kith_test_shaped)
set(KITH_TEST_LINK_dht kith_simnet)
set(KITH_TEST_LINK_gossip kith_simnet)
set(KITH_TEST_LINK_services_r1fs kith_services_store)
set(KITH_TEST_LINK_services_cstore kith_simnet kith_services_store)
set(KITH_TEST_LINK_services_node kith_simnet kith_services_store)
set(KITH_TEST_LINK_services_bridge kith_services_store)
set(KITH_TEST_LINK_schema_libp2p kith_libp2p_oracle)

# A transport that makes loopback as slow as the simulator's links; tests compare the two with it.
function(kith_test_shaped)
  add_library(kith_test_shaped STATIC EXCLUDE_FROM_ALL
    ${CMAKE_SOURCE_DIR}/tests/support/shaped_transport.cpp)
  target_link_libraries(kith_test_shaped PUBLIC kith_net_host)
  target_precompile_headers(kith_test_shaped REUSE_FROM kith_pch)
endfunction()

# protoc's own decoders of schema/libp2p/*.proto, which the tests compare ours with. Generated code
# is not held to our warnings, and stands beside its library's headers as a system header.
function(kith_libp2p_oracle)
  file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/libp2p/*.proto)
  set(out ${CMAKE_BINARY_DIR}/generated/libp2p_oracle)
  file(MAKE_DIRECTORY ${out}/libp2p_oracle)
  set(generated)
  foreach(proto ${protos})
    get_filename_component(name ${proto} NAME_WE)
    set(files ${out}/libp2p_oracle/${name}.pb.cc ${out}/libp2p_oracle/${name}.pb.h)
    add_custom_command(OUTPUT ${files} DEPENDS ${proto}
      COMMAND protobuf::protoc --cpp_out=${out}/libp2p_oracle
              -I ${CMAKE_SOURCE_DIR}/schema/libp2p ${proto})
    list(APPEND generated ${files})
  endforeach()
  add_library(kith_libp2p_oracle STATIC EXCLUDE_FROM_ALL ${generated})
  target_include_directories(kith_libp2p_oracle SYSTEM PUBLIC ${out})
  target_link_libraries(kith_libp2p_oracle PUBLIC protobuf::libprotobuf)
  if(KITH_CHECK)
    target_compile_options(kith_libp2p_oracle PRIVATE ${KITH_SANITIZE} -g1)
  endif()
endfunction()

function(kith_tests)
  set(folders schema/base schema/libp2p schema/kith net/base net/crypto net/wire net/host net/asio dht gossip
      services/store services/r1fs services/cstore services/edil services/poa services/node services/bridge services/daemon simnet simnet/scenario simnet/program)
  include(GoogleTest)
  add_library(kith_test_pch OBJECT ${CMAKE_SOURCE_DIR}/.cmake/pch.cpp)
  target_link_libraries(kith_test_pch PRIVATE kith_flags GTest::gtest GTest::gmock)
  target_precompile_headers(kith_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/.cmake/pch.hpp
    <gtest/gtest.h>)
  foreach(folder ${folders})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cpp)
    if(NOT sources)
      continue()
    endif()
    kith_target_name(${folder} name)
    add_executable(test_${name} ${sources})
    target_link_libraries(test_${name} PRIVATE kith_${name} ${KITH_TEST_LINK_${name}}
      GTest::gtest GTest::gmock GTest::gtest_main /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/librapidcheck.a)
    target_compile_definitions(test_${name} PRIVATE
      KITH_TEST_FIXTURES="${CMAKE_SOURCE_DIR}/tests/fixtures")
    target_precompile_headers(test_${name} REUSE_FROM kith_test_pch)
    gtest_discover_tests(test_${name} TEST_PREFIX ${folder}: DISCOVERY_MODE PRE_TEST
      PROPERTIES TIMEOUT 300)
  endforeach()
endfunction()

# bench/*.cpp: one program each, with Google Benchmark at hand.
function(kith_benches)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cpp)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(bench_${name} ${source})
    target_link_libraries(bench_${name} PRIVATE kith_simnet kith_services_store kith_net_asio
      benchmark::benchmark)
    target_precompile_headers(bench_${name} REUSE_FROM kith_pch)
  endforeach()
endfunction()

# The test of the simulator by planted faults: one test a fault, so that they run side by side.
function(kith_planted)
  if(NOT KITH_PLANTED)
    return()
  endif()
  add_executable(test_planted ${CMAKE_SOURCE_DIR}/tests/simnet/planted/planted_test.cpp)
  target_link_libraries(test_planted PRIVATE kith_simnet_scenario GTest::gtest GTest::gtest_main)
  target_compile_definitions(test_planted PRIVATE
    KITH_PLANTED_SCENARIOS="${CMAKE_SOURCE_DIR}/tests/simnet/planted")
  target_precompile_headers(test_planted REUSE_FROM kith_test_pch)
  gtest_discover_tests(test_planted TEST_PREFIX simnet/planted: DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT 300)
endfunction()

# tests/fuzz/NAME_fuzz.cpp with corpus in tests/fuzz/corpus/NAME; each runs 5 s as a test. A line
# "// Links: kith_..." in it names what it needs, where that is less than everything.
function(kith_fuzzers)
  if(NOT KITH_CHECK)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cpp)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" name ${name})
    add_executable(fuzz_${name} ${source})
    file(STRINGS ${source} link REGEX "^// Links: ")
    string(REGEX REPLACE "^// Links: " "" link "${link}")
    separate_arguments(link)
    if(NOT link)
      set(link kith_simnet kith_services_store)
    endif()
    target_link_libraries(fuzz_${name} PRIVATE kith_flags ${link})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set(scratch ${CMAKE_BINARY_DIR}/corpus/${name})
    file(MAKE_DIRECTORY ${scratch})
    set(seeds)
    if(EXISTS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
      set(seeds ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    endif()
    add_test(NAME fuzz:${name} COMMAND fuzz_${name} -max_total_time=5 -rss_limit_mb=512
      -timeout=5 -print_final_stats=1 -artifact_prefix=${scratch}/crash- ${scratch} ${seeds})
    set_tests_properties(fuzz:${name} PROPERTIES TIMEOUT 60)
  endforeach()
endfunction()

# Each header must compile alone: an object library of one-line files, built by `./dev lint`.
function(kith_header_check)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
    ${CMAKE_SOURCE_DIR}/schema/*.hpp ${CMAKE_SOURCE_DIR}/net/*.hpp ${CMAKE_SOURCE_DIR}/dht/*.hpp
    ${CMAKE_SOURCE_DIR}/gossip/*.hpp ${CMAKE_SOURCE_DIR}/services/*.hpp
    ${CMAKE_SOURCE_DIR}/simnet/*.hpp)
  set(files)
  foreach(header ${headers})
    string(REPLACE "/" "_" flat ${header})
    set(file ${CMAKE_BINARY_DIR}/headers/${flat}.cpp)
    if(NOT EXISTS ${file})
      file(WRITE ${file} "#include \"${header}\"\n")
    endif()
    list(APPEND files ${file})
  endforeach()
  if(files)
    add_library(kith_headers OBJECT EXCLUDE_FROM_ALL ${files})
    target_link_libraries(kith_headers PRIVATE kith_simnet kith_services_daemon)
    target_compile_options(kith_headers PRIVATE -O0 -fsyntax-only -U_FORTIFY_SOURCE)
    set_target_properties(kith_headers PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# What holds for the house as a whole, and a test that the checker itself finds what is planted.
function(kith_house)
  find_program(KITH_PYTHON python3 REQUIRED)
  add_test(NAME house:arrows COMMAND ${KITH_PYTHON} ${CMAKE_SOURCE_DIR}/tests/house/arrows.py)
  add_test(NAME house:arrows_test
    COMMAND ${KITH_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/house/arrows_test.py)
  set(planted ${CMAKE_SOURCE_DIR}/tests/house/planted.py)
  set(names ${CMAKE_SOURCE_DIR}/net/base/planted.hpp)
  if(KITH_PLANTED)
    add_test(NAME house:planted COMMAND ${KITH_PYTHON} ${planted} --present ${names}
      $<TARGET_FILE:test_planted>)
  else()
    add_test(NAME house:planted COMMAND ${KITH_PYTHON} ${planted} ${names} $<TARGET_FILE:kith>
      $<TARGET_FILE:kith-sim>)
  endif()
  set_tests_properties(house:arrows house:arrows_test house:planted PROPERTIES TIMEOUT 60)
endfunction()

# Against js-libp2p and Helia, live (tests/interop/README.md). Installs from the lock file the first
# time. Not under sanitizers: its deadlines are those of a program as it is shipped.
function(kith_interop)
  if(KITH_CHECK OR NOT TARGET kith)
    return()
  endif()
  add_test(NAME interop COMMAND ${CMAKE_SOURCE_DIR}/tests/interop/run)
  set_tests_properties(interop PROPERTIES
    ENVIRONMENT KITH_BIN=$<TARGET_FILE:kith> TIMEOUT 900 RUN_SERIAL TRUE)
endfunction()

# Real processes on loopback. They measure and kill, so they run alone, and with the program that ships.
function(kith_e2e)
  if(KITH_CHECK OR NOT TARGET kith)
    return()
  endif()
  find_program(KITH_PYTHON python3 REQUIRED)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/e2e/*_test.py)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "_test$" "" name ${name})
    add_test(NAME e2e:${name} COMMAND ${KITH_PYTHON} -B ${source})
    set_tests_properties(e2e:${name} PROPERTIES ENVIRONMENT KITH_BIN=$<TARGET_FILE:kith>
      TIMEOUT 300 RUN_SERIAL ON)
  endforeach()
endfunction()

# The simulator beside real sockets (tests/reality/README.md). The whole of it is `./dev reality`; a
# test plays two seeds. Not under sanitizers: it measures.
function(kith_reality)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/reality/*.cpp)
  add_executable(reality ${sources})
  target_link_libraries(reality PRIVATE kith_simnet kith_net_asio kith_services_store
    kith_test_shaped)
  target_precompile_headers(reality REUSE_FROM kith_pch)
  if(KITH_CHECK)
    return()
  endif()
  add_test(NAME reality COMMAND reality 2)
  set_tests_properties(reality PROPERTIES TIMEOUT 300 RUN_SERIAL ON)
endfunction()
