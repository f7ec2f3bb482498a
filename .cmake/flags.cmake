# Warnings and hardening, one place. Sanitizer builds drop FORTIFY and auto-init: they would blind the sanitizers.
add_library(kith_flags INTERFACE)
target_compile_options(kith_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  -ffp-contract=off -fno-omit-frame-pointer -fstack-protector-strong -fPIE
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
target_include_directories(kith_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(kith_flags INTERFACE _GLIBCXX_ASSERTIONS)

if(KITH_CHECK)
  set(KITH_SANITIZE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_compile_options(kith_flags INTERFACE ${KITH_SANITIZE} -fsanitize=fuzzer-no-link -O1 -g1)
  target_link_options(kith_flags INTERFACE ${KITH_SANITIZE})
else()
  target_compile_options(kith_flags INTERFACE
    -fstack-clash-protection -fcf-protection=full
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(kith_flags INTERFACE
      -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr)
  else()
    target_compile_options(kith_flags INTERFACE -ftrivial-auto-var-init=pattern)
  endif()
  target_link_options(kith_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(KITH_PLANTED)
  target_compile_definitions(kith_flags INTERFACE KITH_PLANTED)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
find_program(KITH_MOLD mold)
if(KITH_MOLD)
  target_link_options(kith_flags INTERFACE -fuse-ld=mold)
endif()
