// A configured executor, as [agents.NAME] says it.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"
#include "messages/recognition.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

enum class agent_kind {
  command,
  http,
  function,
  workflow,  ///< A child run. Not of [agents]: a map's.
};

/// What an attempt that was cut off in the middle may have left outside.
enum class effect_kind {
  none,        ///< Nothing.
  idempotent,  ///< What another attempt under the same idempotency key does not do again.
  external,    ///< Something that must not be done twice: a person is asked.
};
enum class prompt_channel { standard_input, argument, file };
enum class output_format { text, json, jsonl };

struct agent_spec {
  agent_name name;
  agent_kind kind = agent_kind::command;
  std::vector<std::string> command;  ///< Program and arguments; never through a shell.
  prompt_channel prompt = prompt_channel::standard_input;
  output_format parse = output_format::text;
  std::vector<std::string> require;  ///< RFC 6901 pointers that must exist in the parsed output.
  std::string working_directory;     ///< Absolute once loaded: relative ones count from the configuration file.
  std::map<std::string, std::string> environment;
  std::vector<std::string> pass_environment;  ///< Names taken over from the host; the child sees nothing else of it.
  std::vector<int> ok_exit{0};
  std::size_t output_limit = std::size_t{16} << 20U;  ///< Bytes, of each stream.
  std::optional<milliseconds> first_output;           ///< From the start to the first byte; none: no limit.
  std::optional<milliseconds> idle_timeout;           ///< Without a byte, once the first has come; none: no limit.
  std::string provider;
  std::string model;
  std::vector<std::string> model_arguments;  ///< Behind the command where `model` is set, with {{model}} in them.
  std::string adapter;  ///< Where keys that the agent does not give itself were taken from; a name for people.
  recognition reading;
  std::string endpoint;                        ///< http only: `https://host/v1`, to which `/chat/completions` is added.
  std::string api_key_env;                     ///< http only: the name of the variable, never the key.
  std::map<std::string, std::string> headers;  ///< http only: sent with each request; no secrets.
  bool stream = true;                          ///< http only: asks for the answer piece by piece.
  std::int64_t max_tokens = 0;                 ///< http only: of an answer; 0: as many as the model gives.
  milliseconds connect_timeout{10'000};        ///< http only: name look-up, connection and TLS.
  std::optional<effect_kind> effects{};
};

}  // namespace troupe
