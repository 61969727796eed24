/**
 * `npm run bench:estimators`: variance of every gradient estimator per unit of time, on the linear-Gaussian chain and on sd15-micro,
 * and peak memory against h and T. Prints tables and writes them to test/bench/results/ with date, machine and commit.
 *
 *     npm run bench:estimators -- [--draws 24] [--gaussian-draws 20000]
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { Random } from '../../../main/engine/random/random.ts'
import { estimatorGrid } from '../../../main/engine/rlr/measure/estimator-grid.ts'
import { bestOf, measureEstimators } from '../../../main/engine/rlr/measure/measure-estimators.ts'
import type { UpdateContext } from '../../../main/engine/rlr/update-context.ts'
import { denoiserOf, linearGaussianChain, rewardOf } from '../../golden/linear-gaussian/chain.ts'
import { contextOf } from '../../golden/linear-gaussian/draws.ts'
import { circumstances, markdownTable, saveReport } from '../report.ts'
import { COLUMNS, estimatorsTable } from './estimators-table.ts'
import { openMicroChain } from './micro-chain.ts'

const { values: options } = parseArgs({
  options: { draws: { type: 'string', default: '24' }, 'gaussian-draws': { type: 'string', default: '20000' } },
})
const STEPS = 10

/** What peak-memory.ts prints, in bytes. */
const Peak = z.object({ peak: z.number(), after: z.number() })

const report = [
  '# Gradient estimators: variance per unit of time, and memory',
  '',
  circumstances(),
  'All estimators see the same prompts and noises. Importance coverage spends 8 VJPs on windows whatever their length.',
  COLUMNS,
]

report.push(...(await gaussianTable()), ...(await microTable()), ...memoryTables())
const text = report.join('\n')
console.log(`\n${text}`)
console.log(`\nWritten to ${saveReport('estimators', text)}`)

/** The linear-Gaussian chain: T = 10, latents of 8 numbers, 12 parameters, two prompts with two samples each. */
async function gaussianTable(): Promise<string[]> {
  const timesteps = Array.from({ length: STEPS }, (_, i) => 951 - 90 * i)
  const chain = linearGaussianChain({ d: 8, p: 12, timesteps, groups: [0, 0, 1, 1], learned: true }, 2)
  const random = new Random(5)
  const context = async (draw: number): Promise<UpdateContext> => contextOf(chain, denoiserOf(chain), rewardOf(chain), random, draw)
  const draws = Number(options['gaussian-draws'])
  return measured(`Linear-Gaussian chain, T = ${STEPS}, ${chain.p} parameters`, draws, context)
}

async function microTable(): Promise<string[]> {
  const chain = await openMicroChain({ steps: STEPS, batch: 4, latent: 16, movable: true })
  try {
    const title = `sd15-micro, T = ${STEPS}, latents 4×16×16, 4 samples, ${chain.parameters} parameters`
    return await measured(title, Number(options.draws), async (draw) => chain.context(draw))
  } finally {
    await chain.dispose()
  }
}

async function measured(title: string, draws: number, context: (draw: number) => Promise<UpdateContext>): Promise<string[]> {
  const { coefficients } = await context(0)
  let current = ''
  const figures = await measureEstimators(estimatorGrid({ coefficients, differentiable: true }), {
    draws,
    context,
    onDraw: (label) => {
      if (label !== current) console.log(`${title}: ${label}`)
      current = label
    },
  })
  const best = bestOf(figures)
  const verdict = `Least variance × time among the unbiased: ${best?.label ?? 'none'}.`
  return ['', `## ${title}, ${draws} draws`, '', estimatorsTable(figures), '', verdict]
}

function memoryTables(): string[] {
  const againstH = [1, 2, 4, 8].map((h) => ({ h, T: 10, ...peakOf(h, 10) }))
  const againstT = [5, 10, 20, 40].map((T) => ({ h: 2, T, ...peakOf(2, T) }))
  const heading = ['h', 'T', 'peak, MiB', 'after, MiB']
  const table = (rows: typeof againstH): string =>
    markdownTable([heading, ...rows.map(({ h, T, peak, after }) => [String(h), String(T), mebibytes(peak), mebibytes(after)])])
  return [
    '',
    '## Peak memory of one update',
    '',
    'sd15-micro with latents 4×32×32, 2 samples, FO + HO; whole process, everything compiled before. CPU.',
    '',
    table(againstH),
    '',
    table(againstT),
  ]
}

/** Each in a process of its own: what one leaves behind must not count for the next. */
function peakOf(windowLength: number, steps: number): z.infer<typeof Peak> {
  console.log(`memory: h = ${windowLength}, T = ${steps}`)
  const script = path.join(import.meta.dirname, 'peak-memory.ts')
  const args = ['--expose-gc', script, String(windowLength), String(steps)]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Memory could not be measured: ${stderr}`)
  return Peak.parse(JSON.parse(stdout))
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
