// Small comforts; every page works without this file.
"use strict";

// What was done, or what a form that came back has wrong, is where the reader lands: a page that is
// loaded anew says nothing of it by itself. The place to which the reader had skipped on the page
// before is still in the address, and the browser would go there.
const news = document.querySelector("[data-focus]") ?? document.querySelector(".messages");
if (news && location.hash) history.replaceState(null, "", location.pathname + location.search);
news?.focus();
// Once it is put right, "back" leads to the form, and to no question whether to send the errors again.
if (document.querySelector(".summary[data-focus]")) history.replaceState(null, "");

// "Choose all on this page" ticks without loading the page again, and the bar counts along.
for (const form of document.querySelectorAll("form[data-batch]")) {
  const boxes = [...form.querySelectorAll("input[name=ids]")];
  const count = form.querySelector("[data-count]");
  const all = form.querySelector("[data-all]");
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    if (count) count.textContent = count.dataset.count.replace("{n}", String(chosen));
  };
  all?.addEventListener("click", (event) => {
    event.preventDefault();
    const tick = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = tick;
    tell();
  });
  form.addEventListener("change", tell);
  tell();
}

// A form is sent once, however often the button is pressed; where the line hangs, one stops
// loading and sends it once more a little later. Without a connection the browser's own page would
// take the place of what was typed: the form stays. A machine without a network may be the server.
const offline = document.querySelector("[data-offline]");
const sheet = document.querySelector("link[rel=stylesheet]");
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    offline.hidden = true;
    if (!navigator.onLine && !form.dataset.reached) {
      event.preventDefault();
      fetch(sheet.href, { method: "HEAD", cache: "no-store" }).then(
        () => {
          form.dataset.reached = "1";
          form.requestSubmit(event.submitter);
        },
        () => {
          offline.hidden = false;
          (event.submitter ?? form).after(offline);
        },
      );
      return;
    }
    delete form.dataset.reached;
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 15_000);
  });
}
const sendAgain = () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
};
window.addEventListener("pageshow", sendAgain);

// No browser keeps these pages: what was typed into a long form would be gone by "back", a link or
// the other language. One is asked first, also where a form came back with something to mend.
for (const form of document.querySelectorAll("main form[method=post]:not([data-batch])")) {
  const fields = form.querySelectorAll("textarea, select, input:not([type=hidden])");
  if (fields.length < 4 && !form.querySelector("textarea")) continue;
  const cameBack = document.querySelector(".summary") !== null;
  let isTyped = false;
  form.addEventListener("input", () => (isTyped = true));
  window.addEventListener("beforeunload", (event) => {
    // Which of several came back is not known: whoever sends another one has seen it.
    const sent = isTyped ? form.dataset.sent : document.querySelector("main form[data-sent]");
    if (sent || !(isTyped || cameBack)) return;
    event.preventDefault();
    setTimeout(sendAgain); // whoever stays may press the same button again
  });
}

// A family's link that a browser shows has arrived: what only previews the address runs no script.
for (const form of document.querySelectorAll("form[data-opened]")) {
  navigator.sendBeacon(form.action, new FormData(form));
}

// What is still missing of a nomination is read aloud where it changed, not at each pause in typing.
let told = "";
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "missing") return;
  if (detail.serverResponse === told) detail.shouldSwap = false;
  told = detail.serverResponse;
});

// A photo that did not arrive is said so; it stays chosen and goes along with the form.
for (const failed of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failed, ({ target }) => {
    const said = target.closest(".shot")?.querySelector("[data-not-sent]");
    if (said) said.hidden = false;
  });
}

// The button by which a photo was removed is gone with it: the keyboard goes on at its paper.
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const paper = detail.requestConfig.elt.closest(".shot")?.querySelector("input[type=file]");
  if (paper && document.activeElement === document.body) document.getElementById(paper.id).focus();
});

// A notice goes to the printer.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// The phone's position for the home, only when asked.
for (const button of document.querySelectorAll("[data-locate]")) {
  if (!navigator.geolocation) continue;
  const nowhere = document.querySelector("[data-not-located]");
  button.hidden = false;
  button.addEventListener("click", () => {
    nowhere.hidden = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.getElementById("id_latitude").value = coords.latitude.toFixed(6);
        document.getElementById("id_longitude").value = coords.longitude.toFixed(6);
      },
      () => (nowhere.hidden = false),
      { timeout: 20_000 },
    );
  });
}

// Of what came in between only the question of its kind is asked; without this file all stand.
for (const form of document.querySelectorAll("form[data-kinds]")) {
  const show = () => {
    const kind = form.querySelector("input[name=kind]:checked")?.value;
    for (const part of form.querySelectorAll("[data-kind]")) {
      part.classList.toggle("is-other", !part.dataset.kind.split(" ").includes(kind));
    }
  };
  form.addEventListener("change", show);
  show();
}

// A long list is taken in portion by portion; each page says how far it is.
document.querySelector("form[data-go-on]")?.requestSubmit();
