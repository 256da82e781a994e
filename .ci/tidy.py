#!/usr/bin/env python3
"""clang-tidy over every source that is compiled, in parallel, and only where something changed.

    .ci/tidy.py --build build/lint --jobs 2 [FILE...]

A file that was clean is remembered under the hash of all that its result depends on: the tool, .clang-tidy, the flags,
the file and every header of ours that it reaches. So a second run costs the reading of those files only.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-14"
SECONDS_PER_FILE = 900
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.M)
FINDING = re.compile(r"^(?=\S[^\n]*(?:error|warning): )", re.M)
# With a value, as one word (-Ifoo) or two (-isystem foo). Everything else in the command is the compiler's own business.
KEPT = ("-I", "-isystem", "-D", "-std=")


def flags_of(entry):
    words = shlex.split(entry["command"])[1:]
    flags = []
    take_next = False
    for word in words:
        if take_next:
            flags.append(word)
            take_next = False
        elif word in ("-I", "-isystem", "-D"):
            flags.append(word)
            take_next = True
        elif word.startswith(KEPT):
            flags.append(word)
    return flags


# Beyond .clang-tidy, by folder; the longest that fits.
LESS = {
    # The analyzer follows every path through GoogleTest's macros: 50 s for a file of tests instead of 6, and what it would
    # find there the sanitizers find when the tests run. Speed and threads are not what tests are about.
    "tests": "-clang-analyzer-*,-performance-*,-concurrency-mt-unsafe",
    "perf": "-clang-analyzer-*,-concurrency-mt-unsafe",
    # A process of its own, with one thread.
    "runtime/os/custodian": "-concurrency-mt-unsafe",
}


def checks_of(path):
    here = path.relative_to(ROOT)
    fitting = [folder for folder in LESS if pathlib.PurePath(folder) in here.parents]
    return [f"--checks={LESS[max(fitting, key=len)]}"] if fitting else []


class Reader:
    """Files of ours by what they include; each is read once."""

    def __init__(self):
        self.known = {}

    def digest_and_includes(self, path):
        if path not in self.known:
            try:
                data = path.read_bytes()
            except OSError:
                return None
            self.known[path] = (hashlib.sha256(data).digest(), INCLUDE.findall(data.decode("utf-8", "replace")))
        return self.known[path]

    def reached(self, source, folders):
        """The source and every file below these folders that it includes, directly or not; sorted."""
        found, waiting = {}, [source]
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            read = self.digest_and_includes(path)
            if read is None:
                continue
            found[path] = read[0]
            for name in read[1]:
                for folder in (path.parent, *folders):
                    candidate = folder / name
                    if candidate not in found and candidate.is_file():
                        waiting.append(candidate)
                        break
        return sorted((str(path), digest) for path, digest in found.items())


def reached_by(entry, flags, reader):
    folders = [pathlib.Path(flag[2:]) for flag in flags if flag.startswith("-I") and flag != "-I"]
    folders = [folder for folder in folders if ROOT in (folder, *folder.parents)]
    return reader.reached(pathlib.Path(entry["file"]), folders)


def key_of(entry, flags, reached, common):
    text = hashlib.sha256(common)
    text.update("\0".join(checks_of(pathlib.Path(entry["file"])) + flags).encode())
    for path, digest in reached:
        text.update(path.encode() + b"\0" + digest)
    return text.hexdigest()


def check(entry, flags):
    command = [TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", *checks_of(pathlib.Path(entry["file"])),
               entry["file"], "--", "-isystem", str(ROOT / ".ci" / "clang14"), *flags]
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=entry["directory"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, timeout=SECONDS_PER_FILE, check=False)
    except subprocess.TimeoutExpired:
        return False, f"gave up after {SECONDS_PER_FILE} s", time.monotonic() - started
    # What it says besides findings ("58679 warnings generated") goes to stderr, and so does a crash.
    text = done.stdout if done.stdout.strip() else done.stderr
    if "[clang-diagnostic-error" in text:
        # Findings in a file that clang could not read whole are about the holes in what it saw.
        text = "".join(part for part in FINDING.split(text) if "[clang-diagnostic-error" in part)
    good = done.returncode == 0 and "warning:" not in done.stdout
    return good, text, time.monotonic() - started


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", default="build/lint", help="folder of compile_commands.json")
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("files", nargs="*", help="only these sources, and those that include these headers")
    chosen = options.parse_args()

    build = (ROOT / chosen.build).resolve()
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if ROOT in path.parents and ROOT / "build" not in path.parents and path.is_file():
            entries.setdefault(str(path), entry)
    wanted = {str(pathlib.Path(file).resolve()) for file in chosen.files}

    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True, check=True).stdout
    common = version.encode() + (ROOT / ".clang-tidy").read_bytes() + b"".join(
        path.read_bytes() for path in sorted((ROOT / ".ci" / "clang14").iterdir()))
    clean = build / "clean"
    clean.mkdir(parents=True, exist_ok=True)

    reader = Reader()
    todo = []
    considered = 0
    for path, entry in entries.items():
        flags = flags_of(entry)
        reached = reached_by(entry, flags, reader)
        # A header is checked through every source that includes it.
        if wanted and wanted.isdisjoint(file for file, _ in reached):
            continue
        considered += 1
        mark = clean / key_of(entry, flags, reached, common)
        if mark.exists():
            os.utime(mark)
        else:
            todo.append((os.path.getsize(path), path, entry, flags, mark))
    # The long ones first, so that no processor waits for one at the end.
    todo.sort(key=lambda item: (-item[0], item[1]))
    print(f"clang-tidy: {len(todo)} of {considered} files to check", file=sys.stderr, flush=True)

    failed = 0
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, chosen.jobs)) as pool:
        running = {pool.submit(check, item[2], item[3]): item for item in todo}
        for number, future in enumerate(concurrent.futures.as_completed(running), start=1):
            _, path, _, _, mark = running[future]
            good, text, seconds = future.result()
            name = os.path.relpath(path, ROOT)
            print(f"[{number}/{len(todo)}] {name} {seconds:.1f} s{'' if good else '  FAILED'}", file=sys.stderr, flush=True)
            if good:
                mark.touch()
            else:
                failed += 1
                print(text.replace(str(ROOT) + "/", ""), flush=True)

    # Marks of files as they once were: kept for a month, for branches.
    for mark in clean.iterdir():
        if time.time() - mark.stat().st_mtime > 30 * 24 * 3600:
            mark.unlink(missing_ok=True)
    if todo:
        print(f"clang-tidy: {time.monotonic() - started:.0f} s, {failed} files with findings", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
