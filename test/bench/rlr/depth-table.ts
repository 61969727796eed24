/**
 * `npm run bench:depth`: how far the reward's own gradient should go. Variance and time of RLR by the depth K of its first order, with
 * windows on the steps before it, on the starter as a stand-in for a model of one's own: the recipes that the app drafts for small and
 * for large models. Prints tables and writes them to test/bench/results.
 *
 *     npm run bench:depth -- [--draws 12] [--threads 1]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ASSETS } from '../../../main/engine/assets.ts'
import { bestOf, measureEstimators } from '../../../main/engine/rlr/measure/measure-estimators.ts'
import { algorithmSettings, parseRecipe, type Recipe } from '../../../main/engine/training/recipe.ts'
import { openStableDiffusionChain } from '../../../main/engine/training/stable-diffusion-task.ts'
import { draftRecipe } from '../../../main/services/training/draft-recipe.ts'
import { circumstances, saveReport } from '../report.ts'
import { COLUMNS, estimatorsTable } from './estimators-table.ts'

const { values: options } = parseArgs({
  options: { draws: { type: 'string', default: '12' }, threads: { type: 'string', default: '1' } },
})

const assets = fileURLToPath(ASSETS)
const SIZES = [{ of: 'small', latentSide: 8 }, { of: 'large', latentSide: 64 }] as const

const rlr = (changes: object): object => ({ kind: 'rlr', coverage: 'importance', proposal: { kind: 'uniform' }, ...changes })
const ESTIMATORS: Readonly<Record<string, object>> = {
  'full': { kind: 'full' },
  'zeroth order, K = 1, h = 2': rlr({ firstOrderDepth: 1, windowLength: 2, coverage: 'zeroth-order' }),
  'importance, K = 1, h = 2, m = 1': rlr({ firstOrderDepth: 1, windowLength: 2 }),
  'importance, K = 1, h = 1, m = 4': rlr({ firstOrderDepth: 1, windowLength: 1, windows: 4 }),
  ...Object.fromEntries([5, 10, 15, 18].map((depth) => [
    `importance, K = ${depth}, h = 1, m = 2`, rlr({ firstOrderDepth: depth, windowLength: 1, windows: 2 }),
  ])),
}

const report = [
  '# The depth of RLR\'s first order',
  '',
  circumstances(),
  `The starter with the recipes that the app drafts for models of one's own, at the parameters that a run begins with. ${COLUMNS}`,
]
for (const { of, latentSide } of SIZES) report.push(...(await depths(of, latentSide)))
const text = report.join('\n')
console.log(`\n${text}`)
console.log(`\nWritten to ${saveReport('depth', text)}`)

async function depths(of: string, latentSide: number): Promise<string[]> {
  const chain = recipeWith(latentSide, { kind: 'full' })
  const { sampling, batch } = chain
  const { model } = await openStableDiffusionChain(chain, { device: 'cpu' })
  try {
    const theta = model.initialTheta()
    const figures = await measureEstimators(
      Object.entries(ESTIMATORS).map(([label, estimator]) => ({
        label, settings: algorithmSettings(recipeWith(latentSide, estimator), () => []),
      })),
      {
        draws: Number(options.draws),
        context: async (index) => (await model.batch({ index, theta })).context,
        onDraw: (label, draw) => draw === 0 && console.log(`${of}: ${label}`),
      },
    )
    return [
      '',
      `## As for ${of} models`,
      '',
      `${sampling.steps} steps, guidance ${sampling.guidance}, ${batch.prompts} × ${batch.samplesPerPrompt} samples, `
      + `${model.parameterCount} parameters; ${options.draws} draws.`,
      '',
      estimatorsTable(figures),
      '',
      `Least variance × time among the unbiased: ${bestOf(figures)?.label ?? 'none'}.`,
    ]
  } finally {
    await model.dispose()
  }
}

/** What the app drafts for a model whose latents have that side, given the starter and an estimator. */
function recipeWith(latentSide: number, estimator: object): Recipe {
  const draft = draftRecipe({
    goal: 'fix-hands',
    effort: 'quick',
    precision: 'float32',
    model: { path: join(assets, 'starter'), latentSide },
    prompts: readFileSync(join(assets, 'prompts', 'hands-train.txt'), 'utf8').trim().split('\n'),
    negative: '',
    template: null,
    reward: { kind: 'critic', path: join(assets, 'starter', 'critic.onnx'), target: { output: 'score' } },
    pictures: null,
    start: null,
  })
  return parseRecipe({ ...draft, estimator, threads: Number(options.threads) }, 'The drafted recipe')
}
