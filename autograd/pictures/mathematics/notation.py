r"""How labels and numbers are written: verbatim in plain text, as valid LaTeX in mathematics.

A label such as ``a²``, ``z_1``, ``w[0][1]`` or ``w1[0,1]`` (nn's: layer 1) becomes a letter with indices. What is no
name of this kind goes into ``\text{…}``, with every character escaped that LaTeX would take for a command.
"""

from __future__ import annotations

# fmt: off
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega", "ϵ": "epsilon", "ϕ": "phi", "ϑ": "vartheta",
}
# fmt: on
_GREEK_NAMES = frozenset(_GREEK.values())
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱⁿˡᵐᵏʲᵀᴸ", "0123456789+-=()inlmkjTL", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚₛₜₓ", "0123456789+-=()aehijklmnopstx", strict=True))
_ACCENTS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde", "\u0307": "dot"}
_PRIMES = "′'"
_DIGITS = "0123456789"
_ESCAPED = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",  # which would be a ¡ in print, and a tag in a page
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: "\\" + character for character in "{}$&%#_"},
}
#: Between these characters a label would be misread inside of a formula, so it stands in brackets there.
_BREAKING = frozenset(" +-−*/·=<>|")

#: An integer exponent in plain text.
RAISED_DIGITS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def in_one_line(label: str) -> str:
    """The label verbatim, line breaks and the like as spaces."""
    return "".join(character if character.isprintable() else " " for character in label)


def needs_brackets(label: str) -> bool:
    """True for a label that would be taken for an expression, such as ``a + b``."""
    return any(character in _BREAKING or not character.isprintable() for character in label.partition("[")[0])


def is_raised(label: str) -> bool:
    """True for a label that ends in a superscript, so that an exponent would be taken for a part of it.

    >>> is_raised("a²"), is_raised("a₂")
    (True, False)
    """
    return label[-1:] in _RAISED or label[-1:] in _PRIMES


def escaped(text: str) -> str:
    r"""The text as it stands, for LaTeX.

    >>> print(escaped("50 % of {x}"))
    \text{50 \% of \{x\}}
    """
    return rf"\text{{{''.join(_ESCAPED.get(character, character) for character in in_one_line(text))}}}"


def latex_of_label(label: str) -> str:
    r"""A label as LaTeX.

    >>> for label in ("a²", "W³₁₂", "δ_1", "w[0][1]", "w1[0,1]", "loss", "ŷ", "my $ label"):
    ...     print(latex_of_label(label), end="  ")
    a^{2}  W^{3}_{12}  \delta_{1}  w_{0,1}  w^{(1)}_{0,1}  \mathrm{loss}  \hat{y}  \text{my \$ label}
    """
    if label == "…":
        return r"\cdots"
    from unicodedata import normalize

    text = normalize("NFD", label)
    end = 0
    while end < len(text) and (text[end] in _GREEK or (text[end].isascii() and text[end].isalpha())):
        end += 1
    base, rest = text[:end], text[end:]
    if not base or (len(base) > 1 and any(letter in _GREEK for letter in base)):
        return escaped(label)
    if len(base) > 1:
        written = f"\\{base}" if base in _GREEK_NAMES else rf"\mathrm{{{base}}}"
    else:
        written = f"\\{_GREEK[base]}" if base in _GREEK else base
        if rest[:1] in _ACCENTS:
            written, rest = rf"\{_ACCENTS[rest[0]]}{{{written}}}", rest[1:]
    raised, lowered, understood = _indices(rest, one_letter=len(base) == 1)
    if not understood:
        return escaped(label)
    return written + (f"^{{{raised}}}" if raised else "") + (f"_{{{lowered}}}" if lowered else "")


def _indices(rest: str, *, one_letter: bool) -> tuple[str, str, bool]:
    """The superscript and the subscript that follow a letter; False if something else follows."""
    primes = len(rest) - len(rest.lstrip(_PRIMES))
    raised, lowered, at = r"\prime" * primes + " " * bool(primes), [""], primes
    number = _run(rest, at, _DIGITS.__contains__)
    if number:
        at += len(number)
        if rest[at : at + 1] == "[" and one_letter:
            raised += f"({number})"  # the layer, as nn labels its parameters
        else:
            lowered[0] += number
    while at < len(rest):
        character = rest[at]
        if character in _RAISED:
            raised += _RAISED[character]
        elif character in _LOWERED:
            lowered[0] += _LOWERED[character]
        elif character in "_^":
            word = _run(rest, at + 1, lambda c: c.isascii() and c.isalnum())
            if not word:
                return "", "", False
            at += len(word)
            text = rf"\mathrm{{{word}}}" if len(word) > 1 and word.isalpha() else word
            if character == "^":
                raised += text
            else:
                lowered.append(text)
        elif character == "[":
            inside, bracket, _ = rest[at + 1 :].partition("]")
            indices = [index.strip() for index in inside.split(",")]
            if not bracket or not all(index.isascii() and index.isalnum() for index in indices):
                return "", "", False
            lowered += indices
            at += len(inside) + 1
        else:
            return "", "", False
        at += 1
    return raised.strip(), ",".join([text for text in lowered if text]), True


def _run(text: str, start: int, belongs: object) -> str:
    end = start
    while end < len(text) and belongs(text[end]):  # type: ignore[operator]
        end += 1
    return text[start:end]


def checked(precision: int) -> int:
    """A number of significant digits, or an error that says what it must be."""
    if precision.__class__ is not int or not 1 <= precision <= 17:
        raise ValueError(f"precision is a number of significant digits, 1 … 17; it is {precision!r:.200}")
    return precision


def text_of_number(x: float, precision: int) -> str:
    """A number with that many significant digits, and a real minus sign.

    >>> text_of_number(-0.0386123, 4)
    '−0.03861'
    """
    return f"{x:.{precision}g}".replace("-", "−")


def latex_of_number(x: float, precision: int) -> str:
    r"""A number as LaTeX.

    >>> print(latex_of_number(1.5e-7, 4), latex_of_number(float("-inf"), 4))
    1.5 \times 10^{-7} -\infty
    """
    mantissa, e, exponent = f"{x:.{precision}g}".partition("e")
    if "n" in mantissa:
        return mantissa.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    return mantissa + (rf" \times 10^{{{int(exponent)}}}" if e else "")
