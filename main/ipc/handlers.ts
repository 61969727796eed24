import type { Services } from '../services/services.ts'
import type { EventName, EventPayload } from './contract.ts'
import type { Handlers } from './router.ts'

/** Tells every page. */
export type Broadcast = <N extends EventName>(name: N, payload: EventPayload<N>) => void

/** What each call of the contract does, in terms of the services. */
export function createHandlers(services: Services, broadcast: Broadcast): Handlers {
  const { app, devices } = services
  return {
    'app.info': () => app,
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
  }
}
