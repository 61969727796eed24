/**
 * `npm run bench:gradient`: whether RLR's gradient on the starter is, on average, the gradient of full backpropagation, and whether the
 * check would notice a wrong sign or a wrong coefficient of its half-order part. Prints a table and writes it to test/bench/results.
 *
 *     npm run bench:gradient -- [--directions 48] [--draws 128] [--depth 2]
 *
 * A direction u is the mean of full backpropagation's gradients over some draws. Over others RLR and full backpropagation see the same
 * prompts and noises, so that ⟨g_RLR − g_full, u⟩ has a small variance: its mean must be 0 within three standard errors. Being from
 * other draws, u is independent of either.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { ASSETS } from '../../../main/engine/assets.ts'
import { meanOf, type Mean } from '../../../main/engine/evaluation/mean.ts'
import { createAlgorithm, type AlgorithmSettings } from '../../../main/engine/rlr/algorithm.ts'
import { PAPER } from '../../../main/engine/rlr/measure/estimator-grid.ts'
import type { UpdateContext } from '../../../main/engine/rlr/update-context.ts'
import { completeRecipe } from '../../../main/engine/training/open-run.ts'
import { parseRecipe } from '../../../main/engine/training/recipe.ts'
import { openStableDiffusionChain } from '../../../main/engine/training/stable-diffusion-task.ts'
import { circumstances, markdownTable, saveReport } from '../report.ts'

const { values: options } = parseArgs({
  options: {
    directions: { type: 'string', default: '48' },
    draws: { type: 'string', default: '128' },
    depth: { type: 'string', default: '2' },
    recipe: { type: 'string', default: fileURLToPath(new URL('recipes/demo-quick.json', ASSETS)) },
  },
})
const [directions, draws, depth] = [Number(options.directions), Number(options.draws), Number(options.depth)]

/** Standard errors from which on a difference is no chance. */
const LIMIT = 3

const FULL: AlgorithmSettings = { kind: 'full' }
const FIRST_ORDER: AlgorithmSettings = { kind: 'alignprop', depth }

const recipe = await completeRecipe(parseRecipe(await readJson(options.recipe), options.recipe), path.dirname(options.recipe))
const { model, facts } = await openStableDiffusionChain(recipe, { device: 'cpu' })
const theta = model.initialTheta()
const steps = facts.coefficients.length
// One window for each step that first order does not reach: the least variance for the evaluations it takes.
const RLR: AlgorithmSettings = { ...PAPER, firstOrderDepth: depth, coverage: 'importance', windows: steps - depth }

const gradientOf = async (settings: AlgorithmSettings, context: UpdateContext): Promise<Float64Array> => {
  const sum = new Float64Array(theta.length)
  await createAlgorithm(settings).update(context, async (gradient) => {
    gradient.forEach((value, i) => (sum[i]! += value))
    return theta
  })
  return sum
}
const contextOf = async (index: number): Promise<UpdateContext> => (await model.batch({ index, theta })).context
const add = (to: Float64Array, vector: Float64Array): void => vector.forEach((value, i) => (to[i]! += value))
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
const cosine = (a: Float64Array, b: Float64Array): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))

const direction = new Float64Array(theta.length)
for (let draw = 0; draw < directions; draw++) {
  if (draw % 16 === 0) console.log(`direction: ${draw} of ${directions} draws`)
  add(direction, await gradientOf(FULL, await contextOf(draw)))
}

/** Parts of each draw along the direction. */
const along = { full: [] as number[], rlr: [] as number[], first: [] as number[] }
const sums = { full: new Float64Array(theta.length), rlr: new Float64Array(theta.length), first: new Float64Array(theta.length) }
for (let draw = 0; draw < draws; draw++) {
  if (draw % 16 === 0) console.log(`estimators: ${draw} of ${draws} draws`)
  for (const [name, settings] of [['full', FULL], ['rlr', RLR], ['first', FIRST_ORDER]] as const) {
    const gradient = await gradientOf(settings, await contextOf(directions + draw))
    along[name].push(dot(gradient, direction))
    add(sums[name], gradient)
  }
}
await model.dispose()

const scale = meanOf(along.full).value
const combined = (name: string, of: (first: number, half: number) => number, vector?: Float64Array): Row => {
  const own = along.full.map((_, i) => of(along.first[i]!, along.rlr[i]! - along.first[i]!))
  const difference = meanOf(own.map((value, i) => (value - along.full[i]!) / scale))
  return { name, share: meanOf(own).value / scale, difference, cosine: vector === undefined ? null : cosine(vector, direction) }
}
interface Row {
  readonly name: string
  /** ⟨mean, u⟩ / ⟨mean of full, u⟩ */
  readonly share: number
  readonly difference: Mean
  readonly cosine: number | null
}

const rows = [
  combined('full backpropagation, other draws', (first, half) => first + half, sums.full),
  combined(`RLR, K = ${depth}, h = 1, importance`, (first, half) => first + half, sums.rlr),
  combined(`first order alone, K = ${depth}`, (first) => first, sums.first),
  combined('RLR with the half order\'s sign wrong', (first, half) => first - half),
  combined('RLR with the half order counted twice', (first, half) => first + 2 * half),
]
rows[0] = { name: rows[0]!.name, share: 1, difference: { value: 0, standardError: 0 }, cosine: rows[0]!.cosine }
const errors = ({ difference: { value, standardError } }: Row): number => (standardError === 0 ? 0 : Math.abs(value) / standardError)
const [, own, , ...wrong] = rows
const holds = own !== undefined && errors(own) <= LIMIT && wrong.every((row) => errors(row) > LIMIT)

const text = [
  '# RLR against full backpropagation on the starter',
  '',
  circumstances(),
  `T = ${steps}, batch ${recipe.batch.prompts * recipe.batch.samplesPerPrompt}, ${theta.length} parameters, guidance `
  + `${recipe.sampling.guidance}, reward: the critic. Direction from ${directions} draws, estimators over ${draws} others on the same `
  + 'prompts and noises.',
  'share is ⟨mean, u⟩ over that of full backpropagation; off is its distance from 1 in standard errors of the paired difference.',
  '',
  markdownTable([
    ['estimator', 'share', '± ', 'off', 'cosine to u'],
    ...rows.map((row) => [
      row.name, row.share.toFixed(3), row.difference.standardError.toFixed(3), errors(row).toFixed(1), row.cosine?.toFixed(3) ?? '',
    ]),
  ]),
  '',
  holds
    ? `RLR is unbiased within ${LIMIT} standard errors, and a wrong sign or coefficient would be seen.`
    : `NOT SHOWN: RLR must be within ${LIMIT} standard errors of 1 and the wrong ones beyond.`,
].join('\n')
console.log(`\n${text}`)
console.log(`\nWritten to ${saveReport('starter-gradient', text)}`)
process.exitCode = holds ? 0 : 1
