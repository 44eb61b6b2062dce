"""Reports on the trees of a recording, one for each image, made by the product. Compares nothing."""

from collections.abc import Mapping
from datetime import date

from lambdapack.binary.scan import scan_binaries
from lambdapack.packages.manifests import read_manifests
from lambdapack.rules.check import check_package
from lambdapack.rules.model.case import Policy
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Judgement, Subject
from tests.corpus.packages import installed
from tests.corpus.runtimes import runtime_of
from tests.corpus.truth import Corpus

DAY = date(2026, 11, 21)


def judged(corpus: Corpus) -> Mapping[tuple[str, str], Mapping[str, Judgement]]:
    """Return the judgements by path for each tree and image that the recording has."""
    wanted = {(each.tree, each.image) for each in corpus.results()}
    runtimes = {name: runtime_of(image) for name, image in corpus.images.items()}
    found = {}
    for tree, specs in corpus.trees.items():
        with installed(specs) as files:
            facts = PackageFacts(files.entries, scan_binaries(files), read_manifests(files))
            for image in (image for name, image in sorted(wanted) if name == tree):
                report = check_package(Subject("directory", tree), facts, runtimes[image], Policy(DAY))
                found[tree, image] = {each.binary.path: each for each in report.judgements}
    return found
