"""A document as one HTML file without network: tables sort and filter, the diagram pans and zooms, and diagram, table and charts
select one another. Everything works by keyboard; light and dark; prints well."""
from __future__ import annotations

import html
import json
import re

from ._cells import columns
from .document import Document, Grid, Numbers, Text

_STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--soft:#555;--line:#ccc;--back:#fff;--card:#f5f5f2;--mark:#0072b2;--pick:#fff0c2}
@media(prefers-color-scheme:dark){:root{--ink:#eee;--soft:#aaa;--line:#444;--back:#161616;--card:#222;--mark:#56b4e9;--pick:#4a3d12}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);margin:0 auto;max-width:76rem;padding:1rem}
h1{margin:.2em 0}h2{margin-top:2.2em;border-bottom:1px solid var(--line)}p.sub{color:var(--soft);margin-top:0}nav a{margin-right:1em;white-space:nowrap}
a{color:var(--mark)}.numbers{display:flex;flex-wrap:wrap;gap:1rem}.numbers div{background:var(--card);padding:.6rem 1rem;border-radius:.4rem;flex:1 1 8rem}
.numbers b{display:block;font-size:1.5rem}.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:13px;width:100%}caption,figcaption{text-align:left;
color:var(--soft);padding:.4rem 0}th,td{padding:.2rem .5rem;text-align:left;vertical-align:bottom}td{vertical-align:middle}th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead{border-block:1px solid var(--line)}tfoot{border-top:1px solid var(--line);font-weight:600}th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible,tr:focus-visible,.pan:focus-visible,.node:focus-visible{outline:2px solid var(--mark)}tr.pick td{background:var(--pick)}tbody tr{cursor:pointer}
input.filter{font:inherit;padding:.2rem .5rem;margin:.3rem 0;max-width:100%}.notes{color:var(--soft);font-size:12px;margin:.3rem 0}
.bar{background:linear-gradient(#0072b255,#0072b255) right/var(--w) 70% no-repeat}.picture{background:#fff;border:1px solid var(--line);border-radius:.3rem;padding:.3rem}
.picture svg{max-width:100%;height:auto;display:block;margin:auto}.pan{overflow:hidden;height:36rem;touch-action:none;cursor:grab;background:#fff;border:1px solid var(--line)}
.pan svg{width:100%;height:100%}.tools button{font:inherit;margin:0 .3rem .3rem 0}.node{cursor:pointer}.node.pick path[stroke]:not([stroke=none]){stroke-width:4}
g.pick path{stroke:#000;stroke-width:2}@media print{.tools,input.filter,nav{display:none}.pan{height:auto;overflow:visible}body{max-width:none}h2{break-after:avoid}tr{break-inside:avoid}
.scroll{overflow:visible}table{font-size:9px}}
"""

_SCRIPT = """
const main=document.querySelector('table.main');
const rows=main?[...main.tBodies[0].rows]:[];
const esc=s=>CSS.escape(s);
function boxes(id){return [...document.querySelectorAll('.node')].filter(n=>n.dataset.row===id)
  .concat([...document.querySelectorAll('[id^="bar:"]')].filter(b=>b.id.split(':').slice(2).join(':')===id))}
function select(id,quiet){
  document.querySelectorAll('.pick').forEach(e=>e.classList.remove('pick'));
  const row=rows.find(r=>r.dataset.row===id); if(!row)return;
  row.classList.add('pick'); boxes(id).forEach(b=>b.classList.add('pick'));
  rows.forEach(r=>r.setAttribute('aria-selected',r===row));
  if(!quiet)history.replaceState(null,'','#'+encodeURIComponent('row:'+id));
}
rows.forEach(r=>{r.tabIndex=0;
  r.addEventListener('click',()=>select(r.dataset.row));
  r.addEventListener('keydown',e=>{if(e.key==='Enter'||e.key===' '){e.preventDefault();select(r.dataset.row)}});
  r.addEventListener('mouseenter',()=>boxes(r.dataset.row).forEach(b=>b.classList.add('hover')));
  r.addEventListener('mouseleave',()=>boxes(r.dataset.row).forEach(b=>b.classList.remove('hover')));});
document.querySelectorAll('.diagram .node').forEach(n=>{
  n.dataset.row=n.id.split('/')[0]; n.tabIndex=0; n.setAttribute('role','button');
  n.addEventListener('click',()=>{select(n.dataset.row);rows.find(r=>r.dataset.row===n.dataset.row)?.scrollIntoView({block:'nearest'})});
  n.addEventListener('keydown',e=>{if(e.key==='Enter'||e.key===' '){e.preventDefault();n.dispatchEvent(new Event('click'))}});});
document.querySelectorAll('[id^="bar:"]').forEach(b=>{b.style.cursor='pointer';b.addEventListener('click',()=>select(b.id.split(':').slice(2).join(':')))});
document.querySelectorAll('table').forEach(t=>{
  [...t.tHead.rows[0].cells].forEach((h,i)=>h.querySelector('button').addEventListener('click',()=>{
    const up=h.getAttribute('aria-sort')!=='ascending';
    [...t.tHead.rows[0].cells].forEach(c=>c.removeAttribute('aria-sort')); h.setAttribute('aria-sort',up?'ascending':'descending');
    const key=r=>{const c=r.cells[i],v=c.dataset.v;return v===undefined?c.textContent:Number(v)};
    [...t.tBodies[0].rows].sort((a,b)=>{const x=key(a),y=key(b);const d=typeof x==='number'&&typeof y==='number'?x-y:String(x).localeCompare(String(y),'en',{numeric:true});return up?d:-d})
      .forEach(r=>t.tBodies[0].append(r))}));
  const f=t.closest('section').querySelector('input.filter[data-for="'+t.id+'"]');
  if(f)f.addEventListener('input',()=>[...t.tBodies[0].rows].forEach(r=>r.hidden=!r.textContent.toLowerCase().includes(f.value.toLowerCase())));});
document.querySelectorAll('.pan').forEach(p=>{
  const s=p.querySelector('svg'),whole=s.getAttribute('viewBox').split(/[ ,]+/).map(Number);let v=[...whole];s.removeAttribute('width');s.removeAttribute('height');
  const put=()=>s.setAttribute('viewBox',v.join(' '));
  const zoom=k=>{const [x,y,w,h]=v;v=[x+w*(1-k)/2,y+h*(1-k)/2,w*k,h*k];put()};
  const move=(dx,dy)=>{v[0]+=dx*v[2];v[1]+=dy*v[3];put()};
  p.addEventListener('wheel',e=>{if(!e.ctrlKey&&!e.metaKey)return;e.preventDefault();zoom(e.deltaY>0?1.15:1/1.15)},{passive:false});
  let at=null;p.addEventListener('pointerdown',e=>{at=[e.clientX,e.clientY,false]});
  p.addEventListener('pointermove',e=>{if(!at||!e.buttons)return;const k=Math.max(v[2]/p.clientWidth,v[3]/p.clientHeight);const dx=e.clientX-at[0],dy=e.clientY-at[1];
    if(!at[2]&&Math.hypot(dx,dy)<4)return;v[0]-=dx*k;v[1]-=dy*k;at=[e.clientX,e.clientY,true];put()});
  addEventListener('pointerup',()=>at=null);
  p.addEventListener('keydown',e=>{const m={ArrowLeft:[-.1,0],ArrowRight:[.1,0],ArrowUp:[0,-.1],ArrowDown:[0,.1]}[e.key];
    if(m&&e.target===p){e.preventDefault();move(...m)}else if(e.key==='+'||e.key==='='){zoom(1/1.25)}else if(e.key==='-'){zoom(1.25)}else if(e.key==='0'){v=[...whole];put()}});
  const b=p.parentElement.querySelectorAll('.tools button');b[0].onclick=()=>zoom(1/1.25);b[1].onclick=()=>zoom(1.25);b[2].onclick=()=>{v=[...whole];put()};});
if(location.hash.startsWith('#row')){const id=decodeURIComponent(location.hash.slice(1)).replace(/^row:/,'');select(id,true);rows.find(r=>r.dataset.row===id)?.scrollIntoView()}
"""


def _markdown(words: str) -> str:
    """A user's note, escaped first: headings, lists, emphasis, code."""
    def inline(text):
        text = html.escape(text)
        for pattern, tag in ((r"\*\*(.+?)\*\*", "strong"), (r"\*(.+?)\*", "em"), (r"`(.+?)`", "code")):
            text = re.sub(pattern, rf"<{tag}>\1</{tag}>", text)
        return text
    out = []
    for block in re.split(r"\n\s*\n", words.strip()):
        lines = block.splitlines()
        if lines[0].startswith("#"):
            out.append(f"<h3>{inline(lines[0].lstrip('# '))}</h3>")
            lines = lines[1:]
        if lines and all(re.match(r"\s*[-*] ", line) for line in lines):
            out.append("<ul>" + "".join(f"<li>{inline(line.strip()[2:])}</li>" for line in lines) + "</ul>")
        elif lines:
            out.append(f"<p>{inline(' '.join(lines))}</p>")
    return "".join(out)


def _grid(g: Grid, number: int) -> str:
    esc, cols, sheet = html.escape, columns(g.sheet), g.sheet
    exact = [next((c.key for c in sheet.columns if c.header == col.header), None) for col in cols]
    ident = f"table-{number}"
    head = "".join(f'<th scope="col"{" class=n" if c.right else ""}><button type="button">{esc(c.header)}</button></th>' for c in cols)
    body = []
    for i, row in enumerate(sheet.rows):
        name = sheet.ids[i] if sheet.ids else ""
        link = f' data-row="{esc(name)}" id="{esc("row:" + name)}"' if g.main and name else ""
        cells = []
        for c, key in zip(cols, exact):
            value = row.get(key) if key else (c.bars[i] if c.bars else None)
            number_of = f' data-v="{value}"' if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
            bar = f' style="--w:{100 * c.bars[i]:.1f}%"' if c.bars else ""
            kind = " ".join(k for k, on in (("n", c.right), ("bar", c.bars)) if on)
            cells.append(f'<td{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}{number_of}{bar}>{esc(c.cells[i])}</td>')
        body.append(f"<tr{link}>{''.join(cells)}</tr>")
    foot = "<tfoot><tr>" + "".join(f"<td{' class=n' if c.right else ''}>{esc(c.total)}</td>" for c in cols) + "</tr></tfoot>" if sheet.total is not None else ""
    notes = "".join(f'<p class="notes">{esc(n)}</p>' for n in sheet.notes)
    return (f'<input class="filter" data-for="{ident}" type="search" placeholder="filter rows" aria-label="filter the rows of table {number}">'
            f'<div class="scroll"><table id="{ident}"{" class=main" if g.main else ""}><caption>Table {number}: {esc(g.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>{foot}</table></div>{notes}")


def _unique(svg: str, prefix: str) -> str:
    """An SVG whose inner ids do not meet another's; ids that link (nodes and bars) stay."""
    inner = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    for name in sorted(inner, key=len, reverse=True):
        svg = re.sub(rf'(id="|href="#|url\(#){re.escape(name)}(?=["\)])', rf"\g<1>{prefix}{name}", svg)
    return svg


def _picture(p, number: int) -> str:
    drawn = _unique(p.svg, f"f{number}-")
    if p.diagram:
        drawn = (f'<div class="tools"><button type="button">zoom in</button><button type="button">zoom out</button><button type="button">whole</button></div>'
                 f'<div class="pan diagram" tabindex="0" aria-label="diagram: arrows move, plus and minus zoom, 0 shows all">{drawn}</div>')
    else:
        if "role=" not in drawn[:200]:
            drawn = drawn.replace("<svg ", f'<svg role="img" aria-label="{html.escape(p.alt)}" ', 1)
        drawn = f'<div class="picture">{drawn}</div>'
    return f"<figure>{drawn}<figcaption>Figure {number}: {html.escape(p.caption)}</figcaption></figure>"


def page(document: Document) -> str:
    """The HTML file."""
    esc, out, tables, figures = html.escape, [], 0, 0
    for section in document.sections:
        out.append(f'<section id="{section.id}"><h2>{esc(section.title)}</h2>')
        for part in section.parts:
            if isinstance(part, Text):
                out.append(_markdown(part.words) if part.markdown else f"<p>{esc(part.words)}</p>")
            elif isinstance(part, Numbers):
                out.append('<div class="numbers">' + "".join(f"<div><b>{esc(v)}</b>{esc(w)}</div>" for v, w in part.items) + "</div>")
            elif isinstance(part, Grid):
                tables += 1
                out.append(_grid(part, tables))
            else:
                figures += 1
                out.append(_picture(part, figures))
        out.append("</section>")
    nav = "".join(f'<a href="#{s.id}">{esc(s.title)}</a>' for s in document.sections)
    logo = ""
    if document.logo:
        import base64
        kind = {".svg": "svg+xml", ".png": "png"}.get(document.logo[1], "jpeg")
        logo = f'<img alt="logo" height="60" src="data:image/{kind};base64,{base64.b64encode(document.logo[0]).decode()}">'
    facts = json.dumps({"title": document.title}).replace("<", "\\u003c")
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
            f'<title>{esc(document.title)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head><body>{logo}<h1>{esc(document.title)}</h1>'
            f'<p class="sub">{esc(document.subtitle)}</p><nav aria-label="contents">{nav}</nav><main>{"".join(out)}</main>'
            f'<script type="application/json" id="facts">{facts}</script><script>{_SCRIPT}</script></body></html>\n')
