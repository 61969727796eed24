import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demoReport, type DemoReport } from '../../../main/cli/report/demo-report.ts'
import type { DemoSummary } from '../../../main/cli/report/demo-summary.ts'
import { parseSummary } from '../../../main/cli/report/demo-summary.ts'
import { html, Markup } from '../../../main/cli/report/html.ts'
import { ticks } from '../../../main/cli/report/line-chart.ts'
import { cellKind, outcomesOf } from '../../../main/cli/report/outcome-charts.ts'
import { resultRows } from '../../../main/cli/report/result-rows.ts'
import { pairedChange } from '../../../main/engine/evaluation/paired-change.ts'
import { summariseArm } from '../../../main/engine/evaluation/summarise-arm.ts'
import { verdictOf } from '../../../main/engine/evaluation/verdict.ts'
import { proportion } from '../../../main/engine/statistics/proportion.ts'
import { PROMPTS, arm } from '../evaluation/arms.ts'

describe('html', () => {
  it('escapes what it is given, in text and in attributes', () => {
    const evil = '<script>alert("1" & \'2\')</script>'
    expect(html`<p title="${evil}">${evil}</p>`.text).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;">'
      + '&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;</p>')
  })
  it('keeps its own markup, joins lists and leaves nothing for null', () => {
    expect(html`<ul>${['a', '<'].map((text) => html`<li>${text}</li>`)}${null}${3}</ul>`.text).toBe('<ul><li>a</li><li>&lt;</li>3</ul>')
    expect(html`${new Markup('<b>')}`.text).toBe('<b>')
  })
  it('never lets text out of its place', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const inside = html`<i>${text}</i>`.text.slice(3, -4)
      expect(inside).not.toMatch(/[<>"']/)
      expect(inside).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/)
    }))
  })
})

const BEFORE = arm('before', ['5', '6', '5', '6', '6', 'ill-formed'])
const AFTER = arm('after', ['5', '5', '6', '5', '5', '5'])
const summary: DemoSummary = {
  version: 1, mode: 'quick', date: '2026-01-02T03:04:05.000Z', machine: 'a machine, 2 threads',
  trainingSeconds: 300, seconds: 400, updates: 100, samples: 3200,
  before: summariseArm(BEFORE, PROMPTS), after: summariseArm(AFTER, PROMPTS), change: pairedChange(BEFORE, AFTER, PROMPTS),
}
const sheet = { uri: 'data:image/webp;base64,AAAA', columns: 32, rows: 1 }
const report: DemoReport = {
  summary, recorded: null, before: BEFORE, after: AFTER, prompts: PROMPTS, shown: 6, sheets: { before: sheet, after: sheet },
  verdict: verdictOf(summary.before, summary.after, summary.change),
  history: [1, 2, 3].map((update) => ({ update, seconds: 100 * update, score: 0.2 * update })),
  rates: [{ update: 0, seconds: 0, five: proportion(3, 8) }],
  settings: [['Machine', 'a machine']], recipe: '{}', adapter: 'a.safetensors', command: 'halfstep generate',
}

describe('the report', () => {
  const page = demoReport(report)
  it('is one file that may ask for nothing', () => {
    expect(page).toContain('default-src \'none\'')
    for (const address of page.match(/(?:src=|href=|url\()["']?[^"')\s>]+/g) ?? []) expect(address).toContain('data:')
    expect(page).not.toMatch(/https?:\/\//)
    expect(page).not.toContain('<script')
  })
  it('shows every pair from the first on and marks those that changed', () => {
    const kinds = [...page.matchAll(/<li class="(\w+)" title/g)].map(([, kind]) => kind)
    expect(kinds).toEqual(['same', 'gained', 'lost', 'gained', 'gained', 'gained'])
    expect(page).toContain('6 → 5')
    expect(page).toContain('? → 5')
  })
  it('marks the recorded run as such, and has no row of it where there is none', () => {
    expect(page).not.toContain('recorded,')
    expect(demoReport({ ...report, recorded: { ...summary, trainingSeconds: 3000 } })).toContain('recorded, 50 min')
  })
  it('says what was hacked', () => {
    const sentence = 'Reward hacking: the critic rose, the judge did not.'
    const hacked = demoReport({ ...report, verdict: { kind: 'hacking', sentence, costs: ['Fewer pictures are well-formed.'] } })
    expect(hacked).toMatch(/<section class="verdict hacking"><p>Reward hacking: .*<li>Fewer pictures/)
  })
  it('escapes prompts, settings and paths', () => {
    const evil = '"><img src=x onerror=alert(1)>'
    const everywhere = { prompts: [evil, evil, evil, evil], adapter: evil, command: evil, recipe: evil, settings: [[evil, evil]] as const }
    expect(demoReport({ ...report, ...everywhere })).not.toContain('<img')
  })
  it('does without a history', () => expect(demoReport({ ...report, history: [], rates: [] })).not.toContain('While it learned'))
})

describe('the table of results', () => {
  it('marks a change for better or worse only beyond chance', () => {
    const rows = (before: string[], after: string[]): string[] => {
      const [a, b] = [arm('before', before), arm('after', after)]
      const changed = { before: summariseArm(a, PROMPTS), after: summariseArm(b, PROMPTS), change: pairedChange(a, b, PROMPTS) }
      return resultRows({ ...summary, ...changed }, null).slice(0, 2).map(({ direction }) => direction)
    }
    const [fives, sixes, bad] = ['5', '6', 'ill-formed'].map((outcome) => Array<string>(12).fill(outcome)) as [string[], string[], string[]]
    expect(rows(sixes, fives)).toEqual(['better', 'even'])
    expect(rows(fives, bad)).toEqual(['worse', 'worse'])
    expect(rows(sixes, ['5', ...sixes.slice(1)])).toEqual(['even', 'even'])
  })
})

it('a summary survives being written down, NaN included', () => {
  const nan = { ...summary, before: { ...summary.before, diversity: { value: NaN, standardError: NaN } } }
  expect(parseSummary(JSON.stringify(nan))).toEqual(nan)
})

it('outcomes are in the order of their fingers, the others behind', () => {
  const outcomes = { 'no hand': 1, '10': 1, 'ill-formed': 1, '5': 1 }
  expect(outcomesOf({ outcomes }, { outcomes: { 4: 1 } })).toEqual(['4', '5', '10', 'ill-formed', 'no hand'])
  const kinds = ([['5', '5'], ['6', '5'], ['5', '6'], ['6', '4']] as const).map(([from, to]) => cellKind(from, to))
  expect(kinds).toEqual(['same', 'gained', 'lost', 'other'])
})

it.each([[0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]], [0, 5.4, [0, 1, 2, 3, 4, 5]], [0, 90_000, [0, 20_000, 40_000, 60_000, 80_000]], [1, 1, [1]]])(
  'between %d and %d an axis has ticks at %j', (low, high, expected) => expect(ticks(low, high)).toEqual(expected))
