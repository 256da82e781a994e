# How our own code is compiled: warnings, sanitizers, linker, compiler cache.
#
#   troupe_warnings  the warnings, for every target of ours
#   troupe_flags     the same and the sanitizer of the preset; what all but the custodian link

option(TROUPE_WERROR "Warnings are errors" OFF)
option(TROUPE_PCH "Precompile <caf/all.hpp> for the targets that use CAF" ON)
set(TROUPE_SANITIZE "" CACHE STRING "Sanitizer to build with: empty, address (with undefined), thread")
set_property(CACHE TROUPE_SANITIZE PROPERTY STRINGS "" address thread)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# Line numbers for stack traces are enough: full debug information costs half a gigabyte and 40 % of the time for each
# file that instantiates CAF's templates.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
endif()

add_library(troupe_warnings INTERFACE)
target_compile_options(troupe_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Woverloaded-virtual)
if(TROUPE_WERROR)
  target_compile_options(troupe_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlapping and overlong copies in std::string's own operator+ (GCC bugs 105329, 105651), and an
  # uninitialised value in an std::optional that is tested before it is read; 13 mostly does not. The analyzer of
  # ./dev lint looks for the latter.
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(troupe_warnings INTERFACE -Wno-restrict -Wno-array-bounds -Wno-maybe-uninitialized)
  endif()
endif()
# For the floors only: through GoogleTest's printers GCC sees null where the standard library has just looked, and
# instrumented code defeats its analysis altogether.
if(TROUPE_SANITIZE)
  set(TROUPE_FLOOR_WARNINGS "")
else()
  set(TROUPE_FLOOR_WARNINGS -Wnull-dereference)
endif()

add_library(troupe_flags INTERFACE)
target_link_libraries(troupe_flags INTERFACE troupe_warnings)
# An index out of range ends the process instead of corrupting what it then writes to disk.
target_compile_definitions(troupe_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(TROUPE_SANITIZE STREQUAL "address")
  # Without "null": CAF's own header binds a reference to a null tuple when an actor without arguments is spawned.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize=null -fno-sanitize-recover=all)
elseif(TROUPE_SANITIZE STREQUAL "thread")
  set(sanitizers -fsanitize=thread)
elseif(TROUPE_SANITIZE)
  message(FATAL_ERROR "TROUPE_SANITIZE is '${TROUPE_SANITIZE}'; it can be empty, 'address' or 'thread'")
endif()
if(TROUPE_SANITIZE)
  target_compile_options(troupe_flags INTERFACE ${sanitizers} -O1 -fno-omit-frame-pointer)
  target_link_options(troupe_flags INTERFACE ${sanitizers})
endif()

# Both are a matter of speed only, so they are used where they are.
find_program(TROUPE_MOLD mold)
find_program(TROUPE_CCACHE ccache)
mark_as_advanced(TROUPE_MOLD TROUPE_CCACHE)
if(TROUPE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
if(TROUPE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache refuses every file that is compiled with a precompiled header unless it is told these two.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${TROUPE_CCACHE}")
endif()
