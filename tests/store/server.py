"""A private PostgreSQL in a temporary folder: Debian's programs, a socket in the folder, no port, fsync on."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pg8000.dbapi

SERVER_USER = "postgres"
DATABASE = "buju_test"
PASSWORD = "s3cret-Wort"
HBA = "local all planner scram-sha-256\nlocal all all trust\n"


def find_programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: the newest of Debian's, else what the path holds."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then its programs run as the user that Debian made for them."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam(SERVER_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": entry.pw_dir}


@dataclass
class Server:
    programs: Path
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="buju-pg-")))
    process: subprocess.Popen[bytes] | None = None
    made: bool = False

    def prepare(self) -> None:
        if os.getuid() == 0:
            entry = pwd.getpwnam(SERVER_USER)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        command = [str(self.programs / "initdb"), "-D", str(self.folder / "data"), "-U", SERVER_USER]
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, **_as_user())
        assert done.returncode == 0, done.stderr
        (self.folder / "data" / "pg_hba.conf").write_text(HBA)

    def start(self) -> None:
        options = [f"unix_socket_directories={self.folder}", "listen_addresses=", "fsync=on", "max_connections=60"]
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        command += [part for option in options for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_as_user())
        end = time.monotonic() + 30
        while True:
            try:
                self.run("SELECT 1")
                return
            except (pg8000.dbapi.Error, OSError):
                assert time.monotonic() < end and self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, how: int = signal.SIGINT) -> None:
        """``SIGINT``: fast; ``SIGQUIT``: at once, as in a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *statements: str, database: str = "postgres") -> None:
        connection = pg8000.dbapi.connect(
            SERVER_USER, database=database, unix_sock=str(self.folder / ".s.PGSQL.5432"), timeout=10
        )
        try:
            connection.autocommit = True
            for statement in statements:
                connection.cursor().execute(statement)
        finally:
            connection.close()

    def make_database(self) -> str:
        """An empty database, the same for every test: new ones cost time and room; returns its address."""
        if not self.made:
            self.run(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        self.made = True
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'")
        self.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", database=DATABASE)
        return self.address(DATABASE)

    def address(self, database: str, user: str = SERVER_USER) -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"
