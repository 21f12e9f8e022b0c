"""The sign-in page and its kin: plain HTML in the product's look, light and dark, without a script.

Here: words and looks. Not here: what happens when a form is sent (`entrance`).
"""

from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import quote, urlencode

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title · TTA Monitor</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" type="image/png" href="/favicon.png">
<style>
@font-face { font-family: Inter; src: url(/app/static/inter-latin-wght-normal.woff2); font-weight: 100 900;
  font-display: swap; }
:root { color-scheme: light dark; --back: #FFFFFF; --surface: #F4F7F8; --border: #DCE4E8; --edge: #7F8C96;
  --text: #16222B; --quiet: #55636E; --accent: #0F6E84; --on: #FFFFFF; --critical: #B3261E; }
@media (prefers-color-scheme: dark) { :root { --back: #10171D; --surface: #18222A; --border: #2B3944;
  --edge: #6B7A86; --text: #E6EDF2; --quiet: #B7C4CE; --accent: #58C4DB; --on: #10171D;
  --critical: #FF8A80; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; padding: 1rem; display: grid; place-items: center;
  background: var(--back); color: var(--text); font: 14px/1.5 Inter, -apple-system, "Segoe UI", sans-serif; }
main { width: 100%; max-width: 23rem; padding: 2rem; background: var(--surface);
  border: 1px solid var(--border); border-radius: .5rem; }
header { display: flex; align-items: center; gap: .6rem; }
header img { width: 1.75rem; height: 1.75rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; font-weight: 600; letter-spacing: -.01em; }
p { margin: .5rem 0 1.25rem; color: var(--quiet); }
label { display: block; margin-bottom: 1rem; font-weight: 500; }
input { display: block; width: 100%; margin-top: .25rem; padding: .55rem .7rem; font: inherit;
  color: var(--text); background: var(--back); border: 1px solid var(--edge); border-radius: .5rem; }
button, .button { display: block; width: 100%; padding: .6rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; border: 1px solid transparent; border-radius: .5rem;
  cursor: pointer; color: var(--on); background: var(--accent); }
.second { margin-top: .75rem; color: var(--accent); background: transparent; border-color: var(--edge); }
button:hover, .button:hover { filter: brightness(1.08); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.problem, .notice { margin: 0 0 1rem; padding: .6rem .7rem; font-weight: 500; color: var(--text);
  background: var(--back); border: 1px solid var(--border); border-left: 3px solid var(--accent);
  border-radius: .25rem; }
.problem { border-left-color: var(--critical); }
.problem b { color: var(--critical); }
.hint { margin: 1.25rem 0 0; font-size: .85rem; }
code { display: block; margin-top: .35rem; overflow-wrap: anywhere;
  font: .95em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
</style></head><body><main>
<header><img src="/favicon.png" alt=""><h1>TTA Monitor</h1></header>
<p>$lead</p>
$body
</main></body></html>
""")
_FIELDS = (
    '<label>User name<input name="name" autocomplete="username" autocapitalize="none" '
    'spellcheck="false" maxlength="100" required autofocus></label>'
    '<label>Password<input name="password" type="password" autocomplete="current-password" '
    "required></label>"
)
_HINT = (
    "No account yet? Whoever runs this machine makes a link that works once: "
    "<code>./tta.sh monitor access link</code>"
)


@dataclass(frozen=True)
class Asked:
    """What a browser asked for, as far as the page shows it."""

    onward: str
    """Where to go once signed in."""
    token: str
    """What the form must hold."""
    problem: str = ""
    notice: str = ""
    link: str = ""
    """The secret of a link that still works: one button is enough."""
    is_signed_in: bool = False
    provider: str = ""
    """What an identity provider is called, where there is one."""


def page(asked: Asked) -> str:
    """The sign-in page."""
    if asked.is_signed_in:
        lead, parts = "You are signed in already.", [_button("Go on", asked.onward)]
        if asked.link:
            parts.append(_form(asked, "Sign in anew with this link", is_second=True))
            parts.append(
                _hint("The link works once: if you go on, it stays good for somebody else.")
            )
    elif asked.link:
        lead, parts = "Sign in with the link you were given.", [_form(asked, "Sign in")]
        parts.append(_hint("The link works once."))
    else:
        lead, parts = "Sign in to continue.", [_form(asked, "Sign in", fields=_FIELDS)]
        if asked.provider:
            target = f"/sign-in/provider?next={quote(asked.onward)}"
            parts.append(_button(f"Sign in with {asked.provider}", target, is_second=True))
        parts.append(_hint(_HINT))
    return _PAGE.substitute(title="Sign in", lead=lead, body="\n".join([*_told(asked), *parts]))


def sign_out_page(token: str) -> str:
    """The question before signing out, for whoever did not press our own button."""
    field = f'<input type="hidden" name="token" value="{token}">'
    form = f'<form method="post" action="/sign-out">{field}<button type="submit">Sign out</button></form>'
    body = f"{form}\n{_button('Stay', '/', is_second=True)}"
    return _PAGE.substitute(title="Sign out", lead="Do you want to sign out?", body=body)


def refusal_page(words: str) -> str:
    """What somebody reads whose role may not, or who must wait."""
    body = f"{_button('To your pages', '/')}\n{_button('Account', '/account', is_second=True)}"
    return _PAGE.substitute(title="Not now", lead=escape(words), body=body)


def _told(asked: Asked) -> list[str]:
    if asked.problem:
        return [f'<p class="problem" role="alert"><b>▲</b> {escape(asked.problem)}</p>']
    return [f'<p class="notice" role="status">{escape(asked.notice)}</p>'] if asked.notice else []


def _form(asked: Asked, words: str, *, fields: str = "", is_second: bool = False) -> str:
    query = {"next": asked.onward} | ({"link": asked.link} if asked.link else {})
    action = f"/sign-in?{urlencode(query)}"
    kind = ' class="second"' if is_second else ""
    return (
        f'<form method="post" action="{escape(action)}">{fields}'
        f'<input type="hidden" name="token" value="{asked.token}">'
        f'<button type="submit"{kind}>{words}</button></form>'
    )


def _button(words: str, target: str, *, is_second: bool = False) -> str:
    kind = "button second" if is_second else "button"
    return f'<a class="{kind}" href="{escape(target)}">{escape(words)}</a>'


def _hint(words: str) -> str:
    return f'<p class="hint">{words}</p>'
