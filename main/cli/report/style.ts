/** The looks of reports: everything in the file itself, light or dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #fff; --ink: #1d2125; --soft: #5e666e; --rule: #dfdcd6; --grid: #e8e5df;
  --c0: #7a8794; --c1: #0b7d77; --c2: #c2571a; --c3: #6a4bb0; --c4: #b02a5b; --c5: #3a6fc4; --c6: #8a7a12; --c7: #444b52; --c8: #2f8f3a;
  --c9: #8a5a3c;
  --gained: #0b7d77; --lost: #c0392b; --good: #e3f3f0; --bad: #fbe9e6; --neutral: #eeece8 }
@media (prefers-color-scheme: dark) { :root {
  --paper: #15181b; --card: #1d2125; --ink: #e9e7e3; --soft: #a2aab2; --rule: #33393f; --grid: #2b3137;
  --c0: #8c99a6; --c1: #3fc1b5; --c2: #f0975b; --c3: #b09aef; --c4: #f08fb4; --c5: #86b1f5; --c6: #d8c64a; --c7: #c3c9cf; --c8: #7fd48a;
  --c9: #d3a68a;
  --gained: #3fc1b5; --lost: #f0796b; --good: #15332f; --bad: #3d211d; --neutral: #292e33 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif }
main { max-width: 1160px; margin: 0 auto; padding: 40px 24px 80px }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.01em }
h2 { font-size: 20px; margin: 0 0 4px }
p { margin: 0 0 12px; max-width: 72ch }
.soft { color: var(--soft) }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 22px 24px; margin-top: 20px }
figure + h2 { margin-top: 28px }
.verdict { border-left: 6px solid var(--soft); background: var(--neutral); font-size: 18px }
.verdict p { margin: 0; max-width: none }
.verdict ul { margin: 10px 0 0; padding-left: 20px; font-size: 16px }
.verdict.gain { border-left-color: var(--gained); background: var(--good) }
.verdict.loss, .verdict.hacking { border-left-color: var(--lost); background: var(--bad) }
.numbers { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 4px 0 14px }
.numbers b { display: block; font-size: 34px; line-height: 1.15; font-weight: 650; letter-spacing: -.02em }
.numbers span { color: var(--soft); font-size: 14px }
svg { display: block; width: 100%; max-width: 880px; height: auto; font: 13px system-ui, sans-serif }
figure { margin: 0 } figcaption { margin: 6px 0 8px }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px }
.key::before { content: ""; display: inline-block; vertical-align: middle; margin-right: 7px;
  width: 18px; height: 0; border-top: 3px solid var(--colour) }
.key.faint::before { border-top-width: 1px }
.key.dots::before { width: 9px; height: 9px; border: 0; border-radius: 50%; background: var(--colour) }
.key.bar::before { width: 12px; height: 12px; border: 0; border-radius: 3px; background: var(--colour) }
.series-0 { --colour: var(--c0) } .series-1 { --colour: var(--c1) }
.series-2 { --colour: var(--c2) } .series-3 { --colour: var(--c3) }
.series-4 { --colour: var(--c4) } .series-5 { --colour: var(--c5) } .series-6 { --colour: var(--c6) } .series-7 { --colour: var(--c7) }
.series-8 { --colour: var(--c8) } .series-9 { --colour: var(--c9) }
polyline { fill: none; stroke: var(--colour); stroke-width: 2.5; stroke-linejoin: round }
polyline.faint { stroke-width: 1.2; opacity: .45 } polyline.thread { stroke-width: 1.5; opacity: .5 }
circle { fill: var(--colour) } .whisker { stroke: var(--colour); stroke-width: 2; opacity: .6 }
.grid { stroke: var(--grid) } .axis { stroke: var(--soft) } text { fill: var(--ink) } .tick, .label { fill: var(--soft) }
.name { font-weight: 600; font-size: 15px } .count { font-size: 14px }
.value { font-weight: 650; font-size: 17px; font-variant-numeric: tabular-nums }
.bar { fill: var(--colour); opacity: .85 } .interval { stroke: var(--ink); stroke-width: 2.5; stroke-linecap: round }
.pairs { list-style: none; margin: 12px 0 0; padding: 0;
  display: grid; gap: 8px; grid-template-columns: repeat(auto-fill, minmax(124px, 1fr)) }
.pairs li { border: 2px solid var(--rule); border-radius: 8px; padding: 3px; line-height: 0; text-align: center }
.pairs .way { display: block; font-size: 13px; line-height: 22px; color: var(--soft); font-variant-numeric: tabular-nums }
.pairs .gained { border-color: var(--gained); background: var(--good) }
.pairs .lost { border-color: var(--lost); background: var(--bad) }
.pairs .gained .way { color: var(--gained); font-weight: 650 }
.pairs .lost .way { color: var(--lost); font-weight: 650 }
.picture { --side: 56px; display: inline-block; width: var(--side); height: var(--side); border-radius: 4px;
  background-size: calc(var(--columns) * var(--side)) calc(var(--rows) * var(--side));
  background-position: calc(-1 * var(--column) * var(--side)) calc(-1 * var(--row) * var(--side)) }
.picture + .picture { margin-left: 3px }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin-top: 8px }
th, td { padding: 5px 9px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap }
th { font-weight: 600 } thead th { color: var(--soft) } tbody th, thead th:first-child { text-align: left }
tr.group th { padding-top: 16px; color: var(--soft); font-weight: 500 }
td.worse { color: var(--lost); font-weight: 600 } td.better { color: var(--gained); font-weight: 600 }
.recorded { color: var(--soft) }
.transitions td { text-align: center; min-width: 64px }
.transitions .none { color: var(--soft) } .transitions .same { background: var(--neutral) }
.transitions .gained { background: var(--good); color: var(--gained); font-weight: 650 }
.transitions .lost { background: var(--bad); color: var(--lost); font-weight: 650 }
code, pre { font: 13.5px/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace }
pre { background: var(--neutral); padding: 12px 14px; border-radius: 8px; margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; margin: 10px 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
summary { cursor: pointer; margin-top: 8px }
@media (max-width: 640px) { main { padding: 24px 12px } section { padding: 16px } .numbers b { font-size: 26px } }
`
