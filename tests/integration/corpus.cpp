#include "tests/integration/corpus.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

namespace troupe {
namespace {

std::string step(const std::string& id, const std::string& rest) {
  return "[[step]]\nid = '" + id + "'\n" + rest + '\n';
}

// A step that mixes, with its routes: "'b', 'c'".
std::string mix(const std::string& id, const std::string& next = "", const std::string& rest = "") {
  return step(id, "function = 'mix'\n" + (next.empty() ? "" : "next = [" + next + "]\n") + rest);
}

std::string join_of(const std::string& id, const std::string& from, const std::string& rest = "") {
  return step(id, "function = 'mix'\njoin = [" + from + "]\n" + rest);
}

std::string choose(const std::string& id, const std::string& to, const std::string& rest = "") {
  return step(id, "function = 'choose'\nargs = { to = [" + to + "] }\n" + rest);
}

std::string boom(const std::string& id, const std::string& rest = "") { return step(id, "function = 'boom'\n" + rest); }

std::string map(const std::string& id,
                const std::string& over,
                const std::string& more = "",
                const std::string& rest = "") {
  return step(id, "map = { over = '" + over + "', as = 'each', function = 'mix'" + more + " }\n" + rest);
}

std::string gate(const std::string& id, const std::string& expiry, const std::string& next) {
  return step(id,
              "gate = { prompt = 'Go on?', expires = '20ms', on_expiry = '" + expiry + "' }\nnext = [" + next + "]");
}

std::string field(const std::string& name, const std::string& reduce, const std::string& initial = "") {
  return "[state." + name + "]\nreduce = '" + reduce + "'\n" + (initial.empty() ? "" : "initial = " + initial + '\n');
}

std::string counts(const std::string& limit) {
  return "next = [{ to = 'a', when = { path = '/n', lt = " + limit + " } }, { to = 'z' }]\n";
}

std::string add_one() { return "function = 'probe.add'\nargs = { field = 'n', value = 1 }\n"; }

const std::string five = "'b', 'c', 'd', 'e', 'f'";

std::string five_into(const std::string& output) {
  std::string all = mix("a", five);
  for (const auto* id : {"b", "c", "d", "e", "f"}) {
    all += mix(id, "'z'", output.empty() ? "" : "output = '" + output + "'\n");
  }
  return all + mix("z");
}

std::string chain(int length) {
  std::string all = field("n", "sum", "0");
  for (int k = 1; k <= length; ++k) {
    all += step("s" + std::to_string(k),
                "function = 'probe.expect'\nargs = { path = '/n', eq = " + std::to_string(k - 1) +
                    ", field = 'n', value = 1 }\n" + (k < length ? "next = 's" + std::to_string(k + 1) + "'\n" : ""));
  }
  return all;
}

std::string wide(int width) {
  std::string next;
  std::string all;
  for (int k = 0; k < width; ++k) {
    next += (k == 0 ? "'b" : ", 'b") + std::to_string(k) + '\'';
    all += mix("b" + std::to_string(k), "'z'", "output = 'list'\n");
  }
  return field("list", "append") + mix("a", next) + all + mix("z");
}

std::string tree(int depth) {
  std::string all;
  for (int node = 1; node < (1 << depth); ++node) {
    const auto left = 2 * node;
    all += left < (1 << depth)
               ? mix("t" + std::to_string(node), "'t" + std::to_string(left + 1) + "', 't" + std::to_string(left) + "'")
               : mix("t" + std::to_string(node), "", "output = 'leaves'\n");
  }
  return field("leaves", "append") + all;
}

const std::string items = field("items", "last", "[5, 3, 8, 1, 1, 9]");

}  // namespace

std::vector<corpus_entry> corpus() {
  std::vector<corpus_entry> all{
      {"one", mix("a")},
      {"chain-3", mix("a", "'b'") + mix("b", "'c'") + mix("c")},
      {"chain-20", chain(20)},
      {"chain-wrong",
       field("n", "sum", "0") + step("a", "function = 'probe.expect'\nargs = { path = '/n', eq = 1 }"),
       "INVALID_INPUT"},
      {"diamond", mix("a", "'b', 'c'") + mix("b", "'d'") + mix("c", "'d'") + mix("d")},
      {"five-own-fields", five_into("")},
      {"five-append", field("list", "append") + five_into("list")},
      {"five-union", field("set", "union") + five_into("set")},
      {"five-last", field("one", "last") + five_into("one")},
      {"five-sum", field("all", "sum", "0") + five_into("all")},
      {"five-min", field("least", "min") + five_into("least")},
      {"five-max", field("most", "max") + five_into("most")},
      {"five-conflict", five_into("one"), "MERGE_CONFLICT"},
      {"five-reversed",
       field("list", "append") + mix("a", "'f', 'e', 'd', 'c', 'b'") + mix("b", "", "output = 'list'\n") +
           mix("c", "", "output = 'list'\n") + mix("d", "", "output = 'list'\n") + mix("e", "", "output = 'list'\n") +
           mix("f", "", "output = 'list'\n")},
      {"merge-objects",
       field("card", "merge", "{ a = 1 }") + mix("a", "'b', 'c'") +
           step("b", "function = 'probe.set'\nargs = { field = 'card', value = { b = 2 } }") +
           step("c", "function = 'probe.set'\nargs = { field = 'card', value = { b = 3, c = 4 } }")},
      {"two-depths",
       field("list", "append") + mix("a", "'b', 'c'") + mix("b", "'d'", "output = 'list'\n") +
           mix("c", "'e'", "output = 'list'\n") + mix("d", "'e'", "output = 'list'\n") +
           mix("e", "", "output = 'list'\n")},
      {"wide-40", wide(40)},
      {"tree-5", tree(5)},
      {"three-streams",
       mix("a", "'b', 'c', 'd'") + step("b", "function = 'probe.rng'\nargs = { field = 'x', draws = 3 }") +
           step("c", "function = 'probe.rng'\nargs = { field = 'y', draws = 3 }") +
           step("d", "function = 'probe.rng'\nargs = { field = 'z', draws = 3 }")},
      {"streams-appended",
       field("list", "append") + mix("a", "'b', 'c', 'd'") +
           step("b", "function = 'probe.rng'\nargs = { field = 'list' }\nnext = 'a2'") +
           step("c", "function = 'probe.rng'\nargs = { field = 'list' }\nnext = 'a2'") +
           step("d", "function = 'probe.rng'\nargs = { field = 'list' }") + mix("a2")},
      {"loop", field("n", "sum", "0") + step("a", add_one() + counts("7")) + mix("z")},
      {"loop-of-three",
       field("n", "sum", "0") + step("a", add_one() + "next = 'b'") + mix("b", "'c'") +
           step("c", "function = 'mix'\n" + counts("5")) + mix("z")},
      {"loop-in-fan-out",
       field("n", "sum", "0") + field("list", "append") + mix("s", "'a', 'b', 'c'") +
           step("a", add_one() + counts("6")) + mix("b", "'d'", "output = 'list'\n") +
           mix("c", "", "output = 'list'\n") + mix("d", "'e'", "output = 'list'\n") +
           mix("e", "", "output = 'list'\n") + mix("z", "", "output = 'list'\n")},
      {"two-loops",
       field("n", "sum", "0") + field("m", "sum", "0") + mix("s", "'a', 'b'") + step("a", add_one() + counts("4")) +
           step("b",
                "function = 'probe.add'\nargs = { field = 'm', value = 2 }\nnext = [{ to = 'b', when = { path = '/m', "
                "lt = 11 } }, { to = 'z' }]") +
           mix("z")},
      {"loop-without-end",
       field("n", "sum", "0") + "[limits]\nmax_steps = 10\n" + step("a", add_one() + "next = 'a'"),
       "MAX_STEPS_EXCEEDED"},
      {"fan-out-too-wide", "[limits]\nmax_steps = 4\n" + five_into(""), "MAX_STEPS_EXCEEDED"},
      {"routes-by-state",
       field("n", "sum", "3") +
           step("a",
                "function = 'mix'\nnext = [{ to = 'b', when = { all = [{ path = '/n', gt = 3 }, { path = '/n', lt = 9 "
                "}] } },"
                " { to = 'c', when = { not = { path = '/nowhere', exists = true } } }, { to = 'd' }]") +
           mix("b") + mix("c") + mix("d")},
      {"no-route",
       step("a", "function = 'mix'\nnext = [{ to = 'b', when = { path = '/nowhere', eq = 1 } }]") + mix("b"),
       "NO_ROUTE"},
      {"route-in",
       field("n", "sum", "3") +
           step("a", "function = 'mix'\nnext = [{ to = 'b', when = { path = '/n', in = [1, 3] } }, { to = 'c' }]") +
           mix("b") + mix("c")},
      {"route-any",
       field("n", "sum", "3") +
           step("a",
                "function = 'mix'\nnext = [{ to = 'b', when = { any = [{ path = '/n', eq = 4 }, { path = '/a', exists "
                "= false }] } }, { to = 'c' }]") +
           mix("b") + mix("c")},
      {"own-route", choose("a", "'c', 'b'", "next = ['b', 'c', 'd']\n") + mix("b") + mix("c") + mix("d")},
      {"own-route-is-empty", choose("a", "", "next = ['b']\n") + mix("b")},
      {"own-route-to-nobody", choose("a", "'nobody'", "next = ['b']\n") + mix("b"), "NO_ROUTE"},
      {"own-route-to-a-join",
       mix("s", "'a', 'b'") + choose("a", "'j'", "next = ['j', 'c']\n") + mix("b", "'j'") + mix("c") +
           join_of("j", "'a', 'b'")},
      {"join-named",
       mix("a", "'b', 'c'") + mix("b", "'j'") + mix("c", "'d'") + mix("d", "'j'") +
           join_of("j", "'b', 'd'", "next = 'z'\n") + mix("z")},
      {"join-unnamed", mix("a", "'b', 'c'") + mix("b") + mix("c", "'d'") + mix("d") + join_of("j", "'b', 'd'")},
      {"join-of-three-depths",
       field("list", "append") + mix("a", "'b', 'c', 'd'") + mix("b", "", "output = 'list'\n") +
           mix("c", "'e'", "output = 'list'\n") + mix("d", "'f'", "output = 'list'\n") +
           mix("e", "", "output = 'list'\n") + mix("f", "'g'", "output = 'list'\n") +
           mix("g", "", "output = 'list'\n") + join_of("j", "'b', 'e', 'g'", "output = 'list'\n")},
      {"join-of-joins",
       mix("a", "'b', 'c', 'd', 'e'") + mix("b") + mix("c") + mix("d") + mix("e") + join_of("f", "'b', 'c'") +
           join_of("g", "'d', 'e'") + join_of("h", "'f', 'g'")},
      {"join-that-lacks-one",
       mix("a", "'b', 'c'") + mix("b", "'j'") +
           step("c",
                "function = 'mix'\nnext = [{ to = 'j', when = { path = '/nowhere', exists = true } }, { to = 'd' }]") +
           mix("d") + join_of("j", "'b', 'c'"),
       "NO_PROGRESS"},
      {"join-in-a-loop",
       field("n", "sum", "0") + step("a", add_one() + "next = ['b', 'c']") + mix("b") + mix("c") +
           step("j", "function = 'mix'\njoin = ['b', 'c']\n" + counts("4")) + mix("z")},
      {"caught", boom("a", "on_error = 'r'\n") + mix("r")},
      {"caught-beside-others",
       mix("s", "'a', 'b', 'c'") + boom("a", "on_error = 'r'\n") + mix("b") + boom("c", "on_error = 'q'\n") + mix("r") +
           mix("q")},
      {"not-caught", mix("s", "'a', 'b'") + boom("a") + mix("b"), "INVALID_INPUT"},
      {"caught-in-a-loop",
       field("n", "sum", "0") + step("s", add_one() + "next = 'b'") + boom("b", "on_error = 'a'\n") +
           step("a", "function = 'mix'\nnext = [{ to = 's', when = { path = '/n', lt = 3 } }, { to = 'z' }]") +
           mix("z")},
      {"map", items + map("a", "/items", "", "next = 'z'\n") + mix("z")},
      {"map-of-nothing", field("items", "last", "[]") + map("a", "/items", "", "next = 'z'\n") + mix("z")},
      {"map-of-no-list", field("items", "last", "3") + map("a", "/items"), "INVALID_INPUT"},
      {"map-one-at-a-time", items + map("a", "/items", ", max_concurrent = 1", "next = 'z'\n") + mix("z")},
      {"map-of-a-map", items + map("a", "/items", "", "next = 'b'\n") + map("b", "/a", "", "next = 'z'\n") + mix("z")},
      {"maps-side-by-side",
       items + mix("s", "'a', 'b'") + map("a", "/items", ", max_concurrent = 2") + map("b", "/items") +
           join_of("j", "'a', 'b'")},
      {"map-in-a-loop",
       items + field("n", "sum", "0") + step("s", add_one() + "next = 'm'") +
           map("m", "/items", "", "next = 'a'\noutput = 'items'\n") +
           step("a", "function = 'mix'\nnext = [{ to = 's', when = { path = '/n', lt = 4 } }, { to = 'z' }]") +
           mix("z")},
      {"map-too-long",
       items + "[limits]\nmax_steps = 3\n" + map("a", "/items", ", max_concurrent = 1"),
       "MAX_STEPS_EXCEEDED"},
      {"gate-approved-in-time", mix("a", "'g'") + gate("g", "approve", "'z'") + mix("z")},
      {"gate-rejected-in-time",
       mix("a", "'g'") +
           step("g",
                "gate = { prompt = 'Go on?', expires = '20ms', on_expiry = 'reject' }\n"
                "next = [{ to = 'b', when = { path = '/g/decision', eq = 'approved' } }, { to = 'z' }]") +
           mix("b") + mix("z")},
      {"gate-nobody-decides", mix("a", "'g'") + gate("g", "fail", "'z'") + mix("z"), "TASK_TIMEOUT"},
      {"nested-fan-out",
       field("list", "append") + mix("a", "'b', 'c'") + mix("b", "'d', 'e'", "output = 'list'\n") +
           mix("c", "'f', 'g'", "output = 'list'\n") + mix("d", "'z'", "output = 'list'\n") +
           mix("e", "'z'", "output = 'list'\n") + mix("f", "'z'", "output = 'list'\n") +
           mix("g", "", "output = 'list'\n") + mix("z", "", "output = 'list'\n")},
  };
  std::ranges::move(corpus_of_others(), std::back_inserter(all));
  return all;
}

function_table corpus_functions() {
  const auto wait = [](const function_request& request) {
    thread_local std::minstd_rand random{std::random_device{}()};
    static_cast<void>(request.sleep(milliseconds{random() % 3}));
  };
  function_table table;
  table["mix"] = [wait](const function_request& request) -> result<function_reply> {
    wait(request);
    const auto sum = request.state->str().size() + (request.item ? 7 * request.item->str().size() : 0);
    function_reply reply;
    reply.value = json_text{std::to_string((sum + request.seed) % 1'000)};
    return reply;
  };
  table["choose"] = [wait](const function_request& request) -> result<function_reply> {
    wait(request);
    function_reply reply;
    reply.value = json_text{"1"};
    reply.route.emplace();
    const auto args = parse(request.args);
    for (const auto& to : args.at("to").as_array()) {
      reply.route->emplace_back(std::string{to.as_string()});
    }
    return reply;
  };
  table["boom"] = [wait](const function_request& request) -> result<function_reply> {
    wait(request);
    return error{error_code::invalid_input, "boom", ""};
  };
  return table;
}

}  // namespace troupe
