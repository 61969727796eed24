/**
 * `npm run bench:rlr`: RLR in its variants and every peer on the starter, at equal evaluations of the network, several seeds each:
 * what judge and critic see against evaluations and seconds, and variance and cosine of the estimators. Prints tables and writes
 * them with charts to test/bench/results.
 *
 *     npm run bench:rlr -- [--only rlr-importance,ddpo] [--seeds 1,2,3] [--evaluations 40000] [--rates 0.001,0.003,0.01,0.03]
 *                          [--points 4] [--pictures 256] [--draws 24] [--threads 2] [--again] [--report] [--results FOLDER]
 *
 * Each run is kept as a file under test/bench/results/rlr and not made again, so that the whole can be made in pieces: `--only`
 * takes the methods whose key begins with one of the words, and `estimators` for the variances. `--again` makes them anew,
 * `--report` only merges what there is.
 */
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ASSETS } from '../../../main/engine/assets.ts'
import { measureEstimators } from '../../../main/engine/rlr/measure/measure-estimators.ts'
import { openStableDiffusionChain } from '../../../main/engine/training/stable-diffusion-task.ts'
import { algorithmSettings } from '../../../main/engine/training/recipe.ts'
import { circumstances, saveReport } from '../report.ts'
import { METHODS, type Method } from './compare-methods.ts'
import { RESULTS, fileOf, keepPart, readPart, readParts, type RunPart, type RunPoint } from './compare-parts.ts'
import { bestRate, compareReport, saveCharts } from './compare-report.ts'
import { recipeOf, runMethod, type RunSettings } from './compare-run.ts'

const { values: options } = parseArgs({
  options: {
    'only': { type: 'string', default: '' },
    'seeds': { type: 'string', default: '1,2,3' },
    'evaluations': { type: 'string', default: '40000' },
    'rates': { type: 'string', default: '0.001,0.003,0.01,0.03' },
    'points': { type: 'string', default: '4' },
    'pictures': { type: 'string', default: '256' },
    'draws': { type: 'string', default: '24' },
    'threads': { type: 'string', default: String(os.availableParallelism()) },
    'results': { type: 'string', default: RESULTS },
    'recipe': { type: 'string', default: fileURLToPath(new URL('recipes/demo-quick.json', ASSETS)) },
    'again': { type: 'boolean', default: false },
    'report': { type: 'boolean', default: false },
  },
})

/** Seed of the runs that choose a rate, and the share of the evaluations that they get; how they end is all that counts. */
const TUNING = { seed: 900, share: 0.5, points: 1 }
const ESTIMATORS = 'estimators'

const folder = path.resolve(options.results)
const wanted = options.only.split(',').filter(Boolean)
const isWanted = (key: string): boolean => wanted.length === 0 || wanted.some((word) => key.startsWith(word))
const numbers = (text: string): number[] => text.split(',').map(Number)
const rates = numbers(options.rates)
const shared = {
  points: Number(options.points),
  pictures: Number(options.pictures),
  recipeFile: path.resolve(options.recipe),
  threads: Number(options.threads),
}

if (!options.report) {
  for (const method of METHODS.filter(({ key }) => isWanted(key))) await runs(method)
  if (isWanted(ESTIMATORS)) await variances()
}
const { markdown, charts } = compareReport(readParts(folder), circumstances())
saveCharts(folder, charts)
console.log(`\n${markdown}`)
// A try in a folder of one's own leaves the report alone.
if (folder === RESULTS) console.log(`\nWritten to ${saveReport('rlr', markdown)}`)

/** Chooses the rate where there are several, then runs every seed. */
async function runs(method: Method): Promise<void> {
  const evaluations = Number(options.evaluations)
  const tuned = METHODS.find(({ key }) => key === method.tunedAs) ?? method
  const tuning: RunPart[] = []
  for (const rate of rates.length > 1 ? rates : []) {
    const { seed, share, points } = TUNING
    tuning.push(await part({ ...shared, points, method: tuned, purpose: 'tune', seed, rate, evaluations: share * evaluations }))
  }
  const rate = bestRate(tuning, method) ?? rates[0]
  if (rate === undefined) throw new Error('--rates is empty')
  for (const seed of numbers(options.seeds)) await part({ ...shared, method, purpose: 'compare', seed, rate, evaluations })
}

/** The part as it was kept, or made and kept now. A file of other settings is refused rather than mixed in. */
async function part(settings: RunSettings): Promise<RunPart> {
  const { method, purpose, seed, rate, evaluations, pictures } = settings
  const file = fileOf(folder, { method: method.key, purpose, seed, rate })
  if (existsSync(file) && !options.again) {
    const kept = readPart(file)
    if (kept.kind === 'run' && kept.evaluations === evaluations && kept.pictures === pictures) return kept
    throw new Error(`${file} was made with other settings: remove it, or say --again.`)
  }
  console.log(`${method.name}: ${purpose}, rate ${rate}, seed ${seed}`)
  const { points, failure } = await runMethod(settings)
  const made: RunPart = {
    kind: 'run', method: method.key, purpose, seed, rate, evaluations, pictures, circumstances: circumstances(), points, failure,
  }
  keepPart(file, made)
  console.log(`  ${outcomeLine(points)}${failure === null ? '' : `; ${failure}`}`)
  return made
}

/** All estimators on the same draws, with exact backpropagation as the truth; templates change none of them but where they look. */
async function variances(): Promise<void> {
  const file = fileOf(folder, 'variance')
  if (existsSync(file) && !options.again) return
  const draws = Number(options.draws)
  const plain = METHODS.filter(({ template }) => !template)
  const recipes = await Promise.all(plain.map((method) => recipeOf({
    ...shared, method, purpose: 'compare', seed: TUNING.seed, rate: 1, evaluations: 0,
  })))
  const [first] = recipes
  if (first === undefined) return
  const { model } = await openStableDiffusionChain(first, { device: 'cpu' })
  try {
    const theta = model.initialTheta()
    const candidates = [
      { label: 'full', settings: { kind: 'full' as const } },
      ...recipes.map((recipe, i) => ({ label: plain[i]?.name ?? '', settings: algorithmSettings(recipe, () => []) })),
    ]
    const figures = await measureEstimators(candidates, {
      draws,
      context: async (index) => (await model.batch({ index, theta })).context,
      onDraw: (label, draw) => draw === 0 && console.log(`${draws} draws: ${label}`),
    })
    keepPart(file, { kind: 'variance', circumstances: circumstances(), parameters: model.parameterCount, figures })
  } finally {
    await model.dispose()
  }
}

/** From the model as it was to the end. */
function outcomeLine(points: readonly RunPoint[]): string {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return 'nothing was judged'
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  return `five fingers ${percent(first.five)} → ${percent(last.five)}, critic ${first.score.toFixed(3)} → ${last.score.toFixed(3)}, `
    + `${last.updates} updates, ${last.seconds.toFixed(0)} s`
}
