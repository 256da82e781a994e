// Questions between processes of one user: who may ask, what is left, and what a bad peer can do.
#include "runtime/os/local_socket.hpp"

#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace troupe {
namespace {

namespace fs = std::filesystem;

// Echoes what stands before a semicolon.
std::optional<std::string> echo(std::string_view so_far) {
  const auto end = so_far.find(';');
  return end == std::string_view::npos ? std::nullopt : std::optional{"heard " + std::string{so_far.substr(0, end)}};
}

class local_socket_test : public testing::Test {
 protected:
  std::unique_ptr<local_server> listen(const fs::path& path) {
    auto made = local_server::listen(path, echo);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return made ? *std::move(made) : nullptr;
  }

  static std::string ask(const fs::path& path, const std::string& question = "you;") {
    const auto answer = ask_locally(path, question, test_patience);
    return answer ? *answer : answer.error().message;
  }

  // Connected, and nothing said.
  static int connect_to(const fs::path& path) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strcpy(where.sun_path, path.c_str());
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    return socket;
  }

  temporary_folder folder_;
  const fs::path path_ = folder_ / "x.control";
};

TEST_F(local_socket_test, a_question_is_answered_and_nothing_is_left) {
  const auto threads_before = threads();
  const auto descriptors_before = open_descriptors();
  auto server = listen(path_);
  EXPECT_EQ(ask(path_), "heard you");
  EXPECT_EQ(ask(path_, std::string(60'000, 'x') + ';').size(), 60'006U);
  server.reset();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(becomes_true([&] { return threads() == threads_before; }));
  EXPECT_EQ(open_descriptors(), descriptors_before);
  const auto nobody = ask_locally(path_, "you;", test_patience);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, error_code::not_found);
}

TEST_F(local_socket_test, only_the_owner_may_open_it) {
  const auto server = listen(path_);
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(local_socket_test, what_a_dead_process_left_is_replaced) {
  {
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strcpy(where.sun_path, path_.c_str());
    ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    ::close(left);
  }
  EXPECT_EQ(ask_locally(path_, "you;", test_patience).error().code, error_code::not_found);
  const auto server = listen(path_);
  EXPECT_EQ(ask(path_), "heard you");
}

TEST_F(local_socket_test, a_path_longer_than_an_address_works_too) {
  fs::path deep = folder_.path();
  while (deep.string().size() < 300) {
    deep /= "a-folder-with-a-long-name";
  }
  fs::create_directories(deep);
  auto server = listen(deep / "x.control");
  EXPECT_EQ(ask(deep / "x.control"), "heard you");
  server.reset();
  EXPECT_FALSE(fs::exists(deep / "x.control"));
  const auto refused = local_server::listen(folder_ / std::string(200, 'n'), echo);
  ASSERT_FALSE(refused) << "the name alone is too long";
  EXPECT_EQ(refused.error().code, error_code::storage_unavailable);
}

TEST_F(local_socket_test, a_folder_that_is_not_there_is_an_error) {
  const auto refused = local_server::listen(folder_ / "none" / "x.control", echo);
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().hint.empty());
}

TEST_F(local_socket_test, peers_that_hang_up_or_say_nothing_keep_nobody_for_long) {
  const auto server = listen(path_);
  ::close(connect_to(path_));
  EXPECT_EQ(ask(path_), "heard you");
  const int silent = connect_to(path_);
  EXPECT_EQ(ask(path_), "heard you") << "after the other's time";
  ::close(silent);
}

TEST_F(local_socket_test, a_question_without_end_is_cut_off) {
  const auto server = listen(path_);
  const auto refused = ask_locally(path_, std::string(200'000, 'x'), test_patience);
  EXPECT_FALSE(refused);
  EXPECT_EQ(ask(path_), "heard you");
}

TEST_F(local_socket_test, a_server_ends_while_peers_are_connected) {
  auto server = listen(path_);
  const int silent = connect_to(path_);
  server.reset();
  EXPECT_FALSE(fs::exists(path_));
  ::close(silent);
}

}  // namespace
}  // namespace troupe
