"use strict";
const all = (query, within = document) => [...within.querySelectorAll(query)];
const main = document.querySelector("table.main");
const rows = main ? all("tr[data-row]", main) : [];
const byId = new Map(rows.map(r => [r.dataset.row, r]));
let shapes = [];  // linked boxes and bars of the pictures that are shown
const rowsOf = new Map();
const isBox = shape => "node" in shape.dataset;
const shapesOf = ids => shapes.filter(s => rowsOf.get(s).some(id => ids.includes(id)));
const panel = document.getElementById("picked");
const partsOf = row => row.dataset.row ? all(`tr[data-of="${CSS.escape(row.dataset.row)}"]`, main) : [];
const wholeRow = row => [row, ...partsOf(row)];  // with the layers inside, which stay below it

function light(ids, on) {
  shapesOf(ids).forEach(s => s.classList.toggle("hover", on));
  ids.forEach(id => byId.get(id).classList.toggle("hover", on));
}

function unfilter() {
  const filter = document.querySelector(`input.filter[data-for="${main.id}"]`);
  filter.value = "";
  filter.dispatchEvent(new Event("input"));
}

let chosen = [];  // ids of the selected rows

function clear() {
  chosen = [];
  all(".pick").forEach(e => e.classList.remove("pick"));
  rows.forEach(r => r.removeAttribute("aria-current"));
  shapes.filter(isBox).forEach(n => n.setAttribute("aria-pressed", "false"));
  panel.hidden = true;
}

const heads = table => [...table.tHead.rows[0].cells].map(c => c.textContent);
const nameOf = row => (row.cells[0].querySelector(".name") ?? row.cells[0]).textContent;
const value = cell => cell.dataset.v === undefined ? null : Number(cell.dataset.v);

// a row as one line of text: ops (MACs) 170.0M (10.7%)
function spoken(row) {
  const titles = heads(main);
  const said = [...row.cells].map((c, i) => [titles[i], c.textContent]).slice(1).filter(([, v]) => v);
  return said.reduce((text, [k, v]) => k.endsWith("%") ? `${text} (${v}%)` : `${text}${text && " \u00b7 "}${k} ${v}`, "");
}

// several rows as one line: their names and the sum of their shares
function together(found) {
  const sums = heads(main).map((title, i) => [title, found.reduce((sum, r) => sum + (value(r.cells[i]) ?? 0), 0)]);
  const shares = sums.filter(([title]) => title.endsWith("%")).map(([title, sum]) => `${title.slice(0, -2)} ${sum.toFixed(1)}%`);
  return `${found.map(nameOf).join(", ")} \u00b7 together ${shares.join(", ")}`;
}

let from = null;  // what was activated by keyboard, where Escape goes back to

function select(ids, { keepAddress, activated, shape } = {}) {
  const found = ids.map(id => byId.get(id)).filter(Boolean);
  clear();
  if (!found.length) return;
  found.forEach(row => { row.classList.add("pick"); row.setAttribute("aria-current", "true"); });
  const drawn = shape ? [shape, ...shapesOf(ids).filter(s => s !== shape && isBox(s) !== isBox(shape))] : shapesOf(ids);
  drawn.forEach(s => { s.classList.add("pick"); if (isBox(s)) s.setAttribute("aria-pressed", "true"); });
  panel.querySelector("b").textContent = found.length === 1 ? nameOf(found[0]) : `${found.length} rows`;
  panel.querySelector("span").textContent = found.length === 1 ? spoken(found[0]) : together(found);
  const go = { table: found[0], diagram: drawn.find(isBox), chart: drawn.find(s => !isBox(s)) };
  for (const button of all("button[data-go]", panel)) {
    const target = go[button.dataset.go];
    button.hidden = !target;
    button.onclick = () => {
      if (target === found[0] && target.hidden) unfilter();  // a filter had taken it out of sight
      target.scrollIntoView({ block: "center", behavior: "smooth" });
    };
  }
  chosen = found.map(r => r.dataset.row);
  const inside = found.flatMap(partsOf), open = panel.querySelector("[data-open]");
  const block = drawn.find(s => s.turn);  // that the diagram opens
  open.hidden = !inside.length && !block;
  open.textContent = inside.some(r => r.hidden) || block?.isOpen === false ? "expand" : "collapse";
  open.onclick = () => {
    const more = open.textContent === "expand";
    found.forEach(r => expand(r, more));
    if (block && block.isOpen !== more) block.turn();
    open.textContent = more ? "collapse" : "expand";
    found[0].scrollIntoView({ block: "center", behavior: "smooth" });
  };
  panel.hidden = false;
  from = activated ?? null;
  if (activated) panel.querySelector("button:not([hidden])").focus();
  const names = found.map(r => encodeURIComponent(r.dataset.row)).join(",");
  if (!keepAddress) history.replaceState(null, "", "#" + encodeURIComponent("row:" + names));
}

