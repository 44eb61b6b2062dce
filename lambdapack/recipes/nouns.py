"""What a recipe knows of a project, and what it wants written."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdapack.model import Target

if TYPE_CHECKING:
    from lambdapack.project.template_yaml import Function


@dataclass(frozen=True, slots=True)
class Situation:
    """A project as a recipe sees it."""

    name: str  # of package.json, fit for file names
    target: Target
    handler: str
    path: str = "."  # of the function below the repository, "/" between parts
    lock: str = "package-lock.json"  # likewise
    typescript: bool = False
    resources: "tuple[Function, ...]" = ()  # of the SAM template whose code is this directory
    template: str = "template.yaml"

    @property
    def resource(self) -> str:
        """Return the name in letters and digits, as CloudFormation's logical ids are: MyFunction."""
        words = re.findall(r"[A-Za-z0-9]+", self.name)
        joined = "".join(word[0].upper() + word[1:] for word in words)
        return joined if joined[:1].isalpha() else f"Function{joined}"

    @property
    def identifier(self) -> str:
        """Return the name as an identifier of Terraform: my_function."""
        joined = "_".join(re.findall(r"[A-Za-z0-9]+", self.name)).lower()
        return joined if joined[:1].isalpha() else f"function_{joined}"


@dataclass(frozen=True, slots=True)
class Glue:
    """A file to write, and the file that has to know of it."""

    path: str  # relative to the function's directory, or with `at_root` to the repository
    text: str
    at_root: bool = False
    only_if_absent: bool = False  # a person's own file: when it is there, `merge` says what to put into it
    merge: tuple[str, ...] = ()
