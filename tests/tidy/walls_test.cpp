// The walker itself: that it notices what it is there for, and leaves the rest in peace.
#include "tests/tidy/walls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::tidy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

const file_set& house() {
  static const file_set all{"messages/run.hpp",
                            "messages/interfaces/run.hpp",
                            "config/settings.hpp",
                            "config/load.hpp",
                            "storage/write_session.hpp",
                            "actors/service.hpp",
                            "actors/json/json.hpp",
                            "actors/agent/agent_actor.hpp",
                            "actors/agent/process_port.hpp",
                            "actors/run/run_actor.hpp",
                            "actors/run/plan.hpp",
                            "runtime/node.hpp",
                            "runtime/os/signals.hpp",
                            "runtime/include/troupe/runtime.hpp",
                            "tests/support/temporary_folder.hpp"};
  return all;
}

source_file file(std::string path, std::string text) { return {std::move(path), std::move(text)}; }

auto says(std::size_t line, const std::string& part) {
  return AllOf(Field(&finding::line, line), Field(&finding::what, HasSubstr(part)));
}

TEST(walls, reads_includes_with_any_spacing_and_skips_comments) {
  const auto found = includes_of(
      "#pragma once\n"
      "// #include \"a/commented.hpp\"\n"
      "#include \"messages/run.hpp\"\n"
      "  #  include <vector>\r\n"
      "#include MACRO\n"
      "#include <unclosed\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "messages/run.hpp");
  EXPECT_EQ(found[0].line, 3U);
  EXPECT_FALSE(found[0].angled);
  EXPECT_EQ(found[1].name, "vector");
  EXPECT_EQ(found[1].line, 4U);
  EXPECT_TRUE(found[1].angled);
}

TEST(walls, notices_a_call_upward) {
  EXPECT_THAT(check_floors(file("messages/x.hpp", "\n#include \"config/settings.hpp\"\n"), house()),
              ElementsAre(says(2, "may not be included from messages/")));
  EXPECT_THAT(check_floors(file("storage/x.cpp", "#include \"actors/service.hpp\"\n"), house()),
              ElementsAre(says(1, "may not be included from storage/")));
  EXPECT_THAT(check_floors(file("actors/run/x.cpp", "#include \"runtime/node.hpp\"\n"), house()),
              ElementsAre(says(1, "may not be included from actors/")));
}

TEST(walls, lets_arrows_go_down) {
  EXPECT_THAT(check_floors(file("runtime/node.cpp",
                                "#include \"runtime/node.hpp\"\n"
                                "#include \"actors/run/run_actor.hpp\"\n"
                                "#include \"storage/write_session.hpp\"\n"
                                "#include \"config/load.hpp\"\n"
                                "#include \"messages/run.hpp\"\n"
                                "#include <troupe/runtime.hpp>\n"
                                "#include <vector>\n"),
                           house()),
              IsEmpty());
}

TEST(walls, gives_low_floors_the_settings_and_no_more_of_config) {
  EXPECT_THAT(check_floors(file("storage/x.cpp", "#include \"config/settings.hpp\"\n"), house()), IsEmpty());
  EXPECT_THAT(check_floors(file("storage/x.cpp", "#include \"config/load.hpp\"\n"), house()),
              ElementsAre(says(1, "config/load.hpp")));
}

TEST(walls, gives_storage_to_the_database_actors_only) {
  const std::string session = "#include \"storage/write_session.hpp\"\n";
  EXPECT_THAT(check_floors(file("actors/database_writer/x.cpp", session), house()), IsEmpty());
  EXPECT_THAT(check_floors(file("actors/run/x.cpp", session), house()), ElementsAre(says(1, "storage/")));
}

TEST(walls, notices_another_actors_folder) {
  EXPECT_THAT(check_floors(file("actors/run/x.cpp", "#include \"actors/agent/agent_actor.hpp\"\n"), house()),
              ElementsAre(says(1, "another actor's folder")));
  EXPECT_THAT(check_floors(file("actors/service.cpp", "#include \"actors/agent/agent_actor.hpp\"\n"), house()),
              ElementsAre(says(1, "another actor's folder")));
  EXPECT_THAT(check_floors(file("actors/run/x.cpp",
                                "#include \"actors/run/plan.hpp\"\n"
                                "#include \"actors/service.hpp\"\n"
                                "#include \"actors/json/json.hpp\"\n"),
                           house()),
              IsEmpty());
}

TEST(walls, gives_adapters_the_ports_and_no_actor) {
  EXPECT_THAT(check_floors(file("runtime/os/x.cpp", "#include \"actors/agent/process_port.hpp\"\n"), house()),
              IsEmpty());
  EXPECT_THAT(check_floors(file("runtime/os/x.cpp", "#include \"actors/agent/agent_actor.hpp\"\n"), house()),
              ElementsAre(says(1, "may not be included from runtime/os/")));
  EXPECT_THAT(check_floors(file("runtime/os/custodian/x.cpp", "#include \"messages/run.hpp\"\n"), house()),
              ElementsAre(says(1, "may not be included from runtime/os/custodian/")));
}

TEST(walls, notices_tests_in_the_product) {
  EXPECT_THAT(check_floors(file("runtime/x.cpp", "#include \"tests/support/temporary_folder.hpp\"\n"), house()),
              ElementsAre(says(1, "may not be included from runtime/")));
}

TEST(walls, notices_an_include_that_is_no_path_from_the_root) {
  EXPECT_THAT(check_floors(file("actors/run/x.cpp", "#include \"plan.hpp\"\n"), house()),
              ElementsAre(says(1, "not a path from the root")));
  EXPECT_THAT(check_floors(file("actors/run/x.cpp", "#include \"../agent/process_port.hpp\"\n"), house()),
              ElementsAre(says(1, "not a path from the root")));
  EXPECT_THAT(check_floors(file("actors/run/x.cpp", "#include <messages/run.hpp>\n"), house()),
              ElementsAre(says(1, "with quotes")));
}

TEST(walls, notices_a_file_on_no_floor) {
  EXPECT_THAT(check_floors(file("util/x.cpp", ""), house()), ElementsAre(says(0, "no floor")));
}

TEST(walls, keeps_the_actor_framework_to_its_places) {
  EXPECT_THAT(check_third_parties(file("messages/run.hpp", "#include <caf/error.hpp>\n")), ElementsAre(says(1, "CAF")));
  EXPECT_THAT(check_third_parties(file("runtime/os/x.cpp", "#include <caf/error.hpp>\n")), ElementsAre(says(1, "CAF")));
  EXPECT_THAT(check_third_parties(file("messages/interfaces/run.hpp", "#include <caf/typed_actor.hpp>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("actors/run/x.cpp", "#include <caf/all.hpp>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("actors/run/x.hpp", "#include <caf/all.hpp>\n")),
              ElementsAre(says(1, "whole library")));
}

TEST(walls, keeps_libraries_to_the_sources_of_their_floor) {
  EXPECT_THAT(check_third_parties(file("storage/x.cpp", "#include <SQLiteCpp/Database.h>\n#include <sqlite3.h>\n")),
              IsEmpty());
  EXPECT_THAT(check_third_parties(file("storage/x.hpp", "#include <SQLiteCpp/Database.h>\n")),
              ElementsAre(says(1, "belongs in a .cpp")));
  EXPECT_THAT(check_third_parties(file("tests/support/x.hpp", "#include <sqlite3.h>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("runtime/x.cpp", "#include <sqlite3.h>\n")),
              ElementsAre(says(1, "no place here")));
  EXPECT_THAT(check_third_parties(file("config/x.hpp", "#include <toml++/toml.h>\n")),
              ElementsAre(says(1, "belongs in a .cpp")));
  EXPECT_THAT(check_third_parties(file("runtime/x.cpp", "#include <toml++/toml.h>\n")),
              ElementsAre(says(1, "no place here")));
  EXPECT_THAT(check_third_parties(file("messages/base/sha256.cpp", "#include <openssl/evp.h>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("config/x.cpp", "#include <boost/json.hpp>\n")),
              ElementsAre(says(1, "no place here")));
  EXPECT_THAT(check_third_parties(file("runtime/x.cpp", "#include <httplib.h>\n")),
              ElementsAre(says(1, "no place here")));
  EXPECT_THAT(check_third_parties(file("runtime/cli/x.cpp", "#include <CLI/CLI.hpp>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("actors/x.cpp", "#include <gtest/gtest.h>\n")),
              ElementsAre(says(1, "no place here")));
  EXPECT_THAT(check_third_parties(file("actors/x.cpp", "#include <boost/regex.hpp>\n")),
              ElementsAre(says(1, "no floor names")));
}

TEST(walls, keeps_the_operating_system_behind_its_seam) {
  EXPECT_THAT(check_third_parties(file("actors/x.cpp", "#include <unistd.h>\n#include <sys/wait.h>\n")),
              ElementsAre(says(1, "operating system"), says(2, "operating system")));
  EXPECT_THAT(check_third_parties(file("runtime/os/x.cpp", "#include <sys/wait.h>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("storage/lease.cpp", "#include <fcntl.h>\n")), IsEmpty());
  EXPECT_THAT(check_third_parties(file("storage/lease.hpp", "#include <fcntl.h>\n")),
              ElementsAre(says(1, "operating system")));
  EXPECT_THAT(check_third_parties(file("actors/x.cpp", "#include <vector>\n#include <cstdint>\n")), IsEmpty());
}

TEST(walls, notices_a_header_without_a_guard) {
  EXPECT_THAT(check_text(file("messages/x.hpp", "// once\n")), ElementsAre(says(0, "#pragma once")));
  EXPECT_THAT(check_text(file("messages/x.hpp", "// Words.\n#pragma once\n")), IsEmpty());
  EXPECT_THAT(check_text(file("messages/x.cpp", "int x;\n")), IsEmpty());
}

TEST(walls, notices_a_file_over_700_lines) {
  std::string text(700, '\n');
  EXPECT_THAT(check_text(file("storage/x.cpp", text)), IsEmpty());
  text += '\n';
  EXPECT_THAT(check_text(file("storage/x.cpp", text)), ElementsAre(says(0, "701 lines")));
}

TEST(walls, notices_marks_of_unfinished_work) {
  EXPECT_THAT(check_text(file("actors/x.cpp", "\n// TODO: later\n")), ElementsAre(says(2, "TODO")));
  EXPECT_THAT(check_text(file("actors/x.cpp", "// FIXME\n")), ElementsAre(says(1, "FIXME")));
  EXPECT_THAT(check_text(file("actors/x.cpp", "auto name = \"dir-XXXXXX\"; int TODOS;\n")), IsEmpty());
}

TEST(walls, notices_sql_above_storage) {
  EXPECT_THAT(check_text(file("runtime/x.cpp", "run(\"SELECT * FROM runs\");\n")), ElementsAre(says(1, "SQL")));
  EXPECT_THAT(check_text(file("actors/x.cpp", "run(R\"(PRAGMA optimize)\");\n")), ElementsAre(says(1, "SQL")));
  EXPECT_THAT(check_text(file("storage/x.cpp", "run(\"SELECT * FROM runs\");\n")), IsEmpty());
  EXPECT_THAT(check_text(file("runtime/x.cpp", "say(\"Select a run\");  // \"SELECT \" is storage's\n")), IsEmpty());
}

TEST(walls, notices_clocks_chance_and_sleep_below_runtime) {
  EXPECT_THAT(check_text(file("actors/x.cpp",
                              "auto a = std::chrono::system_clock::now();\n"
                              "auto b = std::chrono::steady_clock::now();\n"
                              "std::this_thread::sleep_for(1s);\n"
                              "std::random_device chance;\n")),
              ElementsAre(says(1, "clock"), says(2, "clock"), says(3, "sleep"), says(4, "chance")));
  EXPECT_THAT(check_text(file("runtime/os/x.cpp", "auto a = std::chrono::system_clock::now();\n")), IsEmpty());
}

TEST(walls, notices_paths_of_somebodys_machine) {
  const std::string home = std::string{"/ho"} + "me/somebody/troupe.db";
  EXPECT_THAT(check_paths(file("runtime/x.cpp", "open(\"" + home + "\");\n"), "/src/troupe"),
              ElementsAre(says(1, "home folder")));
  EXPECT_THAT(check_paths(file("docs/x.md", "\nlike " + home + '\n'), "/src/troupe"), IsEmpty());
  EXPECT_THAT(check_paths(file("docs/x.md", "\ncd /src/troupe/build\n"), "/src/troupe"),
              ElementsAre(says(2, "checkout")));
}

TEST(walls, notices_decisions_that_are_misnumbered_or_misnamed) {
  const auto record = [](std::string name, std::string text) {
    return source_file{"docs/adr/" + std::move(name), std::move(text)};
  };
  const std::vector<source_file> good{record("0001-a.md", "# 1. A\n"), record("0002-b.md", "# 2. B\n")};
  EXPECT_THAT(check_decisions(good), IsEmpty());
  const std::vector<source_file> twice{record("0001-a.md", "# 1. A\n"), record("0001-b.md", "# 1. B\n")};
  EXPECT_THAT(check_decisions(twice), ElementsAre(says(0, "has the number of docs/adr/0001-a.md")));
  const std::vector<source_file> gap{record("0001-a.md", "# 1. A\n"), record("0003-c.md", "# 3. C\n")};
  EXPECT_THAT(check_decisions(gap), ElementsAre(says(0, "leaves out number 2")));
  const std::vector<source_file> misnamed{record("why.md", "# 1. A\n")};
  EXPECT_THAT(check_decisions(misnamed), ElementsAre(says(0, "not named")));
  const std::vector<source_file> misheaded{record("0001-a.md", "# 2. A\n")};
  EXPECT_THAT(check_decisions(misheaded), ElementsAre(says(1, "not headed")));
}

TEST(walls, wants_each_decision_in_the_index_once) {
  const auto with_index = [](std::string index) {
    return std::vector<source_file>{{"docs/adr/0001-a.md", "# 1. A\n"}, {"docs/adr/README.md", std::move(index)}};
  };
  EXPECT_THAT(check_decisions(with_index("[A](0001-a.md)\n")), IsEmpty());
  EXPECT_THAT(check_decisions(with_index("none\n")), ElementsAre(says(0, "listed 0 times")));
  EXPECT_THAT(check_decisions(with_index("[A](0001-a.md)\n[A](0001-a.md)\n")), ElementsAre(says(0, "listed 2 times")));
}

}  // namespace
}  // namespace troupe::tidy