panel.querySelector("[data-copy]").onclick = e => {
  const done = () => { e.target.textContent = "copied"; setTimeout(() => e.target.textContent = "copy link", 1500); };
  navigator.clipboard ? navigator.clipboard.writeText(location.href).then(done, () => prompt("link", location.href)) : prompt("link", location.href);
};
panel.querySelector("[data-clear]").onclick = () => { clear(); from?.focus(); from = null; history.replaceState(null, "", location.pathname + location.search); };
addEventListener("keydown", e => { if (e.key === "Escape" && !panel.hidden) panel.querySelector("[data-clear]").click(); });

function live(element, ids, shape) {
  element.addEventListener("click", () => select(ids, { shape }));
  element.addEventListener("mouseenter", () => light(ids, true));
  element.addEventListener("mouseleave", () => light(ids, false));
  element.addEventListener("focus", () => light(ids, true));
  element.addEventListener("blur", () => light(ids, false));
  element.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); select(ids, { activated: element, shape }); } });
}

// the layers inside a row, shown below it
function expand(row, open) {
  partsOf(row).forEach(r => r.hidden = !open);
  row.querySelector("button.more")?.setAttribute("aria-expanded", String(open));
}
rows.forEach(r => {
  const cell = r.cells[0], ids = [r.dataset.row];
  live(r, ids);
  const name = Object.assign(document.createElement("button"), { type: "button", className: "name" });
  name.append(...cell.childNodes);  // the row's name is what the keyboard reaches
  cell.append(name);
  name.addEventListener("focus", () => light(ids, true));
  name.addEventListener("blur", () => light(ids, false));
  name.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); e.stopPropagation(); select(ids, { activated: name }); } });
  if (!partsOf(r).length) return;
  const more = Object.assign(document.createElement("button"), { type: "button", className: "more" });
  more.setAttribute("aria-label", `layers of ${name.textContent}`);
  more.setAttribute("aria-expanded", "false");
  more.addEventListener("click", e => { e.stopPropagation(); expand(r, more.getAttribute("aria-expanded") === "false"); });
  more.addEventListener("keydown", e => e.stopPropagation());
  cell.prepend(more);
});
all("button[data-expand]").forEach(button => button.addEventListener("click", () => {
  const open = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(open));
  button.textContent = open ? "collapse all" : "expand all";
  rows.filter(r => !r.hidden).forEach(r => expand(r, open));
}));
// links the boxes and bars of a picture that is shown from now on
function adopt(picture) {
  const found = all("[data-rows]", picture);
  shapes.push(...found);
  for (const s of found.filter(s => !rowsOf.has(s))) {
    rowsOf.set(s, JSON.parse(s.dataset.rows).filter(id => byId.has(id)));
    if (isBox(s)) {
      s.setAttribute("tabindex", "0");
      s.setAttribute("role", "button");
      s.setAttribute("aria-pressed", "false");
      s.setAttribute("aria-label", wordsOf(s).join(", "));
    }
    s.style.cursor = "pointer";
    live(s, rowsOf.get(s), s);
  }
}
const wordsOf = shape => [...shape.querySelectorAll("text")].map(t => t.textContent);
adopt(document);

