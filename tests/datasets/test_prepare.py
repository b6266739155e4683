"""Preparing against a server of this machine that serves tiny archives, whole, torn, tampered with and hostile."""

import errno
import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

from resbench.datasets.archives import Archive, archives_of
from resbench.datasets.prepare import prepare
from resbench.errors import ResbenchError, UsageError

FILES = {"VOCdevkit/VOC2007/a.txt": b"alpha", "VOCdevkit/VOC2007/b.txt": b"beta"}
NOISE = Random(0).randbytes(50_000)
"""Does not get smaller when it is compressed."""


def tar_of(files: dict[str, bytes], *members: tarfile.TarInfo, mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, contents in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(contents)
            tar.addfile(info, io.BytesIO(contents))
        for member in members:
            tar.addfile(member)
    return buffer.getvalue()


def md5(contents: bytes) -> str:
    return hashlib.md5(contents, usedforsecurity=False).hexdigest()


@dataclass
class Server:
    """Serves `files`, or their end from a byte on; `cut` names those whose connection breaks off half-way."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    ranges: bool = True
    first_bytes: list[int] = field(default_factory=list)

    def archive(self, filename: str, contents: bytes, folder: str = "VOCdevkit") -> Archive:
        self.files[filename] = contents
        return Archive(
            url=f"{self.address}/{filename}",
            filename=filename,
            md5=md5(contents),
            folder=folder,
            size_B=len(contents),
        )


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/")
            served.asked.append(name)
            if name not in served.files:
                self.send_error(404)
                return
            contents = served.files[name]
            first = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            if not served.ranges:
                first = 0
            if first >= len(contents):
                self.send_error(416)
                return
            served.first_bytes.append(first)
            contents = contents[first:]
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(contents)))
            self.end_headers()
            self.wfile.write(contents[: len(contents) // 2] if name in served.cut else contents)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served = Server(address=f"http://127.0.0.1:{listening.server_address[1]}")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        listening.shutdown()
        thread.join()


def nowhere() -> str:
    """Return an address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".unpacked-")
    }


def test_the_official_archives_are_those_of_torchvision() -> None:
    from torchvision.datasets import CIFAR10, CIFAR100
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    voc = archives_of("voc0712")

    assert [archive.md5 for archive in voc] == [
        DATASET_YEAR_DICT[key]["md5"] for key in ("2007", "2007-test", "2012")
    ]
    assert [archive.filename for archive in voc] == [
        "VOCtrainval_06-Nov-2007.tar",
        "VOCtest_06-Nov-2007.tar",
        "VOCtrainval_11-May-2012.tar",
    ]
    assert [archive.md5 for archive in archives_of("cifar10")] == [CIFAR10.tgz_md5]
    (cifar100,) = archives_of("cifar100")
    assert (cifar100.md5, cifar100.folder) == (CIFAR100.tgz_md5, "cifar-100-python")


def test_what_needs_an_account_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without an account") as raised:
        prepare("imagenet", tmp_path / "data")
    assert str(raised.value).count("\n") == 0
    assert not (tmp_path / "data").exists()


def test_archives_are_downloaded_and_unpacked_once(server: Server, tmp_path: Path) -> None:
    first = server.archive("one.tar", tar_of(FILES))
    second = server.archive("two.tar.gz", tar_of({"VOCdevkit/VOC2012/c.txt": b"gamma"}, mode="w:gz"))

    folders = prepare("voc0712", tmp_path, archives=(first, second))

    unpacked = FILES | {"VOCdevkit/VOC2012/c.txt": b"gamma"}
    archives = {name: server.files[name] for name in ("one.tar", "two.tar.gz")}
    assert folders == (tmp_path / "VOCdevkit",)
    assert contents(tmp_path) == unpacked | archives

    server.asked.clear()
    (tmp_path / "one.tar").unlink()  # to make room
    (tmp_path / "VOCdevkit/VOC2007/a.txt").write_bytes(b"mine")
    prepare("voc0712", tmp_path, archives=(first, second))

    assert server.asked == []
    assert contents(tmp_path)["VOCdevkit/VOC2007/a.txt"] == b"mine"


def test_deleting_the_folder_brings_it_back_from_the_archive(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    prepare("voc0712", tmp_path, archives=(archive,))
    server.asked.clear()
    for path in sorted((tmp_path / "VOCdevkit").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "VOCdevkit").rmdir()

    prepare("voc0712", tmp_path, archives=(archive,))

    assert contents(tmp_path) == FILES | {"one.tar": server.files["one.tar"]}
    assert server.asked == []


def test_an_archive_placed_by_hand_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "one.tar").write_bytes(tar_of(FILES))
    archive = Archive(
        url=f"{nowhere()}/one.tar", filename="one.tar", md5=md5(tar_of(FILES)), folder="VOCdevkit", size_B=1
    )

    prepare("voc0712", tmp_path, archives=(archive,))

    assert contents(tmp_path).items() >= FILES.items()


