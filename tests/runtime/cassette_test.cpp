#include "runtime/cassettes/cassette.hpp"

#include "config/file_text.hpp"
#include "runtime/cassettes/cassette_folder.hpp"
#include "runtime/cassettes/nearest_request.hpp"
#include "runtime/json/base64.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

attempt_order asked(const std::string& prompt, int attempt = 1, int superstep = 1) {
  attempt_order order;
  order.run = run_id{"r"};
  order.task.step = step_id{"plan"};
  order.task.superstep = superstep_no{superstep};
  order.attempt = attempt_no{attempt};
  order.spec.name = agent_name{"claude"};
  order.spec.command = {"claude", "-p"};
  order.prompt = prompt;
  return order;
}

recorded_answer printed(const std::string& text) {
  process_end end;
  end.exit.exit_code = 0;
  end.standard_output = text;
  end.standard_output_bytes = static_cast<std::int64_t>(text.size());
  return {recorded_end::by_itself, end_of(std::move(end)), {}};
}

recorded_answer again(const attempt_order& order, const recorded_answer& answer) {
  const auto read = parse_cassette(to_text({request_of(order), answer}));
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read ? read->answer : recorded_answer{};
}

class cassette_folder_test : public testing::Test {
 protected:
  void record(const attempt_order& order, const recorded_answer& answer) const {
    const auto recorder = record_into(folder_.path());
    ASSERT_TRUE(recorder);
    (*recorder)->record(order, answer);
  }

  // What is played, or the message of the miss.
  std::string played(const attempt_order& order) const {
    const auto player = play_from(folder_.path());
    if (!player) {
      return player.error().message;
    }
    const auto answer = (*player)->play(order);
    if (!answer) {
      EXPECT_EQ(answer.error().code, error_code::not_found);
      EXPECT_THAT(answer.error().hint, HasSubstr("--record"));
      return answer.error().message;
    }
    return *answer->end.standard_output;
  }

  temporary_folder folder_{fast_folder()};
};

TEST(base64_test, is_that_of_the_rfc) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"},
                                                                 {"\xff\xfe\xfd", "//79"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  for (const auto* wrong : {"Z", "Zg=", "Zg", "Z===", "Zm9v!mFy", "Zg==Zg==", "===="}) {
    EXPECT_FALSE(from_base64(wrong)) << wrong;
  }
}

TEST(cassette_test, every_byte_comes_back) {
  std::mt19937_64 random{7};
  std::string bytes;
  for (int i = 0; i < 1'000; ++i) {
    bytes += static_cast<char>(random() & 255U);
  }
  for (const auto& text : {std::string{},
                           std::string{"\n"},
                           std::string{"a\nb"},
                           std::string{"a\nb\n\n"},
                           std::string{"a\0b", 3},
                           std::string{"\r\n\t\"\\"},
                           std::string{"ä\n"},
                           bytes}) {
    auto answer = printed(text);
    answer.end.standard_error = answer.end.standard_output;
    const auto read = again(asked(text), answer);
    EXPECT_EQ(*read.end.standard_output, text);
    EXPECT_EQ(*read.end.standard_error, text);
    EXPECT_EQ(read.end.standard_output_bytes, static_cast<std::int64_t>(text.size()));
    EXPECT_EQ(parse_cassette(to_text({request_of(asked(text)), answer}))->asked.prompt, text);
  }
}

