/// @file
/// @brief The page's style sheet and the script that draws attention token by token.
#pragma once

namespace explain {

inline constexpr char const* page_style = R"css(
:root { color-scheme: light dark; --back: #fbfbfa; --card: #ffffff; --text: #1d2129; --soft: #5c6470;
  --rule: #e3e5e8; --heat: #1d5fc2; --base: #6b7280; --target: #b5540c; }
@media (prefers-color-scheme: dark) { :root { --back: #15171b; --card: #1d2026; --text: #e7e9ec; --soft: #a2a9b4;
  --rule: #343941; --heat: #74a9ff; --base: #9aa3af; --target: #f79a54; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 6px; } h2 { font-size: 18px; margin: 40px 0 4px; }
h3 { font-size: 14px; margin: 0 0 6px; } p { margin: 0 0 12px; } .soft { color: var(--soft); }
h1, p { overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px; margin-top: 12px; }
.scroll { overflow-x: auto; } .grids { display: flex; flex-wrap: wrap; gap: 16px 28px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 5px 9px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
tr:last-child td { border-bottom: 0; } th { font-weight: 600; } td:first-child { white-space: nowrap; } td.number { text-align: right; white-space: nowrap; }
.word { display: inline-block; margin-right: 10px; white-space: nowrap; } .word small { color: var(--soft); }
.token { display: inline-block; padding: 0 3px; margin: 1px; border-radius: 3px; background: var(--back); border: 1px solid var(--rule);
  white-space: pre; font-size: 14px; } .token.target { color: var(--target); }
svg { display: block; font: 11px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.wide { width: 100%; height: auto; } .cell { fill: var(--heat); } .frame { fill: none; stroke: var(--rule); }
.tick { fill: var(--soft); } .adapted { stroke: var(--heat); fill: none; stroke-width: 2; }
.base { stroke: var(--base); fill: none; stroke-width: 2; stroke-dasharray: 5 4; }
text.adapted { fill: var(--heat); stroke: none; } text.base { fill: var(--base); stroke: none; }
label { margin-right: 14px; } select { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--rule);
  border-radius: 4px; padding: 2px 4px; } canvas { display: block; margin-top: 10px; } #told { min-height: 1.5em; margin: 8px 0 0; }
@media (max-width: 600px) { main { padding: 20px 14px 40px; } }
)css";

/// Draws the chosen head's weights on a canvas: a row a query, a column a key.
inline constexpr char const* page_script = R"js(
const maps = JSON.parse(document.getElementById('maps').textContent);
const pick = document.getElementById('map'), head = document.getElementById('head');
const canvas = document.getElementById('weights'), told = document.getElementById('told'), cell = 15;
let shown = null, left = 0, top_ = 0;
maps.forEach((m, i) => pick.add(new Option(m.name + ', layer ' + m.layer, i)));
function heads() {
  const count = maps[pick.value].heads, before = head.value;
  head.length = 0;
  if (count > 1) head.add(new Option('mean of heads', 'mean'));
  for (let h = 0; h < count; ++h) head.add(new Option(count > 1 ? 'head ' + h : 'mean of heads', h));
  if ([...head.options].some(o => o.value === before)) head.value = before;
}
function draw() {
  const m = maps[pick.value], bytes = Uint8Array.from(atob(m.data), c => c.charCodeAt(0));
  const q = m.queries.length, k = m.keys.length, values = new Float64Array(q * k);
  for (let i = 0; i < q * k; ++i) {
    if (head.value !== 'mean') { values[i] = bytes[head.value * q * k + i] / 255; continue; }
    for (let h = 0; h < m.heads; ++h) values[i] += bytes[h * q * k + i] / 255 / m.heads;
  }
  shown = { m, values };
  const style = getComputedStyle(document.body), colour = name => style.getPropertyValue(name).trim();
  const context = canvas.getContext('2d'), font = '11px system-ui, sans-serif', ratio = window.devicePixelRatio || 1;
  context.font = font;
  const widest = names => Math.ceil(Math.max(...names.map(n => context.measureText(n).width))) + 8;
  left = widest(m.queries), top_ = widest(m.keys);
  const width = left + k * cell + 8, height = top_ + q * cell + 8;
  canvas.style.width = width + 'px', canvas.style.height = height + 'px';
  canvas.width = width * ratio, canvas.height = height * ratio;
  context.scale(ratio, ratio);
  context.font = font, context.textBaseline = 'middle', context.fillStyle = colour('--soft');
  context.textAlign = 'right';
  m.queries.forEach((name, i) => context.fillText(name, left - 4, top_ + (i + 0.5) * cell));
  context.textAlign = 'left';
  m.keys.forEach((name, j) => {
    context.save();
    context.translate(left + (j + 0.5) * cell, top_ - 4), context.rotate(-Math.PI / 2);
    context.fillText(name, 0, 0);
    context.restore();
  });
  context.strokeStyle = colour('--rule');
  context.strokeRect(left - 0.5, top_ - 0.5, k * cell + 1, q * cell + 1);
  context.fillStyle = colour('--heat');
  for (let i = 0; i < q; ++i)
    for (let j = 0; j < k; ++j) {
      context.globalAlpha = Math.sqrt(values[i * k + j]);
      context.fillRect(left + j * cell, top_ + i * cell, cell - 1, cell - 1);
    }
  context.globalAlpha = 1;
}
canvas.addEventListener('mousemove', event => {
  const i = Math.floor((event.offsetY - top_) / cell), j = Math.floor((event.offsetX - left) / cell), m = shown.m;
  told.textContent = i >= 0 && j >= 0 && i < m.queries.length && j < m.keys.length
    ? m.queries[i] + ' → ' + m.keys[j] + ': ' + shown.values[i * m.keys.length + j].toFixed(3) : '';
});
pick.addEventListener('change', () => { heads(); draw(); });
head.addEventListener('change', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
heads();
draw();
)js";

}  // namespace explain
