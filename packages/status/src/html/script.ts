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
  document.getElementById("reloads")?.remove();
  const fresh = pulse.textContent;
  const shown = new Map();
  let seenAt = document.body.dataset.at;
  let busy = false;

  const isTyping = (region) => region.contains(document.activeElement) && document.activeElement.matches("input,select");

  const takeOver = (region, next) => {
    const before = shown.has(region.id) ? shown.get(region.id) : region.innerHTML;
    if (next.innerHTML === before) return;
    if (isTyping(region) && next.dataset.key === region.dataset.key) return;
    const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...region.querySelectorAll("details[open]")].map((details) => details.id);
    shown.set(region.id, next.innerHTML);
    region.dataset.key = next.dataset.key || "";
    region.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };

  const redraw = async () => {
    const response = await fetch(location.pathname, { headers: { accept: "text/html" }, cache: "no-store" });
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

  const poll = async (force) => {
    if (busy || (document.hidden && !force)) return;
    busy = true;
    try {
      const response = await fetch("/status.json", { cache: "no-store" });
      if (!response.ok) throw new Error("HTTP " + response.status);
      const { at } = await response.json();
      if (at !== seenAt || force) {
        pulse.textContent = await redraw();
        seenAt = at;
      }
      pulse.className = "";
      document.body.classList.remove("lost");
      document.title = document.body.dataset.title;
    } catch {
      pulse.className = "lost";
      pulse.textContent = "No answer since " + seenAt.slice(11, 19) + " UTC";
      // The shown values are old: nothing on the page may look current.
      document.body.classList.add("lost");
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
    const button = event.submitter;
    // Read before the button is disabled, because a disabled button is not sent.
    const body = new URLSearchParams(new FormData(form, button));
    if (button) button.disabled = true;
    try {
      const response = await fetch("/control", { method: "POST", headers: { accept: "application/json" }, body });
      const answer = await response.json();
      say(answer.ok ? answer.message : answer.error, answer.ok);
      if (answer.ok) {
        form.reset();
        form.closest("details")?.removeAttribute("open");
      }
    } catch (error) {
      say("The control could not be reached: " + error.message, false);
    } finally {
      if (button) button.disabled = false;
    }
    await poll(true);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details[open]");
    if (!open) return;
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  });

  document.addEventListener("visibilitychange", () => poll(false));
  setInterval(() => poll(false), POLL_MS);
})();`;
