/** The same prompts from the same noises by several models, judged picture by picture. */
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { replaceFile, writeAll } from '../../../native-models/weights/replace-file.ts'
import { readAdapter } from '../adapters/adapter-file.ts'
import { samplingChain } from '../diffusion/sampler.ts'
import { HalfstepError } from '../errors.ts'
import { JUDGED_SIZE } from '../judge/judge-picture.ts'
import { contactSheet } from '../pictures/contact-sheet.ts'
import { encodePng } from '../pictures/png.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { StableDiffusion, pixelsPerLatent } from '../pipeline/stable-diffusion.ts'
import type { EngineJobs, EvaluatedArm } from '../protocol.ts'
import type { SessionOptions } from '../runtime/session.ts'
import { loadTemplate } from '../templates/load-template.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { CriticReader } from './critic-reader.ts'
import { judgeDrawings, type Drawing } from './judge-drawings.ts'
import { pairedChange } from './paired-change.ts'
import { summariseArm } from './summarise-arm.ts'

export type EvaluationRequest = EngineJobs['starter.evaluate']['request']
export type EvaluationProgress = EngineJobs['starter.evaluate']['progress']
export type Evaluation = EngineJobs['starter.evaluate']['result']
type Arm = EvaluationRequest['arms'][number]

/** Pictures side by side on a sheet, without gaps. */
export const SHEET_COLUMNS = 32

/**
 * Draws and judges arm by arm; all have the same prompts and noises. Throws before anything is drawn when the model, the critic, an
 * adapter or a template is unusable: `file.*`, `recipe.impossible`, `adapter.*`, `template.malformed`; and `device.failed`.
 */
export async function evaluateStarter(request: EvaluationRequest, onProgress: (progress: EvaluationProgress) => void): Promise<Evaluation> {
  const checkpoint = await openCheckpoint(request.model)
  const place = { device: request.device, ...(request.threads === undefined ? {} : { threads: request.threads }) }
  const opened: OpenArm[] = []
  const critic = await CriticReader.open(request.critic, place)
  try {
    for (const arm of request.arms) opened.push(await openArm(checkpoint, arm, request, place))
    const arms: EvaluatedArm[] = []
    for (const { arm, ...drawing } of opened) {
      const report = (done: number): void => onProgress({ label: arm.label, done, pictures: request.pictures })
      report(0)
      const { drawn, ...judged } = await judgeDrawings({ ...drawing, critic }, report)
      if (arm.sheet !== undefined) await writeSheet(arm.sheet, drawn)
      arms.push({ label: arm.label, ...judged })
    }
    const [first, ...others] = arms
    return {
      arms,
      summaries: arms.map((arm) => summariseArm(arm, request.prompts)),
      changes: first === undefined ? [] : others.map((arm) => pairedChange(first, arm, request.prompts)),
    }
  } finally {
    for (const { pipeline } of opened) await pipeline.dispose()
    await critic.dispose()
  }
}

type OpenArm = Omit<Drawing, 'critic'> & { readonly arm: Arm }

/** Everything but the compilation, which happens when the first picture is drawn. */
async function openArm(checkpoint: Checkpoint, arm: Arm, request: EvaluationRequest, place: SessionOptions): Promise<OpenArm> {
  const adapters = []
  for (const { path, strength } of arm.adapters) adapters.push({ adapter: await readAdapter(path), strength, name: path })
  const template = arm.template && { template: await loadTemplate(arm.template.source), slots: arm.template.slots }
  const { sampling: { steps, eta, guidance }, prompts, pictures, batch, seed } = request
  const pipeline = await StableDiffusion.open(checkpoint, {
    ...place, precision: 'float32', batch: Math.min(batch, pictures), ...latentSize(checkpoint), adapters,
  })
  const planOf = (prompt: string): SamplePlan => ({ prompt, guidance, ...(template === undefined ? {} : { template }) })
  return {
    arm,
    pipeline,
    chain: samplingChain(pipeline.scheduler, { sampler: 'ddim', steps, eta }),
    theta: new Float32Array(pipeline.layout.size),
    pictures: plannedPictures(prompts, pictures, seed).map((picture) => ({ ...picture, plan: planOf(prompts[picture.prompt] ?? '') })),
  }
}

/** Picture i is of prompt i mod prompts, from the seed `seed` + i. */
export function plannedPictures(prompts: readonly string[], count: number, seed: number): { prompt: number; seed: number }[] {
  return Array.from({ length: count }, (_, i) => ({ prompt: i % prompts.length, seed: seed + i }))
}

/** Latents of pictures as large as the judge's. Throws `recipe.impossible` for a model that was made for others. */
export function latentSize(checkpoint: Checkpoint): { latentHeight: number; latentWidth: number } {
  const side = JUDGED_SIZE / pixelsPerLatent(checkpoint)
  const [height, width] = requireComponent(checkpoint, 'unet').config.sampleSize ?? [side, side]
  if (height === side && width === side) return { latentHeight: height, latentWidth: width }
  const message = `${checkpoint.path} does not draw pictures of ${JUDGED_SIZE} × ${JUDGED_SIZE} pixels, which the judge is made for.`
  throw new HalfstepError('recipe.impossible', message, 'Evaluate the starter that comes with the program.', { file: checkpoint.path })
}

async function writeSheet(path: string, drawn: FloatTensor): Promise<void> {
  const png = await encodePng(contactSheet(drawn, { columns: SHEET_COLUMNS, gap: 0 }))
  await replaceFile(path, (file) => writeAll(file, png))
}
