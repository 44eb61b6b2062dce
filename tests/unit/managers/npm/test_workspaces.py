import pytest

from lambdapack.project.workspaces import is_workspace_member


@pytest.mark.parametrize(
    ("globs", "path", "included"),
    [
        (("packages/*",), "packages/a", True),
        (("packages/*",), "packages/a/b", False),
        (("packages/**",), "packages/a/b", True),
        (("./packages/a/",), "packages/a", True),
        (("{apps,libs}/*",), "libs/x", True),
        (("{apps,libs/*}",), "libs/x", True),
        (("**/fn",), "a/b/fn", True),
        (("**/fn",), "fn", True),
        (("fn-?",), "fn-1", True),
        (("packages/*", "!packages/b"), "packages/b", False),
        (("packages/*", "!packages/b", "packages/b"), "packages/b", True),
        (("!packages/*",), "packages/b", False),
        (("**",), "node_modules/x", False),
        (("a.b",), "axb", False),
        (("[",), "[", True),
        ((), "a", False),
    ],
)
def test_globs_include_what_npm_includes(globs: tuple[str, ...], path: str, included: bool) -> None:
    assert is_workspace_member(globs, path) is included
