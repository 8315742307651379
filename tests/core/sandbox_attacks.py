"""What hostile code tries in a sandbox, and a look from outside at whether it had an effect."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sys
import tempfile
import textwrap
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trace_agents import SandboxError
from trace_agents.sandbox import Job, Sandbox, call

SECRET = "canary-7f31c0de"
SEEN_FROM_INSIDE = "seen-from-inside"
"""What an attack returns that got information without reading the secret itself."""
GROWTH = 256_000_000
"""Bytes by which the host may grow at most; far less than what the bombs ask for."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Hostile code: the body of `attack(path, folder, port, pid)`."""

    kind: str
    name: str
    body: str

    @property
    def source(self) -> str:
        """The function as a model would send it."""
        body = textwrap.indent(textwrap.dedent(self.body).strip("\n"), "    ")
        return f"def attack(path, folder, port, pid):\n{body}\n"


@dataclass(frozen=True, slots=True)
class World:
    """What an attack could reach, and a look at it."""

    folder: Path
    canary: Path
    listener: socket.socket
    before: frozenset[str]
    grown: int
    """Bytes that this process held at most when the attack began."""

    def effects(self) -> list[str]:
        """Return what is no longer as it was."""
        found: list[str] = []
        if not self.canary.is_file() or self.canary.read_text(encoding="utf-8") != SECRET:
            found.append("the canary file changed")
        if sorted(os.listdir(self.folder)) != [self.canary.name]:
            found.append("files were made or removed")
        if _connected(self.listener):
            found.append("a connection was made")
        if _strangers() - self.before:
            found.append("a process was left")
        if _held() - self.grown > GROWTH:
            found.append("the host's memory grew")
        return found


@contextmanager
def world() -> Generator[World]:
    """Yield a folder that everybody may use, with a secret in it; a listener; a secret variable."""
    folder = Path(tempfile.mkdtemp(prefix="canary-"))
    folder.chmod(0o777)
    canary = folder / "canary.txt"
    canary.write_text(SECRET, encoding="utf-8")
    canary.chmod(0o666)
    os.environ["CANARY"] = SECRET
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield World(folder, canary, listener, _strangers(), _held())
    finally:
        del os.environ["CANARY"]
        shutil.rmtree(folder)


def effects(box: Sandbox, attack: Attack) -> list[str]:
    """Return what an attack achieved: nothing, where the sandbox held.

    That this returns at all is part of it: time is bounded.
    """
    with world() as seen:
        args = (str(seen.canary), str(seen.folder), seen.listener.getsockname()[1], os.getpid())
        try:
            job = Job(attack.source, "attack", args, callees={"double": double})
            said = repr(call(box, job))
        except SandboxError as error:
            said = str(error)
        found = [
            word for word in (SECRET, SEEN_FROM_INSIDE) if word in said.replace(attack.body, "")
        ]
        found = ["the secret came out"] if found else []
        if len(said) > 2_000_000:
            found.append("the output was not bounded")
        found += seen.effects()
    if call(box, Job("def honest(x):\n    return x + 1", "honest", (41,))) != 42:
        found.append("the next call was not answered")
    return found


def double(text: str) -> str:
    """Return the text twice: what the code may ask of its host."""
    return text * 2


def _connected(listener: socket.socket) -> bool:
    listener.setblocking(False)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _held() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _strangers() -> frozenset[str]:
    """Return the processes that are there and belong to no sandbox's pool."""
    folder = Path("/proc")
    if not folder.is_dir():
        return frozenset()
    found = (each.name for each in folder.iterdir() if each.name.isdigit())
    return frozenset(number for number in found if _marked(folder / number))


def _marked(process: Path) -> bool:
    try:
        return MARK.encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


# gets at modules without importing them
REACH = """
def reach(name):
    for kind in ().__class__.__base__.__subclasses__():
        init = getattr(kind, "__init__", None)
        scope = getattr(init, "__globals__", None)
        if scope and "sys" in scope and hasattr(scope["sys"], "modules"):
            return scope["sys"].modules[name]
"""
MARK = "left-by-attack"
LEFT = f"import time; time.sleep(60)  # {MARK}"


