"use strict";
const all = (query, within = document) => [...within.querySelectorAll(query)];
const main = document.querySelector("table.main");
const rows = main ? [...main.tBodies[0].rows].filter(r => r.dataset.row) : [];
const byId = new Map(rows.map(r => [r.dataset.row, r]));
const nodes = all(".linked [data-node]"), bars = all(".linked [data-bar]");
const shapes = id => nodes.concat(bars).filter(s => s.dataset.row === id);
const panel = document.getElementById("picked");

function light(id, on) {
  shapes(id).forEach(s => s.classList.toggle("hover", on));
  byId.get(id)?.classList.toggle("hover", on);
}

function unfilter() {
  const filter = document.querySelector(`input.filter[data-for="${main.id}"]`);
  filter.value = "";
  filter.dispatchEvent(new Event("input"));
}

function clear() {
  all(".pick").forEach(e => e.classList.remove("pick"));
  rows.forEach(r => r.removeAttribute("aria-current"));
  nodes.forEach(n => n.setAttribute("aria-pressed", "false"));
  panel.hidden = true;
}

let from = null;  // what was activated by keyboard, where Escape goes back to

function select(id, keepAddress, activated) {
  const row = byId.get(id);
  clear();
  if (!row) return;
  row.classList.add("pick");
  row.setAttribute("aria-current", "true");
  const found = shapes(id);
  found.forEach(s => { s.classList.add("pick"); if (nodes.includes(s)) s.setAttribute("aria-pressed", "true"); });
  const heads = [...main.tHead.rows[0].cells].map(c => c.textContent);
  const said = [...row.cells].map((c, i) => [heads[i], c.textContent]).filter(([, v]) => v);
  panel.querySelector("b").textContent = said.shift()[1];
  panel.querySelector("span").textContent = said.reduce((text, [k, v]) => k === "%" ? `${text} (${v}%)` : `${text}${text && " \u00b7 "}${k} ${v}`, "");
  const go = { table: row, diagram: found.find(s => nodes.includes(s)), chart: found.find(s => bars.includes(s)) };
  for (const button of all("button[data-go]", panel)) {
    const target = go[button.dataset.go];
    button.hidden = !target;
    button.onclick = () => {
      if (target === row && row.hidden) unfilter();  // a filter had taken it out of sight
      target.scrollIntoView({ block: "center", behavior: "smooth" });
    };
  }
  panel.hidden = false;
  from = activated ?? null;
  if (activated) panel.querySelector("button:not([hidden])").focus();
  if (!keepAddress) history.replaceState(null, "", "#" + encodeURIComponent("row:" + id));
}

panel.querySelector("[data-copy]").onclick = e => {
  const done = () => { e.target.textContent = "copied"; setTimeout(() => e.target.textContent = "copy link", 1500); };
  navigator.clipboard ? navigator.clipboard.writeText(location.href).then(done, () => prompt("link", location.href)) : prompt("link", location.href);
};
panel.querySelector("[data-clear]").onclick = () => { clear(); from?.focus(); from = null; history.replaceState(null, "", location.pathname + location.search); };
addEventListener("keydown", e => { if (e.key === "Escape" && !panel.hidden) panel.querySelector("[data-clear]").click(); });

function live(element, id) {
  element.addEventListener("click", () => select(id));
  element.addEventListener("mouseenter", () => light(id, true));
  element.addEventListener("mouseleave", () => light(id, false));
  element.addEventListener("focus", () => light(id, true));
  element.addEventListener("blur", () => light(id, false));
  element.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); select(id, false, element); } });
}
rows.forEach(r => {
  live(r, r.dataset.row);
  const name = r.cells[0].firstElementChild ?? r.cells[0].appendChild(Object.assign(document.createElement("button"), { type: "button" }));
  if (!name.textContent) name.append(...[...r.cells[0].childNodes].filter(c => c !== name));  // the row's name is what the keyboard reaches
  name.className = "name";
  name.addEventListener("focus", () => light(r.dataset.row, true));
  name.addEventListener("blur", () => light(r.dataset.row, false));
  name.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); e.stopPropagation(); select(r.dataset.row, false, name); } });
});
nodes.filter(n => byId.has(n.dataset.row)).forEach(n => {
  n.setAttribute("tabindex", "0");
  n.setAttribute("role", "button");
  n.setAttribute("aria-pressed", "false");
  n.setAttribute("aria-label", [...n.querySelectorAll("text")].map(t => t.textContent).join(", "));
  live(n, n.dataset.row);
});
bars.filter(b => byId.has(b.dataset.row)).forEach(b => { b.style.cursor = "pointer"; live(b, b.dataset.row); });

