/// @file
/// @brief The page's style sheet. Series colours are variables, chosen for each background.
#pragma once

namespace compare {

inline constexpr char const* page_style = R"css(
:root { color-scheme: light dark; --back: #fbfbfa; --card: #ffffff; --text: #1d2129; --soft: #5c6470; --rule: #e3e5e8; --best: #eaf3ea; --warn: #9a3b00; --warn-back: #fdf1e7;
  --c0: #6b7280; --c1: #9a7d0a; --c2: #1d5fc2; --c3: #0b8f9c; --c4: #b5540c; --c5: #2f8f3e; --c6: #8a5a2b; --c7: #b3267b; --c8: #6a3fc0; --c9: #c02f2f; --c10: #3a3f47; --c11: #5f8f00; --c12: #a35fd0; --c13: #00796b; --c14: #ad1457; --c15: #4e6a1e; --c16: #7a4b00; }
@media (prefers-color-scheme: dark) { :root { --back: #15171b; --card: #1d2026; --text: #e7e9ec; --soft: #a2a9b4; --rule: #343941; --best: #21352a; --warn: #ffb27a; --warn-back: #3a2718;
  --c0: #9aa3af; --c1: #e0c04a; --c2: #74a9ff; --c3: #4fd0da; --c4: #f79a54; --c5: #6fd07f; --c6: #d0a070; --c7: #ff85c8; --c8: #b39bff; --c9: #ff8080; --c10: #e7e9ec; --c11: #b7e05a; --c12: #d9a8ff; --c13: #66d9c4; --c14: #ff9ec4; --c15: #c5e08a; --c16: #f0c890; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 6px; } h2 { font-size: 18px; margin: 40px 0 4px; } h3 { font-size: 14px; margin: 0 0 2px; }
p { margin: 0 0 12px; } .soft { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px; margin-top: 12px; }
.scroll { overflow-x: auto; } .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 16px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 6px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); } tr:last-child td { border-bottom: 0; }
th { font-weight: 600; vertical-align: bottom; line-height: 1.25; } th small { display: block; font-weight: 400; color: var(--soft); }
th:first-child, td:first-child { text-align: left; } td.best { background: var(--best); font-weight: 600; } td.failed { text-align: left; white-space: normal; color: var(--warn); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; background: currentColor; }
.warn { background: var(--warn-back); color: var(--warn); border-radius: 6px; padding: 8px 12px; margin: 10px 0 0; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.grid { stroke: var(--rule); fill: none; } .axis { stroke: var(--soft); fill: none; } .tick, .title { fill: var(--soft); }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; } .line:hover { stroke-width: 4; } .leader { fill: none; stroke: currentColor; stroke-width: 1; opacity: .5; }
.link { fill: none; stroke: currentColor; stroke-width: 1.5; opacity: .45; } .level { fill: none; stroke: currentColor; stroke-dasharray: 5 4; stroke-width: 1.5; opacity: .8; }
.dot { fill: currentColor; } .ring { fill: var(--card); stroke: currentColor; stroke-width: 2; } .name { fill: currentColor; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 16px; margin: 8px 0 0; font-size: 14px; } dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; } dt.ref { color: var(--soft); font-weight: 400; } dd.ref { color: var(--soft); }
.thin { stroke-width: 1; opacity: .55; } .bar { fill: none; stroke: currentColor; stroke-width: 1.5; opacity: .75; }
td small { color: var(--soft); font-weight: 400; } td small.interval { display: block; font-size: 11.5px; line-height: 1.2; }
.long { max-height: 85vh; overflow: auto; padding-top: 0; } .long th { position: sticky; top: 0; background: var(--card); z-index: 1; padding-top: 14px; }
td:first-child { background: var(--card); } .scroll td:first-child, .scroll th:first-child { position: sticky; left: 0; background: var(--card); z-index: 1; } .long th:first-child { z-index: 2; }
.wide svg { min-width: 720px; }
details { margin-top: 12px; } summary { cursor: pointer; font-weight: 600; } .zero { color: var(--soft); }
.empty { color: var(--soft); font-style: italic; }
@media (max-width: 600px) { main { padding: 20px 14px 40px; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; } }
)css";

/// One rule for each series; generated, so that it cannot fall behind the colours.
inline constexpr int series_colours = 17;

}  // namespace compare
