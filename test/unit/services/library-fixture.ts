import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openServices, type Services } from '../../../main/services/services.ts'
import type { ServiceEvents } from '../../../main/services/service-events.ts'
import type { Task } from '../../../main/services/tasks.ts'
import { fakeEngine, type FakeEngine, type FakeJobs } from './fake-engine.ts'

/** The services over a library in a fresh folder and an engine whose jobs the test spells out. */
export interface LibraryFixture {
  readonly folder: string
  readonly services: Services
  readonly engine: FakeEngine
  readonly events: { readonly name: keyof ServiceEvents; readonly payload: unknown }[]
  close(): void
}

/** @param starter folder of the starter model; without it, there is none, whether or not it was built on this machine */
export function openFixture(jobs: FakeJobs = {}, starter?: string): LibraryFixture {
  const folder = mkdtempSync(join(tmpdir(), 'halfstep-library-'))
  const engine = fakeEngine(jobs)
  const services = openServices(engine, join(folder, 'library'), starter ?? join(folder, 'no-starter'))
  const events: { name: keyof ServiceEvents; payload: unknown }[] = []
  services.bus.listen((name, payload) => events.push({ name, payload }))
  return {
    folder, services, engine, events,
    close() {
      services.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A task that nobody watches. */
export function quietTask(signal = new AbortController().signal): Task {
  return { signal, progress: () => undefined, check: () => signal.throwIfAborted() }
}
