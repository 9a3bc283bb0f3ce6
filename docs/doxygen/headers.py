"""Headers for Doxygen: what a folder holds becomes a group, and names that explain themselves get a sentence.

Sources say nothing about a name that says what it is: `size()`, a hook's `parameters()`, a setting that another struct has
as well. Pages of the reference lack the source's context; names.txt has a sentence for each such name. It is written in
front of the declaration here, unless the header has a comment there.
"""

import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
CLASS = re.compile(r"^(?:template <.*> )?(?:struct|class|union)(?: alignas\(\w+\))? ([\w:]+(?:<.*>)?(?:::\w+)?)(?: final)?(?: : .*)? \{$")
BODY = re.compile(r"^(?:template <.*> )?enum\b.*\{$|^namespace\b.*\{$|\)[^()=]*\{$|\brequires\b.*\{$")
NAMESPACE = re.compile(r"^namespace (?:[\w:]+ )?\{")
NAME = r"(?<![\w:.>~]){}\s*(?:\(|=|;|,|\{{|\[|$)"


def read_table(text):
    """{(scope, name): sentence}; a name ends in () where only a function is meant, the scope is * for any."""
    table = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        keys, _, sentence = line.partition(": ")
        if not sentence.strip():
            raise SystemExit(f"names.txt:{number}: has no sentence; expected SCOPE::NAME[, NAME…]: sentence")
        scope, _, names = keys.rpartition("::")
        for name in re.split(r", (?![^<]*>)", names):
            if (scope, name) in table:
                raise SystemExit(f"names.txt:{number}: names {scope}::{name} again")
            table[scope, name] = sentence.strip()
    return table


TABLE = read_table((HERE / "names.txt").read_text(encoding="utf-8"))
NAMES = {}  # {scope: {name: its keys}}
for scope_, key_ in TABLE:
    NAMES.setdefault(scope_, {}).setdefault(key_ if key_.endswith("operator()") else key_.removesuffix("()"), []).append(key_)


def code_of(line):
    """A line without its comment."""
    return re.sub(r"\s*//.*$", "", line).strip()


def identifiers(statement):
    """Every word of a statement, operators and specializations included: what may be a key of the table."""
    words = set(re.findall(r"operator\s*(?:\(\)|\[\]|[^\s(\w]+|\w+)|[\w:]+<[^;={(]*>+|\w+", statement))
    return words


def bare(key):
    """A key's name without the () that says that a function is meant."""
    return key if key.endswith("operator()") else key.removesuffix("()")


def is_whole(statement):
    """Whether a declaration, or the head of a class or of a function's body, ends here."""
    if statement.count("(") != statement.count(")"):
        return False
    if statement.endswith("{"):
        if re.match(r"(?:template <.*> )?concept\b", statement):
            return False
        return bool(CLASS.match(statement) or BODY.search(statement))
    return statement.endswith((";", "}")) and statement.count("{") == statement.count("}")


def declarators(statement):
    """[type, declarator…] of `Index rows = 0, width = 0;`; nothing for a statement that declares one name or a function."""
    if not statement.endswith(";") or statement.startswith(("using ", "friend ", "template ", "static_assert", "typedef ")):
        return []
    parts, depth, begin = [], 0, 0
    for at, c in enumerate(statement):
        depth += (c in "<({[") - (c in ">)}]")
        if c in ",;" and depth == 0:
            parts.append(statement[begin:at].strip())
            begin = at + 1
    first = parts and re.match(r"^((?:[\w:]+(?:<.*>)?[\s*&]+)+?)(\w+\s*(?:(?:=|\{).*)?)$", parts[0])
    if len(parts) < 2 or not first:
        return []
    return [first[1].strip(), first[2], *parts[1:]]


def declares(statement, name, function_only):
    head = statement[: statement.index("(") + 1] if "(" in statement else statement
    plain = re.escape(name)
    if name.startswith("operator"):
        return name in statement
    if function_only:
        return re.search(rf"(?<![\w:.>~]){plain}\s*\($", head) is not None
    if re.search(r"\b(?:struct|class|enum|enum class|union)\s+" + plain + r"\s*(?:;|:|\{|final|$)", statement):
        return True
    is_function = re.search(rf"(?<![\w:.>~]){plain}\s*\($", head)
    return bool(is_function) or re.search(NAME.format(plain), statement.split("{")[0].split("(")[0] + ";") is not None


def sentence_of(scope, statement, used):
    statement = re.sub(r"^template <.*?> concept ", "concept ", statement)  # whose parameters have names of the table, too
    words = identifiers(statement)
    for owner in dict.fromkeys((scope, re.sub(r"<.*>", "", scope), "*")):  # the class's own sentence before the one for all
        names = NAMES.get(owner, {})
        for word in sorted(words & names.keys()):
            for key in sorted(names[word], reverse=True):  # NAME() before NAME
                if declares(statement, word, key != word):
                    used.add((owner, key))
                    return TABLE[owner, key]
    return None