def test_an_interrupted_unpacking_is_repeated_without_a_download(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))

    def stop(what: str, done: int, total: int) -> None:
        if what == "unpacking one.tar":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare("voc0712", tmp_path, archives=(archive,), progress=stop)
    assert "VOCdevkit/VOC2007/b.txt" not in contents(tmp_path)
    server.asked.clear()

    prepare("voc0712", tmp_path, archives=(archive,))

    assert contents(tmp_path).items() >= FILES.items()
    assert server.asked == []


@pytest.mark.parametrize("ranges", [True, False], ids=["server can continue", "server cannot"])
def test_an_interrupted_download_goes_on(server: Server, tmp_path: Path, ranges: bool) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    server.ranges = ranges
    (tmp_path / "one.tar.part").write_bytes(server.files["one.tar"][:5_000])

    prepare("voc0712", tmp_path, archives=(archive,))

    assert contents(tmp_path) == FILES | {"one.tar": server.files["one.tar"]}
    assert server.first_bytes == [5_000 if ranges else 0]


def test_a_part_of_something_else_is_replaced(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    (tmp_path / "one.tar.part").write_bytes(b"half")

    prepare("voc0712", tmp_path, archives=(archive,))

    assert contents(tmp_path) == FILES | {"one.tar": server.files["one.tar"]}
    assert (server.first_bytes[0], server.first_bytes[-1]) == (4, 0)


def test_a_part_that_is_whole_is_taken_as_it_is(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    (tmp_path / "one.tar.part").write_bytes(server.files["one.tar"])

    prepare("voc0712", tmp_path, archives=(archive,))

    assert contents(tmp_path).items() >= FILES.items()
    assert server.first_bytes == []


def test_a_connection_that_breaks_off_keeps_what_came(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    server.cut.add("one.tar")
    whole = server.files["one.tar"]
    half = len(whole) // 2

    with pytest.raises(ResbenchError) as raised:
        prepare("voc0712", tmp_path, archives=(archive,))

    assert f"broke off after {half:,} of {len(whole):,} bytes: run the command again" in str(raised.value)
    assert contents(tmp_path) == {"one.tar.part": whole[:half]}

    server.cut.clear()
    prepare("voc0712", tmp_path, archives=(archive,))
    assert contents(tmp_path) == FILES | {"one.tar": whole}
    assert (server.first_bytes[0], server.first_bytes[-1]) == (0, half)


def test_what_is_finished_survives_a_failure(server: Server, tmp_path: Path) -> None:
    first = server.archive("one.tar", tar_of(FILES))
    second = server.archive("two.tar", tar_of({"VOCdevkit/c.txt": b"gamma"}))
    kept = server.files.pop("two.tar")
    with pytest.raises(ResbenchError, match="404"):
        prepare("voc0712", tmp_path, archives=(first, second))
    server.files["two.tar"] = kept
    server.asked.clear()

    prepare("voc0712", tmp_path, archives=(first, second))

    assert set(server.asked) == {"two.tar"}
    assert contents(tmp_path)["VOCdevkit/c.txt"] == b"gamma"


def test_a_bad_download_is_refused_and_the_next_starts_clean(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    good = server.files["one.tar"]
    bad = good.replace(b"alpha", b"alphA")
    server.files["one.tar"] = bad

    with pytest.raises(ResbenchError) as raised:
        prepare("voc0712", tmp_path, archives=(archive,))

    assert archive.url in str(raised.value)
    assert f"md5 {md5(bad)}, expected {md5(good)}" in str(raised.value)
    assert contents(tmp_path) == {}

    server.files["one.tar"] = good
    prepare("voc0712", tmp_path, archives=(archive,))
    assert contents(tmp_path).items() >= FILES.items()


def test_a_torn_archive_on_disk_is_refused_and_left_alone(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    (tmp_path / "one.tar").write_bytes(b"torn")

    with pytest.raises(ResbenchError) as raised:
        prepare("voc0712", tmp_path, archives=(archive,))

    assert str(raised.value).startswith(f"{tmp_path / 'one.tar'} is torn or not the published file")
    assert f"its md5 is {md5(b'torn')}, expected {archive.md5}: delete it" in str(raised.value)
    assert contents(tmp_path) == {"one.tar": b"torn"}
    assert server.asked == []


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize(
    "hostile",
    [
        tar_of({"VOCdevkit/a.txt": b"alpha", "../escaped.txt": b"evil"}),
        tar_of({"VOCdevkit/../../escaped.txt": b"evil"}),
        tar_of({}, _link("VOCdevkit/link", "/etc")),
        tar_of({}, _link("VOCdevkit/link", "../../..")),
    ],
    ids=["parent", "parent inside", "absolute link", "link to above"],
)
def test_a_member_that_would_land_outside_is_refused(server: Server, tmp_path: Path, hostile: bytes) -> None:
    archive = server.archive("one.tar", hostile)
    root = tmp_path / "deep" / "data"

    with pytest.raises(ResbenchError, match=r"one\.tar is refused: .*do not use this file") as raised:
        prepare("voc0712", root, archives=(archive,))

    assert "\n" not in str(raised.value)
    assert not list(tmp_path.rglob("escaped.txt"))
    assert not list(tmp_path.rglob("link"))
    assert not list(tmp_path.rglob(".unpacked-*"))


@pytest.mark.parametrize(
    ("blob", "complaint"),
    [
        (b"no archive at all" * 100, "cannot be unpacked"),
        (tar_of({"VOCdevkit/noise": NOISE}, mode="w:gz")[:20_000], "cannot be unpacked"),
        (tar_of({"VOCdevkit/noise": NOISE})[:20_000], "cannot be unpacked"),
        (tar_of({"elsewhere/a.txt": b"a"}), "holds no folder VOCdevkit"),
    ],
    ids=["no tar", "torn gzip", "torn tar", "other folder"],
)
def test_a_file_that_is_no_such_archive_is_told(
    server: Server, tmp_path: Path, blob: bytes, complaint: str
) -> None:
    archive = server.archive("one.tar", blob)

    with pytest.raises(ResbenchError, match=complaint):
        prepare("voc0712", tmp_path, archives=(archive,))


def test_without_a_network_each_file_and_its_place_are_named(server: Server, tmp_path: Path) -> None:
    there = server.archive("one.tar", tar_of(FILES))
    gone = [
        Archive(url=f"{nowhere()}/{name}", filename=name, md5="0" * 32, folder="VOCdevkit", size_B=1)
        for name in ("two.tar", "three.tar")
    ]

    with pytest.raises(ResbenchError) as raised:
        prepare("voc0712", tmp_path, archives=(there, *gone))

    message = str(raised.value)
    assert "Connection refused" in message
    for archive in gone:
        assert f"{archive.url} and put it at {tmp_path / archive.filename}" in message
    assert there.url not in message  # it is there already
    assert "\n" not in message


def test_a_full_disk_is_told_while_downloading(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES) + bytes(100_000))
    (tmp_path / "one.tar.part").symlink_to("/dev/full")

    with pytest.raises(ResbenchError, match=r"the disk is full: one\.tar needs more than") as raised:
        prepare("voc0712", tmp_path, archives=(archive,))
    assert raised.value.exit_code == 1


def test_a_full_disk_is_told_while_unpacking(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))

    def fill(what: str, done: int, total: int) -> None:
        if what == "unpacking one.tar":
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ResbenchError, match=r"the disk is full: one\.tar needs more than"):
        prepare("voc0712", tmp_path, archives=(archive,), progress=fill)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(UsageError, match="cannot make the folder"):
        prepare("voc0712", tmp_path / "file" / "data", archives=())


def test_a_file_in_the_way_is_told(server: Server, tmp_path: Path) -> None:
    archive = server.archive("one.tar", tar_of(FILES))
    (tmp_path / "VOCdevkit").write_text("in the way")

    with pytest.raises(UsageError, match=r"cannot prepare one\.tar in"):
        prepare("voc0712", tmp_path, archives=(archive,))


def test_an_unknown_name_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean cifar10"):
        prepare("cifar", tmp_path / "new", archives=())
    assert not (tmp_path / "new").exists()


def test_progress_tells_what_is_unpacked(server: Server, tmp_path: Path) -> None:
    archive = replace(server.archive("one.tar", tar_of(FILES)), size_B=7)
    told: list[tuple[str, int, int]] = []

    prepare("voc0712", tmp_path, archives=(archive,), progress=lambda *step: told.append(step))

    unpacking = [step for step in told if step[0] == "unpacking one.tar"]
    assert len(unpacking) == len(FILES)
    assert all(0 < done <= total == len(server.files["one.tar"]) for _, done, total in unpacking)


def test_nothing_is_written_to_the_terminal_by_others(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prepare("voc0712", tmp_path, archives=(server.archive("one.tar", tar_of(FILES)),))

    assert capfd.readouterr() == ("", "")
