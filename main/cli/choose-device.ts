import { HalfstepError } from '../engine/errors.ts'
import type { Device, Precision } from '../engine/protocol.ts'
import type { Workbench } from './invocation.ts'
import { rememberedDevices } from './remembered-devices.ts'

/** The device asked for, else the one that the last probe chose, else the CPU; the latter two are said. */
export function chooseDevice(wish: Device | undefined, bench: Workbench): Device {
  if (wish !== undefined) return wish
  const { device, reason } = choice(bench)
  bench.terminal.note(`${reason} (--device takes another.)`)
  return device
}

/** The precision asked for, else half where the last probe found that the device computes in it. */
export function choosePrecision(wish: Precision | undefined, device: Device, { launch }: Workbench): Precision {
  if (wish !== undefined) return wish
  try {
    const record = rememberedDevices(launch).devices.find((remembered) => remembered.device === device)
    return record?.float16 === true ? 'float16' : 'float32'
  } catch (error) {
    if (!(error instanceof HalfstepError)) throw error
    return 'float32'
  }
}

function choice({ launch }: Workbench): { device: Device; reason: string } {
  try {
    const { chosen } = rememberedDevices(launch)
    return chosen ?? { device: 'cpu', reason: 'Using the processor, because no other device has been tried yet: see `halfstep devices`.' }
  } catch (error) {
    // What is asked for needs no library, so a broken one is not in its way.
    if (!(error instanceof HalfstepError)) throw error
    return { device: 'cpu', reason: `Using the processor, because the library cannot be read: ${error.message}` }
  }
}
