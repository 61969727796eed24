import os from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../../package.json' with { type: 'json' }
import { readJson } from '../../../native-models/weights/json-file.ts'
import { ASSETS } from '../../engine/assets.ts'
import { EVALUATION_SEED } from '../../engine/evaluation/held-out.ts'
import { pairedChange } from '../../engine/evaluation/paired-change.ts'
import { summariseArm } from '../../engine/evaluation/summarise-arm.ts'
import { verdictOf } from '../../engine/evaluation/verdict.ts'
import { DEVICE_LABELS, type EvaluatedArm } from '../../engine/protocol.ts'
import { formatDuration } from '../training-lines.ts'
import { json, writeText, type DemoFolder } from './demo-folder.ts'
import { demoLines, generateCommand } from './demo-lines.ts'
import { demoReport, type DemoReport } from './demo-report.ts'
import { readSummary, type DemoSummary } from './demo-summary.ts'
import type { Demo } from './open-demo.ts'
import { firstOfSheet } from './sheet-file.ts'
import { judgeSamples, readHistory, sampleFiles, type HistoryPoint, type SampleRate } from './training-history.ts'

/** Pairs of pictures on the page. */
const SHOWN = 64

/** Writes summary and page, and says the same at the terminal. @param seconds since this start of the demo */
export async function writeDemoReport(parts: Demo, before: EvaluatedArm, after: EvaluatedArm, seconds: number): Promise<void> {
  const { bench: { terminal }, folder, prompts, program } = parts
  const history = await readHistory(folder.run, parts.critic)
  const summary = summarise(parts, before, after, history, seconds)
  const verdict = verdictOf(summary.before, summary.after, summary.change)
  const recorded = await readSummary(fileURLToPath(new URL('starter/full-run.json', ASSETS)))
  const command = generateCommand(program, {
    model: parts.model,
    adapter: folder.adapter,
    prompt: prompts[0] ?? '',
    template: parts.template?.source,
    sampling: parts.recipe.sampling,
  })
  const shown = Math.min(SHOWN, before.pictures.length)
  const page: DemoReport = {
    summary, verdict, recorded, before, after, prompts, shown, history, command,
    adapter: folder.adapter,
    sheets: { before: await firstOfSheet(folder.sheet('before'), shown), after: await firstOfSheet(folder.sheet('after'), shown) },
    rates: await ratesOf(folder, history),
    settings: settingsOf(parts, summary),
    recipe: JSON.stringify(await readJson(join(folder.run, 'recipe.json')), null, 2),
  }
  await writeText(folder.summary, json(summary))
  await writeText(folder.report, demoReport(page))
  terminal.document({ report: folder.report, adapter: folder.adapter, verdict, summary })
  terminal.print(...demoLines(summary, verdict, recorded, terminal.colors))
  terminal.print(`Report:  ${folder.report}`, `Adapter: ${folder.adapter}`, `Draw:    ${command}`)
}

function summarise(
  { folder, recipe, prompts }: Demo,
  before: EvaluatedArm,
  after: EvaluatedArm,
  history: readonly HistoryPoint[],
  seconds: number,
): DemoSummary {
  const { batch } = recipe
  return {
    version: 1,
    mode: folder.settings.mode,
    date: new Date().toISOString(),
    machine: `${os.cpus()[0]?.model ?? 'unknown processor'}, ${folder.settings.threads} threads`,
    trainingSeconds: history.at(-1)?.seconds ?? 0,
    seconds,
    updates: history.length,
    samples: history.length * batch.prompts * batch.samplesPerPrompt * batch.accumulation,
    before: summariseArm(before, prompts),
    after: summariseArm(after, prompts),
    change: pairedChange(before, after, prompts),
  }
}

async function ratesOf(folder: DemoFolder, history: readonly HistoryPoint[]): Promise<SampleRate[]> {
  const rates: SampleRate[] = []
  for (const [update, files] of await sampleFiles(folder.run)) {
    rates.push({ update, seconds: history.find((point) => point.update === update)?.seconds ?? 0, five: await judgeSamples(files) })
  }
  return rates
}

function settingsOf({ folder, recipe, prompts }: Demo, summary: DemoSummary): [string, string][] {
  const { machine, seconds, trainingSeconds, updates, samples } = summary
  const { sampling: { steps, eta, guidance }, template } = recipe
  const { device, pictures } = folder.settings
  return [
    ['Time', `${formatDuration(trainingSeconds)} of training, ${formatDuration(seconds)} since this start of the demo`],
    ['Updates', `${updates}, ${samples} pictures drawn to learn from`],
    ['Machine', machine],
    ['Device', DEVICE_LABELS[device]],
    ['Sampling', `DDIM, ${steps} steps, eta ${eta}, guidance ${guidance}`],
    ['Template', template === undefined ? 'none' : basename(template.use, '.json')],
    ['Judged', `${pictures} pictures of ${prompts.length} prompts, seeds from ${EVALUATION_SEED} on`],
    ['Recipe', basename(folder.settings.recipe)],
    ['Halfstep', packageJson.version],
  ]
}
