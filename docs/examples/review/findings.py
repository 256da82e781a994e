#!/usr/bin/env python3
"""findings.py TOOL [FILE...]: what one static analyser says about C++ files, as JSON in one form for all of them.

TOOL is cppcheck, clang-tidy or g++. Without FILE, the files come from standard input: separated by white space, or one
JSON list. The tool is started without a shell, and what it prints for machines is read:

    {"tool": "g++", "findings": [{"file": "a.cpp", "line": 3, "message": "...", "rule": "...", "severity": "..."}]}

Exit code 127: the tool is not installed. 1: it could not do its work; its words are on stderr.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

LANGUAGE = ["-std=c++20", "-I."]


def fail(code, text):
    print(f"findings.py: {text}", file=sys.stderr)
    sys.exit(code)


def run(command, ok):
    """What the command printed: stdout, stderr. Its program may be installed under a name with its version."""
    names = [command[0], *(f"{command[0]}-{version}" for version in range(22, 10, -1))]
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        fail(127, f"{command[0]} is not installed")
    command = [program, *command[1:]]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode not in ok:
        fail(1, f"{os.path.basename(program)} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout, done.stderr


def cppcheck(path):
    """--xml: <error id severity msg><location file line/>...</error>, on stderr; the first location is the place."""
    _, report = run(["cppcheck", "--xml", "--quiet", "--enable=warning,performance,portability", "--inline-suppr",
                     "--suppress=missingIncludeSystem", "--language=c++", "--std=c++20", "-I.", path], ok=[0])
    for error in xml.fromstring(report).iter("error"):
        place = error.find("location")
        if place is not None:
            yield place.get("file"), int(place.get("line")), error.get("msg"), error.get("id"), error.get("severity")


def clang_tidy(path):
    """Lines `file:line:column: severity: message [rule]` on stdout. The checks are ours, not those of a .clang-tidy."""
    checks = "-*,clang-diagnostic-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters"
    printed, _ = run(["clang-tidy", "--quiet", f"--config={{Checks: '{checks}'}}", path, "--", "-Wall", *LANGUAGE],
                     ok=[0, 1])
    for line in printed.splitlines():
        found = re.fullmatch(r"(.+?):(\d+):\d+: (error|warning): (.*) \[([^\]]+)\]", line)
        if found:
            file, number, severity, message, rule = found.groups()
            yield file, int(number), message, rule, severity


def gxx(path):
    """-fdiagnostics-format=json: a list on stderr; the caret of the first location is the place."""
    _, report = run(["g++", "-fdiagnostics-format=json", "-fanalyzer", "-Wall", "-Wextra", "-O1", *LANGUAGE,
                     "-c", "-o", os.devnull, path], ok=[0, 1])
    for each in json.loads(report.splitlines()[0]) if report.strip() else []:
        if each["kind"] in ("warning", "error") and each["locations"]:
            caret = each["locations"][0]["caret"]
            rule = each.get("option", "-fpermissive")
            yield caret["file"], caret["line"], each["message"], rule, each["kind"]


TOOLS = {"cppcheck": cppcheck, "clang-tidy": clang_tidy, "g++": gxx}


def files_from(text):
    """A JSON list, or words."""
    try:
        listed = json.loads(text)
    except ValueError:
        return text.split()
    return [str(each) for each in listed] if isinstance(listed, list) else text.split()


def findings(tool, path):
    """One for each line, in the order of lines: a vote counts lines, and a tool may say the same twice."""
    print(f"{tool}: {path}", file=sys.stderr, flush=True)
    by_line = {}
    for file, line, message, rule, severity in TOOLS[tool](path):
        name = os.path.relpath(file)
        if name == os.path.relpath(path) and line not in by_line:
            by_line[line] = {"file": name, "line": line, "message": message, "rule": rule, "severity": severity}
    return [by_line[line] for line in sorted(by_line)]


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in TOOLS:
        fail(2, f"usage: findings.py {'|'.join(TOOLS)} [FILE...]")
    tool = sys.argv[1]
    files = sys.argv[2:] or files_from(sys.stdin.read())
    if not files:
        fail(2, "no file is named")
    for path in files:
        if not os.path.isfile(path):
            fail(2, f"there is no file {path} in {os.getcwd()}")
    found = [each for path in files for each in findings(tool, path)]
    json.dump({"tool": tool, "findings": found}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
