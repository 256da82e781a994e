// The tables of every setting. A new one is a member in config/settings.hpp, with its default, and a line here.
#include "config/setting_codec.hpp"

#include <limits>

namespace troupe {
namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t kib = 1'024;
constexpr std::int64_t gib = kib * kib * kib;
constexpr double budget_max_usd = 1e8;
constexpr std::int64_t tokens_max = 1'000'000'000'000'000;
constexpr std::int64_t answer_tokens_max = 1'000'000'000;
constexpr std::int64_t time_max = hour * 24 * 365 * 100;

template <auto... Members>
constexpr setting_key<settings> key(setting_facts facts) {
  return make_setting_key<settings, Members...>(facts);
}

template <auto... Members>
constexpr setting_key<agent_spec> agent_key(setting_facts facts) {
  return make_setting_key<agent_spec, Members...>(facts);
}

constexpr std::array table{
    key<&settings::storage, &storage_settings::path>(
        {.name = "storage.path",
         .may_be_empty = false,
         .shown_default = "~/.local/state/troupe/troupe.db",
         .doc = "The database file; its folder is made if it is not there. The default is troupe/troupe.db in "
                "$XDG_STATE_HOME, where that is set.",
         .kind = value_kind::path}),
    key<&settings::storage, &storage_settings::durability>(
        {.name = "storage.durability",
         .doc = "\"full\": what is acknowledged survives a power cut; \"normal\": it survives a crash of the process, "
                "but a power cut may take the last commits."}),
    key<&settings::storage, &storage_settings::readers_max>(
        {.name = "storage.readers_max",
         .range = {2, 100},
         .doc = "Most read-only connections that are open at once; two are kept open, and who finds all of them in use "
                "waits."}),
    key<&settings::storage, &storage_settings::inline_limit>(
        {.name = "storage.inline_limit",
         .range = {kib, 256 * kib* kib},
         .doc = "Largest output stream of an attempt that is kept in the database; a larger one becomes a file in the "
                "folder of the same name with .blobs behind it."}),
    key<&settings::writer, &writer_settings::max_batch>(
        {.name = "writer.max_batch",
         .range = {1, 65'536},
         .doc = "Most commands that share one transaction; no more than writer.queue_depth."}),
    key<&settings::writer, &writer_settings::queue_depth>(
        {.name = "writer.queue_depth",
         .range = {1, 1'048'576},
         .doc = "Most commands that wait for the writer; above it, senders wait."}),
    key<&settings::vacuum, &vacuum_settings::enabled>(
        {.name = "vacuum.enabled",
         .doc = "Whether a running Troupe gives free space in the database back to the file system by itself."}),
    key<&settings::vacuum, &vacuum_settings::at>(
        {.name = "vacuum.at",
         .doc = "When, in UTC, the daily pass begins, which leaves no page free; where no Troupe runs then, soon after "
                "the next one starts."}),
    key<&settings::vacuum, &vacuum_settings::check_every>(
        {.name = "vacuum.check_every",
         .range = {100, 24 * hour},
         .doc = "How often it is looked whether there is more free than vacuum.free_percent and vacuum.free_bytes."}),
    key<&settings::vacuum, &vacuum_settings::slice>(
        {.name = "vacuum.slice",
         .range = {1, 10 * second},
         .doc =
             "How long vacuum may keep the writer busy in one go; agents' commits wait for it no longer than that."}),
    key<&settings::vacuum, &vacuum_settings::free_percent>(
        {.name = "vacuum.free_percent",
         .range = {1, 100},
         .doc = "Part of the file that may be free before a pass begins; the pass ends at half of it."}),
    key<&settings::vacuum, &vacuum_settings::free_bytes>(
        {.name = "vacuum.free_bytes",
         .range = {0, 1'024 * gib},
         .doc = "Bytes of the file that may be free, whatever part of it they are."}),
    key<&settings::runtime, &runtime_settings::workers>(
        {.name = "runtime.workers",
         .range = {0, 1'024},
         .doc = "Threads that carry out actors; 0 is one for each processor, and at least four."}),
    key<&settings::runtime, &runtime_settings::max_throughput>(
        {.name = "runtime.max_throughput",
         .range = {1, 1'000'000},
         .doc = "Messages that an actor handles in a row before another one has its turn."}),
    key<&settings::runtime, &runtime_settings::drain_timeout>(
        {.name = "runtime.drain_timeout",
         .range = {0, 24 * hour},
         .doc = "How long running tasks may go on at shutdown before they are stopped."}),
    key<&settings::runtime, &runtime_settings::kill_grace>(
        {.name = "runtime.kill_grace",
         .range = {0, hour},
         .doc = "How long an agent that was asked to end (SIGTERM) has before it is killed."}),
    key<&settings::runtime, &runtime_settings::drain_grace>(
        {.name = "runtime.drain_grace",
         .range = {0, hour},
         .doc = "How long a pipe that a grandchild holds open may delay the end of an agent that has exited."}),
    key<&settings::runtime, &runtime_settings::restart_intensity>(
        {.name = "runtime.restart_intensity",
         .range = {0, 1'000},
         .doc = "Restarts within runtime.restart_window that a supervisor makes before it gives up."}),
    key<&settings::runtime, &runtime_settings::restart_window>({.name = "runtime.restart_window",
                                                                .range = {1, 24 * hour},
                                                                .doc = "The time over which restarts are counted."}),
    key<&settings::runtime, &runtime_settings::health_every>(
        {.name = "runtime.health_every",
         .range = {0, 24 * hour},
         .doc = "How often the parts of a running Troupe are asked whether they are there; \"0s\": never."}),
    key<&settings::runtime, &runtime_settings::cgroup>(
        {.name = "runtime.cgroup",
         .doc = "\"auto\": each agent has a control group (version 2) of its own where one can be made, by which its "
                "processes are counted and killed at once; \"off\": none. Nothing needs it."}),
    key<&settings::runtime, &runtime_settings::custodian>(
        {.name = "runtime.custodian",
         .doc = "The program troupe-custodian; empty: beside the running program, else in /usr/libexec/troupe.",
         .kind = value_kind::path}),
    key<&settings::runtime, &runtime_settings::attempts_max>(
        {.name = "runtime.attempts_max",
         .range = {1, 1'000'000},
         .doc = "Attempts of all runs that may be under way at one time."}),
    key<&settings::retry, &retry_settings::agent>(
        {.name = "retry.agent",
         .doc = "How an agent that failed is tried again; a step's own `retry` says what is different."}),
    key<&settings::retry, &retry_settings::storage>(
        {.name = "retry.storage",
         .doc =
             "How a command that the database could not take (busy, full, not writable) is given to it again, before "
             "its run stops where its rows stand."}),
    key<&settings::budget, &budget_settings::subject_usd>(
        {.name = "budget.subject_usd",
         .numbers = {0, budget_max_usd},
         .doc = "What all runs about one subject may cost together; 0 is no limit, as in all these."}),
    key<&settings::budget, &budget_settings::subject_tokens>(
        {.name = "budget.subject_tokens",
         .range = {0, tokens_max},
         .doc = "Tokens, of prompts and answers together, that all runs about one subject may use up."}),
    key<&settings::budget, &budget_settings::subject_time>(
        {.name = "budget.subject_time",
         .range = {0, time_max},
         .doc = "How long the attempts of all runs about one subject may take, added up."}),
    key<&settings::budget, &budget_settings::day_usd>({.name = "budget.day_usd",
                                                       .numbers = {0, budget_max_usd},
                                                       .doc = "What all runs of one day (UTC) may cost together."}),
    key<&settings::budget, &budget_settings::day_tokens>({.name = "budget.day_tokens",
                                                          .range = {0, tokens_max},
                                                          .doc = "Tokens that all runs of one day (UTC) may use up."}),
    key<&settings::budget, &budget_settings::day_time>(
        {.name = "budget.day_time",
         .range = {0, time_max},
         .doc = "How long the attempts of all runs of one day (UTC) may take, added up."}),
    key<&settings::log, &log_settings::level>({.name = "log.level", .doc = "The least severe message that is logged."}),
    key<&settings::log, &log_settings::format>(
        {.name = "log.format", .doc = "\"human\": a line to read; \"json\": one JSON object on each line."}),
    key<&settings::log, &log_settings::file>({.name = "log.file",
                                              .doc = "The file that log messages are added to; empty: stderr.",
                                              .kind = value_kind::path}),
};

constexpr std::array agent_table{
    agent_key<&agent_spec::kind>(
        {.name = "kind", .doc = "How the agent is reached: a program that is started, or a request over HTTP."}),
    agent_key<&agent_spec::adapter>(
        {.name = adapter_key,
         .doc = "The adapter whose keys the agent takes where it does not give them itself: a built-in one (`troupe "
                "agents --adapters`) or [adapters.NAME]. For kind \"command\"."}),
    agent_key<&agent_spec::command>(
        {.name = "command",
         .doc = "Program and arguments, one string each; never through a shell. A program without a slash is looked up "
                "in the PATH that the agent is given, one with a slash counts from the folder of the file. Needed, "
                "unless kind is \"http\" or an adapter gives it.",
         .kind = value_kind::command}),
    agent_key<&agent_spec::prompt>({.name = "prompt",
                                    .doc = "How the prompt reaches the program: on its standard input, as its last "
                                           "argument, or as a file whose path is the last argument."}),
    agent_key<&agent_spec::parse>(
        {.name = "parse",
         .doc = "What the output is: \"text\" as it stands, one \"json\" document, or \"jsonl\", one on each line."}),
    agent_key<&agent_spec::require>({.name = "require",
                                     .doc = "JSON pointers that must exist in the parsed output.",
                                     .kind = value_kind::pointers}),
    agent_key<&agent_spec::reading, &recognition::answer>(
        {.name = "answer",
         .doc = "Where in the parsed output the answer is; empty: it is the whole. See adapters.md."}),
    agent_key<&agent_spec::reading, &recognition::answer_parse>(
        {.name = "answer_parse",
         .doc = "What an answer is that is a text: \"text\" as it stands, or \"json\", which is looked for in it as in "
                "an output."}),
    agent_key<&agent_spec::reading, &recognition::usage>(
        {.name = "usage", .doc = "Where the tokens are that were used: { input, output, model }."}),
    agent_key<&agent_spec::reading, &recognition::session>(
        {.name = "session", .doc = "Where the agent's own name of the conversation is."}),
    agent_key<&agent_spec::reading, &recognition::failures>(
        {.name = "failures",
         .doc = "What in the output, or which exit code, means which error; the first that holds counts, before "
                "ok_exit."}),
    agent_key<&agent_spec::working_directory>(
        {.name = "cwd",
         .shown_default = "",
         .doc = "The folder that the program starts in; it counts from the folder of the file. The default is the "
                "folder that Troupe was started in.",
         .kind = value_kind::path}),
    agent_key<&agent_spec::environment>(
        {.name = "env",
         .doc = "Environment variables of the program. Layers add to each other, variable by variable."}),
    agent_key<&agent_spec::pass_environment>(
        {.name = "pass_env",
         .doc = "Names of variables that are taken over from Troupe's own environment; the program sees no other.",
         .kind = value_kind::variable_names}),
    agent_key<&agent_spec::ok_exit>(
        {.name = "ok_exit", .range = {0, 255}, .may_be_empty = false, .doc = "Exit codes that count as success."}),
    agent_key<&agent_spec::output_limit>(
        {.name = "output_limit",
         .range = {kib, 4 * gib},
         .doc = "Most bytes of standard output, and of standard error, or of an answer over HTTP; an agent that gives "
                "more is stopped."}),
    agent_key<&agent_spec::first_output>(
        {.name = "first_output",
         .range = {100, 24 * hour},
         .doc = "How long the agent may take to its first byte of output before it is stopped, or \"off\"."}),
    agent_key<&agent_spec::idle_timeout>(
        {.name = "idle_timeout",
         .range = {500, 24 * hour},
         .doc = "How long the agent may print nothing, once it has begun to (without first_output: from its start), "
                "before it is stopped, or \"off\". It may take an eighth longer."}),
    agent_key<&agent_spec::effects>(
        {.name = "effects",
         .doc =
             "What an attempt that was cut off may have done outside: \"none\"; \"idempotent\", what another attempt "
             "under the same idempotency key does not do again; or \"external\": a person is asked before it runs "
             "again. A step's own effects or on_crash count before it."}),
    agent_key<&agent_spec::provider>({.name = "provider",
                                      .doc = "Who runs the model: the name of a [providers.NAME], whose limits "
                                             "and breaker all agents that name it share."}),
    agent_key<&agent_spec::model>(
        {.name = "model",
         .doc = "The model's name. Kind \"http\" needs it: that model is asked for. A program gets it by model_args, "
                "where there are any."}),
    agent_key<&agent_spec::model_arguments>(
        {.name = "model_args",
         .doc = "Arguments behind the command where a model is set, with {{model}} in the place of its name."}),
    agent_key<&agent_spec::endpoint>(
        {.name = "endpoint",
         .doc =
             "For kind \"http\": the address of the API, to which /chat/completions is added. Without user, password "
             "and query; where a key is sent, https, or a host of this machine."}),
    agent_key<&agent_spec::api_key_env>(
        {.name = "api_key_env",
         .doc = "For kind \"http\": the variable of Troupe's environment that holds the key, which is sent as a bearer "
                "token. Empty: none is sent."}),
    agent_key<&agent_spec::headers>({.name = "headers",
                                     .doc =
                                         "For kind \"http\": more headers of each request. Layers add to each other, "
                                         "header by header. Not for secrets.",
                                     .kind = value_kind::headers}),
    agent_key<&agent_spec::stream>({.name = "stream",
                                    .doc =
                                        "For kind \"http\": whether the answer is asked for piece by piece, as it is "
                                        "made (server-sent events)."}),
    agent_key<&agent_spec::max_tokens>(
        {.name = "max_tokens",
         .range = {0, answer_tokens_max},
         .doc =
             "For kind \"http\": most tokens of an answer, which is asked for as max_tokens; an answer that ends there "
             "is a failure. 0 asks for no limit. Budgets and limits reserve so many for each attempt."}),
    agent_key<&agent_spec::connect_timeout>(
        {.name = "connect_timeout",
         .range = {1, hour},
         .doc = "For kind \"http\": how long looking up the name, connecting and agreeing on TLS may take in all."}),
};

}  // namespace

std::span<const setting_key<settings>> settings_keys() noexcept { return table; }

std::span<const setting_key<agent_spec>> agent_keys() noexcept { return agent_table; }

bool is_adapters_key(std::string_view name) noexcept { return name != "kind" && name != adapter_key; }

}  // namespace troupe
