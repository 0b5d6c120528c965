// What a page does with a script: copy buttons, a search in the models, the look at a key, a status that renews itself.
// A key that was typed stays in its field and in this page's memory: it goes into the Authorization header of a request to this host
// and nowhere else, neither into an address nor into any storage.
"use strict";

const main = document.getElementById("content");
const words = main.dataset;

function copyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-button";
  button.textContent = words.copy;
  button.addEventListener("click", async () => {
    const text = block.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = words.copied;
    } catch {
      getSelection().selectAllChildren(block.querySelector("code"));
      button.textContent = words.selected;
    }
    setTimeout(() => { button.textContent = words.copy; }, 2000);
  });
  block.classList.add("buttoned");
  block.append(button);
}

function dress(root) {
  root.querySelectorAll(".block").forEach(copyButton);
  const language = document.documentElement.lang;
  for (const time of root.querySelectorAll("time")) time.title = new Date(time.dateTime).toLocaleString(language);
  root.querySelectorAll("[data-finds]").forEach(find);
}

// Rows by what is in them, by what they are for, and by whether they work; the first ones, until all are asked for
function find(search) {
  const [text, choice, only, count, all] = ["[type=search]", "select", "[type=checkbox]", "output", "button"].map((one) => search.querySelector(one));
  const rows = [...document.querySelectorAll(`#${search.dataset.finds} tbody tr`)].map((row) => ({
    row, said: row.textContent.toLowerCase(), up: !!row.querySelector(".state.up"),
    tags: [...row.querySelectorAll(".tags li")].map((tag) => tag.textContent),
  }));
  let step = Number(search.dataset.step);
  const show = () => {
    const wanted = text.value.trim().toLowerCase();
    let found = 0;
    for (const { row, said, up, tags } of rows) {
      const fits = said.includes(wanted) && (up || !only.checked) && (!choice.value || tags.includes(choice.value));
      found += fits;
      row.hidden = !fits || found > step;
    }
    all.hidden = found <= step;
    count.textContent = found > step ? `${step} / ${found}` : found < rows.length ? `${found} / ${rows.length}` : "";
  };
  [text, choice, only].forEach((one) => one.addEventListener("input", show));
  all.addEventListener("click", () => { step = Infinity; show(); text.focus(); });
  search.hidden = false;
  show();
}

function put(place, html) {
  place.innerHTML = html; // ours: every text in it was escaped where it was written
  dress(place);
}

// Looking at a key

const form = document.querySelector("form[data-view]");
let key = "";

function fillIn(place) {
  const box = place.querySelector("input[data-fills]");
  if (!box) return;
  box.closest("[hidden]").hidden = false;
  const stand = box.dataset.fills;
  const texts = [...place.querySelectorAll(".tabs pre code")].map((code) => [code, code.textContent]);
  box.addEventListener("change", () => {
    for (const [code, text] of texts) code.textContent = box.checked ? text.replaceAll(stand, key) : text;
  });
}

function forget(place) {
  key = "";
  form.reset();
  place.replaceChildren();
  form.querySelector("[data-forget]").hidden = true;
}

// a page that is left, or that the back button shows again, knows no key
addEventListener("pagehide", () => { if (form && key) forget(document.getElementById("view")); });

if (form) {
  const place = document.getElementById("view");
  const button = form.querySelector("button[type=submit]");
  form.querySelector("[data-forget]").addEventListener("click", () => {
    forget(place);
    form.elements.key.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    key = form.elements.key.value.trim();
    if (!/^[\x21-\x7e]+$/.test(key)) { form.elements.key.focus(); return; }
    button.disabled = true;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.view, {
        headers: { Authorization: `Bearer ${key}`, Accept: "application/json" },
        cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
      });
      put(place, (await answer.json()).html);
      fillIn(place);
      form.querySelector("[data-forget]").hidden = false;
    } catch {
      place.textContent = words.away;
    }
    button.disabled = false;
    place.removeAttribute("aria-busy");
    place.querySelector("h2, .wrong")?.focus();
  });
}

// The status renews itself while somebody looks

const renewed = main.querySelector("[data-renews]");
if (renewed) {
  renewed.nextElementSibling.hidden = false;
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(renewed.dataset.renews, { credentials: "omit" });
      if (answer.ok) put(renewed, (await answer.json()).html);
    } catch { /* the next round tries again */ }
  }, 60000);
}

dress(document);
