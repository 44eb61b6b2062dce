import hashlib
import io
import json
import tarfile
from pathlib import Path

from images.lab import archive
from images.lab.archive import Image
from images.lab.layer import Layer
from images.lab.recipe import RELEASES, Cpu, image_name


def images(folder: Path) -> tuple[Image, ...]:
    folder.mkdir()
    bare, extra = Layer(), Layer()
    bare.file("etc/passwd", b"root")
    extra.file("usr/bin/gcc", b"\x7fELF", 0o755)
    below = archive.store(bare, folder / "bare.tar")
    above = archive.store(extra, folder / "build.tar")
    return (
        Image("lab:bare", Cpu.ARM64, (below,), {"recipe": "1"}),
        Image("lab:build", Cpu.ARM64, (below, above), {"recipe": "1"}),
    )


def written(folder: Path) -> bytes:
    stream = io.BytesIO()
    archive.write(images(folder), stream)
    return stream.getvalue()


def test_two_makings_give_the_same_bytes_and_ids(tmp_path: Path) -> None:
    assert written(tmp_path / "one") == written(tmp_path / "two")
    ids = [[archive.image_id(image) for image in images(tmp_path / name)] for name in ("three", "four")]
    assert ids[0] == ids[1]


def test_a_shared_layer_is_stored_once_and_every_digest_holds(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(written(tmp_path / "images"))) as bundle:
        content = {name: stream.read() for name in bundle.getnames() if (stream := bundle.extractfile(name))}
    manifest = json.loads(content["manifest.json"])
    assert [entry["RepoTags"] for entry in manifest] == [["lab:bare"], ["lab:build"]]
    assert len(content) == 2 + 2 + 1
    for entry in manifest:
        configuration = json.loads(content[entry["Config"]])
        assert entry["Config"] == hashlib.sha256(content[entry["Config"]]).hexdigest() + ".json"
        digests = [f"sha256:{hashlib.sha256(content[name]).hexdigest()}" for name in entry["Layers"]]
        assert configuration["rootfs"]["diff_ids"] == digests
        assert (configuration["architecture"], configuration["variant"], configuration["os"]) == (
            "arm64",
            "v8",
            "linux",
        )


def test_the_configuration_is_that_of_the_official_images(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(written(tmp_path / "images"))) as bundle:
        stream = bundle.extractfile(next(name for name in bundle.getnames() if len(name) == 64 + len(".json")))
        assert stream is not None
        config = json.load(stream)["config"]
    assert "User" not in config
    assert "Cmd" not in config
    assert config["Entrypoint"] == ["/lambda-entrypoint.sh"]
    assert config["WorkingDir"] == "/var/task"
    assert "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin" in config["Env"]


def test_the_names_are_those_that_others_build_on() -> None:
    node22 = next(release for release in RELEASES if release.major == 22)
    assert image_name(node22, Cpu.ARM64) == "lambdapack-lab/nodejs:22-arm64"
    assert image_name(node22, Cpu.X86_64, "build") == "lambdapack-lab/nodejs:22-x86_64-build"
