import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { deviceMemory } from '../runtime/memory.ts'
import { CommandInbox } from '../training/command-inbox.ts'
import { openDenoisingTask } from '../training/open-denoising-task.ts'
import { openRun } from '../training/open-run.ts'
import { planOf } from '../training/recipe.ts'
import { openStableDiffusionTask } from '../training/stable-diffusion-task.ts'
import { train } from '../training/trainer.ts'

/** Begins or continues a training run, reports what happens and listens to commands meanwhile. */
export const trainRun: JobHandler<EngineJobs['train.run']> = async ({ device, whenPaused, ...request }, { progress, onCommand }) => {
  const commands = new CommandInbox()
  onCommand((command) => commands.push(command))
  const { folder, recipe, fingerprint, begin } = await openRun({
    folder: request.folder,
    recipe: request.recipe,
    ...(request.recipeFolder === undefined ? {} : { recipeFolder: request.recipeFolder }),
  })
  const task = recipe.trainer === 'rlr'
    ? await openStableDiffusionTask(recipe, { device })
    : await openDenoisingTask(recipe, { device, cache: folder.latentsFile })
  let release: (() => Promise<void>) | undefined
  try {
    release = await begin()
    const deviceBytes = (await deviceMemory(device))?.totalBytes ?? null
    return await train({ task, plan: planOf(recipe, fingerprint), folder, commands, emit: progress, whenPaused, deviceBytes })
  } finally {
    await release?.()
    await task.dispose()
  }
}
