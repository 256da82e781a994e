// Large outputs on their way through blob writer and database writer, on one thread and in virtual time.
#include "actors/database_writer/large_outputs.hpp"

#include "actors/database_writer/database_writer_actor.hpp"
#include "storage/blobs.hpp"
#include "storage/write_session.hpp"
#include "tests/storage/blob_material.hpp"
#include "tests/support/house.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr const char* three_agents = R"(
name = "three"
[[step]]
id = "ask"
agents = ["a", "b", "c"]
prompt = "hello"
)";

// Takes requests, and answers none of them.
using promises = std::vector<caf::typed_response_promise<put_blobs_reply>>;

blob_writer::behavior_type keep_silent(blob_writer::pointer self, const std::shared_ptr<promises>& kept) {
  return {[=](const put_blobs&) -> caf::result<put_blobs_reply> {
    auto promise = self->make_response_promise<put_blobs_reply>();
    kept->push_back(promise);
    return promise;
  }};
}

class large_outputs_test : public testing::Test {
 protected:
  large_outputs_test() { house_.inline_limit = 1'000; }
  ~large_outputs_test() override { house_.kill(silent_); }  // the promises that it keeps keep it

  // In the place of the blob writer, which is given back.
  blob_writer silence_blob_writer() {
    auto real = house_.blobs.get();
    house_.blobs.set(silent_);
    return real;
  }

  void begin() {
    house_.start();
    const auto reply = house_.submit(three_agents);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    house_.listen();
  }

  result<std::vector<output_view>> outputs() const {
    auto session = read_session::open(house_.database.options());
    EXPECT_TRUE(session);
    return (*session)->find_output(run_id{"r-1"}, step_id{"ask"});
  }

  std::int64_t count(const std::string& query) const { return count_of(house_.database.path(), query); }

  house house_;
  blob_writer silent_ = house_.system->spawn(keep_silent, std::make_shared<promises>());
  const std::filesystem::path folder = blob_folder_of(house_.database.path());
  const std::string large = std::string(5'000, 'x');
};

TEST(large_outputs, are_streams_above_the_limit_of_a_record_output) {
  record_output told;
  told.standard_output = std::make_shared<const std::string>(11, 'x');
  told.standard_error = std::make_shared<const std::string>(10, 'x');
  EXPECT_EQ(streams_above(told, 11), std::nullopt);
  const auto large = streams_above(told, 10);
  ASSERT_TRUE(large);
  EXPECT_EQ(large->standard_output, told.standard_output);
  EXPECT_EQ(large->standard_error, nullptr);
  EXPECT_EQ(streams_above(finish_attempt{}, 0), std::nullopt);
  EXPECT_EQ(streams_above(record_output{}, 0), std::nullopt);
  const auto with = with_blobs(told, {blob_ref{{}, 11}, std::nullopt});
  EXPECT_EQ(std::get<record_output>(*with).standard_output, told.standard_output);
  EXPECT_EQ(std::get<record_output>(*with).blobs.standard_output->bytes, 11);
}

TEST_F(large_outputs_test, become_files_and_the_same_one_where_they_are_the_same) {
  begin();
  house_.processes->exit(0, large);
  house_.processes->exit(1, large);
  house_.processes->exit(2, "small");
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::completed);
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output WHERE stdout IS NULL"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output WHERE stderr IS NULL"), 0);
  EXPECT_EQ(file_names(folder), std::set<std::string>{sha256_hex(large)});
  const auto found = outputs();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)[0].standard_output, large);
  EXPECT_EQ((*found)[1].standard_output, large);
  EXPECT_EQ((*found)[2].standard_output, "small");
}

TEST_F(large_outputs_test, make_no_folder_where_there_are_none) {
  begin();
  house_.processes->answer_all_with("small");
  for (std::size_t i = 0; i < 3; ++i) {
    house_.processes->exit(i, "small");
  }
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::completed);
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(large_outputs_test, wait_for_the_disk_and_nothing_else_waits_with_them) {
  begin();
  std::ofstream{folder} << "in the way";
  house_.processes->exit(0, large);
  house_.processes->exit(1, "small");
  house_.settle();
  EXPECT_EQ(count("SELECT count(*) FROM tasks WHERE state = 'completed'"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output"), 1);
  std::filesystem::remove(folder);
  house_.advance(milliseconds{2'000});
  house_.processes->exit(2, "small");
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::completed);
  ASSERT_TRUE(outputs());
  EXPECT_EQ(outputs()->front().standard_output, large);
}

TEST_F(large_outputs_test, are_asked_for_again_when_the_blob_writer_never_answers) {
  begin();
  const auto real = silence_blob_writer();
  house_.processes->exit(0, large);
  house_.settle();
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output"), 0);
  house_.blobs.set(real);
  house_.advance(milliseconds{31'000});
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output"), 1);
  EXPECT_EQ(outputs()->front().standard_output, large);
}

TEST_F(large_outputs_test, are_asked_for_again_when_the_blob_writer_dies) {
  begin();
  const auto dead = house_.blobs.get();
  house_.kill(dead);
  const auto reborn = house_.blobs.get();
  EXPECT_NE(dead, reborn) << "its supervisor starts another";
  house_.blobs.set(dead);  // the moment before it did
  house_.processes->exit(0, large);
  house_.settle();
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output"), 0);
  house_.blobs.set(reborn);
  house_.advance(milliseconds{300});
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output"), 1);
}

// Invariant 6 of the database writer, for what is with the blob writer.
TEST_F(large_outputs_test, are_asked_for_again_when_the_database_writer_dies_meanwhile) {
  begin();
  const auto real = silence_blob_writer();
  house_.processes->exit(0, large);
  house_.settle();
  house_.blobs.set(real);
  house_.kill(house_.writer.actor.get());
  house_.advance(milliseconds{1'000});  // much less than a time-out
  EXPECT_EQ(count("SELECT count(*) FROM attempt_output"), 1);
}

TEST_F(large_outputs_test, count_among_what_waits_for_the_database_writer) {
  silence_blob_writer();
  database_writer_deps deps;
  deps.open = [this] { return write_session::open(house_.database.options(), lease_epoch{1}); };
  deps.blobs = house_.blobs;
  deps.queue_depth = 1;
  deps.inline_limit = 1'000;
  const auto writer = spawn_database_writer(*house_.system, std::move(deps), placement::shared);
  story told{"r-1"};
  const auto request = [&] {
    return write_request{std::make_shared<const write_command>(told.printed(told.task("survey", "claude"), large)),
                         lease_epoch{1}};
  };
  caf::scoped_actor self{*house_.system};
  caf::anon_send(writer, request());
  house_.settle();
  auto second = self->request(writer, caf::infinite, request());
  house_.settle();
  std::optional<error_code> code;
  second.receive([&](const write_reply& reply) { code = code_of(reply); }, [](const caf::error&) {});
  EXPECT_EQ(code, error_code::backpressure);
  caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
  house_.settle();
}

}  // namespace
}  // namespace troupe
