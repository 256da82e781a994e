# The C++ Actor Framework. Debian's libcaf-dev brings headers and libraries, but neither a CMake package nor a .pc file.
#
#   find_package(CAF 0.17.6 REQUIRED COMPONENTS core)   ->  CAF::core, and CAF::io, CAF::openssl when asked for
#
# CAF_LIBRARY_DIR may name a folder with a libcaf_core of another build (the one instrumented for ThreadSanitizer); the
# headers stay the system's, which are the same.
include(FindPackageHandleStandardArgs)
include(CMakeFindDependencyMacro)
find_dependency(Threads)

set(CAF_LIBRARY_DIR "" CACHE PATH "Where to look for CAF's libraries before the system's folders")

find_path(CAF_INCLUDE_DIR NAMES caf/actor_system.hpp)
mark_as_advanced(CAF_INCLUDE_DIR)

# caf/config.hpp: #define CAF_VERSION 1706 is 0.17.6
if(CAF_INCLUDE_DIR AND EXISTS "${CAF_INCLUDE_DIR}/caf/config.hpp")
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" version_line REGEX "^#define CAF_VERSION [0-9]+")
  if(version_line MATCHES "([0-9]+)$")
    math(EXPR CAF_VERSION_MAJOR "${CMAKE_MATCH_1} / 10000")
    math(EXPR CAF_VERSION_MINOR "${CMAKE_MATCH_1} / 100 % 100")
    math(EXPR CAF_VERSION_PATCH "${CMAKE_MATCH_1} % 100")
    set(CAF_VERSION "${CAF_VERSION_MAJOR}.${CAF_VERSION_MINOR}.${CAF_VERSION_PATCH}")
  endif()
  unset(version_line)
endif()

if(NOT CAF_FIND_COMPONENTS)
  set(CAF_FIND_COMPONENTS core)
endif()

# What each component stands on; a component brings these along.
set(caf_needs_core Threads::Threads)
set(caf_needs_io CAF::core)
set(caf_needs_openssl CAF::io OpenSSL::SSL OpenSSL::Crypto)
if("openssl" IN_LIST CAF_FIND_COMPONENTS)
  find_dependency(OpenSSL)
endif()

foreach(component IN LISTS CAF_FIND_COMPONENTS)
  if(CAF_LIBRARY_DIR)
    # Never the system's library where another one was asked for: the two differ in what they were built with.
    find_library(CAF_${component}_LIBRARY NAMES caf_${component} PATHS "${CAF_LIBRARY_DIR}" NO_DEFAULT_PATH)
  else()
    find_library(CAF_${component}_LIBRARY NAMES caf_${component})
  endif()
  mark_as_advanced(CAF_${component}_LIBRARY)
  if(CAF_INCLUDE_DIR AND CAF_${component}_LIBRARY)
    set(CAF_${component}_FOUND TRUE)
    if(NOT TARGET CAF::${component})
      add_library(CAF::${component} UNKNOWN IMPORTED)
      set_target_properties(CAF::${component} PROPERTIES
        IMPORTED_LOCATION "${CAF_${component}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "${caf_needs_${component}}")
    endif()
  endif()
endforeach()

find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE "install libcaf-dev (./dev setup does)")
