"""A drawing of a graph: shown in a notebook, saved as a picture, or kept as text."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from trace_agents.drawing import dot, mermaid
from trace_agents.drawing.collapsing import collapse
from trace_agents.drawing.words import Remarks
from trace_agents.errors import DrawingError, InvalidValue, RendererNotFound
from trace_agents.graph import Graph

_SECONDS = 60.0
_PICTURES = ("svg", "png", "pdf")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph as text in two languages; pictures are made by graphviz where it is installed."""

    source: str
    """DOT, for graphviz."""
    mermaid: str
    """The same for Mermaid, which GitHub and many editors show without a program."""

    def svg(self) -> str:
        """Return the picture as SVG.

        Raises:
            RendererNotFound: graphviz is not installed.
            DrawingError: it failed, or took more than a minute.
        """
        return _rendered(self.source, "svg").decode()

    def save(self, path: str | Path) -> Path:
        """Write the file that `path` names and return its path; the suffix chooses the format.

        `.dot`, `.gv`, `.mmd` and `.mermaid` need no program; `.svg`, `.png` and `.pdf` graphviz.

        Raises:
            InvalidValue: a suffix that means nothing here.
            RendererNotFound: a picture was asked for, and graphviz is not installed.
            DrawingError: graphviz failed, or took more than a minute.
        """
        target = Path(path)
        kind = target.suffix.lower().lstrip(".")
        if kind in ("dot", "gv"):
            content = self.source.encode()
        elif kind in ("mmd", "mermaid"):
            content = self.mermaid.encode()
        elif kind in _PICTURES:
            content = _rendered(self.source, kind)
        else:
            raise InvalidValue(
                f"no drawing can be saved as {target.name!r}; "
                "end the name in .svg, .png, .pdf, .dot or .mmd"
            )
        target.write_bytes(content)
        return target

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except DrawingError:
            return None  # the notebook shows the Mermaid text instead

    def _repr_markdown_(self) -> str:
        return f"```mermaid\n{self.mermaid}```\n"


def draw(
    graph: Graph, feedback: Remarks | None = None, *, limit: int = 200, title: str = ""
) -> Drawing:
    """Return a drawing of a graph, with feedback beside its nodes.

    Of more than `limit` nodes repeated structure is drawn as one node, and what is then still
    too much is counted instead of drawn.
    """
    said = feedback or {}
    collapsed = collapse(graph, limit, keep=said)
    return Drawing(dot.written(collapsed, said, title=title), mermaid.written(collapsed, said))


def _rendered(source: str, kind: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise RendererNotFound("dot", "graphviz")
    try:
        done = subprocess.run(
            [program, f"-T{kind}"],
            input=source.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"graphviz took more than {_SECONDS:g} s; draw with a smaller limit"
        ) from None
    except (subprocess.CalledProcessError, OSError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else b""
        detail = said.decode(errors="replace").strip() or str(error)
        raise DrawingError(f"graphviz could not draw this: {detail[:500]}") from error
    return done.stdout
