"""Texts of users that mean something to a parser: HTML, scripts, mathtext, markup, escapes, TOML.

Each is the name of classes, columns, layers, files and programs in reports and on the terminal. The
pages are opened in Chromium: a script that runs sets an attribute on the page, which is shown to
happen on a control page without escaping.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import netwise as nw
from torture.attack import REFUSED, Attack, Chance, Failed, Skipped, answer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ALARM = "document.documentElement.setAttribute('data-alarm','1')"
RUNNING = (
    "<script>{}</script>",
    "</script><script>{}</script>",
    "<img src=x onerror=\"{}\">",
    "<img src=x onerror={}>",
    "'\"><svg onload=\"{}\">",
    "<svg><script>{}</script></svg>",
    "</title><script>{}</script>",
    "</style><script>{}</script>",
    "</svg><img src=x onerror=\"{}\">",
    "]]><script>{}</script>",
    "--><script>{}</script>",
    "\" autofocus onfocus=\"{}\" tabindex=1 x=\"",
    "' onmouseover='{}' style='position:fixed;inset:0' x='",
    "<details open ontoggle=\"{}\">",
    "<iframe srcdoc=\"<script>parent.{}</script>\"></iframe>",
    "<body onload=\"{}\">",
    "<video><source onerror=\"{}\"></video>",
    "<a href=\"javascript:{}\" autofocus>x</a>",
    "javascript:{}",
    "${{{}}}",
    "{{{{ {} }}}}",
    "<math><mtext></form><form><mglyph><style></math><img src onerror={}>",
    "&lt;script&gt;{}&lt;/script&gt;",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e",
    "<scr<script>ipt>{}</scr</script>ipt>",
)  # fmt: skip
PARSED = (
    *("$x_{$", "$\\frac{1}{$", "$$", "$", "\\", "\\$", "^_{}", "$\\undefined$", "a$b$c_"),
    *("[bold]x", "[/]", "[red]", "[link=file:///etc/passwd]x[/link]", "[[x]]", "[", "\\[x]"),
    *("\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://x\x07y", "\x9b31m", "\x00", "\x07\x08"),
    *('"', "'''", '"""', 'a"\n[data]\nkind = "x', "key = 1", "a.b", "#", "\\u0041", "\r\n", "\t"),
    *("{", "}", "{}", "{0}", "%s", "%(x)s", "%n", "{{ 7 * 7 }}", "{% raw %}", "${7*7}", "#{7}"),
    *("\u202egnp.exe", "\u200b", "\ufeff", "\u2028", "\ud800", "e\u0301" * 50, "𝕏", "🧨", "ﷺ"),
    *("../../etc/passwd", "/dev/null", "C:\\x", "con", "-rf", "--help", "; rm -rf x", "$(id)"),
    *("<style>*{display:none}</style>", "<base href=//x>", "<meta http-equiv=refresh content=0>"),
    *("a" * 5000, "\n" * 30, "\u0000", "\x85", "\u061c", "İ", "ß", "ı", "Ǆ", "\U000e0041"),
    *("`id`", "| id", "&", "&amp;", "<", ">", "<b>", "<!--", "=1+1", "@x", "None", "nan", "True"),
)
TEXTS = tuple(form.format(ALARM) for form in RUNNING) + PARSED
assert len(TEXTS) >= 100


def browser() -> str:
    """The path of a Chromium, or `Skipped`."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise Skipped("no Chromium is installed")
    return found


def alarms(page: Path) -> bool:
    """Whether a script of the page runs in a browser."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", "--virtual-time-budget=2000", "--dump-dom",
             page.absolute().as_uri()],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    if done.returncode != 0 or "<html" not in done.stdout:
        raise Failed(f"the browser failed: {done.stderr.strip()[-300:]}")
    return 'data-alarm="1"' in done.stdout.split(">", 2)[1]


def prepare(folder: Path) -> None:
    """The alarm works: it is raised on a page that has the text as it is."""
    for text in (RUNNING[0], RUNNING[2]):
        page = folder / "control.html"
        page.write_text(f"<!doctype html><html><body>{text.format(ALARM)}</body></html>")
        try:
            heard = alarms(page)
        except Skipped:
            return
        if not heard:
            raise Failed("the control page raises no alarm, so that silence shows nothing")


def open_reports(prepared: Path, scratch: Path, chance: Chance) -> None:
    """Reports of a run and of a program whose names are the text; no script of it runs."""
    text = TEXTS[chance.number % len(TEXTS)]
    pages = [write_program_report(text, scratch)]
    run = train_with(text, scratch)
    if run is not None:
        pages.append(nw.write_report(run, scratch / "run.html"))
        require_printable(run, scratch)
    for page in pages:
        if alarms(page):
            raise Failed(f"a script runs in {page.name} with {text!r}")


def write_program_report(text: str, scratch: Path) -> Path:
    """The page of an observed program with layers, title and reasons of this name."""
    rows = [{"step": step, "loss": 1.0 / (step + 1), f"layer.{text}": 0.5} for step in range(5)]
    layers = (nw.Layer(text, text, (4, 3), text),)
    ended = nw.RunEnd("interrupted", text, 5)
    history = answer(lambda: nw.History.from_rows(rows, layers, ended=ended))
    path = scratch / "program.html"
    page = answer(lambda: nw.write_report(history, path))
    if not isinstance(page, Path):
        path.write_text("<!doctype html><html></html>")
    return path


def train_with(text: str, scratch: Path) -> nw.Run | None:
    """A run on a table whose columns and classes have this name; None where it is refused."""
    import csv
    import io

    table = io.StringIO()
    rows = [[text, "weight", "pet"]]
    rows += [[str(i), str(i % 7), (text, "cat")[i % 2]] for i in range(60)]
    csv.writer(table).writerows(rows)
    path = scratch / "pets.csv"
    path.write_bytes(table.getvalue().encode("utf-8", "replace"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recipe = answer(lambda: nw.suggest(nw.data.csv(path, target="pet"), epochs=2))
        if recipe is REFUSED:
            return None
        run = answer(lambda: nw.fit(recipe, folder=scratch / "runs" / "a"), "pets.csv")
    return run if isinstance(run, nw.Run) else None


def require_printable(run: nw.Run, scratch: Path) -> None:
    """The terminal gets no control characters from the text."""
    for words in (["show", "a"], ["runs"], ["diagnose", "a", "--json"]):
        command = [sys.executable, "-m", "netwise", *words, "--runs", str(scratch / "runs")]
        done = subprocess.run(command, capture_output=True, check=False)
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        if "Traceback" in output:
            raise Failed(f"netwise {words[0]}: {output.strip().splitlines()[-1]}")
        bad = {c for c in output if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160}
        if bad:
            raise Failed(f"netwise {words[0]} prints {sorted(bad)!r}")


ATTACKS = (Attack("hostile texts in reports", len(TEXTS), open_reports, prepare, seconds=300),)
