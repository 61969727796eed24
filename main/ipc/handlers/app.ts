import type { Services } from '../../services/services.ts'
import type { APP_CALLS, AppInfo } from '../contract/app.ts'
import type { Broadcast } from '../handlers.ts'
import type { HandlersOf } from '../router.ts'

/** The app itself: what it is, its devices, settings and what goes on. */
export function appHandlers(
  { app, devices, settings, tasks }: Services, broadcast: Broadcast, dialogs: AppInfo['dialogs'],
): HandlersOf<typeof APP_CALLS> {
  return {
    'app.info': () => ({ ...app, dialogs }),
    'devices.list': () => devices.list(),
    async 'devices.probe'() {
      const found = await devices.probe((progress) => broadcast('devices.probing', progress))
      broadcast('devices.changed', found)
      return found
    },
    'devices.stopProbe'() {
      devices.stop()
      return {}
    },
    'settings.get': () => settings.get(),
    'settings.set'(change) {
      const changed = settings.set(change)
      if (change.device !== undefined) broadcast('devices.changed', devices.list())
      return changed
    },
    'tasks.list': () => tasks.list(),
    'tasks.cancel': ({ task }) => ({ found: tasks.cancel(task) }),
  }
}
