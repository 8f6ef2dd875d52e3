"use strict";
// Refreshes what is in "waits", and leaves the rest as it is: what is being typed, and where the page was scrolled to.
const seconds = Number(document.body.dataset.refresh);
const lost = document.getElementById("lost");
async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error("status " + answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("waits").replaceWith(page.getElementById("waits"));
    lost.textContent = "";
  } catch (e) {
    if (!lost.textContent) lost.textContent = "no answer since " + new Date().toLocaleTimeString() + ": " + e.message;
  }
}
if (seconds > 0) setInterval(refresh, seconds * 1000);
