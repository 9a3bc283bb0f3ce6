"""Pages for Doxygen: docs/**.md are plain Markdown, as a forge shows them; here links, headings and figures become Doxygen's."""

import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:)([^)\s#]*\.md)?(#[^)\s]*)?\)")
BROKEN_LINK = re.compile(r"\[([^\[\]\n]*)\n[ \t]*([^\[\]\n]*)\]\(([^)\s]*)\)([.,;:)]*)")  # whose title goes over two lines
FIGURE = re.compile(r"^!\[(.*)\]\((?:\.\./)?figures/(\S+)\)\s*$")
HEADING = re.compile(r"^(#+) (.*?)\s*$")


def slug(title):
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def page_id(stem):
    return "mainpage" if stem == "start" else "page_" + stem


def section_id(stem, anchor):
    return f"{stem}__" + "".join(c if c.isascii() and (c.isalnum() or c in "-_") else format(ord(c), "x") for c in anchor)


def is_child(index, target):
    """Whether a page stands below this one in the tree: strategies below the list of strategies, all else below the start."""
    below_strategies = target.parent.name == "strategies"
    return (index == "strategies" and below_strategies) or (index == "start" and not below_strategies and target.stem != "start")


def translate(path, text):
    stem, seen, out, first, code = path.stem, set(), [], True, False

    in_index = False  # a line of a list or a table: what the tree of pages is made of

    def link(match):
        title, target, anchor = match.groups()
        if not target and not anchor:
            return match[0]
        name = pathlib.Path(target).stem if target else stem
        if anchor:
            return f'[{title}](@ref {section_id(name, anchor[1:])})'
        if not (path.parent / target).exists():
            return match[0]
        resolved = (path.parent / target).resolve()
        if resolved.parent not in (DOCS, DOCS / "strategies"):
            return title
        if in_index and is_child(stem, resolved) and name not in seen:
            seen.add(name)
            return f'\\subpage {page_id(name)} "{title}"'
        return f"[{title}](@ref {page_id(name)})"

    whole_links = BROKEN_LINK.sub(r"[\1 \2](\3)\4\n  ", text)  # as many lines as before
    for line in whole_links.splitlines():
        fence = line.lstrip().startswith("```")
        if fence:
            code = not code
            out.append(re.sub(r"```(\w+)", r"```{.\1}", line) if code else line)
            continue
        if code or line.startswith("    "):
            out.append(line)
            continue
        heading, figure = HEADING.match(line), FIGURE.match(line)
        if heading:
            out.append(f"{heading[1]} {heading[2]} {{#{page_id(stem) if first else section_id(stem, slug(heading[2]))}}}")
            first = False
        elif figure:
            caption = figure[1].replace('"', "'")
            out.append(f'\\image html {figure[2]} "{caption}"')
        else:
            in_index = line.startswith("| " if stem == "strategies" else "- ") or (in_index and line.startswith("  "))
            out.append(LINK.sub(link, line))
    return "\n".join(out) + "\n"
