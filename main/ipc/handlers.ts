import type { ServiceEvents } from '../services/service-events.ts'
import type { Services } from '../services/services.ts'
import type { EventName, EventPayload } from './contract.ts'
import { adapterHandlers } from './handlers/adapters.ts'
import { appHandlers } from './handlers/app.ts'
import { datasetHandlers } from './handlers/datasets.ts'
import { fileHandlers, type ShowDialog } from './handlers/files.ts'
import { libraryHandlers } from './handlers/library.ts'
import { modelHandlers } from './handlers/models.ts'
import { promptHandlers } from './handlers/prompts.ts'
import { repairHandlers } from './handlers/repair.ts'
import { rewardHandlers } from './handlers/rewards.ts'
import { runHandlers } from './handlers/runs.ts'
import { studioHandlers } from './handlers/studio.ts'
import { templateHandlers } from './handlers/templates.ts'
import { trainingHandlers } from './handlers/training.ts'
import type { Handlers } from './router.ts'

/** Tells every page. */
export type Broadcast = <N extends EventName>(name: N, payload: EventPayload<N>) => void

/**
 * What each call of the contract does, in terms of the services. Events of the services are told to the pages from now on.
 * @param showDialog the system's dialogs, where the host has them
 */
export function createHandlers(services: Services, broadcast: Broadcast, showDialog?: ShowDialog): Handlers {
  forwardEvents(services, broadcast)
  return {
    ...appHandlers(services, broadcast, showDialog ? 'native' : 'browse'),
    ...modelHandlers(services),
    ...trainingHandlers(services),
    ...runHandlers(services),
    ...adapterHandlers(services),
    ...studioHandlers(services),
    ...repairHandlers(services),
    ...promptHandlers(services),
    ...templateHandlers(services),
    ...rewardHandlers(services),
    ...datasetHandlers(services),
    ...libraryHandlers(services),
    ...fileHandlers(services, showDialog),
  }
}

/** One way for each event of the services; a missing one does not compile. */
function forwardEvents({ bus }: Services, broadcast: Broadcast): void {
  const forward: { readonly [N in keyof ServiceEvents]: (payload: ServiceEvents[N]) => void } = {
    'tasks.progress': (progress) => broadcast('tasks.progress', progress),
    'tasks.ended': (ended) => broadcast('tasks.ended', ended),
    'library.changed': (change) => broadcast('library.changed', change),
    'settings.changed': (settings) => broadcast('settings.changed', settings),
    'runs.event': (notice) => broadcast('runs.event', notice),
    'studio.picture': (made) => broadcast('studio.picture', made),
    'templates.picture': (made) => broadcast('templates.picture', made),
  }
  bus.listen((name, payload) => forward[name](payload))
}
