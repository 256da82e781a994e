#include "config/template_text.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

namespace troupe::test {
namespace {

// `text` `[name@offset]` and `!spelled@offset`.
std::string parts_of(std::string_view prompt) {
  std::string out;
  const auto parsed = parse_template(prompt);
  for (const auto& piece : parsed.pieces) {
    out += piece.is == template_piece::kind::literal ? piece.text
                                                     : '[' + name_of(piece) + '@' + std::to_string(piece.offset) + ']';
  }
  for (const auto& fault : parsed.faults) {
    out += '!' + fault.spelled + '@' + std::to_string(fault.offset);
    EXPECT_FALSE(fault.message.empty());
    EXPECT_FALSE(fault.hint.empty());
  }
  return out;
}

TEST(TemplateText, reads_names) {
  EXPECT_EQ(parts_of(""), "");
  EXPECT_EQ(parts_of("no placeholder"), "no placeholder");
  EXPECT_EQ(parts_of("{{a}}"), "[a@0]");
  EXPECT_EQ(parts_of("x {{inputs.topic}} y {{state.a-b.0.C_d}}"), "x [inputs.topic@2] y [state.a-b.0.C_d@21]");
  EXPECT_EQ(parts_of("{{a}}{{b}}"), "[a@0][b@5]");
  EXPECT_EQ(parts_of("{{ a }} {{\t\r\na.b\n}}"), "[a@0] [a.b@8]");
}

TEST(TemplateText, keeps_how_a_placeholder_is_spelled) {
  const auto parsed = parse_template("x{{ a.b }}");
  ASSERT_EQ(parsed.pieces.size(), 2U);
  EXPECT_EQ(parsed.pieces[1].text, "{{ a.b }}");
  EXPECT_EQ(parsed.pieces[1].path, (std::vector<std::string>{"a", "b"}));
}

TEST(TemplateText, has_an_escape_for_two_braces) {
  EXPECT_EQ(parts_of("{{{{"), "{{");
  EXPECT_EQ(parts_of("{{{{a}}"), "{{a}}");
  EXPECT_EQ(parts_of("{{{{{{a}}"), "{{[a@4]");
  EXPECT_EQ(parts_of("{{{{{{{{"), "{{{{");
  EXPECT_EQ(parse_template("a{{{{b").pieces.size(), 1U);
}

TEST(TemplateText, leaves_single_braces_and_loose_ends_alone) {
  EXPECT_EQ(parts_of(R"({"a": {"b": 1}})"), R"({"a": {"b": 1}})");
  EXPECT_EQ(parts_of("}} { } }}"), "}} { } }}");
  EXPECT_EQ(parts_of("${x} {x}"), "${x} {x}");
}

TEST(TemplateText, says_what_is_no_placeholder_and_where) {
  EXPECT_EQ(parts_of("{{}}"), "!{{}}@0");
  EXPECT_EQ(parts_of("a {{b c}}"), "a !{{b c}}@2");
  EXPECT_EQ(parts_of("{{a.}}{{.a}}{{a..b}}"), "!{{a.}}@0!{{.a}}@6!{{a..b}}@12");
  EXPECT_EQ(parts_of("{{\u00E9}}"), "!{{\u00E9}}@0");
  EXPECT_EQ(parts_of("x {{a"), "x a!{{a@2");
  EXPECT_EQ(parts_of("{{a {{b}}"), "a [b@4]!{{a {{b}}@0");
}

// Any bytes: what is read, put together again, is the prompt.
TEST(TemplateText, loses_nothing) {
  const std::string letters = "{{{}}}a. -\n\xFF";
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::mt19937_64 random{seed};
    std::string prompt;
    for (auto count = random() % 24; count > 0; --count) {
      prompt += letters[random() % letters.size()];
    }
    const auto parsed = parse_template(prompt);
    std::size_t at = 0;
    for (const auto& piece : parsed.pieces) {
      ASSERT_LE(at, piece.offset) << "seed " << seed << ": " << prompt;
      at = piece.offset;
      if (piece.is == template_piece::kind::reference) {
        ASSERT_EQ(prompt.substr(piece.offset, piece.text.size()), piece.text) << "seed " << seed << ": " << prompt;
        ASSERT_FALSE(piece.path.empty()) << "seed " << seed << ": " << prompt;
      } else {
        ASSERT_FALSE(piece.text.empty()) << "seed " << seed << ": " << prompt;
      }
    }
    for (const auto& fault : parsed.faults) {
      ASSERT_EQ(prompt.substr(fault.offset, 2), "{{") << "seed " << seed << ": " << prompt;
      ASSERT_EQ(fault.spelled.find('\n'), std::string::npos) << "seed " << seed << ": " << prompt;
    }
    if (parsed.faults.empty()) {
      std::string again;
      for (const auto& piece : parsed.pieces) {
        std::string text = piece.text;
        for (auto open = text.find("{{"); piece.is == template_piece::kind::literal && open != std::string::npos;
             open = text.find("{{", open + 4)) {
          text.insert(open, "{{");
        }
        again += text;
      }
      ASSERT_EQ(parts_of(again), parts_of(prompt)) << "seed " << seed << ": " << prompt;
    }
  }
}

TEST(TemplateText, takes_linear_time) {
  const auto time_of = [](const std::string& piece) {
    std::string prompt;
    while (prompt.size() < 1'000'000) {
      prompt += piece;
    }
    const auto since = std::chrono::steady_clock::now();
    static_cast<void>(parse_template(prompt));
    return std::chrono::steady_clock::now() - since;
  };
  for (const char* piece : {"{{", "}}", "{{a", "{{a}}", "{{{{", "{{ ", "{{a b}}", "{"}) {
    EXPECT_LT(time_of(piece), std::chrono::seconds{10}) << piece;
  }
}

}  // namespace
}  // namespace troupe::test
