"""Advice speaks the language of the package manager that made the tree."""

import pytest

from tests.world import World

MARKS = {
    "npm": "node_modules/.package-lock.json",
    "pnpm": "node_modules/.modules.yaml",
    "yarn": "node_modules/.yarn-state.yml",
    "yarn-classic": "node_modules/.yarn-integrity",
    "bun": "bun.lock",
}


@pytest.mark.parametrize(
    ("manager", "words"),
    [
        ("npm", "npm ci --os=linux --cpu=x64 --libc=glibc"),
        ("pnpm", "`supportedArchitectures: {os: [linux], cpu: [x64], libc: [glibc]}` into pnpm-workspace.yaml"),
        ("yarn", "`supportedArchitectures: {os: [linux], cpu: [x64], libc: [glibc]}` into .yarnrc.yml"),
        ("yarn-classic", "`yarn install --ignore-platform`"),
        ("bun", "`bun install --os=linux --cpu=x64`"),
    ],
)
def test_a_platform_package_that_is_absent(world: World, manager: str, words: str) -> None:
    optional = {"@x/tool-darwin-arm64": "1.0.0", "@x/tool-linux-x64": "1.0.0"}
    world.add(MARKS[manager], "{}")
    world.package("", dependencies={"tool": "1"})
    world.package("node_modules/tool", optionalDependencies=optional)
    world.add("node_modules/tool/index.js", "require(`@x/tool-${process.platform}-${process.arch}`);\n")
    world.package("node_modules/@x/tool-darwin-arm64", os=["darwin"], cpu=["arm64"], main="tool.node")
    world.add("node_modules/@x/tool-darwin-arm64/tool.node", b"\xcf\xfa\xed\xfe\x0c\0\0\x01" + bytes(200))
    cures = [found.cure for found in world.report().findings if found.rule.code in {"LP202", "LP221"}]
    assert cures
    assert any(words in cure for cure in cures)
    assert manager == "npm" or not any("npm ci" in cure for cure in cures)


@pytest.mark.parametrize(("manager", "words"), [("npm", "npm ci --omit=dev"), ("pnpm", "pnpm install --prod")])
def test_packages_that_only_development_needs(world: World, manager: str, words: str) -> None:
    world.add(MARKS[manager], "{}")
    world.package("", devDependencies={"tool": "1"})
    world.package("node_modules/tool")
    (cure,) = [found.cure for found in world.report().findings if found.rule.code == "LP318"]
    assert words in cure


@pytest.mark.parametrize("name", ["._tool.node", "prebuilds/linux-x64/._tool.node"])
def test_what_macos_leaves_beside_an_addon_never_counts(world: World, name: str) -> None:
    world.package("node_modules/tool")
    world.add(f"node_modules/tool/{name}", b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(100))
    assert world.report().judgements == ()


def test_a_link_of_pnpms_to_the_project_itself_is_no_matter_but_any_other_is(world: World) -> None:
    world.package("", name="fn")
    world.links["node_modules/.pnpm/node_modules/fn"] = "../../../../fn"
    assert [found.rule.name for found in world.report().findings] == []
    world.links["node_modules/a"] = "../../node_modules/.pnpm/a@1.0.0/node_modules/a"
    (finding,) = world.report().findings
    assert finding.rule.name == "link-leaves-tree"
    assert "pnpm --filter fn deploy --prod --legacy OUT" in finding.cure
    assert "cp -RL" not in finding.cure
