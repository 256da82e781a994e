#include "config/template_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";
constexpr std::string_view escaped = "{{{{";
constexpr std::size_t spelled_max = 60;

bool is_word_character(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '_' || letter == '-';
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// The words of `a.b.c`; none if one is empty or has another character.
std::vector<std::string> split_name(std::string_view name) {
  std::vector<std::string> words;
  while (true) {
    const auto dot = name.find('.');
    const auto word = name.substr(0, dot);
    if (word.empty() || !std::all_of(word.begin(), word.end(), is_word_character)) {
      return {};
    }
    words.emplace_back(word);
    if (dot == std::string_view::npos) {
      return words;
    }
    name.remove_prefix(dot + 1);
  }
}

std::string first_line(std::string_view text) {
  const auto line = text.substr(0, spelled_max);
  return std::string{line.substr(0, line.find_first_of("\r\n"))};
}

class template_parser {
 public:
  explicit template_parser(std::string_view prompt) : prompt_(prompt) {}

  parsed_template parse() {
    std::size_t at = 0;
    while (at < prompt_.size()) {
      const std::size_t open = std::min(prompt_.find(opening, at), prompt_.size());
      add_literal(at, prompt_.substr(at, open - at));
      if (open == prompt_.size()) {
        break;
      }
      if (prompt_.substr(open, escaped.size()) == escaped) {
        add_literal(open, opening);
        at = open + escaped.size();
      } else {
        at = read_placeholder(open);
      }
    }
    return std::move(out_);
  }

 private:
  void add_literal(std::size_t offset, std::string_view text) {
    if (text.empty()) {
      return;
    }
    if (out_.pieces.empty() || out_.pieces.back().is != template_piece::kind::literal) {
      out_.pieces.push_back({template_piece::kind::literal, {}, {}, offset});
    }
    out_.pieces.back().text += text;
  }

  // Where to go on after the placeholder that opens at `open`.
  std::size_t read_placeholder(std::size_t open) {
    const std::size_t start = open + opening.size();
    if (close_ != std::string_view::npos && close_ < start) {
      close_ = prompt_.find(closing, start);
    }
    const std::size_t close = close_;
    const std::size_t next_open = prompt_.find(opening, start);
    if (close == std::string_view::npos || next_open < close) {
      add_fault(open,
                first_line(prompt_.substr(open)),
                "opens a placeholder that is not closed",
                "close it with '}}', or write '{{{{' for a literal '{{'");
      return start;
    }
    const std::size_t end = close + closing.size();
    const std::string_view spelled = prompt_.substr(open, end - open);
    auto path = split_name(trimmed(prompt_.substr(start, close - start)));
    if (path.empty()) {
      add_fault(open,
                first_line(spelled),
                "is not a placeholder",
                "write a name like {{inputs.topic}}: words joined by dots; or '{{{{' for a literal '{{'");
    } else {
      out_.pieces.push_back({template_piece::kind::reference, std::string{spelled}, std::move(path), open});
    }
    return end;
  }

  void add_fault(std::size_t offset, std::string spelled, std::string_view message, std::string hint) {
    std::string text = '\'' + spelled + "' " + std::string{message};
    out_.faults.push_back({offset, std::move(spelled), std::move(text), std::move(hint)});
  }

  std::string_view prompt_;
  std::size_t close_ = 0;  // The next `}}` at or after the last placeholder's start, found once: linear time.
  parsed_template out_;
};

}  // namespace

std::string name_of(const template_piece& reference) {
  std::string name;
  for (const auto& word : reference.path) {
    name += (name.empty() ? "" : ".") + word;
  }
  return name;
}

parsed_template parse_template(std::string_view prompt) { return template_parser{prompt}.parse(); }

}  // namespace troupe
