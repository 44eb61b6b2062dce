"""Libraries that the runtime lacks: installed in the build image, taken along in lib/, and used in the bare image."""

import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import lambdapack

pytestmark = [pytest.mark.engine, pytest.mark.registry]

ADDONS = {
    "gif": (
        "#include <gif_lib.h>",
        "-lgif",
        "napi_create_string_utf8(env, GifErrorString(D_GIF_ERR_NOT_GIF_FILE), NAPI_AUTO_LENGTH, &result);",
    ),
    "cairo": (
        "#include <cairo/cairo.h>",
        "-lcairo",
        (
            "cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 120, 40);"
            "cairo_t *context = cairo_create(surface); cairo_set_source_rgb(context, 1, 0, 0);"
            "cairo_paint(context); cairo_surface_flush(surface);"
            "napi_create_uint32(env, cairo_image_surface_get_data(surface)[2], &result);"
        ),
    ),
}
"""Library: its header, the linker's flag, and what the addon does with it."""


def write_project(directory: Path, library: str) -> Path:
    """Write a function with an addon of its own that uses a library."""
    header, flag, use = ADDONS[library]
    addon = directory / "addon"
    addon.mkdir(parents=True)
    manifest = {"name": "user", "version": "1.0.0", "main": "build/Release/user.node"}
    (addon / "package.json").write_text(json.dumps({**manifest, "scripts": {"install": "node-gyp rebuild"}}))
    target = {"target_name": "user", "sources": ["user.c"], "libraries": [flag]}
    (addon / "binding.gyp").write_text(json.dumps({"targets": [target]}))
    (addon / "user.c").write_text(
        f"#include <node_api.h>\n{header}\n"
        "static napi_value use(napi_env env, napi_callback_info info) {\n"
        f"  (void)info; napi_value result; {use} return result;\n}}\n"
        "NAPI_MODULE_INIT() {\n  napi_value value;\n"
        '  napi_create_function(env, "use", NAPI_AUTO_LENGTH, use, NULL, &value);\n'
        '  napi_set_named_property(env, exports, "use", value);\n  return exports;\n}\n'
    )
    (directory / "package.json").write_text('{"name": "drawing", "dependencies": {"user": "file:addon"}}')
    lock = {
        "name": "drawing",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "drawing", "dependencies": {"user": "file:addon"}},
            "addon": {"name": "user", "version": "1.0.0", "hasInstallScript": True},
            "node_modules/user": {"resolved": "addon", "link": True},
        },
    }
    (directory / "package-lock.json").write_text(json.dumps(lock))
    (directory / "index.js").write_text("exports.handler = async () => require('user').use()\n")
    return directory


@pytest.fixture(scope="module", autouse=True)
def no_image_is_left(lab_engine: dict[str, str]) -> Iterator[None]:
    yield
    assert lambdapack("images", "clear", env=lab_engine).returncode == 0


@pytest.fixture(scope="module")
def gif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("gif") / "drawing", "gif")


@pytest.mark.proves("library-bundled")
def test_a_library_is_installed_taken_along_and_used(gif: Path, lab_engine: dict[str, str]) -> None:
    (gif / "lambdapack.toml").write_text('runtime = "nodejs22.x"\nsystem-packages = ["libgif-dev"]\n')
    done = lambdapack("build", ".", "--sbom", "bom.json", "--format", "json", cwd=gif, env=lab_engine)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (finding,) = [found for found in report["findings"] if found["name"] == "library-bundled"]
    (library,) = finding["evidence"]["libraries"]
    assert (library["path"], library["package"]) == ("lib/libgif.so.7", "libgif7")
    assert library["licence"]
    components = json.loads((gif / "bom.json").read_text())["components"]
    (component,) = [component for component in components if component["name"] == "libgif7"]
    assert (component["type"], component["version"]) == ("library", library["version"])
    assert component["licenses"]
    assert [file["bom-ref"] for file in component["components"]] == ["lib/libgif.so.7"]
    with zipfile.ZipFile(gif / report["subject"]["archive"]) as archive:
        assert archive.getinfo("lib/libgif.so.7").file_size == library["bytes"]
    answer = lambdapack("invoke", ".", "--event", "{}", cwd=gif, env=lab_engine)
    assert (answer.returncode, "GIF" in answer.stdout) == (0, True), answer.stderr


def test_the_image_is_made_once_listed_and_removed(gif: Path, lab_engine: dict[str, str]) -> None:
    (gif / "lambdapack.toml").write_text('runtime = "nodejs22.x"\nsystem-packages = ["libgif-dev"]\n')
    again = lambdapack("build", ".", cwd=gif, env=lab_engine)
    assert again.returncode == 0, again.stderr
    assert "Installing libgif-dev" not in again.stderr
    listed = lambdapack("images", "list", "--runtime", "nodejs22.x", "--format", "json", env=lab_engine)
    names = [row["image"] for row in json.loads(listed.stdout)["images"] if row["for"].startswith("system packages")]
    assert len(names) == 1
    assert lambdapack("images", "clear", env=lab_engine).stdout == f"{names[0]}\n"
    done = subprocess.run(["docker", "image", "inspect", names[0]], capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.spares("library-bundled")
def test_without_it_the_library_is_missing_and_its_package_is_named(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    project = write_project(tmp_path / "drawing", "gif")
    bare = lambdapack("build", ".", "--runtime", "nodejs22.x", cwd=project, env=lab_engine)
    assert bare.returncode == 4
    said = " ".join(bare.stderr.split())
    assert "LP111" in said
    assert "`--system-package giflib-devel` (libgif-dev on Debian)" in said
    (project / "lambdapack.toml").write_text('bundle-libraries = "off"\nsystem-packages = ["libgif-dev"]\n')
    off = lambdapack("build", ".", "--runtime", "nodejs22.x", cwd=project, env=lab_engine)
    assert off.returncode == 1
    assert "LP204" in off.stderr
    assert "LP338" not in off.stderr
    assert "--system-package giflib-devel" in " ".join(off.stderr.split())


def test_a_package_that_there_is_not_is_answered_with_the_nearest(tmp_path: Path, lab_engine: dict[str, str]) -> None:
    project = write_project(tmp_path / "drawing", "gif")
    done = lambdapack(
        "build", ".", "--runtime", "nodejs22.x", "--system-package", "libgiv-dev", cwd=project, env=lab_engine
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "LP190" in done.stderr
    assert "has no package libgiv-dev" in " ".join(done.stderr.split())
    assert "libgif-dev" in done.stderr


@pytest.mark.full
@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_cairo_with_all_its_libraries_draws(arch: str, tmp_path: Path, lab_engine: dict[str, str]) -> None:
    project = write_project(tmp_path / "drawing", "cairo")
    measured = tmp_path / "runtime.json"
    image = lab_engine["LAMBDAPACK_IMAGE"].format(node=22, arch=arch)
    assert lambdapack("runtimes", "measure", image, "-o", measured, env=lab_engine).returncode == 0
    arguments = ("--runtime-file", measured, "--system-package", "libcairo2-dev")
    done = lambdapack("build", ".", *arguments, cwd=project, env=lab_engine, timeout=2400)
    assert done.returncode == 0, done.stderr
    target = ("--runtime", "nodejs22.x", "--arch", arch)
    answer = lambdapack("invoke", ".", *target, "--event", "{}", cwd=project, env=lab_engine)
    assert answer.stdout == "255\n", answer.stderr
