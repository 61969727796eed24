/**
 * Every call and event between a page and the rest of the system, once, with the schema of what it carries.
 * The bridge, the router and the page's types all derive from these two tables, which `contract/` has area by area.
 */
import type { z } from 'zod'
import { ADAPTER_CALLS } from './contract/adapters.ts'
import { APP_CALLS, APP_EVENTS } from './contract/app.ts'
import { DATASET_CALLS } from './contract/datasets.ts'
import { FILE_CALLS } from './contract/files.ts'
import { LIBRARY_CALLS } from './contract/library.ts'
import { MODEL_CALLS } from './contract/models.ts'
import { PROMPT_CALLS } from './contract/prompts.ts'
import { REPAIR_CALLS } from './contract/repair.ts'
import { REWARD_CALLS } from './contract/rewards.ts'
import { RUN_CALLS, RUN_EVENTS } from './contract/runs.ts'
import type { CallTable, EventTable } from './contract/shared.ts'
import { STUDIO_CALLS, STUDIO_EVENTS } from './contract/studio.ts'
import { TEMPLATE_CALLS, TEMPLATE_EVENTS } from './contract/templates.ts'
import { TRAINING_CALLS } from './contract/training.ts'

export * from './contract/adapters.ts'
export * from './contract/app.ts'
export * from './contract/datasets.ts'
export * from './contract/files.ts'
export * from './contract/library.ts'
export * from './contract/models.ts'
export * from './contract/prompts.ts'
export * from './contract/repair.ts'
export * from './contract/rewards.ts'
export * from './contract/runs.ts'
export * from './contract/studio.ts'
export * from './contract/templates.ts'
export * from './contract/training.ts'

/** What a page may ask for. */
export const CALLS = {
  ...APP_CALLS,
  ...MODEL_CALLS,
  ...TRAINING_CALLS,
  ...RUN_CALLS,
  ...ADAPTER_CALLS,
  ...STUDIO_CALLS,
  ...REPAIR_CALLS,
  ...PROMPT_CALLS,
  ...TEMPLATE_CALLS,
  ...REWARD_CALLS,
  ...DATASET_CALLS,
  ...LIBRARY_CALLS,
  ...FILE_CALLS,
} as const satisfies CallTable

/** What a page is told without asking. */
export const EVENTS = {
  ...APP_EVENTS,
  ...RUN_EVENTS,
  ...STUDIO_EVENTS,
  ...TEMPLATE_EVENTS,
} as const satisfies EventTable

export type CallName = keyof typeof CALLS
/** What a handler is given: every default filled in. */
export type CallArgs<N extends CallName> = z.output<(typeof CALLS)[N]['args']>
/** What a page sends: what has a default may be left out. */
export type CallInput<N extends CallName> = z.input<(typeof CALLS)[N]['args']>
export type CallResult<N extends CallName> = z.output<(typeof CALLS)[N]['result']>
export type EventName = keyof typeof EVENTS
export type EventPayload<N extends EventName> = z.output<(typeof EVENTS)[N]>

export function isCallName(name: unknown): name is CallName {
  return typeof name === 'string' && Object.hasOwn(CALLS, name)
}

export function isEventName(name: unknown): name is EventName {
  return typeof name === 'string' && Object.hasOwn(EVENTS, name)
}
