/**
 * The script that updates the page. It asks `/status.json` whether anything is new; if so, it fetches the page again and replaces
 * the regions that differ. Only the server renders the page; there is no second copy of it here.
 */
export const SCRIPT = `(() => {
  "use strict";
  const POLL_MS = 2000;
  const FADE_MS = 15000;
  const pulse = document.getElementById("pulse");
  const notice = document.getElementById("notice");
  const dismiss = document.getElementById("dismiss");
  // Without what concerned the first response only.
  const search = new URLSearchParams(location.search);
  search.delete("answer");
  const here = location.pathname + (search.size ? "?" + search : "");
  const run = search.get("run");
  const statusUrl = "/status.json" + (run === null ? "" : "?run=" + encodeURIComponent(run));
  const fresh = pulse.textContent;
  const shown = new Map();
  let seenAt = document.body.dataset.at;
  let busy = false;
  let lost = false;

  const isTyping = (region) => region.contains(document.activeElement) && document.activeElement.matches("input,select");

  // What has the id; else what is in the slot now: Resume is where Pause was; else the first control that can be used.
  const focusOn = (id, slot) => {
    const places = [
      id ? document.getElementById(id) : null,
      slot ? document.querySelector('[data-slot="' + slot + '"]') : null,
      ...document.querySelectorAll("#controls :is(summary,button)"),
    ];
    places.find((place) => place && !place.disabled && place.checkVisibility())?.focus({ preventScroll: true });
  };
  const slotOf = (element) => (element.closest("details") ?? element.closest("form"))?.querySelector("[data-slot]")?.dataset.slot;

  const takeOver = (region, next) => {
    const before = shown.has(region.id) ? shown.get(region.id) : region.innerHTML;
    if (next.innerHTML === before) return;
    if (isTyping(region) && next.dataset.key === region.dataset.key) return;
    const focused = region.contains(document.activeElement) ? document.activeElement : null;
    const open = [...region.querySelectorAll("details[open]")].map((details) => details.id);
    shown.set(region.id, next.innerHTML);
    region.dataset.key = next.dataset.key || "";
    region.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) focusOn(focused.id, slotOf(focused));
  };

  const redraw = async () => {
    const response = await fetch(here, { headers: { accept: "text/html" }, cache: "no-store" });
    if (!response.ok) throw new Error("HTTP " + response.status);
    // Only the body: a style sheet with a nonce other than ours is reported, even in a document that is never shown.
    const text = await response.text();
    const page = new DOMParser().parseFromString(text.slice(text.indexOf("<body")), "text/html");
    for (const region of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(region.id);
      if (next) takeOver(region, next);
    }
    document.body.dataset.title = page.body.dataset.title;
    return page.getElementById("pulse").textContent;
  };

  // The first sentence of the page must not be the last good one.
  const sayLost = () => {
    const banner = document.createElement("p");
    banner.className = "notice bad";
    banner.textContent =
      "No answer since " + seenAt.slice(11, 19) + " UTC: the process has ended, or it hangs. Everything below is old. To look: firehose-backfill status.";
    shown.delete("warnings");
    document.getElementById("warnings")?.replaceChildren(banner);
  };

  const poll = async (force) => {
    if (busy || (document.hidden && !force)) return;
    busy = true;
    try {
      const response = await fetch(statusUrl, { cache: "no-store" });
      if (!response.ok) throw new Error("HTTP " + response.status);
      const { at } = await response.json();
      if (at !== seenAt || force || lost) {
        pulse.textContent = await redraw();
        seenAt = at;
        lost = false;
      }
      pulse.className = "";
      document.body.classList.remove("lost");
      document.title = document.body.dataset.title;
    } catch {
      pulse.className = "lost";
      pulse.textContent = "No answer since " + seenAt.slice(11, 19) + " UTC";
      // The shown values are old: nothing on the page may look current.
      document.body.classList.add("lost");
      if (!lost) sayLost();
      lost = true;
      document.title = "No answer - firehose-backfill";
    } finally {
      busy = false;
    }
  };

  let fading;
  // A success message disappears soon; an error stays until the next message.
  const say = (text, ok) => {
    clearTimeout(fading);
    if (ok && text) fading = setTimeout(() => say("", true), FADE_MS);
    notice.className = ok ? "notice" : "notice failed";
    notice.textContent = text;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== "/control") return;
    event.preventDefault();
    // The button is not disabled meanwhile: it would lose the focus.
    if (form.dataset.busy) return;
    const slot = slotOf(form);
    const body = new URLSearchParams(new FormData(form, event.submitter));
    form.dataset.busy = "true";
    try {
      const response = await fetch("/control", { method: "POST", headers: { accept: "application/json" }, body });
      const answer = await response.json();
      say(answer.ok ? answer.message : answer.error, answer.ok);
      if (answer.ok) {
        form.reset();
        const sheet = form.closest("details");
        if (sheet) {
          sheet.removeAttribute("open");
          focusOn("", slot);
        }
      }
    } catch (error) {
      say("The control could not be reached: " + error.message, false);
    } finally {
      delete form.dataset.busy;
    }
    await poll(true);
  });

  dismiss.addEventListener("click", (event) => {
    event.preventDefault();
    say("", true);
    focusOn();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details[open]");
    if (!open) return say("", true);
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  });

  // An answer that came with the page.
  if (notice.textContent) say(notice.textContent, notice.className === "notice");

  document.addEventListener("visibilitychange", () => poll(false));
  setInterval(() => poll(false), POLL_MS);
})();`;
