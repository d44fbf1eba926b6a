"""``ppp motions``: list, check, show, author and import motion clips."""
from __future__ import annotations

import argparse
import json
import sys
import webbrowser
from pathlib import Path
from typing import List

from ppp.errors import PPPError
from ppp.motion import import_commands
from ppp.motion.clip import load_clip
from ppp.motion.library import read_library
from ppp.outputs import check_file, check_folder, write_json
from ppp.settings import ROOT

#: the library of a checkout
MOTIONS = ROOT / "motions"


def main(argv: List[str]) -> int:
    """Entry point of ``ppp motions``; exit status 0, or 1 when a check fails."""
    options = _parser().parse_args(argv)
    return int(options.run(options) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ppp motions",
                                     description="List, check, show, author, import motion clips.")
    commands = parser.add_subparsers(dest="command", required=True)
    library = argparse.ArgumentParser(add_help=False)
    library.add_argument("--library", type=Path, default=MOTIONS / "library.yaml", metavar="FILE",
                         help="library file (default: motions/library.yaml)")
    listing = commands.add_parser("list", parents=[library], help="skills and clips")
    listing.set_defaults(run=_list)
    check = commands.add_parser("check", parents=[library], help="measure clips")
    check.add_argument("clips", nargs="*", metavar="CLIP",
                       help="clips or skills of the library, motion files, folders (default: all)")
    check.add_argument("--json", nargs="?", const="-", metavar="FILE",
                       help="write the figures as JSON (no FILE: to the terminal)")
    check.add_argument("--replay", action="store_true",
                       help="also replay every clip in MuJoCo on its servos alone")
    check.add_argument("--sort", metavar="FIGURE", help="worst first, for example torque")
    check.add_argument("--against", type=Path, metavar="PLACE",
                       help="lay other motions beside: a library, a folder or a file")
    check.add_argument("--markdown", type=Path, metavar="FILE",
                       help="write the tables into a Markdown file, between its marks")
    check.set_defaults(run=_check)
    show = commands.add_parser("show", parents=[library],
                               help="a picture of poses and a page to play a clip")
    show.add_argument("clips", nargs="*", metavar="CLIP", help="clip or skill, file, folder")
    show.add_argument("--all", action="store_true", help="every clip of the library")
    show.add_argument("--out", type=Path, metavar="FILE.png",
                      help="the picture; several clips: a folder (default: out/show)")
    show.add_argument("--html", type=Path, metavar="FILE", help="the page (default: beside it)")
    show.add_argument("--frames", type=int, default=8, help="poses in the picture (default: 8)")
    show.add_argument("--no-open", action="store_true", help="open no browser")
    show.set_defaults(run=_show)
    author = commands.add_parser("author", help="rebuild the authored clips")
    author.add_argument("skills", nargs="*", help="only these skills")
    author.add_argument("--out", type=Path, default=MOTIONS, metavar="FOLDER")
    author.add_argument("--from", dest="folder", type=Path, default=None, metavar="FOLDER",
                        help="folder of skill files (default: those of the project)")
    author.set_defaults(run=_author)
    import_commands.add_parsers(commands, library)
    return parser


def _list(options: argparse.Namespace) -> int:
    library = read_library(options.library)
    total = 0.0
    for skill, info in sorted(library.skills.items()):
        print(f"{skill:<14} {info.mode:<7} {info.label}")
        for entry in (c for c in library.clips if c.skill == skill):
            clip = load_clip(options.library.parent / entry.file)
            kind = "loop" if entry.loop else "once"
            total += clip.seconds
            print(f"    {entry.file:<34}{clip.seconds:6.2f} s  {kind}  weight {entry.weight:g}")
    print(f"{len(library.skills)} skills, {len(library.clips)} clips, {total:.1f} s")
    return 0


def _check(options: argparse.Namespace) -> int:
    from ppp.motion.check import check_sources
    from ppp.motion.report import print_report, sorted_clips
    from ppp.motion.sources import find

    if options.json != "-":
        check_file(options.json)
    check_file(options.markdown, "document")
    sorted_clips([], options.sort)  # a wrong name is refused before the work
    left_out: List[str] = []
    found = find(options.clips, options.library, left_out)
    result = check_sources(found, options.replay)
    if options.json != "-":
        print_report(result, options.sort)
    if options.against:
        result["against"] = _against(options, found, left_out)
    if options.markdown:
        _write_markdown(options, found, result)
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    if options.json == "-":
        print(json.dumps(result, indent=1))
    elif options.json:
        write_json(result, options.json)
    return 0 if result["all_ok"] else 1


def _against(options: argparse.Namespace, found: list, left_out: List[str]) -> dict:
    from ppp.motion.compare import compare
    from ppp.motion.report import print_comparison
    from ppp.motion.sources import find

    if not options.against.exists():
        raise PPPError(f"--against {options.against}: no such folder or file; name a library.yaml, "
                       "a folder of motion files or one of them")
    result = compare(found, find([str(options.against)], options.library, left_out))
    if options.json != "-":
        print_comparison(result)
    return result


def _write_markdown(options: argparse.Namespace, found: list, result: dict) -> None:
    from ppp.motion import document

    sections = {"clips": document.clips_section(result["clips"])}
    if not options.clips:
        library = read_library(options.library)
        sections = {"library": document.library_section(library, found), **sections}
    if "against" in result:
        sections["comparison"] = document.comparison_section(result["against"])
    document.write_sections(options.markdown, sections)


def _show(options: argparse.Namespace) -> int:
    from ppp.motion.sources import find
    from ppp.view import clips  # a command may look ahead: the folder itself knows no pictures

    if options.all == bool(options.clips):
        raise PPPError("ppp motions show: name a clip, or --all for the whole library")
    if not 1 <= options.frames <= 40:
        raise PPPError(f"--frames {options.frames}: a strip has 1 to 40 poses")
    found = find(options.clips, options.library)
    if len(found) > 1 or options.all:
        if options.html or (options.out and options.out.suffix):
            raise PPPError(f"{options.html or options.out}: {len(found)} clips need a folder: "
                           "--out FOLDER")
        page = clips.write_gallery(found, options.out or Path("out/show"), options.frames)
    else:
        picture = options.out or Path("out/show") / f"{found[0].name}.png"
        page = options.html or picture.with_suffix(".html")
        print(clips.write_clip_strip(found[0], picture, options.frames))
        clips.write_clip_page(found[0], page)
    print(page)
    if not options.no_open and clips.has_display():
        webbrowser.open(page.resolve().as_uri())
    return 0


def _author(options: argparse.Namespace) -> int:
    try:
        from ppp.motion.authoring import build
    except ImportError as error:
        raise PPPError(f"authoring clips needs the package '{error.name}'; install it with "
                       "pip install 'mink>=1.3' daqp") from None
    check_folder(options.out)
    folder = options.folder or build.SKILLS
    written = build.author(options.out, folder, options.skills or None,
                           workers=build.processors())
    print(f"{len(written)} clips in {options.out}")
    return 0
