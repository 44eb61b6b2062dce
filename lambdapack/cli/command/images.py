"""`lambdapack images`: signatures and help; cli/run/images.py runs them."""

import typer

from lambdapack.cli.command import options

app = typer.Typer(help="The container images of a build.", rich_markup_mode=None, no_args_is_help=True)


@app.command("list")
def list_images(
    runtime: options.RuntimeOption = None,
    arch: options.ArchOrAllOption = None,
    image: options.ImageOption = None,
    build_image: options.BuildImageOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
) -> int:
    """Show which images a build uses, and whether the engine has them. Pulls nothing.

    Example: lambdapack images list --runtime nodejs22.x --arch all
    """
    from lambdapack.cli.run import images  # noqa: PLC0415  # `--help` must not wait for it

    flags = {"runtime": runtime, "arch": arch, "image": image, "build-image": build_image}
    return images.run_images_list(flags, report_format)


@app.command("clear")
def clear_images() -> int:
    """Remove the images with system packages; print their names.

    The next build with system packages makes its image again. Other images are not touched.

    Example: lambdapack images clear
    """
    from lambdapack.cli.run import images  # noqa: PLC0415  # `--help` must not wait for it

    return images.run_images_clear()


@app.command("build")
def build_image(
    runtime: options.RuntimeOption = None,
    arch: options.ArchOrAllOption = None,
    image: options.ImageOption = None,
    quiet: options.QuietOption = False,
) -> int:
    """Build a toolchain image on the runtime image; print its name.

    For mirrored images and extra tools; use the result with --build-image or LAMBDAPACK_BUILD_IMAGE.

    Example: lambdapack images build --runtime nodejs22.x --arch arm64
    """
    from lambdapack.cli.run import images  # noqa: PLC0415  # `--help` must not wait for it

    return images.run_images_build({"runtime": runtime, "arch": arch, "image": image}, quiet=quiet)
