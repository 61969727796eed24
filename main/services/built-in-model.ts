import { existsSync } from 'node:fs'
import type { ModelService } from './models.ts'
import type { Tasks } from './tasks.ts'

/** Puts the model that comes with Halfstep into the library, where it is not yet, or lies elsewhere since an update. */
export async function addBuiltInModel(models: ModelService, tasks: Tasks, path: string): Promise<void> {
  if (!existsSync(path)) return
  const known = models.list().find(({ builtIn }) => builtIn)
  if (known?.path === path && !known.missing) return
  const name = 'Starter'
  // A model that cannot be added is missed on its page, and nowhere else.
  await tasks
    .run(undefined, 'Preparing the starter model', (task) =>
      known === undefined ? models.add(path, task, { builtIn: true, name }) : models.relocate(known.id, path, task))
    .catch(() => undefined)
}
