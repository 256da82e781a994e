// The part of the corpus in which others take part: agents that agree or not, people, and child runs.
#include "tests/integration/corpus.hpp"

namespace troupe {
namespace {

const std::string begin = "[[step]]\nid = 'a'\nfunction = 'mix'\nnext = 'g'\n";
const std::string end = "[[step]]\nid = 'z'\nfunction = 'mix'\n";

// Step `g` asks these agents, and z follows.
std::string asked(const std::string& agents, const std::string& consensus, const std::string& more = "") {
  return "[[step]]\nid = 'g'\nagents = [" + agents + "]\nprompt = 'Well?'\nnext = 'z'\n" + more +
         "[step.consensus]\nretry_degraded = 0\n" + consensus + end;
}

// Gate `g` after a; then z.
std::string gate(const std::string& keys, const std::string& state = "") {
  return state + begin + "[[step]]\nid = 'g'\nnext = 'z'\n[step.gate]\n" + keys + end;
}

const std::string three = "[state.n]\ninitial = 3\n";

// Each element of `items` by a run of its own, which calls `function` and then adds 2 to its own n.
std::string children(const std::string& function, const std::string& of_step = "") {
  return "[state.items]\ninitial = [5, 3]\n" + begin +
         "[[step]]\nid = 'g'\nmap = { over = '/items', as = 'each', workflow = 'leaf.toml' }\nnext = 'z'\n" + of_step +
         end +
         "[workflow_files]\n'leaf.toml' = '''\nname = 'leaf'\n[inputs.each]\nrequired = true\n[state.n]\ninitial = 0\n"
         "reduce = 'sum'\n[[step]]\nid = 'look'\nfunction = '" +
         function +
         "'\nnext = 'add'\n[[step]]\nid = 'add'\nfunction = 'probe.add'\nargs = { field = 'n', value = 2 }\n'''\n";
}

std::string agent(const std::string& name, const std::string& prints) {
  return "[agents." + name + "]\nparse = 'json'\ncommand = ['/bin/sh', '-c', '''" + prints + " ''']\n";
}

}  // namespace

std::vector<corpus_entry> corpus_of_others() {
  return {
      {"agents-vote", asked("'no', 'yes', 'also-yes'", "strategy = 'vote'\nvote_on = '/decision'\n")},
      {"agents-disagree", begin + asked("'yes', 'no'", "strategy = 'vote'\n"), "CONSENSUS_CONFLICT"},
      {"agents-disagree-and-are-dealt-with", asked("'yes', 'no'", "strategy = 'vote'\n", "on_error = 'z'\n")},
      {"agents-collected", asked("'yes', 'no'", "strategy = 'collect'\n")},
      {"agents-are-a-quorum", asked("'broken', 'yes', 'no'", "strategy = 'collect'\nquorum = 2\n")},
      {"agents-are-too-few", begin + asked("'yes', 'broken'", "quorum = 2\n"), "QUORUM_NOT_MET"},
      {"agents-in-an-emergency", asked("'yes', 'broken'", "quorum = 2\nmin_answers = 1\n")},
      {"agents-vote-on-each",
       asked("'finds-two', 'finds-others'",
             "strategy = 'vote'\nquorum = 2\nvote_each = '/findings'\nvote_by = ['/file', '/line']\n")},
      {"agents-aggregated",
       asked("'yes', 'no'", "strategy = 'aggregate'\naggregator = 'judge'\nrequired = ['/agreements']\n")},
      {"child-runs", children("mix")},
      {"child-runs-that-fail", children("boom"), "INVALID_INPUT"},
      {"child-runs-are-dealt-with", children("boom", "output = 'lost'\non_error = 'z'\n")},
      {"gate-two-of-three",
       gate("prompt = '?'\nvotes = 2\nvoters = ['ann', 'bob', 'eve']\naction = '/a'\n"),
       "",
       {{1, "ann"}, {1, "eve", gate_choice::rejected}, {1, "bob"}}},
      {"gate-rejected",
       gate("prompt = '?'\nvotes = 2\nvoters = ['ann', 'bob']\n"),
       "",
       {{1, "ann", gate_choice::rejected}}},
      {"gate-edited", gate("prompt = '?'\n", three), "", {{1, "ann", gate_choice::approved, json_text{R"({"n":7})"}}}},
      {"gate-of-three-levels",
       gate("levels = [{ prompt = 'one' }, { prompt = 'two', when = { path = '/n', gt = 3 } }, "
            "{ prompt = 'three', voters = ['dora'] }]\n",
            three),
       "",
       {{1, "ann"}, {3, "dora"}}},
      {"gate-escalated",
       gate("levels = [{ prompt = 'one', expires = '20ms', on_expiry = 'escalate' }, "
            "{ prompt = 'two', expires = '20ms', on_expiry = 'approve' }]\n")},
      {"gate-by-a-rule", gate("prompt = '?'\napproved_when = { path = '/n', ge = 3 }\n", three)},
  };
}

std::string corpus_agents() {
  return agent("yes", R"(echo '{"decision":"Yes","why":"fast"}')") +
         agent("also-yes", R"(echo '{"decision":" yes","why":"slow"}')") + agent("no", R"(echo '{"decision":"no"}')") +
         agent("finds-two", R"(echo '{"findings":[{"file":"a","line":1},{"file":"b","line":2,"text":"odd"}]}')") +
         agent("finds-others", R"(echo '{"findings":[{"file":"b","line":2,"text":"even"},{"file":"c","line":3}]}')") +
         agent("judge", R"(echo '{"agreements":["both answered"]}')") + agent("broken", "exit 3");
}

}  // namespace troupe
