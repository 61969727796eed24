import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AdapterService } from './adapters/adapters.ts'
import type { ModelService } from './models.ts'
import type { Task, Tasks } from './tasks.ts'

/** What the model that comes with Halfstep is put into. */
export interface BuiltInParts {
  readonly models: ModelService
  readonly adapters: AdapterService
  readonly tasks: Tasks
}

/** The adapter of the recorded full run, beside the model that it was trained on. */
const FULL_RUN = { file: 'full-run.safetensors', name: 'Five fingers, recorded' } as const

/**
 * Puts the model that comes with Halfstep into the library, where it is not yet, or lies elsewhere since an update. With the model
 * comes the adapter of its recorded run, once: who removes it has removed it.
 */
export async function addBuiltInModel({ models, adapters, tasks }: BuiltInParts, path: string): Promise<void> {
  if (!existsSync(path)) return
  const known = models.list().find(({ builtIn }) => builtIn)
  if (known?.path === path && !known.missing) return
  const add = async (task: Task): Promise<void> => {
    if (known !== undefined) return void (await models.relocate(known.id, path, task))
    await models.add(path, task, { builtIn: true, name: 'Starter' })
    const adapter = join(path, FULL_RUN.file)
    if (existsSync(adapter)) await adapters.import(adapter, task, FULL_RUN.name)
  }
  // A model that cannot be added is missed on its page, and nowhere else.
  await tasks.run(undefined, 'Preparing the starter model', add).catch(() => undefined)
}