TEST(cassette_test, how_it_ended_comes_back) {
  process_end end;
  end.exit.signal = 9;
  auto answer = recorded_answer{recorded_end::lost_race, end_of(std::move(end)), token_usage{"m", 3, 4}};
  answer.end.failure = error{error_code::rate_limited, "later", "wait"};
  answer.end.failure->retry_after = milliseconds{1'500};
  const auto read = again(asked("x"), answer);
  EXPECT_EQ(read.how, recorded_end::lost_race);
  EXPECT_EQ(read.end.exit.signal, 9);
  EXPECT_FALSE(read.end.exit.exit_code);
  EXPECT_EQ(read.end.failure, answer.end.failure);
  EXPECT_EQ(read.usage->output_tokens, 4);
  const auto never =
      recorded_answer{recorded_end::by_itself, end_of(error{error_code::agent_not_found, "none", ""}), {}};
  EXPECT_FALSE(again(asked("x"), never).end.ran);
}

TEST(cassette_test, of_an_answer_over_http_what_tells_about_the_provider_is_kept) {
  http_end end;
  end.status = 429;
  end.failure = http_failure::cut;
  end.failure_text = "gone";
  end.headers = {{"retry-after", "7"}, {"set-cookie", "session=secret"}, {"x-ratelimit-limit", "5"}};
  end.body = "{}";
  end.body_bytes = 2;
  const auto answer = recorded_answer{recorded_end::by_itself, end_of(std::move(end)), {}};
  const auto text = to_text({request_of(asked("x")), answer});
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  const auto read = again(asked("x"), answer);
  ASSERT_TRUE(read.end.http);
  EXPECT_EQ(read.end.http->status, 429);
  EXPECT_EQ(read.end.http->failure, http_failure::cut);
  EXPECT_EQ(read.end.http->failure_text, "gone");
  EXPECT_EQ(read.end.http->headers.size(), 2U);
  EXPECT_EQ(*read.end.standard_output, "{}");
}

TEST(cassette_test, what_is_no_cassette_is_refused) {
  auto whole = to_text({request_of(asked("x")), printed("y")});
  EXPECT_TRUE(parse_cassette(whole));
  for (const auto* member : {"\"troupe_cassette\": 1",
                             "\"hash\"",
                             "\"kind\": \"command\"",
                             "\"agent\"",
                             "\"prompt\"",
                             "\"attempt\"",
                             "\"ended\": \"by_itself\"",
                             "\"stdout\"",
                             "\"request\"",
                             "\"answer\""}) {
    auto broken = whole;
    const auto at = broken.find(member);
    ASSERT_NE(at, std::string::npos) << member;
    broken.replace(at, 2, "\"?");
    EXPECT_FALSE(parse_cassette(broken)) << member;
  }
  EXPECT_FALSE(parse_cassette("{"));
  EXPECT_FALSE(parse_cassette("[]"));
  const std::string started = "\"started\": true";
  whole.replace(whole.find(started), started.size(), "\"started\": false");
  EXPECT_FALSE(parse_cassette(whole)) << "it never ran, and does not say why";
}

TEST_F(cassette_folder_test, attempts_of_a_task_are_answered_in_their_order_and_then_by_the_last) {
  record(asked("x", 3), printed("third"));
  record(asked("x", 1), printed("first"));
  EXPECT_EQ(played(asked("x", 1)), "first");
  EXPECT_EQ(played(asked("x", 2)), "third") << "the second that was recorded: the one between was cut off";
  EXPECT_EQ(played(asked("x", 9)), "third");
}

TEST_F(cassette_folder_test, the_same_question_at_other_places_has_its_own_answers) {
  for (const int superstep : {2, 4}) {
    record(asked("x", 1, superstep), printed("at " + std::to_string(superstep)));
  }
  auto of_map = asked("x", 1, 2);
  of_map.task.item = 5;
  record(of_map, printed("element 5"));
  EXPECT_EQ(played(asked("x", 1, 2)), "at 2");
  EXPECT_EQ(played(asked("x", 1, 4)), "at 4");
  EXPECT_EQ(played(asked("x", 1, 3)), "at 2") << "the one before it";
  EXPECT_EQ(played(asked("x", 1, 9)), "at 4");
  EXPECT_EQ(played(asked("x", 1, 1)), "at 2") << "the first that asked";
  EXPECT_EQ(played(of_map), "element 5");
  auto other = asked("x", 1, 9);
  other.task.item = 4;
  record(other, printed("element 4"));
  of_map.task.superstep = superstep_no{1};
  EXPECT_EQ(played(of_map), "at 2") << "the earliest, and not that of the element before it";
}

TEST_F(cassette_folder_test, a_new_answer_takes_the_place_of_the_old_one) {
  record(asked("x"), printed("old"));
  record(asked("x"), printed("new"));
  EXPECT_EQ(played(asked("x")), "new");
  std::size_t files = 0;
  for (const auto& each : std::filesystem::directory_iterator{folder_.path()}) {
    EXPECT_TRUE(each.path().string().ends_with(".cassette.json")) << each.path();
    ++files;
  }
  EXPECT_EQ(files, 1U);
}

// Each has less in common than the one before it, whatever its prompt is like.
TEST(nearest_request_test, is_told_by_agent_model_element_step_and_prompt_in_this_order) {
  const auto request = [](const char* agent, const char* model, int item, const char* step, const char* prompt) {
    recorded_request made;
    made.agent = agent_name{agent};
    made.model = model;
    made.item = json_text{std::to_string(item)};
    made.place.step = step_id{step};
    made.prompt = prompt;
    return made;
  };
  const auto asked = request("a", "m", 1, "s", "1\n2\n3");
  const std::vector<recorded_request> recorded{request("a", "m", 1, "s", "1\n2\nother"),
                                               request("a", "m", 1, "s", "1\nother"),
                                               request("a", "m", 1, "other", "1\n2\nother"),
                                               request("a", "m", 2, "s", "1\n2\nother"),
                                               request("a", "other", 1, "s", "1\n2\nother"),
                                               request("other", "m", 1, "s", "1\n2\nother")};
  for (std::size_t first = 0; first < recorded.size(); ++first) {
    std::vector<const recorded_request*> all;
    for (auto i = recorded.size(); i > first; --i) {
      all.push_back(&recorded[i - 1]);
    }
    EXPECT_EQ(nearest_request(all, asked), &recorded[first]) << first;
  }
  EXPECT_EQ(nearest_request({}, asked), nullptr);
}

TEST_F(cassette_folder_test, a_miss_names_the_nearest_and_what_differs) {
  EXPECT_THAT(played(asked("x")), HasSubstr("nothing is"));
  record(asked("one\ntwo\nthree"), printed("y"));
  auto far = asked("far");
  far.spec.name = agent_name{"other"};
  record(far, printed("z"));
  EXPECT_THAT(
      played(asked("one\ntwo\n3")),
      AllOf(HasSubstr("1.plan.claude.1."), HasSubstr("line 3 of the prompt differs: recorded 'three', asked '3'")));
  EXPECT_THAT(played(asked("one\ntwo")), HasSubstr("line 3 of the prompt differs: recorded 'three', asked nothing"));
  auto order = asked("one\ntwo\nthree");
  order.spec.model = "opus";
  EXPECT_THAT(played(order), HasSubstr("the model differs: recorded '', asked 'opus'"));
  order = asked("one\ntwo\nthree");
  order.spec.command = {"claude2"};
  EXPECT_THAT(played(order), HasSubstr("its command line differs"));
  order = asked("one\ntwo\nthree");
  order.item = json_text{"1"};
  EXPECT_THAT(played(order), HasSubstr("the element differs: recorded none, asked '1'"));
  order = asked("x");
  order.spec.name = agent_name{"nobody"};
  EXPECT_THAT(played(order), HasSubstr("the agent differs: recorded "));
}

recorded_answer lost(const std::string& text) {
  auto answer = printed(text);
  answer.how = recorded_end::lost_race;
  return answer;
}

attempt_order racing(attempt_order order) {
  order.races = true;
  return order;
}

TEST_F(cassette_folder_test, who_lost_a_race_is_played_so_where_there_is_one) {
  record(asked("x", 1, 2), lost("half"));
  record(asked("x", 1, 4), printed("whole"));
  EXPECT_EQ(played(racing(asked("x", 1, 2))), "half");
  EXPECT_EQ(played(racing(asked("x", 1, 3))), "half") << "the superstep before it: as its rivals are";
  EXPECT_EQ(played(racing(asked("x", 1, 4))), "whole");
}

TEST_F(cassette_folder_test, where_there_is_no_race_nobody_waits_for_one_who_lost_it) {
  record(asked("x", 1, 2), lost("half"));
  EXPECT_THAT(played(asked("x", 1, 2)), AllOf(HasSubstr("lost a race"), HasSubstr("step 'plan'")));
  record(asked("x", 1, 4), printed("whole"));
  EXPECT_EQ(played(asked("x", 1, 2)), "whole");
  record(asked("x", 2, 2), printed("second"));
  EXPECT_EQ(played(asked("x", 1, 2)), "second") << "of its own place";
}

TEST_F(cassette_folder_test, at_another_step_an_answer_comes_before_a_lost_race) {
  record(asked("x", 1, 1), lost("half"));
  auto other = asked("x", 1, 5);
  other.task.step = step_id{"z"};
  auto elsewhere = racing(asked("x", 1, 1));
  elsewhere.task.step = step_id{"new"};
  EXPECT_EQ(played(elsewhere), "half") << "nothing else is recorded";
  record(other, printed("whole"));
  EXPECT_EQ(played(elsewhere), "whole");
}

TEST_F(cassette_folder_test, the_first_that_asked_is_the_earliest_and_not_the_first_by_name) {
  auto late = asked("x", 1, 7);
  late.task.step = step_id{"a"};
  record(late, printed("late"));
  record(asked("x", 1, 3), printed("early"));
  auto elsewhere = asked("x");
  elsewhere.task.step = step_id{"new"};
  EXPECT_EQ(played(elsewhere), "early");
}

// Two recorders in each of several processes, all at once.
TEST_F(cassette_folder_test, any_number_may_record_into_one_folder) {
  constexpr int processes = 3;
  constexpr int recorders = 2;
  constexpr int answers = 40;
  const auto question = [](int process, int recorder, int i) {
    return std::to_string(process) + '/' + std::to_string(recorder) + '/' + std::to_string(i);
  };
  const auto record_all = [&](int process) {
    std::vector<std::jthread> threads;
    for (int recorder = 0; recorder < recorders; ++recorder) {
      threads.emplace_back([&, recorder] {
        const auto into = record_into(folder_.path());
        for (int i = 0; into && i < answers; ++i) {
          (*into)->record(asked(question(process, recorder, i)), printed(question(process, recorder, i)));
        }
      });
    }
  };
  std::vector<pid_t> children;
  for (int process = 1; process < processes; ++process) {
    children.push_back(::fork());
    if (children.back() == 0) {
      record_all(process);
      ::_exit(0);
    }
  }
  record_all(0);
  for (const auto child : children) {
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  const auto player = play_from(folder_.path());
  ASSERT_TRUE(player) << player.error().message;
  for (int process = 0; process < processes; ++process) {
    for (int recorder = 0; recorder < recorders; ++recorder) {
      for (int i = 0; i < answers; ++i) {
        const auto answer = (*player)->play(asked(question(process, recorder, i)));
        ASSERT_TRUE(answer) << answer.error().message;
        ASSERT_EQ(*answer->end.standard_output, question(process, recorder, i));
      }
    }
  }
  for (const auto& each : std::filesystem::directory_iterator{folder_.path()}) {
    EXPECT_TRUE(each.path().string().ends_with(".cassette.json")) << each.path();
    EXPECT_EQ(each.status().permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

// Names of agents are keys of a configuration.
TEST_F(cassette_folder_test, any_name_of_an_agent_fits_into_a_name_of_a_file) {
  for (const auto& name : {std::string{"../up"}, std::string{"a b\n"}, std::string(300, 'n')}) {
    auto order = asked("x");
    order.spec.name = agent_name{name};
    record(order, printed(name));
    EXPECT_EQ(played(order), name);
  }
}

TEST_F(cassette_folder_test, a_folder_of_somebody_else_is_refused_before_anything_runs) {
  std::filesystem::permissions(
      folder_.path(),
      std::filesystem::perms::owner_all | std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
  EXPECT_TRUE(passes_in_child([&] {
    become_nobody();
    if (::access(folder_.path().c_str(), W_OK) != 0) {
      EXPECT_FALSE(record_into(folder_.path()));
    }
  }));
}

TEST_F(cassette_folder_test, what_could_not_be_read_again_is_not_written) {
  const auto too_large = printed(std::string(file_bytes_max, 'x'));
  const auto refused = write_cassette(folder_.path(), {request_of(asked("x")), too_large});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::output_too_large);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("step 'plan'"), HasSubstr("64 MiB")));
  EXPECT_FALSE(refused.error().hint.empty());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(cassette_folder_test, only_files_are_read) {
  record(asked("x"), printed("y"));
  const auto pipe = folder_ / "pipe.cassette.json";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(played(asked("x")), AllOf(HasSubstr("is no file"), HasSubstr("pipe.cassette.json")));
  std::filesystem::remove(pipe);
  std::filesystem::create_directory(folder_ / "folder.cassette.json");
  EXPECT_THAT(played(asked("x")), HasSubstr("folder.cassette.json"));
}

TEST_F(cassette_folder_test, a_folder_that_cannot_be_used_is_refused_with_its_name) {
  std::ofstream{folder_ / "bad.cassette.json"} << "{}";
  EXPECT_THAT(played(asked("x")), AllOf(HasSubstr("this is no cassette"), HasSubstr("bad.cassette.json")));
  const auto missing = play_from(folder_ / "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, error_code::invalid_input);
  EXPECT_THAT(missing.error().message, HasSubstr("none"));
  std::ofstream{folder_ / "file"} << "";
  EXPECT_FALSE(record_into(folder_ / "file"));
  EXPECT_FALSE(record_into(folder_ / "file/below"));
}

}  // namespace
}  // namespace troupe