// the columns that a filter may mean: of this name, without its unit too, or beginning so, or with it in the name
function meant(titles, name) {
  const named = test => titles.flatMap((title, i) => test(title.toLowerCase()) ? [i] : []);
  const exact = named(title => title === name || title.replace(/ \(.*\)$/, "") === name), begin = named(title => title.startsWith(name));
  return exact.length ? exact : begin.length ? begin : named(title => title.includes(name));
}

all("table").forEach(table => {
  const body = table.tBodies[0], first = [...body.rows].filter(r => !r.dataset.of), columns = [...table.tHead.rows[0].cells];
  const put = order => body.append(...order.flatMap(wholeRow));
  columns.forEach((head, i) => head.querySelector("button")?.addEventListener("click", () => {
    const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")] ?? (head.hasAttribute("aria-sort") ? null : "ascending");
    columns.forEach(h => h.removeAttribute("aria-sort"));
    if (!next) return put(first);
    head.setAttribute("aria-sort", next);
    const empty = r => r.cells[i].textContent === "";
    const order = (a, b) => {
      if (empty(a) || empty(b)) return empty(a) - empty(b);  // what has no value comes last either way
      const x = value(a.cells[i]), y = value(b.cells[i]);
      const by = x !== null && y !== null ? x - y : a.cells[i].textContent.localeCompare(b.cells[i].textContent, "en", { numeric: true });
      return next === "ascending" ? by : -by;
    };
    put([...first].sort(order));
  }));
  const filter = document.querySelector(`input.filter[data-for="${table.id}"]`);
  const count = filter?.parentElement.querySelector("[aria-live]");
  const size = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  const show = test => first.forEach(r => { r.hidden = !test(r); if (r.hidden) expand(r, false); });
  filter?.addEventListener("input", () => {
    const asked = filter.value.trim().toLowerCase(), titles = heads(table);
    const term = asked.match(/^(.+?)\s*(<=|>=|<|>|=)\s*([\d.,]+(?:e[+-]?\d+)?)\s*([kmgt]?)%?$/);
    const found = term ? meant(titles, term[1]) : [];
    if (term && found.length !== 1) {
      show(() => true);
      count.textContent = found.length ? `${term[1]} is ${found.map(i => titles[i]).join(" or ")}` : `no column ${term[1]}`;
      return;
    }
    const [column] = found, bound = term ? Number(term[3].replace(/,/g, "")) * size[term[4].toUpperCase()] : 0;
    const test = { "<": v => v < bound, ">": v => v > bound, "<=": v => v <= bound, ">=": v => v >= bound, "=": v => v === bound };
    if (term) show(r => value(r.cells[column]) !== null && test[term[2]](value(r.cells[column])));
    else show(r => r.textContent.toLowerCase().includes(asked));
    const where = term ? ` with ${titles[column]} ${term[2]} ${term[3]}${term[4].toUpperCase()}` : "";
    count.textContent = asked ? `${first.filter(r => !r.hidden).length} of ${first.length} rows${where}` : "";
  });
});

// what the search finds: sections, rows and the layers inside them
const search = document.getElementById("search"), hits = document.getElementById("hits");
const places = [
  ...all("h2").map(h => ({ text: h.textContent, go: () => h.scrollIntoView({ behavior: "smooth" }) })),
  ...all("tbody tr").map(r => ({
    text: [...r.cells].filter(c => !c.classList.contains("n")).map(c => c.textContent).filter(Boolean).join(" \u00b7 "),
    go: () => reveal(r),
  })),
];

function reveal(row) {
  const of = row.dataset.of ? byId.get(row.dataset.of) : row;
  if (of.hidden && main?.contains(of)) unfilter();
  if (of !== row) expand(of, true);
  if (of.dataset.row) select([of.dataset.row]);
  row.scrollIntoView({ block: "center", behavior: "smooth" });
}

