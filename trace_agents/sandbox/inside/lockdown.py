"""What a process gives up before it runs code that nobody has read."""

from __future__ import annotations

import os
import resource
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any

NOBODY = 65_534
FILES = 64
IN_LIBRARIES = frozenset({"open", "os.listdir", "os.scandir"})
"""Audit events that do not end the process where they are about a library's files."""
HARMLESS = IN_LIBRARIES | {
    "array.__new__",
    "builtins.id",
    "code.__new__",
    "compile",
    "exec",
    "function.__new__",
    "import",
    "marshal.load",
    "marshal.loads",
    "object.__delattr__",
    "object.__getattr__",
    "object.__setattr__",
    "sys._getframe",
    "sys._getframemodulename",
    "sys.set_asyncgen_hook_finalizer",
    "sys.set_asyncgen_hook_firstiter",
    "sys.set_asyncgen_hooks_finalizer",
    "sys.set_asyncgen_hooks_firstiter",
    "sys.unraisablehook",
    "time.sleep",
}
"""The audit events that do not end the process; all others do."""
REFUSED_MODULES = frozenset(
    {
        "_ctypes",
        "_posixshmem",
        "_posixsubprocess",
        "_signal",
        "_socket",
        "_testcapi",
        "_testinternalcapi",
        "_thread",
        "_xxsubinterpreters",
        "_interpreters",
        "ctypes",
        "fcntl",
        "posix",
        "resource",
        "select",
    }
)
"""Modules that may not be loaded once more: fresh ones would have what was taken out."""
_NO_SIGNALS = ("pidfd_send_signal", "pthread_kill", "setitimer", "signal")
_NO_FILES = ("eventfd", "memfd_create", "mkfifo", "mknod", "openpty", "pidfd_open", "posix_openpt")
TAKEN_OUT = {
    "_imp": ("create_builtin",),  # a fresh module would have all of this again
    "_posixshmem": ("shm_open", "shm_unlink"),
    "_posixsubprocess": ("fork_exec",),
    "_signal": _NO_SIGNALS,
    "signal": _NO_SIGNALS,
    "os": _NO_FILES,
    "posix": _NO_FILES,
}
"""What has an effect outside and raises no audit event."""


def library_folders() -> tuple[str, ...]:
    """Return the folders of installed modules, each with a slash at the end.

    Not all that modules are imported from: a project under work may keep secrets in its folder.
    """
    found = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found |= {os.path.realpath(folder) for folder in found}
    return tuple(sorted(folder.rstrip("/") + "/" for folder in found))


def limit(seconds: float, memory: int) -> None:
    """Bound what this process may use: seconds of CPU, and bytes beyond what it has mapped."""
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CPU: int(seconds) + 2,
        resource.RLIMIT_AS: _mapped() + memory,
    }
    for what, bound in bounds.items():
        hard = resource.getrlimit(what)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(what, (bound, bound))


def _mapped() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # where there is no such file
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def drop_rights() -> None:
    """Become nobody, where this process is the superuser's; for good."""
    if os.getuid() == 0 or os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def forget() -> None:
    """Empty the environment, and take out of the modules what no audit event guards."""
    os.environ.clear()
    for functions in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        functions.clear()  # they hold the functions themselves
    for module, names in TAKEN_OUT.items():
        found = sys.modules.get(module)
        for name in names if found is not None else ():
            if hasattr(found, name):
                delattr(found, name)


def guard(folders: Sequence[str], connection: int) -> None:
    """End this process, with a word about why, at the first audit event that is not harmless.

    The hook raises nothing, so that no traceback hands its frame to the code; and all that it
    uses are its own constants, so that nothing the code changes elsewhere changes it.
    """
    sys.addaudithook(_hook(tuple(folders), connection))


def _hook(folders: tuple[str, ...], connection: int) -> Callable[[str, tuple[Any, ...]], None]:
    harmless, in_libraries, refused = HARMLESS, IN_LIBRARIES, REFUSED_MODULES
    text, kind, number, write, leave = str, type, int, os.write, os._exit
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event: str, args: tuple[Any, ...]) -> None:
        first = args[0] if args and kind(args[0]) is text else ""
        if event in harmless:
            if event == "import":
                if first not in refused:
                    return
            elif event not in in_libraries:
                return
            elif first.startswith(folders) and "/.." not in first:
                if event != "open":
                    return
                if kind(args[2]) is number and not args[2] & writing:
                    return
            elif event != "open" and first + "/" in folders:
                return
        said = f"{event} {first}"[:500].encode("utf-8", "replace").hex()
        write(connection, b'{"dict": [["refused", "' + said.encode() + b'"]]}\n')
        leave(71)

    return hook
