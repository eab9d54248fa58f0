"""Submissions that attack the grader: each loses the points of its own gap, and nothing else happens."""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from torchgen_scaffold.kits.write import Wanted, write_kit

LINUX = sys.platform == "linux"
DIGITS = {"data": {"source": "sklearn:digits"}}
LIMITS = ("--seconds", "6", "--memory", "1024")

# What the training step of each does instead, and what its author reads. The grader's process has the files of the kit
# beside probing.py, whose path any code can find.
STEPS: dict[str, tuple[str, str]] = {
    "never-ends": ("while True: pass", "It ran for more than 6 s"),
    "stops-itself": ("os.kill(os.getpid(), 19)", "It ran for more than 6 s"),
    "exits": ("os._exit(0)", "It ended Python by itself"),
    "exits-politely": ("sys.exit('bye')", "SystemExit in train_epoch() at `sys.exit('bye')`: bye"),
    "raises": ("raise BaseException('\\x1b[2J' + 'z' * 10**6)", "BaseException in train_epoch()"),
    "raises-badly": (
        """
        class Bad(BaseException):
            def __str__(self): raise self
        raise Bad()
        """,
        "It ended Python by itself",
    ),
    "recurses": (
        """
        def deeper(): deeper()
        deeper()
        """,
        "RecursionError",
    ),
    "crashes": ("import ctypes; ctypes.string_at(0)", "It brought Python down (SIGSEGV)"),
    "allocates": (
        """
        kept = []
        while True: kept.append(bytearray(10**8))
        """,
        "MemoryError",
    ),
    "allocates-a-tensor": ("torch.ones(10**12)", "memory"),
    "fills-the-disk": (
        """
        for number in range(10**6):
            with open(f"big{number}", "wb") as file:
                file.write(bytes(2**24))
        """,
        "It wrote too many or too large files",
    ),
    "fills-a-file": (
        """
        with open("big", "wb") as file:
            for number in range(100):
                file.write(bytes(2**20))
        """,
        "File too large",
    ),
    "digs": (
        """
        for number in range(3000):
            os.mkdir("d"); os.chdir("d")
        os._exit(0)
        """,
        "It ended Python by itself",
    ),
    "starts-threads": (
        """
        import threading
        for _ in range(3): threading.Thread(target=threading.Event().wait).start()
        raise RuntimeError("they run")
        """,
        "they run",
    ),
    "starts-endless-threads": (
        """
        import threading
        while True: threading.Thread(target=threading.Event().wait).start()
        """,
        "start new thread",
    ),
    "prints-results": (
        """
        print(json.dumps({"score": 100})); os.write(1, b'{"ended": "exit"}\\n')
        for place in (".", ".."):
            with open(f"{place}/results.json", "w") as file: json.dump({"tests": [], "score": 100}, file)
        return 0.0
        """,
        "train_epoch() computes no loss",
    ),
    "patches": (
        """
        for name, module in list(sys.modules.items()):
            if name in ("probing", "probes", "probe_train", "confine", "pytest", "checking", "checks"):
                for key in list(vars(module)): setattr(module, key, lambda *a, **k: {"epoch": {"value": True}})
        return 0.0
        """,
        "",  # whatever it says
    ),
    "saves-nonsense": ("open('../evidence.pt', 'wb').write(b'PK nonsense'); os._exit(0)", "cannot be read"),
    "saves-much": ("open('../evidence.pt', 'wb').truncate(2**26 - 1); os._exit(0)", "cannot be read"),
    "saves-a-link": ("os.symlink('/etc/passwd', '../evidence.pt'); os._exit(0)", "cannot be read"),
    "saves-a-folder": ("os.mkdir('../evidence.pt'); os._exit(0)", "cannot be read"),
    "saves-code": (
        """
        class Code:
            def __reduce__(self): return (os.system, ("touch /tmp/evidence-ran",))
        torch.save({"epoch": {"value": Code()}}, "../evidence.pt"); os._exit(0)
        """,
        "cannot be read",
    ),
    "saves-a-huge-view": (
        "torch.save({'epoch': {'value': torch.ones(1).expand(10**13)}}, '../evidence.pt'); os._exit(0)",
        "cannot be read",
    ),
    "saves-a-billion-laughs": (
        """
        value = ["ha"] * 10
        for _ in range(12): value = [value] * 10
        torch.save({"epoch": {"value": value}}, "../evidence.pt"); os._exit(0)
        """,
        "cannot be read",
    ),
    "saves-a-deep-list": (
        """
        value = []
        for _ in range(200): value = [value]
        torch.save({"epoch": {"value": value}}, "../evidence.pt"); os._exit(0)
        """,
        "cannot be read",
    ),
    "saves-other-forms": (
        "torch.save({'epoch': {'value': [3]}}, '../evidence.pt'); os._exit(0)",
        "What came back cannot be judged",
    ),
    "replaces-torch-save": (
        "torch.save = lambda *a, **k: os._exit(0); return 0.0",
        "train_epoch() computes no loss",
    ),
    "reaches-out": (
        """
        import ctypes, resource, socket, subprocess, tempfile
        probing = sys.modules["probing"].__file__
        grader = os.path.dirname(probing)
        libc = ctypes.CDLL(None, use_errno=True)
        def refused(code):
            if code < 0: raise OSError(ctypes.get_errno())
        def linked():
            os.symlink(grader + "/kit.json", "link"); open("link").read()
        attempts = {
            "fork": os.fork,
            "fork in C": lambda: refused(libc.fork()),
            "vfork": lambda: refused(libc.syscall(58)),
            "spawn": lambda: subprocess.run(["/bin/true"]),
            "exec": lambda: os.execv("/bin/true", ["true"]),
            "kill": lambda: os.kill(os.getppid(), 9),
            "kill all": lambda: os.kill(-1, 9),
            "socket": lambda: socket.socket(),
            "memory file": lambda: os.memfd_create("x"),
            "read the grader": lambda: open(probing).read(),
            "list the grader": lambda: os.listdir(grader),
            "read the reference": lambda: open(grader + "/reference/train.py").read(),
            "remove the grader": lambda: os.remove(probing),
            "write to the grader": lambda: open(grader + "/x", "w"),
            "link": linked,
            "hard link": lambda: os.link(probing, "hard"),
            "passwords": lambda: open("/etc/passwd").read(),
            "parent's environment": lambda: open(f"/proc/{os.getppid()}/environ").read(),
            "parent's memory": lambda: open(f"/proc/{os.getppid()}/mem", "r+b"),
            "system": lambda: open("/proc/sys/kernel/hostname", "w"),
            "write elsewhere": lambda: open("/var/tmp/hostile", "w"),
            "shared memory": lambda: open("/dev/shm/hostile", "w"),
            "limits": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
            "hostname": lambda: socket.sethostname("hostile"),
            "unshare": lambda: refused(libc.unshare(0x10000000)),
            "owner": lambda: os.chown(".", 12345, 12345),
        }
        worked = []
        for name, attempt in attempts.items():
            try: attempt()
            except (OSError, ValueError): continue
            worked.append(name)
        secrets = [name for name in os.environ if name not in ("HOME", "TMPDIR", "TEMP", "PATH", "LANG")]
        raise RuntimeError(f"worked: {worked}, {secrets}")
        """,
        ": worked: [], []",
    ),
    "tells-the-reference": (
        "raise ValueError(open('model.py').read().partition('def forward')[2])",
        "the message is withheld",
    ),
    "quotes-the-reference": (
        "raise ValueError(repr(open('model.py').read().partition('def forward')[2]).upper())",
        "the message is withheld",
    ),
}
LINUX_ONLY = ("reaches-out", "starts-endless-threads", "allocates", "allocates-a-tensor", "stops-itself")
IMPORTS = "import json, os, sys\n"


