import type { Bridge } from '../../main/ipc/bridge.ts'
import type { CallInput } from '../../main/ipc/contract.ts'
import type { ToastState } from './toasts.svelte.ts'

/** What was removed lies in the bin, and the message that says so can take it out again. */
export class Bin {
  readonly #bridge: Bridge
  readonly #toasts: ToastState

  constructor(bridge: Bridge, toasts: ToastState) {
    this.#bridge = bridge
    this.#toasts = toasts
  }

  /** Says that something was removed, and offers to put it back. */
  offerUndo(area: CallInput<'bin.restore'>['area'], id: string, name: string): void {
    this.#toasts.say(`${name} is in the bin.`, { label: 'Undo', run: () => void this.restore(area, id) })
  }

  /** @returns whether it is back */
  async restore(area: CallInput<'bin.restore'>['area'], id: string): Promise<boolean> {
    const reply = await this.#bridge.call('bin.restore', { area, id })
    if (!reply.ok) this.#toasts.complain(reply.error)
    return reply.ok
  }
}
