// How far a batch is, without loading the page again; without this file one presses a button.
"use strict";

const place = document.querySelector("[data-progress]");
const bar = place?.querySelector("progress");
const EVERY = 1000;

async function look() {
  const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { total, done, refused } = await answer.json();
  bar.max = total;
  bar.value = done + refused;
  const said = place.dataset.said.replace("{done}", String(done)).replace("{total}", String(total));
  place.querySelector("[data-made]").textContent = said;
  if (done + refused === total) location.reload();
  else setTimeout(again, EVERY);
}

// A server that restarts meanwhile is asked again: the papers wait for it.
const again = () => look().catch(() => setTimeout(again, 3 * EVERY));
if (bar && bar.value < bar.max) setTimeout(again, EVERY);
