import { type CallArgs, type CallName, type CallResult, CALLS, isCallName } from './contract.ts'
import type { Reply } from './bridge.ts'
import type { CallTable } from './contract/shared.ts'
import type { z } from 'zod'
import { HalfstepError, toErrorValue } from '../engine/errors.ts'
import { asStoreFault } from '../services/store-faults.ts'

/** One function per call of the contract; a missing one does not compile. */
export type Handlers = { readonly [N in CallName]: (args: CallArgs<N>) => CallResult<N> | Promise<CallResult<N>> }

/** The handlers of one part of the contract. */
export type HandlersOf<C extends CallTable> = {
  readonly [N in keyof C]: (args: z.output<C[N]['args']>) => z.output<C[N]['result']> | Promise<z.output<C[N]['result']>>
}

/** Answers one call; never throws, whatever it is given. */
export type Router = (name: unknown, args: unknown) => Promise<Reply<unknown>>

/**
 * A router over the handlers: refuses names that are not in the contract and arguments that do not fit (no handler runs
 * then), checks the answer too, and turns whatever is thrown into a typed error.
 */
export function createRouter(handlers: Handlers): Router {
  return async (name, args) => {
    try {
      if (!isCallName(name)) throw invalid('The page asked for something that this version of Halfstep does not know.')
      return { ok: true, value: await dispatch(handlers, name, args) }
    } catch (thrown) {
      return { ok: false, error: toErrorValue(asStoreFault(thrown)) }
    }
  }
}

async function dispatch<N extends CallName>(handlers: Handlers, name: N, args: unknown): Promise<unknown> {
  const parsed = CALLS[name].args.safeParse(args)
  if (!parsed.success) throw invalid(`The arguments of ${name} do not fit: ${firstIssue(parsed.error)}.`)
  const handler: Handlers[N] = handlers[name]
  const value = await handler(parsed.data as CallArgs<N>)
  return CALLS[name].result.parse(value)
}

/** Where the first mismatch lies and what it is, without repeating the value that was sent. */
function firstIssue(error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }): string {
  const [issue] = error.issues
  if (!issue) return 'unknown mismatch'
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join('.')}: ${issue.message}`
}

function invalid(message: string): HalfstepError {
  return new HalfstepError('call.invalid', message, 'Restart Halfstep; if this comes back, please report it.')
}
