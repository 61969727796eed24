import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { STYLE } from '../../../main/cli/report/style.ts'
import { parseRecipe } from '../../../main/engine/training/recipe.ts'
import { GROUPS, METHODS, OURS, PAPER, type Method } from '../../bench/rlr/compare-methods.ts'
import { fileOf, keepPart, readParts, type Part, type RunPart } from '../../bench/rlr/compare-parts.ts'
import { bestRate, compareReport, methodRuns, saveCharts, verdictOn } from '../../bench/rlr/compare-report.ts'

/** A run that ends at a rate of five fingers. */
function run(method: string, seed: number, five: number, changes: Partial<RunPart> = {}): RunPart {
  const point = (updates: number, rate: number) => ({
    updates, evaluations: 1000 * updates, seconds: 2 * updates, five: rate, score: rate, agreement: 0.9, wellFormed: 0.95, background: 1,
    diversity: 20,
  })
  return {
    kind: 'run', method, purpose: 'compare', seed, rate: 0.001, evaluations: 2000, pictures: 64, circumstances: 'a machine',
    points: [point(0, 0.4), point(1, (0.4 + five) / 2), point(2, five)], failure: null, ...changes,
  }
}

const methodOf = (key: string): Method => METHODS.find((method) => method.key === key)!

const lineOf = (parts: readonly Part[], begin: string): string | undefined =>
  compareReport(parts, 'here').markdown.split('\n').find((line) => line.startsWith(`| ${begin}`))

const BY_KEY = METHODS.map((method) => [method.key, method] as const)

describe('the methods of the comparison', () => {
  it.each(BY_KEY)('%s is an estimator that a recipe can name', (_, { estimator, template }) => {
    const recipe = {
      version: 1, model: 'm', sampling: { steps: 8 }, prompts: ['a hand'], updates: 1, estimator, reward: { kind: 'critic', path: 'c' },
      ...(template ? { template: { use: 'starter-hand' } } : {}),
    }
    expect(() => parseRecipe(recipe, 'the recipe')).not.toThrow()
  })
  it('are all there are in charts and claims', () => {
    const keys = new Set(['base', ...METHODS.map(({ key }) => key)])
    expect(keys.size).toBe(METHODS.length + 1)
    const named = [...GROUPS.flatMap((group) => group.keys), ...[...PAPER, ...OURS].flatMap(({ worse, better }) => [worse, better])]
    expect(named.filter((key) => !keys.has(key))).toEqual([])
  })
})

describe('the charts of the comparison', () => {
  it.each(GROUPS)('have a colour for every method: $name', ({ keys }) => {
    for (const [i] of keys.entries()) expect(STYLE).toContain(`.series-${i} {`)
  })

  it('draw a method in one colour, whichever others were run', () => {
    const colourOfDdpo = (file: string, parts: readonly Part[]): string | undefined => {
      const svg = compareReport(parts, 'here').charts.find((chart) => chart.file === file)?.svg
      return /class="series-(\d+) dots"><circle[^>]*><text[^>]*>ddpo</.exec(svg ?? '')?.[1]
    }
    const [ddpo, zo] = [run('ddpo', 1, 0.5), run('zo', 1, 0.4)]
    const parts = [...METHODS.filter(({ key }) => key !== 'ddpo').map(({ key }) => run(key, 1, 0.4)), ddpo]
    const colour = colourOfDdpo('methods-by-evaluations.svg', parts)
    expect(colour).toBeDefined()
    for (const some of [[ddpo], [zo, ddpo], parts]) {
      for (const file of ['methods-by-evaluations.svg', 'methods-by-seconds.svg', 'judge-by-critic.svg']) {
        expect(colourOfDdpo(file, some)).toBe(colour)
      }
    }
  })
})

