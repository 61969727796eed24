import { z } from 'zod'
import { HalfstepError } from '../../main/engine/errors.ts'
import type { JobHandlers } from '../../main/engine/process/serve-jobs.ts'
import type { JobSchemas } from '../../main/engine/protocol.ts'

const nothing = z.strictObject({})

const floats = z.instanceof<typeof Float32Array<ArrayBufferLike>>(Float32Array)

/** Jobs that go wrong in every way an engine can. */
export const FAULT_JOBS = {
  double: { request: z.strictObject({ numbers: floats }), progress: z.number(), result: floats },
  processId: { request: nothing, progress: z.never(), result: z.number() },
  /** Blocks the thread without a pause, as a run of the runtime does. */
  block: { request: z.strictObject({ milliseconds: z.number() }), progress: z.literal('started'), result: z.literal('done') },
  refuse: { request: nothing, progress: z.never(), result: z.never() },
  throwLater: { request: nothing, progress: z.never(), result: z.never() },
  exit: { request: z.strictObject({ code: z.int() }), progress: z.never(), result: z.never() },
  talkNonsense: { request: nothing, progress: z.never(), result: z.never() },
  answerWrongly: { request: nothing, progress: z.never(), result: z.number() },
  print: { request: z.strictObject({ text: z.string() }), progress: z.never(), result: nothing },
  /** Listens after a while, repeats what it is told, and ends at the word `end`. */
  listen: {
    request: z.strictObject({ afterMs: z.number() }),
    progress: z.string(),
    result: z.array(z.string()),
    command: z.string().min(1),
  },
} as const satisfies JobSchemas

const forever = () => new Promise<never>(() => undefined)

export const faultHandlers: JobHandlers<typeof FAULT_JOBS> = {
  double: async () => async ({ numbers }, { progress }) => {
    progress(0.5)
    progress(1)
    return numbers.map((number) => number * 2)
  },
  processId: async () => async () => process.pid,
  block: async () => async ({ milliseconds }, { progress }) => {
    progress('started')
    await new Promise((resolve) => setImmediate(resolve))
    const end = performance.now() + milliseconds
    while (performance.now() < end);
    return 'done' as const
  },
  refuse: async () => async () => {
    const message = 'The file a.safetensors has no tensor b.'
    throw new HalfstepError('weights.missing-tensor', message, 'Download it again.', { file: 'a.safetensors' })
  },
  throwLater: async () => async () => {
    setTimeout(() => {
      throw new Error('a callback failed')
    })
    return forever()
  },
  exit: async () => async ({ code }) => process.exit(code),
  talkNonsense: async () => async () => {
    process.send?.({ type: 'poem', lines: 4 })
    return forever()
  },
  answerWrongly: async () => async () => JSON.parse('"four"') as number,
  listen: async () => async ({ afterMs }, { progress, onCommand }) => {
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    const heard: string[] = []
    return new Promise((resolve) => {
      onCommand((command) => {
        heard.push(command)
        progress(command)
        if (command === 'end') resolve(heard)
      })
    })
  },
  print: async () => async ({ text }, { log }) => {
    log(`logged ${text}`)
    process.stderr.write(`written ${text}\n`)
    return {}
  },
}