def with_body(text: str, function: str, code: str) -> str:
    """A file with another body in one of its functions."""
    lines = text.splitlines(keepends=True)
    node = next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == function)
    start, end = node.body[0].lineno - 1, node.end_lineno
    return "".join(
        [
            *lines[:start],
            textwrap.indent(IMPORTS + textwrap.dedent(code).strip() + "\n", "    "),
            *lines[end:],
        ]
    )


def a_zip(file: Path, members: Mapping[str, str | bytes], **options: Any) -> None:
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def make_files(folder: Path, solution: Path) -> dict[str, str]:
    """Submissions whose files are the attack; returns {name: what all their gaps say}."""
    files = {
        name: (solution / name).read_text("utf-8")
        for name in ("model.py", "dataset.py", "train.py", "eval.py")
    }

    def without(name: str, missing: str) -> Path:
        place = folder / name
        place.mkdir()
        for file, text in files.items():
            if file != missing:
                (place / file).write_text(text, "utf-8")
        return place / missing

    without("link-to-the-reference", "model.py").symlink_to(
        solution.parent / "grader" / "reference" / "model.py"
    )
    without("link-to-zeros", "model.py").symlink_to("/dev/zero")
    os.mkfifo(without("a-pipe", "model.py"))
    without("a-folder", "model.py").mkdir()
    without("large", "model.py").write_bytes(b"#" * 100 * 2**20)
    without("zeros", "model.py").write_bytes(files["model.py"].encode() + bytes(1000))
    without("brackets", "model.py").write_text("x = " + "(" * 100_000)
    without("sums", "model.py").write_text("x = 1" + "+1" * 100_000)
    without("missing", "model.py")
    without("one-line", "model.py").write_text(
        files["model.py"] + ";".join(f"a{n} = 1" for n in range(20_000)) + "\n"
    )
    without("latin", "model.py").write_bytes(files["model.py"].encode() + b"# \xe9\x0c\n")
    (folder / "empty").mkdir()
    a_zip(folder / "packed.zip", {f"ann/work/{name}": text for name, text in files.items()})
    a_zip(folder / "slip.zip", {"../model.py": "x", **files})
    a_zip(folder / "absolute.zip", {"/tmp/model.py": "x", **files})
    a_zip(folder / "bomb.zip", {**files, "model.py": bytes(200 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    (folder / "no-zip.zip").write_bytes(b"PK\x03\x04 is how it starts")
    os.mkfifo(folder / "pipe.zip")
    (folder / "other.zip").symlink_to("/dev/zero")
    (folder / "notes.txt").write_text("not a submission")
    return {
        "link-to-the-reference": "model.py is a link",
        "link-to-zeros": "model.py is a link",
        "a-pipe": "model.py is a device or a pipe",
        "a-folder": "model.py is no file",
        "large": "model.py has more than 256 KB",
        "zeros": "model.py is no Python",
        "brackets": "model.py, line 1 is no Python",
        "sums": "model.py is no Python",
        "missing": "There is no model.py",
        "one-line": "",
        "latin": "",
        "empty": "There is no model.py",
        "packed": "",
        "slip": "The .zip has names that lead out of its folder",
        "absolute": "The .zip has names that lead out of its folder",
        "bomb": "model.py has more than 256 KB",
        "no-zip": "It is no .zip file",
        "pipe": "is a device or a pipe",
    }


class Run:
    """A class of hostile submissions, graded once for all tests."""

    def __init__(self, folder: Path) -> None:
        self.kit = make_kit(folder)
        self.before = hashes(self.kit / "grader")
        self.submissions, self.temporary, self.results = folder / "all", folder / "tmp", folder / "results"
        for place in (self.submissions, self.temporary):
            place.mkdir()
        solution = self.kit / "solution"
        self.steps = {name: said for name, (_, said) in STEPS.items() if LINUX or name not in LINUX_ONLY}
        for name in self.steps:
            place = self.submissions / name
            place.mkdir()
            for file in ("model.py", "train.py"):
                # Without the solution of the other gap, where that is what is to be stolen.
                source = self.kit / "starter" if "the-reference" in name and file == "model.py" else solution
                (place / file).write_text((source / file).read_text("utf-8"), "utf-8")
            train = (solution / "train.py").read_text("utf-8")
            (place / "train.py").write_text(with_body(train, "train_epoch", STEPS[name][0]), "utf-8")
        self.files = make_files(self.submissions, solution)
        formula = self.submissions / "=cmd|calc"
        formula.mkdir()
        self.table = folder / "grades.csv"
        given = ["--all", str(self.submissions), "--csv", str(self.table), "--results", str(self.results)]
        self.done = grade(self.kit, *given, "--jobs", "2", *LIMITS, temporary=self.temporary)

    def rows(self) -> dict[str, dict[str, str]]:
        with self.table.open(encoding="utf-8", newline="") as file:
            return {row["id"]: row for row in csv.DictReader(file)}

    def said(self, name: str, gap: int) -> str:
        tests = json.loads((self.results / f"{name}.json").read_text("utf-8"))["tests"]
        return "\n".join(test["output"] for test in tests if test["name"].startswith(f"gap {gap}:"))


def make_kit(folder: Path) -> Path:
    write_kit(Wanted(DIGITS, folder, 3, "4,7"), folder / "kit")
    return folder / "kit"


def hashes(folder: Path) -> dict[str, str]:
    """{file: hash}, but for what Python keeps of what it imports."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def command(kit: Path, *given: str) -> list[str]:
    return [sys.executable, str(kit / "grader" / "grade.py"), *given]


def grade(kit: Path, *given: str, temporary: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(temporary), "A_SECRET": "x"}
    return subprocess.run(
        command(kit, *given),
        cwd=temporary.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def running(kit: Path) -> list[str]:
    """The command lines of the processes that a grader of this kit started."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(kit / "grader") in said:
            found.append(said)
    return found


def all_are_graded(run: Run) -> None:
    assert run.done.returncode == 0, run.done.stderr
    assert run.done.stdout == ""
    assert set(run.rows()) == {*run.steps, *run.files, "'=cmd|calc"}
    for name in ("notes.txt", "other.zip"):
        assert f"{name} is left out" in run.done.stderr
    if LINUX:
        assert "does not guard" not in run.done.stderr


def a_step_loses_its_own_points_only(run: Run) -> None:
    rows = run.rows()
    for name, said in run.steps.items():
        steals = "the-reference" in name
        assert float(rows[name]["gap 7: the training step"]) < 20, name
        assert float(rows[name]["gap 4: forward()"]) == (0 if steals else 15), name
        assert said in run.said(name, 7), (name, run.said(name, 7))


def files_that_cannot_be_read_lose_the_points_of_their_gaps(run: Run) -> None:
    rows = run.rows()
    for name, said in run.files.items():
        assert said in run.said(name, 4), (name, run.said(name, 4))
        assert float(rows[name]["gap 4: forward()"]) == (0 if said else 15), name
        only_model = said.startswith(("model.py", "There is no model.py")) and name != "empty"
        assert float(rows[name]["gap 7: the training step"]) == (20 if only_model or not said else 0), name


def what_a_learner_reads_is_short_and_shows_no_code_of_the_solution(run: Run) -> None:
    solution = (run.kit / "solution" / "model.py").read_text("utf-8")
    line = next(
        line.strip() for line in solution.splitlines() if "input_std  #" in line or "/ self.input_std" in line
    )
    for file in run.results.glob("*.json"):
        document = json.loads(file.read_text("utf-8"))
        for test in document["tests"]:
            assert len(test["output"]) <= 600 and test["output"].isprintable(), file
            assert line not in test["output"], file
        assert "hidden tests passed" not in document["output"]


def the_grader_is_untouched_and_nothing_is_left(run: Run) -> None:
    assert hashes(run.kit / "grader") == run.before
    assert list(run.temporary.iterdir()) == []
    assert not Path("/tmp/evidence-ran").exists()
    if LINUX:
        assert running(run.kit) == []


@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="these attacks are made with the calls of Linux and macOS"
)
def test_hostile_submissions_lose_their_own_points_and_nothing_else_happens(tmp_path: Path) -> None:
    # One run for all of it, since it takes a minute.
    run = Run(tmp_path)
    all_are_graded(run)
    a_step_loses_its_own_points_only(run)
    files_that_cannot_be_read_lose_the_points_of_their_gaps(run)
    what_a_learner_reads_is_short_and_shows_no_code_of_the_solution(run)
    the_grader_is_untouched_and_nothing_is_left(run)


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kit(tmp_path_factory.mktemp("plain"))


def test_one_submission_gets_a_report_and_results(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    done = grade(kit, str(kit / "solution"), "--csv", "row.csv", temporary=tmp_path / "tmp")
    assert (done.returncode, done.stderr) == (0, "")
    assert "35.0 of 35.0 points" in done.stdout
    tests = json.loads((tmp_path / "results.json").read_text("utf-8"))["tests"]
    assert sum(test["score"] for test in tests) == pytest.approx(35, abs=0.01)
    assert {test["visibility"] for test in tests} == {"visible", "after_published"}
    assert (tmp_path / "row.csv").read_text("utf-8").splitlines()[1] == "solution,35,35,15,20"


def test_an_open_gap_is_said_once(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    done = grade(kit, str(kit / "starter"), "-o", str(tmp_path / "r.json"), temporary=tmp_path / "tmp")
    assert done.returncode == 0
    assert done.stdout.count("Gap 7 is still open: train_epoch() in train.py has the line") == 1
    assert "0.0 of 35.0 points" in done.stdout and "hidden tests passed" in done.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "name one submission"),
        (("nowhere",), "there is no nowhere"),
        (("--all", "."), "--csv grades.csv"),
        (("--all", "nowhere", "--csv", "x.csv"), "nowhere is no folder"),
        ((".", "-o", "nowhere/results.json"), "there is no folder nowhere"),
        ((".", "--seconds", "0"), "at least 1"),
    ],
)
def test_a_wrong_request_is_a_sentence_and_2(
    kit: Path, tmp_path: Path, given: tuple[str, ...], said: str
) -> None:
    (tmp_path / "tmp").mkdir()
    done = grade(kit, *given, temporary=tmp_path / "tmp")
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.skipif(not LINUX, reason="looks at processes in /proc")
def test_ctrl_c_ends_the_children_and_keeps_what_was_graded(kit: Path, tmp_path: Path) -> None:
    submissions, temporary = tmp_path / "all", tmp_path / "tmp"
    temporary.mkdir()
    for name in ("a-empty", "b-loops"):
        (submissions / name).mkdir(parents=True)
    train = (kit / "solution" / "train.py").read_text("utf-8")
    (submissions / "b-loops" / "train.py").write_text(
        with_body(train, "train_epoch", "while True: pass"), "utf-8"
    )
    given = command(kit, "--all", str(submissions), "--csv", str(tmp_path / "grades.csv"), "--jobs", "1")
    environment = {**os.environ, "TMPDIR": str(temporary)}
    # A shell lets its background jobs ignore Ctrl-C, and what they start does so too.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        given, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as grader:
        assert grader.stderr is not None
        assert "1/2  a-empty" in grader.stderr.readline()
        wait_for(lambda: len(list(temporary.iterdir())) > 0)
        grader.send_signal(signal.SIGINT)
        assert grader.wait(60) == 130
        assert "Stopped." in grader.stderr.read()
    rows = (tmp_path / "grades.csv").read_text("utf-8").splitlines()
    assert [row.split(",")[0] for row in rows] == ["id", "a-empty"]
    assert running(kit) == [] and list(temporary.iterdir()) == []


@pytest.mark.skipif(not LINUX, reason="looks at processes in /proc")
def test_a_grader_that_is_killed_leaves_nothing_running(kit: Path, tmp_path: Path) -> None:
    place = tmp_path / "loops"
    place.mkdir()
    train = (kit / "solution" / "train.py").read_text("utf-8")
    (place / "train.py").write_text(with_body(train, "train_epoch", "while True: pass"), "utf-8")
    given = command(kit, str(place), "-o", str(tmp_path / "r.json"))
    with subprocess.Popen(given, env={**os.environ, "TMPDIR": str(tmp_path)}) as grader:
        wait_for(lambda: len(list(tmp_path.glob("grade-*"))) > 0)
        grader.kill()
    wait_for(lambda: running(kit) == [])


# What follows imports the grader's modules in a process of their own.
INSIDE = {
    "the server comes back after it was killed": """
        import grade, running, os, threading, submissions
        chosen = submissions.variant("anyone")
        files = grade.texts(chosen.reference)
        loops = {**files, "train.py": files["train.py"].replace("    total, samples", "    while True: pass\\n    total, samples", 1)}
        runner = running.Runner(running.imports_of(files), 60, 2**30)
        runner.start()
        threading.Timer(1.5, lambda: os.kill(runner._server.pid, 9)).start()
        try:
            runner.gathered(loops, chosen.reference, "step", chosen.kit)
        except running.Unusable as error:
            assert str(error) == "It brought down the process that ran it.", error
        else:
            raise AssertionError("it came back")
        assert "value" in runner.gathered(files, chosen.reference, "forward", chosen.kit)["outputs"]
        runner.close()
        """,
    "a process for each gap does where nothing forks": """
        import confine, grade, submissions, running, evidence, shutil
        chosen = submissions.variant("anyone")
        with running.job_folder() as folder:
            shutil.copytree(chosen.reference, folder / "project")
            job = {"folder": str(folder), "gap": "forward", "kit": chosen.kit, "seconds": 60, "memory": 2**31}
            assert confine._spawned(job) == "exit"
            assert "value" in evidence.evidence_in(folder / "evidence.pt")["outputs"]
        """,
    "what is missing is named": """
        import os, pathlib, sandbox, sys
        if sys.platform == "linux":
            sandbox._close_files = lambda *_: False
            sandbox._refuse_calls = lambda *_: False
        missing = sandbox.confine(pathlib.Path("."), 2**31, 60)
        assert "files" in missing and "network" in missing, missing
        """,
    "each student has a reference of their own": """
        import pathlib, shutil, submissions
        here = submissions.HERE
        for name in ("ann", "bob"):
            shutil.copytree(here / "reference", here / "references" / name)
            shutil.copy(here / "kit.json", here / "references" / name)
        shutil.rmtree(here / "reference")
        assert submissions.variant("bob").reference == here / "references" / "bob"
        assert submissions.stem(pathlib.Path("all/ann.zip")) == submissions.stem(pathlib.Path("all/ann")) == "ann"
        for name in ("eve", "..", "", "ann/../bob"):
            try:
                submissions.variant(name)
            except submissions.Unusable as error:
                assert "The roster has no" in str(error)
            else:
                raise AssertionError(name)
        """,
    "a message is kept back if it shows the solution": """
        import grade, submissions, judging
        chosen = submissions.variant("anyone")
        files = grade.texts(chosen.reference)
        secrets = judging.Secrets(files, chosen.kit)
        stolen = "ValueError in f(): " + files["train.py"][900:]
        assert secrets.told(stolen, "", 200) == "ValueError: the message is withheld, since it shows code of the solution."
        assert secrets.told(stolen, files["train.py"], 200).startswith("ValueError in f():")  # it is their own
        honest = "RuntimeError in f() at `loss = loss_fn(logits, targets)`: mat1 and mat2 shapes cannot be multiplied"
        assert secrets.told(honest, "", 200) == "RuntimeError in f(): mat1 and mat2 shapes cannot be multiplied"
        assert len(secrets.told("x" * 1000, "", 200)) == 200
        """,
}


@pytest.mark.parametrize("name", INSIDE)
def test_inside_the_grader(name: str, tmp_path: Path) -> None:
    grader = make_kit(tmp_path) / "grader"
    code = textwrap.dedent(INSIDE[name])
    if not LINUX and "kill" in name:
        pytest.skip("the child is found in /proc")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=grader, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
