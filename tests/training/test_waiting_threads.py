"""The policy of waiting is set for commands that train, before torch is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from netwise.training.waiting_threads import POLICY, threads_wait_asleep

CODE = """
import os, sys
from netwise.cli import main
try:
    main([{command!r}, "--help"])
except SystemExit:
    pass
print(os.environ.get("OMP_WAIT_POLICY"), "torch" in sys.modules)
"""


@pytest.mark.parametrize(("command", "policy"), [("train", "PASSIVE"), ("watch", "None")])
def test_commands_set_it_but_not_for_the_users_program(command: str, policy: str) -> None:
    variables = {name: value for name, value in os.environ.items() if name != POLICY}
    out = subprocess.run(
        [sys.executable, "-c", CODE.format(command=command)],
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert out.splitlines()[-1] == f"{policy} False"


@pytest.mark.parametrize("name", [POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_what_the_user_has_set_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "7")
    threads_wait_asleep()
    assert os.environ[name] == "7"
    assert (POLICY in os.environ) == (name == POLICY)