def translate(path, text, used=None):
    used = set() if used is None else used
    lines, original = text.splitlines(), text.splitlines()
    parts = path.parts
    folder = parts[parts.index("graft", len(parts) - 4 if len(parts) > 4 else 0) + 1] if "graft" in parts else ""
    group = f"group_{folder}" if not folder.endswith(".hpp") else ""
    scopes = []  # [(indentation of its line, full name, is a class)]
    statement, start, skip_until, hidden = "", None, None, False
    for i, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        code = code_of(line)
        if skip_until is not None:  # a body, or a statement that is left out
            if indent == skip_until and code.startswith("}"):
                skip_until = None
            continue
        if not code or line.startswith("#") or code.startswith(("public:", "private:", "protected:")):
            continue
        if NAMESPACE.match(line):
            hidden = "detail {" in line
            if group and not line.startswith("namespace detail"):
                lines[i] = f"{line} /** \\addtogroup {group} */ /** @{{ */"
            continue
        if re.match(r"^\}\s*// namespace ", line):
            hidden = False
            if group and "namespace detail" not in line:
                lines[i] = "/** @} */ " + line
            scopes.clear()
            continue
        if scopes and indent == scopes[-1][0] and code.startswith("}"):
            scopes.pop()
            continue
        if start is None:
            start, statement = i, code
        else:
            statement += " " + code
        if not is_whole(statement):
            continue
        begin, whole = start, statement
        start, statement = None, ""
        member_indent = len(lines[begin]) - len(lines[begin].lstrip())
        opens = whole.endswith("{")
        opened = CLASS.match(whole) if opens else None
        scope = scopes[-1][1] if scopes else ""
        if whole.startswith(("extern template", "template class", "template struct")) or (
            whole.startswith("template ") and not whole.startswith("template <")
        ):
            for at in range(begin, i + 1):
                lines[at] = ""
            continue
        before = original[begin - 1].strip() if begin else ""
        documented = before.startswith(("///", "/**", "*/")) and not before.startswith("///<") or before.endswith("*/")
        documented = documented or any("///<" in original[at] for at in range(begin, i + 1))
        several = declarators(whole) if scopes else []
        with_member = re.match(r"^(enum (?:class )?(\w+)[^{]*\{[^}]*\}) (\w+\b.*;)$", whole)
        if with_member:  # `enum class Kind { … } kind = …;`
            enum, name, member = with_member.groups()
            docs = [sentence_of(scope, statement, used) for statement in (f"enum class {name};", f"{name} {member}")]
            lines[begin : i + 1] = [f"/** {docs[0]} */ {enum}; /** {docs[1]} */ {name} {member}"] + [""] * (i - begin)
        elif several:
            above = comment_above(original, begin)
            behind = " ".join(m[1].strip() for at in range(begin, i + 1) if (m := re.search(r"///<(.*)", original[at])))
            pad, split = lines[begin][:member_indent], []
            for declarator in several[1:]:
                one = f"{several[0]} {declarator};"
                text = behind or above or sentence_of(scope, one, used)
                split.append((f"/** {text} */ " if text else "") + one)
            lines[begin : i + 1] = [pad + " ".join(split)] + [""] * (i - begin)
        elif not documented:
            if opened:
                owner, _, name = opened[1].rpartition("::")
                owner = f"{scope}::{owner}".strip(":")
                sentence = sentence_of(owner, f"struct {name} {{" if "<" not in name else "", used) or named(opened[1], used)
            else:
                sentence = sentence_of(scope, whole, used)
            concept = re.match(r"template <.*?> concept (\w+)", whole)
            if concept and not sentence and not hidden:  # Doxygen does not ask for one
                raise SystemExit(f"{path}:{begin + 1}: {concept[1]} has no sentence; expected a comment, or a line in names.txt")
            if sentence:
                pad = lines[begin][:member_indent]
                lines[begin] = f"{pad}/** {sentence} */ {lines[begin].lstrip()}"
        if opened:
            scopes.append((member_indent, f"{scope}::{opened[1]}".strip(":"), True))
        elif opens:
            skip_until = member_indent
    return "\n".join(lines) + "\n"


def comment_above(lines, at):
    """The text of the `///` lines above a line."""
    text = []
    while at > 0 and lines[at - 1].strip().startswith("///") and not lines[at - 1].strip().startswith("///<"):
        at -= 1
        text.insert(0, lines[at].strip().removeprefix("///").strip())
    return " ".join(text)


def named(name, used):
    """A specialization of a class: names.txt has its whole name."""
    sentence = TABLE.get(("", name)) or TABLE.get(("*", re.sub(r"<.*", "<>", name)))
    if sentence:
        used.add(("", name) if ("", name) in TABLE else ("*", re.sub(r"<.*", "<>", name)))
    return sentence


def unused(used):
    """Lines of names.txt that no header has a place for."""
    return [f"{owner}::{name}" for owner, name in TABLE if (owner, name) not in used]
