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

  // A page of the navigation opens with the range and the filters of this one.
  function carried(there) {
    const query = document.querySelector(".tta-carried")?.dataset.query ?? "";
    for (const [name, value] of new URLSearchParams(query)) there.searchParams.set(name, value);
    return there;
  }

  document.addEventListener("click", (event) => {
    const isNavigation = event.target.closest?.("[data-testid=stSidebarNavLink]");
    const there = isNavigation ? ours(event) : null;
    if (!there) return;
    event.stopPropagation();
    go(event, carried(there));
  }, true);

  document.addEventListener("click", (event) => {
    const there = ours(event);
    if (there) go(event, there);
  });

  // One step in the history, and the page that Streamlit shows for a step in it: no reload, one "back".
  function go(event, there) {
    event.preventDefault();
    const isOtherPage = there.pathname !== location.pathname;
    history.pushState({}, "", there.href);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    if (isOtherPage) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  }

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

  // A list that grows at its top stands still where somebody reads it: the first row in sight keeps its place.
  let reading = null;
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (!box.querySelector || !box.closest?.(".st-key-tail") && !box.querySelector(":scope .st-key-tail")) return;
    const top = box.getBoundingClientRect().top;
    const rows = box.scrollTop > 8 && box !== document.documentElement ? [...box.querySelectorAll("[data-row]")] : [];
    const first = rows.find((row) => row.getBoundingClientRect().bottom > top + 30);
    reading = first ? { box, row: first.dataset.row, at: first.getBoundingClientRect().top - top } : null;
  }, { capture: true, passive: true });
  new MutationObserver(() => {
    if (!reading || !reading.box.isConnected) return;
    const row = reading.box.querySelector(`[data-row="${CSS.escape(reading.row)}"]`);
    const moved = row ? row.getBoundingClientRect().top - reading.box.getBoundingClientRect().top - reading.at : 0;
    if (Math.abs(moved) > 1) reading.box.scrollTop += moved;
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable=true], [role=combobox]");
    if (event.key !== "/" || isTyping || event.metaKey || event.ctrlKey || event.altKey) return;
    const field = document.querySelector(".st-key-search-everything input");
    if (!field) return;
    event.preventDefault();
    field.focus();
  });
})();
