/**
 * Every call and event between a page and the rest of the system, once, with the schema of what it carries.
 * The bridge, the router and the page's types all derive from these two tables.
 */
import { z } from 'zod'
import { Device, DeviceRecord } from '../engine/protocol.ts'

const nothing = z.strictObject({})

export const AppInfo = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Where Halfstep keeps what it remembers. */
  libraryFolder: z.string(),
})

export const Devices = z.strictObject({
  /** As the last probe found them, in order of preference; empty before the first. */
  devices: z.array(DeviceRecord),
  /** The device Halfstep works on, and why that one; null when none can be used or none has been looked for. */
  chosen: z.strictObject({ device: Device, reason: z.string() }).nullable(),
})

export type AppInfo = z.infer<typeof AppInfo>
export type Devices = z.infer<typeof Devices>
export type { DeviceRecord }

/** What a page may ask for. */
export const CALLS = {
  'app.info': { args: nothing, result: AppInfo },
  /** The devices as remembered; asks no hardware. */
  'devices.list': { args: nothing, result: Devices },
  /** Tries every device of the machine, which takes seconds, and remembers what it found. Fails with `cancelled` after a stop. */
  'devices.probe': { args: nothing, result: Devices },
  'devices.stopProbe': { args: nothing, result: nothing },
} as const satisfies Record<string, { readonly args: z.ZodType; readonly result: z.ZodType }>

/** What a page is told without asking. */
export const EVENTS = {
  'devices.changed': Devices,
  'devices.probing': z.strictObject({ tried: z.int().nonnegative(), total: z.int().positive() }),
} as const satisfies Record<string, z.ZodType>

export type CallName = keyof typeof CALLS
export type CallArgs<N extends CallName> = z.output<(typeof CALLS)[N]['args']>
export type CallResult<N extends CallName> = z.output<(typeof CALLS)[N]['result']>
export type EventName = keyof typeof EVENTS
export type EventPayload<N extends EventName> = z.output<(typeof EVENTS)[N]>

export function isCallName(name: unknown): name is CallName {
  return typeof name === 'string' && Object.hasOwn(CALLS, name)
}

export function isEventName(name: unknown): name is EventName {
  return typeof name === 'string' && Object.hasOwn(EVENTS, name)
}
