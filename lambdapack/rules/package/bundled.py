"""Names the system libraries that a build took along, with package, version and licence, and what they need besides."""

from collections.abc import Iterator, Mapping

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.package import BundledLibrary

LIBRARY_BUNDLED = Rule(
    "LP338",
    "library-bundled",
    "system libraries ship with the package",
    "Binaries in use need them and the runtime lacks them; they come from the image that the package was built in.",
    'Keep their licences with your own; `bundle-libraries = "off"` in lambdapack.toml leaves libraries out.',
    Severity.NOTE,
)

LIBRARY_DATA: Mapping[str, str] = {
    "libfontconfig.so": "fonts.conf: ship it, and set FONTCONFIG_PATH to its directory",
    "libMagickCore": "policy.xml and delegates.xml: ship them, and set MAGICK_CONFIGURE_PATH to their directory",
    "libgvc.so": "its list of plug-ins: ship it, and set GVBINDIR to its directory",
    "libodbc.so": "odbcinst.ini: ship it, and set ODBCSYSINI to its directory",
    "libkrb5.so": "krb5.conf: ship it, and set KRB5_CONFIG to its path",
    "libgdk_pixbuf": "loaders.cache: ship it, and set GDK_PIXBUF_MODULE_FILE to its path",
}
"""What a library reads when it runs, by the beginning of its name (the projects' own manuals, read 2026-11)."""


def check_bundled_libraries(case: Case) -> Iterator[Finding]:
    """Yield a note that names all libraries that the build took along (LP338)."""
    libraries = case.facts.bundled
    if not libraries:
        return
    parts = [f"{library.name} {_describe_origin(library)}" for library in libraries]
    data = [f"{library.name} reads {needs}" for library in libraries if (needs := _needed_data(library))]
    message = "; ".join((*parts, *data))
    evidence = tuple(
        {
            "path": library.path,
            "package": library.package,
            "version": library.version,
            "licence": library.licence,
            "bytes": library.size,
        }
        for library in libraries
    )
    directory = libraries[0].path.rpartition("/")[0]
    yield Finding(LIBRARY_BUNDLED, directory, message, evidence=(("libraries", evidence),))


def _describe_origin(library: BundledLibrary) -> str:
    if not library.package:
        return "from no package of the system"
    return f"from {library.package} {library.version} ({library.licence or 'no licence recorded'})"


def _needed_data(library: BundledLibrary) -> str:
    return next((words for start, words in LIBRARY_DATA.items() if library.name.startswith(start)), "")
