/**
 * `npm run bench:engine`: our engine beside PyTorch, diffusers and peft on the same UNet size, in turns in one run, so that the
 * ratios hold on a noisy machine. PyTorch is asked through the Python named by `--python` (development only).
 *
 *     npm run bench:engine -- --python ~/ref/bin/python [--config sd15] [--latents 32,64] [--rounds 2]
 *
 * Prints a table and writes it to test/bench/results/ with date, machine and commit.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { writeRandomModel } from '../../../native-models/random-weights.ts'
import { standardConfigs } from '../../../native-models/standard-configs.ts'

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    config: { type: 'string', default: 'sd15' },
    latents: { type: 'string', default: '32,64' },
    rounds: { type: 'string', default: '2' },
  },
})
const config = z.enum(['sd15', 'sd21', 'sdxl']).parse(options.config)
const threads = os.availableParallelism()

const TorchLine = z.object({
  kind: z.string(),
  seconds: z.number(),
  memory_above_weights: z.number(),
  versions: z.record(z.string(), z.string()),
})
const Measurement = z.object({ median: z.number(), memoryAboveWeights: z.number() })
const OurResult = z.object({ forward: Measurement, vjp: Measurement })

interface Figure {
  readonly seconds: number
  readonly bytes: number
}

/** What is compared, in the order of the table. */
const ROWS = ['PyTorch', 'PyTorch, checkpointed', 'Halfstep, recomputing blocks', 'Halfstep, recomputing attention'] as const
type Row = (typeof ROWS)[number]
type Figures = Map<string, Figure[]>

const folder = mkdtempSync(path.join(os.tmpdir(), 'halfstep-bench-'))
try {
  console.log(`Writing a ${config} UNet with random weights…`)
  await writeRandomModel(folder, standardConfigs[config], { dtype: 'float32', components: ['unet'] })
  const versions = new Set<string>()
  const tables = options.latents.split(',').map((latent) => {
    const figures: Figures = new Map()
    for (let round = 1; round <= Number(options.rounds); round++) {
      console.log(`latent ${latent}×${latent}, round ${round}`)
      measureTorch(latent, figures, versions)
      measureOurs(latent, 'blocks', 'Halfstep, recomputing blocks', figures)
      measureOurs(latent, 'attention', 'Halfstep, recomputing attention', figures)
    }
    return table(latent, figures)
  })
  const report = [heading([...versions]), ...tables].join('\n')
  console.log(`\n${report}`)
  save(report)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function measureTorch(latent: string, figures: Figures, versions: Set<string>): void {
  const script = path.join(import.meta.dirname, 'torch_reference.py')
  const args = [script, '--config', config, '--latent', latent, '--threads', String(threads), '--repeats', '2']
  const { stdout, status, stderr } = spawnSync(options.python, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`PyTorch could not be measured with ${options.python}: ${stderr}`)
  for (const line of stdout.trim().split('\n')) {
    const { kind, seconds, memory_above_weights: bytes, versions: found } = TorchLine.parse(JSON.parse(line))
    versions.add(
      Object.entries(found)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    )
    const row: Row = kind === 'vjp-checkpointed' ? 'PyTorch, checkpointed' : 'PyTorch'
    add(figures, row, kind === 'forward' ? 'forward' : 'vjp', { seconds, bytes })
  }
}

function measureOurs(latent: string, recompute: string, row: Row, figures: Figures): void {
  const halfstep = path.join(import.meta.dirname, '../../../main/cli/halfstep.mjs')
  const args = [
    halfstep,
    'model',
    'bench',
    '--config',
    folder,
    '--latent',
    latent,
    '--device',
    'cpu',
    '--recompute',
    recompute,
    '--runs',
    '2',
    '--json',
  ]
  const { forward, vjp } = OurResult.parse(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })))
  add(figures, row, 'forward', { seconds: forward.median, bytes: forward.memoryAboveWeights })
  add(figures, row, 'vjp', { seconds: vjp.median, bytes: vjp.memoryAboveWeights })
}

function add(figures: Figures, row: Row, kind: 'forward' | 'vjp', figure: Figure): void {
  const key = `${row}/${kind}`
  figures.set(key, [...(figures.get(key) ?? []), figure])
}

function table(latent: string, figures: Figures): string {
  const best = (row: Row, kind: string): Figure | undefined => {
    const all = figures.get(`${row}/${kind}`)
    return all && { seconds: Math.min(...all.map(({ seconds }) => seconds)), bytes: Math.max(...all.map(({ bytes }) => bytes)) }
  }
  const cell = (row: Row, kind: string): string => {
    const figure = best(row, kind)
    const reference = best('PyTorch', kind)
    if (figure === undefined) return ' | | '
    const ratio = reference === undefined ? '' : (figure.seconds / reference.seconds).toFixed(2)
    return `${figure.seconds.toFixed(2)} s | ${ratio} | ${(figure.bytes / 2 ** 20).toFixed(0)} MiB`
  }
  const lines = ROWS.map((row) => `| ${row} | ${cell(row, 'forward')} | ${cell(row, 'vjp')} |`)
  return [
    `\n## Latent ${latent}×${latent}, batch 1, float32, ${threads} threads\n`,
    '| | forward | ratio | memory above weights | gradient | ratio | memory above weights |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

function heading(versions: readonly string[]): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  const processor = os.cpus()[0]?.model ?? 'unknown processor'
  const date = new Date().toISOString().slice(0, 10)
  return [
    `# Engine against PyTorch: a UNet of ${config} size, LoRA r=4 on attention`,
    '',
    `${date}, commit ${commit}, ${processor}, ${threads} threads; ${versions.join('; ')}.`,
    `Seconds are the fastest of ${options.rounds} rounds in turns, memory the largest; ratios are to plain PyTorch in the same run.`,
  ].join('\n')
}

function save(report: string): void {
  const results = path.join(import.meta.dirname, '../results')
  mkdirSync(results, { recursive: true })
  writeFileSync(path.join(results, `engine-${config}-${new Date().toISOString().slice(0, 10)}.md`), `${report}\n`)
}
