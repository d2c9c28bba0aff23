"""Images and letters of a composite: the files of images, and what no font can write, before it is made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.layout.images import named
from pipeline.layout.looks import TextMark
from pipeline.layout.stage import Face

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.layout.composing import Composing
    from pipeline.layout.composite import ComposeOptions, CompositePlan


def files_of(
    composing: Composing, folder: Path, given: Mapping[str, Path], *, anywhere: bool = False
) -> tuple[tuple[str, str], ...]:
    """References and the absolute paths of their files.

    Args:
        composing: what names them.
        folder: of the job, below which every file lies.
        given: files of references, by whoever asks.
        anywhere: files that were given may lie outside of the folder.

    Raises:
        CommandError: an image has no file, or its file lies elsewhere.
    """
    wanted = named(composing)
    if not wanted:
        return ()
    from pipeline.drawing.images import Images  # few composites have any

    inside = Images(folder, {} if anywhere else given)
    outside = Images(Path(folder.resolve().anchor), {ref: (Path.cwd() / path) for ref, path in given.items()})
    found = []
    for ref, where in sorted(wanted.items()):
        images = outside if anywhere and ref in given else inside
        found.append((ref, str(images.find(ref, where))))
    return tuple(found)


def files_wanted(options: ComposeOptions) -> tuple[tuple[str, str], ...]:
    """The images that options name, each where its file is. Raises CommandError as `files_of`."""
    if options.composing is None:
        return ()
    given = {ref: Path(path) for ref, path in options.files}
    return files_of(options.composing, Path(options.folder), given, anywhere=options.outside)


def fonts_wanted(options: ComposeOptions) -> tuple[str, ...]:
    """The fonts that options name, each where its file is.

    Raises:
        CommandError: one is not there, or lies outside of the job's folder though nobody typed it.
    """
    if options.outside or not options.fonts:
        return options.fonts
    from pipeline.drawing.images import Images  # as above

    below = Images(Path(options.folder))
    return tuple(str(below.find(font, f"font {n}", "font")) for n, font in enumerate(options.fonts, 1))


def contents(paths: Iterable[str]) -> str:
    """SHA-256 over what files hold, empty for none: the same names may hold something else tomorrow.

    A file that cannot be read counts as an empty one; whoever draws it says what is wrong.
    """
    found = []
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                found.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError:
            found.append("")
    return hashlib.sha256(" ".join(found).encode()).hexdigest() if found else ""


_SIZE = 16
"""Of letters that are only looked for."""


def unwritten(films: Sequence[CompositePlan]) -> tuple[str, ...]:
    """A sentence for each text of composites that the fonts here cannot write as it should be.

    Raises:
        CommandError: a font that was given cannot be used.
    """
    texts = {text: where for film in films for text, where in _texts(film)}
    if not texts:
        return ()
    from pipeline.drawing.fonts import find_fonts  # few composites have letters
    from pipeline.drawing.text import lay

    fonts = find_fonts([Path(font) for font in films[0].fonts])
    lacks = ((lay(text, _SIZE, fonts).lack, where) for text, where in sorted(texts.items()))
    return tuple(lack.told(where) for lack, where in lacks if lack)


def _texts(film: CompositePlan) -> Iterator[tuple[str, str]]:
    """What is written, and what it is."""
    looks = film.looks
    roles = {role for shot in film.shots for role in shot.roles}
    for role in roles:
        if looks.label is not None or role.face is Face.AVATAR:
            yield looks.name_of(role.uid), f"the name of user {role.uid}"
    for number, mark in enumerate(looks.marks, 1):
        if isinstance(mark, TextMark):
            yield mark.text, f"watermark {number}"
