// What HTML of ours needs in the browser: links that stay in the session, focus that survives a refresh, "/".
// Served by the app itself; it asks nobody for anything and keeps nothing.
(() => {
  if (window.ttaApp) return;
  window.ttaApp = true;
  const leaves = /^\/(sign-|dagster|app\/|media|_stcore)/;

  // "/" only leads on to a page: its step in the history becomes that page's, so that one "back" leaves it.
  const push = history.pushState.bind(history);
  history.pushState = (state, unused, to) => {
    const step = location.pathname === "/" ? history.replaceState.bind(history) : push;
    step(state, unused, to);
  };

  function ours(event) {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || event.defaultPrevented || !isPlain || link.target === "_blank" || link.download) return null;
    const there = new URL(link.href, location.href);
    const isHere = there.origin === location.origin && !leaves.test(there.pathname);
    return isHere && !(there.hash && there.pathname === location.pathname) ? there : null;
  }

  // One step in the history, and the page that Streamlit shows for a step in it: no reload, one "back".
  document.addEventListener("click", (event) => {
    const there = ours(event);
    if (!there) return;
    event.preventDefault();
    const isOtherPage = there.pathname !== location.pathname;
    history.pushState({}, "", there.href);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    if (isOtherPage) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  });

  // A part that is drawn anew takes the focus away with its links: the same link gets it back.
  document.addEventListener("focusout", (event) => {
    const lost = event.target;
    const href = lost.getAttribute?.("href");
    if (!href || !lost.closest("[data-testid=stHtml]")) return;
    requestAnimationFrame(() => {
      if (lost.isConnected || document.activeElement !== document.body) return;
      document.querySelector(`[data-testid=stHtml] a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
    });
  });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable=true], [role=combobox]");
    if (event.key !== "/" || isTyping || event.metaKey || event.ctrlKey || event.altKey) return;
    const field = document.querySelector(".st-key-search-everything input");
    if (!field) return;
    event.preventDefault();
    field.focus();
  });
})();