def reaching(kind: str, name: str, body: str) -> Attack:
    """Return an attack that gets at modules through the classes of the interpreter."""
    return Attack(kind, name, REACH.strip("\n") + "\n" + textwrap.dedent(body).strip("\n"))


ATTACKS: Sequence[Attack] = (
    Attack("files", "open and read", "return open(path).read()"),
    Attack("files", "read by pathlib", "import pathlib\nreturn pathlib.Path(path).read_text()"),
    Attack("files", "read by os.open", "import os\nreturn os.read(os.open(path, 0), 100)"),
    Attack("files", "read by io", "import io\nreturn io.open(path).read()"),
    Attack("files", "overwrite", "open(path, 'w').write('x')"),
    Attack("files", "create", "open(folder + '/made', 'w').write('x')"),
    Attack("files", "remove", "import os\nos.remove(path)"),
    Attack("files", "symbolic link", "import os\nos.symlink('/etc/passwd', folder + '/link')"),
    Attack(
        "files",
        "list a folder",
        "import os\nreturn 'seen-from-' + 'inside' if os.listdir(folder) else None",
    ),
    reaching("files", "read through a reached io", "return reach('io').open(path).read()"),
    reaching(
        "files",
        "read through an import loader",
        "loader = reach('importlib._bootstrap_external').FileLoader('x', path)\n"
        "return loader.get_data(path).decode()",
    ),
    reaching(
        "files",
        "read by climbing out of a library",
        """
        home = reach('os').__file__.rpartition('/')[0]
        return reach('io').open(home + '/..' * 12 + path).read()
        """,
    ),
    reaching("files", "overwrite through a reached io", "reach('io').open(path, 'w').write('x')"),
    reaching("files", "rename", "reach('os').rename(path, folder + '/moved')"),
    reaching(
        "files",
        "ask whether a file is there",
        "return 'seen-from-' + 'inside' if reach('os').stat(path).st_size else None",
    ),
    reaching(
        "files",
        "make a pipe through a fresh module",
        """
        imp, machinery = reach('_imp'), reach('importlib._bootstrap')
        spec = machinery.ModuleSpec('posix', machinery.BuiltinImporter)
        imp.create_builtin(spec).mkfifo(folder + '/made')
        """,
    ),
    reaching(
        "files",
        "make a pipe through what the os module keeps",
        """
        for each in reach('os').supports_dir_fd:
            if each.__name__ == 'mkfifo':
                each(folder + '/made')
        """,
    ),
    Attack("environment", "read a variable", "import os\nreturn os.environ['CANARY']"),
    Attack("environment", "read /proc", "return open('/proc/self/environ').read()"),
    reaching("environment", "reached variable", "return reach('os').environ['CANARY']"),
    reaching(
        "environment",
        "the host's /proc",
        "return reach('io').open(f'/proc/{pid}/environ', 'rb').read()",
    ),
    Attack("processes", "os.system", "import os\nos.system('touch ' + folder + '/made')"),
    Attack(
        "processes",
        "subprocess",
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {LEFT!r}])",
    ),
    reaching("processes", "reached os.system", "reach('os').system('touch ' + folder + '/made')"),
    reaching(
        "processes",
        "posix_spawn",
        f"reach('os').posix_spawn('/bin/sleep', ['sleep', '60', {MARK!r}], {{}})",
    ),
    Attack("processes", "fork bomb", "import os\nwhile True:\n    os.fork()"),
    reaching("processes", "reached fork bomb", "while True:\n    reach('os').fork()"),
    Attack(
        "processes", "multiprocessing", "import multiprocessing\nmultiprocessing.Process().start()"
    ),
    Attack(
        "sockets",
        "connect",
        "import socket\nsocket.create_connection(('127.0.0.1', port)).send(b'x')",
    ),
    Attack(
        "sockets",
        "http",
        "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=1)",
    ),
    reaching(
        "sockets",
        "reached connect",
        "reach('_socket').socket().connect(('127.0.0.1', port))",
    ),
    Attack(
        "sockets",
        "asyncio",
        """
        import asyncio
        async def go():
            await asyncio.open_connection('127.0.0.1', port)
        asyncio.run(go())
        """,
    ),
    Attack("imports", "ctypes", "import ctypes\nctypes.CDLL(None).system(b'true')"),
    Attack("imports", "__import__", "return __import__('os').environ['CANARY']"),
    Attack(
        "imports",
        "importlib",
        "import importlib\nreturn importlib.import_module('os').environ['CANARY']",
    ),
    reaching(
        "imports",
        "reached ctypes",
        "reach('builtins').__import__('ctypes').CDLL(None).unlink(path.encode())",
    ),
    Attack(
        "introspection",
        "builtins restored",
        "return print.__self__.open(path).read()",
    ),
    Attack(
        "introspection",
        "frames",
        """
        try:
            1 / 0
        except ZeroDivisionError as error:
            frame = error.__traceback__.tb_frame
            while frame.f_back:
                frame = frame.f_back
            return frame.f_builtins['open'](path).read()
        """,
    ),
    reaching(
        "introspection",
        "the collector finds the guard",
        """
        for each in reach('gc').get_objects():
            if getattr(each, '__name__', '') == 'hook':
                each.__code__ = (lambda event, args: None).__code__
        return reach('io').open(path).read()
        """,
    ),
    reaching(
        "introspection",
        "the guard's own module changed",
        """
        guard = reach('trace_agents.sandbox.inside.lockdown')
        guard.HARMLESS = guard.IN_LIBRARIES = {'open'}
        guard.os._exit = lambda status: None
        return reach('io').open(path).read()
        """,
    ),
    reaching(
        "introspection",
        "a string that lies about where it is",
        """
        class Liar(str):
            def startswith(self, *rest):
                return True
        return reach('io').open(Liar(path)).read()
        """,
    ),
    Attack(
        "introspection",
        "format strings",
        "return '{0.__class__.__init__.__globals__}'.format(attack)",
    ),
    Attack("introspection", "eval", "return eval('open(path).read()', {'path': path})"),
    Attack("loops", "for ever", "while True:\n    pass"),
    Attack(
        "loops",
        "for ever in a handler",
        """
        while True:
            try:
                while True:
                    pass
            except BaseException:
                continue
        """,
    ),
    Attack(
        "loops",
        "for ever in finally",
        "try:\n    return 1\nfinally:\n    while True:\n        pass",
    ),
    Attack(
        "loops",
        "for ever in a finaliser",
        """
        class Sticky:
            def __del__(self):
                while True:
                    pass
        Sticky()
        """,
    ),
    Attack("loops", "a power in C", "return len(str(10 ** 10 ** 8))"),
    Attack("loops", "a sum in C", "return sum(range(10 ** 13))"),
    Attack("loops", "a search in C", "return 10 ** 12 in (i for i in range(10 ** 13))"),
    Attack("loops", "sleep", "import time\ntime.sleep(10 ** 6)"),
    Attack("loops", "regex bomb", "import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b') is None"),
    Attack(
        "loops",
        "a lock for ever",
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    ),
    Attack("memory", "a long string", "return len('a' * 10 ** 10)"),
    Attack("memory", "a growing list", "kept = []\nwhile True:\n    kept.append('a' * 10 ** 6)"),
    Attack("memory", "a wide integer", "return (1 << 10 ** 11).bit_length()"),
    Attack("memory", "a long list", "return len([0] * 10 ** 10)"),
    Attack("memory", "a doubling string", "text = 'a'\nwhile True:\n    text += text"),
    Attack("memory", "formatted width", "return '%*d' % (10 ** 10, 1)"),
    Attack("output", "printed flood", "while True:\n    print('x' * 10 ** 5)"),
    Attack("output", "printed tiny flood", "while True:\n    print(1, end='')"),
    Attack("output", "a huge result", "return 'x' * 20_000_000"),
    Attack("output", "a long error", "raise ValueError('x' * 20_000_000)"),
    Attack(
        "output", "a result that doubles", "x = []\nfor _ in range(64):\n    x = [x, x]\nreturn x"
    ),
    Attack("output", "a result in itself", "x = []\nx.append(x)\nreturn x"),
    Attack("output", "a deep result", "x = []\nfor _ in range(10 ** 5):\n    x = [x]\nreturn x"),
    Attack(
        "output",
        "a deep error",
        "x = []\nfor _ in range(10 ** 5):\n    x = [x]\nraise ValueError(x)",
    ),
    Attack("exits", "sys.exit", "import sys\nsys.exit(0)"),
    Attack("exits", "SystemExit", "raise SystemExit"),
    Attack("exits", "KeyboardInterrupt", "raise KeyboardInterrupt"),
    Attack("exits", "os._exit", "import os\nos._exit(0)"),
    reaching("exits", "reached os._exit", "reach('os')._exit(0)"),
    Attack("exits", "deep recursion", "return attack(path, folder, port, pid)"),
    Attack(
        "exits",
        "deep recursion in C",
        """
        class Deep:
            def __repr__(self):
                return repr(self)
        return repr(Deep())
        """,
    ),
    Attack("exits", "deep source", "return eval('(' * 10 ** 5 + ')' * 10 ** 5)"),
    reaching(
        "exits",
        "a crash of the interpreter",
        "reach('sys').setrecursionlimit(10 ** 9)\nf = lambda n: [f(n)].sort()\nreturn f(0)",
    ),
    Attack("signals", "kill the host", "import os\nos.kill(pid, 9)"),
    reaching("signals", "kill the host through a reached os", "reach('os').kill(pid, 9)"),
    reaching("signals", "kill the group", "reach('os').killpg(0, 9)"),
    reaching(
        "processes",
        "fork_exec from a fresh module",
        """
        machinery, imp = reach('importlib._bootstrap'), reach('_imp')
        name = '_posixsubprocess'
        spec = machinery.ModuleSpec(name, None, origin=reach(name).__file__)
        return 'seen-from-' + 'inside' if imp.create_dynamic(spec) else None
        """,
    ),
    reaching("signals", "kill the parent", "reach('os').kill(reach('os').getppid(), 9)"),
    Attack(
        "threads",
        "threads without end",
        """
        import threading
        def spin():
            while True:
                pass
        for _ in range(1000):
            threading.Thread(target=spin).start()
        """,
    ),
    reaching(
        "protocol",
        "write to every descriptor",
        """
        os = reach('os')
        for number in range(64):
            try:
                os.write(number, b'{"dict": [["result", 1]]}' + bytes([10]))
            except OSError:
                pass
        while True:
            pass
        """,
    ),
    reaching(
        "protocol",
        "garbage on every descriptor",
        """
        os = reach('os')
        for number in range(64):
            try:
                os.write(number, b'[[[[' * 10 ** 5 + bytes([10, 255, 10]))
            except OSError:
                pass
        """,
    ),
    reaching(
        "protocol",
        "flood every descriptor",
        """
        os = reach('os')
        while True:
            for number in range(3, 64):
                try:
                    os.write(number, b'x' * 10 ** 5)
                except OSError:
                    pass
        """,
    ),
    Attack("host", "call the host for ever", "while True:\n    double(1)"),
    Attack(
        "host",
        "send the host a bomb",
        "x = []\nfor _ in range(64):\n    x = [x, x]\nreturn double(x)",
    ),
    Attack("host", "get the host to grow", "text = 'x'\nwhile True:\n    text = double(text)"),
    Attack("host", "look inside the host's function", "return double.__globals__['SECRET']"),
    Attack("host", "call what was not given", "return trouble(path)"),
)
