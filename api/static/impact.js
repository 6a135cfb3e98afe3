// The page of an answer: fetches the picture, filters without a reload, says why, and makes a PNG.
import { Blast } from "./blast.js";

const REST_MS = 200, AROUND = 190, LOWEST = 320, MOVED = 24;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const place = document.getElementById("blast");
const sheet = document.getElementById("sheet");
const canvas = document.getElementById("canvas");
const tip = document.getElementById("tip");
const said = document.getElementById("said");
const aside = document.getElementById("why");
const filters = document.getElementById("filters");
const rows = document.getElementById("rows");
const ask = document.getElementById("ask");
const blast = new Blast(canvas);
const stage = document.getElementById("stage");
let running = new AbortController(), resting = 0, size = [0, 0], opened = stage.classList.contains("explaining");

function query(...more) {
  const asked = [...new FormData(filters)].filter(([, value]) => value !== "");
  return new URLSearchParams([...asked, ...more]).toString();
}

async function fetched(path, signal) {
  const answer = await fetch(path, { signal });
  if (answer.redirected || answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(answer.statusText);
  return answer;
}

async function draw(signal) {
  sheet.hidden = false;
  size = [sheet.clientWidth, Math.max(LOWEST, window.innerHeight - AROUND)];
  const asked = performance.now();
  const answer = await fetched(`${place.dataset.blast}?${query(["width", size[0]], ["height", size[1]])}`, signal);
  const text = await answer.text();
  const begun = performance.now();
  const laid = JSON.parse(text);
  blast.show(laid);
  place.dataset.items = blast.items.length;
  place.dataset.drawnMs = (performance.now() - begun).toFixed(1);
  place.dataset.fetchedMs = (begun - asked).toFixed(1);
  follow();
}

async function list(page, signal) {
  const answer = await fetched(`${rows.dataset.rows.split("?")[0]}?${query(["page", page])}`, signal);
  rows.innerHTML = await answer.text();
}

// Both at once, after a filter was changed; the address tells it to whoever gets the link.
async function filter() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  address();
  try {
    await Promise.all([draw(signal), list(1, signal)]);
  } catch (error) {
    if (!signal.aborted) fail();
  }
}

function fail() {
  said.classList.remove("unseen");
  said.textContent = place.dataset.failed;
}

function address() {
  const shown = aside.querySelector("[data-path]");
  history.replaceState(null, "", `${place.dataset.page}?${query(...(shown ? [["why", shown.dataset.ci]] : []))}`);
  for (const link of document.querySelectorAll("[data-follow]")) link.href = `${link.dataset.follow}?${query()}`;
}

// Draws the path of what the panel explains.
function follow() {
  const shown = aside.querySelector("[data-path]");
  const steps = shown ? [...shown.querySelectorAll("[data-step]")] : [];
  blast.path = steps.map((step) => ({ id: step.dataset.step, name: step.dataset.name }));
  blast.chosen = shown ? blast.byId?.get(shown.dataset.ci) ?? null : null;
  if (blast.sheet) blast.draw();
}

async function explain(of, ...more) {
  const answer = await fetched(`${place.dataset.why}?${query(["of", of], ...more)}`);
  aside.innerHTML = await answer.text();
  address();
  await make(true);
}

// The panel takes room from the picture, which is laid out anew for what is left.
async function make(room) {
  if (stage.classList.toggle("explaining", room) === opened) return follow();
  opened = room;
  await draw();
}

function close() {
  aside.replaceChildren();
  address();
  make(false).catch(fail);
}

function point(item) {
  if (item === blast.pointed) return;
  blast.pointed = item;
  blast.draw();
  tip.hidden = !item;
  if (!item) return;
  const words = [item.name, blast.sheet.grids[item.of].title, blast.sheet.marks[item.mark].title];
  for (const [flag, word] of Object.entries(blast.sheet.also)) if (item.flags & flag) words.push(word);
  tip.textContent = said.textContent = words.join(" · ");
  tip.style.top = `${item.y + item.height + 6}px`;
  tip.style.left = `${Math.max(0, Math.min(item.x, blast.sheet.width - tip.offsetWidth))}px`;
}

canvas.addEventListener("pointermove", (event) => point(blast.at(event.offsetX, event.offsetY)));
canvas.addEventListener("pointerleave", () => point(null));
canvas.addEventListener("click", (event) => {
  const item = blast.at(event.offsetX, event.offsetY);
  if (item) explain(item.id).catch(fail);
});
canvas.addEventListener("keydown", (event) => {
  const move = MOVES[event.key], from = blast.pointed ?? blast.chosen;
  if (move && blast.items.length) {
    event.preventDefault();
    point(from ? blast.beyond(from, ...move) ?? from : blast.items[0]);
  } else if ((event.key === "Enter" || event.key === " ") && from) {
    event.preventDefault();
    explain(from.id).then(() => aside.focus(), fail);
  } else if (event.key === "Escape") close();
});
canvas.addEventListener("blur", () => point(null));
aside.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  close();
  canvas.focus();
});
document.addEventListener("click", (event) => {
  const why = event.target.closest("[data-why-of]"), page = event.target.closest("[data-page][rel]");
  const next = event.target.closest("[data-next-of]"), done = event.target.closest("[data-close]"), reset = event.target.closest("[data-reset]");
  if (!(why || page || next || done || reset) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (why) explain(why.dataset.whyOf).then(() => { aside.scrollIntoView({ block: "center" }); aside.focus(); }, fail);
  if (next) explain(next.dataset.nextOf, ["next", "1"]).catch(fail);
  if (page) list(page.dataset.page).then(() => document.getElementById("affected").scrollIntoView(), fail);
  if (done) close();
  if (reset) {
    for (const field of filters.querySelectorAll("[name=level]")) field.checked = false;
    for (const field of filters.querySelectorAll("select")) field.value = "";
    filter();
  }
});
filters.addEventListener("change", filter);
filters.querySelector("[data-plain]").hidden = true;
ask.addEventListener("submit", (event) => {
  const of = ask.elements.why.value.trim();
  event.preventDefault();
  // What names nothing is answered by the page itself, in words.
  if (of) explain(of).catch(() => ask.submit());
});
document.getElementById("png").hidden = false;
document.getElementById("png").addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await blast.picture());
  link.download = `${place.dataset.name}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
});
window.addEventListener("resize", () => {
  clearTimeout(resting);
  resting = setTimeout(() => {
    const now = [sheet.clientWidth, Math.max(LOWEST, window.innerHeight - AROUND)];
    if (Math.abs(now[0] - size[0]) > MOVED || Math.abs(now[1] - size[1]) > MOVED) draw().catch(fail);
  }, REST_MS);
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => blast.sheet && blast.draw());
draw().catch(fail);
