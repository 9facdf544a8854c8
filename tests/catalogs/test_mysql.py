"""digiKam's database on a real MariaDB server, started by the test on a free loopback port and stopped after it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalogs.test_digikam import ON_PHOTOS, TREE, on_photos
from keywright.catalogs import CatalogError, CatalogPhoto, RootMapping, open_catalog
from keywright.catalogs.mysql import parse_url

pytestmark = pytest.mark.slow


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int

    def run(self, sql: str, database: str = "") -> list[tuple[object, ...]]:
        import pymysql

        account = {"host": "127.0.0.1", "port": self.port, "user": "root", "charset": "utf8mb4"}
        connection = pymysql.connect(**account, database=database or None, autocommit=True)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def url(self, database: str, user: str = "reader", password: str | None = "s3cret/@") -> str:
        secret = "" if password is None else ":" + password.replace("/", "%2F").replace("@", "%40")
        return f"mysql://{user}{secret}@127.0.0.1:{self.port}/{database}"


def start(folder: Path) -> Server:
    daemon, installer = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if daemon is None or installer is None:
        pytest.skip("MariaDB's server is not installed (Debian: mariadb-server)")
    user = []
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        user = ["--user=mysql"]  # the server refuses to run as the superuser
        shutil.chown(folder, "mysql")
        folder.chmod(0o755)
    subprocess.run(
        [installer, "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
         "--auth-root-authentication-method=normal", *user],
        check=True, capture_output=True,
    )  # fmt: skip
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [daemon, "--no-defaults", f"--datadir={folder}/data", f"--socket={folder}/s", f"--pid-file={folder}/pid",
         "--bind-address=127.0.0.1", f"--port={port}", "--skip-name-resolve", "--innodb-buffer-pool-size=16M", *user],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    server = Server(process, port)
    wait_until_it_answers(server)
    return server


def wait_until_it_answers(server: Server) -> None:
    import pymysql

    end = time.monotonic() + 60
    while True:
        try:
            server.run("SELECT 1")
            return
        except pymysql.Error:
            if server.process.poll() is not None or time.monotonic() > end:
                pytest.fail("MariaDB did not start")
            time.sleep(0.1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("pymysql", reason="the MySQL driver is not installed (extra: mysql)")
    # Not below pytest's folder, which only its owner may enter, and the server may be another user.
    with tempfile.TemporaryDirectory(prefix="keywright-mariadb-") as folder:
        started = start(Path(folder))
        started.run("CREATE USER reader@'%' IDENTIFIED BY 's3cret/@'")
        started.run("GRANT ALL ON *.* TO dk@'127.0.0.1' IDENTIFIED BY 'dkpw'")  # in whose name the dumps' triggers run
        yield started
        started.process.terminate()
        started.process.wait(timeout=30)


@pytest.fixture(scope="module")
def filled(server: Server, shared: Path) -> Server:
    """The real dumps, each in a database of its own, with an account that may only read."""
    client = shutil.which("mariadb")
    if client is None:
        pytest.skip("MariaDB's client is not installed (Debian: mariadb-client)")
    for version in ("7.9.0", "8.6.0"):
        name = "dk" + version.replace(".", "")
        server.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        with (shared / f"catalogs/digikam/mariadb-{version}/digikam.sql").open("rb") as dump:
            subprocess.run(
                [client, "--no-defaults", "-h127.0.0.1", f"-P{server.port}", "-uroot", name], stdin=dump, check=True
            )
        server.run(f"GRANT SELECT ON {name}.* TO reader@'%'")
    return server


def read(url: str, tmp_path: Path) -> list[CatalogPhoto]:
    with open_catalog(url, [RootMapping("/photos", tmp_path)]) as catalog:
        return list(catalog.photos())


@pytest.mark.parametrize("name", ["dk790", "dk860"])
def test_a_digikam_server_gives_the_tree_and_the_tags_of_its_sqlite_twin(
    filled: Server, tmp_path: Path, name: str
) -> None:
    before = filled.run("SELECT COUNT(*), BIT_XOR(CRC32(name)) FROM Tags", name)
    with open_catalog(filled.url(name), [RootMapping("/photos", tmp_path)]) as catalog:
        keywords = {str(keyword.path) for keyword in catalog.keywords()}
        photos = list(catalog.photos())
        assert catalog.identity.startswith("digikam:")
        assert "s3cret" not in catalog.source
        assert "_Digikam_root_tag_" not in keywords
    found = on_photos(photos, tmp_path)
    if name == "dk790":
        assert keywords == set(TREE)
        assert found == ON_PHOTOS
    else:  # the photographer of this one went on tagging
        assert keywords - set(TREE) >= {"Aaa", "Animals|Fish|Trout", "Ext|New4", "BQM|FromScript"}
        assert keywords >= set(TREE)
        assert found["2023/moto.jpg"] == {"Vehicles|Motorcycle", "Ext|New1", "Ext|New2", "Ext|New3", "Ext|New4"}
        assert found["2023/Trips/coffee.jpg"] == {"Food|Drinks|Coffee", "Indoor", "Animals|Goose"}
    assert all(photo.taken is not None for photo in photos)
    assert filled.run("SELECT COUNT(*), BIT_XOR(CRC32(name)) FROM Tags", name) == before


def test_ids_beyond_32_bits_and_names_with_umlauts_are_read(filled: Server, tmp_path: Path) -> None:
    filled.run("CREATE DATABASE big")
    for table in (
        "AlbumRoots",
        "Albums",
        "Images",
        "ImageInformation",
        "Tags",
        "TagProperties",
        "ImageTags",
        "Settings",
    ):
        filled.run(f"CREATE TABLE big.{table} LIKE dk860.{table}")
    filled.run("GRANT SELECT ON big.* TO reader@'%'")
    filled.run("INSERT INTO big.Settings VALUES ('DBVersion', '16')")
    filled.run("INSERT INTO big.AlbumRoots(id, label, status, type, identifier, specificPath)"
               " VALUES (1, 'P', 0, 1, 'volumeid:?path=/photos', '/')")  # fmt: skip
    filled.run("INSERT INTO big.Albums(id, albumRoot, relativePath) VALUES (1, 1, '/')")
    filled.run("INSERT INTO big.Images(id, album, name, status, category) VALUES (9007199254740993, 1, 'a.jpg', 1, 1)")
    filled.run("INSERT INTO big.Tags(id, pid, name) VALUES (7, 0, 'Größe')")
    filled.run("INSERT INTO big.ImageTags VALUES (9007199254740993, 7)")
    (photo,) = read(filled.url("big"), tmp_path)
    assert photo.host_id == "9007199254740993"
    assert {str(k) for k in photo.keywords} == {"Größe"}


def test_a_photo_with_more_tags_than_a_server_joins_by_itself_has_them_all(filled: Server, tmp_path: Path) -> None:
    filled.run("SET GLOBAL group_concat_max_len = 64")
    filled.run("INSERT INTO dk790.Tags(pid, name) SELECT 0, CONCAT('Many ', seq) FROM seq_1_to_400", "dk790")
    filled.run("INSERT INTO dk790.ImageTags SELECT 1, id FROM dk790.Tags WHERE name LIKE 'Many %'")
    try:
        photos = read(filled.url("dk790"), tmp_path)
        assert len(next(p for p in photos if p.host_id == "1").keywords) >= 400
    finally:
        filled.run("DELETE FROM dk790.ImageTags WHERE tagid IN (SELECT id FROM dk790.Tags WHERE name LIKE 'Many %')")
        filled.run("DELETE FROM dk790.Tags WHERE name LIKE 'Many %'")
        filled.run("SET GLOBAL group_concat_max_len = 1048576")


def test_what_digikam_changes_while_photos_are_read_is_not_mixed_in(filled: Server, tmp_path: Path) -> None:
    url = filled.url("dk860")
    before = on_photos(read(url, tmp_path), tmp_path)
    with open_catalog(url, [RootMapping("/photos", tmp_path)]) as catalog:
        token = catalog.change_token()
        assert catalog.change_token() == token
        assert catalog.keywords()
        filled.run("DELETE FROM dk860.ImageTags WHERE imageid = 2 LIMIT 1")
        try:
            assert on_photos(list(catalog.photos()), tmp_path) == before
            assert catalog.change_token() != token
            assert on_photos(read(url, tmp_path), tmp_path) != before
        finally:
            filled.run("INSERT IGNORE INTO dk860.ImageTags VALUES (2, 25), (2, 27)")


def test_a_server_that_goes_away_half_way_is_one_sentence(filled: Server) -> None:
    catalog = open_catalog(filled.url("dk790"))
    for (number,) in filled.run("SELECT id FROM information_schema.PROCESSLIST WHERE user = 'reader'"):
        filled.run(f"KILL {number}")
    with pytest.raises(CatalogError, match=r"went away while it was read; nothing was changed, try again"):
        list(catalog.photos())
    catalog.close()


def test_the_password_comes_from_the_environment_when_the_url_has_none(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYWRIGHT_MYSQL_PASSWORD", "s3cret/@")
    assert len(read(filled.url("dk790", password=None), tmp_path)) == 10


def test_the_password_comes_from_the_keyring_when_nothing_else_has_it(
    filled: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = pytest.importorskip("keyring", reason="keyring is not installed (extra: mysql)")
    from keyring.backend import KeyringBackend

    class Memory(KeyringBackend):
        priority = 1.0

        def set_password(self, *_: str) -> None:
            raise AssertionError("reading sets no password")

        def get_password(self, service: str, username: str) -> str | None:
            expected = ("keywright-mysql", f"mysql://reader@127.0.0.1:{filled.port}/dk790")
            return "s3cret/@" if (service, username) == expected else None

    monkeypatch.delenv("KEYWRIGHT_MYSQL_PASSWORD", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        assert len(read(filled.url("dk790", password=None), tmp_path)) == 10
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("user", "password", "database", "part"),
    [
        ("reader", "wrong", "dk790", "refuses reader the database dk790"),
        ("reader", "s3cret/@", "mysql", "refuses reader the database mysql"),
        ("root", "", "nothing", "has no database nothing"),
        ("root", "", "mysql", "is not digiKam's main database"),
    ],
)
def test_what_a_server_refuses_is_one_sentence_without_the_password(
    filled: Server, user: str, password: str, database: str, part: str
) -> None:
    with pytest.raises(CatalogError, match=part) as caught:
        open_catalog(filled.url(database, user, password))
    assert "s3cret" not in str(caught.value)
    assert ";" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann@nas/digikam",
        "mysql://a%40b@nas:3307/digikam",
        "mysql://ann@nas/my%20photos?socket=/run/my.sock&ssl=1",
        "mysql://ann@[::1]/digikam?ssl=1",
    ],
)
def test_an_address_told_without_its_password_leads_to_the_same_place(url: str) -> None:
    with_password = url.replace("@", ":s3cret@", 1)
    assert str(parse_url(with_password)) == url
    assert parse_url(str(parse_url(url))) == parse_url(url)