search.addEventListener("input", () => {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length ? places.filter(p => words.every(w => p.text.toLowerCase().includes(w))) : [];
  hits.replaceChildren(...found.slice(0, 12).map(p => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: p.text });
    button.addEventListener("click", () => { p.go(); hits.replaceChildren(); });
    return button;
  }));
  if (words.length) hits.append(`${found.length} found`);
});
search.addEventListener("keydown", e => { if (e.key === "Enter") hits.querySelector("button")?.click(); });
addEventListener("keydown", e => {
  if (e.key === "/" && !e.ctrlKey && !e.metaKey && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) { e.preventDefault(); search.focus(); }
});

all(".pan").forEach(pan => {
  let svg, whole, view;
  const take = picture => {
    svg = picture;
    whole = (svg.dataset.whole ??= svg.getAttribute("viewBox")).split(/[ ,]+/).map(Number);
    svg.removeAttribute("width"); svg.removeAttribute("height");
    view = [...whole];
  };
  take(pan.querySelector("svg"));
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
  blocks(pan, {
    shown: () => svg,
    // another picture: the whole of it, or zoomed in at the same scale with `shape()` where on the screen `before` was
    swap: (picture, before, shape) => {
      const s = scale(), zoomed = pan.classList.contains("zoomed");
      svg.replaceWith(picture);
      take(picture);
      if (!zoomed) return put();
      view = [view[0], view[1], pan.clientWidth * s, pan.clientHeight * s];
      put();
      const after = shape().getBoundingClientRect();
      view[0] += (after.left - before.left) * s;
      view[1] += (after.top - before.top) * s;
      put();
    },
  });
});

// a sign on each block of a diagram that has a picture with this block opened; one is open at a time
function blocks(pan, { shown, swap }) {
  const figure = pan.closest("figure"), closed = shown();
  const pictures = new Map(all("template", figure).map(t => [t.dataset.block, t]));
  let open = null;
  const shapeOf = block => shown().querySelector(`#${CSS.escape(`${figure.id}-${block === open ? "open/" : ""}${block}`)}`);
  const turn = block => {
    const ids = chosen, next = block === open ? null : block;
    shapes = shapes.filter(s => !shown().contains(s));
    clear();
    const picture = next === null ? closed : pictures.get(next).content.firstElementChild.cloneNode(true);
    const before = shapeOf(block).getBoundingClientRect();
    open = next;
    swap(picture, before, () => shapeOf(block));
    adopt(picture);
    sign();
    if (ids.length) select(ids, { keepAddress: true });
    shapeOf(block).nextElementSibling.focus({ preventScroll: true });
  };
  const sign = () => {
    all(".sign", shown()).forEach(s => s.remove());
    for (const block of pictures.keys()) {
      const shape = shapeOf(block);
      if (!shape) continue;
      const { x, y, width } = shape.querySelector("path").getBBox(), isOpen = block === open;
      const button = document.createElementNS(shape.namespaceURI, "g");
      button.innerHTML = `<circle r="5.5"/><path d="M-3 0H3${isOpen ? "" : "M0 -3V3"}"/>`;
      const named = { class: "sign", role: "button", tabindex: "0", transform: `translate(${x + width} ${y})` };
      Object.entries(named).forEach(([name, text]) => button.setAttribute(name, text));
      button.setAttribute("aria-expanded", String(isOpen));
      button.setAttribute("aria-label", `layers of ${wordsOf(shape)[0]}`);
      button.addEventListener("click", e => { e.stopPropagation(); turn(block); });
      button.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); turn(block); } });
      Object.assign(shape, { isOpen, turn: () => turn(block) });
      shape.ondblclick = () => turn(block);
      shape.after(button);
    }
  };
  sign();
}

function arrive() {
  try {
    const name = decodeURIComponent(location.hash.slice(1));
    if (!name.startsWith("row:")) return;
    const ids = name.slice(4).split(",").map(decodeURIComponent);
    select(ids, { keepAddress: true });
    byId.get(ids[0])?.scrollIntoView({ block: "center" });
  } catch { return; }  // an address with a stray %
}
addEventListener("hashchange", arrive);
arrive();
