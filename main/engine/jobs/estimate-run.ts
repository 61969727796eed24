import { join } from 'node:path'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { deviceMemory } from '../runtime/memory.ts'
import { openDenoisingTask } from '../training/open-denoising-task.ts'
import { openRun } from '../training/open-run.ts'
import { openStableDiffusionTask } from '../training/stable-diffusion-task.ts'

/** Opens a run as it would be begun, and ends before its first update; nothing is written but to the scratch folder. */
export const estimateRun: JobHandler<EngineJobs['train.estimate']> = async ({ device, scratch, recipe: raw, recipeFolder }) => {
  const { recipe } = await openRun({
    folder: join(scratch, 'run'), recipe: raw, ...(recipeFolder === undefined ? {} : { recipeFolder }),
  })
  const task = recipe.trainer === 'rlr'
    ? await openStableDiffusionTask(recipe, { device })
    : await openDenoisingTask(recipe, { device, cache: join(scratch, 'latents.safetensors') })
  try {
    return {
      updates: recipe.updates,
      parameters: task.parameterCount,
      cost: await task.estimate(),
      deviceBytes: (await deviceMemory(device))?.totalBytes ?? null,
      rewardParts: [...task.rewardParts],
      notes: (task.notes ?? []).map(({ message, nextStep }) => `${message} ${nextStep}`),
    }
  } finally {
    await task.dispose()
  }
}
