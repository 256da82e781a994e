// docs/examples/review: the configuration, the workflow and the script of the example, over tools that are scripts.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* python = "/usr/bin/python3";
constexpr const char* files = "files=docs/examples/review/sample.cpp";

class review_example_test : public cli_fixture {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(python)) {
      GTEST_SKIP() << "needs " << python;
    }
    std::filesystem::create_directory(path("bin"));
    std::filesystem::create_symlink(python, path("bin/python3"));
  }

  void install(const std::string& tool, const std::string& script) const {
    write("bin/" + tool, "#!/bin/sh\n" + script);
    std::filesystem::permissions(path("bin/" + tool), std::filesystem::perms::owner_all);
  }
  void install_cppcheck() const {
    install("cppcheck", R"(/bin/cat >&2 <<'END'
<?xml version="1.0"?><results version="2"><errors>
<error id="nullPointer" severity="warning" msg="Null pointer"><location file="docs/examples/review/sample.cpp" line="26"/>
<location file="docs/examples/review/sample.cpp" line="22"/></error>
<error id="unused" severity="style" msg="Seen by one alone"><location file="docs/examples/review/sample.cpp" line="99"/></error>
</errors></results>
END
)");
  }
  void install_clang_tidy() const {
    install("clang-tidy-14", R"(echo 'docs/examples/review/sample.cpp:26:17: warning: A null [clang-analyzer-core]'
echo '/usr/include/stdlib.h:26:1: warning: Of another file [bugprone-x]'
echo 'docs/examples/review/sample.cpp:35:3: warning: Undefined value [clang-analyzer-core]'
exit 1
)");
  }
  void install_gcc() const {
    install("g++", R"(/bin/cat >&2 <<'END'
[{"kind": "warning", "message": "dereference of NULL", "option": "-Wanalyzer-null-dereference", "locations": [{"caret": {"file": "docs/examples/review/sample.cpp", "line": 26}}]}, {"kind": "warning", "message": "uninitialized", "option": "-Wuninit", "locations": [{"caret": {"file": "docs/examples/review/sample.cpp", "line": 35}}]}]
END
)");
  }

  cli_result review(const words& more = {}) const {
    const std::string examples = TROUPE_SOURCE_DIR "/docs/examples/";
    const std::string workflow = examples + "review.toml";
    const std::string agents = examples + "review.config.toml";
    words arguments{"run", workflow, "--config", agents, "--strict", "--input", files};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, {{"PATH", path("bin")}});
  }
};

TEST_F(review_example_test, what_two_of_three_say_of_one_line_is_the_result) {
  install_cppcheck();
  install_clang_tidy();
  install_gcc();
  const auto text = review({"--run-id", "r1"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("r1\n"),
                    HasSubstr("3 of 3 answered, 2 agreed, 1 in dissent"),
                    HasSubstr("sample.cpp:26: warning: Null pointer (cppcheck, clang-tidy, gcc)\n"),
                    HasSubstr("sample.cpp:35: warning: Undefined value (clang-tidy, gcc)\n"),
                    Not(HasSubstr("Seen by one alone"))));
}

TEST_F(review_example_test, without_one_of_the_tools_it_is_degraded) {
  install_clang_tidy();
  install_gcc();
  const auto text = review();
  EXPECT_EQ(text.code, 3) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("2 of 3 answered: clang-tidy and gcc, 2 agreed"),
                    HasSubstr("cppcheck is missing"),
                    HasSubstr("status 127: findings.py: cppcheck is not installed"),
                    HasSubstr("sample.cpp:26: warning: A null (clang-tidy, gcc)\n")));
}

TEST_F(review_example_test, one_tool_alone_is_no_quorum) {
  install_gcc();
  const auto json = review({"--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(at(json_of(json.out), "/error/code"), "QUORUM_NOT_MET");
}

}  // namespace
}  // namespace troupe
