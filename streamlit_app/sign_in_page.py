"""The sign-in page: plain HTML in the product's look, light and dark, without a script."""

from html import escape
from string import Template
from urllib.parse import quote

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in · TTA Monitor</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
@font-face { font-family: Inter; src: url(/app/static/inter-latin-wght-normal.woff2); font-weight: 100 900; }
:root { color-scheme: light dark; --back: #FFFFFF; --surface: #F4F7F8; --border: #DCE4E8; --text: #16222B;
  --quiet: #55636E; --accent: #0F6E84; --on: #FFFFFF; --critical: #B3261E; }
@media (prefers-color-scheme: dark) { :root { --back: #10171D; --surface: #18222A; --border: #2B3944;
  --text: #E6EDF2; --quiet: #B7C4CE; --accent: #58C4DB; --on: #10171D; --critical: #FF8A80; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--back);
  color: var(--text); font: 14px/1.5 Inter, -apple-system, "Segoe UI", sans-serif; }
main { width: min(22rem, 92vw); padding: 2rem; background: var(--surface);
  border: 1px solid var(--border); border-radius: .5rem; }
h1 { margin: 0; font-size: 1.5rem; font-weight: 600; }
p { margin: .25rem 0 1.25rem; color: var(--quiet); }
label { display: block; margin-bottom: 1rem; font-weight: 500; }
input { display: block; width: 100%; margin-top: .25rem; padding: .55rem .7rem; font: inherit;
  color: var(--text); background: var(--back); border: 1px solid var(--border); border-radius: .5rem; }
input:focus, button:focus { outline: 2px solid var(--accent); outline-offset: 1px; }
button { width: 100%; padding: .6rem; font: inherit; font-weight: 600; color: var(--on);
  background: var(--accent); border: 0; border-radius: .5rem; cursor: pointer; }
.other { display: block; margin-top: .75rem; padding: .55rem; text-align: center; font-weight: 600;
  color: var(--accent); border: 1px solid var(--border); border-radius: .5rem; text-decoration: none; }
.other:focus { outline: 2px solid var(--accent); outline-offset: 1px; }
.problem { margin: 0 0 1rem; color: var(--critical); font-weight: 500; }
.hint { margin: 1.25rem 0 0; font-size: .85rem; }
code { font-size: .85em; }
</style></head><body><main>
<h1>TTA Monitor</h1>
<p>$lead</p>
$problem<form method="post" action="$action">$fields<button type="submit">$button</button></form>$other
<p class="hint">$hint</p>
</main></body></html>
""")
_FIELDS = (
    '<label>User name<input name="name" autocomplete="username" required autofocus></label>'
    '<label>Password<input name="password" type="password" autocomplete="current-password" required>'
    "</label>"
)
_HINT = (
    "No account yet? Whoever runs this machine makes a link that works once: "
    "<code>./tta.sh monitor access link</code>"
)


def page(*, onward: str, has_link: bool = False, problem: str = "", provider: str = "") -> str:
    """The page; with a sign-in link one button is enough, and the form posts to the same address.

    `provider` is what an identity provider is called, where there is one.
    """
    return _PAGE.substitute(
        lead="Sign in with the link you were given." if has_link else "Sign in to continue.",
        problem=f'<p class="problem" role="alert">▲ {escape(problem)}</p>' if problem else "",
        action="" if has_link else f"/sign-in?next={quote(onward)}",
        fields="" if has_link else _FIELDS,
        button="Continue" if has_link else "Sign in",
        other=_other(provider, onward) if provider and not has_link else "",
        hint="The link works once." if has_link else _HINT,
    )


def _other(provider: str, onward: str) -> str:
    target = f"/sign-in/provider?next={quote(onward)}"
    return f'<a class="other" href="{target}">Sign in with {escape(provider)}</a>'
