"""A PostgreSQL server of the tests' own: its data in a temporary folder, reached by a socket there."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

PASSWORD = "s3cret/@word"


def missing() -> str | None:
    """Why there can be no server, None if there can."""
    if os.name != "posix":
        return "PostgreSQL's socket needs a POSIX system"
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        return "PostgreSQL's initdb and pg_ctl are not on PATH"
    if find_spec("psycopg") is None:
        return "the driver psycopg is not installed"
    if os.geteuid() == 0 and _somebody() is None:
        return "PostgreSQL does not run as root, and there is no other user to be"
    return None


@contextmanager
def server() -> Iterator["Server"]:
    """Runs inside; raises CalledProcessError where it does not start."""
    # sockets have short names, and another user must reach the folder
    folder = Path(tempfile.mkdtemp(prefix="sf-pg-", dir="/tmp"))
    user = _somebody() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    found = Server(folder, user)
    try:
        (folder / "password").write_text(PASSWORD)
        if user is not None:
            os.chown(folder / "password", user.pw_uid, user.pw_gid)
        data = str(folder / "data")
        found.run("initdb", "-D", data, "-U", "ada", "-A", "scram-sha-256", "--pwfile", str(folder / "password"), "-N")
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    def __init__(self, folder: Path, user: "pwd.struct_passwd | None"):
        self.folder, self.user = folder, user

    def url(self, password: str = PASSWORD) -> str:
        return f"postgresql://ada:{quote(password, safe='')}@/postgres?host={self.folder}"

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=40"
        self.run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-o", options, "-l", str(self.folder / "log"), "start"
        )

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def run(self, *words: str) -> None:
        user = {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid}
        environment = {**os.environ, "LC_ALL": "C", "HOME": str(self.folder)}
        # not a pipe: the server would keep it open
        with (self.folder / f"{words[0]}.out").open("wb") as out:
            subprocess.run(
                words, check=True, timeout=60, cwd="/", env=environment, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, **user,  # type: ignore[call-overload]
            )  # fmt: skip


def _somebody() -> "pwd.struct_passwd | None":
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
