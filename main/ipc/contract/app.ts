import { z } from 'zod'
import { Device, DeviceRecord } from '../../engine/protocol.ts'
import { type CallTable, Count, type EventTable, nothing } from './shared.ts'

export const AppInfo = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Where Halfstep keeps what it remembers. */
  libraryFolder: z.string(),
  /** Whether the host has the system's dialogs for files (`files.choose`), or pages look for themselves (`files.browse`). */
  dialogs: z.enum(['native', 'browse']),
})

export const Devices = z.strictObject({
  /** As the last probe found them, in order of preference; empty before the first. */
  devices: z.array(DeviceRecord),
  /** The device Halfstep works on, and why that one; null when none can be used or none has been looked for. */
  chosen: z.strictObject({ device: Device, reason: z.string() }).nullable(),
})

/** What the person chose. */
export const Settings = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']),
  /** The device to work on; `auto` leaves it to Halfstep. */
  device: z.union([z.literal('auto'), Device]),
})

/** How far something that takes longer than a moment has come. */
export const TaskProgress = z.strictObject({
  task: z.string(),
  /** What is being done, in a few words. */
  label: z.string(),
  done: z.number().nonnegative(),
  /** Null while it is not known how much there is. */
  total: z.number().nonnegative().nullable(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** What is being worked on just now. */
  note: z.string().nullable(),
})

/** The parts of the library that pages show. */
export const LibraryArea = z.enum(['models', 'runs', 'adapters', 'generations', 'prompts', 'templates', 'rewards', 'datasets'])

export type AppInfo = z.infer<typeof AppInfo>
export type Devices = z.infer<typeof Devices>
export type Settings = z.infer<typeof Settings>
export type TaskProgress = z.infer<typeof TaskProgress>
export type LibraryArea = z.infer<typeof LibraryArea>
export type { Device, DeviceRecord }

export const APP_CALLS = {
  'app.info': { args: nothing, result: AppInfo },
  /** The devices as remembered; asks no hardware. */
  'devices.list': { args: nothing, result: Devices },
  /** Tries every device of the machine, which takes seconds, and remembers what it found. Fails with `cancelled` after a stop. */
  'devices.probe': { args: nothing, result: Devices },
  'devices.stopProbe': { args: nothing, result: nothing },
  'settings.get': { args: nothing, result: Settings },
  /** Changes what is given and leaves the rest. */
  'settings.set': { args: Settings.partial(), result: Settings },
  /** Everything long that goes on now. */
  'tasks.list': { args: nothing, result: z.array(TaskProgress) },
  /** Ends something long: its call then fails with `cancelled`. */
  'tasks.cancel': { args: z.strictObject({ task: z.string() }), result: z.strictObject({ found: z.boolean() }) },
} as const satisfies CallTable

export const APP_EVENTS = {
  'devices.changed': Devices,
  'devices.probing': z.strictObject({ tried: Count, total: z.int().positive() }),
  'settings.changed': Settings,
  'tasks.progress': TaskProgress,
  'tasks.ended': z.strictObject({ task: z.string() }),
  /** Something in this area was added, changed or removed: ask for its list again. */
  'library.changed': z.strictObject({ area: LibraryArea }),
} as const satisfies EventTable
