#include "runtime/json/indented.hpp"

#include <cstddef>

namespace troupe {
namespace {

constexpr std::string_view white_space = " \t\r\n";

class indenter {
 public:
  explicit indenter(std::string_view json) : json_(json) {}

  std::string text() {
    while (at_ < json_.size()) {
      take(json_[at_]);
    }
    return std::move(text_);
  }

 private:
  void take(char next) {
    switch (next) {
      case '"':
        take_string();
        return;
      case '{':
      case '[':
        open(next);
        break;
      case '}':
      case ']':
        --depth_;
        new_line();
        text_ += next;
        break;
      case ',':
        text_ += next;
        new_line();
        break;
      case ':':
        text_ += ": ";
        break;
      default:
        if (white_space.find(next) == std::string_view::npos) {
          text_ += next;
        }
    }
    ++at_;
  }

  void take_string() {
    const std::size_t from = at_++;
    while (at_ < json_.size() && json_[at_] != '"') {
      at_ += json_[at_] == '\\' ? 2 : 1;
    }
    at_ = at_ < json_.size() ? at_ + 1 : json_.size();
    text_ += json_.substr(from, at_ - from);
  }

  void open(char bracket) {
    text_ += bracket;
    const std::size_t next = json_.find_first_not_of(white_space, at_ + 1);
    if (next != std::string_view::npos && (json_[next] == '}' || json_[next] == ']')) {
      text_ += json_[next];
      at_ = next;
      return;
    }
    ++depth_;
    new_line();
  }

  void new_line() {
    text_ += '\n';
    text_.append(2 * depth_, ' ');
  }

  std::string_view json_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string text_;
};

}  // namespace

std::string indented(std::string_view json) { return indenter{json}.text(); }

}  // namespace troupe