describe('the report of the comparison', () => {
  it('averages the ends of a method\'s seeds, with their standard error', () => {
    const parts = [run('ddpo', 1, 0.5), run('ddpo', 2, 0.6)]
    expect(lineOf(parts, 'ddpo')).toContain('| 0.001 | 2 | 2 | 4 | 55.0 ± 5.0 | 0.550 ± 0.050 |')
    expect(lineOf(parts, 'base')).toContain('| 40.0 |')
  })

  it('takes the rate whose tuning run the judge liked best, and runs of no other', () => {
    const tune = (rate: number, five: number, failure: string | null = null) => run('zo', 900, five, { purpose: 'tune', rate, failure })
    const tuned = [tune(0.0003, 0.5), tune(0.001, 0.45), tune(0.003, 0.9, 'not finite')]
    const parts = [...tuned, run('zo', 1, 0.7, { rate: 0.0003 }), run('zo', 1, 0.2)]
    expect(bestRate(parts, methodOf('zo'))).toBe(0.0003)
    expect(methodRuns(parts).map(({ rate, runs }) => [rate, runs.map(({ points }) => points.at(-1)?.five)])).toEqual([[0.0003, [0.7]]])
  })

  it('leaves out a rate at which critic and judge no longer agree, and shows what became of it', () => {
    const tune = (rate: number, five: number, agreement: number): RunPart => {
      const made = run('alignprop', 900, five, { purpose: 'tune', rate })
      return { ...made, points: made.points.map((point, i) => (i === 0 ? point : { ...point, agreement })) }
    }
    const tuned = [tune(0.003, 0.6, 0.85), tune(0.01, 0.7, 0.69)]
    expect(bestRate(tuned, methodOf('alignprop'))).toBe(0.003)
    expect(bestRate(tuned.slice(1), methodOf('alignprop'))).toBe(0.01)
    const parts = [...tuned, run('alignprop', 1, 0.65, { rate: 0.003 }), run('alignprop', 1, 0.02, { rate: 0.01 })]
    const { markdown } = compareReport(parts, 'here')
    expect(markdown).toMatch(/alignprop, K random \| 0\.01 \| 2000 \| 70\.0 \|.* \| the reward is hacked \|/)
    expect(markdown).toMatch(/alignprop, K random \| 0\.01 \| 2000 \| 2\.0 \|/)
    expect(lineOf(parts, 'alignprop')).toContain('| 0.003 | 1 |')
  })

  it('gives all of RLR with one coverage the rate that was chosen for it', () => {
    const tune = (method: string, rate: number, five: number): RunPart => run(method, 900, five, { purpose: 'tune', rate })
    const parts = [tune('rlr-importance-h2', 0.003, 0.6), tune('rlr-importance-h2', 0.001, 0.5), tune('rlr-none-h2', 0.001, 0.5)]
    const rateOf = (key: string): number | undefined => bestRate(parts, methodOf(key))
    expect(['rlr-importance-h1', 'rlr-importance-h4-template', 'rlr-none-h1', 'zo'].map(rateOf)).toEqual([0.003, 0.003, 0.001, undefined])
  })

  it('says of each claim of the paper whether it holds here, or that it was not run', () => {
    const parts = [run('ddpo', 1, 0.5), run('ddpo', 2, 0.51), run('alignprop', 1, 0.3), run('alignprop', 2, 0.31)]
    expect(lineOf(parts, 'base < DDPO')).toMatch(/10\.5 ± 0\.5 \| the same/)
    expect(lineOf(parts, 'DDPO < AlignProp')).toMatch(/-20\.0 ± 0\.7 \| the other way round/)
    expect(lineOf(parts, 'FO < RLR')).toMatch(/– \| not run/)
  })

  it.each([
    [5, 2, 'the same'], [-5, 2, 'the other way round'], [5, 3, 'cannot be told'], [5, NaN, 'cannot be told'], [0, 0, 'cannot be told'],
  ])('a difference of %d ± %d is %s', (value, standardError, verdict) => expect(verdictOn({ value, standardError })).toBe(verdict))

  it('names runs that ended early', () => {
    const { markdown } = compareReport([run('zo', 3, 0.4, { failure: 'After 7 updates the reward was not finite.' })], 'here')
    expect(markdown).toContain('- zo, seed 3: After 7 updates')
  })

  it('keeps parts as files and merges what there is, NaN included; charts stand alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'halfstep-compare-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const one = run('ddpo', 1, 0.5)
    const parts: Part[] = [{ ...one, points: one.points.map((point) => ({ ...point, diversity: NaN })) }, run('fo', 1, 0.6)]
    for (const part of parts) if (part.kind === 'run') keepPart(fileOf(folder, part), part)
    expect(readParts(folder)).toEqual(parts)
    const { charts, markdown } = compareReport(parts, 'here')
    saveCharts(folder, charts)
    const svgs = readdirSync(folder).filter((name) => name.endsWith('.svg'))
    expect(svgs).toEqual(['judge-by-critic.svg', 'methods-by-evaluations.svg', 'methods-by-seconds.svg'])
    for (const { file, svg } of charts) {
      expect(markdown).toContain(`](rlr/${file})`)
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
      expect(svg).not.toMatch(/NaN|undefined/)
    }
  })

  it('says so when nothing has been run', () => expect(compareReport([], 'here').markdown).toContain('Nothing has been run yet.'))
})
