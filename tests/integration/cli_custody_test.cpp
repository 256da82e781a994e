// Processes as users meet them: without a custodian, and with figures of their starts.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class cli_custody_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("function.toml",
          "name = 'count'\n[[step]]\nid = 'n'\nfunction = 'probe.set'\nargs = { field = 'n', value = 3 }\n");
    write("agents.toml",
          "name = 'ask'\n[[step]]\nid = 's'\nagents = ['a', 'b']\n[step.consensus]\nstrategy = 'collect'\n");
    write("troupe.toml", "[agents.a]\n" + scripted({"print", "x"}) + "[agents.b]\n" + scripted({"print", "y"}));
  }
};

TEST_F(cli_custody_test, without_a_custodian_functions_run_and_agents_say_what_to_do) {
  const auto ends = path("ends");
  std::ofstream{ends} << "#!/bin/sh\nexit 3\n";
  std::filesystem::permissions(ends, std::filesystem::perms::owner_all);
  for (const auto& custodian : {std::string{"/no/such/custodian"}, ends}) {
    SCOPED_TRACE(custodian);
    const words without{"--set", "runtime.custodian=" + custodian};
    const auto with = [&](words command) {
      command.insert(command.end(), without.begin(), without.end());
      return run(command);
    };
    EXPECT_EQ(with({"run", "function.toml"}).code, 0);
    const auto asked = with({"run", "agents.toml", "--json"});
    EXPECT_EQ(asked.code, 1);
    const auto ended = json_of(asked.out);
    EXPECT_THAT(at(ended, "/error/message") + at(ended, "/error/cause"), HasSubstr(custodian));
    const auto shown = run({"show", "last"}).out;
    EXPECT_THAT(shown, AllOf(HasSubstr("custodian"), HasSubstr("no agent can run")));
    const auto doctor = with({"doctor", "-q"});
    EXPECT_EQ(doctor.code, 1);
    EXPECT_THAT(doctor.out, AllOf(HasSubstr("custodian"), HasSubstr(custodian), HasSubstr("hint:")));
  }
}

TEST_F(cli_custody_test, a_verbose_run_tells_how_long_starts_took) {
  const auto done = run({"run", "agents.toml", "-v"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.err,
              AllOf(ContainsRegex("starts of a: 1, p50 [0-9]+\\.[0-9] ms, p95 [0-9]+\\.[0-9] ms"),
                    HasSubstr("starts of b: 1")));
}

}  // namespace
}  // namespace troupe
