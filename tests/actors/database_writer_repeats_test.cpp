// WR-4 through the real writer, on real threads: 100 runs of 10 steps, each fact delivered three times, from 50 senders.
//
// What is counted is finish_attempt: one for each step, and the one that costs money when it happens twice.
#include "actors/database_writer/database_writer_actor.hpp"
#include "actors/writer_client.hpp"
#include "storage/check.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Exception.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr std::size_t runs = 100;
constexpr std::size_t steps = 10;
constexpr std::size_t keys = runs * steps;
constexpr std::size_t senders = 50;

struct delivery {
  std::size_t key = 0;
  std::string value;  // what the step is said to have come to: other values are other content
};

struct answered {
  delivery what;
  write_reply reply;
};

std::string step_of(std::size_t key) { return "s" + std::to_string(key % steps); }

run_id run_of_key(std::size_t key) { return run_id{"r-" + std::to_string(key / steps)}; }

task_id task_of(std::size_t key) { return story{run_of_key(key).str()}.task(step_of(key), "claude"); }

finish_attempt fact_of(const delivery& what) {
  story told{run_of_key(what.key).str(), 1'000};
  return told.finished(task_of(what.key), what.value);
}

// Collects the answers of all senders.
class answers {
 public:
  explicit answers(std::size_t expected) : missing_(expected) {}

  void add(answered one) {
    const std::scoped_lock lock{guard_};
    all_.push_back(std::move(one));
    if (--missing_ == 0) {
      complete_.notify_all();
    }
  }

  std::vector<answered> wait() {
    std::unique_lock lock{guard_};
    EXPECT_TRUE(complete_.wait_for(lock, std::chrono::seconds{50}, [&] { return missing_ == 0; }));
    return all_;
  }

 private:
  std::mutex guard_;
  std::condition_variable complete_;
  std::size_t missing_;
  std::vector<answered> all_;
};

using sender = caf::typed_actor<caf::reacts_to<later>>;

struct sender_state {};

// Tells all it has at once, as agents that end at the same time do; each of `contrary` when its key has been answered.
sender::behavior_type send_all(sender::stateful_pointer<sender_state> self,
                               const writer_access& writer,
                               const std::vector<delivery>& mine,
                               const std::optional<std::string>& contrary,
                               const std::shared_ptr<answers>& to) {
  for (const auto& each : mine) {
    tell(self, writer, fact_of(each), [=](const write_reply& reply) {
      to->add({each, reply});
      if (contrary) {
        const delivery other{each.key, *contrary};
        tell(self, writer, fact_of(other), [=](const write_reply& second) { to->add({other, second}); });
      }
    });
  }
  return {[](const later& due) { due.act(); }};
}

class database_writer_repeats_test : public testing::Test {
 protected:
  database_writer_repeats_test() {
    write_runs();
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", std::size_t{4});
    system_ = std::make_unique<caf::actor_system>(config_);
    database_writer_deps deps;
    deps.open = [this] { return write_session::open(options_, lease_epoch{1}); };
    writer_.actor.set(spawn_database_writer(*system_, std::move(deps), placement::own_thread));
  }

  ~database_writer_repeats_test() override { stop(); }

  void stop() {
    if (system_) {
      caf::anon_send_exit(writer_.actor.get(), caf::exit_reason::user_shutdown);
      writer_.actor.set({});
      system_->await_all_actors_done();
      system_.reset();
    }
  }

  // Every step of every run is at work.
  void write_runs() {
    std::vector<std::pair<std::string, std::string>> front;
    for (std::size_t step = 0; step < steps; ++step) {
      front.emplace_back(step_of(step), "claude");
    }
    const auto session = writer_on(options_);
    ASSERT_TRUE(session->begin());
    for (std::size_t run = 0; run < runs; ++run) {
      story told{run_of_key(run * steps).str()};
      ASSERT_TRUE(session->apply(told.created(front)));
      for (std::size_t step = 0; step < steps; ++step) {
        ASSERT_TRUE(session->apply(told.started(task_of(run * steps + step))));
      }
    }
    ASSERT_TRUE(session->commit());
  }

  // Shuffled, and dealt to the senders. With `contrary` each answer is followed by that.
  std::vector<answered> deliver(std::vector<delivery> all, const std::optional<std::string>& contrary = std::nullopt) {
    std::shuffle(all.begin(), all.end(), random_);
    const auto to = std::make_shared<answers>(all.size() * (contrary ? 2 : 1));
    std::vector<std::vector<delivery>> dealt(senders);
    for (std::size_t i = 0; i < all.size(); ++i) {
      dealt[i % senders].push_back(all[i]);
    }
    std::vector<sender> started;
    for (const auto& mine : dealt) {
      started.push_back(system_->spawn(send_all, writer_, mine, contrary, to));
    }
    auto heard = to->wait();
    for (const auto& each : started) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
    return heard;
  }

  // After the writer has ended, so that all is in one file.
  void expect_each_once_in_the_database() {
    stop();
    const auto count = [&](const std::string& query) { return count_of(place_.path(), query); };
    constexpr auto all = static_cast<std::int64_t>(keys);
    EXPECT_EQ(count("SELECT count(*) FROM write_keys WHERE kind = 'finish_attempt'"), all);
    EXPECT_EQ(count("SELECT count(*) FROM events WHERE kind = 'task.completed'"), all);
    EXPECT_EQ(count("SELECT count(*) FROM attempts WHERE state = 'completed'"), all);
    EXPECT_EQ(count("SELECT sum(input_tokens) FROM runs"), 100 * all) << "what each of them cost, once";
    const auto findings = check_database(options_);
    ASSERT_TRUE(findings);
    for (const auto& each : *findings) {
      ADD_FAILURE() << each.rule << ": " << each.text;
    }
  }

  std::string value_in_database(std::size_t key) const {
    SQLite::Database file{place_.path().string(), SQLite::OPEN_READONLY};
    SQLite::Statement row{file, "SELECT value FROM tasks WHERE task_id = ?"};
    row.bind(1, task_of(key).str());
    return row.executeStep() ? row.getColumn(0).getString() : std::string{};
  }

  const std::uint64_t seed_ = std::random_device{}();
  const testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  std::mt19937_64 random_{seed_};
  temporary_database place_;
  storage_options options_ = place_.options();
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  writer_access writer_{{}, write_credit{}, lease_epoch{1}};
};

TEST_F(database_writer_repeats_test, commits_a_thousand_facts_once_each_and_answers_every_repeat_as_the_first) {
  std::vector<delivery> all;
  for (std::size_t key = 0; key < keys; ++key) {
    all.insert(all.end(), 3, delivery{key, std::to_string(key)});
  }
  const auto heard = deliver(all, "\"something else\"");
  ASSERT_EQ(heard.size(), 6 * keys);
  std::vector<std::int64_t> committed(keys);
  std::vector<std::int64_t> repeated(keys);
  std::vector<std::int64_t> refused(keys);
  std::map<std::size_t, event_seq> last;
  for (const auto& [what, reply] : heard) {
    if (what.value != std::to_string(what.key)) {
      ASSERT_EQ(code_of(reply), error_code::idempotency_violation);
      ++refused[what.key];
      continue;
    }
    ASSERT_TRUE(reply) << reply.error().message;
    ++(reply->repeated ? repeated : committed)[what.key];
    EXPECT_EQ(last.try_emplace(what.key, reply->last).first->second, reply->last) << "key " << what.key;
  }
  EXPECT_EQ(committed, std::vector<std::int64_t>(keys, 1));
  EXPECT_EQ(repeated, std::vector<std::int64_t>(keys, 2));
  EXPECT_EQ(refused, std::vector<std::int64_t>(keys, 3));
  expect_each_once_in_the_database();
  for (std::size_t key = 0; key < keys; key += 37) {
    EXPECT_EQ(value_in_database(key), std::to_string(key)) << "the first row is untouched";
  }
}

TEST_F(database_writer_repeats_test, lets_one_of_two_contents_win_where_they_race) {
  std::vector<delivery> all;
  for (std::size_t key = 0; key < keys; ++key) {
    all.push_back({key, "1"});
    all.push_back({key, "1"});
    all.push_back({key, "2"});
    all.push_back({key, "2"});
  }
  std::map<std::pair<std::size_t, std::string>, std::vector<write_reply>> replies;
  for (auto& [what, reply] : deliver(all)) {
    replies[{what.key, what.value}].push_back(std::move(reply));
  }
  expect_each_once_in_the_database();
  std::size_t second_won = 0;
  for (std::size_t key = 0; key < keys; ++key) {
    const auto winner = value_in_database(key);
    second_won += winner == "2" ? 1 : 0;
    const auto& won = replies[{key, winner}];
    ASSERT_EQ(won.size(), 2U) << "key " << key << " has " << winner;
    ASSERT_TRUE(won[0] && won[1]);
    EXPECT_NE(won[0]->repeated, won[1]->repeated);
    for (const auto& lost : replies[{key, winner == "1" ? "2" : "1"}]) {
      EXPECT_EQ(code_of(lost), error_code::idempotency_violation);
    }
  }
  EXPECT_GT(second_won, keys / 10) << "they did not race";
  EXPECT_LT(second_won, keys * 9 / 10);
}

// Whoever writes past us meets the same wall: it is in the schema, not in a look before the write.
TEST_F(database_writer_repeats_test, is_enforced_by_the_database_itself) {
  ASSERT_EQ(deliver({{0, "1"}}).size(), 1U);
  stop();
  SQLite::Database file{place_.path().string(), SQLite::OPEN_READWRITE};
  try {
    file.exec(
        "INSERT INTO write_keys SELECT run_id, task_id, attempt, kind, zeroblob(32), last_seq FROM write_keys"
        " WHERE kind = 'finish_attempt'");
    ADD_FAILURE() << "one key twice";
  } catch (const SQLite::Exception& refused) {
    EXPECT_EQ(refused.getExtendedErrorCode(), 1'555) << "SQLITE_CONSTRAINT_PRIMARYKEY";
  }
}

}  // namespace
}  // namespace troupe
