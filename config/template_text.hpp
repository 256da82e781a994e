// Prompts with placeholders: `Survey {{inputs.topic}}.` Parsed here, filled in by the run actor.
//
// `{{` opens a placeholder and `}}` closes it; white space inside is ignored. The name is words of letters, digits, `_`
// and `-`, joined by dots; in a list, a word of digits is an index from 0. A literal `{{` is written `{{{{`. A `}}`
// outside of a placeholder, and single braces, stand for themselves: JSON in a prompt needs no escape.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct template_piece {
  enum class kind { literal, reference };

  kind is = kind::literal;
  std::string text;               ///< literal: what to print. reference: the placeholder as it is spelled, with braces.
  std::vector<std::string> path;  ///< reference: {"state", "path", "to"}.
  std::size_t offset = 0;         ///< Of its first byte in the prompt.
};

/// The path with dots: `state.path.to`.
std::string name_of(const template_piece& reference);

struct template_fault {
  std::size_t offset = 0;
  std::string spelled;  ///< The text from there that is wrong; one line.
  std::string message;
  std::string hint;
};

struct parsed_template {
  std::vector<template_piece> pieces;  ///< In order. Neighbouring literals are one.
  std::vector<template_fault> faults;  ///< Empty: the prompt is well formed.
};

/// Pure; any bytes; linear time.
parsed_template parse_template(std::string_view prompt);

}  // namespace troupe
