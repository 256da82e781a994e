# cmake -DGIT=... -DSOURCE_DIR=... -DOUTPUT=... -P: writes the source of build_revision(), only when it changed.
set(revision "")
if(GIT)
  execute_process(
    COMMAND "${GIT}" -C "${SOURCE_DIR}" describe --tags --always --dirty --abbrev=12
    OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT revision MATCHES "^[A-Za-z0-9._/+-]+$")
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT [[
#include "runtime/version.hpp"

namespace troupe {

std::string_view build_revision() noexcept { return "@revision@"; }

}  // namespace troupe
]])