const value = cell => cell.dataset.v === undefined ? null : Number(cell.dataset.v);
all("table").forEach(table => {
  const body = table.tBodies[0], first = [...body.rows], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, i) => head.querySelector("button")?.addEventListener("click", () => {
    const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")] ?? (head.hasAttribute("aria-sort") ? null : "ascending");
    heads.forEach(h => h.removeAttribute("aria-sort"));
    if (!next) return body.append(...first);
    head.setAttribute("aria-sort", next);
    const empty = r => r.cells[i].textContent === "";
    const order = (a, b) => {
      if (empty(a) || empty(b)) return empty(a) - empty(b);  // what has no value comes last either way
      const x = value(a.cells[i]), y = value(b.cells[i]);
      const by = x !== null && y !== null ? x - y : a.cells[i].textContent.localeCompare(b.cells[i].textContent, "en", { numeric: true });
      return next === "ascending" ? by : -by;
    };
    body.append(...[...first].sort(order));
  }));
  const filter = document.querySelector(`input.filter[data-for="${table.id}"]`);
  const count = filter?.nextElementSibling;
  const size = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  filter?.addEventListener("input", () => {
    const asked = filter.value.trim().toLowerCase();
    const term = asked.match(/^(.+?)\s*(<=|>=|<|>|=)\s*([\d.,]+(?:e[+-]?\d+)?)\s*([kmgt]?)%?$/);
    const column = term ? heads.findIndex(h => h.textContent.toLowerCase().startsWith(term[1])) : -1;
    const bound = term ? Number(term[3].replace(/,/g, "")) * size[term[4].toUpperCase()] : 0;
    const test = { "<": v => v < bound, ">": v => v > bound, "<=": v => v <= bound, ">=": v => v >= bound, "=": v => v === bound };
    first.forEach(r => r.hidden = column >= 0
      ? !(value(r.cells[column]) !== null && test[term[2]](value(r.cells[column])))
      : !r.textContent.toLowerCase().includes(asked));
    if (term && column < 0) return void (first.forEach(r => r.hidden = false), count.textContent = `no column ${term[1]}`);
    count.textContent = asked ? `${first.filter(r => !r.hidden).length} of ${first.length} rows` : "";
  });
});

all(".pan").forEach(pan => {
  const svg = pan.querySelector("svg"), whole = svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
  svg.removeAttribute("width"); svg.removeAttribute("height");
  let view = [...whole];
  const put = () => {
    svg.setAttribute("viewBox", view.join(" "));
    pan.classList.toggle("zoomed", view[2] < .99 * whole[2]);
  };
  const scale = () => Math.max(view[2] / pan.clientWidth, view[3] / pan.clientHeight);
  const zoom = (k, px = pan.clientWidth / 2, py = pan.clientHeight / 2) => {  // about a point of the box, which the picture need not fill
    const [x, y, w, h] = view, s = scale(), u = x + w / 2 + (px - pan.clientWidth / 2) * s, v = y + h / 2 + (py - pan.clientHeight / 2) * s;
    view = [u + (x - u) * k, v + (y - v) * k, w * k, h * k];
    put();
  };
  const move = (dx, dy) => { view[0] -= dx * scale(); view[1] -= dy * scale(); put(); };
  const reset = () => { view = [...whole]; put(); };
  pan.addEventListener("wheel", e => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    const box = pan.getBoundingClientRect();
    zoom(e.deltaY > 0 ? 1.15 : 1 / 1.15, e.clientX - box.left, e.clientY - box.top);
  }, { passive: false });
  // one pointer moves, two zoom about the point between them; on a touch screen one finger scrolls the page until the picture is zoomed in
  const fingers = new Map();
  let apart = 0, moved = 0;
  const middle = () => [...fingers.values()].reduce(([x, y], [u, v]) => [x + u / fingers.size, y + v / fingers.size], [0, 0]);
  pan.addEventListener("pointerdown", e => {
    if (e.pointerType === "mouse" && e.button) return;
    fingers.set(e.pointerId, [e.clientX, e.clientY]);
    apart = 0;
    if (fingers.size === 1) moved = 0;
  });
  pan.addEventListener("pointermove", e => {
    if (!fingers.has(e.pointerId)) return;
    if (e.pointerType === "mouse" && !e.buttons) return void fingers.delete(e.pointerId);
    const [x, y] = middle();
    fingers.set(e.pointerId, [e.clientX, e.clientY]);
    const [u, v] = middle();
    moved += Math.abs(u - x) + Math.abs(v - y);
    if (moved < 4 && fingers.size === 1) return;
    move(u - x, v - y);
    if (fingers.size !== 2) return;
    const [a, b] = [...fingers.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]), box = pan.getBoundingClientRect();
    if (apart && now) zoom(apart / now, u - box.left, v - box.top);
    apart = now;
  });
  ["pointerup", "pointercancel"].forEach(name => addEventListener(name, e => { fingers.delete(e.pointerId); apart = 0; }));
  pan.addEventListener("click", e => { if (moved >= 4) e.stopPropagation(); }, true);  // a drag is no click
  const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  pan.addEventListener("keydown", e => {
    if (e.target !== pan) return;
    if (step[e.key]) { e.preventDefault(); move(...step[e.key]); }
    else if (e.key === "+" || e.key === "=") zoom(1 / 1.25);
    else if (e.key === "-") zoom(1.25);
    else if (e.key === "0") reset();
  });
  const buttons = all(".tools button", pan.parentElement);
  buttons[0].onclick = () => zoom(1 / 1.25);
  buttons[1].onclick = () => zoom(1.25);
  buttons[2].onclick = reset;
});

function arrive() {
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { return; }  // an address with a stray %
  if (!name.startsWith("row:")) return;
  select(name.slice(4), true);
  byId.get(name.slice(4))?.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", arrive);
arrive();
