"""The same call on a cluster and on a database: a local Dask cluster, a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

import netwise as nw
from netwise.searches import study, worker
from netwise.searches.plan import SearchPlan
from netwise.searches.study import StudyFolder
from netwise.searches.worker import WorkerTask, run_worker

RECIPE = nw.Recipe(
    data=nw.data.iris(), network=nw.MLP((4, 8, 3)), optimizer=nw.SGD(lr=0.1), epochs=3
)
SPACE = nw.Space(
    (nw.axes.Log("optimizer.lr", 1e-4, 1.0), nw.axes.Integer("width", 2, 32, log=True))
)


def points(found: nw.SearchResult) -> list[tuple[int, dict[str, object], float | None]]:
    return [(t.number, t.point, t.value) for t in found.trials]


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_numbers_of_one_process(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs dask: pip install netwise[test]")
    alone = nw.search(
        RECIPE, SPACE, method=nw.Random(), trials=5, fresh=2, folder=tmp_path / "alone", jobs=1
    )
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        found = nw.search(
            RECIPE, SPACE, method=nw.Random(), trials=5, fresh=2, folder=tmp_path / "dask", jobs=2
        )
        runs = nw.fit_many([RECIPE, RECIPE.but(seed=1)], jobs=2)
    assert points(found) == points(alone)
    assert found.fresh_values == alone.fresh_values
    assert [run.recipe.seed for run in runs] == [0, 1]


@pytest.mark.filterwarnings("ignore")
def test_ray_gives_the_numbers_of_one_process(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="needs ray: pip install ray")
    from ray.util.joblib import register_ray  # only where it is there

    alone = nw.search(
        RECIPE, SPACE, method=nw.Random(), trials=3, fresh=2, folder=tmp_path / "alone", jobs=1
    )
    register_ray()
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        with joblib.parallel_config(backend="ray"):
            found = nw.search(
                RECIPE,
                SPACE,
                method=nw.Random(),
                trials=3,
                fresh=2,
                folder=tmp_path / "ray",
                jobs=2,
            )
            runs = nw.fit_many([RECIPE, RECIPE.but(seed=1)], jobs=2)
    finally:
        ray.shutdown()
    assert points(found) == points(alone)
    assert found.fresh_values == alone.fresh_values
    assert [run.recipe.seed for run in runs] == [0, 1]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL that is started for these tests; NETWISE_POSTGRES names another."""
    if "NETWISE_POSTGRES" in os.environ:
        yield os.environ["NETWISE_POSTGRES"]
        return
    pytest.importorskip("psycopg", reason="needs psycopg: pip install netwise[test]")
    homes = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    homes += [Path(found).parent for found in [shutil.which("initdb")] if found]
    if not homes:
        pytest.skip(
            "no PostgreSQL here: apt-get install postgresql, or set NETWISE_POSTGRES to a URL"
        )
    folder = tmp_path_factory.mktemp("postgres")
    as_user: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        if (
            not shutil.which("runuser")
            or subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode
        ):
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        folder = Path("/tmp") / f"netwise-postgres-{os.getpid()}"
        folder.mkdir(mode=0o700)
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tools = homes[-1]
    made = subprocess.run(
        [*as_user, tools / "initdb", "-D", folder / "data", "-A", "trust", "-U", "netwise"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if made.returncode:
        pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr[-200:]}")
    command = [
        *as_user,
        tools / "postgres",
        "-D",
        folder / "data",
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-k",
        folder,
    ]
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        _wait_for(port)
        yield f"postgresql+psycopg://netwise@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    import psycopg

    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://netwise@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.2)
        else:
            return


@pytest.mark.filterwarnings("ignore")
def test_a_study_in_postgresql_gives_the_same_numbers_and_is_resumed(
    tmp_path: Path, database: str
) -> None:
    alone = nw.search(
        RECIPE, SPACE, method=nw.Random(), trials=5, fresh=0, folder=tmp_path / "alone", jobs=1
    )
    found = nw.search(
        RECIPE,
        SPACE,
        method=nw.Random(),
        trials=5,
        fresh=0,
        folder=tmp_path / "kept",
        jobs=2,
        storage=database,
    )
    assert points(found) == points(alone)
    more = nw.resume_search(tmp_path / "kept", trials=7, jobs=1, storage=database)
    assert points(more)[:5] == points(found)
    assert [t.state for t in more.trials] == ["complete"] * 7


@pytest.mark.filterwarnings("ignore")
def test_two_machines_with_folders_of_their_own_share_the_work(
    tmp_path: Path, database: str
) -> None:
    """A study of one name in one storage; neither machine sees the other's locks, so a trial that
    has begun there is left alone."""
    plan = SearchPlan(space=SPACE, method=nw.Random(), trials=6, fresh=0)
    one = StudyFolder.create(tmp_path / "one" / "study", RECIPE, plan, database)
    two = StudyFolder.create(tmp_path / "two" / "study", RECIPE, plan, database)
    taken = one.claim(0, one.stage(0))
    assert taken is not None
    assert run_worker(WorkerTask(str(two.path), database, 0, 1)) == "finished"
    states = [t.state for t in two.trials()]
    assert states == ["running"] + ["complete"] * 5  # six in all, one of them not ours
    trial, lock = taken
    lock.release()
    one.requeue(trial._trial_id)
    assert run_worker(WorkerTask(str(one.path), database, 0, 1)) == "finished"
    alone = nw.search(
        RECIPE, SPACE, method=nw.Random(), trials=6, fresh=0, folder=tmp_path / "alone", jobs=1
    )
    assert [(t.number, t.point, t.value) for t in one.trials()] == points(alone)


@pytest.mark.filterwarnings("ignore")
def test_a_remote_worker_counts_as_alive_while_its_heartbeat_is_recent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines with folders of their own and one storage: the one sees of the other what stands
    in the storage."""
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    plan = SearchPlan(space=SPACE, method=nw.Random(), trials=1, fresh=0)
    here, there = (
        StudyFolder.create(tmp_path / name / "study", RECIPE, plan, url)
        for name in ("here", "there")
    )
    monkeypatch.setattr(worker, "HEARTBEAT_INTERVAL", 0.05)
    taken = there.claim(0, there.stage(0))
    assert taken is not None
    trial, lock = taken
    with lock, worker.heartbeat(trial, there.has_shared_locks):
        monkeypatch.setattr(study, "HEARTBEAT_TIMEOUT", 1.0)
        time.sleep(1.5)  # longer than HEARTBEAT_TIMEOUT
        assert [t.state for t in here.trials()] == ["running"]
        assert here.claim(0, here.stage(0)) is None
    time.sleep(1.5)
    assert [t.state for t in here.trials()] == ["waiting"]
    assert run_worker(WorkerTask(str(here.path), url, 0, 1)) == "finished"
    assert [(t.number, t.state) for t in there.trials()] == [(0, "complete")]
